package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.admin.RefusedException;
import io.callbridge.store.StoreException;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;

/** What every route of the administration API that leads to one bean's method has in common. Who may ask is the gate's matter. */
final class AdminRoute implements AutoCloseable {

    private static final Map<String, Object> REQUEST = Map.ofEntries(Map.entry("Authorization", "Bearer token"), Map.entry("id", "7"),
            Map.entry("crm", "rest"), Map.entry("pbx", "main"), Map.entry("job", "17"), Map.entry("Callbridge-Who", "token"),
            Map.entry("CamelHttpRawQuery", "a=b"), Map.entry(Exchange.HTTP_RESPONSE_CODE, 302), Map.entry("CamelHttpMethod", "GET"),
            Map.entry("Cookie", "session=1"), Map.entry("Retry-After", "1"));

    private final String route;
    private final String step;
    private final RouteHarness routes;

    AdminRoute(String route, String step) {
        this.route = route;
        this.step = step;
        routes = RouteHarness.of(route, "shared-refusal").start();
    }

    void isAskedAt(String path, String method) {
        PlatformHttpEndpoint source = routes.source(route, PlatformHttpEndpoint.class);
        assertEquals(path, source.getPath());
        assertEquals(method, source.getHttpMethodRestrict());
    }

    /** Nothing of the request goes back. @param asked what the bean needs of the request */
    void answers(String asked) {
        routes.on(step, exchange -> "{}");
        Exchange answer = routes.ask(route, null, REQUEST);
        assertEquals(asked, routes.step(step).variables().get("asked"));
        assertNull(routes.step(step).headers().get("CamelHttpMethod"), "control headers from outside go first");
        assertEquals("{}", answer.getMessage().getBody());
        assertEquals(Map.of("Content-Type", "application/json"), answer.getMessage().getHeaders());
    }

    void refuses() {
        routes.fail(step, RefusedException.conflict("delivery 7 is delivered"));
        Exchange refusal = routes.ask(route, null, REQUEST);
        assertEquals("delivery 7 is delivered", refusal.getMessage().getBody());
        assertEquals(Map.of("CamelHttpResponseCode", 409, "Content-Type", "text/plain"), refusal.getMessage().getHeaders());
        routes.fail(step, new StoreException("the disk is gone", null));
        Exchange failure = routes.ask(route, null, REQUEST);
        assertEquals("the disk is gone", failure.getMessage().getBody());
        assertEquals(Map.of("CamelHttpResponseCode", "503", "Content-Type", "text/plain", "Retry-After", "5"),
                failure.getMessage().getHeaders());
    }

    @Override
    public void close() {
        routes.close();
    }
}
