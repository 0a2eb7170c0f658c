package io.callbridge.deliver;

/**
 * The CRM did not say who stands behind a number. Has no cause on purpose: the answer to a look-up must not be taken for the
 * answer to the write, which decides about dead letters.
 */
public class LookupException extends Exception {

    private final String line;
    private final long retryAfterMs;
    private final String refusal;

    /** Without an answer. */
    LookupException(String message) {
        this(message, message, 0, null);
    }

    /**
     * @param line what the log may say: see {@link Failures}
     * @param retryAfterMs how long the CRM asked to be left alone; 0: it did not
     * @param refusal as {@link CrmAnswerException#refusal}
     */
    LookupException(String message, String line, long retryAfterMs, String refusal) {
        super(message);
        this.line = line;
        this.retryAfterMs = retryAfterMs;
        this.refusal = refusal;
    }

    String line() {
        return line;
    }

    String refusal() {
        return refusal;
    }

    long retryAfterMs() {
        return retryAfterMs;
    }
}
