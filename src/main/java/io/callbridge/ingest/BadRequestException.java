package io.callbridge.ingest;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** The request cannot be read (contract section 2). The message is the one line of reason that the sender gets. */
@RegisterForReflection
public class BadRequestException extends RuntimeException {

    public BadRequestException(String message) {
        super(message);
    }
}
