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
import io.callbridge.support.Scenario;
import io.callbridge.support.SharedBridge;
import io.callbridge.support.TestCall;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an operator finds and puts right: dead letters, calls that were decided wrongly, calls that are old. */
class OperatorIT {

    private static final Duration SOON = Duration.ofSeconds(90);
    private static final int AN_HOUR = 3_600;
    private static final String REFUSAL = "{\"error\":\"no such user\"}";
    private static final int OLD_CALLS = 1_000;
    private static final int FIRST_LINES = 60;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Instant begin = Instant.now();
    private FakeCrm crm;
    private BridgeProcess bridge;

    BridgeProcess bridge() {
        return SharedBridge.bridge();
    }

    @BeforeEach
    void nothingToDo() {
        bridge = bridge();
        crm = SharedBridge.crm();
        SharedBridge.tidy(bridge);
    }

    @Test
    void aDeadLetterIsFoundLookedAtAndSentAgainWhenTheCrmIsMended() {
        String number = TestCall.newNumber();
        TestCall call = deadLetter("101", number);

        JsonNode letters = list("/api/deliveries?state=dead&crm=rest", "deliveries");
        assertEquals(1, letters.size(), letters::toString);
        JsonNode letter = letters.get(0);
        long id = letter.path("id").asLong();
        assertEquals("rest", letter.path("crm").asText());
        assertEquals("call", letter.path("operation").asText());
        assertEquals(call.legId(), letter.path("key").asText());
        assertEquals(call.callId(), letter.path("callId").asText());
        assertEquals("main", letter.path("pbx").asText());
        assertEquals("dead", letter.path("state").asText());
        assertEquals(1, letter.path("attempts").asInt());
        assertEquals(422, letter.path("lastAttempt").path("status").asInt());
        assertEquals(REFUSAL, letter.path("lastAttempt").path("answer").asText());
        assertFalse(letter.has("nextAt"), letter::toString);
        Instant.parse(letter.path("createdAt").asText());
        JsonNode whole = get("/api/deliveries/" + id);
        assertEquals("anna", whole.path("request").path("user").asText());
        assertEquals(1, whole.path("attempts").size());
        assertEquals(422, whole.path("attempts").get(0).path("status").asInt());
        JsonNode explained = bridge.delivery(call.callId(), call.legId());
        assertEquals(id, explained.path("deliveryId").asLong(), explained::toString);
        assertEquals(call.legId(), explained.path("key").asText(), explained::toString);
        awaitThat("the gauge of dead letters", () -> bridge.metric("callbridge_outbox", "crm=\"rest\"", "state=\"dead\"") == 1);
        assertEquals(0, bridge.metric("callbridge_outbox", "crm=\"rest\"", "state=\"pending\""));
        assertTrue(bridge.get("/q/metrics").body().contains("\ncallbridge_store_waiting "), "the gauge of waiting writes");

        crm.behave();
        crm.entity(number, "new", "New", "anna");
        assertEquals("pending", post("/api/deliveries/" + id + "/retry").path("state").asText());
        awaitThat("the registration", () -> crm.has(Kind.CALL, call.legId()));
        awaitThat("confirmation", () -> get("/api/deliveries/" + id).path("state").asText().equals("delivered"));
        assertEquals(2, get("/api/deliveries/" + id).path("attempts").size());
        assertEquals("new", crm.requests(Kind.CALL, call.legId()).get(1).body().path("entity").path("id").asText(),
                "who the caller is, is asked again");
        assertRefused(409, bridge.post("/api/deliveries/" + id + "/retry"), "delivered");
        assertRefused(409, bridge.post("/api/deliveries/" + id + "/discard"), "delivered");
        assertEquals(0, list("/api/deliveries?state=dead", "deliveries").size());
    }

    @Test
    void allDeadLettersAreSentAgainWhenTheCrmIsMended() {
        List<TestCall> calls = Stream.of("101", "102", "103").map(extension -> deadLetter(extension, FakeCrm.IVANOV)).toList();

        crm.behave();
        assertEquals(calls.size(), get("/api/deliveries?state=dead&limit=1").path("total").asInt(), "what is told before all are retried");
        assertFalse(list("/api/deliveries", "deliveries").isEmpty(), "of any state");
        assertEquals(calls.size(), post("/api/deliveries/retry?state=dead&crm=rest").path("retried").asInt());
        calls.forEach(call -> awaitThat("the registration of " + call, () -> crm.has(Kind.CALL, call.legId())));
        awaitThat("no dead letter", () -> list("/api/deliveries?state=dead", "deliveries").isEmpty());
        assertEquals(0, post("/api/deliveries/retry").path("retried").asInt());
        calls.forEach(call -> assertEquals(2, crm.requests(Kind.CALL, call.legId()).size(), "one refused, one taken"));
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
            assertEquals("discarded", post("/api/deliveries/" + id + "/discard").path("state").asText());
            assertRefused(409, bridge.post("/api/deliveries/" + id + "/discard"), "discarded");
        }
        crm.behave();
        crm.up();
        TestCall next = TestCall.incoming("103", FakeCrm.IVANOV);
        bridge.webhook().accept(next.answered());
        awaitThat("the next call", () -> crm.has(Kind.CALL, next.legId()));
        assertFalse(crm.has(Kind.CALL, dead.legId()) || crm.has(Kind.CALL, waiting.legId()), "discarded ones were sent");

        post("/api/deliveries/" + registration(waiting, "discarded").path("id").asLong() + "/retry");
        awaitThat("the one that was retried", () -> crm.has(Kind.CALL, waiting.legId()));
    }

    /** Nobody who has just mended a CRM waits an hour for the next try, though that was what the CRM had asked for. */
    @Test
    void whatWaitsIsSentAtOnceWhenSomebodyWantsItAndWhatIsBeforeItToo() {
        crm.on("PUT", "/calls/.*", Answer.status(503).retryAfter(AN_HOUR));
        TestCall first = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall second = first.alsoRinging("102");
        failing(first);
        bridge.webhook().accept(second.answered());
        awaitThat("the second, which waits", () -> registration(second, "pending") != null);
        assertTrue(Instant.parse(registration(first, "failing").path("nextAt").asText()).isAfter(begin.plusSeconds(600)), "it would wait");
        crm.behave();
        long id = registration(second, "pending").path("id").asLong();
        assertEquals("pending", post("/api/deliveries/" + id + "/retry").path("state").asText());
        awaitThat("both registrations", () -> registration(first, "delivered") != null && registration(second, "delivered") != null);
        assertEquals(2, registration(first, "delivered").path("attempts").asInt(), "its tries go on from where they were");
    }

    @ParameterizedTest
    @ValueSource(strings = {"failing", "pending"})
    void allThatWaitsIsSentAtOnceWhenSomebodyWantsIt(String state) {
        crm.on("PUT", "/calls/.*", Answer.status(429).retryAfter(AN_HOUR));
        List<TestCall> calls = Stream.of("101", "102", "103").map(extension -> TestCall.incoming(extension, FakeCrm.IVANOV)).toList();
        calls.forEach(this::failing);
        crm.behave();
        assertEquals(0, post("/api/deliveries/retry?state=dropped").path("retried").asInt());
        assertEquals(3, post("/api/deliveries/retry?crm=rest&state=" + state).path("retried").asInt());
        calls.forEach(call -> awaitThat("the registration of " + call, () -> registration(call, "delivered") != null));
        calls.forEach(call -> assertEquals(2, crm.requests(Kind.CALL, call.legId()).size(), "one failed, one taken"));
        assertEquals(0, post("/api/deliveries/retry?state=" + state).path("retried").asInt());
    }

    /** Until the registration of an answered call has failed once. */
    private void failing(TestCall call) {
        bridge.webhook().accept(call.answered());
        awaitThat("the failure of " + call, () -> registration(call, "failing") != null);
    }

    @Test
    void listsComeInPagesNewestFirst() {
        List<TestCall> calls = IntStream.range(0, 7).mapToObj(i -> TestCall.incoming("101", TestCall.newNumber())).toList();
        calls.forEach(call -> {
            bridge.webhook().accept(call.answered());
            awaitThat("the registration of " + call, () -> registration(call, "delivered") != null);
        });
        List<TestCall> newestFirst = IntStream.range(0, 7).mapToObj(i -> calls.get(6 - i)).toList();

        List<JsonNode> lines = pages("/api/deliveries?state=delivered&crm=rest&limit=4", "deliveries", 4);
        List<Long> ids = lines.stream().map(line -> line.path("id").asLong()).toList();
        assertEquals(ids.stream().distinct().sorted(Comparator.reverseOrder()).toList(), ids);
        assertEquals(newestFirst.stream().map(TestCall::legId).toList(), lines.stream()
                .filter(line -> line.path("operation").asText().equals("call")).map(line -> line.path("key").asText()).limit(7).toList());
        for (int limit : new int[] {3, 7}) {
            assertEquals(newestFirst.stream().map(TestCall::callId).toList(), pages("/api/calls?from=" + begin + "&limit=" + limit, "calls", limit)
                    .stream().map(line -> line.path("callId").asText()).toList());
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

        assertEquals(List.of(answered.callId()), found("outcome=answered"));
        assertEquals(List.of(missed.callId()), found("outcome=missed"));
        assertEquals(List.of(localId), found("outcome=local"));
        assertEquals(List.of(ringing.callId()), found("outcome=open"));
        assertEquals(List.of(answered.callId()), found("number=%2B79000000088"));
        assertEquals(List.of(answered.callId()), found("number=+79000000088"), "a plus sign that was not encoded");
        assertEquals(List.of(answered.callId()), found("number=89000000088"), "as it is dialled in the PBX's country");
        assertEquals(List.of(missed.callId()), found("extension=102&user=boris&outcome=missed"));
        assertEquals(List.of(ringing.callId()), found("user=clara"));
        assertEquals(List.of(), found("user=clara&outcome=answered"));
        assertEquals(4, found("").size());
        assertEquals(List.of(), found("to=" + begin));
        assertEquals(List.of(answered.callId()), found("number=%2B79000000088&to=2099-01-01"));
        JsonNode line = list("/api/calls?number=%2B79000000088", "calls").get(0);
        assertEquals(JSON.createArrayNode().add("101"), line.path("extensions"));
        assertEquals(JSON.createArrayNode().add("anna"), line.path("users"));
        assertEquals("+79000000088", line.path("number").asText());
        assertFalse(Instant.parse(line.path("lastAt").asText()).isBefore(Instant.parse(line.path("firstAt").asText())), line::toString);

        bridge.webhook().accept(List.of(ringing.answer(), ringing.hangup()));
        awaitThat("the end of the call that rang", () -> found("outcome=answered").contains(ringing.callId()));
        assertEquals(List.of(), found("outcome=open"));
    }

    @TestFactory
    Stream<DynamicTest> whatCannotBeReadIsRefusedInOneLine() {
        return Stream.of(
                refused(400, "GET", "/api/deliveries?state=lost", "state", "'lost'", "pending, failing, dead"),
                refused(400, "GET", "/api/deliveries?crm=other", "crm", "'other'", "rest"),
                refused(400, "GET", "/api/deliveries?limit=0", "limit", "'0'", "from 1 to 500"),
                refused(400, "GET", "/api/deliveries?limit=501", "limit", "'501'", "from 1 to 500"),
                refused(400, "GET", "/api/deliveries?after=x", "after", "'x'", "whole number"),
                refused(400, "GET", "/api/deliveries?page=2", "page", "state, crm, limit, after"),
                refused(400, "GET", "/api/deliveries?state=dead&state=pending", "state", "twice"),
                refused(404, "GET", "/api/deliveries/4711", "4711"),
                refused(404, "GET", "/api/deliveries/x", "x"),
                refused(404, "POST", "/api/deliveries/4711/retry", "4711"),
                refused(404, "POST", "/api/deliveries/4711/discard", "4711"),
                refused(400, "POST", "/api/deliveries/retry?state=delivered", "state", "'delivered'", "pending, failing, dead, discarded, dropped"),
                refused(400, "GET", "/api/calls?outcome=lost", "outcome", "'lost'", "answered, missed"),
                refused(400, "GET", "/api/calls?from=yesterday", "from", "'yesterday'", "2026-03-04"),
                refused(400, "GET", "/api/calls?after=7", "after", "'7'", "next"),
                refused(400, "POST", "/api/calls/reprocess", "from", "missing"),
                refused(400, "POST", "/api/calls/reprocess?from=2026-03-04&dry-run=yes", "dry-run", "'yes'", "true, false"),
                refused(400, "POST", "/api/calls/reprocess?from=2026-03-04&dryrun=true", "dryrun", "dry-run"));
    }

    @Test
    void aRegistrationThatIsMissingIsMadeOnceByAReprocess() throws SQLException {
        TestCall lost = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall kept = TestCall.incoming("102", FakeCrm.PETROVA);
        List.of(lost, kept).forEach(call -> {
            bridge.webhook().accept(call.answered());
            awaitThat("the registration", () -> registration(call, "delivered") != null);
        });
        try (Connection store = connection()) {
            for (String table : List.of("attempt where delivery in (select seq from delivery where id = '%s' and operation = 'call')",
                    "delivery where id = '%s' and operation = 'call'")) {
                store.createStatement().executeUpdate("delete from " + table.formatted(lost.legId()));
            }
        }
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
        assertEquals("2020-01-01T00:00:00Z 2020-01-03T00:00:00Z", other.path("from").asText() + " " + other.path("to").asText());
        assertTrue(Instant.parse(dryRun.path("to").asText()).isBefore(Instant.now()), "without an end it ends now");
    }

    @Test
    void oldCallsGoButNothingThatIsToBeDone() throws SQLException {
        double before = bridge.metric("callbridge_purged_calls_total");
        TestCall done = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(done.answered());
        awaitThat("the registration", () -> registration(done, "delivered") != null);
        TestCall dead = deadLetter("102", FakeCrm.IVANOV);
        crm.down();
        TestCall waiting = TestCall.incoming("103", FakeCrm.IVANOV);
        bridge.webhook().accept(waiting.answered());
        awaitThat("the registration that waits", () -> registration(waiting, "pending") != null);
        TestCall now = TestCall.incoming("104", FakeCrm.PETROVA);
        try (Connection connection = connection()) {
            addOldCalls(connection);
            for (TestCall call : List.of(done, dead, waiting)) {
                // Also what a look that is still due goes by.
                connection.createStatement().executeUpdate("update event set arrived_at = 1000 where call_id = '" + call.callId() + "'");
                connection.createStatement().executeUpdate("update call set first_at = 1000, last_at = 1000 where call_id = '" + call.callId() + "'");
            }
            for (int i = 0; i < 50 || bridge.metric("callbridge_purged_calls_total") - before < OLD_CALLS + 1; i++) {
                long sent = System.nanoTime();
                bridge.webhook().accept(List.of(now.dialIn()));
                assertTrue(System.nanoTime() - sent < Duration.ofSeconds(15).toNanos(), "the webhook waited for the purge");
                assertTrue(i < 10_000, () -> "purged " + (bridge.metric("callbridge_purged_calls_total") - before));
            }
            awaitThat("the end of what is done", () -> bridge.get("/api/calls/" + done.callId()).statusCode() == 404);
            for (String table : List.of("event", "decision", "delivery", "call_party", "timer")) {
                assertEquals(0, count(connection, "select count(*) from " + table + " where call_id = '" + done.callId() + "'"), table);
            }
            assertEquals(0, count(connection, "select count(*) from event where call_id like 'old-%'"));
        }
        assertEquals("dead", registration(dead, "dead").path("state").asText());
        assertEquals("pending", registration(waiting, "pending").path("state").asText());

        crm.behave();
        crm.up();
        bridge.webhook().accept(List.of(now.givenUp()));
        awaitThat("the call that waited", () -> crm.has(Kind.CALL, waiting.legId()));
        awaitThat("its end", () -> bridge.get("/api/calls/" + waiting.callId()).statusCode() == 404);
        assertEquals(200, bridge.get("/api/calls/" + dead.callId()).statusCode());
    }

    private Connection connection() throws SQLException {
        Connection connection = DriverManager.getConnection(bridge.storeUrl());
        if (bridge.storeUrl().startsWith("jdbc:sqlite:")) {
            connection.createStatement().execute("pragma busy_timeout = 30000");
        }
        return connection;
    }

    private static void addOldCalls(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement call = connection.prepareStatement("insert into call (pbx, call_id, version, first_at, last_at, outcome, parties)"
                + " values ('main', ?, 1, 1000, 1000, 'local', '{}')");
                PreparedStatement event = connection.prepareStatement("insert into event (pbx, call_id, leg_id, type, event_time, arrived_at,"
                        + " fields, state) values ('main', ?, ?, 'hangup', 1, 1000, '{}', 'done')")) {
            for (int i = 0; i < OLD_CALLS; i++) {
                call.setString(1, "old-" + i);
                call.addBatch();
                event.setString(1, "old-" + i);
                event.setString(2, "71101-" + i);
                event.addBatch();
            }
            call.executeBatch();
            event.executeBatch();
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    private static int count(Connection connection, String query) throws SQLException {
        try (var rows = connection.prepareStatement(query).executeQuery()) {
            rows.next();
            return rows.getInt(1);
        }
    }

    /** An answered call whose registration the CRM refuses, as all others from now on. */
    private TestCall deadLetter(String extension, String caller) {
        crm.on("PUT", "/calls/.*", Answer.status(422).body(REFUSAL));
        TestCall call = TestCall.incoming(extension, caller);
        bridge.webhook().accept(call.answered());
        awaitThat("the dead letter of " + call, () -> registration(call, "dead") != null);
        return call;
    }

    /** The line of a call's registration in the list of a state, {@code null} if it is not there. */
    private JsonNode registration(TestCall call, String state) {
        for (JsonNode line : pages("/api/deliveries?state=" + state + "&limit=500", "deliveries", 500)) {
            if (line.path("operation").asText().equals("call") && line.path("key").asText().equals(call.legId())) {
                return line;
            }
        }
        return null;
    }

    /** Of those that came since this test began. */
    private List<String> found(String query) {
        List<String> callIds = new ArrayList<>();
        list("/api/calls?from=" + begin + "&" + query, "calls").forEach(line -> callIds.add(line.path("callId").asText()));
        return callIds;
    }

    /** The lines of the first pages of a list that is longer than a page, or just as long. */
    private List<JsonNode> pages(String path, String list, int limit) {
        List<JsonNode> lines = new ArrayList<>();
        JsonNode page = get(path);
        while (page.has("next") && lines.size() < FIRST_LINES) {
            assertEquals(limit, page.path(list).size());
            page.path(list).forEach(lines::add);
            page = get(path + "&after=" + page.path("next").asText());
            assertTrue(page.path(list).size() > 0, "an empty page after a full one");
        }
        assertTrue(page.path(list).size() <= limit, page::toString);
        page.path(list).forEach(lines::add);
        return lines;
    }

    private DynamicTest refused(int status, String method, String path, String... words) {
        return DynamicTest.dynamicTest(method + " " + path, () -> assertRefused(status,
                method.equals("GET") ? bridge.get(path) : bridge.post(path), words));
    }

    private static void assertRefused(int status, HttpResponse<String> answer, String... words) {
        assertEquals(status, answer.statusCode(), answer.body());
        assertEquals(1, answer.body().strip().lines().count(), answer.body());
        Stream.of(words).forEach(word -> assertTrue(answer.body().contains(word), answer.body()));
    }

    private JsonNode list(String path, String name) {
        return get(path).path(name);
    }

    private JsonNode get(String path) {
        return json(path, bridge.get(path));
    }

    private JsonNode post(String path) {
        return json(path, bridge.post(path));
    }

    private JsonNode json(String path, HttpResponse<String> answer) {
        try {
            assertEquals(200, answer.statusCode(), () -> path + ": " + answer.body() + bridge.tail());
            return JSON.readTree(answer.body());
        } catch (JsonProcessingException e) {
            throw new AssertionError(path + " answers no JSON: " + answer.body(), e);
        }
    }

    private void awaitThat(String what, Callable<Boolean> condition) {
        try {
            await(what).atMost(SOON).pollInterval(Duration.ofMillis(50)).until(condition);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("did not happen: " + what + "\n--- received ---\n" + crm.requests() + bridge.tail(), e);
        }
    }
}
