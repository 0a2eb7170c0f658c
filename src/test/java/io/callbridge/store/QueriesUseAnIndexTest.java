package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.ingest.EventReader;
import io.callbridge.support.TestConfig;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Pattern;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteDataSource;

/** What is asked again and again must not read a table that grows for months: SQLite itself says how it would go about it. */
class QueriesUseAnIndexTest {

    /** All of a table, or all that one PBX has in it; not all that waits or has failed, which has indexes of its own. */
    private static final Pattern WHOLE = Pattern.compile("^SCAN (?!probe|due$|CONSTANT|delivery USING (COVERING )?INDEX delivery_(pending|failing))"
            + "|(?<!call_of_pbx )\\(pbx=\\?\\)");
    /** Few may wait: what is found in the order of the table may be all of it. */
    private static final Pattern BY_ROW = Pattern.compile("^SEARCH delivery USING INTEGER PRIMARY KEY \\(rowid[<>]");

    @TempDir
    Path folder;
    private final Set<String> asked = ConcurrentHashMap.newKeySet();
    private final Queue<String> slow = new ConcurrentLinkedQueue<>();

    @Test
    void noQueryReadsAWholeTable() throws Exception {
        String url = "jdbc:sqlite:" + folder.resolve("callbridge.db");
        SQLiteDataSource plain = new SQLiteDataSource();
        plain.setUrl(url);
        SQLiteDataSource explaining = new SQLiteDataSource() {
            @Override
            public Connection getConnection() throws SQLException {
                return explaining(plain.getConnection());
            }
        };
        Store store = new Store(explaining, Flyway.configure().dataSource(plain).locations("db/sqlite").load(),
                TestConfig.settings(TestConfig.of(Map.of("callbridge.store.url", url), Map.of())));
        store.open();
        try {
            ask(store);
        } finally {
            store.close();
        }
        assertTrue(asked.size() > 10, asked::toString);
        assertTrue(slow.isEmpty(), () -> String.join("\n", slow));
    }

    private static void ask(Store store) throws Exception {
        Journal journal = new Journal(store, new ObjectMapper());
        Map<String, String> fields = Map.of("EventType", "dial-in", "CallID", "c1", "SubCallID", "71101-a1", "CallBackID", "b1");
        journal.append(List.of(new Journal.New(EventReader.read("main", fields, Instant.now()), fields, null))).get();
        journal.call("main", "c1");
        journal.leg("main", "71101-a1");
        journal.elsewhere("main", "c2", List.of("71101-a1"));
        journal.sameCallBack("main", "b1", "c2");
        journal.pbxsOf("c1");
        journal.open(false, Instant.now(), Set.of("main"), 10);
        journal.open(true, Instant.now(), Set.of("main", "branch"), 10);
        Timers timers = new Timers(store, TestConfig.settings(TestConfig.of(Map.of(), Map.of())));
        store.write("", sql -> {
            Timers.set(sql, new Timer("main", "c1", "71101-a1", Instant.EPOCH));
            return null;
        }).get();
        timers.take(Set.of("main"), 10).get();
        Outbox outbox = new Outbox(store, new ObjectMapper(), TestConfig.settings(TestConfig.of(Map.of(), Map.of())));
        List<Effects.Put> puts = List.of(new Effects.Put("rest", Delivery.CARD, "71101-a1", "{}", Long.MAX_VALUE));
        Delivery put = store.write("", sql -> outbox.put(sql, puts, "main", "c1", null, 0, List.of())).get().get(0);
        for (String lane : Delivery.LANES) {
            outbox.isDue("rest", lane);
            outbox.take("rest", lane, true, 10).get();
        }
        outbox.dropExpiredCards("rest").get();
        outbox.takeOver("rest");
        outbox.enriched(put, "{}").get();
        outbox.done(put, "pending", Instant.EPOCH, false, null, null).get();
        outbox.giveBack(List.of(put));
        outbox.hurry("rest").get();
        outbox.cardMayBeShown("rest", "main", "71101-a1");
        new OutboxControl(store).isEndedCard(outbox.call("main", "c1").get(0));
        outbox.call("main", "c1");
        new Effects(store, journal, outbox).place("main", List.of(new Effects.Placed(journal.call("main", "c1").get(0), "c3", "71101-a1", "", "why")));
        CallIndex calls = new CallIndex(store);
        calls.newest(new CallIndex.Filter(null, null, null, null, 0, Long.MAX_VALUE), null, 10);
        calls.openLegs();
        calls.open(10);
        calls.one("main", "c1");
        OutboxControl control = new OutboxControl(store);
        control.count("dead");
        for (String state : List.of("pending", OutboxControl.FAILING, "dead", "delivered")) {
            control.newest(state, "rest", Long.MAX_VALUE, 10);
            control.newest(state, null, Long.MAX_VALUE, 10);
        }
        for (String state : List.of("pending", OutboxControl.FAILING, "dead")) {
            control.retryAll(state, List.of("rest"));
            control.discardAll(state, List.of("rest"));
        }
        calls.last("main");
        new Audit(store).newest(Long.MAX_VALUE, 10);
        calls.range(Long.MAX_VALUE, new CallIndex.Place(0, "", ""), 10);
    }

    /** The same, but of what is prepared SQLite's plan is looked at. */
    private Connection explaining(Connection plain) {
        return (Connection) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, values) -> {
            if (method.getName().equals("prepareStatement") && asked.add((String) values[0])) {
                explain(plain, (String) values[0]);
            }
            try {
                return method.invoke(plain, values);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        });
    }

    private void explain(Connection connection, String text) throws SQLException {
        try (PreparedStatement explain = connection.prepareStatement("explain query plan " + text); ResultSet rows = explain.executeQuery()) {
            while (rows.next()) {
                String step = rows.getString("detail");
                if (WHOLE.matcher(step).find() || text.contains("state = 'pending'") && BY_ROW.matcher(step).find()) {
                    slow.add(step + ": " + text);
                }
            }
        }
    }
}
