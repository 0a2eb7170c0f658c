package io.callbridge.asterisk;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.Memory;
import io.callbridge.store.Store;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.cluster.CamelClusterEventListener;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of several replicas one is the leader, soon another one when it is gone, and never two. */
class LeaseClusterServiceIT {

    private static final Duration SOON = Duration.ofSeconds(60);
    /** So long that the views look by themselves when they begin, and then only when they are told to. */
    private static final Duration LEASE = Duration.ofMinutes(10);

    @TempDir
    private Path folder;

    private final AtomicLong nanos = new AtomicLong();
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
        LeaseView view = view(only, "a");
        view.look();
        assertTrue(view.isLeader());
        nanos.addAndGet(LEASE.toNanos());
        assertTrue(view.isLeader(), "nobody else can be");
        only.releaseView(view);
        assertFalse(view.isLeader());
        await("the lead again").atMost(SOON).until(view(only, "a")::isLeader);
    }

    @Test
    void oneOfTwoLeadsAndTheOtherWhenItStops() throws Exception {
        String url = PostgresServer.shared().newDatabase();
        LeaseClusterService first = replica(url);
        LeaseView leader = view(first, "a");
        await("the first").atMost(SOON).until(leader::isLeader);
        List<Boolean> told = new CopyOnWriteArrayList<>();
        LeaseClusterService second = replica(url);
        LeaseView other = view(second, "a");
        other.addEventListener((CamelClusterEventListener.Leadership) (of, now) -> told.add(now != null));
        await("another lease").atMost(SOON).until(view(second, "b")::isLeader);
        // Both look all the time, and the first has renewed its lease more than once when its first time would be over.
        for (int look = 0; look < 20; look++) {
            nanos.addAndGet(LEASE.toNanos() / 9);
            settle(leader);
            settle(other);
            assertTrue(leader.isLeader());
            assertFalse(other.isLeader());
        }
        assertFalse(told.isEmpty() || told.contains(true), told::toString);

        first.releaseView(leader);
        assertFalse(leader.isLeader());
        settle(other);
        assertTrue(other.isLeader());
        other.look();
        assertTrue(told.get(told.size() - 1));
        LeaseView again = view(first, "a");
        settle(again);
        assertFalse(again.isLeader());
    }

    /** The row is what others see: it may run out only after the leader has stopped to be one. */
    @Test
    void whoCannotRenewIsNoLeaderBeforeItsLeaseEnds() throws Exception {
        String url = PostgresServer.shared().newDatabase();
        LeaseView view = view(replica(url), "a");
        Instant asked = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        await("the lead").atMost(SOON).until(view::isLeader);
        try (Connection other = DriverManager.getConnection(url); Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("lock table memory in share mode");
            try (var row = statement.executeQuery("select ends_at from memory")) {
                row.next();
                assertFalse(Instant.ofEpochMilli(row.getLong(1)).isBefore(asked.plus(LEASE)), "others wait for the whole of it");
            }
            nanos.set(LEASE.toNanos() * 8 / 9 - 1);
            view.look();
            assertTrue(view.isLeader(), "an answer may come in time");
            nanos.addAndGet(2);
            assertFalse(view.isLeader(), "somebody else could be the leader soon");
            other.rollback();
        }
        settle(view);
        assertTrue(view.isLeader());
    }

    @Test
    void aLeaseOfSomebodyElseIsTakenWhenItHasRunOut() throws Exception {
        Memory leases = new Memory(open(PostgresServer.shared().newDatabase()));
        assertFalse(leases.claimed("", "a"));
        assertTrue(leases.claim("", "a", "first", 60_000).join());
        assertTrue(leases.claimed("", "a"));
        assertTrue(leases.claim("", "a", "first", 60_000).join());
        assertFalse(leases.claim("", "a", "second", 60_000).join());
        assertFalse(leases.release("", "a", "second").join());
        assertTrue(leases.claim("", "a", "first", 1).join());
        await("its end").pollInterval(Duration.ofMillis(2)).atMost(SOON).until(() -> leases.claim("", "a", "second", 60_000).join());
        assertFalse(leases.claim("", "a", "first", 60_000).join());
        assertTrue(leases.release("", "a", "second").join());
        assertTrue(leases.claim("", "a", "first", 60_000).join());
    }

    private Store open(String url) {
        Store store = TestStore.of(url);
        stores.add(store);
        store.open();
        return store;
    }

    private LeaseClusterService replica(String url) {
        LeaseClusterService service = new LeaseClusterService(new Memory(open(url)), TestConfig.settings(TestConfig.of(
                Map.of("callbridge.ami.lease-ms", Long.toString(LEASE.toMillis())), Map.of())), nanos::get);
        service.start();
        services.add(service);
        return service;
    }

    private static LeaseView view(LeaseClusterService service, String namespace) throws Exception {
        return (LeaseView) service.getView(namespace);
    }

    /** Looks, and waits for the answer that is still on its way. */
    private static void settle(LeaseView view) {
        view.asked().join();
        view.look();
        view.asked().join();
    }
}
