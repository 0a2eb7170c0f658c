package io.callbridge.asterisk;

import io.callbridge.platform.AsteriskDialplan;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Follows one Asterisk and says in the words of the four call events what happens in it: a conversation is an extension and an outside
 * party that hear each other. For one connection and one thread: what was before is given by {@link #restore}.
 */
final class AsteriskCalls {

    /** Seconds since 1970, to the microsecond. */
    private static final Pattern TIMESTAMP = Pattern.compile("([0-9]{1,11})\\.([0-9]{1,6})");

    private final Channels channels;
    private final Dialling dialling;
    private final Conversations conversations;
    private final AfterGap gap;
    private Instant latest = Instant.EPOCH;

    /** @param reachesNumber whether something is a phone number as one dials it */
    AsteriskCalls(AsteriskDialplan dialplan, Predicate<String> reachesNumber) {
        channels = new Channels(dialplan, this::takeOver);
        dialling = new Dialling(channels, reachesNumber);
        conversations = new Conversations(channels, dialling);
        gap = new AfterGap(channels, dialling, conversations);
    }

    private void takeOver(Channel channel) {
        gap.takeOver(channel);
    }

    /**
     * Takes over what was known of calls that were not over when the last connection ended.
     *
     * @param events fields of all events of these calls, in order
     */
    void restore(List<Map<String, String>> events) {
        gap.restore(events);
    }

    /** @return fields of the call events that follow from a message, in order */
    List<Map<String, String>> take(AmiMessage message, Instant arrivedAt) {
        channels.said = new ArrayList<>();
        Instant at = at(message, arrivedAt);
        switch (message.event()) {
            case "Newchannel" -> dialling.newChannel(message, at);
            case "Newstate" -> dialling.newState(message, at);
            case "NewCallerid" -> dialling.newCallerId(message, at);
            case "DialBegin" -> dialling.dialBegin(message, at);
            case "DialEnd" -> dialling.dialEnd(message, at);
            case "BridgeEnter" -> conversations.bridgeEnter(message, at);
            case "BridgeLeave" -> conversations.bridgeLeave(message, at);
            case "Hangup" -> hangup(message, at);
            case "QueueCallerJoin" -> queueJoin(message, at);
            case "QueueCallerLeave", "QueueCallerAbandon" -> queueLeave(message, at);
            case "AgentLogin" -> agent(message, at);
            case "VarSet" -> varSet(message, at);
            case "Cdr" -> conversations.cdr(message, at);
            case "Status" -> gap.status(message);
            case "CoreShowChannel" -> gap.listed(message, at);
            case "CoreShowChannelsComplete" -> gap.caughtUp(at);
            default -> {
                if (AsteriskReader.notListed(message)) {
                    // Which legs live on will never be known.
                    channels.catchingUp = false;
                    gap.lose("LOST-UNLISTED", at);
                }
            }
        }
        return channels.said;
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

    private void agent(AmiMessage message, Instant at) {
        Channel channel = channels.of(message, "", at);
        if (channel != null) {
            channel.agent = true;
        }
    }

    private void hangup(AmiMessage message, Instant at) {
        Channel channel = channels.of(message, "", at);
        if (channel == null) {
            return;
        }
        conversations.leave(channel, at);
        if (channel.extension()) {
            if (channel.conversation != null) {
                conversations.end(channel.conversation, channel.conversation.endsAt(at));
            } else if (channel.leg != null) {
                status(channel, message);
                dialling.close(channel, at);
            }
        } else if (channel.trunk()) {
            List.copyOf(channel.conversations).stream().filter(conversation -> conversation.endedAt == null)
                    .forEach(conversation -> conversations.end(conversation, conversation.endsAt(at)));
            // Of conversations from before the connection the party is known by the call alone.
            channels.byId.values().stream().filter(phone -> phone.conversation != null && phone.conversation.party == null
                    && phone.conversation.leg.callId().equals(channel.callId)).toList().forEach(phone -> conversations.end(phone.conversation, at));
            if (channel.leg != null) {
                status(channel, message);
                endLine(channel, message.get("Context"), at);
            }
        }
        channels.byId.remove(channel.id);
        channels.halves.remove(channel.name);
        channels.lines.remove(channel.callId, channel);
        gap.ended(channel);
        if (channels.catchingUp) {
            channels.gone.add(channel.id);
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

    /** With the caller's line everything is over that he waited for. */
    private void endLine(Channel line, String context, Instant at) {
        boolean caller = !line.leg.out();
        if (caller) {
            for (Channel.QueueVisit visit : line.queues) {
                visit.leg.with("CallerIDNum", line.number);
                boolean served = line.lastConversationAt != null && !line.lastConversationAt.isBefore(visit.joinedAt);
                visit.leg.with("Bridged", served ? "yes" : "no");
                channels.say(visit.leg, "hangup", served ? "ANSWER" : "CANCEL", visit.leftAt != null ? visit.leftAt : at);
            }
            if (line.queues.isEmpty() && !line.rangPhones && line.lastConversationAt == null) {
                channels.say(container(line, "context", "ivr", context).with("Bridged", "no"), "hangup", "CANCEL", at);
            }
        }
        channels.say(line.leg, "hangup", line.leg.answered ? "ANSWER" : line.leg.status, at);
    }

    private static ChannelLeg container(Channel line, String what, String type, String name) {
        return new ChannelLeg(line.callId, what + ":" + name + ":" + line.id, "in", line).with("ExtensionType", type)
                .with("CallerIDNum", line.number).with("CalledNumber", name).with("CalledExtension", name).with("CalledDID", line.did);
    }

    private void queueJoin(AmiMessage message, Instant at) {
        Channel caller = channels.of(message, "", at);
        dialling.callsAfterPreRing(caller);
        if (caller == null || !caller.trunk() || caller.leg == null || caller.leg.out()) {
            return;
        }
        dialling.caller(caller, message, at);
        ChannelLeg leg = container(caller, "queue", "queue", message.get("Queue"));
        long before = caller.queues.stream().filter(visit -> visit.leg.id().startsWith(leg.id())).count();
        if (before > 0) {
            leg.fields.put("SubCallID", leg.id() + ":" + (before + 1));
        }
        caller.queues.add(new Channel.QueueVisit(leg, at));
        channels.say(leg, "dial-in", "CALLING", at);
    }

    private void queueLeave(AmiMessage message, Instant at) {
        Channel caller = channels.of(message, "", at);
        if (caller != null && !caller.queues.isEmpty()) {
            Channel.QueueVisit last = caller.queues.get(caller.queues.size() - 1);
            last.leftAt = last.leftAt == null ? at : last.leftAt;
        }
    }

    private void varSet(AmiMessage message, Instant at) {
        String variable = message.get("Variable");
        String value = message.get("Value");
        boolean recording = variable.equals("MIXMONITOR_FILENAME");
        String didVariable = channels.dialplan.didVariable();
        if (value.isEmpty() || !recording && (didVariable.isEmpty() || !variable.equals(didVariable))) {
            return;
        }
        Channel channel = channels.of(message, "", at);
        if (channel != null && recording) {
            channel.recordings.add(Channels.baseName(value));
            if (channel.leg != null && channel.leg.announced) {
                // For the next connection, which hears nothing of it.
                channel.leg.with("RecID", Channels.baseName(value));
                channels.say(channel.leg, channel.leg.out() ? "dial-out" : "dial-in", "CALLING", at);
            }
        } else if (channel != null && channel.trunk()) {
            channel.did = value;
        }
    }
}
