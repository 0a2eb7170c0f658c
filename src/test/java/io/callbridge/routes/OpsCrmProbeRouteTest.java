package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The CRMs are tried once, at the start. */
class OpsCrmProbeRouteTest {

    @Test
    void theTimerAsks() {
        try (RouteHarness routes = RouteHarness.of("ops-crm-probe").start()) {
            routes.send("ops-crm-probe", Map.of());
            assertEquals(List.of("crmProbe.probe"), routes.asked());
        }
    }
}
