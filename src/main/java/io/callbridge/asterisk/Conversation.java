package io.callbridge.asterisk;

import java.time.Instant;
import java.util.HashSet;
import java.util.Set;

/** A conversation of an extension with an outside party. */
final class Conversation {

    final Channel extension;
    final ChannelLeg leg;
    /** {@code null}: it began before the connection, and its other end is not known yet. */
    Channel party;
    String recording = "";
    /** Names of the Local channels between them, which the call record names when they have hung up. */
    final Set<String> locals = new HashSet<>();
    /** Since when they do not hear each other; {@code null}: they do. */
    Instant apartSince;
    /** Not the extension left, to talk to somebody else meanwhile, but the party. */
    boolean partyLeft;
    Instant endedAt;

    Conversation(Channel extension, ChannelLeg leg, Channel party) {
        this.extension = extension;
        this.leg = leg;
        this.party = party;
    }

    /** When it ended, if that is known now. */
    Instant endsAt(Instant now) {
        return apartSince != null && partyLeft ? apartSince : now;
    }
}
