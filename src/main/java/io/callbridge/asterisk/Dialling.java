package io.callbridge.asterisk;

import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Who calls, who is dialled, and which of them is a leg. */
final class Dialling {

    /** A number, perhaps with pauses in it, behind the trunk or in front of it. */
    private static final Pattern DIALLED = Pattern.compile("(?:.*/)?(?:(?:sips?|tel):)?[wWpP]*(\\+?[0-9*#][0-9*#wWpP]{2,})(?:[@;:].*)?");

    private final Channels channels;
    private final Predicate<String> reachesNumber;

    /** @param reachesNumber whether something is a phone number as one dials it */
    Dialling(Channels channels, Predicate<String> reachesNumber) {
        this.channels = channels;
        this.reachesNumber = reachesNumber;
    }

    void newChannel(AmiMessage message, Instant at) {
        Channel channel = channels.of(message, "", at);
        if (channel == null) {
            return;
        }
        channel.number = message.get("CallerIDNum");
        String exten = message.get("Exten");
        channel.exten = exten;
        boolean dialled = !exten.isEmpty() && !exten.equals("s");
        if (channel.trunk() && channel.id.equals(message.get("Linkedid")) && channel.leg == null) {
            channel.did = dialled && channels.dialplan.inbound(message.get("Context")) ? exten : "";
            channel.undecided = true;
            channel.preRing = message.get("ChannelState").equals("9");
            // One that an action of the manager interface makes begins without a number that it dialled.
            if (dialled || message.get("ChannelState").equals("4")) {
                calls(channel);
            }
        }
    }

    private void calls(Channel trunk) {
        if (trunk.undecided && !trunk.dialled) {
            line(trunk, trunk.did, trunk.createdAt);
        }
    }

    /** An analogue line whose polarity changed: it rings, or tells a number, or it was nothing. */
    void callsAfterPreRing(Channel trunk) {
        if (trunk != null && trunk.preRing) {
            calls(trunk);
        }
    }

    /** An outside party has called. */
    void line(Channel trunk, String did, Instant at) {
        trunk.undecided = false;
        trunk.did = did;
        trunk.leg = new ChannelLeg(trunk.callId, "trunk:" + trunk.id, "in", trunk).with("ExtensionType", "trunk")
                .with("CallerIDNum", trunk.number).with("CalledExtension", trunk.endpoint).with("CalledNumber", did)
                .with("CalledDID", did);
        trunk.leg.startedAt = at;
        channels.lines.put(trunk.callId, trunk);
        channels.say(trunk.leg, "dial-in", "CALLING", at);
    }

    void newCallerId(AmiMessage message, Instant at) {
        Channel channel = channels.of(message, "", at);
        if (channel != null && caller(channel, message, at)) {
            callsAfterPreRing(channel);
        }
    }

    /**
     * Analogue and ISDN lines tell the caller's number later than his coming, and dialplans rewrite it. What is told after a
     * phone has rung changes no more: one call has one number. A dialplan that calls somebody outside says its own.
     *
     * @return whether there is a number now that was not known
     */
    boolean caller(Channel line, AmiMessage message, Instant at) {
        String number = message.get("CallerIDNum");
        if (!line.trunk() || line.dialled || line.presented || line.leg != null && line.leg.out() || number.equals(line.number)
                || number.chars().noneMatch(Character::isDigit) || number.replace("+", "").equals(line.did.replace("+", ""))) {
            return false;
        }
        line.number = number;
        if (line.leg != null) {
            channels.say(line.leg.with("CallerIDNum", number), "dial-in", "CALLING", at);
        }
        return true;
    }

    void newState(AmiMessage message, Instant at) {
        Channel channel = channels.of(message, "", at);
        if (channel != null) {
            caller(channel, message, at);
            switch (message.get("ChannelState")) {
                case "4" -> calls(channel);
                case "5" -> channel.ringing = true;
                case "6" -> {
                    channel.up = true;
                    callsAfterPreRing(channel);
                }
                default -> {
                    return;
                }
            }
            announce(channel);
        }
    }

    /** A busy phone, and one that forwards, is dialled as well but never rings. */
    void announce(Channel phone) {
        if (phone.extension() && phone.leg != null && !phone.leg.announced && (phone.ringing || phone.up)) {
            if (phone.leg.party != null) {
                phone.leg.party.presented = true;
                phone.leg.with("CallerIDNum", phone.leg.party.number);
            }
            channels.say(phone.leg, "dial-in", "CALLING", phone.leg.startedAt);
        }
    }

    void dialBegin(AmiMessage message, Instant at) {
        Channel called = channels.of(message, "Dest", at);
        if (called == null || called.dialled) {
            return;
        }
        Channel calling = channels.of(message, "", at);
        called.dialled = true;
        called.dialledBy = calling;
        if (calling != null) {
            calling.dials.add(called);
            callsAfterPreRing(calling);
        }
        Channel source = channels.behind(calling);
        // A caller who came in the gap is in the lists, with the number that he dialled.
        boolean listed = channels.catchingUp && source != null && source.trunk() && source.leg == null;
        if (called.extension() && source != null && called.leg == null && !listed) {
            rings(called, source, message, at);
        } else if (called.trunk()) {
            called.number = number(message, called.endpoint);
            if (source != null) {
                calledOut(called, source, at);
            }
        }
    }

    private void rings(Channel phone, Channel source, AmiMessage message, Instant at) {
        phone.callId = source.callId;
        if (source.trunk()) {
            caller(source, message, at);
            phone.leg = incoming(phone, source);
            phone.leg.with("RecID", channels.recording(phone, source));
            source.rangPhones = true;
        } else {
            phone.leg = fromColleague(phone, source);
        }
        phone.leg.startedAt = at;
        announce(phone);
    }

    ChannelLeg fromColleague(Channel phone, Channel caller) {
        if (caller.leg == null) {
            caller.leg = outgoing(caller, caller.id, caller.exten).with("CalledExtension", phone.endpoint);
            channels.say(caller.leg, "dial-out", "CALLING", caller.createdAt);
        }
        return new ChannelLeg(caller.callId, phone.id, "in", phone).with("CallerIDNum", caller.endpoint).with("ExtensionType", "phone")
                .with("CallerExtension", caller.endpoint).with("CalledNumber", phone.endpoint).with("CalledExtension", phone.endpoint);
    }

    private static ChannelLeg outgoing(Channel phone, String legId, String number) {
        ChannelLeg leg = new ChannelLeg(phone.callId, legId, "out", phone).with("CallerIDNum", phone.endpoint)
                .with("ExtensionType", "phone").with("CallerExtension", phone.endpoint).with("CalledNumber", number)
                .with("RecID", phone.recordings.isEmpty() ? "" : phone.recordings.get(phone.recordings.size() - 1));
        leg.startedAt = phone.createdAt;
        return leg;
    }

    ChannelLeg incoming(Channel phone, Channel party) {
        ChannelLeg leg = new ChannelLeg(party.callId, legId(phone, party), "in", phone).with("CallerIDNum", party.number)
                .with("ExtensionType", "phone").with("CalledNumber", phone.endpoint).with("CalledExtension", phone.endpoint)
                .with("CalledDID", party.did);
        leg.party = party;
        return leg;
    }

    /** A channel on which one call follows the other cannot name them all. */
    private static String legId(Channel phone, Channel party) {
        if (!phone.agent && !phone.named) {
            phone.named = true;
            return phone.id;
        }
        long before = party.conversations.size();
        return before == 0 ? party.id : party.id + ":" + (before + 1);
    }

    void calledOut(Channel trunk, Channel source, Instant at) {
        trunk.callId = source.callId;
        if (source.extension() && source.conversation == null && (source.leg == null || source.leg.out())) {
            if (source.leg == null) {
                source.leg = outgoing(source, legId(source, trunk), trunk.number);
                channels.say(source.leg, "dial-out", "CALLING", source.createdAt);
            } else if (source.leg.local()) {
                // A colleague may have answered before, and handed him on; the outside party has not.
                source.leg.with("RemoteNumber", trunk.number.isEmpty() ? "unknown" : trunk.number);
                source.leg.answered = false;
                source.leg.status = "";
                channels.say(source.leg, "dial-out", "CALLING", at);
            }
            source.leg.party = trunk;
            return;
        }
        trunk.leg = new ChannelLeg(source.callId, "trunk:" + trunk.id, "out", trunk).with("ExtensionType", "trunk")
                .with("Transfered", "yes").with("CalledExtension", trunk.endpoint).with("CalledNumber", trunk.number);
        trunk.leg.startedAt = at;
        channels.say(trunk.leg, "dial-out", "CALLING", at);
    }

    /**
     * The dialplan has taken off what the user dialled for the outside line, or put on what the provider wants: the one that
     * is a number counts, else what was sent to the trunk, whose own name it may be.
     */
    private String number(AmiMessage message, String trunk) {
        Matcher sent = DIALLED.matcher(message.get("DialString"));
        List<String> dialled = Stream.of(sent.matches() ? sent.group(1).replaceAll("[wWpP]", "") : "", message.get("Exten"))
                .filter(number -> number.matches("\\+?[0-9*#]+") && !number.equals(trunk)).toList();
        return dialled.stream().filter(reachesNumber).findFirst().orElse(dialled.isEmpty() ? "" : dialled.get(0));
    }

    void dialEnd(AmiMessage message, Instant at) {
        Channel called = channels.of(message, "Dest", at);
        String status = message.get("DialStatus");
        if (called == null || status.isEmpty()) {
            return;
        }
        if (called.dialStatus.isEmpty()) {
            called.dialStatus = status;
        }
        Channel source = channels.behind(called.dialledBy != null ? called.dialledBy : channels.of(message, "", at));
        if (status.equals("ANSWER")) {
            called.answeredAt = called.answeredAt == null ? at : called.answeredAt;
            called.up = true;
            announce(called);
            if (called.leg != null && (called.leg.local() || called.trunk() && called.leg.out())) {
                channels.answer(called.leg, at);
            }
            if (called.extension() && source != null && source.leg != null && source.leg.out() && source.leg.local()) {
                channels.answer(source.leg, at);
            }
        } else if (source != null && source.extension() && source.leg != null && source.leg.out()) {
            source.leg.status = status;
        }
    }

    /** The leg of an extension that talks to no outside party. */
    void close(Channel phone, Instant at) {
        ChannelLeg leg = phone.leg;
        boolean silent = !leg.announced && !leg.out();
        // A phone that never rang: first its end, so that nobody shows a card meanwhile.
        channels.say(leg, "hangup", leg.answered ? "ANSWER" : leg.status.isEmpty() ? "CANCEL" : leg.status, at);
        if (silent && leg.startedAt != null && phone.dialled) {
            channels.say(leg, "dial-in", "CALLING", leg.startedAt);
        }
        phone.leg = null;
    }
}
