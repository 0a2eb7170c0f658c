package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.callbridge.crm.StandIn.Reply;
import io.callbridge.crm.StandIn.Request;
import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.deliver.CrmRefusedException;
import io.callbridge.routes.AdapterHarness;
import io.callbridge.routes.AdapterHarness.Outcome;
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

/** Every effect as RetailCRM sees it, and what becomes of its answers. */
class DeliverRetailcrmRouteTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String LEG = "71101-a1";
    private static final Predicate<Request> ANY = request -> true;

    /** What the bridge writes. A missed call has no leg. */
    private static final Map<String, String> BODIES = Map.of("leg", """
            {"callId": "c1", "direction": "in", "user": "anna", "extension": "101", "number": "+79000000010", "reason": "ended", "result": "answered",
             "startedAt": "2026-11-27T09:00:00.000Z", "answeredAt": "2026-11-27T09:00:04.100Z", "endedAt": "2026-11-27T09:01:05.200Z", "talkSeconds": 61}
            """, "missed", """
            {"number": "+79000000010", "user": "anna", "place": {"extension": "880", "type": "queue"},
             "startedAt": "2026-11-27T09:00:00.000Z", "endedAt": "2026-11-27T09:00:40.000Z"}
            """);
    /** What the CRM is told of that. */
    private static final Map<String, String> FIELDS = Map.of("card", """
            {"type": "in", "phone": "79000000010", "codes": ["101"], "callExternalId": "71101-a1"}
            """, "card-end", """
            {"type": "hangup", "phone": "79000000010", "codes": ["101"], "hangupStatus": "answered", "callExternalId": "71101-a1"}
            """, "call", """
            {"date": "2026-11-27 12:00:00", "type": "in", "phone": "79000000010", "code": "101", "result": "answered", "duration": 61,
             "durationWaiting": 4, "externalId": "71101-a1"}
            """, "missed", """
            {"date": "2026-11-27 12:00:00", "type": "in", "phone": "79000000010", "userId": 28, "result": "no answer", "duration": 0,
             "durationWaiting": 40, "externalId": "missed-71101-a1"}
            """);

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
        Map<String, String> settings = new HashMap<>(Map.of("callbridge.crm.retailcrm.url", crm.origin() + "/api/v5", "callbridge.crm.retailcrm.key", key,
                "callbridge.deliver.timeout-ms", "5000"));
        settings.putAll(more);
        return AdapterHarness.of("retailcrm", settings, Map.of());
    }

    @Test
    void whatItCanDo() {
        assertEquals(List.of("lookup", "card", "card-end", "call", "missed"), List.of("lookup", "users", "probe", "card", "answer", "card-end",
                "call", "recording", "missed", "task").stream().filter(adapter::can).toList());
    }

    /** What is special about an effect, and in what it is told; the stand-in takes nothing else. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            card     | {"did": "+74950000001"}                     | {"externalPhone": "+74950000001"}
            card     | {"direction": "out"}                        | {"type": "out"}
            card-end | {}                                          | {}
            card-end | {"reason": "answered-elsewhere"}            | {"hangupStatus": "cancel"}
            card-end | {"reason": "unanswered"}                    | {"hangupStatus": "no answered"}
            card-end | {"reason": "expired", "extension": "102"}   | {"hangupStatus": "cancel", "codes": ["102"]}
            call     | {"did": "+74950000001"}                     | {"externalPhone": "+74950000001"}
            call     | {"result": "busy", "direction": "out"}      | {"result": "busy", "type": "out"}
            call     | {"result": "no-answer"}                     | {"result": "no answer"}
            call     | {"result": "cancelled"}                     | {"result": "failed"}
            call     | {"result": "unknown"}                       | {"result": "unknown"}
            call     | {"number": null}                            | {"phone": "0"}
            call     | {"user": "27"}                              | {"userId": 27, "code": null}
            call     | {"user": null}                              | {}
            call     | {"recordingUrl": "https://p.example/1?a=1&b=%20"} | {"recordUrl": "https://p.example/1?a=1&b=%20"}
            missed   | {}                                          | {}
            missed   | {"number": null}                            | {"phone": "0", "userId": null, "code": "880"}
            missed   | {"number": "+79000000020", "user": "27"}    | {"phone": "79000000020", "userId": 27}
            missed   | {"number": "+79000000020", "user": ""}      | {"phone": "79000000020", "userId": null, "code": "880"}
            """)
    void whatItIsTold(String operation, String special, String told) throws JsonProcessingException {
        assertEquals("delivered", adapter.deliver(operation, LEG, body(operation, special)).result());
        assertEquals(changed(FIELDS.get(operation), told), told(operation));
        assertEquals(1, crm.effects().size());
    }

    @Test
    void aHiddenCallerHasNoCard() throws JsonProcessingException {
        for (String operation : List.of("card", "card-end")) {
            assertEquals("delivered", adapter.deliver(operation, LEG, body(operation, "{\"number\": null}")).result());
        }
        assertEquals(List.of(), crm.requests());
    }

    @Test
    void theAccountHasItsTimeItsShopAndItsSource() throws JsonProcessingException {
        try (AdapterHarness shop = adapter(RetailCrmStandIn.KEY, Map.of("callbridge.crm.retailcrm.site", "main-shop",
                "callbridge.crm.retailcrm.source", "phone", "callbridge.crm.retailcrm.time-zone", "Asia/Yekaterinburg",
                "callbridge.crm.retailcrm.hidden-number", "000"))) {
            shop.deliver("card", LEG, body("card", "{}"));
            assertEquals(changed(FIELDS.get("card"), "{\"site\": \"main-shop\"}"), told("card"));
            shop.deliver("call", LEG, body("call", "{\"number\": null}"));
        }
        assertEquals(changed(FIELDS.get("call"), "{\"phone\": \"000\", \"site\": \"main-shop\", \"source\": {\"source\": \"phone\"},"
                + " \"date\": \"2026-11-27 14:00:00\"}"), told("call"));
    }

    @Test
    void aCallIsOneWhateverIsToldOfIt() throws JsonProcessingException {
        adapter.deliver("missed", LEG, body("missed", "{}"));
        for (String more : List.of("{\"result\": \"unknown\", \"talkSeconds\": 0}", "{}", "{\"recordingUrl\": \"https://pbx.example/r/1.mp3\"}")) {
            assertEquals("delivered", adapter.deliver("call", LEG, body("call", more)).result());
        }
        adapter.deliver("missed", LEG, body("missed", "{\"servedAt\": \"2026-11-27T09:10:00.000Z\"}"));
        assertEquals(List.of("missed-" + LEG, LEG), crm.effects().stream().map(CrmEffect::id).toList());
        assertEquals("answered 61 https://pbx.example/r/1.mp3", crm.effects().get(1).status() + " " + crm.effects().get(1).seconds() + " "
                + crm.effects().get(1).recording());
    }

    @ParameterizedTest
    @ValueSource(strings = {"card", "card-end", "call", "missed"})
    void aLostAnswerIsAskedForAgainWithTheSame(String operation) throws JsonProcessingException {
        crm.lose(1, request -> request.method().equals("POST"));
        assertEquals("retryLater", adapter.deliver(operation, LEG, body(operation, "{}")).result());
        assertEquals("delivered", adapter.deliver(operation, LEG, body(operation, "{}")).result());
        List<Request> posts = crm.requests().stream().filter(request -> request.method().equals("POST")).toList();
        assertEquals(2, posts.size());
        assertEquals(posts.get(0).text(), posts.get(1).text());
        assertEquals(operation.startsWith("card") ? 2 : 1, crm.effects().size());
    }

    @Test
    void theLookUpAnswersTheCustomerAndHisManager() throws JsonProcessingException {
        assertEquals(JSON.readTree("{\"id\":7,\"type\":\"customer\",\"name\":\"Ivan Ivanov\",\"url\":\"" + crm.origin()
                + "/customers/7\",\"responsible\":28}"), adapter.find("+79000000010"));
        assertEquals(JSON.readTree("{\"id\":8,\"type\":\"customer\",\"name\":\"Olga Sokolova\",\"url\":\"" + crm.origin() + "/customers/8\"}"),
                adapter.find("+79000000020"));
        assertEquals("phone=79000000010&details=1", crm.requests().get(0).query());
        assertTrue(adapter.find("+79000000099").isMissingNode());
        crm.refuse(1, new Reply(200, "application/json", "{\"success\":true,\"manager\":null,\"customer\":{\"id\":9,\"firstName\":\"Ira\"}}",
                Map.of()), ANY);
        assertEquals(JSON.readTree("{\"id\":9,\"type\":\"customer\",\"name\":\"Ira\"}"), adapter.find("+79000000010"));
    }

    /** A number that the CRM does not take is nobody's; anything else is no answer. */
    @Test
    void aLookUpThatIsRefused() {
        for (int status : new int[] {200, 400}) {
            crm.refuse(1, Reply.json(status, Map.of("success", false, "errorMsg", "Errors in the entity format")), ANY);
            assertTrue(adapter.find("+79000000010").isMissingNode());
        }
        for (int status : new int[] {403, 404, 429, 503}) {
            crm.refuse(1, Reply.json(status, Map.of("success", false, "errorMsg", "no")), ANY);
            assertThrows(IllegalStateException.class, () -> adapter.find("+79000000010"));
        }
    }

    /** What is about the key, its rights, the address, or another time loses nothing: nobody refused this effect. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            call     | 400 | {"success": false, "errorMsg": "Errors in the entity format"}         | deadLetter
            card     | 400 | {"success": false, "errorMsg": "Errors in the entity format"}         | deadLetter
            card-end | 400 | {"success": false, "errorMsg": "Errors in the entity format"}         | deadLetter
            call     | 200 | {"success": false, "errorMsg": "Errors in the entity format"}         | deadLetter
            call     | 200 | {"success": true}                                                     | deadLetter
            call     | 200 | {"success": true, "processedCallsCount": 0}                           | deadLetter
            call     | 200 | {"success": true, "processedCallsCount": 0, "duplicateCalls": []}     | deadLetter
            call     | 200 | {"success": true, "processedCallsCount": 0, "duplicateCalls": ["71101-a1"]} | delivered
            call     | 200 | <html>maintenance</html>                                              | retryLater
            call     | 200 | ready                                                                 | retryLater
            call     | 301 | {"success": false}                                                    | retryLater
            call     | 401 | {"success": false}                                                    | retryLater
            call     | 403 | {"success": false}                                                    | retryLater
            call     | 404 | {"success": false}                                                    | retryLater
            call     | 408 | {"success": false}                                                    | retryLater
            call     | 429 | {"success": false}                                                    | retryLater
            call     | 500 | {"success": false}                                                    | retryLater
            call     | 503 | {"success": false}                                                    | retryLater
            """)
    void whatAnAnswerMeans(String operation, int status, String answer, String result) throws JsonProcessingException {
        crm.refuse(1, new Reply(status, "text/html", answer, Map.of()), ANY);
        Outcome outcome = adapter.deliver(operation, LEG, body(operation, "{}"));
        assertEquals(result, outcome.result());
        assertEquals(1, crm.requests().size());
        if (result.equals("deadLetter")) {
            assertInstanceOf(CrmRefusedException.class, outcome.cause());
            assertTrue(outcome.cause().getMessage().endsWith(answer), outcome.cause()::getMessage);
        } else if (status != 200) {
            assertInstanceOf(CrmAnswerException.class, outcome.cause());
        }
        assertEquals("delivered", adapter.deliver(operation, LEG, body(operation, "{}")).result());
        assertEquals(1, crm.effects().size());
    }

    @Test
    void aWrongKeyAndNoConnectionLoseNothing() throws JsonProcessingException {
        try (AdapterHarness wrong = adapter("other", Map.of())) {
            assertEquals("retryLater", wrong.deliver("call", LEG, body("call", "{}")).result());
        }
        crm.down();
        assertEquals("retryLater", adapter.deliver("call", LEG, body("call", "{}")).result());
        crm.up();
        assertEquals("delivered", adapter.deliver("call", LEG, body("call", "{}")).result());
        assertEquals(1, crm.effects().size());
    }

    private JsonNode told(String operation) throws JsonProcessingException {
        Map<String, String> last = crm.requests().get(crm.requests().size() - 1).parameters();
        return operation.startsWith("card") ? JSON.readTree(last.get("event")) : JSON.readTree(last.get("calls")).path(0);
    }

    private static Map<String, Object> body(String operation, String special) throws JsonProcessingException {
        return JSON.convertValue(changed(BODIES.get(operation.equals("missed") ? "missed" : "leg"), special), new TypeReference<>() {
        });
    }

    /** @param more members instead of others; {@code null}: there is none */
    private static JsonNode changed(String object, String more) throws JsonProcessingException {
        ObjectNode changed = (ObjectNode) JSON.readTree(object);
        JSON.readTree(more).properties().forEach(member -> changed.set(member.getKey(), member.getValue()));
        changed.properties().removeIf(member -> member.getValue().isNull());
        return changed;
    }
}
