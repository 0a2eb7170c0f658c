package io.callbridge.crm;

import static io.callbridge.crm.Effects.KNOWN;
import static io.callbridge.crm.Effects.STARTED;
import static io.callbridge.crm.Effects.STRANGER;
import static io.callbridge.crm.Effects.call;
import static io.callbridge.crm.Effects.missed;
import static io.callbridge.crm.Effects.with;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.routes.AdapterHarness;
import io.callbridge.support.TestConfig;
import java.time.Duration;
import java.time.Instant;
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

    private static final String PROPERTY = "callbridge_id";
    private static final Predicate<StandIn.Request> CREATE = to("POST", "/crm/v3/objects/calls");
    private static final Predicate<StandIn.Request> TASKS = to("POST", "/crm/v3/objects/tasks");

    private final HubSpotStandIn crm = new HubSpotStandIn();
    private AdapterHarness bridge;
    private Effects effects;

    @BeforeEach
    void start() {
        crm.owner("301", "anna@crm.example", 9001);
        crm.owner("302", "boris@crm.example", 9002);
        crm.unique("calls", PROPERTY);
        crm.contact("51", Map.of("firstname", "Ivan", "lastname", "Ivanov", "phone", KNOWN, "hubspot_owner_id", "302"));
        crm.searchLimit(1_000);
        token(HubSpotStandIn.TOKEN);
    }

    @AfterEach
    void stop() {
        bridge.close();
        crm.close();
    }

    private void token(String token) {
        if (bridge != null) {
            bridge.close();
        }
        bridge = AdapterHarness.of("hubspot", Map.of("callbridge.crm.hubspot.url", crm.origin(), "callbridge.crm.hubspot.token", token), Map.of());
        effects = new Effects(bridge);
    }

    private static Predicate<StandIn.Request> to(String method, String path) {
        return request -> request.method().equals(method) && request.path().equals(path);
    }

    /** A bucket lets its burst go and what fills it up meanwhile; that of look-ups has a burst of one. */
    @Test
    void noTenSecondsHaveMoreThanAHundredRequests() throws Exception {
        Properties given = TestConfig.packaged();
        assertTrue(Integer.parseInt(given.getProperty("callbridge.crm.hubspot.burst"))
                + 10 * Integer.parseInt(given.getProperty("callbridge.crm.hubspot.rate")) <= 100);
        assertTrue(1 + Integer.parseInt(given.getProperty("callbridge.crm.hubspot.lookup-rate")) <= 5);
    }

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
        // The country's code is no part of a searchable number.
        crm.contact("56", Map.of("firstname", "Greta", "phone", "0151 12345678", "hs_searchable_calculated_phone_number", "15112345678"));
        assertEquals(List.of("56"), bridge.find("+4915112345678").findValuesAsText("id"));
        assertEquals(3, crm.requests().size());
        crm.searchLimit(0);
        Throwable cause = assertThrows(IllegalStateException.class, () -> bridge.find(KNOWN)).getCause();
        assertEquals(1_000, ((CrmAnswerException) cause).retryAfterMs());
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
        token("another");
        said = assertThrows(IllegalStateException.class, () -> bridge.ask("probe")).getMessage();
        assertTrue(said.contains("answer 401"), said);
        effects.later("call", "leg-1", call("in", "answered", "", "301", 5));
    }

    @Test
    void aCallIsOneRequestBesidesItsLookUp() throws Exception {
        effects.delivered("call", "leg-1", with(call("in", "answered", KNOWN, "301", 61), "recordingUrl", "https://pbx.example/r/1.mp3"));
        assertEquals(2, crm.requests().size());
        assertEquals(StandIn.JSON.readTree("{\"properties\":{\"callbridge_id\":\"leg-1\",\"hs_timestamp\":" + STARTED + "000,"
                + "\"hs_call_direction\":\"INBOUND\",\"hs_call_status\":\"COMPLETED\",\"hs_call_duration\":\"61000\","
                + "\"hs_call_from_number\":\"+79161234567\",\"hs_call_to_number\":\"+74950000001\","
                + "\"hs_call_recording_url\":\"https://pbx.example/r/1.mp3\",\"hs_call_title\":\"Incoming call\",\"hubspot_owner_id\":\"301\"},"
                + "\"associations\":[{\"to\":{\"id\":\"51\"},\"types\":[{\"associationCategory\":\"HUBSPOT_DEFINED\","
                + "\"associationTypeId\":194}]}]}"), crm.requests().get(1).json());
        // HubSpot plays a recording from https only.
        effects.delivered("call", "leg-2", with(call("in", "answered", KNOWN, "301", 5), "recordingUrl", "http://pbx.example/r/1.mp3",
                "forwardedTo", "+79035550000"));
        assertNull(crm.effects().get(1).recording());
        assertEquals("Forwarded to +79035550000", crm.requests().get(3).json().at("/properties/hs_call_body").asText());
    }

    @ParameterizedTest
    @CsvSource({"in, answered, 5, COMPLETED", "out, busy, 0, BUSY", "out, no-answer, 0, NO_ANSWER", "out, cancelled, 0, CANCELED",
            "out, failed, 0, FAILED", "out, unknown, 0,", "in, unknown, 0,"})
    void whatTheResultMeans(String direction, String result, int seconds, String status) {
        effects.delivered("call", "leg-1", call(direction, result, KNOWN, "301", seconds));
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg-1", "301", "79161234567", direction, status, (long) seconds, STARTED, null)),
                crm.effects());
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 409})
    void aCallWhoseAnswerGotLostIsBroughtUpToDate(int conflict) {
        crm.conflictStatus(conflict);
        crm.lose(1, CREATE);
        effects.later("call", "leg/1 +", call("out", "no-answer", KNOWN, "301", 0));
        effects.delivered("call", "leg/1 +", call("out", "answered", KNOWN, "301", 9));
        assertEquals(List.of("leg/1 + COMPLETED 9"), crm.effects().stream().map(e -> e.id() + " " + e.status() + " " + e.seconds()).toList());
        assertEquals(List.of("51"), crm.contactsOf("calls", "leg/1 +"));
        crm.lose(1, request -> request.method().equals("PATCH"));
        Map<String, Object> end = with(call("out", "answered", KNOWN, "301", 61), "recordingUrl", "https://pbx.example/r/1.mp3");
        effects.later("call", "leg/1 +", end);
        effects.delivered("call", "leg/1 +", end);
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg/1 +", "301", "79161234567", "out", "COMPLETED", 61L, STARTED,
                "https://pbx.example/r/1.mp3")), crm.effects());
    }

    @ParameterizedTest
    @CsvSource({"+79160000001, 301, 2", "'', 301, 1", "+79160000001, '', 2", "+79160000001, anna, 2"})
    void aCallIsLoggedWithoutContactNumberOrOwner(String number, String user, int requests) {
        effects.delivered("call", "leg-1", call("in", "answered", number, user, 5));
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg-1", user.equals("301") ? user : null, number.isEmpty() ? null : "79160000001", "in",
                "COMPLETED", 5L, STARTED, null)), crm.effects());
        assertEquals(List.of(), crm.contactsOf("calls", "leg-1"));
        assertEquals(requests, crm.requests().size());
    }

    @Test
    void aMissedCallIsTheResponsibleOnes() {
        effects.delivered("missed", "c1", missed(KNOWN, "301"));
        assertEquals("Missed call: Missed at queue 880", title());
        effects.delivered("missed", "c1", with(missed(KNOWN, "301"), "servedAt", "2026-11-27T10:00:00Z"));
        assertEquals(List.of(new CrmEffect(Kind.MISSED, "missed-c1", "302", "79161234567", "in", "NO_ANSWER", 0L, STARTED, null)), crm.effects());
        assertEquals("Missed call: Missed at queue 880, served at 2026-11-27T10:00:00Z", title());
    }

    /** Of the last request. */
    private String title() {
        JsonNode properties = crm.requests().get(crm.requests().size() - 1).json().get("properties");
        return properties.get("hs_call_title").asText() + ": " + properties.get("hs_call_body").asText();
    }

    // --- tasks

    @Test
    void aTaskIsForTheResponsibleOneAtHisContact() {
        long before = Instant.now().getEpochSecond();
        effects.delivered("task", "c1", missed(KNOWN, "301"));
        effects.delivered("task", "c1", missed(KNOWN, "301"));
        effects.delivered("task", "c2", missed("", "301"));
        assertEquals(1, crm.effects().size());
        CrmEffect task = crm.effects().get(0);
        assertEquals("TASK 302 NOT_STARTED", task.kind() + " " + task.user() + " " + task.status());
        long due = task.startedAt() - 3_600;
        assertTrue(due >= before && due <= Instant.now().getEpochSecond(), task::toString);
        JsonNode sent = crm.requests().stream().filter(TASKS).findFirst().orElseThrow().json();
        assertEquals("Call back +79161234567, missed at 2026-11-27T09:00:05Z", sent.at("/properties/hs_task_subject").asText());
        assertEquals("51 204", sent.at("/associations/0/to/id").asText() + " " + sent.at("/associations/0/types/0/associationTypeId"));
        effects.delivered("task", "c3", missed(STRANGER, "301"));
        assertEquals("301", crm.effects().get(1).user());
    }

    @Test
    void aTaskWhoseAnswerGotLostIsFound() {
        crm.lose(1, TASKS);
        effects.later("task", "c1", missed(KNOWN, "301"));
        effects.delivered("task", "c1", missed(KNOWN, "301"));
        assertEquals(1, crm.effects().size());
        crm.refuse(1, StandIn.Reply.json(502, Map.of()), TASKS);
        Map<String, Object> another = with(missed(KNOWN, "301"), "startedAt", "2026-11-27T09:30:00Z");
        effects.later("task", "c2", another);
        effects.delivered("task", "c2", another);
        assertEquals(2, crm.effects().size());
    }

    /** What the search does not see yet is written again: at most that, and never nothing. */
    @Test
    void aTaskThatTheIndexDoesNotHaveYetIsThereTwice() {
        crm.indexLag(Duration.ofHours(1));
        crm.lose(1, TASKS);
        effects.later("task", "c1", missed(STRANGER, "301"));
        effects.delivered("task", "c1", missed(STRANGER, "301"));
        effects.delivered("task", "c1", missed(STRANGER, "301"));
        assertEquals(2, crm.effects().size());
    }

    // --- answers that are no success

    /** Whoever must create the property: no call may be lost until then. */
    @Test
    void whatIsTheCallsFaultIsRefusedAndWhatIsTheAdministratorsIsNot() {
        String said = effects.refused("call", "leg-1", call("in", "answered", KNOWN, "399", 5));
        assertTrue(said.contains("INVALID_OWNER_ID"), said);
        crm.unique("calls", "another_id");
        effects.later("call", "leg-1", call("in", "answered", STRANGER, "301", 5));
        crm.unique("calls", PROPERTY);
        effects.delivered("call", "leg-1", call("in", "answered", STRANGER, "301", 5));
        assertEquals(1, crm.effects().size());
    }

    @ParameterizedTest
    @CsvSource({"429, TEN_SECONDLY_ROLLING, 10000", "429, SECONDLY, 1000", "429, DAILY, 600000", "429, '', 1000", "401, '', 0", "402, '', 0",
            "403, '', 0", "408, '', 0", "423, '', 0", "477, '', 0", "500, '', 0", "503, '', 0"})
    void whatMayPassIsTriedAgain(int status, String policy, long millis) {
        crm.refuse(1, StandIn.Reply.json(status, Map.of("status", "error", "policyName", policy)), CREATE);
        assertEquals(millis, effects.later("call", "leg-1", call("in", "answered", STRANGER, "301", 5)));
        effects.delivered("call", "leg-1", call("in", "answered", STRANGER, "301", 5));
        assertEquals(1, crm.effects().size());
    }
}
