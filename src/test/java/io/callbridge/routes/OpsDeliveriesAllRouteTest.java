package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Deliveries are sent again by the query. */
class OpsDeliveriesAllRouteTest {

    private final AdminRoute route = new AdminRoute("ops-deliveries-all", "deliveryRepair.retryAll");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/deliveries/retry", "POST");
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
