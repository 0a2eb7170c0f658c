package io.callbridge.platform;

import java.time.Instant;

/**
 * Nobody can be asked for a lease.
 *
 * @param since when it was asked for in vain first
 * @param reason what was said the last time
 */
public record LeaseTrouble(Instant since, String reason) {
}
