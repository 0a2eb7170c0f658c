package io.callbridge.domain;

import java.time.Instant;
import java.util.List;

/**
 * A call from outside that nobody took.
 *
 * @param party who called
 * @param place the container that lost the caller, or the phone rung last
 * @param rung extensions whose phones rang, the last one first
 * @param startedAt time of the call's first event
 * @param endedAt time of the hangup that decided
 * @param rule the rule that decided
 */
public record MissedCall(String callId, Party party, String did, Extension place, List<Extension> rung,
        Instant startedAt, Instant endedAt, String rule) {

    /** {@code place.type} of contract section 3. */
    public String placeType() {
        return place.type() == Extension.Type.FAX ? "unknown" : place.type().word();
    }
}
