package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.store.StoreException;
import java.util.List;
import org.apache.camel.component.timer.TimerEndpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is due leads to a new look at its call, as often as the settings say. */
class OpsTimersRouteTest {

    private final RouteHarness routes = RouteHarness.of("ops-timers").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void timersAreLookedForAsOftenAsTheSettingSays() {
        TimerEndpoint source = routes.source("ops-timers", TimerEndpoint.class);
        assertEquals(100, source.getPeriod());
    }

    @Test
    void theLookIsTheRecoverys() {
        routes.send("ops-timers", null);
        assertEquals(List.of("recovery.timers"), routes.asked());
    }

    /** It is said in the log; the timer comes again. */
    @Test
    void aStoreThatDoesNotAnswerEndsTheLook() {
        routes.fail("recovery.timers", new StoreException("the disk is full", null));
        assertNull(routes.send("ops-timers", null).getException());
    }
}
