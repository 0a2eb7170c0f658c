package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.routes.AdapterHarness;
import io.callbridge.routes.AdapterHarness.Outcome;
import io.callbridge.support.TestConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls, missed calls and tasks as HubSpot receives them, also when answers are lost. */
class DeliverHubspotRouteTest {

    private static final String KNOWN = "+79161234567";
    private static final String STRANGER = "+79160000001";
    private static final long STARTED = Instant.parse("2026-11-27T09:00:05Z").getEpochSecond();
    private static final String PROPERTY = "callbridge_id";
    private static final Predicate<StandIn.Request> CREATE = to("POST", "/crm/v3/objects/calls");
    private static final Predicate<StandIn.Request> TASKS = to("POST", "/crm/v3/objects/tasks");

    private final HubSpotStandIn crm = new HubSpotStandIn();
    private AdapterHarness bridge;

    @BeforeEach
    void start() {
        crm.owner("301", "anna@crm.example", 9001);
        crm.owner("302", "boris@crm.example", 9002);
        crm.unique("calls", PROPERTY);
        crm.contact("51", Map.of("firstname", "Ivan", "lastname", "Ivanov", "phone", KNOWN, "hubspot_owner_id", "302"));
        crm.searchLimit(1_000);
        bridge = with(HubSpotStandIn.TOKEN);
    }

    @AfterEach
    void stop() {
        bridge.close();
        crm.close();
    }

    private AdapterHarness with(String token) {
        return AdapterHarness.of("hubspot", Map.of("callbridge.crm.hubspot.url", crm.origin(), "callbridge.crm.hubspot.token", token), Map.of());
    }

    private static Predicate<StandIn.Request> to(String method, String path) {
        return request -> request.method().equals(method) && request.path().equals(path);
    }

    @Test
    void itLogsAndNoMore() {
        assertEquals("lookup probe call missed task", String.join(" ", List.of("lookup", "users", "probe", "card", "answer", "card-end",
                "call", "recording", "missed", "task").stream().filter(bridge::can).toList()));
    }

    /** A bucket lets its burst go and what fills it up meanwhile; that of look-ups has a burst of one. */
    @Test
    void noTenSecondsHaveMoreThanAHundredRequests() throws Exception {
        Properties given = TestConfig.packaged();
        assertTrue(Integer.parseInt(given.getProperty("callbridge.crm.hubspot.burst"))
                + 10 * Integer.parseInt(given.getProperty("callbridge.crm.hubspot.rate")) <= 100);
        assertTrue(1 + Integer.parseInt(given.getProperty("callbridge.crm.hubspot.lookup-rate")) <= 5);
    }

    // --- look-up and probe

    @Test
    void aLookUpFindsANumberHoweverItIsWritten() {
        crm.contact("52", Map.of("lastname", "Petrova", "mobilephone", KNOWN));
        crm.contact("53", Map.of("firstname", "Oleg", "phone", "8 (916) 123-45-67", "hs_searchable_calculated_phone_number", "9161234567"));
        crm.contact("54", Map.of("mobilephone", "8-916-123-45-67", "hs_searchable_calculated_mobile_number", "9161234567"));
        crm.contact("55", Map.of("firstname", "Another", "phone", STRANGER));
        JsonNode found = bridge.find(KNOWN);
        assertEquals(List.of("51", "52", "53", "54"), found.findValuesAsText("id"));
        assertEquals(List.of("Ivan Ivanov", "Petrova", "Oleg"), found.findValuesAsText("name"));
        assertEquals("302 contact", found.at("/0/responsible").asText() + " " + found.at("/0/type").asText());
        assertFalse(found.at("/1").has("responsible"));
        assertTrue(Instant.parse(found.at("/0/updatedAt").asText()).isBefore(Instant.now()));
        assertTrue(bridge.find("+79160000002").isEmpty());
        assertEquals(2, crm.requests().size());
    }

    @Test
    void theCountrysCodeIsNoPartOfASearchableNumber() {
        crm.contact("56", Map.of("firstname", "Greta", "phone", "0151 12345678", "hs_searchable_calculated_phone_number", "15112345678"));
        assertEquals(List.of("56"), bridge.find("+4915112345678").findValuesAsText("id"));
    }

    @Test
    void theProbeTellsWhatIsMissing() {
        bridge.ask("probe");
        crm.unique("calls", "another_id");
        String said = assertThrows(IllegalStateException.class, () -> bridge.ask("probe")).getMessage();
        assertTrue(said.contains("calls have no property callbridge_id") && said.contains("hasUniqueValue true"), said);
        crm.refuse(1, StandIn.Reply.json(200, Map.of("name", PROPERTY, "hasUniqueValue", false)), to("GET", "/crm/v3/properties/calls/callbridge_id"));
        said = assertThrows(IllegalStateException.class, () -> bridge.ask("probe")).getMessage();
        assertTrue(said.contains("calls have no property callbridge_id"), said);
        bridge.close();
        bridge = with("another");
        said = assertThrows(IllegalStateException.class, () -> bridge.ask("probe")).getMessage();
        assertTrue(said.contains("answer 401"), said);
    }

    // --- calls

    @Test
    void aCallIsOneRequestBesidesItsLookUp() throws Exception {
        Map<String, Object> call = call("in", "answered", KNOWN, "301", 61);
        call.put("recordingUrl", "https://pbx.example/r/1.mp3");
        delivered("call", "leg-1", call);
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg-1", "301", "79161234567", "in", "COMPLETED", 61L, STARTED,
                "https://pbx.example/r/1.mp3")), crm.effects());
        assertEquals(List.of("51"), crm.contactsOf("calls", "leg-1"));
        assertEquals(2, crm.requests().size());
        assertEquals(StandIn.JSON.readTree("{\"properties\":{\"callbridge_id\":\"leg-1\",\"hs_timestamp\":" + STARTED + "000,"
                + "\"hs_call_direction\":\"INBOUND\",\"hs_call_status\":\"COMPLETED\",\"hs_call_duration\":\"61000\","
                + "\"hs_call_from_number\":\"+79161234567\",\"hs_call_to_number\":\"+74950000001\","
                + "\"hs_call_recording_url\":\"https://pbx.example/r/1.mp3\",\"hs_call_title\":\"Incoming call\",\"hubspot_owner_id\":\"301\"},"
                + "\"associations\":[{\"to\":{\"id\":\"51\"},\"types\":[{\"associationCategory\":\"HUBSPOT_DEFINED\","
                + "\"associationTypeId\":194}]}]}"), crm.requests().get(1).json());
    }

    @ParameterizedTest
    @CsvSource({"in, answered, 5, CALL, COMPLETED", "out, answered, 5, CALL, COMPLETED", "out, busy, 0, CALL, BUSY",
            "out, no-answer, 0, CALL, NO_ANSWER", "out, cancelled, 0, CALL, CANCELED", "out, failed, 0, CALL, FAILED",
            "out, unknown, 0, CALL,", "in, unknown, 0, CALL,"})
    void whatTheResultMeans(String direction, String result, int seconds, Kind kind, String status) {
        delivered("call", "leg-1", call(direction, result, KNOWN, "301", seconds));
        assertEquals(List.of(new CrmEffect(kind, "leg-1", "301", "79161234567", direction, status, (long) seconds, STARTED, null)),
                crm.effects());
    }

    @Test
    void aForwardedCallSaysWhereTo() {
        Map<String, Object> call = call("in", "answered", KNOWN, "301", 5);
        call.put("forwardedTo", "+79035550000");
        delivered("call", "leg-1", call);
        assertEquals("Forwarded to +79035550000", crm.requests().get(1).json().at("/properties/hs_call_body").asText());
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 409})
    void aCallWhoseAnswerGotLostIsBroughtUpToDate(int conflict) {
        crm.conflictStatus(conflict);
        crm.lose(1, CREATE);
        later("call", "leg/1 +", call("out", "no-answer", KNOWN, "301", 0));
        delivered("call", "leg/1 +", call("out", "answered", KNOWN, "301", 9));
        assertEquals(List.of("leg/1 + COMPLETED 9"), crm.effects().stream().map(e -> e.id() + " " + e.status() + " " + e.seconds()).toList());
        assertEquals(List.of("51"), crm.contactsOf("calls", "leg/1 +"));
    }

    @Test
    void whatBecomesKnownLaterChangesTheCall() {
        delivered("call", "leg-1", call("in", "unknown", KNOWN, "301", 0));
        Map<String, Object> end = call("in", "answered", KNOWN, "301", 61);
        delivered("call", "leg-1", end);
        end.put("recordingUrl", "https://pbx.example/r/1.mp3");
        crm.lose(1, request -> request.method().equals("PATCH"));
        later("call", "leg-1", end);
        delivered("call", "leg-1", end);
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg-1", "301", "79161234567", "in", "COMPLETED", 61L, STARTED,
                "https://pbx.example/r/1.mp3")), crm.effects());
    }

    @Test
    void aCallThatNeverArrivedIsSentAgain() {
        crm.down();
        later("call", "leg-1", call("in", "answered", STRANGER, "301", 5));
        crm.up();
        delivered("call", "leg-1", call("in", "answered", STRANGER, "301", 5));
        assertEquals(1, crm.effects().size());
    }

    /** HubSpot takes no other. */
    @Test
    void aRecordingIsPlayedFromHttpsOnly() {
        Map<String, Object> call = call("in", "answered", KNOWN, "301", 5);
        call.put("recordingUrl", "http://pbx.example/r/1.mp3");
        delivered("call", "leg-1", call);
        assertEquals(null, crm.effects().get(0).recording());
    }

    @ParameterizedTest
    @CsvSource({"+79160000001, 301, 2", "'', 301, 1", "+79160000001, '', 2", "+79160000001, anna, 2"})
    void aCallIsLoggedWithoutContactNumberOrOwner(String number, String user, int requests) {
        delivered("call", "leg-1", call("in", "answered", number, user, 5));
        CrmEffect effect = crm.effects().get(0);
        assertEquals(new CrmEffect(Kind.CALL, "leg-1", user.equals("301") ? user : null, number.isEmpty() ? null : "79160000001", "in",
                "COMPLETED", 5L, STARTED, null), effect);
        assertEquals(List.of(), crm.contactsOf("calls", "leg-1"));
        assertEquals(requests, crm.requests().size());
    }

    // --- missed calls

    @Test
    void aMissedCallIsTheResponsibleOnes() {
        delivered("missed", "c1", missed(KNOWN, "301"));
        assertEquals(List.of(new CrmEffect(Kind.MISSED, "missed-c1", "302", "79161234567", "in", "NO_ANSWER", 0L, STARTED, null)), crm.effects());
        assertEquals(2, crm.requests().size());
        assertEquals("Missed call: Missed at queue 880", title(1));
        Map<String, Object> served = missed(KNOWN, "301");
        served.put("servedAt", "2026-11-27T10:00:00Z");
        delivered("missed", "c1", served);
        assertEquals(1, crm.effects().size());
        assertEquals("Missed call: Missed at queue 880, served at 2026-11-27T10:00:00Z", title(crm.requests().size() - 1));
        assertEquals("PATCH", crm.requests().get(crm.requests().size() - 1).method());
    }

    private String title(int request) {
        JsonNode properties = crm.requests().get(request).json().get("properties");
        return properties.get("hs_call_title").asText() + ": " + properties.get("hs_call_body").asText();
    }

    @Test
    void aMissedCallOfAHiddenNumberIsLogged() {
        delivered("missed", "c1", missed("", "301"));
        delivered("missed", "c1", missed("", "301"));
        assertEquals(List.of(new CrmEffect(Kind.MISSED, "missed-c1", "301", null, "in", "NO_ANSWER", 0L, STARTED, null)), crm.effects());
    }

    // --- tasks

    @Test
    void aTaskIsForTheResponsibleOneAtHisContact() {
        long before = Instant.now().getEpochSecond();
        delivered("task", "c1", missed(KNOWN, "301"));
        delivered("task", "c1", missed(KNOWN, "301"));
        assertEquals(1, crm.effects().size());
        CrmEffect task = crm.effects().get(0);
        assertEquals("TASK 302 NOT_STARTED", task.kind() + " " + task.user() + " " + task.status());
        long due = task.startedAt() - 3_600;
        assertTrue(due >= before && due <= Instant.now().getEpochSecond(), task::toString);
        JsonNode sent = crm.requests().stream().filter(TASKS).findFirst().orElseThrow().json();
        assertEquals("Call back +79161234567, missed at 2026-11-27T09:00:05Z", sent.at("/properties/hs_task_subject").asText());
        assertEquals("51 204", sent.at("/associations/0/to/id").asText() + " " + sent.at("/associations/0/types/0/associationTypeId"));
    }

    @Test
    void aTaskForAStrangerHasNoContact() {
        delivered("task", "c1", missed(STRANGER, "301"));
        assertEquals("301", crm.effects().get(0).user());
        delivered("task", "c2", missed("", "301"));
        assertEquals(1, crm.effects().size());
    }

    @Test
    void aTaskWhoseAnswerGotLostIsFound() {
        crm.lose(1, TASKS);
        later("task", "c1", missed(KNOWN, "301"));
        delivered("task", "c1", missed(KNOWN, "301"));
        assertEquals(1, crm.effects().size());
        crm.refuse(1, StandIn.Reply.json(502, Map.of()), TASKS);
        Map<String, Object> another = missed(KNOWN, "301");
        another.put("startedAt", "2026-11-27T09:30:00Z");
        later("task", "c2", another);
        delivered("task", "c2", another);
        assertEquals(2, crm.effects().size());
    }

    /** What the search does not see yet is written again: at most that, and never nothing. */
    @Test
    void aTaskThatTheIndexDoesNotHaveYetIsThereTwice() {
        crm.indexLag(Duration.ofHours(1));
        crm.lose(1, TASKS);
        later("task", "c1", missed(STRANGER, "301"));
        delivered("task", "c1", missed(STRANGER, "301"));
        delivered("task", "c1", missed(STRANGER, "301"));
        assertEquals(2, crm.effects().size());
    }

    // --- answers that are no success

    @Test
    void whatHubSpotFindsWrongIsRefused() {
        Outcome outcome = bridge.deliver("call", "leg-1", call("in", "answered", KNOWN, "399", 5));
        assertEquals("deadLetter", outcome.result());
        assertTrue(outcome.cause().getMessage().contains("INVALID_OWNER_ID"), outcome.cause()::getMessage);
    }

    /** Whoever must create the property: no call may be lost until then. */
    @Test
    void aMissingPropertyIsNobodysFaultButTheAdministrators() {
        crm.unique("calls", "another_id");
        later("call", "leg-1", call("in", "answered", STRANGER, "301", 5));
        crm.unique("calls", PROPERTY);
        delivered("call", "leg-1", call("in", "answered", STRANGER, "301", 5));
        assertEquals(1, crm.effects().size());
    }

    @ParameterizedTest
    @CsvSource({"429, TEN_SECONDLY_ROLLING, 10000", "429, SECONDLY, 1000", "429, DAILY, 600000", "429, '', 1000", "401, '', 0", "403, '', 0",
            "408, '', 0", "423, '', 0", "500, '', 0", "503, '', 0"})
    void whatMayPassIsTriedAgain(int status, String policy, long millis) {
        crm.refuse(1, StandIn.Reply.json(status, Map.of("status", "error", "policyName", policy)), CREATE);
        Outcome outcome = later("call", "leg-1", call("in", "answered", STRANGER, "301", 5));
        assertEquals(millis, ((CrmAnswerException) outcome.cause()).retryAfterMs());
        delivered("call", "leg-1", call("in", "answered", STRANGER, "301", 5));
        assertEquals(1, crm.effects().size());
    }

    @Test
    void tooManySearchesAreSaidToWhoAsks() {
        crm.searchLimit(0);
        Throwable cause = assertThrows(IllegalStateException.class, () -> bridge.find(KNOWN)).getCause();
        assertEquals(1_000, ((CrmAnswerException) cause).retryAfterMs());
    }

    @Test
    void aWrongTokenLosesNothing() {
        try (AdapterHarness wrong = with("another")) {
            assertEquals("retryLater", wrong.deliver("call", "leg-1", call("in", "answered", "", "301", 5)).result());
        }
        assertEquals(List.of(), crm.effects());
    }

    private void delivered(String operation, String id, Map<String, Object> body) {
        Outcome outcome = bridge.deliver(operation, id, body);
        assertEquals("delivered", outcome.result(), () -> String.valueOf(outcome.cause()));
    }

    private Outcome later(String operation, String id, Map<String, Object> body) {
        Outcome outcome = bridge.deliver(operation, id, body);
        assertEquals("retryLater", outcome.result(), () -> String.valueOf(outcome.cause()));
        return outcome;
    }

    private static Map<String, Object> call(String direction, String result, String number, String user, long seconds) {
        Map<String, Object> body = body(number, user);
        body.putAll(Map.of("direction", direction, "extension", "101", "result", result, "startedAt", "2026-11-27T09:00:05Z", "endedAt",
                "2026-11-27T09:01:10Z", "talkSeconds", seconds));
        return body;
    }

    private static Map<String, Object> missed(String number, String user) {
        Map<String, Object> body = body(number, user);
        body.putAll(Map.of("place", Map.of("extension", "880", "type", "queue"), "startedAt", "2026-11-27T09:00:05Z", "endedAt",
                "2026-11-27T09:00:40Z"));
        return body;
    }

    private static Map<String, Object> body(String number, String user) {
        Map<String, Object> body = new HashMap<>(Map.of("callId", "c1", "did", "+74950000001"));
        if (!number.isEmpty()) {
            body.put("number", number);
        }
        if (!user.isEmpty()) {
            body.put("user", user);
        }
        return body;
    }
}
