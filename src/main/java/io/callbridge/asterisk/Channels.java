package io.callbridge.asterisk;

import io.callbridge.platform.AsteriskDialplan;
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
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The channels of one Asterisk and what is between them: who dialled whom, and who hears whom, through Local channels or not. What
 * follows is said here, in the words of the four call events.
 */
final class Channels {

    final AsteriskDialplan dialplan;
    final Map<String, Channel> byId = new HashMap<>();
    final Map<String, Channel> halves = new HashMap<>();
    final Map<String, Bridge> bridges = new HashMap<>();
    /** Of callers from outside, by call. */
    final Map<String, Channel> lines = new HashMap<>();
    /** Ended while it was not known yet which ones there are. */
    final Set<String> gone = new HashSet<>();
    boolean catchingUp = true;
    List<Map<String, String>> said = new ArrayList<>();
    private final Consumer<Channel> known;

    static final class Bridge {
        final Set<Channel> members = new LinkedHashSet<>();
        boolean holding;
        boolean conference;
    }

    /** @param known gets every channel that is heard of for the first time, which the store may know */
    Channels(AsteriskDialplan dialplan, Consumer<Channel> known) {
        this.dialplan = dialplan;
        this.known = known;
    }

    Channel of(AmiMessage message, String prefix, Instant at) {
        String id = message.get(prefix + "Uniqueid");
        String name = message.get(prefix + "Channel");
        if (id.isEmpty() || name.isEmpty() || gone.contains(id)) {
            return null;
        }
        // What is said about a channel after its end is no beginning of another one.
        return catchingUp || message.event().equals("Newchannel")
                ? byId.computeIfAbsent(id, unknown -> newChannel(unknown, name, message, prefix, at)) : byId.get(id);
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
        known.accept(channel);
        return channel;
    }

    /** The party for which a channel dials; {@code null}: nobody, it does so for an action of the manager interface. */
    Channel behind(Channel calling) {
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
            Channel first = byId.get(half.linkedId);
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

    /** All that hear each other with a channel, and itself. */
    Set<Channel> connected(Channel from) {
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

    /** The Local channels over which a channel was dialled. */
    List<Channel> localsOf(Channel channel) {
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

    /** The last one that was begun on the party's channel, else on the extension's, else on a channel between them. */
    String recording(Channel phone, Channel party) {
        List<Channel> between = new ArrayList<>(List.of(party, phone));
        between.addAll(localsOf(party));
        between.addAll(localsOf(phone));
        return between.stream().filter(channel -> !channel.recordings.isEmpty())
                .map(channel -> channel.recordings.get(channel.recordings.size() - 1)).findFirst().orElse("");
    }

    static String baseName(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    Channel trunkOf(ChannelLeg leg) {
        Channel line = lines.get(leg.callId());
        return line != null ? line : byId.values().stream().filter(channel -> channel.trunk() && channel.callId.equals(leg.callId()))
                .findFirst().orElse(null);
    }

    void answer(ChannelLeg leg, Instant at) {
        if (!leg.answered) {
            say(leg, "answer", "ANSWER", at);
        }
    }

    void say(ChannelLeg leg, String type, String status, Instant at) {
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
