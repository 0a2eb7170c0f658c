package io.callbridge.process;

/** Another look at the call, perhaps on another replica, was written since this one began: it must be taken again. */
public class StaleLookException extends Exception {

    public StaleLookException(String callId) {
        super("call " + callId + " was looked at by somebody else meanwhile");
    }
}
