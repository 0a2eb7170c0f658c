package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.store.StoreException;
import java.util.List;
import org.apache.camel.component.timer.TimerEndpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What comes by itself: it asks one bean, and a store that does not answer ends one time only. */
class OpsHousekeepingRouteTest {

    private final RouteHarness routes = RouteHarness.of("ops-housekeeping").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @ParameterizedTest
    @CsvSource({"ops-timers, recovery.timers, 0", "ops-recover, recovery.events, 0", "ops-purge, retention, 0",
        "ops-crm-users, crmUsers.refresh, 0", "ops-crm-probe, crmProbe, 1"})
    void aTimerAsksItsBean(String route, String step, int times) {
        assertEquals(times, routes.source(route, TimerEndpoint.class).getRepeatCount());
        routes.send(route, null);
        assertEquals(List.of(step), routes.asked());
        assertNull(routes.fail(step, new StoreException("the disk is full", null)).send(route, null).getException());
        assertNull(routes.fail(step, new IllegalStateException("broken")).send(route, null).getException());
    }
}
