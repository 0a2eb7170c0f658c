package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Scenario;
import io.callbridge.support.TestCall;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** "Why did this call end up so?" must have an answer, for the call that was registered and for the one that was not. */
class ExplainIT {

    private static final Duration SOON = Duration.ofSeconds(90);
    private static final String TOKEN = BridgeProcess.ADMIN_TOKEN;

    private FakeCrm crm;
    private BridgeProcess bridge;

    @BeforeEach
    void startCrm() {
        crm = new FakeCrm();
    }

    @AfterEach
    void stop() {
        if (bridge != null) {
            bridge.close();
        }
        crm.close();
    }

    @Test
    void aLocalCallIsExplainedAlthoughTheCrmNeverHearsOfIt() {
        start(BridgeProcess.builder());
        Scenario local = Scenario.of("S29");
        bridge.webhook().accept(fields(local));
        String callId = local.events().get(0).fields().get("CallID");

        await("a decision").atMost(SOON).until(() -> saysLocalCall(bridge.call(callId)));
        JsonNode call = bridge.call(callId);
        assertEquals(local.events().size(), call.path("events").size(), () -> "events of " + call);
        assertEquals(2, call.path("legs").size(), () -> "legs of " + call);
        assertEquals(0, call.path("deliveries").size(), () -> "deliveries of " + call);
    }

    @Test
    void aRegisteredCallIsExplainedFromTheRawEventsToTheAnswersOfTheCrm() {
        start(BridgeProcess.builder());
        Scenario answered = Scenario.of("S01");
        bridge.webhook().accept(fields(answered));
        String callId = answered.events().get(0).fields().get("CallID");
        String legId = answered.events().get(0).fields().get("SubCallID");
        await("confirmation").atMost(SOON).until(() -> {
            JsonNode delivery = crm.has(Kind.CALL, legId) ? bridge.delivery(callId, legId) : null;
            return delivery != null && delivery.path("state").asText().equals("delivered");
        });

        JsonNode call = bridge.call(callId);
        assertEquals(callId, call.path("callId").asText());
        assertEquals("main", call.path("pbx").asText());
        assertEvents(answered, call.path("events"));
        assertTrue(hasLeg(call, legId, "101"), () -> "no leg of 101 in " + call);
        assertFalse(call.path("decisions").isEmpty(), () -> "no decisions in " + call);
        call.path("decisions").forEach(d -> {
            Instant.parse(d.path("at").asText());
            assertTrue(d.path("rule").asText().matches("R\\d+"), () -> "rule of " + d);
            assertTrue(d.path("reason").asText().contains(" "), () -> "no sentence in " + d);
        });
        JsonNode delivery = bridge.delivery(callId, legId);
        assertEquals("rest", delivery.path("crm").asText());
        assertEquals(1, delivery.path("attempts").size(), () -> "attempts of " + delivery);
        JsonNode attempt = delivery.path("attempts").get(0);
        Instant.parse(attempt.path("at").asText());
        assertTrue(List.of(200, 204).contains(attempt.path("status").asInt()), () -> "status of " + attempt);
        assertTrue(attempt.path("millis").isIntegralNumber(), () -> "millis of " + attempt);
    }

    @Test
    void aCallIsFoundInWhateverCaseItsIdIsWritten() {
        start(BridgeProcess.builder());
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(call.answered());
        JsonNode found = bridge.call(call.callId().toUpperCase(Locale.ROOT));
        assertEquals(call.callId(), found.path("callId").asText());
        assertEquals(3, found.path("events").size());
    }

    @Test
    void anUnknownCallIsNotFound() {
        start(BridgeProcess.builder());
        HttpResponse<String> answer = bridge.get("/api/calls/00000000000000000000000000000000");
        assertEquals(404, answer.statusCode(), answer.body());
    }

    @Test
    void whoHasNoTokenLearnsNothing() {
        start(BridgeProcess.builder());
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(call.answered());
        String known = "/api/calls/" + call.callId();
        String unknown = "/api/calls/00000000000000000000000000000000";

        HttpResponse<String> refused = bridge.get(known, "Accept", "*/*");
        assertEquals(401, refused.statusCode(), refused.body());
        assertFalse(refused.body().contains(call.callId()), refused.body());
        for (String header : List.of("Bearer wrong-token-of-the-tests", "Bearer ", TOKEN, "Basic " + TOKEN,
                "Bearer " + TOKEN + "x", "Bearer " + TOKEN.substring(1))) {
            assertSame(refused, bridge.get(known, "Authorization", header), header);
        }
        assertSame(refused, bridge.get(unknown, "Accept", "*/*"), "a call that does not exist");

        assertEquals(200, bridge.get(known, "Authorization", "Bearer " + TOKEN).statusCode());
        assertEquals(404, bridge.get(unknown, "Authorization", "Bearer " + TOKEN).statusCode());
        assertEquals(200, bridge.get("/q/health/live").statusCode(), "probes need no token");
        assertFalse(bridge.output().contains(TOKEN), "the token is in the output");
    }

    private void start(BridgeProcess.Builder builder) {
        bridge = builder.crm(crm).start();
    }

    private static List<Map<String, String>> fields(Scenario scenario) {
        return scenario.events().stream().map(Scenario.Event::fields).toList();
    }

    private static boolean saysLocalCall(JsonNode call) {
        for (JsonNode decision : call.path("decisions")) {
            if (List.of("R12", "R29").contains(decision.path("rule").asText())
                    && decision.path("reason").asText().contains("local call")) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasLeg(JsonNode call, String legId, String extension) {
        for (JsonNode leg : call.path("legs")) {
            if (leg.path("legId").asText().equals(legId) && leg.path("extension").asText().equals(extension)) {
                return true;
            }
        }
        return false;
    }

    /** The raw fields as they came, in the order of their arrival. */
    private static void assertEvents(Scenario scenario, JsonNode events) {
        List<Map<String, String>> sent = fields(scenario);
        assertEquals(sent.size(), events.size(), () -> "events: " + events);
        Instant before = Instant.MIN;
        for (int i = 0; i < sent.size(); i++) {
            JsonNode event = events.get(i);
            assertEquals(sent.get(i).get("EventType"), event.path("type").asText());
            assertEquals(sent.get(i).get("SubCallID"), event.path("legId").asText());
            sent.get(i).forEach((name, value) -> assertEquals(value, event.path("fields").path(name).asText(), name));
            Instant arrived = Instant.parse(event.path("arrivedAt").asText());
            assertFalse(arrived.isBefore(before), () -> "not in the order of arrival: " + events);
            before = arrived;
        }
    }

    private static void assertSame(HttpResponse<String> expected, HttpResponse<String> actual, String what) {
        assertEquals(expected.statusCode(), actual.statusCode(), what);
        assertEquals(expected.body(), actual.body(), what);
    }
}
