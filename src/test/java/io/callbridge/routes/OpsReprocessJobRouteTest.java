package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How far a reprocess is. */
class OpsReprocessJobRouteTest {

    private final AdminRoute route = new AdminRoute("ops-reprocess-job", "reprocessRequest.job");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/calls/reprocess/{job}", "GET");
    }

    @Test
    void theAnswerIsTheBeans() {
        route.answers("17 a=b");
    }

    @Test
    void aRefusalIsOneLine() {
        route.refuses();
    }
}
