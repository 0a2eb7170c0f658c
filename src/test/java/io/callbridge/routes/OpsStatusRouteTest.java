package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How things stand. */
class OpsStatusRouteTest {

    private final AdminRoute route = new AdminRoute("ops-status", "status.of");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/status", "GET");
    }

    @Test
    void theAnswerIsTheBeans() {
        route.answers("a=b by token");
    }

    @Test
    void aRefusalIsOneLine() {
        route.refuses();
    }
}
