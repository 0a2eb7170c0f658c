package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import io.callbridge.crm.StandIn.Reply;
import io.callbridge.crm.StandIn.Request;
import io.callbridge.routes.AdapterHarness;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The effects as amoCRM receives them, also when answers are lost, and what becomes of calls that it does not store. */
class DeliverAmocrmRouteTest extends Effects {

    private static final Predicate<Request> CHANGES = request -> request.method().equals("PATCH");

    private final AmoCrmStandIn crm = new AmoCrmStandIn();
    private final Map<String, String> settings = new HashMap<>(
            Map.of("callbridge.crm.amocrm.url", crm.origin(), "callbridge.crm.amocrm.token", AmoCrmStandIn.TOKEN));

    @BeforeEach
    void start() {
        crm.limit.most(100_000);
        crm.user(7);
        crm.user(8);
        crm.contact("8 (916) 123-45-67", 501, "Ivanov", 8);
        set("unknown-caller", "unsorted");
    }

    @AfterEach
    void stop() {
        crm.close();
    }

    private void set(String key, String value) {
        settings.put("callbridge.crm.amocrm." + key, value);
        bridge = AdapterHarness.of("amocrm", settings, Map.of());
    }

    private static Predicate<Request> post(String path) {
        return request -> request.method().equals("POST") && request.path().equals(path);
    }

    private JsonNode sent(int index) {
        return crm.requests().get(index).json();
    }

    private static JsonNode json(String text) throws Exception {
        return StandIn.JSON.readTree(text);
    }

    @Test
    void aLookUpTakesOnlyWhoHasTheNumber() {
        crm.contact("+7 999 161 234 567 89", 502, "Another", 7);
        crm.contact("+79161234567", 503, "79161234567 8", 7);
        JsonNode found = bridge.find(KNOWN);
        assertEquals(List.of("501", "503"), found.findValuesAsText("id"));
        assertEquals("contact Ivanov 8 true", found.at("/0/type").asText() + " " + found.at("/0/name").asText() + " "
                + found.at("/0/responsible").asText() + " " + found.at("/0/updatedAt").isIntegralNumber());
        assertTrue(bridge.find(STRANGER).isEmpty());
        assertTrue(bridge.find("+1234567").isEmpty());
        assertEquals("query=9161234567&limit=250", crm.requests().get(0).query());
        assertEquals("query=1234567&limit=250", crm.requests().get(2).query());
    }

    @Test
    void theProbeTellsAWrongToken() {
        bridge.ask("probe");
        crm.refuse(1, Reply.json(401, Map.of()), request -> request.path().equals("/api/v4/account"));
        assertThrows(IllegalStateException.class, () -> bridge.ask("probe"));
    }

    /** Without users amoCRM would show it to everybody. */
    @Test
    void aCardIsShownOnceToItsUser() {
        delivered("card", "leg-2", card(KNOWN, ""));
        delivered("card", "leg-2", card(KNOWN, "anna"));
        delivered("card", "leg-2", card("", "7"));
        delivered("card", "leg-1", card(KNOWN, "7"));
        delivered("card", "leg-1", card(KNOWN, "7"));
        assertEquals(List.of("{\"add\":[{\"type\":\"phone_call\",\"phone_number\":\"+79161234567\",\"users\":[7]}]}"),
                crm.requests().stream().map(Request::text).toList());
    }

    /** Of a card, too: amoCRM would show it again. */
    @ParameterizedTest
    @CsvSource({"card, /api/v2/events/, +79161234567", "missed, /api/v4/leads/unsorted/sip, +79160000001",
            "task, /api/v4/tasks, +79161234567", "missed, /api/v4/leads/unsorted/sip, ''"})
    void whatIsLostIsThereOnceAndWhatIsRefusedToo(String operation, String path, String number) {
        crm.lose(1, post(path));
        Map<String, Object> body = operation.equals("card") ? card(number, "7") : missed(number, "7");
        again(operation, "id", body);
        for (int status : List.of(401, 429, 503)) {
            crm.refuse(1, Reply.json(status, Map.of("title", "no")), post(path));
            again(operation, "id-" + status, with(body, "startedAt", "2026-11-27T09:00:07.%dZ".formatted(status)));
        }
        assertEquals(4, crm.effects().size() + crm.tasks().size());
    }

    @Test
    void aCallIsOneRequestWithEverythingThatIsKnown() throws Exception {
        delivered("call", "leg-1", with(call("in", "answered", KNOWN, "7", 61), "recordingUrl", "https://pbx.example/r/1.mp3"));
        assertEquals(json("""
                [{"direction": "inbound", "uniq": "leg-1", "phone": "+79161234567", "source": "Callbridge", "duration": 61,
                  "call_status": 4, "call_result": "answered", "link": "https://pbx.example/r/1.mp3", "call_responsible": 7,
                  "responsible_user_id": 7, "created_by": 7, "created_at": 1795770005}]"""), sent(0));
        delivered("call", "leg-2", call("in", "answered", KNOWN, "anna", 5));
        assertTrue(!sent(1).toString().matches(".*(responsible|created_by).*"), sent(1)::toString);
        assertEquals(2, crm.requests().size());
    }

    @ParameterizedTest
    @CsvSource({"in, answered, 5, CALL, 4", "out, busy, 0, CALL, 7", "out, no-answer, 0, CALL, 6", "out, cancelled, 0, CALL, 6",
            "out, failed, 0, CALL, 3", "out, unknown, 0, CALL,", "in, unknown, 0, MISSED,"})
    void whatTheResultMeans(String direction, String result, int seconds, Kind kind, String status) {
        delivered("call", "leg-1", call(direction, result, KNOWN, "7", seconds));
        assertEquals(List.of(new CrmEffect(kind, "leg-1", "7", "79161234567", direction, status, (long) seconds, STARTED, null)),
                crm.effects());
    }

    @ParameterizedTest
    @ValueSource(strings = {"contacts", "leads", "companies"})
    void aCallWhoseAnswerGotLostIsFoundWhereAmoCrmPutIt(String place) {
        String number = place.equals("companies") ? STRANGER : KNOWN;
        crm.client("companies", STRANGER, 601, "Works", 8);
        if (place.equals("leads")) {
            crm.lead(501, 901);
        }
        crm.lose(1, post("/api/v4/calls"));
        later("call", "leg-1", call("out", "no-answer", number, "7", 0));
        crm.refuse(1, Reply.empty(502), CHANGES);
        again("call", "leg-1", call("out", "answered", number, "7", 9));
        assertEquals(List.of(place + " 4 9"), crm.callsOf("leg-1").stream()
                .map(note -> note.type() + " " + note.call().get("call_status") + " " + note.call().get("duration")).toList());
        // Found once, then known.
        assertTrue(crm.requests().size() <= 6, crm.requests()::toString);
    }

    /** A page of notes is 250. */
    @Test
    void aCallIsFoundBehindManyOthersAndNoOtherIsTakenForIt() {
        delivered("call", "other", call("in", "answered", KNOWN, "7", 5));
        Request other = crm.requests().get(0);
        for (int i = 0; i < 260; i++) {
            byte[] another = other.text().replace("\"other\"", "\"other-" + i + "\"").getBytes(StandardCharsets.UTF_8);
            crm.look(() -> crm.answer(new Request(other.method(), other.path(), other.query(), other.headers(), another, other.nanos())));
        }
        crm.lose(1, post("/api/v4/calls"));
        again("call", "leg-1", call("in", "answered", KNOWN, "7", 5));
        crm.refuse(1, Reply.empty(500), post("/api/v4/calls"));
        again("call", "leg-2", call("in", "answered", KNOWN, "7", 6));
        assertEquals("1 1", crm.callsOf("leg-1").size() + " " + crm.callsOf("leg-2").size());
    }

    @Test
    void whatBecomesKnownLaterChangesTheNote() {
        crm.lead(501, 901);
        delivered("call", "leg-1", call("in", "unknown", KNOWN, "7", 0));
        delivered("call", "leg-1", with(call("in", "answered", KNOWN, "7", 61), "recordingUrl", "https://pbx.example/r/1.mp3"));
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg-1", "7", "79161234567", "in", "4", 61L, STARTED, "https://pbx.example/r/1.mp3")),
                crm.effects());
        assertEquals(2, crm.requests().size());
        assertTrue(crm.requests().get(1).path().startsWith("/api/v4/leads/901/notes/"), crm.requests().get(1)::path);
        crm.refuse(1, Reply.json(404, Map.of("title", "Not Found")), CHANGES);
        refused("call", "leg-1", call("in", "answered", KNOWN, "7", 62));
    }

    @Test
    void aMissedCallIsTheResponsibleOnes() {
        delivered("missed", "c1", missed(KNOWN, "7"));
        assertEquals(List.of(new CrmEffect(Kind.MISSED, "missed-c1", "8", "79161234567", "in", "6", 0L, STARTED, null)), crm.effects());
        delivered("missed", "c1", with(missed(KNOWN, "7"), "servedAt", "2026-11-27T10:00:00Z"));
        assertEquals(List.of("missed, served at 2026-11-27T10:00:00Z"),
                crm.callsOf("missed-c1").stream().map(stored -> stored.call().get("call_result").asText()).toList());
    }

    // --- numbers that nobody has

    /** amoCRM's rule: only incoming calls are sorted out. Without a word it would count as in the CRM. */
    @ParameterizedTest
    @CsvSource({"skip, in, nobody has its number", "unsorted, out, unknown-caller=create-contact makes a contact"})
    void whyAStrangersCallIsNowhereIsSaid(String policy, String direction, String why) {
        set("unknown-caller", policy);
        String skipped = delivered("call", "leg-1", call(direction, "answered", STRANGER, "7", 5)).skipped();
        assertTrue(skipped.contains(why), skipped);
        assertEquals(1, crm.requests().size());
        crm.contact(STRANGER, 504, "New", 7);
        delivered("call", "leg-1", call(direction, "answered", STRANGER, "7", 5));
        assertEquals(1, crm.effects().size());
    }

    @Test
    void aStrangersCallIsAnIncomingLead() throws Exception {
        set("pipeline-id", "3166396");
        delivered("call", "leg-1", call("in", "answered", STRANGER, "7", 5));
        delivered("call", "leg-1", with(call("in", "answered", STRANGER, "7", 5), "recordingUrl", "https://pbx.example/r/1.mp3"));
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg-1", null, "79160000001", "in", null, 5L, STARTED, null)), crm.effects());
        assertEquals(json("""
                [{"source_uid": "leg-1", "source_name": "Callbridge", "pipeline_id": 3166396, "created_at": 1795770005,
                  "_embedded": {"contacts": [{"name": "+79160000001",
                    "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "+79160000001"}]}]}]},
                  "metadata": {"is_call_event_needed": true, "uniq": "leg-1", "from": "+79160000001", "phone": "+74950000001",
                    "called_at": 1795770005, "duration": 5, "service_code": "Callbridge"}}]"""), sent(1));
        assertEquals(2, crm.requests().size());
    }

    @Test
    void aStrangerBecomesAContact() {
        set("unknown-caller", "create-contact");
        crm.lose(1, post("/api/v4/contacts"));
        again("call", "leg-1", call("out", "answered", STRANGER, "7", 5));
        assertEquals(2, crm.clients().size());
        AmoCrmStandIn.Client created = crm.clients().get(1);
        assertEquals("+79160000001 [+79160000001] 7", created.name() + " " + created.phones() + " " + created.responsible());
        assertEquals(List.of(created.id()), crm.callsOf("leg-1").stream().map(AmoCrmStandIn.Stored::entity).toList());
    }

    /** What was just created may not be found at once. */
    @Test
    void aNewContactThatIsNotFoundYetIsNotCreatedAgain() {
        set("unknown-caller", "create-contact");
        Reply nobody = Reply.json(400, Map.of("_total_items", 0, "errors", List.of(Map.of("title", "Entity not found"))));
        crm.refuse(3, nobody, post("/api/v4/calls"));
        assertEquals(1_000, later("call", "leg-1", call("in", "answered", STRANGER, "7", 5)));
        assertEquals(1_000, again("call", "leg-1", call("in", "answered", STRANGER, "7", 5)));
        assertEquals("2 1", crm.clients().size() + " " + crm.callsOf("leg-1").size());
    }

    // --- tasks

    @Test
    void aTaskIsForTheResponsibleOneAtHisClient() throws Exception {
        set("task-hours", "2");
        long before = Instant.now().getEpochSecond();
        delivered("task", "c1", missed(KNOWN, "7"));
        delivered("task", "c1", missed(KNOWN, "7"));
        delivered("task", "c2", missed("", "7"));
        delivered("task", "c3", missed(STRANGER, "7"));
        assertEquals(2, crm.tasks().size());
        JsonNode task = crm.tasks().get(0);
        long due = task.get("complete_till").asLong();
        assertTrue(due - 7_200 >= before && due - 7_200 <= Instant.now().getEpochSecond(), task::toString);
        assertEquals(json("""
                {"text": "Call back +79161234567, missed at 2026-11-27T09:00:05Z", "task_type_id": 1, "complete_till": %d,
                 "responsible_user_id": 8, "entity_id": 501, "entity_type": "contacts"}""".formatted(due)), task);
        JsonNode another = crm.tasks().get(1);
        assertEquals("7 null null", another.get("responsible_user_id") + " " + another.get("entity_id") + " " + another.get("entity_type"));
    }

    // --- answers that are no success

    @ParameterizedTest
    @CsvSource({"401,, 0", "402,, 0", "403,, 0", "408,, 0", "429,, 1000", "429, 7, 7000", "500,, 0"})
    void whatMayPassIsTriedAgain(int status, String after, long millis) {
        Map<String, String> headers = after == null ? Map.of() : Map.of("Retry-After", after);
        crm.refuse(1, new Reply(status, "application/json", "{}", headers), post("/api/v4/calls"));
        assertEquals(millis, again("call", "leg-1", call("in", "answered", KNOWN, "7", 5)));
        assertEquals(1, crm.callsOf("leg-1").size());
        String said = refused("call", "leg-2", call("in", "answered", KNOWN, "99", 5));
        assertTrue(said.contains("NotSupportedChoice"), said);
    }
}
