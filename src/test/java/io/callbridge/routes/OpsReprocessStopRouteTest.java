package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The end of a reprocess. */
class OpsReprocessStopRouteTest {

    private final AdminRoute route = new AdminRoute("ops-reprocess-stop", "reprocessRequest.stop");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/calls/reprocess/{job}", "DELETE");
    }

    @Test
    void theAnswerIsTheBeans() {
        route.answers("17 a=b by token");
    }

    @Test
    void aRefusalIsOneLine() {
        route.refuses();
    }
}
