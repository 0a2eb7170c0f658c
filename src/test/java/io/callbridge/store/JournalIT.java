package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.ingest.EventReader;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.TestStore;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Events that were read together are seen together, whichever writer of a store in common takes them. */
class JournalIT {

    private static final int CALLS = 300;

    @Test
    void nobodySeesAPartOfABatch() throws Exception {
        Store store = TestStore.of(PostgresServer.shared().newDatabase());
        store.open();
        try {
            Journal journal = new Journal(store, new ObjectMapper());
            List<CompletableFuture<Integer>> seen = IntStream.range(0, CALLS).mapToObj(call -> journal.append(List.of(
                    event(call, "dial-in"), event(call, "answer"), event(call, "hangup"), event(call, "answer"))).thenApply(isNew -> {
                        assertEquals(List.of(true, true, true, false), isNew);
                        return journal.call("main", "c" + call).size();
                    })).toList();
            // Somebody who looks at any moment.
            while (!seen.stream().allMatch(CompletableFuture::isDone)) {
                for (int call = 0; call < CALLS; call += 10) {
                    int events = journal.call("main", "c" + call).size();
                    assertEquals(events == 0 ? 0 : 3, events);
                }
            }
            seen.forEach(events -> assertEquals(3, events.join()));
            assertEquals(0, journal.appending());
        } finally {
            store.close();
        }
    }

    private static Journal.New event(int call, String type) {
        Map<String, String> fields = Map.of("EventType", type, "CallID", "c" + call, "SubCallID", "71101-" + call);
        return new Journal.New(EventReader.read("main", fields, Instant.now()), fields, null);
    }
}
