package io.callbridge.store;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Settings;
import io.callbridge.platform.StartException;
import io.callbridge.platform.Time;
import io.callbridge.store.Calls.Evaluated;
import io.callbridge.store.Calls.Part;
import io.callbridge.store.Calls.Put;
import io.callbridge.store.Document.Decision;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is kept stays, and of several that claim the same the first one has it: a page until all that follows from it is on the disk, of two
 * evaluations of a call one. A repeat is equal in all its fields (R5), with an EventTime or without: what adds one, or says another thing, is
 * kept. A store that cannot hold what is acknowledged is refused at the start, not by the first call.
 */
class StoreTest {

    @TempDir
    Path folder;
    private Store store;
    private Memory memory;
    private Calls calls;
    private final Settings settings = TestConfig.settings(TestConfig.of(Map.of(), Map.of()));
    private final List<Inbox> inboxes = new ArrayList<>();
    private final Pages pages = new Pages();

    /** Who evaluates, at the test's pace. */
    private static final class Pages implements Inbox.Follower {
        private final List<Inbox.Page> taken = new ArrayList<>();
        private boolean room = true;

        @Override
        public void forget() {
            // The database of a test does not crash.
        }

        @Override
        public boolean hasRoom() {
            return room;
        }

        @Override
        public synchronized void take(Inbox.Page page) {
            taken.add(page);
        }

        /** The CallIDs of each page. */
        private synchronized List<List<String>> calls() {
            return taken.stream().map(page -> page.events().stream().map(event -> event.call().callId()).toList()).toList();
        }

        private void done(int page) {
            taken.get(page).events().forEach(event -> taken.get(page).done());
        }
    }

    @BeforeEach
    void open() {
        store = TestStore.of("jdbc:sqlite:" + folder.resolve("new/callbridge.db"));
        store.open();
        memory = new Memory(store);
        calls = new Calls(store, new Outbox(store, new ObjectMapper(), settings));
    }

    @AfterEach
    void close() throws InterruptedException {
        inboxes.forEach(inbox -> inbox.close(null));
        store.close();
        Time.follow(Clock.systemUTC());
    }

    @Test
    void theLastWordCountsAndOfAClaimTheFirst() {
        for (String word : List.of("1", "2")) {
            memory.keep("shop", "c1", "id", word).join();
            assertEquals(word, memory.recall("shop", "c1", "id"));
        }
        memory.forget("shop", "c1", "id").join();
        assertNull(memory.recall("shop", "c1", "id"));
        assertEquals(1, IntStream.range(0, 8).parallel().mapToObj(n -> {
            memory.keepFirst("shop", "c1", "record", "leg-" + n).join();
            return memory.recall("shop", "c1", "record");
        }).distinct().count());
    }

    private Inbox inbox() {
        Inbox inbox = new Inbox(store, settings, new SimpleMeterRegistry());
        inboxes.add(inbox);
        return inbox;
    }

    /** That of a process that begins. */
    private Inbox begun() {
        Inbox inbox = inbox();
        inbox.read(pages);
        return inbox;
    }

    private static Event hangup(String callId, Map<String, String> more) {
        Map<String, String> fields = new HashMap<>(Map.of("EventType", "hangup", "CallID", callId, "SubCallID", "71880-q1"));
        fields.putAll(more);
        return Event.of("main", fields, Time.now(), null);
    }

    private static List<Event> events(String... callIds) {
        return Stream.of(callIds).map(callId -> hangup(callId, Map.of())).toList();
    }

    private long pages() {
        return store.forced().read(sql -> sql.first("select count(*) from page", row -> row.getLong(1)));
    }

    @Test
    void allThatWaitsTogetherIsOneRowAndOneCommit() {
        Inbox inbox = begun();
        CompletableFuture<Void> busy = new CompletableFuture<>();
        store.forced().write("", sql -> busy.join());
        List<CompletableFuture<Void>> acknowledged = Stream.of("a", "b", "c").map(callId -> inbox.append(events(callId, callId + "2")))
                .toList();
        assertFalse(acknowledged.stream().anyMatch(CompletableFuture::isDone));
        busy.complete(null);
        acknowledged.forEach(CompletableFuture::join);
        assertEquals(1, pages());
        inbox.append(events("d")).join();
        assertEquals(2, pages());
        assertEquals(2, inbox.waiting(), "who is told must find it waiting");
        store.forced().write("", sql -> null).join();
        assertEquals(List.of(List.of("a", "a2", "b", "b2", "c", "c2"), List.of("d")), pages.calls());
        assertEquals(List.of("a", "a2", "b", "b2", "c", "c2", "d"), inbox.events(any -> true).stream().map(event -> event.call().callId())
                .toList());
    }

    @Test
    void nobodyIsToldThatAnEventIsKeptWhichIsNot() throws InterruptedException {
        Inbox inbox = begun();
        store.forced().writeAndWait("", sql -> sql.update("alter table page rename to other"));
        assertThrows(CompletionException.class, inbox.append(events("a"))::join);
        store.forced().writeAndWait("", sql -> sql.update("alter table other rename to page"));
        inbox.append(events("b")).join();
        store.close();
        assertTrue(assertThrows(CompletionException.class, inbox.append(events("c"))::join).getCause() instanceof StoreException);
        store = TestStore.of("jdbc:sqlite:" + folder.resolve("new/callbridge.db"));
        store.open();
        pages.taken.clear();
        begun();
        assertEquals(List.of(List.of("b")), pages.calls());
    }

    /** A process ends at any time: the next one has what it had, and again, until what follows from it is stored. */
    @Test
    void aPageIsReadAgainAfterACrashWithAllThatWasSaid() {
        Inbox crashed = inbox();
        Event event = Event.of("main", Map.of("EventType", "hangup", "CallID", "C1", "SubCallID", "l", "x", "", "Name",
                "\u0418\u0432\u0430\u043d \"\u0000"), Instant.parse("2025-03-04T09:00:00.123Z"), "00-trace");
        crashed.append(List.of(event, event.under("c1~2", "l~2"))).join();
        assertEquals(List.of(), pages.calls());
        begun();
        Inbox inbox = begun();
        assertEquals(2, pages.taken.size());
        List<Event> again = pages.taken.get(1).events();
        assertEquals(List.of(event.call(), event.under("c1~2", "l~2").call()), again.stream().map(Event::call).toList());
        assertEquals(List.of(event.fields(), event.fields()), again.stream().map(Event::fields).toList());
        assertEquals("00-trace", again.get(1).trace());
        assertEquals(event.identity(), again.get(0).identity());
        assertEquals("c2", event.under("c1~2", "l~2").under("c2", "l").call().callId());
        inbox.append(events("new")).join();
        pages.taken.get(1).done();
        inbox.sweep();
        assertEquals(List.of(2, 2L), List.of(inbox.waiting(), pages()), "one of two events");
        pages.taken.get(1).done();
        inbox.sweep();
        assertEquals(1, pages());
        store.forced().write("", sql -> null).join();
        pages.done(2);
        inbox.sweep();
        assertEquals(0, pages());
    }

    /** What follows from a page is not forced to the disk: after a power cut the page must lead to it again. */
    @Test
    void aPageGoesOnlyBehindACheckpointOfTheCalls() throws SQLException {
        Inbox inbox = begun();
        inbox.append(events("a")).join();
        store.forced().write("", sql -> null).join();
        try (Connection reader = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("new/callbridge.db"));
                Statement statement = reader.createStatement()) {
            reader.setAutoCommit(false);
            statement.executeQuery("select count(*) from call").close();
            calls.save(look(0, "open", Set.of(), List.of())).join();
            pages.done(0);
            inbox.sweep();
            assertEquals(1, pages(), "who reads keeps the log from being copied");
            reader.commit();
        }
        inbox.sweep();
        assertEquals(0, pages());
    }

    @Test
    void whatHasNoRoomIsReadLaterInItsOrder() {
        Inbox inbox = begun();
        pages.room = false;
        for (String callId : List.of("a", "b", "c")) {
            inbox.append(events(callId)).join();
        }
        inbox.read(pages);
        assertEquals(List.of(), pages.calls());
        pages.room = true;
        inbox.append(events("d")).join();
        store.forced().write("", sql -> null).join();
        assertEquals(List.of(), pages.calls(), "none overtakes those that wait");
        inbox.read(pages);
        assertEquals(List.of(List.of("a"), List.of("b"), List.of("c"), List.of("d")), pages.calls());
        inbox.append(events("e")).join();
        store.forced().write("", sql -> null).join();
        assertEquals(5, pages.taken.size());
        inbox.sweep();
        assertEquals(5, pages());
    }

    /** At a start, while a PBX repeats what it has to say. */
    @Test
    void aPageThatIsFoundBeforeItsCommitIsToldIsEvaluatedOnce() {
        Inbox inbox = inbox();
        CompletableFuture<Void> busy = new CompletableFuture<>();
        CompletableFuture<Void> told = new CompletableFuture<>();
        CompletableFuture<Void> begun = new CompletableFuture<>();
        store.forced().write("", sql -> {
            begun.complete(null);
            return busy.join();
        });
        begun.join();
        store.forced().write("", sql -> null).thenRun(told::join);
        CompletableFuture<Void> acknowledged = inbox.append(events("a"));
        busy.complete(null);
        await("its commit").until(() -> pages() == 1);
        inbox.read(pages);
        told.complete(null);
        acknowledged.join();
        pages.done(0);
        inbox.append(events("b")).join();
        store.forced().write("", sql -> null).join();
        inbox.read(pages);
        assertEquals(List.of(List.of("a"), List.of("b")), pages.calls());
    }

    @Test
    void whatAReplicaOfTheNextVersionWritesCanBeRead() {
        byte[] page = new String(events("a").get(0).json(), StandardCharsets.UTF_8).replaceFirst("\\{", "{\"newer\":1,").getBytes(StandardCharsets.UTF_8);
        assertEquals("a", Event.page(page).get(0).call().callId());
        Event longest = hangup("a", Map.of("x".repeat(60_000), "1"));
        assertEquals(longest.fields(), Event.page(longest.json()).get(0).fields());
    }

    @Test
    void aTaskThatFailsBeforeItsFirstStatementFailsAlone() {
        CompletableFuture<Void> busy = new CompletableFuture<>();
        store.forced().write("", sql -> busy.join());
        CompletableFuture<Object> bad = store.forced().write("", sql -> {
            throw new IllegalStateException("a mistake of ours");
        });
        CompletableFuture<Long> good = store.forced().write("", sql -> sql.first("select count(*) from page", row -> row.getLong(1)));
        busy.complete(null);
        assertThrows(CompletionException.class, bad::join);
        assertEquals(0, good.join());
    }

    /** Its events count again when it is configured again; until then it does not keep what came after it. */
    @Test
    void whatIsOfAnUnknownPbxRestsUntilTheNextStart() {
        Inbox inbox = begun();
        for (String callId : List.of("a", "b", "c")) {
            inbox.append(events(callId)).join();
        }
        store.forced().write("", sql -> null).join();
        pages.taken.get(1).rest();
        pages.done(0);
        pages.done(2);
        assertEquals(0, inbox.waiting());
        inbox.sweep();
        assertEquals(1, pages());
        inbox.read(pages);
        assertEquals(3, pages.taken.size());
        begun();
        assertEquals(List.of("b"), pages.calls().get(3));
    }

    @Test
    void moreThanCanBeEvaluatedForTooLongIsRefused() {
        Instant[] now = {Instant.parse("2025-03-04T09:00:00Z")};
        Time.follow(((InstantSource) () -> now[0]).withZone(ZoneOffset.UTC));
        Inbox inbox = begun();
        inbox.append(events("a")).join();
        now[0] = now[0].plusSeconds(60);
        inbox.append(events("b")).join();
        store.forced().write("", sql -> null).join();
        now[0] = now[0].plusMillis(1);
        assertTrue(assertThrows(CompletionException.class, inbox.append(events("c"))::join).getCause() instanceof StoreException);
        pages.done(0);
        inbox.append(events("d")).join();
        assertEquals(3, pages());
    }

    /** Also the verdict of a container. */
    @ParameterizedTest
    @CsvSource({"'', Bridged=no", "EventTime=1741078800, EventTime=1741078800 RecID=r1", "EventTime=1741078800 RecID=r1, RecID=r1"})
    void aHangupThatBringsMoreIsKeptAndARepeatIsNot(String first, String other) {
        Document document = new Document();
        for (boolean news : new boolean[] {true, false}) {
            for (String fields : List.of(first, other)) {
                assertEquals(news, document.add(hangup("c1", Stream.of(fields.split(" ")).filter(field -> !field.isEmpty())
                        .collect(Collectors.toMap(field -> field.split("=")[0], field -> field.split("=")[1])))));
            }
        }
    }

    @Test
    void aDocumentIsReadAsItWasWritten() {
        Document document = new Document();
        assertEquals("{\"events\":[],\"decisions\":[],\"timers\":{}}", new String(document.bytes(), StandardCharsets.UTF_8));
        Event first = hangup("c1", Map.of("EventTime", "1741078800", "Name", "\u0418\u0432\u0430\u043d \"\u0000"));
        Event moved = hangup("c1", Map.of()).under("c1~2", "l~2");
        document.add(first);
        document.add(moved);
        assertTrue(document.decide(new Decision("l", "card", "R10", "shown", 1)));
        assertFalse(document.decide(new Decision("l", "card", "R10", "shown", 2)), "it was the last thing said about that");
        assertTrue(document.decide(new Decision("l", "call", Document.FAILED, "broken", 2)));
        assertTrue(document.decide(new Decision("l", "card", "R21", "ended", 3)));
        document.timers().putAll(Map.of("l", 5L, "", 7L));

        Document read = Document.of(document.bytes());
        assertEquals(List.of(first.call(), moved.call()), read.events().stream().map(Event::call).toList());
        assertEquals(document.decisions(), read.decisions());
        assertEquals(Map.of("l", 5L, "", 7L), read.timers());
        assertEquals(read.decisions(), Document.of(read.bytes()).decisions());
        assertFalse(read.add(first) || read.add(moved) || read.decide(new Decision("l", "card", "R21", "ended", 9)), "what it was before");
        assertTrue(read.failed("l"));
        read.decide(new Decision("l", "call", "R23", "registered", 9));
        assertFalse(read.failed("l") || read.failed("other"));

        read.remove(List.of(moved));
        assertEquals(List.of(first.call()), Document.of(read.bytes()).events().stream().map(Event::call).toList());
        assertTrue(read.add(moved), "it may come back");
    }

    private static Evaluated look(long version, String outcome, Set<Part> news, List<Put> puts) {
        CallRow row = new CallRow("main", "c1", version + 1, 1, 2, null, outcome, 0, null, new TreeMap<>());
        return new Evaluated(row, new Document().bytes(), news, puts, List.of(), null);
    }

    @Test
    void ofTwoLooksAtACallOneIsStoredAndTheOtherHasNoEffects() {
        List<Put> puts = List.of(new Put("rest", Delivery.CARD, "l", "{}", Long.MAX_VALUE));
        assertEquals(1, calls.save(look(0, "open", Set.of(new Part(Calls.LEG, "l")), puts)).join().size());
        assertNull(calls.save(look(0, "missed", Set.of(new Part(Calls.LEG, "other")),
                List.of(new Put("rest", Delivery.MISSED, "c1", "{}", Long.MAX_VALUE)))).join());
        assertEquals(List.of(), calls.save(look(1, "open", Set.of(new Part(Calls.LEG, "l")), puts)).join(), "told once");
        assertNull(calls.save(look(1, "missed", Set.of(), List.of())).join());
        assertEquals(1, IntStream.range(0, 8).parallel().mapToObj(n -> calls.save(look(2, "answered", Set.of(), List.of())).join())
                .filter(deliveries -> deliveries != null).count());
        Calls.Stored stored = calls.one("main", "c1");
        assertEquals(List.of(3L, "answered", 1), List.of(stored.row().version(), stored.row().outcome(), stored.deliveries().size()));
        assertEquals(1, calls.by("main", Calls.LEG, List.of("l")).size());
        assertEquals(List.of(), calls.by("main", Calls.LEG, List.of("other")));
    }

    /** Its schema is there, so nothing but a write can find out. */
    @Test
    void aStoreThatCanOnlyBeReadIsRefusedAndSoIsAFolder() throws Exception {
        String url = "jdbc:sqlite:file:" + folder.resolve("callbridge.db");
        Store writable = TestStore.of(url);
        writable.open();
        writable.close();
        String said = refusal(url + "?mode=ro");
        assertTrue(said.contains(url + "?***") && said.contains("readonly"), said);
        assertTrue(refusal("jdbc:sqlite:" + Files.createDirectory(folder.resolve("folder.db"))).contains("folder.db"));
    }

    /** Of two that work on one file each would tell the CRM everything. */
    @Test
    void aStoreThatIsOpenIsRefusedAndNamesWhoHasIt() throws Exception {
        Path file = folder.resolve("new/callbridge.db");
        String said = "callbridge.store.url names " + file + ", and process " + ProcessHandle.current().pid();
        assertTrue(refusal("jdbc:sqlite:" + file).startsWith(said), () -> refusal("jdbc:sqlite:" + file));
        store.close();
        store = TestStore.of("jdbc:sqlite:" + Files.createSymbolicLink(folder.resolve("other.db"), file));
        store.open();
        assertTrue(refusal("jdbc:sqlite:" + file).startsWith(said), () -> refusal("jdbc:sqlite:" + file));
    }

    @ParameterizedTest
    @ValueSource(strings = {"jdbc:sqlite::memory:", "jdbc:sqlite:", "jdbc:sqlite:?cache=shared", "jdbc:sqlite:file:calls?mode=memory",
            "jdbc:sqlite::resource:calls.db", "jdbc:sqlite:data/", "jdbc:sqlite:/", "jdbc:abacus:beads", "data/callbridge.db", "",
            "jdbc:mysql://anna:do-not@db.example/calls?password=do-not"})
    void aStoreWithoutAFileIsRefused(String url) {
        String said = refusal(url);
        assertTrue(said.startsWith("callbridge.store.url is '") && said.contains("allowed: jdbc:sqlite:<file>"), said);
        assertTrue(!said.contains("do-not") && said.contains("db.example/calls") == url.contains("do-not"), said);
    }

    /** There is nothing to upgrade from before the first release. */
    @Test
    void aStoreOfTheOldKindIsRefused() throws SQLException {
        String url = "jdbc:sqlite:" + folder.resolve("old.db");
        try (Connection connection = DriverManager.getConnection(url); Statement statement = connection.createStatement()) {
            statement.execute("create table event (seq integer primary key)");
        }
        String said = refusal(url);
        assertTrue(said.contains("old.db") && said.contains("made by a version before the first release"), said);
        assertFalse(Files.exists(folder.resolve("old-inbox.db")), "nothing is made of it");
    }

    /** No test can take the power away here, and most tests do without it: the inbox waits for the disk, the calls do not. */
    @ParameterizedTest
    @CsvSource({"inbox, FULL, 2", "sqlite, NORMAL, 1"})
    void aCommitOfTheInboxWaitsForTheDisk(String dataSource, String packaged, int live) throws SQLException {
        String prefix = "quarkus.datasource." + dataSource + ".jdbc.additional-jdbc-properties.";
        Properties asked = new Properties();
        TestConfig.packaged().forEach((key, value) -> {
            if (key.toString().startsWith(prefix)) {
                asked.put(key.toString().substring(prefix.length()).replace("\"", ""), value);
            }
        });
        assertEquals(packaged, asked.getProperty("synchronous"));
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("live.db"), asked);
                Statement statement = connection.createStatement()) {
            assertEquals(Integer.toString(live), pragma(statement, "synchronous"));
            assertEquals("wal", pragma(statement, "journal_mode"));
        }
    }

    private static String pragma(Statement statement, String name) throws SQLException {
        try (ResultSet row = statement.executeQuery("pragma " + name)) {
            row.next();
            return row.getString(1);
        }
    }

    private static String refusal(String url) {
        String said = assertThrows(StartException.class, () -> TestStore.of(url).open()).getMessage();
        assertEquals(1, said.lines().count());
        return said;
    }
}
