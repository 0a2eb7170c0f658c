package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.ingest.EventReader;
import io.callbridge.support.TestStore;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is kept stays, and of several that claim the same the first one has it. A repeat is equal in all its fields (R5), with an EventTime
 * or without: what adds one, or says another thing, is kept.
 */
class StoreTest {

    @TempDir
    Path folder;
    private Store store;
    private CrmMemory memory;
    private Journal journal;

    @BeforeEach
    void open() {
        store = TestStore.of("jdbc:sqlite:" + folder.resolve("test.db"));
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
}
