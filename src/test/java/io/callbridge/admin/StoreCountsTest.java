package io.callbridge.admin;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.Store;
import io.callbridge.store.StoreException;
import io.callbridge.support.TestStore;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreCountsTest {

    /** A scrape and everybody who looks ask for the same numbers, and that there are none may take long to find out. */
    @Test
    void whatIsCountedIsKeptForAMomentAndSoIsThatTheStoreIsAway(@TempDir Path folder) throws InterruptedException {
        Store store = TestStore.of("jdbc:sqlite:" + folder.resolve("callbridge.db"));
        store.open();
        CallIndex calls = new CallIndex(store);
        int[] asked = new int[1];
        StoreCounts counts = new StoreCounts(store, new OutboxControl(store) {

            @Override
            public Map<String, Long> count(String state) {
                asked[0]++;
                throw new StoreException("away", null);
            }
        }, calls);
        for (int i = 0; i < 500; i++) {
            assertThrows(StoreException.class, counts::now);
        }
        assertTrue(asked[0] < 500);
        StoreCounts found = new StoreCounts(store, new OutboxControl(store), calls);
        assertEquals(0, found.now().backlog("rest").waiting());
        store.calls().writeAndWait("", sql -> sql.update("insert into delivery (crm, operation, id, pbx, call_id, lane, body, state,"
                + " next_at, expires_at, created_at) values ('rest', 'card', 'l', 'main', 'c1', 'cards', '{}', 'pending', 1, 2, 1)"));
        await().until(() -> found.now().backlog("rest").waiting() == 1);
        store.close();
    }
}
