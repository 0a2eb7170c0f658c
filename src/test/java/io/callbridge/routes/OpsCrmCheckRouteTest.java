package io.callbridge.routes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A CRM is tried by its name. */
class OpsCrmCheckRouteTest {

    private final AdminRoute route = new AdminRoute("ops-crm-check", "crmCheck.of");

    @AfterEach
    void stop() {
        route.close();
    }

    @Test
    void itsPlaceInTheApi() {
        route.isAskedAt("/api/setup/crms/{crm}/check", "POST");
    }

    @Test
    void theAnswerIsTheBeans() {
        route.answers("rest?a=b by token");
    }

    @Test
    void aRefusalIsOneLine() {
        route.refuses();
    }
}
