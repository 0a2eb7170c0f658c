package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.StoreException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.apache.camel.component.master.MasterEndpoint;
import org.apache.camel.component.netty.NettyConfiguration;
import org.apache.camel.component.netty.NettyEndpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A route for each PBX with an Asterisk: read by one replica, and what it says is stored in the order in which it came. */
class IngestAsteriskRouteTest {

    private final RouteHarness routes = RouteHarness.of("ingest-asterisk").template("ingest-asterisk", "ingest-asterisk-main",
            Map.of("pbx", "main", "address", "pbx.example:5039")).start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void withoutAnAsteriskThereIsNoRoute() {
        try (RouteHarness without = RouteHarness.of("ingest-asterisk").start()) {
            assertEquals(Set.of(), without.running());
        }
        assertEquals(Set.of("ingest-asterisk-main"), routes.running());
    }

    @Test
    void oneReplicaConnectsAndComesBack() {
        MasterEndpoint master = routes.source("ingest-asterisk-main", MasterEndpoint.class);
        assertEquals("asterisk-main", master.getNamespace());
        NettyConfiguration client = ((NettyEndpoint) master.getEndpoint()).getConfiguration();
        assertEquals("pbx.example", client.getHost());
        assertEquals(5039, client.getPort());
        assertEquals(10_000, client.getConnectTimeout());
        assertTrue(client.isClientMode() && client.isReconnect());
        assertFalse(client.isSync(), "nothing is answered to an Asterisk");
    }

    @Test
    void whatWasReadIsStored() {
        List<Map<String, String>> events = List.of(Map.of("pbx", "main"));
        routes.on("asteriskReader", exchange -> events);
        assertNull(routes.send("ingest-asterisk-main", "a batch").getException());
        assertEquals(List.of("asteriskReader", "eventStore.appendAll"), routes.asked());
        assertEquals(events, routes.step("eventStore.appendAll").body());
    }

    /** Reading twice would count what was read as new. */
    @Test
    void whatTheStoreDoesNotTakeIsStoredLaterAndNotReadAgain() {
        AtomicInteger failures = new AtomicInteger(1);
        routes.on("eventStore.appendAll", exchange -> {
            if (failures.getAndDecrement() > 0) {
                throw new StoreException("the disk is full", null);
            }
            return null;
        });
        Exchange exchange = routes.send("ingest-asterisk-main", "a batch");
        assertNull(exchange.getException());
        assertEquals(List.of("asteriskReader", "eventStore.appendAll", "eventStore.appendAll"), routes.asked());
    }
}
