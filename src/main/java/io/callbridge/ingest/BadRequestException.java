package io.callbridge.ingest;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** What was sent cannot be read (contract section 2). The message is the one line of reason that the sender gets. */
@RegisterForReflection
public class BadRequestException extends RuntimeException {

    private final int status;

    public BadRequestException(String message) {
        this(400, message);
    }

    private BadRequestException(int status, String message) {
        super(message);
        this.status = status;
    }

    /** @param what is over 64 KiB */
    public static BadRequestException tooLarge(String what) {
        return new BadRequestException(413, what + " over 64 KiB");
    }

    /** Of HTTP. */
    public int getStatus() {
        return status;
    }
}
