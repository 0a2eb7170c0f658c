package io.callbridge.ingest;

/** The body is over 64 KiB (contract section 2). */
public class TooLargeException extends RuntimeException {

    public TooLargeException(String message) {
        super(message);
    }
}
