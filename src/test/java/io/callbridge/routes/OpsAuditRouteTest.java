package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What administrators did. */
class OpsAuditRouteTest {

    private final AdminRoute route = new AdminRoute("ops-audit", "auditList.page");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/audit", "GET");
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
