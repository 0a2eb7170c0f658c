package io.callbridge.deliver;

/**
 * The CRM did not say who stands behind a number. Has no cause on purpose: the answer to a look-up must not be taken for the
 * answer to the write, which decides about dead letters.
 */
public class LookupException extends Exception {

    public LookupException(String message) {
        super(message);
    }
}
