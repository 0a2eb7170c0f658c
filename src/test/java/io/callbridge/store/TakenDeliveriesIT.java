package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What a replica takes from a store in common is its own for the time of the lease, unless it gives it back. */
class TakenDeliveriesIT {

    @Test
    void whatIsGivenBackIsTakenAgainWithoutWaitingForTheLease() throws Exception {
        Store store = TestStore.of(PostgresServer.shared().newDatabase());
        store.open();
        try {
            Outbox outbox = new Outbox(store, new ObjectMapper(), TestConfig.settings(TestConfig.of(Map.of(), Map.of())));
            store.write("", sql -> outbox.put(sql, new Effects.Put("rest", Delivery.CALL, "71101-a1", "{}", Long.MAX_VALUE), "main", "c1", null, 0)).get();
            List<Delivery> taken = take(outbox);
            assertEquals(1, taken.size());
            assertEquals(List.of(), take(outbox), "it is taken");
            outbox.giveBack(taken);
            Awaitility.await().until(() -> take(outbox).size() == 1);
        } finally {
            store.close();
        }
    }

    private static List<Delivery> take(Outbox outbox) {
        return outbox.take("rest", Delivery.CALLS, false, 10, 0).join();
    }
}
