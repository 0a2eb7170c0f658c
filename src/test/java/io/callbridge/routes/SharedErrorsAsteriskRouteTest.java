package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.callbridge.store.StoreException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.Test;

/** Nobody sends again what an Asterisk said: it is tried until it is stored. */
class SharedErrorsAsteriskRouteTest {

    private static final String ROUTE = """
            - route:
                id: fails
                routeConfigurationId: asterisk-errors
                from:
                  uri: direct:fails
                  steps:
                    - to:
                        uri: direct:broken
            """;

    @Test
    void whatTheStoreDoesNotTakeIsTriedAgainUntilItDoes() {
        AtomicInteger failures = new AtomicInteger(2);
        try (RouteHarness routes = RouteHarness.of().text(ROUTE).start()) {
            routes.on("direct:broken", exchange -> {
                if (failures.getAndDecrement() > 0) {
                    throw new StoreException("the disk is full", null);
                }
                return null;
            });
            Exchange exchange = routes.send("fails", "a batch");
            assertNull(exchange.getException());
            assertEquals(List.of("direct:broken", "direct:broken", "direct:broken"), routes.asked());
        }
    }

    @Test
    void aMistakeOfOursIsNotRepeated() {
        Exception failure = new IllegalStateException("broken");
        try (FailingRoutes routes = new FailingRoutes("asterisk-errors")) {
            assertSame(failure, routes.fail("asterisk-errors", failure).getException());
        }
    }
}
