package io.callbridge.ingest;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** The body is over 64 KiB (contract section 2). */
@RegisterForReflection
public class TooLargeException extends RuntimeException {

    public TooLargeException(String message) {
        super(message);
    }
}
