package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.LiveFeed;
import io.callbridge.support.TestCall;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the console is told: how things stand, which calls are in progress, what a PBX sends, whether a CRM works, who did what. */
class ConsoleApiIT {

    private static final Duration SOON = Duration.ofSeconds(90);
    private static final String TOKEN = BridgeProcess.ADMIN_TOKEN;
    private static final ObjectMapper JSON = new ObjectMapper();

    private FakeCrm crm;
    private BridgeProcess bridge;

    @BeforeEach
    void start() {
        crm = new FakeCrm();
        bridge = BridgeProcess.builder().quickRetries().crm(crm).start();
    }

    @AfterEach
    void stop() {
        bridge.close();
        crm.close();
    }

    @Test
    void theStatusTellsSinceWhenACrmIsDownAndWhatWaitsForIt() {
        JsonNode quiet = get("/api/status");
        assertEquals("token", quiet.path("who").asText());
        assertFalse(quiet.path("demo").asBoolean(true));
        assertEquals(List.of("main"), texts(quiet.path("pbxs"), "pbx"));
        assertEquals("webhook", quiet.path("pbxs").get(0).path("kinds").get(0).asText());
        assertFalse(quiet.path("pbxs").get(0).has("lastEventAt"), quiet::toString);
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
            assertEquals(0, feed.last("calls").path("calls").size());

            bridge.webhook().accept(List.of(call.dialIn()));
            await("the phone that rings").atMost(SOON).until(() -> feed.last("calls").path("calls").size() == 1);
            JsonNode ringing = feed.last("calls").path("calls").get(0);
            assertEquals(call.callId(), ringing.path("callId").asText());
            assertEquals("in", ringing.path("direction").asText());
            assertEquals(FakeCrm.IVANOV, ringing.path("number").asText());
            assertEquals("anna", ringing.path("legs").get(0).path("user").asText(), ringing::toString);
            assertFalse(ringing.path("legs").get(0).has("answeredAt"), ringing::toString);

            bridge.webhook().accept(List.of(call.answer()));
            await("the talk").atMost(SOON).until(() -> feed.last("calls").path("calls").path(0).path("legs").path(0).has("answeredAt"));

            bridge.webhook().accept(List.of(call.hangup()));
            await("the end").atMost(SOON).until(() -> feed.last("calls").path("calls").isEmpty());
        }
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
        assertFalse(pbx.has("lastEvent") || pbx.has("lastRefusal"), pbx::toString);
        assertEquals(0, pbx.path("unmapped").size());

        TestCall unmapped = TestCall.incoming("777", FakeCrm.IVANOV);
        Map<String, String> last = new HashMap<>(unmapped.hangup());
        last.put("NewFieldOfThePbx", "x");
        bridge.webhook().accept(List.of(unmapped.dialIn(), unmapped.answer(), last));
        assertEquals(404, bridge.webhook("another-secret-0123").send(unmapped.dialIn()).statusCode());
        await("the last event").atMost(SOON)
                .until(() -> get("/api/setup").path("pbxs").get(0).path("lastEvent").path("type").asText().equals("hangup"));
        await("the unmapped extension").atMost(SOON).until(() -> get("/api/setup").path("pbxs").get(0).path("unmapped").size() == 1);

        JsonNode setup = get("/api/setup");
        pbx = setup.path("pbxs").get(0);
        assertEquals("777", pbx.path("unmapped").get(0).path("extension").asText());
        assertEquals(1, pbx.path("unmapped").get(0).path("calls").asInt());
        assertEquals(unmapped.callId(), pbx.path("lastEvent").path("callId").asText());
        assertEquals(Boolean.TRUE, known(pbx, "SubCallID"));
        assertEquals(Boolean.FALSE, known(pbx, "NewFieldOfThePbx"));
        assertEquals(1, setup.path("wrongSecret").path("count").asInt(), setup::toString);
        assertEquals("rest", setup.path("crms").get(0).path("crm").asText());
        assertTrue(texts(setup.path("crms").get(0).path("capabilities")).contains("card"), setup::toString);
    }

    @Test
    void aCrmIsTriedStepByStep() {
        crm.entity("+79000000099", "e9", "Mrs Known", "anna");
        assertCheck(check("?number=%2B7%20900%20000-00-99"), true, "ok ok", "ok ok", "ok ok");
        assertEquals("Mrs Known", check("?number=%2B79000000099").path("steps").get(2).path("found").asText());
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

        assertEquals(404, bridge.post("/api/setup/crms/nobody/check").statusCode());
        assertEquals(400, bridge.post("/api/setup/crms/rest/check?number=12").statusCode());
        assertEquals(0, crm.requests(Kind.CALL).size() + crm.requests(Kind.CARD).size(), "nothing is written");
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
        assertEquals(2, get("/api/deliveries?state=discarded").path("deliveries").size());
        assertEquals(2, post("/api/deliveries/retry?state=discarded&crm=rest").path("retried").asInt());
        bridge.reprocess("?from=2026-01-01&dry-run=true");
        bridge.reprocess("?from=2026-01-01");
        check("");

        JsonNode audit = get("/api/audit").path("entries");
        assertEquals(List.of("check", "reprocess", "retry-all", "discard-all", "discard", "retry"), texts(audit, "action"), audit::toString);
        audit.forEach(entry -> assertEquals("token", entry.path("who").asText()));
        audit.forEach(entry -> Instant.parse(entry.path("at").asText()));
        assertTrue(audit.get(5).path("subject").asText().startsWith("delivery " + id + " (call of call "), audit::toString);
        JsonNode page = get("/api/audit?limit=4");
        assertEquals(List.of("discard", "retry"), texts(get("/api/audit?limit=4&after=" + page.path("next").asText()).path("entries"), "action"));
    }

    @Test
    void aCallIsToldWithItsOutcome() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(call.answered());
        await("the outcome").atMost(SOON).until(() -> get("/api/calls/" + call.callId()).path("outcome").asText().equals("answered"));
        JsonNode told = get("/api/calls/" + call.callId());
        assertEquals(FakeCrm.IVANOV, told.path("number").asText());
        assertEquals(List.of("anna"), texts(told.path("users")));
        assertEquals(1, get("/api/calls?number=8%20(900)%20000-00-10").path("calls").size(), "as people write it");
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
