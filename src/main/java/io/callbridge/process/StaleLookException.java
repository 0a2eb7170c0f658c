package io.callbridge.process;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** Another look at a call was stored since this one began: it must be taken again. */
@RegisterForReflection
public class StaleLookException extends RuntimeException {

    public StaleLookException(String callId) {
        super("call " + callId + " was looked at by somebody else");
    }
}
