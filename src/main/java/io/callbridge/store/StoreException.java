package io.callbridge.store;

/** The store did not do what was asked; nothing was acknowledged. */
public class StoreException extends RuntimeException {

    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
