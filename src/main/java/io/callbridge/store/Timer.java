package io.callbridge.store;

import java.time.Instant;

/**
 * A look at a call that is due at a given time.
 *
 * @param subject the SubCallID of the leg, or {@link #MISSED}, which no leg is called
 * @param dueAt when to look; {@code null}: no more look is needed
 */
public record Timer(String pbx, String callId, String subject, Instant dueAt) {

    /** Subject of the timer that decides whether the call was missed. */
    public static final String MISSED = "";
}
