package io.callbridge.asterisk;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What was before the connection, or before the gap in which there was none: the store knows the legs, the lists that are asked for name
 * the channels that live on.
 */
final class AfterGap {

    /** Applications that keep channels in a bridge where nobody hears the others. */
    private static final Set<String> HOLDING = Set.of("Park", "AgentLogin", "BridgeWait");

    private final Channels channels;
    private final Dialling dialling;
    private final Conversations conversations;
    /** Legs by channel, from the store. */
    private final Map<String, List<ChannelLeg>> restored = new LinkedHashMap<>();
    /** By call, from the store. */
    private final Map<String, Instant> lastConversations = new HashMap<>();
    private final Map<String, String> dialledNumbers = new HashMap<>();

    AfterGap(Channels channels, Dialling dialling, Conversations conversations) {
        this.channels = channels;
        this.dialling = dialling;
        this.conversations = conversations;
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
                        lastConversations.merge(leg.callId(), time(event), (a, b) -> a.isAfter(b) ? a : b);
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

    /** What the store says about a channel that lives on. */
    void takeOver(Channel channel) {
        restored.getOrDefault(channel.id, List.of()).forEach(leg -> takeOver(channel, leg));
    }

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
            channel.lastConversationAt = lastConversations.get(leg.callId());
            channel.rangPhones = restored.values().stream().flatMap(List::stream).anyMatch(other -> other.callId().equals(leg.callId())
                    && "phone".equals(other.fields.get("ExtensionType")) && !other.local());
            channel.presented = channel.rangPhones || channel.lastConversationAt != null;
            if (!leg.out()) {
                channels.lines.put(channel.callId, channel);
            }
        }
        String recording = leg.fields.getOrDefault("RecID", "");
        if (channel.extension() && leg.answered && !leg.local()) {
            channel.conversation = new Conversation(channel, leg, null);
            channel.conversation.recording = recording;
        } else if (!recording.isEmpty()) {
            channel.recordings.add(recording);
        }
    }

    void ended(Channel channel) {
        restored.remove(channel.id);
    }

    /** The number that a caller dialled is in this list only. */
    void status(AmiMessage message) {
        dialledNumbers.put(message.get("Uniqueid"), message.get("DNID"));
    }

    void listed(AmiMessage message, Instant at) {
        boolean known = channels.byId.containsKey(message.get("Uniqueid"));
        Channel channel = channels.of(message, "", at);
        if (channel == null) {
            return;
        }
        channel.ringing |= message.get("ChannelState").equals("5");
        channel.up |= message.get("ChannelState").equals("6");
        channel.agent |= message.get("Application").equals("AgentLogin");
        dialling.caller(channel, message, at);
        if (!known && channel.number.isEmpty()) {
            channel.number = message.get("CallerIDNum");
        }
        String bridge = message.get("BridgeId");
        if (channel.bridge == null && !bridge.isEmpty()) {
            Channels.Bridge joined = channels.bridges.computeIfAbsent(bridge, id -> new Channels.Bridge());
            String application = message.get("Application");
            joined.conference |= application.equals("ConfBridge");
            joined.holding |= HOLDING.contains(application);
            joined.members.add(channel);
            channel.bridge = bridge;
        }
    }

    void caughtUp(Instant at) {
        if (!channels.catchingUp) {
            return;
        }
        channels.catchingUp = false;
        List<Channel> found = List.copyOf(channels.byId.values());
        found.stream().filter(channel -> channel.trunk() && channel.leg == null && !channel.dialled && channel.id.equals(channel.linkedId))
                .forEach(channel -> dialling.line(channel, channels.dialplan.inboundContexts().isEmpty() ? ""
                        : dialledNumbers.getOrDefault(channel.id, ""), at));
        found.stream().filter(channel -> channel.extension() && channel.leg == null && !channel.named && !channel.agent)
                .forEach(channel -> begunMeanwhile(channel, at));
        found.stream().filter(channel -> channel.bridge != null && !channels.bridges.get(channel.bridge).conference
                        && !channels.bridges.get(channel.bridge).holding)
                .forEach(channel -> conversations.meet(channel, at));
        found.stream().filter(phone -> phone.conversation != null && phone.conversation.party == null).forEach(phone -> apart(phone, at));
        found.forEach(dialling::announce);
        conversations.ended.stream().filter(conversation -> conversation.party == null)
                .forEach(conversation -> conversation.party = channels.trunkOf(conversation.leg));
        lose("LOST", at);
    }

    /** Legs from before whose channels are no more. */
    void lose(String status, Instant at) {
        for (List<ChannelLeg> legs : restored.values()) {
            for (ChannelLeg leg : legs) {
                Channel channel = channels.byId.get(leg.fields.get(ChannelLeg.CHANNEL_ID));
                if (!"over".equals(leg.status) && channel == null) {
                    channels.say(leg, "hangup", status, at);
                } else if ("over".equals(leg.status) && leg.answered && !leg.local() && "phone".equals(leg.fields.get("ExtensionType"))) {
                    // The record of the whole call comes with its end.
                    Channel ended = new Channel(leg.fields.get(ChannelLeg.CHANNEL_ID), leg.fields.get(ChannelLeg.CHANNEL_NAME), channels.dialplan, at);
                    Conversation conversation = new Conversation(ended, leg, channels.trunkOf(leg));
                    conversation.recording = leg.fields.getOrDefault("RecID", "");
                    conversation.endedAt = at;
                    conversations.ended.add(conversation);
                }
            }
        }
        restored.clear();
        lastConversations.clear();
        dialledNumbers.clear();
        channels.gone.clear();
    }

    /** An extension that talked and whose caller lives on, but not with it: he is parked, or waits for it to come back. */
    private void apart(Channel phone, Instant at) {
        Conversation conversation = phone.conversation;
        conversation.party = channels.trunkOf(conversation.leg);
        if (conversation.party != null) {
            conversation.party.conversations.add(conversation);
            conversation.apartSince = at;
            conversation.partyLeft = channels.connected(phone).size() == 1;
            conversations.between(conversation, channels.connected(phone));
        }
    }

    /** A channel whose beginning was not heard: whom it belongs to follows from its call. */
    private void begunMeanwhile(Channel phone, Instant at) {
        Channel source = channels.behind(phone.dialledBy);
        Channel line = source != null && source.trunk() ? source : channels.lines.get(phone.linkedId);
        Channel caller = channels.byId.get(phone.linkedId);
        // One that is up and alone has parked its caller; one that rings while he talks to another is asked whether it takes him.
        if (line != null && (phone.up ? channels.connected(phone).size() < 2 : line.bridge != null)) {
            return;
        }
        if (line != null) {
            phone.callId = line.callId;
            phone.dialled = true;
            phone.leg = dialling.incoming(phone, line);
            phone.leg.startedAt = at;
            line.rangPhones = true;
        } else if (phone.id.equals(phone.linkedId)) {
            channels.byId.values().stream().filter(other -> other.trunk() && other.linkedId.equals(phone.id)).findFirst()
                    .ifPresent(trunk -> {
                        trunk.dialledBy = phone;
                        dialling.calledOut(trunk, phone, at);
                    });
        } else if (caller != null && caller.extension() && !caller.named) {
            phone.dialled = true;
            phone.callId = caller.callId;
            phone.leg = dialling.fromColleague(phone, caller);
            phone.leg.startedAt = at;
        }
    }
}
