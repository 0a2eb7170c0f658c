package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.LiveFeed;
import io.callbridge.support.Scenario;
import io.callbridge.support.SharedBridge;
import io.callbridge.support.TestCall;
import java.net.http.HttpResponse;
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
    private static final ObjectMapper JSON = new ObjectMapper();

    private final FakeCrm crm = SharedBridge.crm();
    private final BridgeProcess bridge = SharedBridge.bridge();

    @BeforeEach
    void nothingToDo() {
        SharedBridge.tidy(bridge);
    }

    @Test
    void theStatusTellsSinceWhenACrmIsDownAndWhatWaitsForIt() {
        JsonNode quiet = get("/api/status");
        assertEquals("token", quiet.path("who").asText());
        assertFalse(quiet.path("demo").asBoolean(true));
        assertEquals(List.of("main"), texts(quiet.path("pbxs"), "pbx"));
        assertEquals("webhook", quiet.path("pbxs").get(0).path("kinds").get(0).asText());
        assertEquals("up", quiet.path("crms").get(0).path("state").asText());

        crm.down();
        Instant before = Instant.now();
        for (int i = 0; i < 4; i++) {
            bridge.webhook().accept(TestCall.incoming("101", FakeCrm.IVANOV).answered());
        }
        // What waits is counted now and then, not for every question.
        await("the CRM that is down").atMost(SOON).until(() -> {
            JsonNode rest = get("/api/status").path("crms").get(0);
            return rest.path("state").asText().equals("down") && rest.path("waiting").asInt() >= 4 && rest.path("failing").asInt() >= 1;
        });
        JsonNode down = get("/api/status");
        JsonNode rest = down.path("crms").get(0);
        assertFalse(Instant.parse(rest.path("since").asText()).isBefore(before), down::toString);
        assertFalse(Instant.parse(rest.path("oldestWaitingAt").asText()).isBefore(before.minusSeconds(1)), down::toString);
        assertFalse(Instant.parse(down.path("pbxs").get(0).path("lastEventAt").asText()).isBefore(before.minusSeconds(1)), down::toString);
        JsonNode failing = get("/api/deliveries?state=failing").path("deliveries");
        assertTrue(failing.size() >= 1, failing::toString);
        failing.forEach(line -> assertTrue(line.path("state").asText().equals("pending") && line.path("attempts").asInt() > 0, line::toString));

        crm.up();
        await("the CRM that is back").atMost(SOON).until(() -> {
            JsonNode back = get("/api/status").path("crms").get(0);
            return back.path("state").asText().equals("up") && back.path("waiting").asInt() == 0;
        });
    }

    @Test
    void aCallIsLiveWhileItLasts() throws Exception {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        try (LiveFeed feed = new LiveFeed(bridge.port(), TOKEN)) {
            await("the status").atMost(SOON).until(() -> feed.last("status").path("pbxs").size() == 1);
            bridge.webhook().accept(List.of(call.dialIn()));
            await("the phone that rings").atMost(SOON).until(() -> live(feed, call).has("callId"));
            JsonNode ringing = live(feed, call);
            assertEquals("in", ringing.path("direction").asText());
            assertEquals(FakeCrm.IVANOV, ringing.path("number").asText());
            assertEquals("anna", ringing.path("legs").get(0).path("user").asText(), ringing::toString);
            assertFalse(ringing.path("legs").get(0).has("answeredAt"), ringing::toString);

            bridge.webhook().accept(List.of(call.answer()));
            await("the talk").atMost(SOON).until(() -> live(feed, call).path("legs").path(0).has("answeredAt"));

            bridge.webhook().accept(List.of(call.hangup()));
            await("the end").atMost(SOON).until(() -> !live(feed, call).has("callId"));
        }
    }

    private static JsonNode live(LiveFeed feed, TestCall call) {
        return StreamSupport.stream(feed.last("calls").path("calls").spliterator(), false)
                .filter(each -> each.path("callId").asText().equals(call.callId())).findFirst().orElse(MissingNode.getInstance());
    }

    @Test
    void theSetUpShowsWhatAPbxSendsAndWhomNobodyKnows() {
        JsonNode pbx = get("/api/setup").path("pbxs").get(0);
        assertEquals("/pbx/***/events", pbx.path("webhook").asText());
        assertFalse(get("/api/setup").toString().contains(bridge.secret()), "the secret is for who wants to see it");
        assertEquals("/pbx/" + bridge.secret() + "/events", post("/api/setup/pbxs/main/webhook").path("webhook").asText());
        assertEquals("show-webhook PBX main", get("/api/audit").path("entries").get(0).path("action").asText() + " "
                + get("/api/audit").path("entries").get(0).path("subject").asText());
        assertEquals(404, bridge.post("/api/setup/pbxs/other/webhook").statusCode());
        int wrong = get("/api/setup").path("wrongSecret").path("count").asInt();

        TestCall unmapped = TestCall.incoming("666", FakeCrm.IVANOV);
        Map<String, String> last = new HashMap<>(unmapped.hangup());
        last.put("NewFieldOfThePbx", "x");
        bridge.webhook().accept(List.of(unmapped.dialIn(), unmapped.answer(), last));
        assertEquals(404, bridge.webhook("another-secret-0123").send(unmapped.dialIn()).statusCode());
        await("the unmapped extension").atMost(SOON).until(() -> get("/api/setup").path("pbxs").get(0).path("unmapped").toString()
                .contains("\"666\""));

        JsonNode setup = get("/api/setup");
        pbx = setup.path("pbxs").get(0);
        JsonNode unknown = StreamSupport.stream(pbx.path("unmapped").spliterator(), false)
                .filter(each -> each.path("extension").asText().equals("666")).findFirst().orElseThrow();
        assertEquals(1, unknown.path("calls").asInt());
        assertEquals("hangup " + unmapped.callId(), pbx.path("lastEvent").path("type").asText() + " " + pbx.path("lastEvent").path("callId").asText());
        assertEquals(Boolean.TRUE, known(pbx, "SubCallID"));
        assertEquals(Boolean.FALSE, known(pbx, "NewFieldOfThePbx"));
        assertEquals(wrong + 1, setup.path("wrongSecret").path("count").asInt(), setup::toString);
        assertEquals("rest", setup.path("crms").get(0).path("crm").asText());
        assertTrue(texts(setup.path("crms").get(0).path("capabilities")).contains("card"), setup::toString);
    }

    @Test
    void aCrmIsTriedStepByStep() {
        int written = crm.requests(Kind.CALL).size() + crm.requests(Kind.CARD).size();
        crm.entity("+79000000091", "e9", "Mrs Known", "anna");
        assertCheck(check("?number=%2B7%20900%20000-00-91"), true, "ok ok", "ok ok", "ok ok");
        assertEquals("Mrs Known", check("?number=%2B79000000091").path("steps").get(2).path("found").asText());
        JsonNode nobody = check("");
        assertFalse(nobody.path("steps").get(2).has("found"), "nobody has that number");
        // To a path that is wrong a server answers the same.
        assertCheck(nobody, true, "ok ok", "skipped unknown", "ok nobody-or-path");

        crm.on("GET", "/entities.*", Answer.status(401));
        assertCheck(check(""), false, "ok ok", "failed unauthorised", "skipped earlier-failed");
        crm.behave();
        crm.on("GET", "/entities.*", Answer.status(503).body("maintenance"));
        JsonNode broken = check("");
        assertCheck(broken, false, "ok ok", "skipped unknown", "failed server-error");
        assertEquals("maintenance", broken.path("steps").get(2).path("detail").asText());
        crm.behave();
        crm.on("GET", "/entities.*", Answer.status(301).header("Location", "https://new.example/rest/secret"));
        JsonNode moved = check("");
        assertCheck(moved, false, "ok ok", "skipped unknown", "failed redirect");
        assertEquals("answer 301, it has moved to https://new.example", moved.path("steps").get(2).path("detail").asText());
        crm.behave();
        crm.on("GET", "/entities.*", Answer.status(200).body("<html><title>Sign in</title></html>"));
        JsonNode page = check("");
        assertCheck(page, false, "ok ok", "ok ok", "failed bad-answer");
        assertEquals("the page 'Sign in' instead of data", page.path("steps").get(2).path("detail").asText());
        crm.down();
        assertCheck(check(""), false, "failed refused", "skipped earlier-failed", "skipped earlier-failed");
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
        await("two dead letters").atMost(SOON).until(() -> get("/api/deliveries?state=dead").path("deliveries").size() == 2);
        long id = get("/api/deliveries?state=dead").path("deliveries").get(0).path("id").asLong();

        assertEquals(200, bridge.post("/api/deliveries/" + id + "/retry").statusCode());
        await("dead again").atMost(SOON).until(() -> get("/api/deliveries?state=dead").path("deliveries").size() == 2);
        assertEquals(200, bridge.post("/api/deliveries/" + id + "/discard").statusCode());
        assertEquals(409, bridge.post("/api/deliveries/" + id + "/discard").statusCode(), "and is no act");
        assertEquals(1, post("/api/deliveries/discard").path("discarded").asInt());
        crm.behave();
        assertTrue(post("/api/deliveries/retry?state=discarded&crm=rest").path("retried").asInt() >= 2);
        bridge.reprocess("?from=2099-01-01&dry-run=true");
        bridge.reprocess("?from=2099-01-01");
        check("");

        JsonNode audit = get("/api/audit?limit=6").path("entries");
        assertEquals(List.of("check", "reprocess", "retry-all", "discard-all", "discard", "retry"), texts(audit, "action"), audit::toString);
        audit.forEach(entry -> assertEquals("token", entry.path("who").asText()));
        audit.forEach(entry -> Instant.parse(entry.path("at").asText()));
        assertTrue(audit.get(5).path("subject").asText().startsWith("delivery " + id + " (call of call "), audit::toString);
        JsonNode page = get("/api/audit?limit=4");
        assertEquals(List.of("discard", "retry"), texts(get("/api/audit?limit=2&after=" + page.path("next").asText()).path("entries"), "action"));
    }

    @Test
    void aCallIsExplainedFromTheRawEventsToTheAnswersOfTheCrm() {
        TestCall call = TestCall.incoming("101", TestCall.newNumber());
        bridge.webhook().accept(call.answered());
        await("confirmation").atMost(SOON).until(() -> crm.has(Kind.CALL, call.legId()) && get("/api/calls/" + call.callId()).path("outcome")
                .asText().equals("answered") && bridge.delivery(call.callId(), call.legId()).path("state").asText().equals("delivered"));
        JsonNode told = bridge.call(call.callId().toUpperCase(Locale.ROOT));
        assertEquals(call.callId() + " main " + call.caller(), told.path("callId").asText() + " " + told.path("pbx").asText() + " " + told.path("number").asText());
        assertEquals(List.of("anna"), texts(told.path("users")));
        assertEvents(call.answered(), told.path("events"));
        assertEquals(call.legId() + " 101", told.path("legs").path(0).path("legId").asText() + " " + told.path("legs").path(0).path("extension").asText());
        assertFalse(told.path("decisions").isEmpty(), told::toString);
        told.path("decisions").forEach(d -> {
            Instant.parse(d.path("at").asText());
            assertTrue(d.path("rule").asText().matches("R\\d+"), () -> "rule of " + d);
            assertTrue(d.path("reason").asText().contains(" "), () -> "no sentence in " + d);
        });
        JsonNode delivery = bridge.delivery(call.callId(), call.legId());
        assertEquals("rest", delivery.path("crm").asText());
        assertEquals(1, delivery.path("attempts").size(), () -> "attempts of " + delivery);
        JsonNode attempt = delivery.path("attempts").get(0);
        Instant.parse(attempt.path("at").asText());
        assertEquals(200, attempt.path("status").asInt(), attempt::toString);
        assertTrue(attempt.path("millis").isIntegralNumber(), () -> "millis of " + attempt);
    }

    @Test
    void aLocalCallIsExplainedAlthoughTheCrmNeverHearsOfIt() {
        List<Map<String, String>> events = Scenario.of("S29").asAnotherCall(2).events().stream().map(Scenario.Event::fields).toList();
        bridge.webhook().accept(events);
        String callId = events.get(0).get("CallID");
        await("a decision").atMost(SOON).until(() -> bridge.call(callId).path("decisions").toString().matches(".*\"R(12|29)\".*local call.*"));
        JsonNode call = bridge.call(callId);
        assertEquals(2, call.path("legs").size(), () -> "legs of " + call);
        assertEquals(0, call.path("deliveries").size(), () -> "deliveries of " + call);
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

    private static Boolean known(JsonNode pbx, String field) {
        return StreamSupport.stream(pbx.path("lastEvent").path("fields").spliterator(), false)
                .filter(each -> each.path("name").asText().equals(field)).map(each -> each.path("known").asBoolean()).findFirst().orElse(null);
    }

    private static void assertCheck(JsonNode check, boolean ok, String... steps) {
        assertEquals(List.of(steps), StreamSupport.stream(check.path("steps").spliterator(), false)
                .map(step -> step.path("result").asText() + " " + step.path("code").asText()).toList(), check::toString);
        assertEquals(List.of("address", "authorisation", "lookup"), texts(check.path("steps"), "step"));
        assertEquals(ok, check.path("ok").asBoolean(), check::toString);
    }

    private JsonNode check(String query) {
        return post("/api/setup/crms/rest/check" + query);
    }

    private static List<String> texts(JsonNode list, String member) {
        return StreamSupport.stream(list.spliterator(), false).map(each -> each.path(member).asText()).toList();
    }

    private static List<String> texts(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).map(JsonNode::asText).toList();
    }

    private JsonNode get(String path) {
        return json(bridge.get(path));
    }

    private JsonNode post(String path) {
        return json(bridge.post(path));
    }

    private JsonNode json(HttpResponse<String> answer) {
        assertEquals(200, answer.statusCode(), () -> answer.body() + bridge.tail());
        try {
            return JSON.readTree(answer.body());
        } catch (JsonProcessingException e) {
            throw new AssertionError("no JSON: " + answer.body(), e);
        }
    }
}
