package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A delivery is found by its number. */
class OpsDeliveriesOneRouteTest {

    private final AdminRoute route = new AdminRoute("ops-deliveries-one", "deliveryList.one");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/deliveries/{id}", "GET");
    }

    @Test
    void theAnswerIsTheBeans() {
        route.answers("7?a=b");
    }

    @Test
    void aRefusalIsOneLine() {
        route.refuses();
    }
}
