package io.callbridge.bench;

import static org.awaitility.Awaitility.await;

import io.callbridge.store.StoreKind;
import io.callbridge.support.TestCall;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/** Looks into the store from outside: is what was acknowledged there, and is there still work to do. */
final class StoreProbe implements AutoCloseable {

    /** What could not be worked off in this time is stuck. */
    private static final Duration LONGEST = Duration.ofMinutes(4);
    private static final int SOON_MS = 60_000;

    /** SQLite's driver wants to know before it opens the file; PostgreSQL's knows its own word. */
    private static final Properties READ_ONLY = new Properties();

    static {
        READ_ONLY.setProperty("open_mode", "1");
        READ_ONLY.setProperty("readOnly", "true");
    }

    private final Connection connection;
    private final Connection inbox;
    private final boolean postgresql;

    StoreProbe(String url) {
        try {
            connection = DriverManager.getConnection(url, READ_ONLY);
            postgresql = StoreKind.of(url).shared();
            inbox = DriverManager.getConnection(StoreKind.of(url).forcedUrl(url), READ_ONLY);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Fails unless the documents have an event of each of these types for each call. */
    void assertStored(Collection<TestCall> calls, List<String> types) {
        Map<String, String> documents = new HashMap<>();
        column("select cast(call_id || ' ' || " + (postgresql ? "convert_from(document, 'UTF8')" : "cast(document as text)")
                + " as text) from call").forEach(row -> documents.put(row.split(" ", 2)[0], row));
        long lost = calls.stream().flatMap(call -> types.stream().filter(type -> !documents.getOrDefault(call.callId(), "").contains(type))).count();
        if (lost > 0) {
            throw new AssertionError(lost + " acknowledged events are in no call");
        }
    }

    /** Waits until all events are processed. */
    void awaitProcessed() {
        await("events to process").atMost(LONGEST).pollInterval(Duration.ofMillis(200))
                .until(() -> column(inbox, "select count(*) from page").get(0), "0"::equals);
    }

    /** Waits until all is processed and delivered, and no timer is due soon. */
    void awaitQuiet() {
        awaitProcessed();
        awaitNone("timers", "select count(*) from call where due_at < " + (System.currentTimeMillis() + SOON_MS));
        awaitProcessed();
        awaitNone("deliveries", "select count(*) from delivery where state = 'pending'");
    }

    long count(String query) {
        return Long.parseLong(column(query).get(0));
    }

    List<String> column(String query) {
        return column(connection, query);
    }

    private static List<String> column(Connection connection, String query) {
        try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(query)) {
            List<String> values = new ArrayList<>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private void awaitNone(String what, String query) {
        await(what).atMost(LONGEST).pollInterval(Duration.ofMillis(200)).until(() -> count(query), left -> left == 0);
    }

    @Override
    public void close() throws SQLException {
        connection.close();
        inbox.close();
    }
}
