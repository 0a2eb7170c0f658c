package io.callbridge;

import static io.callbridge.support.BridgeProcess.lines;
import static io.callbridge.support.BridgeProcess.words;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.LiveFeed;
import io.callbridge.support.Scenario;
import io.callbridge.support.SharedBridge;
import io.callbridge.support.TestCall;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the console is told: why a call ended up so, how things stand, which calls are in progress, what a PBX sends, whether a CRM works, who did what. */
@Tag("native")
class ConsoleApiIT {

    private static final Duration SOON = Duration.ofSeconds(90);
    private static final String TOKEN = BridgeProcess.ADMIN_TOKEN;

    private final FakeCrm crm = SharedBridge.crm();
    private final BridgeProcess bridge = SharedBridge.bridge();

    @BeforeEach
    void nothingToDo() {
        SharedBridge.tidy(bridge);
    }

    @Test
    void theStatusTellsSinceWhenACrmIsDownAndWhatWaitsForIt() {
        assertEquals("token false main webhook up", words(bridge.json("/api/status"), "who demo pbxs/0/pbx pbxs/0/kinds/0 crms/0/state"));

        crm.down();
        Instant before = Instant.now().minusSeconds(1);
        for (int i = 0; i < 4; i++) {
            bridge.webhook().accept(TestCall.incoming("101", FakeCrm.IVANOV).answered());
        }
        // What waits is counted now and then, not for every question.
        await("the CRM that is down").atMost(SOON).until(() -> {
            JsonNode rest = bridge.json("/api/status").path("crms").get(0);
            return rest.path("state").asText().equals("down") && rest.path("waiting").asInt() >= 4 && rest.path("failing").asInt() >= 1;
        });
        JsonNode down = bridge.json("/api/status");
        for (String time : List.of("crms/0/since", "crms/0/oldestWaitingAt", "pbxs/0/lastEventAt")) {
            assertFalse(Instant.parse(words(down, time)).isBefore(before), down::toString);
        }
        JsonNode failing = bridge.json("/api/deliveries?state=failing").path("deliveries");
        assertTrue(failing.size() >= 1, failing::toString);
        failing.forEach(line -> assertTrue(line.path("state").asText().equals("pending") && line.path("attempts").asInt() > 0, line::toString));

        crm.up();
        await("the CRM that is back").atMost(SOON).until(() -> words(bridge.json("/api/status"), "crms/0/state crms/0/waiting").equals("up 0"));
    }

    @Test
    void aCallIsLiveWhileItLasts() throws Exception {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        try (LiveFeed feed = new LiveFeed(bridge.port(), TOKEN)) {
            await("the status").atMost(SOON).until(() -> feed.last("status").path("pbxs").size() == 1);
            bridge.webhook().accept(List.of(call.dialIn()));
            await("the phone that rings").atMost(SOON).until(() -> live(feed, call).has("callId"));
            JsonNode ringing = live(feed, call);
            assertEquals("in " + FakeCrm.IVANOV + " anna ", words(ringing, "direction number legs/0/user legs/0/answeredAt"));

            bridge.webhook().accept(List.of(call.answer()));
            await("the talk").atMost(SOON).until(() -> live(feed, call).path("legs").path(0).has("answeredAt"));

            bridge.webhook().accept(List.of(call.hangup()));
            await("the end").atMost(SOON).until(() -> !live(feed, call).has("callId"));
        }
    }

    private static JsonNode live(LiveFeed feed, TestCall call) {
        return StreamSupport.stream(feed.last("calls").path("calls").spliterator(), false)
                .filter(each -> words(each, "callId").equals(call.callId())).findFirst().orElse(MissingNode.getInstance());
    }

    @Test
    void theSetUpShowsWhatAPbxSendsAndWhomNobodyKnows() {
        assertEquals("/pbx/***/events", words(bridge.json("/api/setup"), "pbxs/0/webhook"));
        assertFalse(bridge.get("/api/setup").body().contains(bridge.secret()), "the secret is for who wants to see it");
        assertEquals(bridge.webhook().path(), words(post("/api/setup/pbxs/main/webhook"), "webhook"));
        assertEquals("show-webhook PBX main", words(bridge.json("/api/audit"), "entries/0/action entries/0/subject"));
        assertEquals(404, bridge.post("/api/setup/pbxs/other/webhook").statusCode());
        int wrong = bridge.json("/api/setup").at("/wrongSecret/count").asInt();

        TestCall unmapped = TestCall.incoming("666", FakeCrm.IVANOV);
        Map<String, String> last = new HashMap<>(unmapped.hangup());
        last.put("NewFieldOfThePbx", "x");
        bridge.webhook().accept(List.of(unmapped.dialIn(), unmapped.answer(), last));
        assertEquals(404, bridge.webhook("another-secret-0123").send(unmapped.dialIn()).statusCode());
        await("the unmapped extension").atMost(SOON)
                .until(() -> lines(bridge.json("/api/setup").at("/pbxs/0/unmapped"), "extension calls").contains("666 1"));

        JsonNode setup = bridge.json("/api/setup");
        assertEquals("hangup " + unmapped.callId() + " rest", words(setup, "pbxs/0/lastEvent/type pbxs/0/lastEvent/callId crms/0/crm"));
        assertTrue(lines(setup.at("/pbxs/0/lastEvent/fields"), "name known").containsAll(List.of("SubCallID true", "NewFieldOfThePbx false")),
                setup::toString);
        assertEquals(wrong + 1, setup.at("/wrongSecret/count").asInt(), setup::toString);
        assertTrue(setup.at("/crms/0/capabilities").toString().contains("\"card\""), setup::toString);
    }

    @Test
    void aCrmIsTriedStepByStep() {
        int written = crm.requests(Kind.CALL).size() + crm.requests(Kind.CARD).size();
        crm.entity("+79000000091", "e9", "Mrs Known", "anna");
        assertCheck("?number=%2B7%20900%20000-00-91", "true", "ok ok", "ok ok", "ok ok  Mrs Known");
        // To a path that is wrong a server answers the same.
        assertCheck("", "true", "ok ok", "skipped unknown", "ok nobody-or-path");
        crm.on("GET", "/entities.*", Answer.status(401));
        assertCheck("", "false", "ok ok", "failed unauthorised", "skipped earlier-failed");
        answers(Answer.status(503).body("maintenance"));
        assertCheck("", "false", "ok ok", "skipped unknown", "failed server-error maintenance");
        answers(Answer.status(301).header("Location", "https://new.example/rest/secret"));
        assertCheck("", "false", "ok ok", "skipped unknown", "failed redirect answer 301, it has moved to https://new.example");
        answers(Answer.status(200).body("<html><title>Sign in</title></html>"));
        assertCheck("", "false", "ok ok", "ok ok", "failed bad-answer the page 'Sign in' instead of data");
        crm.down();
        assertCheck("", "false", "failed refused", "skipped earlier-failed", "skipped earlier-failed");
        crm.up();

        assertEquals(404, bridge.post("/api/setup/crms/nobody/check").statusCode());
        assertEquals(400, bridge.post("/api/setup/crms/rest/check?number=12").statusCode());
        assertEquals(written, crm.requests(Kind.CALL).size() + crm.requests(Kind.CARD).size(), "nothing is written");
    }

    @Test
    void whatAnAdministratorDidIsFoundAgain() {
        crm.on("PUT", "/calls/.*", Answer.status(422));
        TestCall first = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall second = TestCall.incoming("102", FakeCrm.IVANOV);
        bridge.webhook().accept(first.answered());
        bridge.webhook().accept(second.answered());
        await("two dead letters").atMost(SOON).until(() -> dead() == 2);
        String id = words(bridge.json("/api/deliveries?state=dead"), "deliveries/0/id");

        assertEquals(200, bridge.post("/api/deliveries/" + id + "/retry").statusCode());
        await("dead again").atMost(SOON).until(() -> dead() == 2);
        assertEquals(200, bridge.post("/api/deliveries/" + id + "/discard").statusCode());
        assertEquals(409, bridge.post("/api/deliveries/" + id + "/discard").statusCode(), "and is no act");
        assertEquals(1, post("/api/deliveries/discard").path("discarded").asInt());
        crm.behave();
        assertTrue(post("/api/deliveries/retry?state=discarded&crm=rest").path("retried").asInt() >= 2);
        bridge.reprocess("?from=2099-01-01&dry-run=true");
        bridge.reprocess("?from=2099-01-01");
        post("/api/setup/crms/rest/check");

        JsonNode audit = bridge.json("/api/audit?limit=6").path("entries");
        assertEquals(List.of("check token", "reprocess token", "retry-all token", "discard-all token", "discard token", "retry token"),
                lines(audit, "action who"));
        audit.forEach(entry -> Instant.parse(entry.path("at").asText()));
        assertTrue(words(audit, "5/subject").startsWith("delivery " + id + " (call of call "), audit::toString);
        String next = words(bridge.json("/api/audit?limit=4"), "next");
        assertEquals(List.of("discard", "retry"), lines(bridge.json("/api/audit?limit=2&after=" + next).path("entries"), "action"));
    }

    @Test
    void aCallIsExplainedFromTheRawEventsToTheAnswersOfTheCrm() {
        TestCall call = TestCall.incoming("101", TestCall.newNumber());
        bridge.webhook().accept(call.answered());
        crm.awaitCall(call);
        await("confirmation").atMost(SOON).until(() -> words(bridge.call(call.callId()), "outcome").equals("answered")
                && words(bridge.delivery(call.callId(), call.legId()), "state").equals("delivered"));
        JsonNode told = bridge.call(call.callId().toUpperCase(Locale.ROOT));
        assertEquals(call.callId() + " main " + call.caller() + " anna " + call.legId() + " 101",
                words(told, "callId pbx number users/0 legs/0/legId legs/0/extension"));
        assertEvents(call.answered(), told.path("events"));
        assertFalse(told.path("decisions").isEmpty(), told::toString);
        told.path("decisions").forEach(d -> {
            Instant.parse(d.path("at").asText());
            assertTrue(d.path("rule").asText().matches("R\\d+"), () -> "rule of " + d);
            assertTrue(d.path("reason").asText().contains(" "), () -> "no sentence in " + d);
        });
        JsonNode delivery = bridge.delivery(call.callId(), call.legId());
        assertEquals("rest [200]", words(delivery, "crm") + " " + lines(delivery.path("attempts"), "status"));
        Instant.parse(words(delivery, "attempts/0/at"));
        assertTrue(delivery.at("/attempts/0/millis").isIntegralNumber(), delivery::toString);
    }

    @Test
    void aLocalCallIsExplainedAlthoughTheCrmNeverHearsOfIt() {
        List<Map<String, String>> events = Scenario.of("S29").asAnotherCall(2).events().stream().map(Scenario.Event::fields).toList();
        bridge.webhook().accept(events);
        String callId = events.get(0).get("CallID");
        await("a decision").atMost(SOON).until(() -> bridge.call(callId).path("decisions").toString().matches(".*\"R(12|29)\".*local call.*"));
        JsonNode call = bridge.call(callId);
        assertEquals("2 0", call.path("legs").size() + " " + call.path("deliveries").size(), call::toString);
        assertEquals(404, bridge.get("/api/calls/00000000000000000000000000000000").statusCode());
    }

    /** The raw fields as they came, in the order of their arrival. */
    private static void assertEvents(List<Map<String, String>> sent, JsonNode events) {
        assertEquals(sent.size(), events.size(), () -> "events: " + events);
        Instant before = Instant.MIN;
        for (int i = 0; i < sent.size(); i++) {
            JsonNode event = events.get(i);
            assertEquals(sent.get(i).get("EventType"), event.path("type").asText());
            sent.get(i).forEach((name, value) -> assertEquals(value, event.path("fields").path(name).asText(), name));
            Instant arrived = Instant.parse(event.path("arrivedAt").asText());
            assertFalse(arrived.isBefore(before), () -> "not in the order of arrival: " + events);
            before = arrived;
        }
    }

    private void answers(Answer answer) {
        crm.behave();
        crm.on("GET", "/entities.*", answer);
    }

    /** @param lookup with what it has found, or with what is said about it, if that matters */
    private void assertCheck(String query, String ok, String address, String authorisation, String lookup) {
        JsonNode check = post("/api/setup/crms/rest/check" + query);
        assertEquals(ok, words(check, "ok"), check::toString);
        assertEquals(List.of("address " + address, "authorisation " + authorisation), lines(check.path("steps"), "step result code").subList(0, 2));
        String told = words(check, "steps/2/step steps/2/result steps/2/code steps/2/detail steps/2/found");
        assertTrue(told.startsWith("lookup " + lookup) && told.contains("Mrs Known") == lookup.contains("Mrs Known"), check::toString);
    }

    private int dead() {
        return bridge.json("/api/deliveries?state=dead").path("deliveries").size();
    }

    private JsonNode post(String path) {
        return bridge.json(bridge.post(path));
    }
}
