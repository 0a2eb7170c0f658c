package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.store.StoreException;
import java.util.List;
import org.apache.camel.component.timer.TimerEndpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is old is deleted, as often as the settings say. */
class OpsPurgeRouteTest {

    private final RouteHarness routes = RouteHarness.of("ops-purge").setting("callbridge.store.purge-period-ms", "7000").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void itComesAsOftenAsTheSettingSays() {
        assertEquals(7000, routes.source("ops-purge", TimerEndpoint.class).getPeriod());
    }

    @Test
    void deletingIsTheRetentions() {
        routes.send("ops-purge", null);
        assertEquals(List.of("retention.purge"), routes.asked());
    }

    @Test
    void aStoreThatDoesNotAnswerEndsOnePassOnly() {
        routes.fail("retention.purge", new StoreException("the disk is full", null));
        assertNull(routes.send("ops-purge", null).getException());
    }
}
