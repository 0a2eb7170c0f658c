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
import io.callbridge.support.TestCall;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an operator finds and puts right: dead letters, calls that were decided wrongly, calls that are old. */
class OperatorIT {

    private static final Duration SOON = Duration.ofSeconds(90);
    private static final String HOUR = "3600000";
    private static final String REFUSAL = "{\"error\":\"no such user\"}";
    private static final int OLD_CALLS = 3_000;
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private String store;
    private FakeCrm crm;
    private BridgeProcess bridge;

    /** The address of an empty store. */
    String newStore(Path place) {
        return "jdbc:sqlite:" + place.resolve("callbridge.db");
    }

    @BeforeEach
    void startCrm() {
        store = newStore(folder);
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
    void aDeadLetterIsFoundLookedAtAndSentAgainWhenTheCrmIsMended() {
        start(builder().setting("callbridge.deliver.entity-cache.seconds", "0"));
        TestCall call = deadLetter("101", "+79000000099");

        JsonNode letter = only(list("/api/deliveries?state=dead&crm=rest", "deliveries"));
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
        awaitThat("the gauge of dead letters", () -> metric("callbridge_outbox{crm=\"rest\",state=\"dead\"}") == 1);
        assertEquals(0, metric("callbridge_outbox{crm=\"rest\",state=\"pending\"}"));
        assertTrue(bridge.get("/q/metrics").body().contains("\ncallbridge_store_waiting "), "the gauge of waiting writes");

        crm.behave();
        crm.entity("+79000000099", "new", "New", "anna");
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
        start(builder());
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
        start(builder());
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

    /** Nobody who has just mended a CRM waits an hour for the next try. */
    @Test
    void whatWaitsIsSentAtOnceWhenSomebodyWantsIt() {
        start(builder().setting("callbridge.deliver.retry.first-delay-ms", HOUR).setting("callbridge.deliver.retry.max-delay-ms", HOUR));
        crm.on("PUT", "/calls/.*", Answer.status(503).body("maintenance"));
        TestCall one = failing("101");
        crm.behave();
        long id = registration(one, "failing").path("id").asLong();
        assertTrue(nextTry(one).isAfter(Instant.now().plusSeconds(60)), "it would wait");
        assertEquals("pending", post("/api/deliveries/" + id + "/retry").path("state").asText());
        awaitThat("the registration", () -> registration(one, "delivered") != null);
        assertEquals(2, get("/api/deliveries/" + id).path("attempts").size(), "its tries go on from where they were");

        crm.on("PUT", "/calls/.*", Answer.status(429).retryAfter(3_000));
        TestCall asked = failing("101");
        crm.behave();
        post("/api/deliveries/" + registration(asked, "failing").path("id").asLong() + "/retry");
        awaitThat("the registration that the CRM wanted to have later", () -> registration(asked, "delivered") != null);
    }

    @ParameterizedTest
    @ValueSource(strings = {"failing", "pending"})
    void allThatWaitsIsSentAtOnceWhenSomebodyWantsIt(String state) {
        start(builder().setting("callbridge.deliver.retry.first-delay-ms", HOUR).setting("callbridge.deliver.retry.max-delay-ms", HOUR));
        crm.on("PUT", "/calls/.*", Answer.status(503).body("maintenance"));
        List<TestCall> calls = Stream.of("101", "102", "103").map(this::failing).toList();
        crm.behave();
        assertEquals(0, post("/api/deliveries/retry?state=dropped").path("retried").asInt());
        assertEquals(3, post("/api/deliveries/retry?crm=rest&state=" + state).path("retried").asInt());
        calls.forEach(call -> awaitThat("the registration of " + call, () -> registration(call, "delivered") != null));
        calls.forEach(call -> assertEquals(2, crm.requests(Kind.CALL, call.legId()).size(), "one failed, one taken"));
        assertEquals(0, post("/api/deliveries/retry?state=" + state).path("retried").asInt());
    }

    @Test
    void whatWaitsBehindAnotherOfItsCallTakesThatAlong() {
        start(builder().setting("callbridge.deliver.retry.first-delay-ms", HOUR).setting("callbridge.deliver.retry.max-delay-ms", HOUR));
        crm.on("PUT", "/calls/.*", Answer.status(503).body("maintenance"));
        TestCall first = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall second = first.alsoRinging("102");
        bridge.webhook().accept(first.answered());
        awaitThat("the failure of the first", () -> registration(first, "failing") != null);
        bridge.webhook().accept(second.answered());
        awaitThat("the second, which waits", () -> registration(second, "pending") != null);
        crm.behave();
        post("/api/deliveries/" + registration(second, "pending").path("id").asLong() + "/retry");
        awaitThat("both registrations", () -> registration(first, "delivered") != null && registration(second, "delivered") != null);
    }

    /** An answered call whose registration has failed once. */
    private TestCall failing(String extension) {
        TestCall call = TestCall.incoming(extension, FakeCrm.IVANOV);
        bridge.webhook().accept(call.answered());
        awaitThat("the failure of " + call, () -> registration(call, "failing") != null);
        return call;
    }

    private Instant nextTry(TestCall call) {
        return Instant.parse(registration(call, "failing").path("nextAt").asText());
    }

    @Test
    void listsComeInPagesNewestFirst() {
        start(builder());
        List<TestCall> calls = IntStream.range(0, 7).mapToObj(i -> TestCall.incoming("101", "+7900000060" + i)).toList();
        calls.forEach(call -> {
            bridge.webhook().accept(call.answered());
            awaitThat("the registration of " + call, () -> registration(call, "delivered") != null);
        });

        List<JsonNode> lines = pages("/api/deliveries?state=delivered&crm=rest&limit=4", "deliveries", 4);
        List<Long> ids = lines.stream().map(line -> line.path("id").asLong()).toList();
        assertEquals(ids.stream().distinct().sorted(Comparator.reverseOrder()).toList(), ids);
        assertEquals(IntStream.range(0, 7).mapToObj(i -> calls.get(6 - i).legId()).toList(), lines.stream()
                .filter(line -> line.path("operation").asText().equals("call")).map(line -> line.path("key").asText()).toList());
        List<String> callIds = pages("/api/calls?limit=3", "calls", 3).stream().map(line -> line.path("callId").asText()).toList();
        assertEquals(IntStream.range(0, 7).mapToObj(i -> calls.get(6 - i).callId()).toList(), callIds);
        assertEquals(1, pages("/api/calls?limit=7", "calls", 7).stream().map(line -> line.path("callId").asText())
                .filter(calls.get(0).callId()::equals).count());
    }

    @Test
    void callsAreFoundByWhatTheyWere() {
        Instant begin = Instant.now();
        start(builder());
        TestCall answered = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall missed = TestCall.incoming("102", FakeCrm.PETROVA);
        TestCall ringing = TestCall.incoming("103", "+79000000070");
        Scenario local = Scenario.of("S29");
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
        assertEquals(List.of(answered.callId()), found("number=%2B79000000010"));
        assertEquals(List.of(answered.callId()), found("number=+79000000010"), "a plus sign that was not encoded");
        assertEquals(List.of(answered.callId()), found("number=89000000010"), "as it is dialled in the PBX's country");
        assertEquals(List.of(missed.callId()), found("extension=102&user=boris&outcome=missed"));
        assertEquals(List.of(ringing.callId()), found("user=clara"));
        assertEquals(List.of(), found("user=clara&outcome=answered"));
        assertEquals(4, found("from=" + begin).size());
        assertEquals(List.of(), found("to=" + begin));
        assertEquals(List.of(), found("from=" + Instant.now().plusSeconds(60)));
        assertEquals(4, found("from=2020-01-01&to=2099-01-01").size());
        JsonNode line = only(list("/api/calls?outcome=answered", "calls"));
        assertEquals(JSON.createArrayNode().add("101"), line.path("extensions"));
        assertEquals(JSON.createArrayNode().add("anna"), line.path("users"));
        assertEquals("+79000000010", line.path("number").asText());
        assertFalse(Instant.parse(line.path("lastAt").asText()).isBefore(Instant.parse(line.path("firstAt").asText())), line::toString);

        bridge.webhook().accept(List.of(ringing.answer(), ringing.hangup()));
        awaitThat("the end of the call that rang", () -> found("outcome=answered").contains(ringing.callId()));
        assertEquals(List.of(), found("outcome=open"));
    }

    @TestFactory
    Stream<DynamicTest> whatCannotBeReadIsRefusedInOneLine() {
        start(builder());
        return Stream.of(
                refusal(400, "GET", "/api/deliveries?state=lost", "state", "'lost'", "pending, failing, dead"),
                refusal(400, "GET", "/api/deliveries?crm=other", "crm", "'other'", "rest"),
                refusal(400, "GET", "/api/deliveries?limit=0", "limit", "'0'", "from 1 to 500"),
                refusal(400, "GET", "/api/deliveries?limit=501", "limit", "'501'", "from 1 to 500"),
                refusal(400, "GET", "/api/deliveries?after=x", "after", "'x'", "whole number"),
                refusal(400, "GET", "/api/deliveries?page=2", "page", "state, crm, limit, after"),
                refusal(400, "GET", "/api/deliveries?state=dead&state=pending", "state", "twice"),
                refusal(404, "GET", "/api/deliveries/4711", "4711"),
                refusal(404, "GET", "/api/deliveries/x", "x"),
                refusal(404, "POST", "/api/deliveries/4711/retry", "4711"),
                refusal(404, "POST", "/api/deliveries/4711/discard", "4711"),
                refusal(400, "POST", "/api/deliveries/retry?state=delivered", "state", "'delivered'", "pending, failing, dead, discarded, dropped"),
                refusal(400, "GET", "/api/calls?outcome=lost", "outcome", "'lost'", "answered, missed"),
                refusal(400, "GET", "/api/calls?from=yesterday", "from", "'yesterday'", "2026-03-04"),
                refusal(400, "GET", "/api/calls?after=7", "after", "'7'", "next"),
                refusal(400, "POST", "/api/calls/reprocess", "from", "missing"),
                refusal(400, "POST", "/api/calls/reprocess?from=2026-03-04&dry-run=yes", "dry-run", "'yes'", "true, false"),
                refusal(400, "POST", "/api/calls/reprocess?from=2026-03-04&dryrun=true", "dryrun", "dry-run"));
    }

    @Test
    void callsThatWereDroppedAreRegisteredOnceWhenTheirExtensionIsMapped() {
        start(builder());
        TestCall dropped = TestCall.incoming("120", FakeCrm.IVANOV);
        TestCall registered = TestCall.incoming("101", FakeCrm.PETROVA);
        bridge.webhook().accept(dropped.answered());
        bridge.webhook().accept(registered.answered());
        awaitThat("a decision", () -> bridge.call(dropped.callId()).path("decisions").toString().contains("R52"));
        awaitThat("the other registration", () -> registration(registered, "delivered") != null);
        bridge.close();

        start(builder().setting("callbridge.pbx.main.extensions.120.user", "gleb")
                .setting("callbridge.pbx.main.extensions.101.user", "anna.new"));
        JsonNode dryRun = bridge.reprocess("?from=2020-01-01&dry-run=true");
        assertRun(dryRun, true, 2, 1, 1, 0);
        JsonNode missing = difference(dryRun, "missing");
        assertEquals(dropped.callId(), missing.path("callId").asText());
        assertEquals("call", missing.path("operation").asText());
        assertEquals(dropped.legId(), missing.path("key").asText());
        assertEquals("gleb", missing.path("request").path("user").asText());
        JsonNode different = difference(dryRun, "different");
        assertEquals(registered.legId(), different.path("key").asText());
        assertEquals("anna.new", different.path("request").path("user").asText());
        assertEquals("anna", different.path("stored").path("user").asText());
        assertEquals(0, list("/api/deliveries?state=pending", "deliveries").size(), "a dry run creates nothing");
        JsonNode other = bridge.reprocess("?from=2020-01-01&to=2020-01-02");
        assertRun(other, false, 0, 0, 0, 0);
        assertEquals("2020-01-01T00:00:00Z 2020-01-03T00:00:00Z", other.path("from").asText() + " " + other.path("to").asText());
        assertTrue(Instant.parse(dryRun.path("to").asText()).isBefore(Instant.now()), "without an end it ends now");

        assertRun(bridge.reprocess("?from=2020-01-01"), false, 2, 1, 1, 1);
        awaitThat("the registration", () -> registration(dropped, "delivered") != null);
        assertRun(bridge.reprocess("?from=2020-01-01"), false, 2, 0, 1, 0);
        assertEquals(1, crm.requests(Kind.CALL, dropped.legId()).size());
        assertEquals("gleb", crm.requests(Kind.CALL, dropped.legId()).get(0).member("user"));
        assertEquals(1, crm.requests(Kind.CALL, registered.legId()).size(), "what is there stays as it is");
        assertTrue(bridge.call(dropped.callId()).path("decisions").toString().contains("R23"), "the new decision is kept");
        assertEquals(List.of(dropped.callId()), found("user=gleb"));
    }

    @Test
    void aReprocessIsSeenAndStoppedAndEndsWithARestart() throws JsonProcessingException {
        start(builder());
        List<TestCall> dropped = IntStream.range(0, 20).mapToObj(i -> TestCall.incoming("120", FakeCrm.IVANOV)).toList();
        dropped.forEach(call -> bridge.webhook().accept(call.answered()));
        dropped.forEach(call -> awaitThat("a decision", () -> bridge.call(call.callId()).path("decisions").toString().contains("R52")));
        bridge.close();

        start(builder().setting("callbridge.pbx.main.extensions.120.user", "gleb").editRoutes(OperatorIT::takeTime));
        assertEquals("{\"state\":\"none\"}", bridge.get("/api/calls/reprocess/last").body());
        assertRefused(404, bridge.get("/api/calls/reprocess/17"), "17");
        String first = begin();
        awaitThat("progress", () -> get(first).path("differences").size() > 1);
        JsonNode progress = get(first);
        assertEquals("running 20", progress.path("state").asText() + " " + progress.path("of"), progress::toString);
        assertEquals(progress.path("done").asInt(), progress.path("missing").asInt(), progress::toString);
        HttpResponse<String> second = bridge.post("/api/calls/reprocess?from=2020-01-01");
        assertRefused(409, second, first);
        assertEquals(first, second.headers().firstValue("Location").orElse(null));
        assertEquals(200, bridge.delete(first).statusCode());
        awaitThat("its end", () -> get(first).path("state").asText().equals("stopped"));
        assertTrue(get(first).path("done").asInt() < 20, () -> bridge.get(first).body());

        String next = begin();
        assertRefused(404, bridge.get(first), "last");
        awaitThat("progress that is kept", () -> get(next).path("done").asInt() > 4);
        bridge.kill();
        bridge.restart();
        // Nobody knows of a replica that was killed before its lease has run out.
        awaitThat("its end", () -> get(next).path("state").asText().equals("ended"));
        assertTrue(get(next).path("reason").asText().matches("ended by a restart at [0-9]+ of 20"), () -> bridge.get(next).body());
        assertEquals(next, "/api/calls/reprocess/" + get("/api/calls/reprocess/last").path("job").asText());
        assertEquals(200, bridge.delete(next).statusCode());
        String last = begin();
        bridge.stop();
        bridge.restart();
        assertEquals("ended", get(last).path("state").asText(), () -> bridge.get(last).body());
    }

    private String begin() {
        HttpResponse<String> begun = bridge.post("/api/calls/reprocess?from=2020-01-01&dry-run=true", "Authorization", "Bearer " + BridgeProcess.ADMIN_TOKEN,
                "X-Forwarded-Prefix", "/cb");
        assertEquals(202, begun.statusCode(), begun.body());
        String address = begun.headers().firstValue("Location").orElseThrow();
        assertTrue(address.startsWith("/cb/api/"), address);
        return address.substring("/cb".length());
    }

    private static void takeTime(Path routes) throws IOException {
        Path route = routes.resolve("process-reprocess.camel.yaml");
        Files.writeString(route, Files.readString(route).replaceFirst("(?m)^( +)- to:\n +uri: direct:process-reprocess-look",
                "$1- delay:\n$1    constant: \"1000\"\n$0"));
    }

    @Test
    void oldCallsGoButNothingThatIsToBeDone() throws SQLException {
        start(builder());
        TestCall done = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(done.answered());
        awaitThat("the registration", () -> registration(done, "delivered") != null);
        TestCall dead = deadLetter("102", FakeCrm.IVANOV);
        crm.down();
        TestCall waiting = TestCall.incoming("103", FakeCrm.IVANOV);
        bridge.webhook().accept(waiting.answered());
        awaitThat("the registration that waits", () -> registration(waiting, "pending") != null);
        bridge.close();
        try (Connection connection = DriverManager.getConnection(store)) {
            addOldCalls(connection);
            connection.prepareStatement("update call set first_at = first_at - 120000, last_at = last_at - 120000").executeUpdate();
            // Also what a look that is still due goes by.
            connection.prepareStatement("update event set arrived_at = arrived_at - 120000").executeUpdate();
        }

        start(builder().setting("callbridge.store.retention", "1m").setting("callbridge.store.purge-period-ms", "500"));
        for (int i = 0; i < 50 || purged() < OLD_CALLS; i++) {
            long begin = System.nanoTime();
            bridge.webhook().accept(List.of(TestCall.incoming("104", FakeCrm.PETROVA).dialIn()));
            assertTrue(System.nanoTime() - begin < Duration.ofSeconds(15).toNanos(), "the webhook waited for the purge");
            assertTrue(i < 10_000, () -> "purged " + purged());
        }
        awaitThat("the end of what is done", () -> bridge.get("/api/calls/" + done.callId()).statusCode() == 404);
        assertEquals(OLD_CALLS + 1, purged());
        assertEquals("dead", registration(dead, "dead").path("state").asText());
        assertEquals("pending", registration(waiting, "pending").path("state").asText());
        try (Connection connection = DriverManager.getConnection(store)) {
            for (String table : List.of("event", "decision", "delivery", "call_party", "timer")) {
                assertEquals(0, count(connection, "select count(*) from " + table + " where call_id = '" + done.callId() + "'"), table);
            }
            assertEquals(0, count(connection, "select count(*) from event where call_id like 'old-%'"));
        }

        crm.behave();
        crm.up();
        awaitThat("the call that waited", () -> crm.has(Kind.CALL, waiting.legId()));
        awaitThat("its end", () -> bridge.get("/api/calls/" + waiting.callId()).statusCode() == 404);
        assertEquals(200, bridge.get("/api/calls/" + dead.callId()).statusCode());
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

    /** A short lease: on PostgreSQL, what a killed process had taken waits for the end of it. */
    private BridgeProcess.Builder builder() {
        return BridgeProcess.builder().setting("callbridge.store.url", store).setting("callbridge.store.lease-ms", "3000").quickRetries();
    }

    private void start(BridgeProcess.Builder builder) {
        bridge = builder.crm(crm).start();
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

    private List<String> found(String query) {
        List<String> callIds = new ArrayList<>();
        list("/api/calls?" + query, "calls").forEach(line -> callIds.add(line.path("callId").asText()));
        return callIds;
    }

    /** All lines of a list that is longer than a page, or just as long. */
    private List<JsonNode> pages(String path, String list, int limit) {
        List<JsonNode> lines = new ArrayList<>();
        JsonNode page = get(path);
        while (page.has("next")) {
            assertEquals(limit, page.path(list).size());
            page.path(list).forEach(lines::add);
            page = get(path + "&after=" + page.path("next").asText());
            assertTrue(page.path(list).size() > 0, "an empty page after a full one");
        }
        assertTrue(page.path(list).size() <= limit, page::toString);
        page.path(list).forEach(lines::add);
        return lines;
    }

    private static JsonNode only(JsonNode list) {
        assertEquals(1, list.size(), list::toString);
        return list.get(0);
    }

    private static JsonNode difference(JsonNode run, String kind) {
        for (JsonNode difference : run.path("differences")) {
            if (difference.path("kind").asText().equals(kind)) {
                return difference;
            }
        }
        throw new AssertionError("nothing " + kind + " in " + run);
    }

    private static void assertRun(JsonNode run, boolean dryRun, int calls, int missing, int different, int created) {
        assertEquals(dryRun, run.path("dryRun").asBoolean(), run::toString);
        assertEquals(Map.of("calls", calls, "missing", missing, "different", different, "created", created, "failed", 0, "open", 0),
                Map.of("calls", run.path("calls").asInt(), "missing", run.path("missing").asInt(), "different", run.path("different").asInt(),
                        "created", run.path("created").asInt(), "failed", run.path("failed").asInt(), "open", run.path("open").asInt()),
                run::toString);
        assertEquals(missing + different, run.path("differences").size(), run::toString);
        assertEquals("done " + calls + " " + calls, run.path("state").asText() + " " + run.path("done") + " " + run.path("of"), run::toString);
    }

    private DynamicTest refusal(int status, String method, String path, String... words) {
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

    private double purged() {
        return metric("callbridge_purged_calls_total");
    }

    private double metric(String name) {
        return bridge.get("/q/metrics").body().lines().filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1))).findFirst().orElse(0);
    }

    private void awaitThat(String what, Callable<Boolean> condition) {
        try {
            await(what).atMost(SOON).pollInterval(Duration.ofMillis(50)).until(condition);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("did not happen: " + what + "\n--- received ---\n" + crm.requests() + bridge.tail(), e);
        }
    }
}
