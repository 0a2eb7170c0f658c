package io.callbridge.bench;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.platform.StoreKind;
import io.callbridge.support.TestCall;
import io.callbridge.support.Unchecked;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;

/** Looks into the store from outside: is what was acknowledged there, and is there still work to do. */
record StoreProbe(String url) {

    /** What could not be worked off in this time is stuck. */
    private static final Duration LONGEST = Duration.ofMinutes(4);
    private static final int SOON_MS = 60_000;
    /** SQLite's driver wants to know before it opens the file; PostgreSQL's knows its own word. */
    private static final Properties READ_ONLY = new Properties();

    static {
        READ_ONLY.setProperty("open_mode", "1");
        READ_ONLY.setProperty("readOnly", "true");
    }

    /** Fails unless the documents have the three events of each call. */
    void assertStored(List<TestCall> calls) {
        Map<String, String> documents = new HashMap<>();
        column(url, "select cast(call_id || ' ' || " + (StoreKind.of(url).shared() ? "convert_from(document, 'UTF8')"
                : "cast(document as text)") + " as text) from call").forEach(row -> documents.put(row.split(" ", 2)[0], row));
        assertEquals(0, calls.stream().flatMap(call -> Stream.of("dial-in", "answer", "hangup")
                .filter(type -> !documents.getOrDefault(call.callId(), "").contains(type))).count(), "acknowledged events that are in no call");
    }

    /** Waits until all events are processed. */
    void awaitProcessed() {
        awaitNone(StoreKind.of(url).forcedUrl(url), "page");
    }

    /** Waits until all is processed and delivered, and no timer is due soon. */
    void awaitQuiet() {
        awaitProcessed();
        awaitNone(url, "call where due_at < " + (System.currentTimeMillis() + SOON_MS));
        awaitProcessed();
        awaitNone(url, "delivery where state = 'pending'");
    }

    long number(String query) {
        return Long.parseLong(column(url, query).get(0));
    }

    private static void awaitNone(String url, String what) {
        await(what).atMost(LONGEST).pollInterval(Duration.ofMillis(200))
                .until(() -> column(url, "select count(*) from " + what).get(0), "0"::equals);
    }

    static List<String> column(String url, String query) {
        return Unchecked.get(() -> {
            try (var connection = DriverManager.getConnection(url, READ_ONLY); ResultSet rows = connection.createStatement().executeQuery(query)) {
                List<String> values = new ArrayList<>();
                while (rows.next()) {
                    values.add(rows.getString(1));
                }
                return values;
            }
        });
    }
}
