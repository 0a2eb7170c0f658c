package io.callbridge.process;

import io.quarkus.runtime.annotations.RegisterForReflection;

/** Another look at the call, perhaps on another replica, was written since this one began, or events turned out to be another call's: it must be taken again. */
@RegisterForReflection
public class StaleLookException extends Exception {

    public StaleLookException(String callId) {
        super("call " + callId + " was looked at by somebody else meanwhile");
    }
}
