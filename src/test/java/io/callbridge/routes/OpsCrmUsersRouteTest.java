package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The CRMs are asked who their users are. */
class OpsCrmUsersRouteTest {

    @Test
    void theTimerAsks() {
        try (RouteHarness routes = RouteHarness.of("ops-crm-users").start()) {
            routes.send("ops-crm-users", Map.of());
            assertEquals(List.of("crmUsers.refresh"), routes.asked());
        }
    }
}
