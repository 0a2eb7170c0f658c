package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

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

/** The one read of the REST contract: somebody, nobody, or an error that whoever asked must see. */
class DeliverRestLookupRouteTest {

    private final FakeCrm crm = new FakeCrm();
    private final RouteHarness routes = RouteHarness.of("deliver-rest-lookup", "deliver-rest-request")
            .setting("callbridge.crm.rest.url", crm.url()).start();

    @AfterEach
    void stop() {
        routes.close();
        crm.close();
    }

    @Test
    void theNumberIsAskedForWithItsPlus() {
        ask(FakeCrm.IVANOV);
        CrmRequest request = crm.requests().get(0);
        assertEquals("GET", request.method());
        assertEquals("/entities", request.path());
        assertEquals(Map.of("phone", FakeCrm.IVANOV), request.query());
        assertEquals("", request.text());
        assertNull(request.header("Content-Type"));
        assertEquals(List.of(), routes.asked());
    }

    @Test
    void somebodyIsTheBody() {
        assertEquals(crm.entityOf(FakeCrm.IVANOV).toString(), ask(FakeCrm.IVANOV).getMessage().getBody(String.class));
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 404, 410, 422})
    void nobodyIsAnEmptyBody(int status) {
        crm.on("GET", "/entities", FakeCrm.Answer.status(status).body("nobody"));
        Exchange exchange = ask(FakeCrm.IVANOV);
        assertNull(exchange.getException());
        assertEquals("", exchange.getMessage().getBody(String.class));
        assertEquals(1, crm.requests().size());
    }

    /** Whom the CRM knows cannot be said yet: an empty body would be remembered as "nobody". */
    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 503})
    void aCrmThatDoesNotSayIsAnError(int status) {
        crm.on("GET", "/entities", FakeCrm.Answer.status(status));
        Exchange exchange = ask(FakeCrm.IVANOV);
        assertEquals(status, assertInstanceOf(HttpOperationFailedException.class, exchange.getException()).getStatusCode());
        assertEquals(1, crm.requests().size());
    }

    @Test
    void aCrmThatIsDownIsAnError() {
        crm.down();
        assertInstanceOf(ConnectException.class, ask(FakeCrm.IVANOV).getException());
    }

    private Exchange ask(String number) {
        return routes.ask("deliver-rest-lookup", number, Map.of());
    }
}
