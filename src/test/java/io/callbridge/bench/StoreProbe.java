package io.callbridge.bench;

import static org.awaitility.Awaitility.await;

import io.callbridge.support.TestCall;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.Set;

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

    StoreProbe(String url) {
        try {
            connection = DriverManager.getConnection(url, READ_ONLY);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Fails unless the journal has an event of each of these types for each call. */
    void assertJournaled(Collection<TestCall> calls, List<String> types) {
        Set<String> found = Set.copyOf(column("select leg_id || ' ' || type from event"));
        long lost = calls.stream().flatMap(call -> types.stream().map(type -> call.legId() + " " + type))
                .filter(event -> !found.contains(event)).count();
        if (lost > 0) {
            throw new AssertionError(lost + " acknowledged events are not in the journal");
        }
    }

    /** Waits until all events are processed. */
    void awaitProcessed() {
        awaitNone("events to process", "select count(*) from event where state <> 'done'");
    }

    /** Waits until all is processed and delivered, and no timer is due soon. */
    void awaitQuiet() {
        awaitProcessed();
        awaitNone("timers", "select count(*) from timer where due_at < " + (System.currentTimeMillis() + SOON_MS));
        awaitProcessed();
        awaitNone("deliveries", "select count(*) from delivery where state = 'pending'");
    }

    long count(String query) {
        return Long.parseLong(column(query).get(0));
    }

    List<String> column(String query) {
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
    }
}
