package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import java.net.ConnectException;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One request to the CRM with its token, and its refusal as whoever asked gets it: as it came. */
class DeliverRestRequestRouteTest {

    private final FakeCrm crm = new FakeCrm();
    private final RouteHarness routes = RouteHarness.of("deliver-rest-request")
            .setting("callbridge.crm.rest.url", crm.url()).start();

    @AfterEach
    void stop() {
        routes.close();
        crm.close();
    }

    @Test
    void whatIsAskedForIsSentAndTheAnswerComesBack() {
        crm.on("PUT", "/calls/71101-a1", FakeCrm.Answer.status(201).body("done"));
        Exchange exchange = request(routes);
        CrmRequest request = crm.requests().get(0);
        assertEquals("PUT /calls/71101-a1 {}", request.method() + " " + request.path() + " " + request.text());
        assertNull(request.header("Authorization"), "there is no token");
        assertEquals("done", exchange.getMessage().getBody(String.class));
        assertEquals(201, exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE));
        assertEquals(List.of(), routes.asked());
    }

    /** Whatever its characters mean to Camel. */
    @ParameterizedTest
    @ValueSource(strings = {FakeCrm.TOKEN, "a'b", "a\"b", "a}b", "${body}"})
    void theTokenIsABearer(String token) {
        try (RouteHarness withToken = RouteHarness.of("deliver-rest-request").setting("callbridge.crm.rest.url", crm.url())
                .setting("callbridge.crm.rest.token", token).start()) {
            request(withToken);
            assertEquals("Bearer " + token, crm.requests().get(0).header("Authorization"));
        }
    }

    /** No retry of the client's own: the outbox would not know of it. */
    @ParameterizedTest
    @ValueSource(ints = {400, 401, 404, 409, 429, 500, 503})
    void aRefusalReachesWhoAskedAfterOneRequest(int status) {
        crm.on("PUT", "/calls/.*", FakeCrm.Answer.status(status).retryAfter(7).body("no"));
        HttpOperationFailedException refusal = assertInstanceOf(HttpOperationFailedException.class, request(routes).getException());
        assertEquals(status, refusal.getStatusCode());
        assertEquals("no", refusal.getResponseBody());
        assertTrue(refusal.getResponseHeaders().entrySet().stream()
                .anyMatch(header -> header.getKey().equalsIgnoreCase("Retry-After") && header.getValue().equals("7")));
        assertEquals(1, crm.requests().size());
    }

    @Test
    void aCrmThatIsDownIsAConnectException() {
        crm.down();
        assertInstanceOf(ConnectException.class, request(routes).getException());
    }

    private static Exchange request(RouteHarness routes) {
        return routes.ask("deliver-rest-request", "{}", Map.of("CamelHttpMethod", "PUT", "CamelHttpPath", "calls/71101-a1"));
    }
}
