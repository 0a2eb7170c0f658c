package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.routes.AdapterHarness.Outcome;
import io.callbridge.routes.AdapterHarness;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;

/** A test that has effects, as the bridge writes them (contract section 3), tried by an adapter. */
abstract class Effects {

    static final String KNOWN = "+79161234567";
    static final String STRANGER = "+79160000001";
    static final long STARTED = Instant.parse("2026-11-27T09:00:05Z").getEpochSecond();

    protected AdapterHarness bridge;

    @BeforeEach
    void begin() {
        AdapterHarness.forget();
    }

    Outcome delivered(String operation, String id, Map<String, Object> body) {
        return ended("delivered", operation, id, body);
    }

    /** @return how long the CRM asked to wait, in ms; a try without an answer: -1 */
    long later(String operation, String id, Map<String, Object> body) {
        return ended("retryLater", operation, id, body).cause() instanceof CrmAnswerException answer ? answer.retryAfterMs : -1;
    }

    /** A try that is to be repeated, and then succeeds. @return as {@link #later} */
    long again(String operation, String id, Map<String, Object> body) {
        long millis = later(operation, id, body);
        delivered(operation, id, body);
        return millis;
    }

    String refused(String operation, String id, Map<String, Object> body) {
        return ended("deadLetter", operation, id, body).cause().getMessage();
    }

    private Outcome ended(String how, String operation, String id, Map<String, Object> body) {
        Outcome outcome = bridge.deliver(operation, id, body);
        assertEquals(how, outcome.result(), () -> String.valueOf(outcome.cause()));
        return outcome;
    }

    static Map<String, Object> card(String number, String user) {
        return with(body(number, user), "direction", "in", "extension", "101", "at", "2026-11-27T09:00:05Z");
    }

    static Map<String, Object> call(String direction, String result, String number, String user, long seconds) {
        return with(body(number, user), "direction", direction, "extension", "101", "result", result, "startedAt", "2026-11-27T09:00:05Z",
                "endedAt", "2026-11-27T09:01:10Z", "talkSeconds", seconds);
    }

    static Map<String, Object> missed(String number, String user) {
        return with(body(number, user), "place", Map.of("extension", "880", "type", "queue"), "startedAt", "2026-11-27T09:00:05Z",
                "endedAt", "2026-11-27T09:00:40Z");
    }

    /** The same with other members: names and values in turn. */
    static Map<String, Object> with(Map<String, Object> body, Object... members) {
        Map<String, Object> more = new HashMap<>(body);
        for (int i = 0; i < members.length; i += 2) {
            more.put((String) members[i], members[i + 1]);
        }
        return more;
    }

    private static Map<String, Object> body(String number, String user) {
        Map<String, Object> body = with(Map.of("callId", "c1", "did", "+74950000001"), "number", number, "user", user);
        body.values().removeIf(""::equals);
        return body;
    }
}
