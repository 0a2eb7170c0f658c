package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Two PBXs may use equal ids: an effect, and what a CRM said about it, is one of its PBX. So it is in a store that was there before. */
@ParameterizedClass(name = "{0}")
@EnumSource(StoreKind.class)
class EqualIdsIT {

    private static final String LEG = "71101-a1";

    @TempDir
    private Path folder;
    @Parameter
    private StoreKind kind;
    private Store store;
    private Outbox outbox;

    @BeforeEach
    void upgrade() throws SQLException {
        String url = kind == StoreKind.SQLITE ? "jdbc:sqlite:" + folder.resolve("callbridge.db") : PostgresServer.shared().newDatabase();
        Flyway.configure().dataSource(url, null, null).locations("db/" + kind.dataSource).target(kind == StoreKind.SQLITE ? "4" : "5").load()
                .migrate();
        try (Connection connection = DriverManager.getConnection(url); Statement sql = connection.createStatement()) {
            sql.execute("insert into delivery (crm, operation, id, pbx, call_id, lane, body, state, next_at, expires_at, created_at)"
                    + " values ('rest', 'card', '" + LEG + "', 'main', 'c1', 'cards', '{}', 'delivered', 0, 0, 0)");
            sql.execute("insert into attempt (delivery, at, millis) select seq, 0, 1 from delivery");
            for (String about : List.of(LEG, "c1", "missed-" + LEG, "")) {
                sql.execute("insert into crm_memory (about, crm, name, value) values ('" + about + "', 'rest', 'said', 'yes')");
            }
        }
        store = TestStore.of(url);
        store.open();
        outbox = new Outbox(store, new ObjectMapper(), TestConfig.settings(TestConfig.of(Map.of(), Map.of())));
    }

    @AfterEach
    void close() throws InterruptedException {
        store.close();
    }

    @Test
    void theSamePbxHasAnEffectOnceAndTheOtherHasItsOwn() {
        assertFalse(put("main"));
        assertTrue(put("branch"));
        assertFalse(put("branch"));
        assertTrue(outbox.cardMayBeShown("rest", "main", LEG));
        assertFalse(outbox.cardMayBeShown("rest", "branch", LEG), "it waits");
        Delivery kept = outbox.call("main", "c1").get(0);
        assertEquals(1, outbox.attempts(kept.seq()).size());
        outbox.done(kept, "delivered", Instant.now(), false, new Outbox.Attempt(1, 200, "", 1)).join();
    }

    @Test
    void whatACrmSaidIsStillKnown() {
        CrmMemory memory = new CrmMemory(store);
        for (String about : List.of("main " + LEG, "main c1", "main missed-" + LEG, "")) {
            assertEquals("yes", memory.recall("rest", about, "said"), about);
        }
    }

    private boolean put(String pbx) {
        return store.write("", sql -> outbox.put(sql, new Effects.Put("rest", Delivery.CARD, LEG, "{}", Long.MAX_VALUE), pbx, "c1", null, 0)).join();
    }
}
