package io.callbridge.store;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.admin.OutboxControl;
import io.callbridge.platform.StoreKind;
import io.callbridge.platform.Time;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What waits for a CRM, and what it has said, on either database. */
@ParameterizedClass(name = "{0}")
@EnumSource(StoreKind.class)
class OutboxIT {

    private static final String LEG = "71101-a1";
    private static final long EVER = Long.MAX_VALUE;
    /** Of an answer. */
    private static final int KEPT = 2048;
    /** Of the lease, which is a minute, the half. */
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path folder;
    @Parameter
    private StoreKind kind;
    private Store store;
    private Outbox outbox;

    @BeforeEach
    void open() {
        String url = kind == StoreKind.SQLITE ? "jdbc:sqlite:" + folder.resolve("callbridge.db") : PostgresServer.shared().newDatabase();
        store = TestStore.of(url);
        store.open();
        outbox = new Outbox(store, new ObjectMapper(), TestConfig.settings(TestConfig.of(Map.of(), Map.of())));
        put("main", Delivery.CARD, LEG, EVER);
        outbox.done(of(0), "delivered", Instant.now(), false, new Outbox.Attempt(1, 200, "ok\0".repeat(KEPT), 1), null).join();
    }

    @AfterEach
    void close() throws InterruptedException {
        store.close();
    }

    /** Two PBXs may use equal ids: an effect is one of its PBX. */
    @Test
    void theSamePbxHasAnEffectOnceAndTheOtherHasItsOwn() {
        assertFalse(put("main", Delivery.CARD, LEG, EVER));
        assertTrue(put("branch", Delivery.CARD, LEG, EVER));
        assertFalse(put("branch", Delivery.CARD, LEG, EVER));
        assertEquals(List.of(), put("branch", List.of(Delivery.CARD, Delivery.CARD), EVER, List.of()), "whoever has not seen it");
        assertTrue(outbox.cardMayBeShown("rest", "main", LEG));
        assertFalse(outbox.cardMayBeShown("rest", "branch", LEG), "it waits");
    }

    /** What was changed while it was on its way is sent again, and what came of the former contents is a try of it, too. */
    @Test
    void everyTryIsKeptInItsRow() {
        assertEquals(List.of(new Outbox.Attempt(1, 200, "ok ".repeat(KEPT).substring(0, KEPT), 1)), outbox.attempts(of(0)));
        Delivery before = of(0);
        store.calls().change("", "update delivery set revision = 2, state = 'pending', next_at = 7").join();
        assertFalse(outbox.done(before, "delivered", Instant.now(), false, new Outbox.Attempt(2, null, null, 1), null).join());
        assertEquals(2, outbox.attempts(of(0)).size());
        assertEquals("pending", of(0).state());
        assertTrue(of(0).nextAt() > 7);
    }

    /** A card is of use for a while only, and must not come after its own end. */
    @Test
    void aCardOnItsWayIsNotDroppedSoThatItsEndDoesNotOvertakeIt() {
        put("main", Delivery.CARD, "l", 1);
        put("main", Delivery.CARD_END, "l", 1);
        List<Delivery> taken = take(Delivery.CARDS);
        assertEquals(List.of(Delivery.CARD), taken.stream().map(Delivery::operation).toList());
        assertEquals(0, outbox.dropExpiredCards("rest").join());
        outbox.done(taken.get(0), "pending", Instant.now(), false, null, null).join();
        assertEquals(1, outbox.dropExpiredCards("rest").join());
        assertEquals("dropped", of(1).state());
        assertFalse(outbox.cardMayBeShown("rest", "main", "l"));
    }

    /** Who takes what is new need not ask for it; nobody else gets it, unless he dies: then it may have been sent, or not. */
    @Test
    void whatGoesStraightIsTakenAlready() {
        outbox.deliverBy((crm, lane, earlier) -> earlier.size() == 1 && earlier.get(0).id().equals(LEG));
        List<Delivery> straight = put("main", List.of(Delivery.CARD, Delivery.CARD_END), 1, outbox.call("main", "c1"));
        assertEquals(outbox.call("main", "c1").subList(1, 3), straight);
        assertTrue(straight.stream().allMatch(Delivery::straight));
        assertEquals(List.of(), take(Delivery.CARDS));
        assertTrue(outbox.cardMayBeShown("rest", "main", "l"), "its answer may not be stored yet");
        outbox.giveBack(List.of(straight.get(0)));
        outbox.takeOver("rest");
        await().atMost(SOON).until(() -> outbox.isDue("rest", Delivery.CARDS));
        Delivery again = take(Delivery.CARDS).get(0);
        assertEquals("card 0", again.operation() + " " + again.attempts());
        store.calls().change("", "update delivery set next_at = 0 where seq = ?", again.seq()).join();
        assertEquals(1, outbox.dropExpiredCards("rest").join());
        assertTrue(outbox.cardMayBeShown("rest", "main", "l"), "nobody knows");
    }

    /** What does not go straight is not overtaken by what follows in the same look. */
    @Test
    void whatFollowsWhatWaitsInTheStoreDoesSo() {
        outbox.deliverBy((crm, lane, earlier) -> lane.equals(Delivery.CALLS));
        assertFalse(put("main", List.of(Delivery.CARD_END, Delivery.CALL), EVER, List.of()).stream().anyMatch(Delivery::straight));
        assertEquals(List.of(), take(Delivery.CALLS));
        assertEquals(List.of(Delivery.CARD_END), take(Delivery.CARDS).stream().map(Delivery::operation).toList());
    }

    @Test
    void aCardThatHasEndedIsNotRetried() {
        OutboxControl control = new OutboxControl(store);
        put("main", Delivery.CARD, "l", EVER);
        put("main", Delivery.CARD_END, "l", EVER);
        outbox.done(of(1), "dead", Instant.now(), false, null, null).join();
        assertFalse(control.isEndedCard(of(1)));
        outbox.done(of(2), "dropped", Instant.now(), false, null, null).join();
        assertTrue(control.isEndedCard(of(1)));
        assertFalse(control.retry(of(1)));
        assertEquals(0, control.retryAll("dead", List.of("rest")));
        assertEquals("dead", of(1).state());
        put("main", Delivery.CALL, "l", EVER);
        outbox.done(of(3), "dead", Instant.now(), false, null, null).join();
        assertEquals(1, control.retryAll("dead", List.of("rest")));
    }

    /** What a replica takes from a store in common is its own for the time of the lease, unless it gives it back. */
    @Test
    void whatIsGivenBackIsTakenAgainWithoutWaitingForTheLease() {
        put("main", Delivery.CALL, "l", EVER);
        List<Delivery> taken = take(Delivery.CALLS);
        assertEquals(1, taken.size());
        assertEquals(List.of(), take(Delivery.CALLS), "it is taken");
        outbox.giveBack(taken);
        await().atMost(SOON).until(() -> take(Delivery.CALLS).size() == 1);
    }

    /** A database that recovers empties its unlogged tables; what of its last commits it has lost, nobody knows. */
    @Test
    void aPageThatWasHalfDoneWhenTheDatabaseCrashedIsEvaluatedOnceMore() {
        assumeTrue(kind.shared());
        List<Inbox.Page> taken = new CopyOnWriteArrayList<>();
        Inbox inbox = new Inbox(store, TestConfig.settings(TestConfig.of(Map.of(), Map.of())), new SimpleMeterRegistry());
        Inbox.Follower follower = new Inbox.Follower() {

            @Override
            public boolean hasRoom() {
                return true;
            }

            @Override
            public void take(Inbox.Page page) {
                taken.add(page);
            }

            @Override
            public void forget() {
                taken.add(null);
            }
        };
        inbox.read(follower);
        inbox.sweep();
        inbox.append(events("a", "b")).join();
        inbox.append(events("c")).join();
        await().atMost(SOON).until(() -> taken.size() == 2);
        taken.get(0).done();
        taken.get(1).done();
        store.forced().writeAndWait("", sql -> sql.update("delete from alive") + sql.update("insert into alive (replica, at) values ('old', 1)"));
        inbox.sweep();
        assertNull(store.forced().read(sql -> sql.first("select replica from alive where replica = 'old'", row -> row.getString(1))), "of long ago");
        assertNull(taken.get(2), "what is in memory is forgotten");
        taken.get(0).done();
        inbox.read(follower);
        assertEquals(List.of("a", "b"), taken.get(3).events().stream().map(event -> event.call().callId()).toList());
        assertTrue(taken.get(3).again());
    }

    private static List<Event> events(String... callIds) {
        return Stream.of(callIds).map(callId -> Event.of("main", Map.of("EventType", "hangup", "CallID", callId, "SubCallID", "71101-a1"),
                Time.now(), null)).toList();
    }

    private boolean put(String pbx, String operation, String id, long expiresAt) {
        return !store.calls().write("", sql -> outbox.put(sql, List.of(new Calls.Put("rest", operation, id, "{}", expiresAt)), pbx, "c1", null, 1,
                outbox.call(sql, pbx, "c1"))).join().isEmpty();
    }

    /** Of one leg. */
    private List<Delivery> put(String pbx, List<String> operations, long expiresAt, List<Delivery> known) {
        String id = pbx.equals("main") ? "l" : LEG;
        return store.calls().write("", sql -> outbox.put(sql, operations.stream().map(each -> new Calls.Put("rest", each, id, "{}", expiresAt)).toList(),
                pbx, "c1", null, System.currentTimeMillis(), known)).join();
    }

    private List<Delivery> take(String lane) {
        return outbox.take("rest", lane, false, 10).join();
    }

    /** The first is a card that was shown. */
    private Delivery of(int place) {
        return outbox.call("main", "c1").get(place);
    }
}
