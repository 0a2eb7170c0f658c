package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A delivery is given up by its number. */
class OpsDeliveriesDiscardRouteTest {

    private final AdminRoute route = new AdminRoute("ops-deliveries-discard", "deliveryRepair.discard");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/deliveries/{id}/discard", "POST");
    }

    @Test
    void theAnswerIsTheBeans() {
        route.answers("7?a=b by token");
    }

    @Test
    void aRefusalIsOneLine() {
        route.refuses();
    }
}
