package io.callbridge.support;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One call from outside to one phone, as the PBX reports it. Every call has fresh ids, so that tests may share a process;
 * its times lie in the past, as in the scenario files: nothing in the bridge may depend on the PBX's clock.
 */
public final class TestCall {

    /** 2025-03-04T09:00:00Z in the PBX's microseconds. */
    private static final long BEGIN = 1_741_078_800_000_000L;
    private static final long SECOND = 1_000_000L;
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    private final String callId;
    private final String legId;
    private final String extension;
    private final String caller;

    private TestCall(String callId, String extension, String caller) {
        this.callId = callId;
        this.legId = ExamplePbx.idOf(extension) + "-" + hex();
        this.extension = extension;
        this.caller = caller;
    }

    /** A call of an outside number to a phone. */
    public static TestCall incoming(String extension, String caller) {
        return new TestCall(hex(), extension, caller);
    }

    /** An outside number that no other test has. */
    public static String newNumber() {
        return "+7901" + (1_000_000 + NUMBERS.incrementAndGet());
    }

    /** Another phone that rings in the same call. */
    public TestCall alsoRinging(String otherExtension) {
        return new TestCall(callId, otherExtension, caller);
    }

    public String callId() {
        return callId;
    }

    public String legId() {
        return legId;
    }

    public String extension() {
        return extension;
    }

    public String caller() {
        return caller;
    }

    public Map<String, String> dialIn() {
        return event("dial-in", "CALLING", 0);
    }

    public Map<String, String> answer() {
        return event("answer", "ANSWER", 5);
    }

    /** The end of a talk of 30 seconds. */
    public Map<String, String> hangup() {
        Map<String, String> event = event("hangup", "ANSWER", 35);
        event.put("Duration", Long.toString(30 * SECOND));
        return event;
    }

    /** The end of a call that nobody answered. */
    public Map<String, String> givenUp() {
        Map<String, String> event = event("hangup", "CANCEL", 17);
        event.put("Duration", "0");
        return event;
    }

    /** The events of an answered call, in order. */
    public List<Map<String, String>> answered() {
        return List.of(dialIn(), answer(), hangup());
    }

    /** The events of a call that nobody answered, in order. */
    public List<Map<String, String>> missed() {
        return List.of(dialIn(), givenUp());
    }

    @Override
    public String toString() {
        return "call " + callId + ", leg " + legId;
    }

    private Map<String, String> event(String type, String status, long second) {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("EventType", type);
        fields.put("CallID", callId);
        fields.put("SubCallID", legId);
        fields.put("CallFlow", "in");
        fields.put("CallStatus", status);
        fields.put("CallerIDNum", caller);
        fields.put("CalledNumber", ExamplePbx.PREFIX + "*" + extension);
        fields.put("CalledExtension", ExamplePbx.PREFIX + "*" + extension + "@" + ExamplePbx.DOMAIN);
        fields.put("CalledExtensionID", ExamplePbx.idOf(extension));
        fields.put("CalledDID", ExamplePbx.DID);
        fields.put("EventTime", Long.toString(BEGIN + second * SECOND));
        return fields;
    }

    private static String hex() {
        return UUID.randomUUID().toString().replace("-", "");
    }
}
