package io.callbridge.platform;

/** The start is refused. The message is one line: what, where, and what is allowed. */
public class StartException extends RuntimeException {

    public StartException(String message) {
        super(message);
    }

    public StartException(String message, Throwable cause) {
        super(message, cause);
    }
}
