package io.callbridge;

import static io.callbridge.support.BridgeProcess.lines;
import static io.callbridge.support.BridgeProcess.words;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Scenario;
import io.callbridge.support.SharedBridge;
import io.callbridge.support.TestCall;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLConnection;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What an operator finds and puts right: dead letters, calls that were decided wrongly, calls that are old; and what the console is told:
 * why a call ended up so, how things stand, which calls are in progress, what a PBX sends, whether a CRM works, who did what.
 */
@Tag("native")
@ParameterizedClass
@EnumSource(StoreKind.class)
class OperatorIT {

    private static final int AN_HOUR = 3_600;
    private static final String REFUSAL = "{\"error\":\"no such user\"}";
    private static final int OLD_CALLS = 1_000;
    private static final int FIRST_LINES = 60;

    @AutoClose
    private static BridgeProcess postgres;

    @Parameter
    private StoreKind kind;
    private final Instant begin = Instant.now();
    private FakeCrm crm;
    private BridgeProcess bridge;

    @BeforeEach
    void nothingToDo() {
        if (kind.shared() && postgres == null) {
            postgres = SharedBridge.builder().store(kind).start();
        }
        bridge = kind.shared() ? postgres : SharedBridge.bridge();
        crm = SharedBridge.crm();
        SharedBridge.tidy(bridge);
    }

    @Test
    void aDeadLetterIsFoundLookedAtAndSentAgainWhenTheCrmIsMended() {
        String number = TestCall.newNumber();
        TestCall call = deadLetter("101", number);

        JsonNode letters = bridge.json("/api/deliveries?state=dead&crm=rest").path("deliveries");
        assertEquals(List.of("rest call " + call.legId() + " " + call.callId() + " main dead 1 422 " + REFUSAL),
                lines(letters, "crm operation key callId pbx state attempts lastAttempt/status lastAttempt/answer"));
        assertFalse(letters.get(0).has("nextAt"), letters::toString);
        Instant.parse(letters.get(0).path("createdAt").asText());
        String said = ".*] \\[" + call.callId() + "] .*dead after try 1.*";
        assertTrue(bridge.output().lines().anyMatch(line -> line.matches(said)), bridge::tail);
        String id = letters.get(0).path("id").asText();
        JsonNode whole = bridge.json("/api/deliveries/" + id);
        assertEquals("anna [422]", words(whole, "request/user") + " " + lines(whole.path("attempts"), "status"));
        assertEquals(id + " " + call.legId(), words(bridge.delivery(call.callId(), call.legId()), "id key"));
        awaitThat("the gauge of dead letters", () -> bridge.metric("callbridge_outbox", "crm=\"rest\"", "state=\"dead\"") == 1);
        assertEquals(0, bridge.metric("callbridge_outbox", "crm=\"rest\"", "state=\"pending\""));
        assertTrue(bridge.get("/q/metrics").body().contains("\ncallbridge_store_waiting "), "the gauge of waiting writes");

        crm.behave();
        crm.entity(number, "new", "New", "anna");
        assertEquals("pending", post("/api/deliveries/" + id + "/retry", "state"));
        crm.awaitCall(call);
        awaitThat("confirmation", () -> words(bridge.json("/api/deliveries/" + id), "state").equals("delivered"));
        assertEquals(2, bridge.json("/api/deliveries/" + id).path("attempts").size());
        assertEquals("new", crm.requests(Kind.CALL, call.legId()).get(1).body().path("entity").path("id").asText(),
                "who the caller is, is asked again");
        assertRefused(409, bridge.post("/api/deliveries/" + id + "/retry"), "delivered");
        assertRefused(409, bridge.post("/api/deliveries/" + id + "/discard"), "delivered");
        assertEquals(0, bridge.json("/api/deliveries?state=dead").path("deliveries").size());
    }

    @Test
    void whatIsDiscardedStaysAwayUntilItIsRetried() {
        TestCall dead = deadLetter("101", FakeCrm.IVANOV);
        crm.down();
        TestCall waiting = TestCall.incoming("102", FakeCrm.PETROVA);
        bridge.webhook().accept(waiting.answered());
        awaitThat("the registration that waits", () -> registration(waiting, "pending") != null);
        Instant.parse(registration(waiting, "pending").path("nextAt").asText());

        for (TestCall call : List.of(dead, waiting)) {
            long id = registration(call, call == dead ? "dead" : "pending").path("id").asLong();
            assertEquals("discarded", post("/api/deliveries/" + id + "/discard", "state"));
            assertRefused(409, bridge.post("/api/deliveries/" + id + "/discard"), "discarded");
        }
        crm.behave();
        crm.up();
        TestCall next = TestCall.incoming("103", FakeCrm.IVANOV);
        bridge.webhook().accept(next.answered());
        crm.awaitCall(next);
        assertFalse(crm.has(Kind.CALL, dead.legId()) || crm.has(Kind.CALL, waiting.legId()), "discarded ones were sent");

        post("/api/deliveries/" + registration(waiting, "discarded").path("id").asLong() + "/retry", "state");
        crm.awaitCall(waiting);
    }

    /** Nobody who has just mended a CRM waits an hour for the next try, though that was what the CRM had asked for. */
    @Test
    void whatWaitsIsSentAtOnceWhenSomebodyWantsItAndWhatIsBeforeItToo() {
        TestCall first = refused(Answer.status(503).retryAfter(AN_HOUR), "failing", "101", FakeCrm.IVANOV);
        TestCall second = first.alsoRinging("102");
        bridge.webhook().accept(second.answered());
        awaitThat("the second, which waits", () -> registration(second, "pending") != null);
        assertTrue(Instant.parse(registration(first, "failing").path("nextAt").asText()).isAfter(begin.plusSeconds(600)), "it would wait");
        crm.behave();
        long id = registration(second, "pending").path("id").asLong();
        assertEquals("pending", post("/api/deliveries/" + id + "/retry", "state"));
        awaitThat("both registrations", () -> registration(first, "delivered") != null && registration(second, "delivered") != null);
        assertEquals(2, registration(first, "delivered").path("attempts").asInt(), "its tries go on from where they were");
    }

    @ParameterizedTest
    @CsvSource({"429, failing, failing", "429, failing, pending", "422, dead, dead"})
    void allThatWaitsOrIsDeadIsSentAtOnceWhenSomebodyWantsIt(int status, String is, String wanted) {
        List<TestCall> calls = Stream.of("101", "102", "103")
                .map(extension -> refused(Answer.status(status).retryAfter(AN_HOUR), is, extension, FakeCrm.IVANOV)).toList();
        crm.behave();
        assertEquals(is.equals("dead") ? "3" : "0", words(bridge.json("/api/deliveries?limit=1&state=dead"), "total"), "told before");
        assertFalse(bridge.json("/api/deliveries").path("deliveries").isEmpty(), "of any state");
        assertEquals("0", post("/api/deliveries/retry?state=dropped", "retried"));
        assertEquals("3", post("/api/deliveries/retry?crm=rest&state=" + wanted, "retried"));
        calls.forEach(call -> awaitThat("the registration of " + call, () -> registration(call, "delivered") != null));
        calls.forEach(call -> assertEquals(2, crm.requests(Kind.CALL, call.legId()).size(), "one failed, one taken"));
        assertEquals("0", post("/api/deliveries/retry?state=" + wanted, "retried"));
    }

    @Test
    void listsComeInPagesNewestFirst() {
        List<TestCall> calls = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            calls.add(0, delivered("101", TestCall.newNumber()));
        }
        List<JsonNode> all = pages("/api/deliveries?state=delivered&crm=rest&limit=4", "deliveries", 4);
        List<Long> ids = all.stream().map(line -> line.path("id").asLong()).toList();
        assertEquals(ids.stream().distinct().sorted(Comparator.reverseOrder()).toList(), ids);
        assertEquals(calls.stream().map(TestCall::legId).toList(), all.stream()
                .filter(line -> line.path("operation").asText().equals("call")).map(line -> line.path("key").asText()).limit(7).toList());
        for (int limit : new int[] {3, 7}) {
            List<JsonNode> found = pages("/api/calls?from=" + begin + "&limit=" + limit, "calls", limit);
            assertEquals(calls.stream().map(TestCall::callId).toList(), found.stream().map(line -> words(line, "callId")).toList());
        }
    }

    @Test
    void callsAreFoundByWhatTheyWere() {
        TestCall answered = TestCall.incoming("101", "+79000000088");
        TestCall missed = TestCall.incoming("102", FakeCrm.PETROVA);
        TestCall ringing = TestCall.incoming("103", "+79000000089");
        Scenario local = Scenario.of("S29").asAnotherCall(1);
        String localId = local.events().get(0).fields().get("CallID");
        bridge.webhook().accept(answered.answered());
        bridge.webhook().accept(missed.missed());
        bridge.webhook().accept(local.events().stream().map(Scenario.Event::fields).toList());
        bridge.webhook().accept(List.of(ringing.dialIn()));
        awaitThat("the missed call", () -> found("outcome=missed").contains(missed.callId()));
        awaitThat("the local call", () -> found("outcome=local").contains(localId));
        JsonNode why = bridge.call(localId);
        assertTrue(why.path("decisions").toString().matches(".*\"R(12|29)\".*local call.*"), why::toString);
        assertEquals("2 0", why.path("legs").size() + " " + why.path("deliveries").size(), why::toString);

        // A plus sign that was not encoded; a number as it is dialled in the PBX's country.
        for (String query : List.of("outcome=answered", "number=%2B79000000088", "number=+79000000088", "number=89000000088",
                "number=%2B79000000088&to=2099-01-01")) {
            assertEquals(List.of(answered.callId()), found(query), query);
        }
        assertEquals(List.of(missed.callId()), found("extension=102&user=boris&outcome=missed"));
        assertEquals(List.of(localId), found("outcome=local"));
        assertEquals(List.of(ringing.callId()), found("outcome=open"));
        assertEquals(List.of(ringing.callId()), found("user=clara"));
        assertEquals(4, found("").size());
        assertEquals(List.of(), found("user=clara&outcome=answered"));
        assertEquals(List.of(), found("to=" + begin));
        JsonNode line = bridge.json("/api/calls?number=%2B79000000088").path("calls").get(0);
        assertEquals("101 anna +79000000088", words(line, "extensions/0 users/0 number"));
        assertFalse(Instant.parse(line.path("lastAt").asText()).isBefore(Instant.parse(line.path("firstAt").asText())), line::toString);

        bridge.webhook().accept(List.of(ringing.answer(), ringing.hangup()));
        awaitThat("the end of the call that rang", () -> found("outcome=answered").contains(ringing.callId()));
        assertEquals(List.of(), found("outcome=open"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "400 | GET  | /api/deliveries?state=lost                       | state; 'lost'; pending, failing, dead",
        "400 | GET  | /api/deliveries?crm=other                        | crm; 'other'; rest",
        "400 | GET  | /api/deliveries?limit=0                          | limit; '0'; from 1 to 500",
        "400 | GET  | /api/deliveries?limit=501                        | limit; '501'; from 1 to 500",
        "400 | GET  | /api/deliveries?after=x                          | after; 'x'; whole number",
        "400 | GET  | /api/deliveries?page=2                           | page; state, crm, limit, after",
        "400 | GET  | /api/deliveries?state=dead&state=pending         | state; twice",
        "404 | GET  | /api/deliveries/4711                             | 4711",
        "404 | GET  | /api/deliveries/x                                | x",
        "404 | POST | /api/deliveries/4711/retry                       | 4711",
        "404 | POST | /api/deliveries/4711/discard                     | 4711",
        "400 | POST | /api/deliveries/retry?state=delivered            | state; 'delivered'; pending, failing, dead, discarded, dropped",
        "400 | GET  | /api/calls?outcome=lost                          | outcome; 'lost'; answered, missed",
        "400 | GET  | /api/calls?from=yesterday                        | from; 'yesterday'; 2026-03-04",
        "400 | GET  | /api/calls?after=7                               | after; '7'; next",
        "400 | POST | /api/calls/reprocess                             | from; missing",
        "400 | POST | /api/calls/reprocess?from=2026-03-04&dry-run=yes | dry-run; 'yes'; true, false",
        "400 | POST | /api/calls/reprocess?from=2026-03-04&dryrun=true | dryrun; dry-run"})
    void whatCannotBeReadIsRefusedInOneLine(int status, String method, String path, String words) {
        assertRefused(status, method.equals("GET") ? bridge.get(path) : bridge.post(path), words.split("; "));
    }

    @Test
    void aRegistrationThatIsMissingIsMadeOnceByAReprocess() throws SQLException {
        TestCall lost = delivered("101", FakeCrm.IVANOV);
        TestCall kept = delivered("102", FakeCrm.PETROVA);
        forget(bridge, lost);
        JsonNode dryRun = bridge.reprocess("?dry-run=true&from=" + begin);
        assertEquals("true done 2 of 2, missing 1, different 0, created 0, failed 0", ReprocessIT.result(dryRun));
        assertEquals("missing " + lost.callId() + " call " + lost.legId() + " anna", ReprocessIT.difference(dryRun.path("differences").get(0)));
        assertEquals(1, crm.requests(Kind.CALL, lost.legId()).size(), "a dry run sends nothing");
        assertEquals("false done 2 of 2, missing 1, different 0, created 1, failed 0", ReprocessIT.result(bridge.reprocess("?from=" + begin)));
        awaitThat("the registration", () -> registration(lost, "delivered") != null);
        assertEquals("false done 2 of 2, missing 0, different 0, created 0, failed 0", ReprocessIT.result(bridge.reprocess("?from=" + begin)));
        assertEquals("2 1", crm.requests(Kind.CALL, lost.legId()).size() + " " + crm.requests(Kind.CALL, kept.legId()).size());
        JsonNode other = bridge.reprocess("?from=2020-01-01&to=2020-01-02");
        assertEquals("false done 0 of 0, missing 0, different 0, created 0, failed 0", ReprocessIT.result(other));
        assertEquals("2020-01-01T00:00:00Z 2020-01-03T00:00:00Z", words(other, "from to"));
        assertTrue(Instant.parse(dryRun.path("to").asText()).isBefore(Instant.now()), "without an end it ends now");
    }

    /** As if a registration had never been decided. */
    static void forget(BridgeProcess bridge, TestCall call) throws SQLException {
        String its = "id = '" + call.legId() + "' and operation = 'call'";
        try (Connection store = connection(bridge)) {
            execute(store, "delete from delivery where " + its);
        }
    }

    @Test
    void oldCallsGoButNothingThatIsToBeDone() throws SQLException {
        double before = bridge.metric("callbridge_purged_calls_total");
        TestCall done = delivered("101", FakeCrm.IVANOV);
        TestCall dead = deadLetter("102", FakeCrm.IVANOV);
        crm.down();
        TestCall waiting = TestCall.incoming("103", FakeCrm.IVANOV);
        bridge.webhook().accept(waiting.answered());
        awaitThat("the registration that waits", () -> registration(waiting, "pending") != null);
        TestCall now = TestCall.incoming("104", FakeCrm.PETROVA);
        try (Connection store = connection(bridge)) {
            String old = "with recursive n(i) as (select 1 union all select i + 1 from n where i < " + OLD_CALLS + ") ";
            execute(store, old + "insert into call (pbx, call_id, version, first_at, last_at, outcome, open_legs, parties, document)"
                    + " select 'main', 'old-' || i, 1, 1000, 1000, 'local', 0, '{}', '{}' from n");
            for (TestCall call : List.of(done, dead, waiting)) {
                execute(store, "update call set first_at = 1000, last_at = 1000 where call_id = '" + call.callId() + "'");
            }
            for (int i = 0; i < 50 || bridge.metric("callbridge_purged_calls_total") - before < OLD_CALLS + 1; i++) {
                assertTimeout(Duration.ofSeconds(15), () -> bridge.webhook().accept(List.of(now.dialIn())), "the webhook waited");
                assertTrue(i < 10_000, () -> "purged " + (bridge.metric("callbridge_purged_calls_total") - before));
            }
            awaitThat("the end of what is done", () -> bridge.get("/api/calls/" + done.callId()).statusCode() == 404);
            for (String table : List.of("call", "call_part", "delivery")) {
                assertNone(store, table + " where call_id = '" + done.callId() + "'");
            }
            assertNone(store, "call where call_id like 'old-%'");
        }
        assertTrue(registration(dead, "dead") != null && registration(waiting, "pending") != null);

        crm.behave();
        crm.up();
        bridge.webhook().accept(List.of(now.givenUp()));
        crm.awaitCall(waiting);
        awaitThat("its end", () -> bridge.get("/api/calls/" + waiting.callId()).statusCode() == 404);
        assertEquals(200, bridge.get("/api/calls/" + dead.callId()).statusCode());
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
        awaitThat("the CRM that is down", () -> {
            JsonNode rest = bridge.json("/api/status").path("crms").get(0);
            return rest.path("state").asText().equals("down") && rest.path("waiting").asInt() >= 4 && rest.path("failing").asInt() >= 1;
        });
        JsonNode down = bridge.json("/api/status");
        for (String time : List.of("crms/0/since", "crms/0/oldestWaitingAt", "pbxs/0/lastEventAt")) {
            assertFalse(Instant.parse(words(down, time)).isBefore(before), down::toString);
        }
        JsonNode failing = bridge.json("/api/deliveries?state=failing").path("deliveries");
        assertTrue(failing.size() >= 1, failing::toString);
        failing.forEach(line -> assertTrue(words(line, "state attempts").matches("pending [1-9].*"), line::toString));

        crm.up();
        awaitThat("the CRM that is back", () -> words(bridge.json("/api/status"), "crms/0/state crms/0/waiting").equals("up 0"));
    }

    @Test
    void aCallIsLiveWhileItLasts() throws IOException {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        URLConnection feed = URI.create("http://127.0.0.1:" + bridge.port() + "/api/live").toURL().openConnection();
        feed.setRequestProperty("Authorization", "Bearer " + BridgeProcess.ADMIN_TOKEN);
        assertTimeoutPreemptively(Duration.ofSeconds(90), () -> {
            try (BufferedReader events = new BufferedReader(new InputStreamReader(feed.getInputStream(), StandardCharsets.UTF_8))) {
                assertTrue(events.lines().anyMatch(line -> line.matches("data: .*\"pbxs\":\\[\\{.*")), "the status");
                bridge.webhook().accept(List.of(call.dialIn()));
                assertEquals("in " + FakeCrm.IVANOV + " anna ", live(events, call, "callId"), "the phone that rings");
                bridge.webhook().accept(List.of(call.answer()));
                live(events, call, "answeredAt");
                bridge.webhook().accept(List.of(call.hangup()));
                assertTrue(events.lines().anyMatch(line -> line.startsWith("data: {\"more\"") && !line.contains(call.callId())), "the end");
            }
        });
    }

    /** What is told of a call when this is told of it. */
    private static String live(BufferedReader events, TestCall call, String member) throws IOException {
        String told = events.lines().filter(line -> line.contains(call.callId()) && line.contains(member)).findFirst().orElseThrow();
        return StreamSupport.stream(new ObjectMapper().readTree(told.substring("data: ".length())).path("calls").spliterator(), false)
                .filter(each -> words(each, "callId").equals(call.callId())).findFirst()
                .map(each -> words(each, "direction number legs/0/user legs/0/answeredAt")).orElseThrow();
    }

    @Test
    void theSetUpShowsWhatAPbxSendsAndWhomNobodyKnows() {
        assertEquals("/pbx/***/events", words(bridge.json("/api/setup"), "pbxs/0/webhook"));
        assertFalse(bridge.get("/api/setup").body().contains(bridge.secret()), "the secret is for who wants to see it");
        assertEquals(bridge.webhook().path(), post("/api/setup/pbxs/main/webhook", "webhook"));
        assertEquals("show-webhook PBX main", words(bridge.json("/api/audit"), "entries/0/action entries/0/subject"));
        assertEquals(404, bridge.post("/api/setup/pbxs/other/webhook").statusCode());
        int wrong = bridge.json("/api/setup").at("/wrongSecret/count").asInt();

        TestCall unmapped = TestCall.incoming("666", FakeCrm.IVANOV);
        Map<String, String> last = new HashMap<>(unmapped.hangup());
        last.put("NewFieldOfThePbx", "x");
        bridge.webhook().accept(List.of(unmapped.dialIn(), unmapped.answer(), last));
        assertEquals(404, bridge.webhook("another-secret-0123").send(unmapped.dialIn()).statusCode());
        awaitThat("the unmapped extension",
                () -> lines(bridge.json("/api/setup").at("/pbxs/0/unmapped"), "extension calls").contains("666 1"));

        JsonNode setup = bridge.json("/api/setup");
        assertEquals("hangup " + unmapped.callId() + " rest", words(setup, "pbxs/0/lastEvent/type pbxs/0/lastEvent/callId crms/0/crm"));
        assertTrue(lines(setup.at("/pbxs/0/lastEvent/fields"), "name known")
                .containsAll(List.of("SubCallID true", "NewFieldOfThePbx false")), setup::toString);
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
        deadLetter("101", FakeCrm.IVANOV);
        deadLetter("102", FakeCrm.IVANOV);
        String id = words(bridge.json("/api/deliveries?state=dead"), "deliveries/0/id");

        assertEquals(200, bridge.post("/api/deliveries/" + id + "/retry").statusCode());
        awaitThat("dead again", () -> bridge.json("/api/deliveries?state=dead").path("deliveries").size() == 2);
        assertEquals(200, bridge.post("/api/deliveries/" + id + "/discard").statusCode());
        assertEquals(409, bridge.post("/api/deliveries/" + id + "/discard").statusCode(), "and is no act");
        assertEquals("1", post("/api/deliveries/discard", "discarded"));
        crm.behave();
        assertTrue(Integer.parseInt(post("/api/deliveries/retry?state=discarded&crm=rest", "retried")) >= 2);
        bridge.reprocess("?from=2099-01-01&dry-run=true");
        bridge.reprocess("?from=2099-01-01");
        post("/api/setup/crms/rest/check", "ok");

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
        awaitThat("confirmation", () -> words(bridge.call(call.callId()), "outcome").equals("answered")
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

    /** The raw fields as they came, in the order of their arrival. */
    private static void assertEvents(List<Map<String, String>> sent, JsonNode events) {
        assertEquals(sent.stream().map(event -> event.get("EventType")).toList(), lines(events, "type"));
        IntStream.range(0, sent.size()).forEach(i -> sent.get(i).forEach((name, value) ->
                assertEquals(value, words(events, i + "/fields/" + name), name)));
        List<Instant> arrived = lines(events, "arrivedAt").stream().map(Instant::parse).toList();
        assertEquals(arrived.stream().sorted().toList(), arrived);
    }

    private void answers(Answer answer) {
        crm.behave();
        crm.on("GET", "/entities.*", answer);
    }

    /** @param lookup with what it has found, or with what is said about it, if that matters */
    private void assertCheck(String query, String ok, String address, String authorisation, String lookup) {
        JsonNode check = bridge.json(bridge.post("/api/setup/crms/rest/check" + query));
        assertEquals(ok, words(check, "ok"), check::toString);
        assertEquals(List.of("address " + address, "authorisation " + authorisation),
                lines(check.path("steps"), "step result code").subList(0, 2));
        String told = words(check, "steps/2/step steps/2/result steps/2/code steps/2/detail steps/2/found");
        assertTrue(told.startsWith("lookup " + lookup) && told.contains("Mrs Known") == lookup.contains("Mrs Known"), check::toString);
    }

    private static Connection connection(BridgeProcess bridge) throws SQLException {
        Connection store = DriverManager.getConnection(bridge.storeUrl());
        if (bridge.storeUrl().startsWith("jdbc:sqlite:")) {
            execute(store, "pragma busy_timeout = 30000");
        }
        return store;
    }

    private static void execute(Connection store, String sql) throws SQLException {
        store.createStatement().execute(sql);
    }

    private static void assertNone(Connection store, String rows) throws SQLException {
        assertFalse(store.createStatement().executeQuery("select * from " + rows).next(), rows);
    }

    private TestCall delivered(String extension, String caller) {
        TestCall call = TestCall.incoming(extension, caller);
        bridge.webhook().accept(call.answered());
        awaitThat("the registration of " + call, () -> registration(call, "delivered") != null);
        return call;
    }

    private TestCall deadLetter(String extension, String caller) {
        return refused(Answer.status(422).body(REFUSAL), "dead", extension, caller);
    }

    /** An answered call whose registration the CRM refuses so, as all others from now on. */
    private TestCall refused(Answer answer, String state, String extension, String caller) {
        crm.on("PUT", "/calls/.*", answer);
        TestCall call = TestCall.incoming(extension, caller);
        bridge.webhook().accept(call.answered());
        awaitThat(state + ": " + call, () -> registration(call, state) != null);
        return call;
    }

    /** The line of a call's registration in the list of a state, {@code null} if it is not there. */
    private JsonNode registration(TestCall call, String state) {
        return pages("/api/deliveries?state=" + state + "&limit=500", "deliveries", 500).stream()
                .filter(line -> words(line, "operation key").equals("call " + call.legId())).findFirst().orElse(null);
    }

    /** Of those that came since this test began. */
    private List<String> found(String query) {
        return lines(bridge.json("/api/calls?from=" + begin + "&" + query).path("calls"), "callId");
    }

    /** The lines of the first pages of a list that is longer than a page, or just as long. */
    private List<JsonNode> pages(String path, String list, int limit) {
        List<JsonNode> lines = new ArrayList<>();
        JsonNode page = bridge.json(path);
        while (page.has("next") && lines.size() < FIRST_LINES) {
            assertEquals(limit, page.path(list).size());
            page.path(list).forEach(lines::add);
            page = bridge.json(path + "&after=" + page.path("next").asText());
            assertTrue(page.path(list).size() > 0, "an empty page after a full one");
        }
        assertTrue(page.path(list).size() <= limit, page::toString);
        page.path(list).forEach(lines::add);
        return lines;
    }

    private static void assertRefused(int status, HttpResponse<String> answer, String... words) {
        assertEquals(status, answer.statusCode(), answer.body());
        assertEquals(1, answer.body().strip().lines().count(), answer.body());
        Stream.of(words).forEach(word -> assertTrue(answer.body().contains(word), answer.body()));
    }

    private String post(String path, String members) {
        return words(bridge.json(bridge.post(path)), members);
    }

    private void awaitThat(String what, Callable<Boolean> condition) {
        try {
            await(what).pollInterval(Duration.ofMillis(50)).until(condition);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("did not happen: " + what + "\n--- received ---\n" + crm.requests() + bridge.tail(), e);
        }
    }
}
