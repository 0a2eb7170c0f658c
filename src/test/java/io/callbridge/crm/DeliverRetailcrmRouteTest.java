package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.crm.CrmEffect.Kind;
import io.callbridge.crm.StandIn.Reply;
import io.callbridge.crm.StandIn.Request;
import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.deliver.CrmRefusedException;
import io.callbridge.routes.AdapterHarness;
import io.callbridge.routes.AdapterHarness.Outcome;
import java.time.Instant;
import java.time.ZoneId;
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

/** Every effect as RetailCRM sees it. */
class DeliverRetailcrmRouteTest {

    private static final String LEG = "71101-a1";
    private static final long STARTED = Instant.parse("2026-11-27T09:00:00Z").getEpochSecond();
    private static final Predicate<Request> ANY = request -> true;

    private final RetailCrmStandIn crm = new RetailCrmStandIn();
    private final AdapterHarness adapter = adapter(RetailCrmStandIn.KEY, Map.of());

    @BeforeEach
    void fill() {
        crm.limit(1000);
        crm.user(27, "101", "Anna", "Petrova", "anna@crm.example");
        crm.user(28, "102", "Boris", "Orlov", "boris@crm.example");
        crm.customer(7, "Ivan", "Ivanov", 28, "+7 900 000-00-10");
        crm.customer(8, "Olga", "Sokolova", null, "+7 900 000-00-20");
    }

    @AfterEach
    void close() {
        adapter.close();
        crm.close();
    }

    private AdapterHarness adapter(String key, Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of("callbridge.crm.retailcrm.url", crm.origin() + "/api/v5",
                "callbridge.crm.retailcrm.key", key, "callbridge.deliver.timeout-ms", "5000"));
        settings.putAll(more);
        return AdapterHarness.of("retailcrm", settings, Map.of());
    }

    @Test
    void whatItCanDo() {
        assertEquals(List.of("lookup", "card", "card-end", "call", "missed"), List.of("lookup", "users", "probe", "card", "answer", "card-end",
                "call", "recording", "missed", "task").stream().filter(adapter::can).toList());
    }

    @Test
    void aCardIsShownAtTheExtensionThatRings() throws JsonProcessingException {
        assertEquals("delivered", adapter.deliver("card", LEG, leg(Map.of("direction", "in", "did", "+74950000001"))).result());
        assertEquals(List.of(new CrmEffect(Kind.CARD, LEG, "101", "79000000010", "in", null, null, null, null)), crm.effects());
        assertEquals("{\"type\":\"in\",\"phone\":\"79000000010\",\"codes\":[\"101\"],\"externalPhone\":\"+74950000001\",\"callExternalId\":\"71101-a1\"}",
                crm.requests().get(0).parameters().get("event"));
        assertEquals(1, crm.requests().size());
    }

    @Test
    void anOutgoingCallHasItsCardToo() {
        adapter.deliver("card", LEG, leg(Map.of("direction", "out")));
        assertEquals("out", crm.effects().get(0).direction());
    }

    /** One phone stops ringing while another goes on: who is named, and by which id. */
    @ParameterizedTest
    @CsvSource({"ended, answered", "answered-elsewhere, cancel", "unanswered, no answered", "expired, cancel"})
    void theEndOfACardIsThatOfOnePhone(String reason, String status) {
        adapter.deliver("card", LEG, leg(Map.of()));
        adapter.deliver("card", "71102-b1", leg(Map.of("extension", "102")));
        assertEquals("delivered", adapter.deliver("card-end", LEG, leg(Map.of("reason", reason))).result());
        assertEquals(new CrmEffect(Kind.CARD_END, LEG, "101", "79000000010", null, status, null, null, null), crm.effects().get(2));
        assertEquals(3, crm.effects().size());
        assertEquals(3, crm.requests().size());
    }

    @Test
    void aHiddenCallerHasNoCardButACall() {
        for (String operation : List.of("card", "card-end")) {
            assertEquals("delivered", adapter.deliver(operation, LEG, hidden(leg(Map.of("reason", "ended")))).result());
        }
        assertEquals(List.of(), crm.requests());
        assertEquals("delivered", adapter.deliver("call", LEG, hidden(call(Map.of()))).result());
        assertEquals("delivered", adapter.deliver("missed", "c1", hidden(missed(Map.of()))).result());
        assertEquals(List.of("0", "0"), crm.effects().stream().map(CrmEffect::number).toList());
    }

    @Test
    void aCallIsUploaded() throws JsonProcessingException {
        assertEquals("delivered", adapter.deliver("call", LEG, call(Map.of("did", "+74950000001"))).result());
        assertEquals(List.of(new CrmEffect(Kind.CALL, LEG, "101", "79000000010", "in", "answered", 61L, STARTED, null)), crm.effects());
        assertEquals("[{\"type\":\"in\",\"date\":\"2026-11-27 12:00:00\",\"phone\":\"79000000010\",\"code\":\"101\",\"result\":\"answered\","
                + "\"duration\":61,\"durationWaiting\":4,\"externalId\":\"71101-a1\",\"externalPhone\":\"+74950000001\"}]",
                crm.requests().get(0).parameters().get("calls"));
        assertEquals(1, crm.requests().size());
        assertEquals("application/x-www-form-urlencoded", crm.requests().get(0).header("Content-Type"));
    }

    @ParameterizedTest
    @CsvSource({"answered, answered", "busy, busy", "no-answer, no answer", "cancelled, failed", "failed, failed", "unknown, unknown"})
    void everyResultHasItsWord(String result, String word) {
        adapter.deliver("call", LEG, call(Map.of("result", result, "direction", "out")));
        assertEquals(word, crm.effects().get(0).status());
        assertEquals("out", crm.effects().get(0).direction());
    }

    @Test
    void theDateIsThatOfTheAccount() {
        crm.zone(ZoneId.of("Asia/Yekaterinburg"));
        try (AdapterHarness east = adapter(RetailCrmStandIn.KEY, Map.of("callbridge.crm.retailcrm.time-zone", "Asia/Yekaterinburg"))) {
            east.deliver("call", LEG, call(Map.of()));
        }
        assertEquals(STARTED, crm.effects().get(0).startedAt());
        assertTrue(crm.requests().get(0).parameters().get("calls").contains("2026-11-27 14:00:00"));
    }

    @Test
    void theShopAndTheSourceAreNamedIfTheyAreSet() throws JsonProcessingException {
        try (AdapterHarness shop = adapter(RetailCrmStandIn.KEY, Map.of("callbridge.crm.retailcrm.site", "main-shop",
                "callbridge.crm.retailcrm.source", "phone"))) {
            shop.deliver("card", LEG, leg(Map.of()));
            shop.deliver("call", LEG, call(Map.of()));
        }
        assertEquals("main-shop", json(crm.requests().get(0).parameters().get("event")).path("site").asText());
        JsonNode call = json(crm.requests().get(1).parameters().get("calls")).path(0);
        assertEquals("main-shop", call.path("site").asText());
        assertEquals("phone", call.path("source").path("source").asText());
        assertEquals(2, crm.effects().size());
    }

    @Test
    void anEmployeeIsHisNumberInTheCrmOrHisExtension() {
        adapter.deliver("call", LEG, call(Map.of("user", "27")));
        adapter.deliver("call", "71101-a2", call(Map.of("user", "anna")));
        Map<String, Object> nobody = call(Map.of());
        nobody.remove("user");
        adapter.deliver("call", "71101-a3", nobody);
        assertEquals(List.of("27", "101", "101"), crm.effects().stream().map(CrmEffect::user).toList());
    }

    @Test
    void aCallIsUploadedAgainWithItsRecordingAndItsTrueEnd() {
        adapter.deliver("call", LEG, call(Map.of("result", "unknown", "talkSeconds", 0)));
        adapter.deliver("call", LEG, call(Map.of()));
        adapter.deliver("call", LEG, call(Map.of("recordingId", "1", "recordingUrl", "https://pbx.example/r/1.mp3?a=1&b=%20")));
        assertEquals(List.of(new CrmEffect(Kind.CALL, LEG, "101", "79000000010", "in", "answered", 61L, STARTED,
                "https://pbx.example/r/1.mp3?a=1&b=%20")), crm.effects());
        assertEquals(3, crm.uploads(LEG));
    }

    @ParameterizedTest
    @ValueSource(strings = {"card", "card-end", "call", "missed"})
    void aLostAnswerIsAskedForAgainWithTheSame(String operation) {
        crm.lose(1, request -> !request.method().equals("GET"));
        Map<String, Object> body = operation.equals("missed") ? missed(Map.of()) : call(Map.of("reason", "ended"));
        assertEquals("retryLater", adapter.deliver(operation, LEG, body).result());
        List<CrmEffect> first = crm.effects();
        assertEquals("delivered", adapter.deliver(operation, LEG, body).result());
        List<Request> posts = crm.requests().stream().filter(request -> request.method().equals("POST")).toList();
        assertEquals(2, posts.size());
        assertEquals(posts.get(0).text(), posts.get(1).text());
        if (!operation.startsWith("card")) {
            assertEquals(first, crm.effects());
        }
    }

    @Test
    void aMissedCallIsTheManagers() {
        assertEquals("delivered", adapter.deliver("missed", LEG, missed(Map.of())).result());
        assertEquals(List.of(new CrmEffect(Kind.MISSED, "missed-" + LEG, "28", "79000000010", "in", "no answer", 0L, STARTED, null)), crm.effects());
        assertEquals(2, crm.requests().size());
    }

    /** The employee as the CRM names him; where it rang, if it names nobody. */
    @ParameterizedTest
    @CsvSource({"27, phone, 101, 27", "anna, phone, 101, 101", "'', phone, 102, 102", "'', queue, 880, 880", "anna, queue, 880, 880"})
    void aMissedCallOfNobodysCustomerIsWhoseItRang(String user, String type, String extension, String whose) {
        adapter.deliver("missed", "c1", missed(Map.of("number", "+79000000020", "user", user, "place", Map.of("extension", extension, "type", type))));
        assertEquals(whose, crm.effects().get(0).user());
    }

    @Test
    void aMissedCallAndALegOfOneNameAreTwo() {
        adapter.deliver("missed", LEG, missed(Map.of()));
        adapter.deliver("call", LEG, call(Map.of()));
        adapter.deliver("missed", LEG, missed(Map.of("servedAt", "2026-11-27T09:10:00.000Z")));
        assertEquals(List.of("missed-" + LEG, LEG), crm.effects().stream().map(CrmEffect::id).toList());
    }

    @Test
    void theLookUpAnswersTheCustomerAndHisManager() throws JsonProcessingException {
        assertEquals(json("{\"id\":7,\"type\":\"customer\",\"name\":\"Ivan Ivanov\",\"url\":\"" + crm.origin() + "/customers/7\",\"responsible\":28}"),
                adapter.find("+79000000010"));
        assertEquals(json("{\"id\":8,\"type\":\"customer\",\"name\":\"Olga Sokolova\",\"url\":\"" + crm.origin() + "/customers/8\"}"),
                adapter.find("+79000000020"));
        assertEquals("phone=79000000010&details=1", crm.requests().get(0).query());
        assertTrue(adapter.find("+79000000099").isMissingNode());
        assertEquals(3, crm.requests().size());
    }

    @Test
    void aCustomerMayHaveOneName() throws JsonProcessingException {
        crm.refuse(1, new Reply(200, "application/json", "{\"success\":true,\"manager\":null,\"customer\":{\"id\":9,\"firstName\":\"Ira\"}}",
                Map.of()), ANY);
        assertEquals(json("{\"id\":9,\"type\":\"customer\",\"name\":\"Ira\"}"), adapter.find("+79000000010"));
    }

    @Test
    void aNumberThatTheCrmDoesNotTakeIsNobodys() {
        crm.refuse(1, Reply.json(400, Map.of("success", false, "errorMsg", "Errors in the entity format")), ANY);
        assertTrue(adapter.find("+79000000010").isMissingNode());
    }

    @Test
    void aLookUpThatFailsIsNoAnswer() {
        for (int status : new int[] {403, 429, 503}) {
            crm.refuse(1, Reply.json(status, Map.of("success", false, "errorMsg", "no")), ANY);
            assertThrows(IllegalStateException.class, () -> adapter.find("+79000000010"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"card", "card-end", "call"})
    void aRefusalIsForGoodAndSaysWhy(String operation) {
        crm.refuse(1, Reply.json(400, Map.of("success", false, "errorMsg", "Errors in the entity format")), ANY);
        Outcome outcome = adapter.deliver(operation, LEG, call(Map.of("reason", "ended")));
        assertEquals("deadLetter", outcome.result());
        assertInstanceOf(CrmRefusedException.class, outcome.cause());
        assertTrue(outcome.cause().getMessage().contains("Errors in the entity format"), outcome.cause()::getMessage);
        assertEquals(1, crm.requests().size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"success\":false,\"errorMsg\":\"no\"}", "{\"success\":true,\"processedCallsCount\":0}", "{\"success\":true}",
            "{\"success\":true,\"processedCallsCount\":0,\"duplicateCalls\":[]}"})
    void aCallThatIsNotTakenIsRefusedThoughTheStatusIs200(String answer) {
        crm.refuse(1, new Reply(200, "application/json", answer, Map.of()), ANY);
        assertEquals("deadLetter", adapter.deliver("call", LEG, call(Map.of())).result());
    }

    @Test
    void aCallThatIsKnownAlreadyIsTaken() {
        crm.refuse(1, new Reply(200, "application/json", "{\"success\":true,\"processedCallsCount\":0,\"duplicateCalls\":[\"71101-a1\"]}", Map.of()), ANY);
        assertEquals("delivered", adapter.deliver("call", LEG, call(Map.of())).result());
    }

    /** The key, its rights or the address; nothing may be lost until somebody puts it right. */
    @ParameterizedTest
    @ValueSource(ints = {301, 401, 403, 404, 408, 429, 500, 502, 503})
    void whatIsNotAboutTheCallIsSentLater(int status) {
        crm.refuse(1, Reply.json(status, Map.of("success", false, "errorMsg", "not now")), ANY);
        Outcome outcome = adapter.deliver("call", LEG, call(Map.of()));
        assertEquals("retryLater", outcome.result());
        assertInstanceOf(CrmAnswerException.class, outcome.cause());
        assertEquals("delivered", adapter.deliver("call", LEG, call(Map.of())).result());
        assertEquals(1, crm.effects().size());
    }

    @Test
    void aWrongKeyAndAPageInsteadOfAnAnswerAreTriedLater() {
        try (AdapterHarness wrong = adapter("other", Map.of())) {
            assertEquals("retryLater", wrong.deliver("call", LEG, call(Map.of())).result());
        }
        crm.refuse(1, new Reply(200, "text/html", "<html>maintenance</html>", Map.of()), ANY);
        assertEquals("retryLater", adapter.deliver("call", LEG, call(Map.of())).result());
        crm.down();
        assertEquals("retryLater", adapter.deliver("call", LEG, call(Map.of())).result());
        crm.up();
        assertEquals("delivered", adapter.deliver("call", LEG, call(Map.of())).result());
        assertEquals(1, crm.effects().size());
    }

    @Test
    void theLimitOfTheCrmIsAnsweredLater() {
        crm.limit(1);
        assertEquals("delivered", adapter.deliver("call", LEG, call(Map.of())).result());
        assertEquals("retryLater", adapter.deliver("call", "71101-a2", call(Map.of())).result());
        assertEquals(1, crm.refusedByLimit());
        crm.limit(1000);
        assertEquals("delivered", adapter.deliver("call", "71101-a2", call(Map.of())).result());
        assertEquals(2, crm.effects().size());
    }

    @Test
    void theOrderOfACallsEffectsDoesNotMatter() {
        adapter.deliver("call", LEG, call(Map.of()));
        assertEquals("delivered", adapter.deliver("card-end", LEG, leg(Map.of("reason", "ended"))).result());
        assertEquals("delivered", adapter.deliver("card", LEG, leg(Map.of())).result());
        assertNull(adapter.deliver("call", LEG, call(Map.of())).cause());
        assertEquals(List.of(Kind.CARD_END, Kind.CARD, Kind.CALL), crm.effects().stream().map(CrmEffect::kind).toList());
    }

    private static Map<String, Object> leg(Map<String, Object> more) {
        Map<String, Object> body = new HashMap<>(Map.of("callId", "c1", "direction", "in", "user", "anna", "extension", "101", "number", "+79000000010"));
        body.putAll(more);
        return body;
    }

    private static Map<String, Object> call(Map<String, Object> more) {
        Map<String, Object> body = leg(Map.of("result", "answered", "startedAt", "2026-11-27T09:00:00.000Z", "answeredAt", "2026-11-27T09:00:04.100Z",
                "endedAt", "2026-11-27T09:01:05.200Z", "talkSeconds", 61));
        body.putAll(more);
        return body;
    }

    private static Map<String, Object> missed(Map<String, Object> more) {
        Map<String, Object> body = new HashMap<>(Map.of("number", "+79000000010", "user", "anna", "place", Map.of("extension", "880", "type", "queue"),
                "startedAt", "2026-11-27T09:00:00.000Z", "endedAt", "2026-11-27T09:00:40.000Z"));
        body.putAll(more);
        return body;
    }

    private static Map<String, Object> hidden(Map<String, Object> body) {
        body.remove("number");
        return body;
    }

    private static JsonNode json(String text) throws JsonProcessingException {
        return new ObjectMapper().readTree(text);
    }
}
