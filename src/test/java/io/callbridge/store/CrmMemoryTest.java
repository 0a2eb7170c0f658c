package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.support.TestStore;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept stays, and of several that claim the same the first one has it. */
class CrmMemoryTest {

    @TempDir
    Path folder;
    private Store store;
    private CrmMemory memory;

    @BeforeEach
    void open() {
        store = TestStore.of("jdbc:sqlite:" + folder.resolve("test.db"));
        store.open();
        memory = new CrmMemory(store);
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
}
