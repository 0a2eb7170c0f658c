package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.store.StoreException;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A call is explained, or not found; nothing of the request goes back. Who may ask is the gate's matter. */
class OpsCallsRouteTest {

    private static final Map<String, Object> REQUEST = Map.of("Authorization", "Bearer token", "callId", "c1",
            Exchange.HTTP_RESPONSE_CODE, 302, "CamelHttpMethod", "GET", "Cookie", "session=1");

    private final RouteHarness routes = RouteHarness.of("ops-calls", "shared-refusal").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void aCallIsAskedForByGet() {
        PlatformHttpEndpoint source = routes.source("ops-calls", PlatformHttpEndpoint.class);
        assertEquals("/api/calls/{callId}", source.getPath());
        assertEquals("GET", source.getHttpMethodRestrict());
    }

    @Test
    void aCallIsExplained() {
        routes.on("explanation.of", exchange -> "{}");
        Exchange answer = ask();
        assertEquals("c1", routes.step("explanation.of").variables().get("call"));
        assertEquals("{}", answer.getMessage().getBody());
        assertEquals(Map.of("Content-Type", "application/json"), answer.getMessage().getHeaders());
    }

    @Test
    void aCallThatWasNeverHeardOfIsNotFound() {
        Exchange answer = ask();
        assertNull(answer.getMessage().getBody());
        assertEquals(Map.of("CamelHttpResponseCode", "404"), answer.getMessage().getHeaders());
    }

    @Test
    void aStoreThatDoesNotAnswerIsSaidInOneLine() {
        routes.fail("explanation.of", new StoreException("the store cannot be read: the disk is gone", null));
        Exchange answer = ask();
        assertEquals("the store cannot be read: the disk is gone", answer.getMessage().getBody());
        assertEquals(Map.of("CamelHttpResponseCode", "503", "Content-Type", "text/plain", "Retry-After", "5"),
                answer.getMessage().getHeaders());
    }

    @Test
    void aMistakeOfOursIsNotExplained() {
        routes.fail("explanation.of", new IllegalStateException("broken"));
        Exchange answer = ask();
        assertNull(answer.getMessage().getBody());
        assertEquals(Map.of("CamelHttpResponseCode", "500"), answer.getMessage().getHeaders());
    }

    private Exchange ask() {
        return routes.ask("ops-calls", null, REQUEST);
    }
}
