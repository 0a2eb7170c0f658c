package io.callbridge.deliver;

/**
 * The CRM did not say who stands behind a number. Has no cause on purpose: the answer to a look-up must not be taken for the
 * answer to the write, which decides about dead letters.
 */
public class LookupException extends Exception {

    private final long retryAfterMs;

    /** @param retryAfterMs how long the CRM asked to be left alone; 0: it did not */
    public LookupException(String message, long retryAfterMs) {
        super(message);
        this.retryAfterMs = retryAfterMs;
    }

    long retryAfterMs() {
        return retryAfterMs;
    }
}
