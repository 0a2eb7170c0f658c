package io.callbridge.platform;

import java.time.Clock;
import java.time.Instant;

/**
 * What time it is, for all that is kept, shown or due. How long something takes is asked of {@link System#nanoTime}; the paces of
 * CRMs go by the true time.
 */
public final class Time {

    private static volatile Clock clock = Clock.systemUTC();

    private Time() {
    }

    public static Instant now() {
        return clock.instant();
    }

    /** Since 1970. */
    public static long millis() {
        return clock.millis();
    }

    /** For tests, which do not wait. */
    public static void follow(Clock other) {
        clock = other;
    }
}
