package io.callbridge.support;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One call from outside to one phone, as the PBX reports it. Every call has fresh ids, so that tests may share a process;
 * its times lie in the past, as in the scenario files: nothing in the bridge may depend on the PBX's clock.
 */
public record TestCall(String callId, String legId, String extension, String caller) {

    private static final long SECOND = 1_000_000L;
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    private TestCall(String callId, String extension, String caller) {
        this(callId, ExamplePbx.idOf(extension) + "-" + hex(), extension, caller);
    }

    public static TestCall incoming(String extension, String caller) {
        return new TestCall(hex(), extension, caller);
    }

    /** An outside number that no other test has. */
    public static String newNumber() {
        return "+7901" + (1_000_000 + NUMBERS.incrementAndGet());
    }

    public TestCall alsoRinging(String otherExtension) {
        return new TestCall(callId, otherExtension, caller);
    }

    public Map<String, String> dialIn() {
        return event("dial-in", "CALLING", 0);
    }

    public Map<String, String> answer() {
        return event("answer", "ANSWER", 5);
    }

    public Map<String, String> hangup() {
        return event("hangup", "ANSWER", 35, "Duration", Long.toString(30 * SECOND));
    }

    public Map<String, String> givenUp() {
        return event("hangup", "CANCEL", 17, "Duration", "0");
    }

    public List<Map<String, String>> answered() {
        return List.of(dialIn(), answer(), hangup());
    }

    public List<Map<String, String>> missed() {
        return List.of(dialIn(), givenUp());
    }

    @Override
    public String toString() {
        return "call " + callId + ", leg " + legId;
    }

    private Map<String, String> event(String type, String status, long second, String... more) {
        List<String> fields = new ArrayList<>(List.of("EventType", type, "CallID", callId, "SubCallID", legId, "CallFlow", "in",
                "CallStatus", status, "CallerIDNum", caller, "CalledNumber", ExamplePbx.PREFIX + "*" + extension,
                "CalledExtension", ExamplePbx.PREFIX + "*" + extension + "@" + ExamplePbx.DOMAIN, "CalledExtensionID",
                ExamplePbx.idOf(extension), "CalledDID", ExamplePbx.DID, "EventTime", Long.toString(Scenario.BEGIN + second * SECOND)));
        fields.addAll(List.of(more));
        Map<String, String> event = new LinkedHashMap<>();
        for (int i = 0; i < fields.size(); i += 2) {
            event.put(fields.get(i), fields.get(i + 1));
        }
        return event;
    }

    private static String hex() {
        return UUID.randomUUID().toString().replace("-", "");
    }
}
