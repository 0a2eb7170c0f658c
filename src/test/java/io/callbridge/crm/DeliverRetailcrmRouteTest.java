package io.callbridge.crm;

import static io.callbridge.crm.Effects.KNOWN;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.callbridge.crm.StandIn.Reply;
import io.callbridge.crm.StandIn.Request;
import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.deliver.CrmRefusedException;
import io.callbridge.routes.AdapterHarness.Outcome;
import io.callbridge.routes.AdapterHarness;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every effect as RetailCRM sees it, and what becomes of its answers. */
class DeliverRetailcrmRouteTest {

    private static final String LEG = "71101-a1";
    private static final Predicate<Request> ANY = request -> true;

    /** What the bridge writes. */
    private static final Map<String, Map<String, Object>> BODIES = Map.of("card", Effects.card(KNOWN, "anna"),
            "card-end", Effects.with(Effects.card(KNOWN, "anna"), "reason", "ended"),
            "call", Effects.with(Effects.call("in", "answered", KNOWN, "anna", 61), "answeredAt", "2026-11-27T09:00:09.900Z"),
            "missed", Effects.missed(KNOWN, "anna"));
    /** What the CRM is told of that. */
    private static final Map<String, String> FIELDS = Map.of("card", """
            {"type": "in", "phone": "79161234567", "codes": ["101"], "callExternalId": "71101-a1", "externalPhone": "+74950000001"}
            """, "card-end", """
            {"type": "hangup", "phone": "79161234567", "codes": ["101"], "hangupStatus": "answered", "callExternalId": "71101-a1",
             "externalPhone": "+74950000001"}
            """, "call", """
            {"date": "2026-11-27 12:00:05", "type": "in", "phone": "79161234567", "code": "101", "result": "answered", "duration": 61,
             "durationWaiting": 4, "externalId": "71101-a1", "externalPhone": "+74950000001"}
            """, "missed", """
            {"date": "2026-11-27 12:00:05", "type": "in", "phone": "79161234567", "userId": 28, "result": "no answer", "duration": 0,
             "durationWaiting": 35, "externalId": "missed-71101-a1", "externalPhone": "+74950000001"}
            """);

    private final RetailCrmStandIn crm = new RetailCrmStandIn();
    private final AdapterHarness adapter = adapter(Map.of());

    @BeforeEach
    void fill() {
        AdapterHarness.forget();
        crm.limit.most(1000);
        crm.user(27, "101");
        crm.user(28, "102");
        crm.customer(7, "Ivan", "Ivanov", 28, "8 (916) 123-45-67");
        crm.customer(8, "Olga", "Sokolova", null, "+7 900 000-00-20");
    }

    @AfterEach
    void close() {
        crm.close();
    }

    private AdapterHarness adapter(Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(more);
        settings.put("callbridge.crm.retailcrm.url", crm.origin() + "/api/v5");
        settings.put("callbridge.crm.retailcrm.key", RetailCrmStandIn.KEY);
        return AdapterHarness.of("retailcrm", settings, Map.of());
    }

    /** What is special about an effect, and in what it is told; the stand-in takes nothing else. Who hid his number has no card. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            card     | {"did": null}                               | {"externalPhone": null}
            card     | {"direction": "out"}                        | {"type": "out"}
            card     | {"number": null}                            |
            card-end | {"number": null}                            |
            card-end | {}                                          | {}
            card-end | {"reason": "answered-elsewhere"}            | {"hangupStatus": "cancel"}
            card-end | {"reason": "unanswered"}                    | {"hangupStatus": "no answered"}
            card-end | {"reason": "expired", "extension": "102"}   | {"hangupStatus": "cancel", "codes": ["102"]}
            call     | {"did": null}                               | {"externalPhone": null}
            call     | {"result": "busy", "direction": "out"}      | {"result": "busy", "type": "out"}
            call     | {"result": "no-answer"}                     | {"result": "no answer"}
            call     | {"result": "cancelled"}                     | {"result": "failed"}
            call     | {"result": "unknown"}                       | {"result": "unknown"}
            call     | {"number": null}                            | {"phone": "0"}
            call     | {"user": "27"}                              | {"userId": 27, "code": null}
            call     | {"user": null}                              | {}
            call     | {"recordingUrl": "https://p.example/1?a=1&b=%20"} | {"recordUrl": "https://p.example/1?a=1&b=%20"}
            missed   | {}                                          | {}
            missed   | {"servedAt": "2026-11-27T09:10:00.000Z"}    | {}
            missed   | {"number": null}                            | {"phone": "0", "userId": null, "code": "880"}
            missed   | {"number": "+79000000020", "user": "27"}    | {"phone": "79000000020", "userId": 27}
            missed   | {"number": "+79000000020", "user": ""}      | {"phone": "79000000020", "userId": null, "code": "880"}
            """)
    void whatItIsTold(String operation, String special, String told) throws JsonProcessingException {
        assertEquals("delivered", adapter.deliver(operation, LEG, body(operation, special)).result());
        if (told != null) {
            assertEquals(changed(FIELDS.get(operation), told), told(operation));
        }
        assertEquals(told == null ? 0 : 1, crm.effects().size());
    }

    @Test
    void theAccountHasItsTimeItsShopAndItsSource() throws JsonProcessingException {
        AdapterHarness shop = adapter(Map.of("callbridge.crm.retailcrm.site", "main-shop", "callbridge.crm.retailcrm.source", "phone",
                "callbridge.crm.retailcrm.time-zone", "Asia/Yekaterinburg", "callbridge.crm.retailcrm.hidden-number", "000"));
        shop.deliver("card", LEG, body("card", "{}"));
        assertEquals(changed(FIELDS.get("card"), "{\"site\": \"main-shop\"}"), told("card"));
        shop.deliver("call", LEG, body("call", "{\"number\": null}"));
        assertEquals(changed(FIELDS.get("call"), "{\"phone\": \"000\", \"site\": \"main-shop\", \"source\": {\"source\": \"phone\"},"
                + " \"date\": \"2026-11-27 14:00:05\"}"), told("call"));
    }

    @Test
    void theLookUpAnswersTheCustomerAndHisManager() throws JsonProcessingException {
        assertEquals(StandIn.JSON.readTree("{\"id\":7,\"type\":\"customer\",\"name\":\"Ivan Ivanov\",\"url\":\"" + crm.origin()
                + "/customers/7\",\"responsible\":28}"), adapter.find(KNOWN));
        assertEquals(StandIn.JSON.readTree("{\"id\":8,\"type\":\"customer\",\"name\":\"Olga Sokolova\",\"url\":\"" + crm.origin()
                + "/customers/8\"}"), adapter.find("+79000000020"));
        assertEquals("phone=79161234567&details=1", crm.requests().get(0).query());
        assertTrue(adapter.find("+79000000099").isMissingNode());
        crm.refuse(1, Reply.json(200, Map.of("success", true, "customer", Map.of("id", 9, "firstName", "Ira"))), ANY);
        assertEquals(StandIn.JSON.readTree("{\"id\":9,\"type\":\"customer\",\"name\":\"Ira\"}"), adapter.find(KNOWN));
        // A number that the CRM does not take is nobody's; anything else is no answer.
        for (int status : List.of(200, 400)) {
            crm.refuse(1, Reply.json(status, Map.of("success", false, "errorMsg", "Errors in the entity format")), ANY);
            assertTrue(adapter.find(KNOWN).isMissingNode());
        }
        for (int status : List.of(403, 404, 503)) {
            crm.refuse(1, Reply.json(status, Map.of("success", false, "errorMsg", "no")), ANY);
            assertThrows(IllegalStateException.class, () -> adapter.find(KNOWN));
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

    private JsonNode told(String operation) throws JsonProcessingException {
        Map<String, String> last = crm.requests().get(crm.requests().size() - 1).parameters();
        return operation.startsWith("card") ? StandIn.JSON.readTree(last.get("event")) : StandIn.JSON.readTree(last.get("calls")).path(0);
    }

    private static Map<String, Object> body(String operation, String special) throws JsonProcessingException {
        JsonNode body = changed(StandIn.JSON.writeValueAsString(BODIES.get(operation)), special);
        return StandIn.JSON.convertValue(body, new TypeReference<>() {
        });
    }

    /** @param more members instead of others; {@code null}: there is none */
    private static JsonNode changed(String object, String more) throws JsonProcessingException {
        ObjectNode changed = (ObjectNode) StandIn.JSON.readTree(object);
        changed.setAll((ObjectNode) StandIn.JSON.readTree(more));
        changed.properties().removeIf(member -> member.getValue().isNull());
        return changed;
    }
}
