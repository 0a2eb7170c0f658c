package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.admin.OutboxControl;
import io.callbridge.platform.Settings;
import io.callbridge.platform.StoreKind;
import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Statements.Run;
import io.callbridge.support.Statements;
import io.callbridge.support.TestCall;
import io.quarkus.arc.Arc;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What is asked again and again must not read a table that grows for months: SQLite itself says how it would go about it. */
@QuarkusTest
@TestProfile(BridgeInJvm.Profile.class)
class QueriesUseAnIndexTest {

    /**
     * All of a table, or all that one PBX has in it; not all that waits: pages, and deliveries, or those that fail, by indexes of their
     * own. {@code c} are the last few calls.
     */
    private static final Pattern WHOLE = Pattern.compile("^SCAN (?!probe|page$|c$|due$|CONSTANT|[0-9]+-ROW VALUES"
            + "|delivery USING (COVERING )?INDEX delivery_(pending|failing))|(?<!call_of_pbx )\\(pbx=\\?\\)");
    /** Few may wait: what is found in the order of the table may be all of it. */
    private static final Pattern BY_ROW = Pattern.compile("^SEARCH delivery USING INTEGER PRIMARY KEY \\(rowid[<>]");
    private static final List<String> OPERATOR = List.of("GET /q/metrics", "GET /api/status", "GET /api/setup", "GET /api/audit",
            "GET /api/calls", "GET /api/calls?number=%2B79000000010&after=9~main~c9", "GET /api/calls?extension=101&outcome=missed",
            "GET /api/calls?user=anna", "GET /api/calls?user=anna&after=9~main~c9", "GET /api/calls?after=9~main~c9", "GET /api/calls/c9",
            "GET /api/calls?extension=101&outcome=missed&after=9~main~c9", "GET /api/calls?number=%2B79000000010", "GET /api/deliveries/1",
            "POST /api/deliveries/1/retry", "POST /api/deliveries/1/discard", "POST /api/setup/crms/rest/check",
            "POST /api/calls/reprocess?from=2020-01-01&to=2020-01-02&dry-run=true", "GET /api/calls/reprocess/last");

    private final BridgeInJvm bridge = BridgeInJvm.started();

    @Test
    void noQueryReadsAWholeTable() throws SQLException {
        bridge.use(Map.of("callbridge.crm.active", "rest"));
        Statements.begin();
        bridge.crm().on("PUT", "/cards/.*", FakeCrm.Answer.status(503));
        TestCall moved = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(TestCall.incoming("101", FakeCrm.IVANOV).answered());
        Awaitility.await().until(() -> bridge.get("/api/deliveries?state=failing").body().contains("\"card\""));
        bridge.crm().behave();
        bridge.webhook().accept(List.of(moved.dialIn(), TestCall.incoming("102", FakeCrm.IVANOV).dialIn()));
        Map<String, String> answer = new HashMap<>(moved.answer());
        answer.putAll(Map.of("CallID", "b" + moved.callId(), "CallBackID", "cb"));
        bridge.webhook().accept(List.of(answer));
        bridge.pass(Duration.ofHours(6));
        for (String state : List.of("pending", "failing", "dead", "delivered")) {
            bridge.get("/api/deliveries?state=" + state);
            bridge.get("/api/deliveries?crm=rest&state=" + state);
            bridge.send("POST", "/api/deliveries/retry?crm=rest&state=" + state);
            bridge.send("POST", "/api/deliveries/discard?crm=rest&state=" + state);
        }
        OPERATOR.forEach(request -> assertTrue(bridge.send(request.split(" ")[0], request.split(" ")[1]).statusCode() < 500, request));
        Awaitility.await().until(() -> !bridge.get("/api/calls/reprocess/last").body().contains("running"));
        whatIsRare();
        bridge.pass(Duration.ofDays(100));
        Arc.container().instance(Retention.class).get().purge();
        Set<String> asked = Statements.soFar().stream().map(Run::text).filter(text -> !text.startsWith("pragma")).collect(Collectors.toSet());
        assertTrue(asked.size() > 60, asked::toString);
        String calls = Arc.container().instance(Settings.class).get().storeUrl();
        List<String> slow = new ArrayList<>();
        try (Connection both = DriverManager.getConnection(calls); Statement statement = both.createStatement()) {
            statement.execute("attach '" + StoreKind.SQLITE.forcedUrl(calls).substring(StoreKind.SQLITE.prefix.length()) + "' as inbox");
            for (String text : asked) {
                try (ResultSet steps = both.prepareStatement("explain query plan " + text).executeQuery()) {
                    while (steps.next()) {
                        String step = steps.getString("detail");
                        if (WHOLE.matcher(step).find() || text.contains("state = 'pending'") && BY_ROW.matcher(step).find()) {
                            slow.add(step + ": " + text);
                        }
                    }
                }
            }
        }
        assertEquals(List.of(), slow);
    }

    /** Of a CRM, a PBX, a call that there are not: it changes nothing. */
    private static void whatIsRare() {
        Outbox outbox = Arc.container().instance(Outbox.class).get();
        Memory memory = Arc.container().instance(Memory.class).get();
        Calls calls = Arc.container().instance(Calls.class).get();
        Delivery none = new Delivery(0, "none", Delivery.CARD, "none", "none", "none", Delivery.CARDS, "{}", null, "pending", 1, 0, "[]", 0,
                0, 0, null);
        for (String lane : Delivery.LANES) {
            outbox.take("none", lane, true, 10).join();
            outbox.take("none", lane, false, 10).join();
        }
        outbox.takeOver("none");
        outbox.enriched(none, "{}").join();
        outbox.giveBack(List.of(none));
        outbox.hurry("none").join();
        outbox.cardMayBeShown("none", "none", "none");
        new OutboxControl(Arc.container().instance(Store.class).get()).isEndedCard(none);
        memory.keepFirst("none", "none", "none", "1").join();
        memory.forget("none", "none", "none").join();
        memory.forget(List.of("none"));
        memory.release("none", "none", "none").join();
        calls.open("none");
        calls.move("none", "none", "other", List.of("none"));
        calls.remove(new CallRow("none", "none", 1, 1, 1, null, CallRow.MISSED, 0, null, new TreeMap<>()), "other");
    }
}
