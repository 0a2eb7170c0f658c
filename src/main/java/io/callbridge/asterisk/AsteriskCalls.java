package io.callbridge.asterisk;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Follows the channels of one Asterisk and says in the words of the four call events what happens on them. Channels,
 * who dialled whom and who is in a bridge with whom are facts; a talk is an extension and an outside party that hear each
 * other, through Local channels or not. For one connection and one thread: what was before is given by {@link #restore}.
 */
final class AsteriskCalls {

    /** Seconds since 1970, to the microsecond. */
    private static final Pattern TIMESTAMP = Pattern.compile("([0-9]{1,11})\\.([0-9]{1,6})");
    /** A number, perhaps with pauses in it, behind the trunk or in front of it. */
    private static final Pattern DIALLED = Pattern.compile("(?:.*/)?(?:(?:sips?|tel):)?[wWpP]*(\\+?[0-9*#][0-9*#wWpP]{2,})(?:[@;:].*)?");
    /** A Cdr that names the recording may come after the end of the call. */
    private static final Duration REMEMBERED = Duration.ofMinutes(2);

    /** Applications that keep channels in a bridge where nobody hears the others. */
    private static final Set<String> HOLDING = Set.of("Park", "AgentLogin", "BridgeWait");

    private final AsteriskDialplan dialplan;
    private final Predicate<String> reachesNumber;
    private final Map<String, Channel> channels = new HashMap<>();
    private final Map<String, Channel> halves = new HashMap<>();
    private final Map<String, Bridge> bridges = new HashMap<>();
    private final Deque<Talk> ended = new ArrayDeque<>();
    private final Map<String, List<ChannelLeg>> restored = new LinkedHashMap<>();
    /** By call, from the store. */
    private final Map<String, Instant> lastTalks = new HashMap<>();
    private final Map<String, Channel> lines = new HashMap<>();
    private final Map<String, String> dialledNumbers = new HashMap<>();
    private final Set<String> gone = new HashSet<>();
    private boolean catchingUp = true;
    private Instant latest = Instant.EPOCH;
    private List<Map<String, String>> said = new ArrayList<>();

    private static final class Bridge {
        final Set<Channel> members = new LinkedHashSet<>();
        boolean holding;
        boolean conference;
    }

    /** @param reachesNumber whether something is a phone number as one dials it */
    AsteriskCalls(AsteriskDialplan dialplan, Predicate<String> reachesNumber) {
        this.dialplan = dialplan;
        this.reachesNumber = reachesNumber;
    }

    /**
     * Takes over what was known of calls that were not over when the last connection ended.
     *
     * @param events fields of all events of these calls, in order
     */
    void restore(List<Map<String, String>> events) {
        Map<String, ChannelLeg> open = new LinkedHashMap<>();
        for (Map<String, String> event : events) {
            String key = event.get("CallID") + " " + event.get("SubCallID");
            if (!event.containsKey(ChannelLeg.CHANNEL_ID)) {
                continue;
            }
            ChannelLeg leg = open.get(key);
            if (leg == null) {
                leg = new ChannelLeg(event);
                leg.startedAt = time(event);
                open.put(key, leg);
            }
            leg.fields.putAll(new ChannelLeg(event).fields);
            switch (event.get("EventType")) {
                case "answer" -> {
                    leg.answered = true;
                    if (!new ChannelLeg(event).local()) {
                        lastTalks.merge(leg.callId(), time(event), (a, b) -> a.isAfter(b) ? a : b);
                    }
                }
                case "hangup" -> leg.status = "over";
                default -> leg.announced = true;
            }
        }
        for (ChannelLeg leg : open.values()) {
            restored.computeIfAbsent(leg.fields.get(ChannelLeg.CHANNEL_ID), id -> new ArrayList<>()).add(leg);
        }
    }

    private static Instant time(Map<String, String> event) {
        return Instant.EPOCH.plus(Long.parseLong(event.get("EventTime")), ChronoUnit.MICROS);
    }

    /** @return fields of the call events that follow from a message, in order */
    List<Map<String, String>> take(AmiMessage message, Instant arrivedAt) {
        said = new ArrayList<>();
        Instant at = at(message, arrivedAt);
        switch (message.event()) {
            case "Newchannel" -> newChannel(message, at);
            case "Newstate" -> newState(message, at);
            case "NewCallerid" -> newCallerId(message, at);
            case "DialBegin" -> dialBegin(message, at);
            case "DialEnd" -> dialEnd(message, at);
            case "BridgeEnter" -> bridgeEnter(message, at);
            case "BridgeLeave" -> bridgeLeave(message, at);
            case "Hangup" -> hangup(message, at);
            case "QueueCallerJoin" -> queueJoin(message, at);
            case "QueueCallerLeave", "QueueCallerAbandon" -> queueLeave(message, at);
            case "AgentLogin" -> agent(message, at);
            case "VarSet" -> varSet(message, at);
            case "Cdr" -> cdr(message, at);
            case "Status" -> status(message);
            case "CoreShowChannel" -> listed(message, at);
            case "CoreShowChannelsComplete" -> caughtUp(at);
            default -> {
                if (AsteriskReader.notListed(message)) {
                    // Which legs live on will never be known.
                    catchingUp = false;
                    lose("LOST-UNLISTED", at);
                }
            }
        }
        return said;
    }

    /** Without {@code timestampevents} the arrival counts; of one segment every message has a moment of its own. */
    private Instant at(AmiMessage message, Instant arrivedAt) {
        Matcher timestamp = TIMESTAMP.matcher(message.get("Timestamp"));
        if (timestamp.matches()) {
            return Instant.ofEpochSecond(Long.parseLong(timestamp.group(1)),
                    Long.parseLong((timestamp.group(2) + "000000").substring(0, 6)) * 1000);
        }
        Instant next = latest.plus(1, ChronoUnit.MICROS);
        Instant micros = arrivedAt.truncatedTo(ChronoUnit.MICROS);
        latest = micros.isAfter(next) ? micros : next;
        return latest;
    }

    // ---- channels

    private Channel channel(AmiMessage message, String prefix, Instant at) {
        String id = message.get(prefix + "Uniqueid");
        String name = message.get(prefix + "Channel");
        if (id.isEmpty() || name.isEmpty() || gone.contains(id)) {
            return null;
        }
        // What is said about a channel after its end is no beginning of another one.
        return catchingUp || message.event().equals("Newchannel")
                ? channels.computeIfAbsent(id, unknown -> newChannel(unknown, name, message, prefix, at)) : channels.get(id);
    }

    private Channel newChannel(String id, String name, AmiMessage message, String prefix, Instant at) {
        Channel channel = new Channel(id, name, dialplan, at);
        channel.found = !message.event().equals("Newchannel");
        String linkedId = message.get(prefix + "Linkedid");
        channel.linkedId = linkedId.isEmpty() ? id : linkedId;
        channel.callId = channel.linkedId;
        if (channel.local()) {
            halves.put(name, channel);
        }
        restored.getOrDefault(id, List.of()).forEach(leg -> takeOver(channel, leg));
        return channel;
    }

    /** What the store says about a channel that lives on. */
    private void takeOver(Channel channel, ChannelLeg leg) {
        String type = leg.fields.get("ExtensionType");
        if (!"queue".equals(type) && !"trunk".equals(type)) {
            channel.named |= leg.id().equals(channel.id) && !leg.local();
        }
        if ("over".equals(leg.status)) {
            return;
        }
        channel.callId = leg.callId();
        if ("queue".equals(type)) {
            channel.queues.add(new Channel.QueueVisit(leg, leg.startedAt));
            return;
        }
        channel.leg = leg;
        if (channel.trunk()) {
            channel.number = leg.fields.getOrDefault(leg.out() ? "CalledNumber" : "CallerIDNum", "");
            channel.did = leg.fields.getOrDefault("CalledDID", "");
            channel.lastTalkAt = lastTalks.get(leg.callId());
            channel.rangPhones = restored.values().stream().flatMap(List::stream).anyMatch(other -> other.callId().equals(leg.callId())
                    && "phone".equals(other.fields.get("ExtensionType")) && !other.local());
            channel.presented = channel.rangPhones || channel.lastTalkAt != null;
            if (!leg.out()) {
                lines.put(channel.callId, channel);
            }
        }
        String recording = leg.fields.getOrDefault("RecID", "");
        if (channel.extension() && leg.answered && !leg.local()) {
            channel.talk = new Talk(channel, leg, null);
            channel.talk.recording = recording;
        } else if (!recording.isEmpty()) {
            channel.recordings.add(recording);
        }
    }

    private void newChannel(AmiMessage message, Instant at) {
        Channel channel = channel(message, "", at);
        if (channel == null) {
            return;
        }
        channel.number = message.get("CallerIDNum");
        String exten = message.get("Exten");
        channel.exten = exten;
        boolean dialled = !exten.isEmpty() && !exten.equals("s");
        if (channel.trunk() && channel.id.equals(message.get("Linkedid")) && channel.leg == null) {
            channel.did = dialled && dialplan.inbound(message.get("Context")) ? exten : "";
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
    private void callsAfterPreRing(Channel trunk) {
        if (trunk != null && trunk.preRing) {
            calls(trunk);
        }
    }

    /** An outside party has called. */
    private void line(Channel trunk, String did, Instant at) {
        trunk.undecided = false;
        trunk.did = did;
        trunk.leg = new ChannelLeg(trunk.callId, "trunk:" + trunk.id, "in", trunk).with("ExtensionType", "trunk")
                .with("CallerIDNum", trunk.number).with("CalledExtension", trunk.endpoint).with("CalledNumber", did)
                .with("CalledDID", did);
        trunk.leg.startedAt = at;
        lines.put(trunk.callId, trunk);
        say(trunk.leg, "dial-in", "CALLING", at);
    }

    private void newCallerId(AmiMessage message, Instant at) {
        Channel channel = channel(message, "", at);
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
    private boolean caller(Channel line, AmiMessage message, Instant at) {
        String number = message.get("CallerIDNum");
        if (!line.trunk() || line.dialled || line.presented || line.leg != null && line.leg.out() || number.equals(line.number)
                || number.chars().noneMatch(Character::isDigit) || number.replace("+", "").equals(line.did.replace("+", ""))) {
            return false;
        }
        line.number = number;
        if (line.leg != null) {
            say(line.leg.with("CallerIDNum", number), "dial-in", "CALLING", at);
        }
        return true;
    }

    private void newState(AmiMessage message, Instant at) {
        Channel channel = channel(message, "", at);
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
    private void announce(Channel phone) {
        if (phone.extension() && phone.leg != null && !phone.leg.announced && (phone.ringing || phone.up)) {
            if (phone.leg.party != null) {
                phone.leg.party.presented = true;
                phone.leg.with("CallerIDNum", phone.leg.party.number);
            }
            say(phone.leg, "dial-in", "CALLING", phone.leg.startedAt);
        }
    }

    private void agent(AmiMessage message, Instant at) {
        Channel channel = channel(message, "", at);
        if (channel != null) {
            channel.agent = true;
        }
    }

    // ---- dialling

    private void dialBegin(AmiMessage message, Instant at) {
        Channel called = channel(message, "Dest", at);
        if (called == null || called.dialled) {
            return;
        }
        Channel calling = channel(message, "", at);
        called.dialled = true;
        called.dialledBy = calling;
        if (calling != null) {
            calling.dials.add(called);
            callsAfterPreRing(calling);
        }
        Channel source = behind(calling);
        // A caller who came in the gap is in the lists, with the number that he dialled.
        boolean listed = catchingUp && source != null && source.trunk() && source.leg == null;
        if (called.extension() && source != null && called.leg == null && !listed) {
            rings(called, source, message, at);
        } else if (called.trunk()) {
            called.number = number(message, called.endpoint);
            if (source != null) {
                calledOut(called, source, at);
            }
        }
    }

    /** The party for which a channel dials; {@code null}: nobody, it does so for an action of the manager interface. */
    private Channel behind(Channel calling) {
        Channel at = calling;
        for (int hops = 0; at != null && at.local() && hops < 20; hops++) {
            Channel half = halves.get(at.otherHalf());
            if (half == null) {
                return null;
            }
            if (half.dialledBy != null) {
                at = half.dialledBy;
                continue;
            }
            Channel first = channels.get(half.linkedId);
            if (half.found && half.bridge == null && first != null && first.bridge == null) {
                // Who dialled it was said before the connection: he with whom the call began, unless he talks.
                at = first;
                continue;
            }
            // A consultation, or a call that was begun for an extension: who is on the other half?
            Channel there = half.bridge == null ? null : bridges.get(half.bridge).members.stream()
                    .filter(member -> member != half).findFirst().orElse(null);
            at = there != null ? there : half.dials.stream().filter(dialled -> dialled.answeredAt != null || dialled.up)
                    .reduce((a, b) -> b).orElse(null);
        }
        return at == null || at.extension() || at.trunk() ? at : null;
    }

    private void rings(Channel phone, Channel source, AmiMessage message, Instant at) {
        phone.callId = source.callId;
        if (source.trunk()) {
            caller(source, message, at);
            phone.leg = incoming(phone, source);
            phone.leg.with("RecID", recording(phone, source));
            source.rangPhones = true;
        } else {
            phone.leg = fromColleague(phone, source);
        }
        phone.leg.startedAt = at;
        announce(phone);
    }

    private ChannelLeg fromColleague(Channel phone, Channel caller) {
        if (caller.leg == null) {
            caller.leg = outgoing(caller, caller.id, caller.exten).with("CalledExtension", phone.endpoint);
            say(caller.leg, "dial-out", "CALLING", caller.createdAt);
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

    private ChannelLeg incoming(Channel phone, Channel party) {
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
        long before = party.talks.size();
        return before == 0 ? party.id : party.id + ":" + (before + 1);
    }

    private void calledOut(Channel trunk, Channel source, Instant at) {
        trunk.callId = source.callId;
        if (source.extension() && source.talk == null && (source.leg == null || source.leg.out())) {
            if (source.leg == null) {
                source.leg = outgoing(source, legId(source, trunk), trunk.number);
                say(source.leg, "dial-out", "CALLING", source.createdAt);
            } else if (source.leg.local()) {
                // A colleague may have answered before, and handed him on; the outside party has not.
                source.leg.with("RemoteNumber", trunk.number.isEmpty() ? "unknown" : trunk.number);
                source.leg.answered = false;
                source.leg.status = "";
                say(source.leg, "dial-out", "CALLING", at);
            }
            source.leg.party = trunk;
            return;
        }
        trunk.leg = new ChannelLeg(source.callId, "trunk:" + trunk.id, "out", trunk).with("ExtensionType", "trunk")
                .with("Transfered", "yes").with("CalledExtension", trunk.endpoint).with("CalledNumber", trunk.number);
        trunk.leg.startedAt = at;
        say(trunk.leg, "dial-out", "CALLING", at);
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

    private void dialEnd(AmiMessage message, Instant at) {
        Channel called = channel(message, "Dest", at);
        String status = message.get("DialStatus");
        if (called == null || status.isEmpty()) {
            return;
        }
        if (called.dialStatus.isEmpty()) {
            called.dialStatus = status;
        }
        Channel source = behind(called.dialledBy != null ? called.dialledBy : channel(message, "", at));
        if (status.equals("ANSWER")) {
            called.answeredAt = called.answeredAt == null ? at : called.answeredAt;
            called.up = true;
            announce(called);
            if (called.leg != null && (called.leg.local() || called.trunk() && called.leg.out())) {
                answer(called.leg, at);
            }
            if (called.extension() && source != null && source.leg != null && source.leg.out() && source.leg.local()) {
                answer(source.leg, at);
            }
        } else if (source != null && source.extension() && source.leg != null && source.leg.out()) {
            source.leg.status = status;
        }
    }

    private void answer(ChannelLeg leg, Instant at) {
        if (!leg.answered) {
            say(leg, "answer", "ANSWER", at);
        }
    }

    // ---- bridges

    private void bridgeEnter(AmiMessage message, Instant at) {
        Channel channel = channel(message, "", at);
        if (channel == null) {
            return;
        }
        leave(channel, at);
        Channel replaced = channels.get(message.get("SwapUniqueid"));
        if (replaced != null && message.get("BridgeUniqueid").equals(replaced.bridge)) {
            leave(replaced, at);
        }
        Bridge bridge = bridges.computeIfAbsent(message.get("BridgeUniqueid"), id -> new Bridge());
        bridge.holding = message.get("BridgeTechnology").equals("holding_bridge");
        // Three parties of one call share a bridge of the same technology, but a conference has a creator.
        bridge.conference = message.get("BridgeCreator").toLowerCase(Locale.ROOT).contains("conf");
        bridge.members.add(channel);
        channel.bridge = message.get("BridgeUniqueid");
        if (bridge.holding) {
            held(channel);
        } else if (bridge.conference) {
            reached(channel, at);
        } else {
            meet(channel, at);
        }
    }

    /** Parked, or an agent who waits for the next call. */
    private void held(Channel channel) {
        if (channel.trunk()) {
            List.copyOf(channel.talks).stream().filter(talk -> talk.endedAt == null && talk.apartSince != null)
                    .forEach(talk -> end(talk, talk.apartSince));
        } else if (channel.talk != null && channel.talk.apartSince != null) {
            end(channel.talk, channel.talk.apartSince);
        }
    }

    private void bridgeLeave(AmiMessage message, Instant at) {
        Channel channel = channel(message, "", at);
        if (channel != null) {
            leave(channel, at);
        }
    }

    private void leave(Channel channel, Instant at) {
        if (channel.bridge == null) {
            return;
        }
        Set<Channel> heard = connected(channel);
        Bridge bridge = bridges.get(channel.bridge);
        bridge.members.remove(channel);
        if (bridge.members.isEmpty()) {
            bridges.remove(channel.bridge);
        }
        channel.bridge = null;
        for (Channel phone : heard) {
            Talk talk = phone.talk;
            if (talk != null && talk.apartSince == null && heard.contains(talk.party) && !connected(phone).contains(talk.party)) {
                talk.apartSince = at;
                talk.partyLeft = channel != phone;
            }
        }
    }

    /** All that hear each other with a channel, and itself. */
    private Set<Channel> connected(Channel from) {
        Set<Channel> found = new LinkedHashSet<>();
        Deque<Channel> next = new ArrayDeque<>(List.of(from));
        while (!next.isEmpty()) {
            Channel channel = next.poll();
            if (!found.add(channel)) {
                continue;
            }
            Bridge bridge = channel.bridge == null ? null : bridges.get(channel.bridge);
            if (bridge != null && !bridge.holding && !bridge.conference) {
                next.addAll(bridge.members);
            }
            Channel half = channel.local() ? halves.get(channel.otherHalf()) : null;
            if (half != null) {
                next.add(half);
            }
        }
        return found;
    }

    private void meet(Channel channel, Instant at) {
        Set<Channel> together = connected(channel);
        List<Channel> parties = together.stream().filter(Channel::trunk).toList();
        if (parties.size() > 1) {
            parties.forEach(party -> reached(party, at));
        }
        if (!parties.isEmpty()) {
            together.stream().filter(Channel::extension).forEach(phone -> {
                meet(phone, parties, at);
                between(phone.talk, together);
            });
        }
    }

    private void between(Talk talk, Set<Channel> together) {
        together.stream().filter(Channel::local).forEach(local -> talk.locals.add(local.name));
        Stream.of(talk.party, talk.extension).filter(Objects::nonNull).flatMap(channel -> localsOf(channel).stream())
                .forEach(local -> talk.locals.add(local.name));
    }

    private void meet(Channel phone, List<Channel> parties, Instant at) {
        Talk talk = phone.talk;
        if (talk != null) {
            if (talk.party == null) {
                talk.party = parties.stream().filter(party -> party.callId.equals(talk.leg.callId())).findFirst().orElse(null);
                if (talk.party != null) {
                    talk.party.talks.add(talk);
                }
            }
            if (parties.contains(talk.party)) {
                talk.apartSince = null;
            }
            return;
        }
        // Whom it called, or who called it, and not whom a colleague has on the line as well.
        Channel party = phone.leg != null && parties.contains(phone.leg.party) ? phone.leg.party : parties.get(0);
        List.copyOf(party.talks).stream().filter(other -> other.endedAt == null && other.apartSince != null)
                .forEach(other -> end(other, other.partyLeft ? other.apartSince : at));
        begin(phone, party, at);
        reached(party, at);
    }

    private void begin(Channel phone, Channel party, Instant at) {
        ChannelLeg leg = phone.leg;
        Instant answeredAt = at;
        // From before the connection.
        boolean restoredLeg = leg != null && leg.party == null && !leg.local() && leg.callId().equals(party.callId);
        if (leg != null && leg.out() && (restoredLeg || behind(party.dialledBy) == phone)) {
            answeredAt = party.answeredAt != null ? party.answeredAt : at;
        } else if (leg != null && !leg.out() && (restoredLeg || leg.party == party)) {
            answeredAt = phone.answeredAt != null ? phone.answeredAt : at;
            if (!leg.announced) {
                say(leg, "dial-in", "CALLING", leg.startedAt);
            }
        } else if (leg != null && leg.callId().equals(party.callId) && (!leg.out() || !leg.local())) {
            // A consultation within the call.
            if (leg.local()) {
                leg.with("RemoteNumber", party.number.isEmpty() ? "unknown" : party.number).with("CalledDID", party.did);
            }
        } else {
            if (leg != null) {
                close(phone, at);
            }
            leg = incoming(phone, party);
            leg.startedAt = at;
            phone.leg = leg;
        }
        leg.party = party;
        phone.talk = new Talk(phone, leg, party);
        phone.talk.recording = recording(phone, party);
        leg.with("RecID", phone.talk.recording);
        party.talks.add(phone.talk);
        say(leg, "answer", "ANSWER", answeredAt);
    }

    /** Somebody talks to an outside party. */
    private void reached(Channel party, Instant at) {
        if (party.trunk()) {
            party.lastTalkAt = at;
            party.presented = true;
            if (party.leg != null && !party.leg.out()) {
                answer(party.leg, at);
            }
        }
    }

    private void end(Talk talk, Instant at) {
        Channel phone = talk.extension;
        talk.endedAt = at;
        talk.party = talk.party != null ? talk.party : trunkOf(talk.leg);
        if (talk.recording.isEmpty() && talk.party != null) {
            talk.recording = recording(phone, talk.party);
        }
        talk.leg.with("RecID", talk.recording);
        say(talk.leg, "hangup", "ANSWER", at);
        phone.talk = null;
        phone.leg = null;
        // The call record comes when the party hangs up, who may have been handed on.
        ended.removeIf(old -> old.endedAt.isBefore(at.minus(REMEMBERED)) && (old.party == null || !channels.containsKey(old.party.id)));
        ended.add(talk);
    }

    // ---- ends

    private void hangup(AmiMessage message, Instant at) {
        Channel channel = channel(message, "", at);
        if (channel == null) {
            return;
        }
        leave(channel, at);
        if (channel.extension()) {
            if (channel.talk != null) {
                end(channel.talk, channel.talk.apartSince != null && channel.talk.partyLeft ? channel.talk.apartSince : at);
            } else if (channel.leg != null) {
                status(channel, message);
                close(channel, at);
            }
        } else if (channel.trunk()) {
            List.copyOf(channel.talks).stream().filter(talk -> talk.endedAt == null)
                    .forEach(talk -> end(talk, talk.apartSince != null && talk.partyLeft ? talk.apartSince : at));
            // Of talks from before the connection the party is known by the call alone.
            channels.values().stream().filter(phone -> phone.talk != null && phone.talk.party == null
                    && phone.talk.leg.callId().equals(channel.callId)).toList().forEach(phone -> end(phone.talk, at));
            if (channel.leg != null) {
                status(channel, message);
                endLine(channel, message.get("Context"), at);
            }
        }
        channels.remove(channel.id);
        halves.remove(channel.name);
        lines.remove(channel.callId, channel);
        restored.remove(channel.id);
        if (catchingUp) {
            gone.add(channel.id);
        }
    }

    private static void status(Channel channel, AmiMessage message) {
        if (channel.leg.status.isEmpty()) {
            // A phone that was picked up and did not get the call has not answered it. Cause 26: somebody else took it.
            channel.leg.status = message.get("Cause").equals("26") ? "ELSEWHERE" : switch (channel.dialStatus) {
                case "" -> message.get("Cause").equals("17") ? "BUSY" : "CANCEL";
                case "ANSWER" -> "NOANSWER";
                default -> channel.dialStatus;
            };
        }
    }

    /** The leg of an extension that talks to no outside party. */
    private void close(Channel phone, Instant at) {
        ChannelLeg leg = phone.leg;
        boolean silent = !leg.announced && !leg.out();
        // A phone that never rang: first its end, so that nobody shows a card meanwhile.
        say(leg, "hangup", leg.answered ? "ANSWER" : leg.status.isEmpty() ? "CANCEL" : leg.status, at);
        if (silent && leg.startedAt != null && phone.dialled) {
            say(leg, "dial-in", "CALLING", leg.startedAt);
        }
        phone.leg = null;
    }

    /** With the caller's line everything is over that he waited for. */
    private void endLine(Channel line, String context, Instant at) {
        boolean caller = !line.leg.out();
        if (caller) {
            for (Channel.QueueVisit visit : line.queues) {
                visit.leg.with("CallerIDNum", line.number);
                boolean served = line.lastTalkAt != null && !line.lastTalkAt.isBefore(visit.joinedAt);
                visit.leg.with("Bridged", served ? "yes" : "no");
                say(visit.leg, "hangup", served ? "ANSWER" : "CANCEL", visit.leftAt != null ? visit.leftAt : at);
            }
            if (line.queues.isEmpty() && !line.rangPhones && line.lastTalkAt == null) {
                say(container(line, "context", "ivr", context).with("Bridged", "no"), "hangup", "CANCEL", at);
            }
        }
        say(line.leg, "hangup", line.leg.answered ? "ANSWER" : line.leg.status, at);
    }

    private static ChannelLeg container(Channel line, String what, String type, String name) {
        return new ChannelLeg(line.callId, what + ":" + name + ":" + line.id, "in", line).with("ExtensionType", type)
                .with("CallerIDNum", line.number).with("CalledNumber", name).with("CalledExtension", name).with("CalledDID", line.did);
    }

    // ---- queues

    private void queueJoin(AmiMessage message, Instant at) {
        Channel caller = channel(message, "", at);
        callsAfterPreRing(caller);
        if (caller == null || !caller.trunk() || caller.leg == null || caller.leg.out()) {
            return;
        }
        caller(caller, message, at);
        ChannelLeg leg = container(caller, "queue", "queue", message.get("Queue"));
        long before = caller.queues.stream().filter(visit -> visit.leg.id().startsWith(leg.id())).count();
        if (before > 0) {
            leg.fields.put("SubCallID", leg.id() + ":" + (before + 1));
        }
        caller.queues.add(new Channel.QueueVisit(leg, at));
        say(leg, "dial-in", "CALLING", at);
    }

    private void queueLeave(AmiMessage message, Instant at) {
        Channel caller = channel(message, "", at);
        if (caller != null && !caller.queues.isEmpty()) {
            Channel.QueueVisit last = caller.queues.get(caller.queues.size() - 1);
            last.leftAt = last.leftAt == null ? at : last.leftAt;
        }
    }

    // ---- recordings and DID

    private void varSet(AmiMessage message, Instant at) {
        String variable = message.get("Variable");
        String value = message.get("Value");
        boolean recording = variable.equals("MIXMONITOR_FILENAME");
        if (value.isEmpty() || !recording && (dialplan.didVariable().isEmpty() || !variable.equals(dialplan.didVariable()))) {
            return;
        }
        Channel channel = channel(message, "", at);
        if (channel != null && recording) {
            channel.recordings.add(baseName(value));
            if (channel.leg != null && channel.leg.announced) {
                // For the next connection, which hears nothing of it.
                say(channel.leg.with("RecID", baseName(value)), channel.leg.out() ? "dial-out" : "dial-in", "CALLING", at);
            }
        } else if (channel != null && channel.trunk()) {
            channel.did = value;
        }
    }

    private static String baseName(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** The last one that was begun on the party's channel, else on the extension's, else on a channel between them. */
    private String recording(Channel phone, Channel party) {
        List<Channel> between = new ArrayList<>(List.of(party, phone));
        between.addAll(localsOf(party));
        between.addAll(localsOf(phone));
        return between.stream().filter(channel -> !channel.recordings.isEmpty())
                .map(channel -> channel.recordings.get(channel.recordings.size() - 1)).findFirst().orElse("");
    }

    /** The Local channels over which a channel was dialled. */
    private List<Channel> localsOf(Channel channel) {
        List<Channel> locals = new ArrayList<>();
        for (Channel by = channel.dialledBy; by != null && by.local() && locals.size() < 20;) {
            locals.add(by);
            Channel half = halves.get(by.otherHalf());
            if (half != null) {
                locals.add(half);
            }
            by = half == null ? null : half.dialledBy;
        }
        return locals;
    }

    private void cdr(AmiMessage message, Instant at) {
        String file = baseName(message.get("RecordingFile"));
        if (file.isEmpty()) {
            return;
        }
        Set<String> row = Set.copyOf(List.of(message.get("Channel"), message.get("DestinationChannel")));
        for (Talk talk : talks()) {
            if (!talk.recording.isEmpty() || talk.party == null || !names(talk).containsAll(row)) {
                continue;
            }
            talk.recording = file;
            if (talk.endedAt != null) {
                Instant later = talk.endedAt.plus(1, ChronoUnit.MICROS);
                talk.leg.with("RecID", file);
                say(talk.leg, "hangup", "ANSWER", at.isAfter(later) ? at : later);
            }
        }
    }

    private List<Talk> talks() {
        List<Talk> talks = channels.values().stream().filter(channel -> channel.talk != null).map(channel -> channel.talk)
                .collect(Collectors.toCollection(ArrayList::new));
        talks.addAll(ended);
        return talks;
    }

    private Set<String> names(Talk talk) {
        Set<String> names = new HashSet<>(List.of(talk.party.name, talk.extension.name));
        names.addAll(talk.locals);
        return names;
    }

    // ---- after a gap

    /** The number that a caller dialled is in this list only. */
    private void status(AmiMessage message) {
        dialledNumbers.put(message.get("Uniqueid"), message.get("DNID"));
    }

    private void listed(AmiMessage message, Instant at) {
        boolean known = channels.containsKey(message.get("Uniqueid"));
        Channel channel = channel(message, "", at);
        if (channel == null) {
            return;
        }
        channel.ringing |= message.get("ChannelState").equals("5");
        channel.up |= message.get("ChannelState").equals("6");
        channel.agent |= message.get("Application").equals("AgentLogin");
        caller(channel, message, at);
        if (!known && channel.number.isEmpty()) {
            channel.number = message.get("CallerIDNum");
        }
        String bridge = message.get("BridgeId");
        if (channel.bridge == null && !bridge.isEmpty()) {
            Bridge joined = bridges.computeIfAbsent(bridge, id -> new Bridge());
            String application = message.get("Application");
            joined.conference |= application.equals("ConfBridge");
            joined.holding |= HOLDING.contains(application);
            joined.members.add(channel);
            channel.bridge = bridge;
        }
    }

    private void caughtUp(Instant at) {
        if (!catchingUp) {
            return;
        }
        catchingUp = false;
        List<Channel> found = List.copyOf(channels.values());
        found.stream().filter(channel -> channel.trunk() && channel.leg == null && !channel.dialled && channel.id.equals(channel.linkedId))
                .forEach(channel -> line(channel, dialplan.inboundContexts().isEmpty() ? "" : dialledNumbers.getOrDefault(channel.id, ""), at));
        found.stream().filter(channel -> channel.extension() && channel.leg == null && !channel.named && !channel.agent)
                .forEach(channel -> begunMeanwhile(channel, at));
        found.stream().filter(channel -> channel.bridge != null && !bridges.get(channel.bridge).conference
                        && !bridges.get(channel.bridge).holding)
                .forEach(channel -> meet(channel, at));
        found.stream().filter(phone -> phone.talk != null && phone.talk.party == null).forEach(phone -> apart(phone, at));
        found.forEach(this::announce);
        ended.stream().filter(talk -> talk.party == null).forEach(talk -> talk.party = trunkOf(talk.leg));
        lose("LOST", at);
    }

    /** Legs from before whose channels are no more. */
    private void lose(String status, Instant at) {
        for (List<ChannelLeg> legs : restored.values()) {
            for (ChannelLeg leg : legs) {
                Channel channel = channels.get(leg.fields.get(ChannelLeg.CHANNEL_ID));
                if (!"over".equals(leg.status) && channel == null) {
                    say(leg, "hangup", status, at);
                } else if ("over".equals(leg.status) && leg.answered && !leg.local() && "phone".equals(leg.fields.get("ExtensionType"))) {
                    // The record of the whole call comes with its end.
                    Talk talk = new Talk(new Channel(leg.fields.get(ChannelLeg.CHANNEL_ID), leg.fields.get(ChannelLeg.CHANNEL_NAME), dialplan, at),
                            leg, trunkOf(leg));
                    talk.recording = leg.fields.getOrDefault("RecID", "");
                    talk.endedAt = at;
                    ended.add(talk);
                }
            }
        }
        restored.clear();
        lastTalks.clear();
        dialledNumbers.clear();
        gone.clear();
    }

    private Channel trunkOf(ChannelLeg leg) {
        Channel line = lines.get(leg.callId());
        return line != null ? line : channels.values().stream().filter(channel -> channel.trunk() && channel.callId.equals(leg.callId()))
                .findFirst().orElse(null);
    }

    /** An extension that talked and whose caller lives on, but not with it: he is parked, or waits for it to come back. */
    private void apart(Channel phone, Instant at) {
        Talk talk = phone.talk;
        talk.party = trunkOf(talk.leg);
        if (talk.party != null) {
            talk.party.talks.add(talk);
            talk.apartSince = at;
            talk.partyLeft = connected(phone).size() == 1;
            between(talk, connected(phone));
        }
    }

    /** A channel whose beginning was not heard: whom it belongs to follows from its call. */
    private void begunMeanwhile(Channel phone, Instant at) {
        Channel source = behind(phone.dialledBy);
        Channel line = source != null && source.trunk() ? source : lines.get(phone.linkedId);
        Channel caller = channels.get(phone.linkedId);
        // One that is up and alone has parked its caller; one that rings while he talks to another is asked whether it takes him.
        if (line != null && (phone.up ? connected(phone).size() < 2 : line.bridge != null)) {
            return;
        }
        if (line != null) {
            phone.callId = line.callId;
            phone.dialled = true;
            phone.leg = incoming(phone, line);
            phone.leg.startedAt = at;
            line.rangPhones = true;
        } else if (phone.id.equals(phone.linkedId)) {
            channels.values().stream().filter(trunk -> trunk.trunk() && trunk.linkedId.equals(phone.id)).findFirst().ifPresent(trunk -> {
                trunk.dialledBy = phone;
                calledOut(trunk, phone, at);
            });
        } else if (caller != null && caller.extension() && !caller.named) {
            phone.dialled = true;
            phone.callId = caller.callId;
            phone.leg = fromColleague(phone, caller);
            phone.leg.startedAt = at;
        }
    }

    // ---- words

    private void say(ChannelLeg leg, String type, String status, Instant at) {
        leg.announced |= type.startsWith("dial-");
        leg.answered |= type.equals("answer");
        Map<String, String> event = new LinkedHashMap<>();
        event.put("EventType", type);
        event.putAll(leg.fields);
        event.put("CallStatus", status);
        event.put("EventTime", Long.toString(ChronoUnit.MICROS.between(Instant.EPOCH, at)));
        said.add(event);
    }
}
