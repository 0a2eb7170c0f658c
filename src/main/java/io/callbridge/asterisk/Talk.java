package io.callbridge.asterisk;

import java.time.Instant;

/** A conversation of an extension with an outside party. */
final class Talk {

    final Channel extension;
    final ChannelLeg leg;
    /** {@code null}: it began before the connection, and its other end is not known yet. */
    Channel party;
    String recording = "";
    /** Since when they do not hear each other; {@code null}: they do. */
    Instant apartSince;
    /** Not the extension left, to talk to somebody else meanwhile, but the party. */
    boolean partyLeft;
    Instant endedAt;

    Talk(Channel extension, ChannelLeg leg, Channel party) {
        this.extension = extension;
        this.leg = leg;
        this.party = party;
    }
}
