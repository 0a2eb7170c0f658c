package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.store.StoreException;
import java.util.List;
import org.apache.camel.component.timer.TimerEndpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What was acknowledged and not processed to the end comes back: at once after the start, and again every few seconds. */
class OpsRecoverRouteTest {

    private final RouteHarness routes = RouteHarness.of("ops-recover").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void openEventsAreLookedForAtTheStartAndLater() {
        TimerEndpoint source = routes.source("ops-recover", TimerEndpoint.class);
        assertEquals(0, source.getDelay());
        assertEquals(1000, source.getPeriod());
    }

    @Test
    void theLookIsTheRecoverys() {
        routes.send("ops-recover", null);
        assertEquals(List.of("recovery.events"), routes.asked());
    }

    /** It is said in the log; the timer comes again. */
    @Test
    void aStoreThatDoesNotAnswerEndsTheLook() {
        routes.fail("recovery.events", new StoreException("the disk is full", null));
        assertNull(routes.send("ops-recover", null).getException());
    }
}
