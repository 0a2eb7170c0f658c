package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A card is of use for a while only, and must not come after its own end. */
@ParameterizedClass(name = "{0}")
@EnumSource(StoreKind.class)
class CardsInTheOutboxIT {

    private static final String LEG = "71101-a1";

    @TempDir
    private Path folder;
    @Parameter
    private StoreKind kind;
    private Store store;
    private Outbox outbox;

    @BeforeEach
    void open() {
        store = TestStore.of(kind == StoreKind.SQLITE ? "jdbc:sqlite:" + folder.resolve("callbridge.db") : PostgresServer.shared().newDatabase());
        store.open();
        outbox = new Outbox(store, new ObjectMapper(), TestConfig.settings(TestConfig.of(Map.of(), Map.of())));
    }

    @AfterEach
    void close() throws InterruptedException {
        store.close();
    }

    @Test
    void aCardOnItsWayIsNotDroppedSoThatItsEndDoesNotOvertakeIt() {
        put(Delivery.CARD, 1);
        put(Delivery.CARD_END, 1);
        List<Delivery> taken = outbox.take("rest", Delivery.CARDS, false, 10, 0).join();
        assertEquals(List.of(Delivery.CARD), taken.stream().map(Delivery::operation).toList());
        assertEquals(0, outbox.dropExpiredCards("rest", Set.of(taken.get(0).seq())).join());
        if (kind.shared()) {
            assertEquals(0, outbox.dropExpiredCards("rest", Set.of()).join(), "another replica has it");
        }
        outbox.done(taken.get(0), "pending", Instant.now(), false, null).join();
        assertEquals(1, outbox.dropExpiredCards("rest", Set.of()).join());
        assertEquals("dropped", card().state());
    }

    @Test
    void aCardThatHasEndedIsNotRetried() {
        OutboxControl control = new OutboxControl(store);
        put(Delivery.CARD, Long.MAX_VALUE);
        put(Delivery.CARD_END, Long.MAX_VALUE);
        outbox.done(card(), "dead", Instant.now(), false, null).join();
        assertFalse(control.isEndedCard(card()));
        outbox.done(outbox.call("main", "c1").get(1), "dropped", Instant.now(), false, null).join();
        assertTrue(control.isEndedCard(card()));
        assertFalse(control.retry(card()));
        assertEquals(0, control.retryAll("dead", List.of("rest")));
        assertEquals("dead", card().state());
        put(Delivery.CALL, Long.MAX_VALUE);
        outbox.done(outbox.call("main", "c1").get(2), "dead", Instant.now(), false, null).join();
        assertEquals(1, control.retryAll("dead", List.of("rest")));
    }

    private void put(String operation, long expiresAt) {
        store.write("", sql -> outbox.put(sql, new Effects.Put("rest", operation, LEG, "{}", expiresAt), "main", "c1", null, 0)).join();
    }

    private Delivery card() {
        return outbox.call("main", "c1").get(0);
    }
}
