package io.callbridge.store;

import io.quarkus.runtime.annotations.RegisterForReflection;
import org.jboss.logging.Logger.Level;

/** The store did not do what was asked; nothing was acknowledged. */
@RegisterForReflection
public class StoreException extends RuntimeException {

    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }

    /** How loud a failure is: that the store is away, it has said itself. */
    public static Level level(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof StoreException) {
                return Level.DEBUG;
            }
        }
        return Level.ERROR;
    }
}
