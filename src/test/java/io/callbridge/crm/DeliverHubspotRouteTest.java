package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import io.callbridge.crm.StandIn.Reply;
import io.callbridge.crm.StandIn.Request;
import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.routes.AdapterHarness;
import io.callbridge.support.TestConfig;
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
class DeliverHubspotRouteTest extends Effects {

    private static final Predicate<Request> CREATE = request -> (request.method() + request.path()).equals("POST/crm/v3/objects/calls");
    private static final Predicate<Request> TASKS = request -> (request.method() + request.path()).equals("POST/crm/v3/objects/tasks");

    private final HubSpotStandIn crm = new HubSpotStandIn();

    @BeforeEach
    void fill() {
        bridge = AdapterHarness.of("hubspot",
                Map.of("callbridge.crm.hubspot.url", crm.origin(), "callbridge.crm.hubspot.token", HubSpotStandIn.TOKEN), Map.of());
        crm.owner("301");
        crm.owner("302");
        crm.contact("51", Map.of("firstname", "Ivan", "lastname", "Ivanov", "phone", KNOWN, "hubspot_owner_id", "302"));
        crm.searches.most(1_000);
    }

    @AfterEach
    void stop() {
        crm.close();
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
        // The country's code is no part of a searchable number.
        crm.contact("56", Map.of("firstname", "Greta", "phone", "0151 12345678", "hs_searchable_calculated_phone_number", "15112345678"));
        JsonNode found = bridge.find(KNOWN);
        assertEquals(List.of("51", "52", "53", "54"), found.findValuesAsText("id"));
        assertEquals(List.of("Ivan Ivanov", "Petrova", "Oleg"), found.findValuesAsText("name"));
        assertEquals(List.of("302"), found.findValuesAsText("responsible"));
        assertEquals("contact 2026-01-01T00:00:00Z", found.at("/0/type").asText() + " " + found.at("/0/updatedAt").asText());
        assertTrue(bridge.find("+79160000002").isEmpty());
        assertEquals(List.of("56"), bridge.find("+4915112345678").findValuesAsText("id"));
        crm.searches.most(0);
        Throwable cause = assertThrows(IllegalStateException.class, () -> bridge.find(KNOWN)).getCause();
        assertEquals(1_000, ((CrmAnswerException) cause).retryAfterMs);
    }

    @Test
    void theProbeTellsWhatIsMissing() {
        bridge.ask("probe");
        Map.of(404, "no property callbridge_id", 200, "hasUniqueValue true", 401, "answer 401").forEach((status, why) -> {
            Predicate<Request> property = request -> request.path().equals("/crm/v3/properties/calls/callbridge_id");
            crm.refuse(1, Reply.json(status, Map.of("hasUniqueValue", false)), property);
            String said = assertThrows(IllegalStateException.class, () -> bridge.ask("probe")).getMessage();
            assertTrue(said.contains(why), said);
        });
    }

    @Test
    void aCallIsOneRequestBesidesItsLookUp() throws Exception {
        delivered("call", "leg-1", with(call("in", "answered", KNOWN, "301", 61), "recordingUrl", "https://pbx.example/r/1.mp3"));
        assertEquals(2, crm.requests().size());
        assertEquals(StandIn.JSON.readTree("""
                {"properties": {"callbridge_id": "leg-1", "hs_timestamp": 1795770005000, "hs_call_direction": "INBOUND",
                   "hs_call_status": "COMPLETED", "hs_call_duration": "61000", "hs_call_from_number": "+79161234567",
                   "hs_call_to_number": "+74950000001", "hs_call_recording_url": "https://pbx.example/r/1.mp3",
                   "hs_call_title": "Incoming call", "hubspot_owner_id": "301"},
                 "associations": [{"to": {"id": "51"},
                   "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}]}]}"""), crm.requests().get(1).json());
        // HubSpot plays a recording from https only.
        delivered("call", "leg-2", with(call("in", "answered", KNOWN, "anna", 5), "recordingUrl", "http://pbx.example/r/1.mp3",
                "forwardedTo", "+79035550000"));
        assertNull(crm.effects().get(1).recording());
        assertNull(crm.effects().get(1).user());
        assertEquals("Forwarded to +79035550000", crm.requests().get(3).json().at("/properties/hs_call_body").asText());
    }

    @ParameterizedTest
    @CsvSource({"in, answered, 5, COMPLETED", "out, busy, 0, BUSY", "out, no-answer, 0, NO_ANSWER", "out, cancelled, 0, CANCELED",
            "out, failed, 0, FAILED", "out, unknown, 0,", "in, unknown, 0,"})
    void whatTheResultMeans(String direction, String result, int seconds, String status) {
        delivered("call", "leg-1", call(direction, result, STRANGER, "301", seconds));
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg-1", "301", "79160000001", direction, status, (long) seconds, STARTED, null)),
                crm.effects());
        assertEquals(List.of(), crm.contactsOf("leg-1"));
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 409})
    void aCallWhoseAnswerGotLostIsBroughtUpToDate(int conflict) {
        crm.conflict = conflict;
        crm.lose(1, CREATE);
        later("call", "leg/1 +", call("out", "no-answer", KNOWN, "301", 0));
        crm.lose(1, request -> request.method().equals("PATCH"));
        Map<String, Object> end = with(call("out", "answered", KNOWN, "301", 61), "recordingUrl", "https://pbx.example/r/1.mp3");
        again("call", "leg/1 +", end);
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg/1 +", "301", "79161234567", "out", "COMPLETED", 61L, STARTED,
                "https://pbx.example/r/1.mp3")), crm.effects());
        assertEquals(List.of("51"), crm.contactsOf("leg/1 +"));
    }

    @Test
    void aMissedCallIsTheResponsibleOnes() {
        delivered("missed", "c1", missed(KNOWN, "301"));
        assertEquals("Missed call: Missed at queue 880", title());
        delivered("missed", "c1", with(missed(KNOWN, "301"), "servedAt", "2026-11-27T10:00:00Z"));
        assertEquals(List.of(new CrmEffect(Kind.MISSED, "missed-c1", "302", "79161234567", "in", "NO_ANSWER", 0L, STARTED, null)),
                crm.effects());
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
        delivered("task", "c1", missed(KNOWN, "301"));
        delivered("task", "c1", missed(KNOWN, "301"));
        delivered("task", "c2", missed("", "301"));
        delivered("task", "c3", missed(STRANGER, "301"));
        assertEquals(List.of("TASK 302 NOT_STARTED", "TASK 301 NOT_STARTED"),
                crm.effects().stream().map(task -> task.kind() + " " + task.user() + " " + task.status()).toList());
        long due = crm.effects().get(0).startedAt() - 3_600;
        assertTrue(due >= before && due <= Instant.now().getEpochSecond(), crm.effects()::toString);
        JsonNode sent = crm.requests().stream().filter(TASKS).findFirst().orElseThrow().json();
        assertEquals("Call back +79161234567, missed at 2026-11-27T09:00:05Z", sent.at("/properties/hs_task_subject").asText());
        assertEquals("51 204", sent.at("/associations/0/to/id").asText() + " " + sent.at("/associations/0/types/0/associationTypeId"));
    }

    @Test
    void aTaskWhoseAnswerGotLostIsFound() {
        crm.lose(1, TASKS);
        again("task", "c1", missed(KNOWN, "301"));
        assertEquals(1, crm.effects().size());
        crm.refuse(1, Reply.json(502, Map.of()), TASKS);
        Map<String, Object> another = with(missed(KNOWN, "301"), "startedAt", "2026-11-27T09:30:00Z");
        again("task", "c2", another);
        assertEquals(2, crm.effects().size());
    }

    /** What the search does not see yet is written again: at most that, and never nothing. */
    @Test
    void aTaskThatTheIndexDoesNotHaveYetIsThereTwice() {
        crm.indexLags();
        crm.lose(1, TASKS);
        again("task", "c1", missed(STRANGER, "301"));
        delivered("task", "c1", missed(STRANGER, "301"));
        assertEquals(2, crm.effects().size());
    }

    // --- answers that are no success

    /** Whoever must create the property: no call may be lost until then. */
    @Test
    void whatIsTheCallsFaultIsRefusedAndWhatIsTheAdministratorsIsNot() {
        String said = refused("call", "leg-1", call("in", "answered", KNOWN, "399", 5));
        assertTrue(said.contains("INVALID_OWNER_ID"), said);
        crm.unique = "another_id";
        later("call", "leg-1", call("in", "answered", STRANGER, "301", 5));
        crm.unique = "callbridge_id";
        delivered("call", "leg-1", call("in", "answered", STRANGER, "301", 5));
        assertEquals(1, crm.effects().size());
    }

    @ParameterizedTest
    @CsvSource({"429, TEN_SECONDLY_ROLLING, 10000", "429, SECONDLY, 1000", "429, DAILY, 600000", "429, '', 1000", "401, '', 0",
            "402, '', 0", "403, '', 0", "408, '', 0", "423, '', 0", "477, '', 0", "500, '', 0"})
    void whatMayPassIsTriedAgain(int status, String policy, long millis) {
        crm.refuse(1, Reply.json(status, Map.of("status", "error", "policyName", policy)), CREATE);
        assertEquals(millis, again("call", "leg-1", call("in", "answered", STRANGER, "301", 5)));
        assertEquals(1, crm.effects().size());
    }
}
