package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.Delivery;
import io.callbridge.store.Permits;
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

/** A CRM's limit is for all that asks it, and who waits at a phone comes first. */
class CrmRateTest {

    @TempDir
    Path folder;
    private Permits permits;
    private CrmRate rate;

    @BeforeEach
    void fill() {
        Store store = TestStore.of("jdbc:sqlite:" + folder.resolve("store.db"));
        store.open();
        permits = new Permits(store);
        rate = new CrmRate(permits, TestConfig.settings(TestConfig.of(Map.of("callbridge.crm.rest.rate", "1", "callbridge.crm.rest.burst", "20"),
                Map.of())));
        // As after a long pause.
        while (permits.take("rest", 1e9, 21, 0).join() > 0) {
            Thread.onSpinWait();
        }
    }

    @Test
    void halfOfTheBucketIsKeptForCards() throws Exception {
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
        for (int card = 0; card < 19; card++) {
            rate.permit("rest", Delivery.CARDS, Delivery.CARD);
        }
        long begin = System.nanoTime();
        rate.permit("rest", Delivery.CARDS, Delivery.CARD);
        rate.permit("rest", Delivery.CARDS, Delivery.CARD);
        rate.permit("rest", Delivery.CARDS, Delivery.CARD_END);
        assertTrue(System.nanoTime() - begin > TimeUnit.MILLISECONDS.toNanos(900));
    }
}
