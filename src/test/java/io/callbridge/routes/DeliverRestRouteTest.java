package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The requests of the REST contract as a CRM receives them. */
class DeliverRestRouteTest {

    private static final String ENRICHED = "{\"callId\":\"c1\",\"entity\":{\"id\":\"ivanov\"}}";

    private final FakeCrm crm = new FakeCrm();
    private final RouteHarness routes = RouteHarness.of("deliver-rest", "deliver-rest-put", "deliver-rest-request")
            .setting("callbridge.crm.rest.url", crm.url())
            .on("entityLookup.request", exchange -> ENRICHED).start();

    @AfterEach
    void stop() {
        routes.close();
        crm.close();
    }

    private record Expected(String operation, String id, String answeredBy, String method, String path, Map<String, String> query) {
    }

    @TestFactory
    Stream<DynamicTest> everyEffectHasItsRequest() {
        return Stream.of(
                new Expected("card", "71101-a1", "", "PUT", "/cards/71101-a1", Map.of()),
                new Expected("call", "71101-a1", "", "PUT", "/calls/71101-a1", Map.of()),
                new Expected("missed", "c1", "", "PUT", "/missed-calls/c1", Map.of()),
                new Expected("card-end", "71101-a1", "", "DELETE", "/cards/71101-a1", Map.of("reason", "unanswered")),
                new Expected("card-end", "71101-a1", "102", "DELETE", "/cards/71101-a1",
                        Map.of("reason", "unanswered", "answeredBy", "102")),
                new Expected("card-end", "71101-a1", "a%26b%3D%2B", "DELETE", "/cards/71101-a1",
                        Map.of("reason", "unanswered", "answeredBy", "a&b=+")),
                new Expected("call", "a%2Fb%20c%3Fd", "", "PUT", "/calls/a%2Fb%20c%3Fd", Map.of()))
                .map(expected -> DynamicTest.dynamicTest(expected.method + " " + expected.path + " " + expected.query, () -> {
                    CrmRequest request = answered(expected.operation, expected.id, expected.answeredBy);
                    assertEquals(expected.method, request.method());
                    assertEquals(expected.path, request.path());
                    assertEquals(expected.query, request.query());
                }));
    }

    @ParameterizedTest
    @ValueSource(strings = {"card", "call", "missed"})
    void aWriteIsTheJsonOfTheLookUp(String operation) {
        CrmRequest request = answered(operation, "c1", "");
        assertEquals(ENRICHED, request.text());
        assertEquals("application/json", request.header("Content-Type"));
        assertEquals(List.of("entityLookup.request"), routes.asked());
    }

    @Test
    void theEndOfACardHasNoBodyAndNeedsNoLookUp() {
        CrmRequest request = answered("card-end", "71101-a1", "");
        assertEquals("", request.text());
        assertNull(request.header("Content-Type"));
        assertEquals(List.of(), routes.asked());
    }

    @Test
    void aLookUpThatFailsSendsNothing() {
        IllegalStateException failure = new IllegalStateException("broken");
        Exchange exchange = routes.fail("entityLookup.request", failure).send("deliver-rest-call", delivery("call", "71101-a1", ""));
        assertEquals(failure, exchange.getException());
        assertEquals(List.of(), crm.requests());
    }

    /** What the outbox makes of the answers of a real CRM is decided two routes above. */
    @Test
    void theOutboxDecidesOnARefusal() {
        try (RouteHarness stage = RouteHarness.of("deliver-outbox", "deliver-rest", "deliver-rest-put", "deliver-rest-request")
                .setting("callbridge.crm.rest.url", crm.url())
                .on("entityLookup.request", exchange -> ENRICHED).start()) {
            stage.send("deliver-outbox", delivery("call", "71101-a1", ""));
            assertEquals(List.of("entityLookup.request", "deliveryResult.delivered"), stage.asked());
            assertEquals(200, stage.step("deliveryResult.delivered").headers().get(Exchange.HTTP_RESPONSE_CODE));
            crm.on("PUT", "/calls/.*", FakeCrm.Answer.status(404));
            stage.send("deliver-outbox", delivery("call", "71101-a1", ""));
            assertEquals(List.of("entityLookup.request", "deliveryResult.deadLetter"), stage.asked());
            crm.down();
            stage.send("deliver-outbox", delivery("call", "71101-a1", ""));
            assertEquals(List.of("entityLookup.request", "deliveryResult.retryLater"), stage.asked());
        }
    }

    private CrmRequest answered(String operation, String id, String answeredBy) {
        int before = crm.requests().size();
        Exchange exchange = routes.send("deliver-rest-" + operation, delivery(operation, id, answeredBy));
        assertNull(exchange.getException());
        assertEquals(before + 1, crm.requests().size());
        return crm.requests().get(before);
    }

    /** As the dispatcher sends it: whatever goes into a path or a query is encoded. */
    private static Map<String, Object> delivery(String operation, String id, String answeredBy) {
        return new HashMap<>(Map.of("crm", "rest", "operation", operation, "id", id, "number", "+79000000010", "reason",
                operation.equals("card-end") ? "unanswered" : "", "answeredBy", answeredBy));
    }
}
