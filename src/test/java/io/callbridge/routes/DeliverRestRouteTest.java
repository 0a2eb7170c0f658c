package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import java.net.ConnectException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The requests of the REST contract as a CRM receives them. */
class DeliverRestRouteTest {

    private static final String ENRICHED = "{\"callId\":\"c1\",\"entity\":{\"id\":\"ivanov\"}}";

    private final FakeCrm crm = new FakeCrm();
    private final AtomicInteger permits = new AtomicInteger();
    private final RouteHarness routes = harness().start();

    private RouteHarness harness() {
        return RouteHarness.of("deliver-outbox", "deliver-rest").setting("callbridge.crm.rest.url", crm.url()).bean("crmRate", new Pace())
                .on("entityLookup.request", exchange -> ENRICHED);
    }

    /** Asked before each request. */
    public final class Pace {

        public void permit() {
            permits.incrementAndGet();
        }
    }

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

    /** Whatever its characters mean to Camel. */
    @ParameterizedTest
    @ValueSource(strings = {"", FakeCrm.TOKEN, "a'b", "a\"b", "a}b", "${body}"})
    void theTokenIsABearer(String token) {
        try (RouteHarness withToken = harness().setting("callbridge.crm.rest.token", token).start()) {
            withToken.send("deliver-rest-call", delivery("call", "c1", ""));
            assertEquals(token.isEmpty() ? null : "Bearer " + token, crm.requests().get(0).header("Authorization"));
        }
    }

    @Test
    void theNumberIsAskedForWithItsPlus() {
        assertEquals(crm.entityOf(FakeCrm.IVANOV).toString(), lookUp().getMessage().getBody(String.class));
        assertEquals(1, permits.get());
        CrmRequest request = crm.requests().get(0);
        assertEquals("GET /entities " + Map.of("phone", FakeCrm.IVANOV), request.method() + " " + request.path() + " " + request.query());
        assertEquals("", request.text());
        assertNull(request.header("Content-Type"));
    }

    @Test
    void nobodyIsAnAnswer() {
        crm.on("GET", "/entities", FakeCrm.Answer.status(404));
        assertNull(lookUp().getMessage().getBody());
    }

    /** One request each: of a retry of the client's own the outbox would not know. */
    @ParameterizedTest
    @CsvSource({"400, deadLetter, ", "401, retryLater, 'answer 401, it does not accept the token or password'",
        "403, retryLater, 'answer 403, the token or password lacks rights'", "404, deadLetter, ", "408, retryLater, ", "409, deadLetter, ",
        "422, deadLetter, ", "429, retryLater, ", "500, retryLater, ", "503, retryLater, ", "302, retryLater, 'answer 302, it is elsewhere'"})
    void aRefusalIsJudged(int status, String recorded, String refusal) {
        crm.on("PUT", "/calls/.*", FakeCrm.Answer.status(status).retryAfter(7).body("no"));
        routes.send("deliver-outbox", delivery("call", "c1", ""));
        CrmAnswerException cause = assertInstanceOf(CrmAnswerException.class, routes.step("deliveryResult." + recorded).cause());
        assertEquals(status, cause.status());
        assertEquals("no", cause.answer());
        assertEquals(refusal, cause.refusal());
        assertEquals(recorded.equals("retryLater") ? 7_000 : 0, cause.retryAfterMs());
        assertEquals(1, crm.requests().size());
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 408, 410, 422, 429, 500, 503})
    void aLookUpThatIsRefusedIsLeftToWhoAsked(int status) {
        crm.on("GET", "/entities", FakeCrm.Answer.status(status));
        assertEquals(status, assertInstanceOf(CrmAnswerException.class, lookUp().getException()).status());
    }

    @Test
    void aCrmThatIsDownIsAConnectException() {
        crm.down();
        assertInstanceOf(ConnectException.class, lookUp().getException());
        routes.send("deliver-outbox", delivery("call", "c1", ""));
        assertInstanceOf(ConnectException.class, routes.step("deliveryResult.retryLater").cause());
    }

    private Exchange lookUp() {
        return routes.ask("deliver-rest-lookup", FakeCrm.IVANOV, Map.of());
    }

    private CrmRequest answered(String operation, String id, String answeredBy) {
        int before = crm.requests().size();
        Exchange exchange = routes.send("deliver-rest-" + operation, delivery(operation, id, answeredBy));
        assertNull(exchange.getException());
        assertEquals(before + 1, crm.requests().size());
        assertEquals(before + 1, permits.get());
        return crm.requests().get(before);
    }

    /** As the dispatcher sends it: whatever goes into a path or a query is encoded. */
    private static Map<String, Object> delivery(String operation, String id, String answeredBy) {
        return new HashMap<>(Map.of("crm", "rest", "operation", operation, "id", id, "number", "+79000000010", "reason",
                operation.equals("card-end") ? "unanswered" : "", "answeredBy", answeredBy));
    }
}
