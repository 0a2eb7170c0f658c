package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.WireMock;
import java.net.ConnectException;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The address of a CRM is asked. */
class OpsCrmAddressRouteTest {

    private final WireMockServer crm = new WireMockServer(0);
    private final RouteHarness routes = RouteHarness.of("ops-crm-address").start();

    @AfterEach
    void stop() {
        routes.close();
        crm.stop();
    }

    @Test
    void anAnswerIsTold() {
        crm.start();
        crm.stubFor(WireMock.get("/crm").willReturn(WireMock.ok()));
        Exchange answer = ask(crm.baseUrl() + "/crm");
        assertNull(answer.getException());
        assertEquals(200, answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE));
    }

    @Test
    void aRefusalToo() {
        crm.start();
        assertEquals(404, assertInstanceOf(HttpOperationFailedException.class, ask(crm.baseUrl() + "/crm").getException()).getStatusCode());
    }

    @Test
    void noneFails() {
        crm.start();
        String address = crm.baseUrl();
        crm.stop();
        assertInstanceOf(ConnectException.class, ask(address).getException());
    }

    private Exchange ask(String address) {
        return routes.send("ops-crm-address", Map.of("address", address));
    }
}
