package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Deliveries are found by the query. */
class OpsDeliveriesRouteTest {

    private final AdminRoute route = new AdminRoute("ops-deliveries", "deliveryList.page");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/deliveries", "GET");
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
