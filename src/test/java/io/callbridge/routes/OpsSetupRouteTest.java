package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How a PBX is connected. */
class OpsSetupRouteTest {

    private final AdminRoute route = new AdminRoute("ops-setup", "setup.of");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/setup", "GET");
    }

    @Test
    void theAnswerIsTheBeans() {
        route.answers("a=b");
    }

    @Test
    void aRefusalIsOneLine() {
        route.refuses();
    }
}
