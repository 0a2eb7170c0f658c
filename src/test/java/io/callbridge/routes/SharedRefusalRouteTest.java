package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.Map;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A refusal is a status, one line of reason and, if set, when to come again; nothing of the request goes back. */
class SharedRefusalRouteTest {

    private final RouteHarness routes = RouteHarness.of("shared-refusal").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void theReasonIsThatOfTheException() {
        Exchange answer = refuse(Map.of("CamelHttpResponseCode", "400"));
        assertEquals("body: not text", answer.getMessage().getBody());
        assertEquals(Map.of("CamelHttpResponseCode", "400", "Content-Type", "text/plain"), answer.getMessage().getHeaders());
    }

    @Test
    void whenToComeAgainStays() {
        Exchange answer = refuse(Map.of("CamelHttpResponseCode", "503", "Retry-After", "5"));
        assertEquals(Map.of("CamelHttpResponseCode", "503", "Content-Type", "text/plain", "Retry-After", "5"),
                answer.getMessage().getHeaders());
    }

    @Test
    void nothingOfTheRequestGoesBack() {
        Exchange answer = refuse(Map.of("CamelHttpResponseCode", "413", "Content-Type", "application/json", "Cookie", "session=1",
                Exchange.HTTP_PATH, "/pbx/secret/events", "Authorization", "Bearer token"));
        assertEquals(Map.of("CamelHttpResponseCode", "413", "Content-Type", "text/plain"), answer.getMessage().getHeaders());
    }

    private Exchange refuse(Map<String, Object> headers) {
        return routes.send("shared-refusal", exchange -> {
            exchange.setProperty(Exchange.EXCEPTION_CAUGHT, new IllegalArgumentException("body: not text"));
            exchange.getMessage().setHeaders(new HashMap<>(headers));
        });
    }
}
