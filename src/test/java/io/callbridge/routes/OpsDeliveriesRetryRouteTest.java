package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A delivery is sent again by its number. */
class OpsDeliveriesRetryRouteTest {

    private final AdminRoute route = new AdminRoute("ops-deliveries-retry", "deliveryRepair.retry");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/deliveries/{id}/retry", "POST");
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
