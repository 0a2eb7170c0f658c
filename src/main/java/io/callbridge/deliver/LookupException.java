package io.callbridge.deliver;

/**
 * The CRM did not say who stands behind a number. Has no cause on purpose: the answer to a look-up must not be taken for the
 * answer to the write, which decides about dead letters.
 */
public class LookupException extends Exception {

    private final String line;
    private final long retryAfterMs;

    /** @param retryAfterMs how long the CRM asked to be left alone; 0: it did not */
    public LookupException(String message, long retryAfterMs) {
        this(message, message, retryAfterMs);
    }

    /** @param line what the log may say: see {@link Failures} */
    LookupException(String message, String line, long retryAfterMs) {
        super(message);
        this.line = line;
        this.retryAfterMs = retryAfterMs;
    }

    String line() {
        return line;
    }

    long retryAfterMs() {
        return retryAfterMs;
    }
}
