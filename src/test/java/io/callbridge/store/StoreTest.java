package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.ingest.EventReader;
import io.callbridge.platform.StartException;
import io.callbridge.store.OutboxControl.Backlog;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is kept stays, and of several that claim the same the first one has it. A repeat is equal in all its fields (R5), with an EventTime
 * or without: what adds one, or says another thing, is kept. A store that cannot hold what is acknowledged is refused at the start, not by
 * the first call.
 */
class StoreTest {

    @TempDir
    Path folder;
    private Store store;
    private CrmMemory memory;
    private Journal journal;

    private long seconds;
    private int asked;
    private boolean away;
    private long took = 2;
    private final StoreCounts counts = new StoreCounts(new OutboxControl(null) {

        @Override
        public Map<String, Backlog> backlogs() {
            asked++;
            seconds += took;
            if (away) {
                throw new IllegalStateException("away");
            }
            return Map.of("rest", new Backlog(asked, 0, 0));
        }

        @Override
        public Map<String, Long> count(String state) {
            return Map.of("rest", 7L);
        }
    }, new CallIndex(null) {

        @Override
        public Map<String, Long> openLegs() {
            return Map.of();
        }
    }, () -> TimeUnit.SECONDS.toNanos(seconds));

    @BeforeEach
    void open() {
        store = TestStore.of("jdbc:sqlite:" + folder.resolve("new/callbridge.db"));
        store.open();
        memory = new CrmMemory(store);
        journal = new Journal(store, new ObjectMapper());
    }

    @AfterEach
    void close() throws InterruptedException {
        store.close();
    }

    @Test
    void theLastWordCounts() {
        memory.keep("shop", "c1", "id", "1").join();
        memory.keep("shop", "c1", "id", "2").join();
        assertEquals("2", memory.recall("shop", "c1", "id"));
        assertNull(memory.recall("other", "c1", "id"));
        memory.forget("shop", "c1", "id").join();
        assertNull(memory.recall("shop", "c1", "id"));
    }

    @Test
    void ofAClaimTheFirstWordCounts() {
        List<String> seen = IntStream.range(0, 8).parallel().mapToObj(n -> {
            memory.keepFirst("shop", "c1", "record", "leg-" + n).join();
            return memory.recall("shop", "c1", "record");
        }).distinct().toList();
        assertEquals(1, seen.size());
    }

    @Test
    void theVerdictOfAContainerIsNoRepeatOfItsHangupWithoutOne() {
        assertTrue(append(Map.of()));
        assertFalse(append(Map.of()));
        assertTrue(append(Map.of("Bridged", "no")));
        assertFalse(append(Map.of("Bridged", "no")));
        assertEquals(2, journal.call("main", "c1").size());
        assertEquals(List.of(false), journal.call("main", "c1").stream().map(entry -> entry.event().bridged())
                .filter(bridged -> bridged != null).toList());
    }

    @Test
    void aHangupThatBringsMoreIsKept() {
        assertTrue(append(Map.of("EventTime", "1741078800")));
        assertTrue(append(Map.of("EventTime", "1741078800", "RecID", "r1")));
        assertFalse(append(Map.of("RecID", "r1", "EventTime", "1741078800")));
        assertTrue(append(Map.of("RecID", "r1")));
        assertFalse(append(Map.of("RecID", "r1")));
    }

    private boolean append(Map<String, String> more) {
        Map<String, String> fields = new HashMap<>(Map.of("EventType", "hangup", "CallID", "c1", "SubCallID", "71880-q1"));
        fields.putAll(more);
        return journal.append(List.of(new Journal.New(EventReader.read("main", fields, Instant.now()), fields, null))).join().get(0);
    }

    @Test
    void aNewStoreIsMadeAndTakesWrites() {
        long before = System.currentTimeMillis();
        store.probe().join();
        long at = store.read(sql -> sql.first("select at from probe", row -> row.getLong(1)));
        assertTrue(at >= before, () -> at + " before " + before);
    }

    /** Its schema is there, so nothing but a write can find out. */
    @Test
    void aStoreThatCanOnlyBeReadIsRefused() throws InterruptedException {
        String url = "jdbc:sqlite:file:" + folder.resolve("callbridge.db");
        Store writable = TestStore.of(url);
        writable.open();
        writable.close();
        String said = refusal(url + "?mode=ro");
        assertTrue(said.contains(url + "?***") && said.contains("readonly"), said);
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

    @Test
    void aFolderInPlaceOfTheFileIsRefused() throws IOException {
        assertTrue(refusal("jdbc:sqlite:" + Files.createDirectory(folder.resolve("folder.db"))).contains("folder.db"));
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

    /** No test can take the power away, and most tests do without it. */
    @Test
    void aCommitOfSqliteWaitsForTheDisk() {
        assertEquals("FULL", TestConfig.packaged().getProperty("quarkus.datasource.sqlite.jdbc.additional-jdbc-properties.synchronous"));
    }

    private static String refusal(String url) {
        String said = assertThrows(StartException.class, () -> TestStore.of(url).open()).getMessage();
        assertEquals(1, said.lines().count());
        return said;
    }

    /** A scrape and everybody who looks ask for the same numbers: a large backlog must not be counted for each. */
    @Test
    void theLongerItTakesTheLongerItIsKept() {
        assertEquals(1, counts.now().backlog("rest").waiting());
        assertEquals(7, counts.now().dead("rest"));
        assertEquals(0, counts.now().legs("main"));
        seconds += 39;
        assertEquals(1, counts.now().backlog("rest").waiting());
        took = 10;
        seconds += 1;
        assertEquals(2, counts.now().backlog("rest").waiting());
        seconds += 59;
        assertEquals(2, counts.now().backlog("rest").waiting());
        seconds += 1;
        assertEquals(3, counts.now().backlog("rest").waiting(), "a minute at the most");
    }

    @Test
    void aStoreThatIsAwayIsNotAskedByEveryGauge() {
        away = true;
        assertThrows(StoreException.class, counts::now);
        assertThrows(StoreException.class, counts::now);
        assertEquals(1, asked);
        away = false;
        seconds += 4;
        assertThrows(StoreException.class, counts::now);
        seconds += 1;
        assertEquals(2, counts.now().backlog("rest").waiting());
    }
}
