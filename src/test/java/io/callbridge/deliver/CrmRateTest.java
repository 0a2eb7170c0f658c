package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.Delivery;
import io.callbridge.store.Memory;
import io.callbridge.store.Store;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A CRM's limit is for all that asks it, and who waits at a phone comes first; of a CRM that is down, what would take an hour to see from outside. */
class CrmRateTest {

    private static final long NOW = 1_000_000;
    private static final long HOUR = 3_600_000;

    @TempDir
    Path folder;
    private Memory memory;

    @BeforeEach
    void fill() {
        Store store = TestStore.of("jdbc:sqlite:" + folder.resolve("store.db"));
        store.open();
        memory = new Memory(store);
        // As after a long pause.
        while (memory.permit("rest", 1e9, 21, 0).join() > 0) {
            Thread.onSpinWait();
        }
    }

    private CrmRate rate(String rate) {
        return new CrmRate(memory, TestConfig.settings(TestConfig.of(Map.of("callbridge.crm.rest.rate", rate, "callbridge.crm.rest.burst", "20"),
                Map.of())));
    }

    @Test
    void halfOfTheBucketIsKeptForCards() throws Exception {
        CrmRate rate = rate("1");
        for (int call = 0; call < 10; call++) {
            rate.permit("rest", Delivery.CALLS, Delivery.CALL);
        }
        CompletableFuture<Void> oneMore = new CompletableFuture<>();
        Thread caller = new Thread(() -> {
            try {
                rate.permit("rest", Delivery.RECORDINGS, Delivery.RECORDING);
                oneMore.complete(null);
            } catch (InterruptedException e) {
                oneMore.completeExceptionally(e);
            }
        });
        caller.start();
        for (int card = 0; card < 9; card++) {
            rate.permit("rest", Delivery.CARDS, Delivery.CARD);
        }
        assertFalse(oneMore.isDone());
        caller.interrupt();
        assertTrue(oneMore.handle((done, failure) -> failure != null).get(10, TimeUnit.SECONDS));
    }

    @Test
    void anEmptyBucketLetsNobodyThrough() throws Exception {
        CrmRate rate = rate("10");
        long begin = System.nanoTime();
        for (int card = 0; card < 25; card++) {
            rate.permit("rest", Delivery.CARDS, card < 20 ? Delivery.CARD : Delivery.CARD_END);
        }
        // What the bucket holds, and what fills it meanwhile.
        assertTrue(System.nanoTime() - begin > TimeUnit.MILLISECONDS.toNanos(450));
    }

    @Test
    void aCrmThatIsDownIsAskedOnceWhenSomebodyWantsItEvenIfItAskedForTime() {
        CrmGates.Gate gate = new CrmGates.Gate(10_000, HOUR);
        for (int i = 0; i < 3; i++) {
            gate.failed(i == 0, NOW, HOUR, null);
        }
        assertTrue(gate.down());
        assertEquals(0, gate.permits(false, 4, NOW + 60_000));
        assertEquals(0, gate.permits(true, 4, NOW + 60_000));

        gate.askNow();
        assertEquals(1, gate.permits(false, 4, NOW + 60_000));
        assertEquals(1, gate.permits(true, 4, NOW + 60_000));

        assertTrue(gate.probe());
        assertEquals(0, gate.permits(false, 4, NOW + 60_000), "one at a time");
        gate.askNow();
        gate.failed(false, NOW + 60_000, HOUR, null);
        gate.probed();
        assertEquals(1, gate.permits(false, 4, NOW + 60_001), "asked for while it was asked");

        gate.probe();
        gate.failed(false, NOW + 60_001, HOUR, null);
        gate.probed();
        assertEquals(0, gate.permits(false, 4, NOW + 60_002), "and not again and again");
    }

    /** A token that is wrong is wrong for everything: three of an hour's calls need not show it. */
    @Test
    void aRefusalOfCallbridgeItselfIsTheEndOfRequestsAtOnceAndIsSaidOnce() {
        CrmGates.Gate gate = new CrmGates.Gate(10_000, HOUR);
        assertTrue(gate.failed(false, NOW, 0, "answer 401"));
        assertTrue(gate.down());
        assertEquals("answer 401", gate.refusal());
        assertEquals(NOW, gate.downSinceMs());
        assertEquals(0, gate.permits(false, 4, NOW + 1));
        assertFalse(gate.failed(true, NOW + 60_000, 0, "answer 401"));
        assertFalse(gate.failed(true, NOW + 60_001, 0, null), "nor when it is away for a moment");
        assertEquals("answer 401", gate.refusal());

        assertFalse(gate.answered(true), "a card may go without a look-up");
        assertEquals("answer 401", gate.refusal());
        assertTrue(gate.answered(false));
        assertNull(gate.refusal());
        assertEquals(4, gate.permits(false, 4, NOW + 60_002));
        assertTrue(gate.failed(true, NOW + 60_003, 0, "answer 403"));
        assertTrue(gate.answered(true), "a refusal that only cards got");
    }
}
