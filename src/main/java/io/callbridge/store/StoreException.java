package io.callbridge.store;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** The store did not do what was asked; nothing was acknowledged. */
@RegisterForReflection
public class StoreException extends RuntimeException {

    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
