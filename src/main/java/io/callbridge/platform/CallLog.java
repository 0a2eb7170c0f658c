package io.callbridge.platform;

import org.jboss.logging.MDC;

/** Names the call that a thread works at in every line that it logs meanwhile. */
public final class CallLog implements AutoCloseable {

    /** Name in the log, of the field and in its format. */
    private static final String CALL = "callId";

    private final Object before;

    private CallLog(Object before) {
        this.before = before;
    }

    /** Until it is closed. */
    public static CallLog about(String callId) {
        return new CallLog(MDC.put(CALL, callId));
    }

    @Override
    public void close() {
        if (before == null) {
            MDC.remove(CALL);
        } else {
            MDC.put(CALL, before);
        }
    }
}
