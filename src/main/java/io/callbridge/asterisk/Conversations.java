package io.callbridge.asterisk;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/** Conversations of extensions with outside parties: they begin and end with the bridges in which they hear each other. */
final class Conversations {

    /** A Cdr that names the recording may come after the end of the call. */
    private static final Duration REMEMBERED = Duration.ofMinutes(2);

    /** Of late: their call record may still come. */
    final Deque<Conversation> ended = new ArrayDeque<>();
    private final Channels channels;
    private final Dialling dialling;

    Conversations(Channels channels, Dialling dialling) {
        this.channels = channels;
        this.dialling = dialling;
    }

    void bridgeEnter(AmiMessage message, Instant at) {
        Channel channel = channels.of(message, "", at);
        if (channel == null) {
            return;
        }
        leave(channel, at);
        Channel replaced = channels.byId.get(message.get("SwapUniqueid"));
        if (replaced != null && message.get("BridgeUniqueid").equals(replaced.bridge)) {
            leave(replaced, at);
        }
        Channels.Bridge bridge = channels.bridges.computeIfAbsent(message.get("BridgeUniqueid"), id -> new Channels.Bridge());
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
            List.copyOf(channel.conversations).stream().filter(each -> each.endedAt == null && each.apartSince != null)
                    .forEach(each -> end(each, each.apartSince));
        } else if (channel.conversation != null && channel.conversation.apartSince != null) {
            end(channel.conversation, channel.conversation.apartSince);
        }
    }

    void bridgeLeave(AmiMessage message, Instant at) {
        Channel channel = channels.of(message, "", at);
        if (channel != null) {
            leave(channel, at);
        }
    }

    void leave(Channel channel, Instant at) {
        if (channel.bridge == null) {
            return;
        }
        Set<Channel> heard = channels.connected(channel);
        Channels.Bridge bridge = channels.bridges.get(channel.bridge);
        bridge.members.remove(channel);
        if (bridge.members.isEmpty()) {
            channels.bridges.remove(channel.bridge);
        }
        channel.bridge = null;
        for (Channel phone : heard) {
            Conversation conversation = phone.conversation;
            if (conversation != null && conversation.apartSince == null && heard.contains(conversation.party)
                    && !channels.connected(phone).contains(conversation.party)) {
                conversation.apartSince = at;
                conversation.partyLeft = channel != phone;
            }
        }
    }

    void meet(Channel channel, Instant at) {
        Set<Channel> together = channels.connected(channel);
        List<Channel> parties = together.stream().filter(Channel::trunk).toList();
        if (parties.size() > 1) {
            parties.forEach(party -> reached(party, at));
        }
        if (!parties.isEmpty()) {
            together.stream().filter(Channel::extension).forEach(phone -> {
                meet(phone, parties, at);
                between(phone.conversation, together);
            });
        }
    }

    void between(Conversation conversation, Set<Channel> together) {
        together.stream().filter(Channel::local).forEach(local -> conversation.locals.add(local.name));
        Stream.of(conversation.party, conversation.extension).filter(Objects::nonNull).flatMap(channel -> channels.localsOf(channel).stream())
                .forEach(local -> conversation.locals.add(local.name));
    }

    void meet(Channel phone, List<Channel> parties, Instant at) {
        Conversation conversation = phone.conversation;
        if (conversation != null) {
            if (conversation.party == null) {
                conversation.party = parties.stream().filter(party -> party.callId.equals(conversation.leg.callId())).findFirst().orElse(null);
                if (conversation.party != null) {
                    conversation.party.conversations.add(conversation);
                }
            }
            if (parties.contains(conversation.party)) {
                conversation.apartSince = null;
            }
            return;
        }
        // Whom it called, or who called it, and not whom a colleague has on the line as well.
        Channel party = phone.leg != null && parties.contains(phone.leg.party) ? phone.leg.party : parties.get(0);
        List.copyOf(party.conversations).stream().filter(other -> other.endedAt == null && other.apartSince != null)
                .forEach(other -> end(other, other.endsAt(at)));
        begin(phone, party, at);
        reached(party, at);
    }

    private void begin(Channel phone, Channel party, Instant at) {
        ChannelLeg leg = phone.leg;
        Instant answeredAt = at;
        // From before the connection.
        boolean restoredLeg = leg != null && leg.party == null && !leg.local() && leg.callId().equals(party.callId);
        if (leg != null && leg.out() && (restoredLeg || channels.behind(party.dialledBy) == phone)) {
            answeredAt = party.answeredAt != null ? party.answeredAt : at;
        } else if (leg != null && !leg.out() && (restoredLeg || leg.party == party)) {
            answeredAt = phone.answeredAt != null ? phone.answeredAt : at;
            if (!leg.announced) {
                channels.say(leg, "dial-in", "CALLING", leg.startedAt);
            }
        } else if (leg != null && leg.callId().equals(party.callId) && (!leg.out() || !leg.local())) {
            // A consultation within the call.
            if (leg.local()) {
                leg.with("RemoteNumber", party.number.isEmpty() ? "unknown" : party.number).with("CalledDID", party.did);
            }
        } else {
            if (leg != null) {
                dialling.close(phone, at);
            }
            leg = dialling.incoming(phone, party);
            leg.startedAt = at;
            phone.leg = leg;
        }
        leg.party = party;
        phone.conversation = new Conversation(phone, leg, party);
        phone.conversation.recording = channels.recording(phone, party);
        leg.with("RecID", phone.conversation.recording);
        party.conversations.add(phone.conversation);
        channels.say(leg, "answer", "ANSWER", answeredAt);
    }

    /** Somebody talks to an outside party. */
    private void reached(Channel party, Instant at) {
        if (party.trunk()) {
            party.lastConversationAt = at;
            party.presented = true;
            if (party.leg != null && !party.leg.out()) {
                channels.answer(party.leg, at);
            }
        }
    }

    void end(Conversation conversation, Instant at) {
        Channel phone = conversation.extension;
        conversation.endedAt = at;
        conversation.party = conversation.party != null ? conversation.party : channels.trunkOf(conversation.leg);
        if (conversation.recording.isEmpty() && conversation.party != null) {
            conversation.recording = channels.recording(phone, conversation.party);
        }
        conversation.leg.with("RecID", conversation.recording);
        channels.say(conversation.leg, "hangup", "ANSWER", at);
        phone.conversation = null;
        phone.leg = null;
        // The call record comes when the party hangs up, who may have been handed on.
        ended.removeIf(old -> old.endedAt.isBefore(at.minus(REMEMBERED)) && (old.party == null || !channels.byId.containsKey(old.party.id)));
        ended.add(conversation);
    }

    void cdr(AmiMessage message, Instant at) {
        String file = Channels.baseName(message.get("RecordingFile"));
        if (file.isEmpty()) {
            return;
        }
        Set<String> row = Set.copyOf(List.of(message.get("Channel"), message.get("DestinationChannel")));
        for (Conversation conversation : all()) {
            if (!conversation.recording.isEmpty() || conversation.party == null || !names(conversation).containsAll(row)) {
                continue;
            }
            conversation.recording = file;
            if (conversation.endedAt != null) {
                Instant later = conversation.endedAt.plus(1, ChronoUnit.MICROS);
                conversation.leg.with("RecID", file);
                channels.say(conversation.leg, "hangup", "ANSWER", at.isAfter(later) ? at : later);
            }
        }
    }

    private List<Conversation> all() {
        return Stream.concat(channels.byId.values().stream().map(channel -> channel.conversation).filter(Objects::nonNull), ended.stream()).toList();
    }

    private Set<String> names(Conversation conversation) {
        Set<String> names = new HashSet<>(List.of(conversation.party.name, conversation.extension.name));
        names.addAll(conversation.locals);
        return names;
    }
}
