package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Settings;
import io.callbridge.store.Calls.Look;
import io.callbridge.store.Calls.Part;
import io.callbridge.store.Calls.Put;
import io.callbridge.support.TestConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
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
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Pattern;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteDataSource;

/** What is asked again and again must not read a table that grows for months: SQLite itself says how it would go about it. */
class QueriesUseAnIndexTest {

    /**
     * All of a table, or all that one PBX has in it; not all that waits: pages, and deliveries, or those that fail, by indexes of their own.
     * {@code c} are the last few calls.
     */
    private static final Pattern WHOLE = Pattern.compile("^SCAN (?!probe|page$|c$|due$|CONSTANT|[0-9]+-ROW VALUES"
            + "|delivery USING (COVERING )?INDEX delivery_(pending|failing))|(?<!call_of_pbx )\\(pbx=\\?\\)");
    /** Few may wait: what is found in the order of the table may be all of it. */
    private static final Pattern BY_ROW = Pattern.compile("^SEARCH delivery USING INTEGER PRIMARY KEY \\(rowid[<>]");

    @TempDir
    Path folder;
    private final Set<String> asked = ConcurrentHashMap.newKeySet();
    private final Queue<String> slow = new ConcurrentLinkedQueue<>();

    @Test
    void noQueryReadsAWholeTable() throws Exception {
        String url = "jdbc:sqlite:" + folder.resolve("callbridge.db");
        Settings settings = TestConfig.settings(TestConfig.of(Map.of("callbridge.store.url", url), Map.of()));
        Store store = new Store(name -> explaining(plain(name, url)),
                name -> Flyway.configure().dataSource(plain(name, url)).locations("db/" + name).load(), settings);
        store.open();
        try {
            ask(store, settings);
        } finally {
            store.close();
        }
        assertTrue(asked.size() > 10, asked::toString);
        assertTrue(slow.isEmpty(), () -> String.join("\n", slow));
    }

    private static SQLiteDataSource plain(String name, String url) {
        SQLiteDataSource plain = new SQLiteDataSource();
        plain.setUrl(name.equals(StoreKind.SQLITE.forced) ? StoreKind.SQLITE.forcedUrl(url) : url);
        plain.setJournalMode("WAL");
        return plain;
    }

    private SQLiteDataSource explaining(SQLiteDataSource plain) {
        return new SQLiteDataSource() {
            @Override
            public Connection getConnection() throws SQLException {
                return explaining(plain.getConnection());
            }
        };
    }

    private static void ask(Store store, Settings settings) throws Exception {
        Inbox inbox = new Inbox(store, settings, new SimpleMeterRegistry());
        inbox.follow(new Inbox.Follower() {
            @Override
            public void forget() {
                // The database of a test does not crash.
            }

            @Override
            public boolean hasRoom() {
                return true;
            }

            @Override
            public void take(Inbox.Page page) {
                page.done();
            }
        });
        Map<String, String> fields = Map.of("EventType", "dial-in", "CallID", "c1", "SubCallID", "71101-a1", "CallBackID", "b1");
        Event event = Event.of("main", fields, Instant.now(), null);
        inbox.append(List.of(event)).get();
        inbox.read(true);
        inbox.sweep();
        inbox.events(any -> true);
        inbox.close(null);

        Outbox outbox = new Outbox(store, new ObjectMapper(), settings);
        Calls calls = new Calls(store, outbox);
        Document document = new Document();
        document.add(event);
        CallRow first = new CallRow("main", "c1", 0, 1, 1, 5L, CallRow.OPEN, 1, null, new TreeMap<>());
        CallRow next = new CallRow("main", "c1", 1, 1, 1, null, CallRow.MISSED, 0, null, new TreeMap<>());
        Set<Part> parts = Set.of(new Part(Calls.LEG, "71101-a1"), new Part(Calls.CALLBACK, "b1"));
        List<Put> puts = List.of(new Put("rest", Delivery.CARD, "71101-a1", "{}", Long.MAX_VALUE));
        for (CallRow row : List.of(first, next)) {
            calls.save(new Look(row, document.bytes(), parts, puts, List.of(), null)).get();
        }
        calls.one("main", "c1");
        calls.by("main", Calls.LEG, List.of("71101-a1", "71102-a2"));
        calls.open("main");
        calls.due(Set.of("main", "branch"), 10, 10);
        calls.pbxsOf("c1");
        calls.open(10);
        calls.openLegs();
        calls.last("main", 10);
        calls.unmapped("main", 10, 10);
        calls.count(0, Long.MAX_VALUE, Set.of("main"));
        calls.range(Long.MAX_VALUE, new Calls.Place(0, "", ""), 10);
        Calls.Place place = new Calls.Place(9, "main", "c9");
        for (Calls.Filter filter : List.of(new Calls.Filter(null, null, null, null, 0, Long.MAX_VALUE),
                new Calls.Filter(Set.of("+79000000010"), null, null, null, 0, 9), new Calls.Filter(null, "101", null, "missed", 0, 9),
                new Calls.Filter(null, null, "anna", null, 0, 9))) {
            calls.newest(filter, Set.of("main", "branch"), null, 10);
            calls.newest(filter, Set.of("main", "branch"), place, 10);
        }

        Delivery put = outbox.call("main", "c1").get(0);
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
        Delivery delivery = outbox.call("main", "c1").get(0);
        outbox.enriched(delivery, "{}").get();
        OutboxControl control = new OutboxControl(store);
        control.isEndedCard(delivery);
        control.backlogs();
        control.count("dead");
        for (String state : List.of("pending", OutboxControl.FAILING, "dead", "delivered")) {
            control.newest(state, "rest", Long.MAX_VALUE, 10);
            control.newest(state, null, Long.MAX_VALUE, 10);
        }
        for (String state : List.of("pending", OutboxControl.FAILING, "dead")) {
            control.retryAll(state, List.of("rest"));
            control.discardAll(state, List.of("rest"));
        }

        CrmMemory memory = new CrmMemory(store);
        memory.keep("rest", "main c1", "id", "1").get();
        memory.keepFirst("rest", "main c1", "id", "1").get();
        memory.recall("rest", "main c1", "id");
        memory.forget("rest", "main c1", "id").get();
        memory.release("", "lease", "me").get();
        new Audit(store).record("anna", "retry", "delivery 1", null);
        new Audit(store).newest(Long.MAX_VALUE, 10);
        calls.move("main", "c1", "c2", List.of("71101-a1"));
        calls.move("main", "c2", "c1", List.of("71101-a1"));
        new Retention(store, memory, settings, new SimpleMeterRegistry()).purge();
        calls.remove(next, "c2");
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
