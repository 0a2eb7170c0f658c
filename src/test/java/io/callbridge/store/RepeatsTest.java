package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.ingest.EventReader;
import io.callbridge.support.TestStore;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A repeat is equal in all its fields (R5), with an EventTime or without: what adds one, or says another thing, is kept. */
class RepeatsTest {

    @TempDir
    Path folder;
    private Store store;
    private Journal journal;

    @BeforeEach
    void open() {
        store = TestStore.of("jdbc:sqlite:" + folder.resolve("callbridge.db"));
        store.open();
        journal = new Journal(store, new ObjectMapper());
    }

    @AfterEach
    void close() throws InterruptedException {
        store.close();
    }

    @Test
    void theVerdictOfAContainerIsNoRepeatOfItsHangupWithoutOne() throws Exception {
        assertTrue(append(Map.of()));
        assertFalse(append(Map.of()));
        assertTrue(append(Map.of("Bridged", "no")));
        assertFalse(append(Map.of("Bridged", "no")));
        assertEquals(2, journal.call("main", "c1").size());
        assertEquals(List.of(false), journal.call("main", "c1").stream().map(entry -> entry.event().bridged())
                .filter(bridged -> bridged != null).toList());
    }

    @Test
    void aHangupThatBringsMoreIsKept() throws Exception {
        assertTrue(append(Map.of("EventTime", "1741078800")));
        assertTrue(append(Map.of("EventTime", "1741078800", "RecID", "r1")));
        assertFalse(append(Map.of("RecID", "r1", "EventTime", "1741078800")));
        assertTrue(append(Map.of("RecID", "r1")));
        assertFalse(append(Map.of("RecID", "r1")));
    }

    private boolean append(Map<String, String> more) throws Exception {
        Map<String, String> fields = new HashMap<>(Map.of("EventType", "hangup", "CallID", "c1", "SubCallID", "71880-q1"));
        fields.putAll(more);
        return journal.append(List.of(new Journal.New(EventReader.read("main", fields, Instant.now()), fields, null))).get().get(0);
    }
}
