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

/** The one read of the REST contract: somebody, or an error that whoever asked must see. */
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

    /** Which of them means "nobody" is one rule for all CRMs, and who asked has it. */
    @ParameterizedTest
    @ValueSource(ints = {400, 401, 403, 404, 408, 410, 422, 429, 500, 503})
    void anyOtherAnswerIsLeftToWhoAsked(int status) {
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
