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

/** The effects as amoCRM receives them, also when answers are lost, and what becomes of calls that it does not store. */
class DeliverAmocrmRouteTest {

    private static final String KNOWN = "+79161234567";
    private static final String STRANGER = "+79160000001";
    private static final long STARTED = Instant.parse("2026-11-27T09:00:05Z").getEpochSecond();
    private static final Predicate<StandIn.Request> CALLS = AmoCrmStandIn.to("POST", "/api/v4/calls");
    private static final Predicate<StandIn.Request> UNSORTED = AmoCrmStandIn.to("POST", "/api/v4/leads/unsorted/sip");
    private static final Predicate<StandIn.Request> CONTACTS = AmoCrmStandIn.to("POST", "/api/v4/contacts");
    private static final Predicate<StandIn.Request> TASKS = AmoCrmStandIn.to("POST", "/api/v4/tasks");
    private static final Predicate<StandIn.Request> CARDS = AmoCrmStandIn.to("POST", "/api/v2/events/");

    private final AmoCrmStandIn crm = new AmoCrmStandIn();
    private final Map<String, String> settings = new HashMap<>(
            Map.of("callbridge.crm.amocrm.url", crm.origin(), "callbridge.crm.amocrm.token", AmoCrmStandIn.TOKEN));
    private AdapterHarness bridge;

    @BeforeEach
    void start() {
        crm.limit(1_000);
        crm.user(7, "Anna", "anna@example.com");
        crm.user(8, "Boris", "boris@example.com");
        crm.contact("8 (916) 123-45-67", 501, "Ivanov", 8);
        with("unsorted");
    }

    @AfterEach
    void stop() {
        bridge.close();
        crm.close();
    }

    private void with(String policy) {
        if (bridge != null) {
            bridge.close();
        }
        settings.put("callbridge.crm.amocrm.unknown-caller", policy);
        bridge = AdapterHarness.of("amocrm", settings, Map.of());
    }

    @Test
    void itCanDoWhatAmoCrmCan() {
        assertEquals("lookup probe card call missed task", String.join(" ", List.of("lookup", "users", "probe", "card", "answer", "card-end",
                "call", "recording", "missed", "task").stream().filter(bridge::can).toList()));
    }

    /** A bucket lets its burst go and what fills it up meanwhile. */
    @Test
    void noSecondHasMoreThanSevenRequests() throws Exception {
        Properties given = TestConfig.packaged();
        assertTrue(Integer.parseInt(given.getProperty("callbridge.crm.amocrm.burst"))
                + Integer.parseInt(given.getProperty("callbridge.crm.amocrm.rate")) <= 7);
    }

    // --- look-up

    @Test
    void aLookUpTakesOnlyWhoHasTheNumber() {
        crm.contact("+7 999 161 234 567 89", 502, "Another", 7);
        crm.contact("+79161234567", 503, "79161234567 8", 7);
        JsonNode found = bridge.find(KNOWN);
        assertEquals(List.of("501", "503"), found.findValuesAsText("id"));
        assertEquals("contact Ivanov 8", found.at("/0/type").asText() + " " + found.at("/0/name").asText() + " " + found.at("/0/responsible").asText());
        assertTrue(found.at("/0/updatedAt").isIntegralNumber());
        assertEquals("query=9161234567&limit=250", crm.requests().get(0).query());
        assertTrue(bridge.find(STRANGER).isEmpty());
        assertTrue(bridge.find("+1234567").isEmpty());
        assertEquals("query=1234567&limit=250", crm.requests().get(2).query());
    }

    @Test
    void theProbeTellsAWrongToken() {
        bridge.ask("probe");
        crm.token("another");
        assertThrows(IllegalStateException.class, () -> bridge.ask("probe"));
    }

    // --- cards

    @Test
    void aCardIsShownOnceToItsUser() {
        delivered("card", "leg-1", card(KNOWN, "7"));
        delivered("card", "leg-1", card(KNOWN, "7"));
        assertEquals(List.of(new CrmEffect(Kind.CARD, null, "7", "79161234567", null, null, null, null, null)), crm.effects());
        assertEquals(1, crm.requests().size());
        assertEquals("{\"add\":[{\"type\":\"phone_call\",\"phone_number\":\"+79161234567\",\"users\":[7]}]}", crm.requests().get(0).text());
    }

    @Test
    void aCardWhoseAnswerGotLostIsNotShownAgain() {
        crm.lose(1, CARDS);
        later("card", "leg-1", card(KNOWN, "7"));
        delivered("card", "leg-1", card(KNOWN, "7"));
        assertEquals(1, crm.effects().size());
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 429, 503})
    void aCardThatWasNotShownIsTriedAgain(int status) {
        crm.refuse(1, StandIn.Reply.json(status, Map.of("title", "no")), CARDS);
        later("card", "leg-1", card(KNOWN, "7"));
        delivered("card", "leg-1", card(KNOWN, "7"));
        assertEquals(1, crm.effects().size());
    }

    /** Without users amoCRM would show it to everybody. */
    @ParameterizedTest
    @CsvSource({"+79161234567, ''", "+79161234567, anna", "'', 7"})
    void aCardWithoutUserOrNumberIsNone(String number, String user) {
        delivered("card", "leg-1", card(number, user));
        assertEquals(0, crm.requests().size());
    }

    // --- calls

    @Test
    void aCallIsOneRequestWithEverythingThatIsKnown() throws Exception {
        Map<String, Object> call = call("in", "answered", KNOWN, "7", 61);
        call.put("recordingUrl", "https://pbx.example/r/1.mp3");
        delivered("call", "leg-1", call);
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg-1", "7", "79161234567", "in", "4", 61L, STARTED, "https://pbx.example/r/1.mp3")),
                crm.effects());
        assertEquals(1, crm.requests().size());
        assertEquals(StandIn.JSON.readTree("[{\"direction\":\"inbound\",\"uniq\":\"leg-1\",\"phone\":\"+79161234567\",\"source\":\"Callbridge\","
                + "\"duration\":61,\"call_status\":4,\"call_result\":\"answered\",\"link\":\"https://pbx.example/r/1.mp3\",\"call_responsible\":7,"
                + "\"responsible_user_id\":7,\"created_by\":7,\"created_at\":" + STARTED + "}]"), crm.requests().get(0).json());
    }

    @ParameterizedTest
    @CsvSource({"in, answered, 5, CALL, 4", "out, answered, 5, CALL, 4", "out, busy, 0, CALL, 7", "out, no-answer, 0, CALL, 6",
            "out, cancelled, 0, CALL, 6", "out, failed, 0, CALL, 3", "out, unknown, 0, CALL,", "in, unknown, 0, MISSED,"})
    void whatTheResultMeans(String direction, String result, int seconds, Kind kind, String status) {
        delivered("call", "leg-1", call(direction, result, KNOWN, "7", seconds));
        CrmEffect effect = crm.effects().get(0);
        assertEquals(new CrmEffect(kind, "leg-1", "7", "79161234567", direction, status, (long) seconds, STARTED, null), effect);
    }

    @ParameterizedTest
    @CsvSource({"''", "anna"})
    void aUserThatAmoCrmDoesNotKnowIsLeftOut(String user) {
        delivered("call", "leg-1", call("in", "answered", KNOWN, user, 5));
        assertEquals(1, crm.effects().size());
        assertFalse(crm.requests().get(0).text().contains("responsible"), crm.requests().get(0).text());
        assertFalse(crm.requests().get(0).text().contains("created_by"), crm.requests().get(0).text());
    }

    @ParameterizedTest
    @ValueSource(strings = {"contacts", "leads", "companies"})
    void aCallWhoseAnswerGotLostIsFoundWhereAmoCrmPutIt(String place) {
        String number = place.equals("companies") ? STRANGER : KNOWN;
        crm.company(STRANGER, 601, "Works", 8);
        if (place.equals("leads")) {
            crm.lead(501, 901);
        }
        crm.lose(1, CALLS);
        later("call", "leg-1", call("out", "no-answer", number, "7", 0));
        Map<String, Object> now = call("out", "answered", number, "7", 9);
        delivered("call", "leg-1", now);
        assertEquals(List.of(place), crm.callsOf("leg-1").stream().map(AmoCrmCalls.Stored::entityType).toList());
        assertEquals("4 9", crm.effects().get(0).status() + " " + crm.effects().get(0).seconds());
        assertEquals(1, crm.effects().size());
        assertTrue(crm.requests().size() <= 5, crm.requests()::toString);
        delivered("call", "leg-1", now);
        assertEquals(1, crm.effects().size());
    }

    @Test
    void aCallThatNeverArrivedIsSentAgain() {
        crm.down();
        later("call", "leg-1", call("in", "answered", KNOWN, "7", 5));
        crm.up();
        delivered("call", "leg-1", call("in", "answered", KNOWN, "7", 5));
        assertEquals(1, crm.callsOf("leg-1").size());
    }

    @Test
    void anotherCallIsNotTakenForIt() {
        delivered("call", "leg-0", call("in", "answered", KNOWN, "7", 3));
        crm.refuse(1, StandIn.Reply.json(500, Map.of()), CALLS);
        later("call", "leg-1", call("in", "answered", KNOWN, "7", 5));
        delivered("call", "leg-1", call("in", "answered", KNOWN, "7", 5));
        assertEquals(List.of("leg-0 3", "leg-1 5"), crm.effects().stream().map(e -> e.id() + " " + e.seconds()).toList());
    }

    @Test
    void whatBecomesKnownLaterChangesTheNote() {
        crm.lead(501, 901);
        delivered("call", "leg-1", call("in", "unknown", KNOWN, "7", 0));
        Map<String, Object> end = call("in", "answered", KNOWN, "7", 61);
        delivered("call", "leg-1", end);
        end.put("recordingUrl", "https://pbx.example/r/1.mp3");
        delivered("call", "leg-1", end);
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg-1", "7", "79161234567", "in", "4", 61L, STARTED, "https://pbx.example/r/1.mp3")),
                crm.effects());
        assertEquals(3, crm.requests().size());
        assertTrue(crm.requests().get(2).path().startsWith("/api/v4/leads/901/notes/"), crm.requests().get(2)::path);
    }

    @Test
    void aChangeOfANoteThatIsGoneIsRefused() {
        delivered("call", "leg-1", call("in", "unknown", KNOWN, "7", 0));
        crm.refuse(1, StandIn.Reply.json(404, Map.of("title", "Not Found")), request -> request.method().equals("PATCH"));
        assertEquals("deadLetter", bridge.deliver("call", "leg-1", call("in", "answered", KNOWN, "7", 5)).result());
    }

    // --- missed calls

    @Test
    void aMissedCallIsTheResponsibleOnes() {
        delivered("missed", "c1", missed(KNOWN, "7"));
        assertEquals(List.of(new CrmEffect(Kind.MISSED, "missed-c1", "8", "79161234567", "in", "6", 0L, STARTED, null)), crm.effects());
        assertEquals(2, crm.requests().size());
        Map<String, Object> served = missed(KNOWN, "7");
        served.put("servedAt", "2026-11-27T10:00:00Z");
        delivered("missed", "c1", served);
        assertEquals(1, crm.effects().size());
        assertEquals("missed, served at 2026-11-27T10:00:00Z", crm.callsOf("missed-c1").get(0).call().get("call_result").asText());
    }

    @Test
    void aMissedCallWhoseAnswerGotLostIsFound() {
        crm.lose(1, CALLS);
        later("missed", "c1", missed(KNOWN, "7"));
        delivered("missed", "c1", missed(KNOWN, "7"));
        assertEquals(1, crm.callsOf("missed-c1").size());
    }

    /** A page of notes is 250. */
    @Test
    void aCallIsFoundBehindManyOthers() {
        crm.limit(100_000);
        for (int i = 0; i < 260; i++) {
            delivered("call", "other-" + i, call("in", "answered", KNOWN, "7", 5));
        }
        crm.lose(1, CALLS);
        later("call", "leg-1", call("in", "answered", KNOWN, "7", 5));
        delivered("call", "leg-1", call("in", "answered", KNOWN, "7", 5));
        assertEquals(1, crm.callsOf("leg-1").size());
    }

    // --- numbers that nobody has

    @Test
    void aStrangersCallIsSkipped() {
        with("skip");
        Outcome skipped = bridge.deliver("call", "leg-1", call("in", "answered", STRANGER, "7", 5));
        assertEquals("delivered nobody has its number (callbridge.crm.amocrm.unknown-caller=skip)", skipped.result() + " " + skipped.skipped());
        delivered("missed", "c1", missed("", "7"));
        assertEquals(List.of(), crm.effects());
        assertEquals(1, crm.requests().size());
        crm.contact(STRANGER, 504, "New", 7);
        delivered("call", "leg-1", call("in", "answered", STRANGER, "7", 5));
        assertEquals(1, crm.effects().size());
    }

    /** It would count as in the CRM. */
    @Test
    void whyAnOutgoingCallToAStrangerIsNowhereIsSaid() {
        with("unsorted");
        Outcome skipped = bridge.deliver("call", "leg-1", call("out", "answered", STRANGER, "7", 5));
        assertEquals("delivered", skipped.result());
        assertTrue(skipped.skipped().contains("unknown-caller=create-contact makes a contact"), skipped.skipped());
        assertEquals(List.of(), crm.effects());
    }

    @Test
    void aStrangersCallIsAnIncomingLead() throws Exception {
        settings.put("callbridge.crm.amocrm.pipeline-id", "3166396");
        with("unsorted");
        Map<String, Object> call = call("in", "answered", STRANGER, "7", 5);
        delivered("call", "leg-1", call);
        call.put("recordingUrl", "https://pbx.example/r/1.mp3");
        delivered("call", "leg-1", call);
        assertEquals(List.of(new CrmEffect(Kind.CALL, "leg-1", null, "79160000001", "in", null, 5L, STARTED, null)), crm.effects());
        assertEquals(2, crm.requests().size());
        JsonNode lead = crm.requests().get(1).json().get(0);
        assertEquals("leg-1 3166396 " + STARTED, lead.get("source_uid").asText() + " " + lead.get("pipeline_id") + " " + lead.get("created_at"));
        assertEquals(StandIn.JSON.readTree("{\"name\":\"+79160000001\",\"custom_fields_values\":[{\"field_code\":\"PHONE\","
                + "\"values\":[{\"value\":\"+79160000001\"}]}]}"), lead.at("/_embedded/contacts/0"));
        assertEquals("+74950000001", lead.at("/metadata/phone").asText());
    }

    /** Its amoCRM's rule that only incoming calls are sorted out. */
    @Test
    void anOutgoingCallToAStrangerIsNoIncomingLead() {
        delivered("call", "leg-1", call("out", "answered", STRANGER, "7", 5));
        assertEquals(List.of(), crm.effects());
        assertEquals(1, crm.requests().size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"unsorted", "create-contact"})
    void whoHidHisNumberIsAnIncomingLead(String policy) {
        with(policy);
        delivered("missed", "c1", missed("", "7"));
        delivered("missed", "c1", missed("", "7"));
        assertEquals(List.of("missed-c1"), crm.effects().stream().map(CrmEffect::id).toList());
        assertEquals(1, crm.requests().size());
        assertFalse(crm.requests().get(0).json().get(0).has("_embedded"));
        assertFalse(crm.requests().get(0).json().get(0).has("pipeline_id"));
    }

    @Test
    void anIncomingLeadWhoseAnswerGotLostIsFound() {
        crm.lose(1, UNSORTED);
        later("missed", "c1", missed(STRANGER, "7"));
        delivered("missed", "c1", missed(STRANGER, "7"));
        assertEquals(1, crm.unsorted().size());
        crm.refuse(1, StandIn.Reply.json(500, Map.of()), UNSORTED);
        later("missed", "c2", missed("", "7"));
        delivered("missed", "c2", missed("", "7"));
        assertEquals(2, crm.unsorted().size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"in", "out"})
    void aStrangerBecomesAContact(String direction) {
        with("create-contact");
        delivered("call", "leg-1", call(direction, "answered", STRANGER, "7", 5));
        delivered("call", "leg-1", call(direction, "answered", STRANGER, "7", 5));
        AmoCrmContacts.Client created = crm.clients().get(1);
        assertEquals("+79160000001 [+79160000001] 7", created.name() + " " + created.phones() + " " + created.responsible());
        assertEquals(List.of(created.id()), crm.callsOf("leg-1").stream().map(AmoCrmCalls.Stored::entityId).toList());
        assertEquals(2, crm.clients().size());
        assertEquals(4, crm.requests().size());
    }

    @Test
    void aContactWhoseAnswerGotLostIsCreatedOnce() {
        with("create-contact");
        crm.lose(1, CONTACTS);
        later("call", "leg-1", call("in", "answered", STRANGER, "7", 5));
        delivered("call", "leg-1", call("in", "answered", STRANGER, "7", 5));
        assertEquals(2, crm.clients().size());
        assertEquals(1, crm.callsOf("leg-1").size());
    }

    /** What was just created may not be found at once. */
    @Test
    void aNewContactThatIsNotFoundYetIsNotCreatedAgain() {
        with("create-contact");
        StandIn.Reply nobody = StandIn.Reply.json(400, Map.of("_total_items", 0, "errors", List.of(Map.of("title", "Entity not found"))));
        crm.refuse(3, nobody, CALLS);
        assertEquals(1_000, asked(later("call", "leg-1", call("in", "answered", STRANGER, "7", 5))));
        later("call", "leg-1", call("in", "answered", STRANGER, "7", 5));
        delivered("call", "leg-1", call("in", "answered", STRANGER, "7", 5));
        assertEquals(2, crm.clients().size());
        assertEquals(1, crm.callsOf("leg-1").size());
    }

    // --- tasks

    @Test
    void aTaskIsForTheResponsibleOneAtHisClient() {
        settings.put("callbridge.crm.amocrm.task-hours", "2");
        with("unsorted");
        long before = Instant.now().getEpochSecond();
        delivered("task", "c1", missed(KNOWN, "7"));
        delivered("task", "c1", missed(KNOWN, "7"));
        JsonNode task = crm.tasks().get(0);
        assertEquals("Call back +79161234567, missed at 2026-11-27T09:00:05Z", task.get("text").asText());
        assertEquals("8 501 contacts 1", task.get("responsible_user_id") + " " + task.get("entity_id") + " " + task.get("entity_type").asText() + " "
                + task.get("task_type_id"));
        long due = task.get("complete_till").asLong() - 7_200;
        assertTrue(due >= before && due <= Instant.now().getEpochSecond(), task::toString);
        assertEquals(1, crm.tasks().size());
    }

    @Test
    void aTaskForAStrangerHasNoClient() {
        delivered("task", "c1", missed(STRANGER, "7"));
        assertEquals("7", crm.tasks().get(0).get("responsible_user_id").asText());
        assertFalse(crm.tasks().get(0).has("entity_id") || crm.tasks().get(0).has("entity_type"));
        delivered("task", "c2", missed("", "7"));
        assertEquals(1, crm.tasks().size());
    }

    @Test
    void aTaskWhoseAnswerGotLostIsFound() {
        crm.lose(1, TASKS);
        later("task", "c1", missed(KNOWN, "7"));
        delivered("task", "c1", missed(KNOWN, "7"));
        crm.refuse(1, StandIn.Reply.json(502, Map.of()), TASKS);
        Map<String, Object> another = missed(KNOWN, "7");
        another.put("startedAt", "2026-11-27T09:30:00Z");
        later("task", "c2", another);
        delivered("task", "c2", another);
        assertEquals(2, crm.tasks().size());
    }

    // --- answers that are no success

    @Test
    void whatAmoCrmFindsWrongIsRefused() {
        Outcome outcome = bridge.deliver("call", "leg-1", call("in", "answered", KNOWN, "99", 5));
        assertEquals("deadLetter", outcome.result());
        assertTrue(outcome.cause().getMessage().contains("NotSupportedChoice"), outcome.cause()::getMessage);
    }

    @ParameterizedTest
    @CsvSource({"401, 0", "402, 0", "403, 0", "408, 0", "429, 1000", "500, 0", "503, 0"})
    void whatMayPassIsTriedAgain(int status, long millis) {
        crm.refuse(1, StandIn.Reply.json(status, Map.of("title", "no")), CALLS);
        Outcome outcome = later("call", "leg-1", call("in", "answered", KNOWN, "7", 5));
        assertEquals(millis, asked(outcome));
        assertTrue(outcome.cause().getMessage().contains("answer " + status), outcome.cause()::getMessage);
        delivered("call", "leg-1", call("in", "answered", KNOWN, "7", 5));
        assertEquals(1, crm.callsOf("leg-1").size());
    }

    @Test
    void amoCrmSaysHowLongToWait() {
        crm.refuse(1, new StandIn.Reply(429, "application/json", "{}", Map.of("Retry-After", "7")), CALLS);
        assertEquals(7_000, asked(later("call", "leg-1", call("in", "answered", KNOWN, "7", 5))));
    }

    private static long asked(Outcome outcome) {
        return ((CrmAnswerException) outcome.cause()).retryAfterMs();
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

    private static Map<String, Object> card(String number, String user) {
        Map<String, Object> body = body(number, user);
        body.put("direction", "in");
        body.put("extension", "101");
        body.put("at", "2026-11-27T09:00:05Z");
        return body;
    }

    private static Map<String, Object> call(String direction, String result, String number, String user, long seconds) {
        Map<String, Object> body = card(number, user);
        body.remove("at");
        body.putAll(Map.of("direction", direction, "result", result, "startedAt", "2026-11-27T09:00:05Z", "endedAt", "2026-11-27T09:01:10Z",
                "talkSeconds", seconds));
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
