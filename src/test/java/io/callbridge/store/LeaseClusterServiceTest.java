package io.callbridge.store;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.platform.LeaseClusterService;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.cluster.CamelClusterEventListener;
import org.apache.camel.cluster.CamelClusterView;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of several replicas one is the leader, soon another one when it is gone, and never two. */
class LeaseClusterServiceTest {

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final long LEASE_MS = 9_000;

    @TempDir
    private Path folder;

    private final List<Store> stores = new ArrayList<>();
    private final List<LeaseClusterService> services = new ArrayList<>();

    @AfterEach
    void stop() throws InterruptedException {
        services.forEach(LeaseClusterService::stop);
        for (Store store : stores) {
            store.close();
        }
    }

    @Test
    void theOnlyProcessOfAnSqliteFileIsTheLeaderAtOnce() throws Exception {
        LeaseClusterService only = replica("jdbc:sqlite:" + folder.resolve("callbridge.db"));
        CamelClusterView view = only.getView("a");
        await("the lead").atMost(SOON).until(() -> only.isLeader("a"));
        only.releaseView(view);
        assertFalse(only.isLeader("a"));
        only.getView("a");
        await("the lead again").atMost(SOON).until(() -> only.isLeader("a"));
    }

    @Test
    void oneOfTwoLeadsAndTheOtherWhenItStops() throws Exception {
        String url = PostgresServer.shared().newDatabase();
        LeaseClusterService first = replica(url);
        LeaseClusterService second = replica(url);
        CamelClusterView view = first.getView("a");
        await("the first").atMost(SOON).until(() -> first.isLeader("a"));
        List<Boolean> told = new CopyOnWriteArrayList<>();
        second.getView("a").addEventListener((CamelClusterEventListener.Leadership) (of, leader) -> told.add(leader != null));
        second.getView("b");
        await("another lease").atMost(SOON).until(() -> second.isLeader("b"));
        await("several looks").atMost(SOON).until(() -> told.size() > 2 * LEASE_MS / (LEASE_MS / 9));
        assertFalse(told.contains(true));
        await("the first still").atMost(SOON).until(() -> first.isLeader("a"));
        assertFalse(second.isLeader("a"));

        first.releaseView(view);
        assertFalse(first.isLeader("a"));
        await("the second").atMost(SOON).until(() -> second.isLeader("a"));
        first.getView("a");
        await("the second knows").atMost(SOON).until(() -> told.get(told.size() - 1));
        assertFalse(first.isLeader("a"));
    }

    /** The row is what others see: it may run out only after the leader has stopped to be one. */
    @Test
    void whoCannotRenewIsNoLeaderBeforeItsLeaseEnds() throws Exception {
        String url = PostgresServer.shared().newDatabase();
        LeaseClusterService service = replica(url);
        service.getView("a");
        await("the lead").atMost(SOON).until(() -> service.isLeader("a"));
        // Of the last look that found it: a busy machine may take its time to find the end.
        AtomicReference<Instant> led = new AtomicReference<>(Instant.EPOCH);
        try (Connection other = DriverManager.getConnection(url); Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("lock table lease in share mode");
            await("the end of the lead").atMost(SOON).pollInterval(Duration.ofMillis(5)).until(() -> {
                Instant now = Instant.now();
                boolean leads = service.isLeader("a");
                if (leads) {
                    led.set(now);
                }
                return !leads;
            });
            try (var row = statement.executeQuery("select expires_at from lease")) {
                row.next();
                assertTrue(led.get().plusMillis(LEASE_MS / 18).isBefore(row.getTimestamp(1).toInstant()),
                        "somebody else could be the leader already");
            }
            other.rollback();
        }
        await("the lead again").atMost(SOON).until(() -> service.isLeader("a"));
    }

    @Test
    void aLeaseOfSomebodyElseIsTakenWhenItHasRunOut() throws Exception {
        StoreLeases leases = new StoreLeases(open(PostgresServer.shared().newDatabase()));
        assertTrue(leases.take("a", "first", 60_000).join());
        assertFalse(leases.take("a", "second", 60_000).join());
        assertFalse(leases.giveBack("a", "second").join());
        assertTrue(leases.take("a", "first", 300).join());
        await("its end").atMost(SOON).until(() -> leases.take("a", "second", 60_000).join());
        assertFalse(leases.take("a", "first", 300).join());
        assertTrue(leases.giveBack("a", "second").join());
        assertTrue(leases.take("a", "first", 300).join());
    }

    private Store open(String url) {
        Store store = TestStore.of(url);
        stores.add(store);
        store.open();
        return store;
    }

    private LeaseClusterService replica(String url) {
        Store store = open(url);
        assertEquals(url.startsWith(StoreKind.POSTGRESQL.prefix), store.kind().shared());
        LeaseClusterService service = new LeaseClusterService(new StoreLeases(store), null, TestConfig.settings(TestConfig.of(
                Map.of("callbridge.ami.lease-ms", Long.toString(LEASE_MS)), Map.of())));
        service.start();
        services.add(service);
        return service;
    }
}
