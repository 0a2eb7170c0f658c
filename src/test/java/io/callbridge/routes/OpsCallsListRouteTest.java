package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Calls are found by the query. */
class OpsCallsListRouteTest {

    private final AdminRoute route = new AdminRoute("ops-calls-list", "callList.page");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/calls", "GET");
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
