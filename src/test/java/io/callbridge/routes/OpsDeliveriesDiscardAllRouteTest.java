package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Deliveries are given up by their state. */
class OpsDeliveriesDiscardAllRouteTest {

    private final AdminRoute route = new AdminRoute("ops-deliveries-discard-all", "deliveryRepair.discardAll");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/deliveries/discard", "POST");
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
