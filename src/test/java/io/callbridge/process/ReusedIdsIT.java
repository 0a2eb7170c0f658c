package io.callbridge.process;

import static io.callbridge.domain.TestEvent.answer;
import static io.callbridge.domain.TestEvent.dialIn;
import static io.callbridge.domain.TestEvent.hangup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.ingest.EventReader;
import io.callbridge.platform.Settings;
import io.callbridge.store.Effects;
import io.callbridge.store.Journal;
import io.callbridge.store.Outbox;
import io.callbridge.store.Store;
import io.callbridge.store.StoreKind;
import io.callbridge.store.Timer;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Which call and leg an event is of, when a PBX uses ids again: told by their times, in whatever order they come. */
@ParameterizedClass(name = "{0}")
@EnumSource(StoreKind.class)
class ReusedIdsIT {

    private static final Instant BEGIN = Instant.parse("2025-03-04T09:00:00Z");
    private static final int HOURS = 3600;

    @TempDir
    private Path folder;
    @Parameter
    private StoreKind kind;
    private Store store;
    private Journal journal;
    private Effects effects;
    private ReusedIds reused;
    private Instant arrival = BEGIN;

    @BeforeEach
    void open() {
        store = TestStore.of(kind == StoreKind.SQLITE ? "jdbc:sqlite:" + folder.resolve("callbridge.db") : PostgresServer.shared().newDatabase());
        store.open();
        Settings settings = TestConfig.settings(TestConfig.of(Map.of("callbridge.pbx.main.secret", "sixteen-letters-and-more"), Map.of()));
        journal = new Journal(store, new ObjectMapper());
        effects = new Effects(store, journal, new Outbox(store, new ObjectMapper(), settings));
        reused = new ReusedIds(journal, effects, settings, new CallLanes(null, journal) {
            @Override
            void submit(String pbx, String callId, String legId) {
                // Looked at by the test.
            }

            @Override
            public void submit(Timer timer) {
                // Looked at by the test.
            }
        });
    }

    @AfterEach
    void close() throws InterruptedException {
        store.close();
    }

    @Test
    void aCallHoursAfterTheOneWithTheSameIdsIsAnother() {
        comes("dial-in", "c", "l", 0);
        comes("hangup", "c", "l", 20);
        assertEquals(List.of("c l: dial-in 0, hangup 20"), looked("c"));
        comes("dial-in", "c", "l", 3 * HOURS);
        assertEquals(List.of("c l: dial-in 0, hangup 20", "c~2 l~2: dial-in 10800"), looked("c"));
        comes("hangup", "c", "l", 3 * HOURS + 20);
        comes("dial-in", "c", "other", 3 * HOURS + 10);
        comes("dial-in", "c", "l", 9 * HOURS);
        assertEquals(List.of("c l: dial-in 0, hangup 20", "c~2 l~2: dial-in 10800, hangup 10820", "c~2 other: dial-in 10810",
                "c~3 l~3: dial-in 32400"), looked("c"));
        assertTrue(effects.decisions("main", "c~3").get(0).reason().contains("a new call, c~3"));
    }

    @Test
    void anyOrderOfArrivalGivesTheSame() {
        List<Object[]> events = new ArrayList<>(List.of(new Object[] {"dial-in", "c", "l", 0}, new Object[] {"answer", "c", "l", 5},
                new Object[] {"hangup", "c", "l", 20}, new Object[] {"dial-in", "c", "l", 3 * HOURS}, new Object[] {"answer", "c", "l", 3 * HOURS + 5},
                new Object[] {"hangup", "c", "l", 3 * HOURS + 20}));
        for (int seed = 0; seed < 10; seed++) {
            String id = "c" + seed;
            Collections.shuffle(events, new Random(seed));
            for (Object[] event : events) {
                comes((String) event[0], id, id + "-l", (int) event[3]);
                looked(id);
            }
            assertEquals(List.of(id + " " + id + "-l: answer 5, dial-in 0, hangup 20",
                    id + "~2 " + id + "-l~2: answer 10805, dial-in 10800, hangup 10820"), looked(id));
        }
    }

    /** Else the old call would be answered by it for a moment, and be registered. */
    @Test
    void anAnswerThatOvertookItsDialInIsTheNewCalls() {
        comes("dial-in", "c", "l", 0);
        comes("hangup", "c", "l", 20);
        comes("answer", "c", "l", 3 * HOURS + 5);
        assertEquals(List.of("c l: dial-in 0, hangup 20", "c~2 l~2: answer 10805"), looked("c"));
        comes("dial-in", "c", "l", 3 * HOURS);
        assertEquals(List.of("c l: dial-in 0, hangup 20", "c~2 l~2: answer 10805, dial-in 10800"), looked("c"));
    }

    @Test
    void theTrueEndOfALegThatWasGivenUpIsNoNewCall() {
        comes("dial-in", "c", "l", 0);
        looked("c");
        comes("hangup", "c", "l", 9 * HOURS);
        assertEquals(List.of("c l: dial-in 0, hangup 32400"), looked("c"));
    }

    @Test
    void whatIsSentAgainIsNoNewCall() {
        for (int i = 0; i < 2; i++) {
            comes("dial-in", "c", "l", 0);
            comes("hangup", "c", "l", 20);
            comes("dial-in", "c", "l", 3 * HOURS);
            looked("c");
            arrival = arrival.plus(Duration.ofHours(30));
        }
        assertEquals(List.of("c l: dial-in 0, hangup 20", "c~2 l~2: dial-in 10800"), looked("c"));
    }

    @Test
    void aCallThatIsNotOverForAnHourIsTheSame() {
        comes("dial-in", "c", "l", 0);
        comes("answer", "c", "l", 5);
        comes("dial-in", "c", "m", 4 * HOURS);
        comes("hangup", "c", "l", 4 * HOURS + 10);
        comes("dial-in", "c", "n", 5 * HOURS);
        assertEquals(List.of("c l: answer 5, dial-in 0, hangup 14410", "c m: dial-in 14400", "c n: dial-in 18000"), looked("c"));
    }

    @Test
    void withoutEventTimesTheArrivalsCount() {
        comes("dial-in", "c", "l", -1);
        comes("hangup", "c", "l", -1);
        comes("dial-in", "c", "l", -1);
        assertEquals(List.of("c l: dial-in -1, hangup -1"), looked("c"));
        arrival = arrival.plus(Duration.ofHours(3));
        comes("dial-in", "c", "l", -1);
        assertEquals(List.of("c l: dial-in -1, hangup -1", "c~2 l~2: dial-in -1"), looked("c"));
    }

    @Test
    void aLegThatComesUnderAnotherCallIdBelongsToTheLastOne() {
        comes("dial-in", "a", "l", 0);
        comes("dial-in", "a", "m", 0);
        looked("a");
        comes("hangup", "b", "l", 60);
        assertEquals(List.of("b l: dial-in 0, hangup 60"), looked("b"));
        assertEquals(List.of("a m: dial-in 0"), looked("a"));
        comes("answer", "a", "l", 10);
        assertEquals(List.of("a m: dial-in 0"), looked("a"), "sent late");
        assertEquals(List.of("b l: answer 10, dial-in 0, hangup 60"), looked("b"));
        assertTrue(effects.decisions("main", "b").get(0).reason().contains("belongs to the call it came with last"));
    }

    @Test
    void aLegHoursAfterTheCallOfItsIdIsAnother() {
        comes("dial-in", "a", "l", 0);
        comes("hangup", "a", "l", 20);
        looked("a");
        comes("dial-in", "b", "l", 3 * HOURS);
        looked("b");
        comes("hangup", "b", "l", 3 * HOURS + 20);
        assertEquals(List.of("b l~2: dial-in 10800, hangup 10820"), looked("b"));
        assertEquals(List.of("a l: dial-in 0, hangup 20"), looked("a"));
        comes("dial-in", "a", "l", 6 * HOURS);
        assertEquals(List.of("a l: dial-in 0, hangup 20", "a~2 l~3: dial-in 21600"), looked("a"));
    }

    /** The answer of the new call may be in the journal before anybody knows that it is one. */
    @Test
    void aLookTakesInNothingThatMayBeAnotherCalls() {
        Fold fold = Folds.of("71101-1", List.of(), dialIn("101").from("+79000000010").at(0), hangup("101").from("+79000000010").at(20));
        fold.include(List.of(answer("101").from("+79000000010").at(3 * HOURS).build()));
        assertFalse(fold.call.anyAnswered());
        fold.include(List.of(answer("101").from("+79000000010").at(10).arrives(3 * HOURS).build()));
        assertTrue(fold.call.anyAnswered());
    }

    /** Retention deletes the first of several calls before the others. */
    @Test
    void aCallAfterTheFirstOneWasPurgedStaysWhereItIs() {
        comes("dial-in", "c", "l", 0);
        comes("hangup", "c", "l", 20);
        comes("dial-in", "c", "l", 24 * HOURS);
        looked("c");
        store.write("", sql -> sql.update("delete from event where call_id = ?", "c")).join();
        comes("dial-in", "c", "l", 720 * HOURS);
        comes("hangup", "c", "l", 720 * HOURS + 20);
        comes("dial-in", "c", "l", 744 * HOURS);
        assertEquals(List.of("c l: dial-in 2592000, hangup 2592020", "c~2 l~2: dial-in 86400", "c~3 l~3: dial-in 2678400"), looked("c"));
    }

    /** A PBX that sends no answers, or whose answer got lost. */
    @Test
    void theEndOfATalkThatNobodyKnewOfIsNotTheNewCalls() {
        comes("dial-in", "c", "l", 0);
        comes("dial-in", "c", "m", 2 * HOURS);
        looked("c");
        comes("hangup", "c", "l", 2 * HOURS + 10);
        comes("hangup", "c", "m", 2 * HOURS + 20);
        assertEquals(List.of("c l: dial-in 0, hangup 7210", "c~2 m: dial-in 7200, hangup 7220"), looked("c"));
    }

    /** Times of a second are often equal. */
    @Test
    void whatCameLaterAtTheSameTimeIsTheLast() {
        comes("dial-in", "a", "l", 0);
        comes("answer", "a", "l", 10);
        looked("a");
        comes("dial-in", "b", "l", 10);
        assertEquals(List.of("b l: answer 10, dial-in 0, dial-in 10"), looked("b"));
        assertEquals(List.of(), looked("a"));
    }

    @Test
    void channelsOfAnAsteriskHaveOurOwnIds() {
        comes("dial-in", "c", "l", 0, "AsteriskChannel", "PJSIP/101-1");
        comes("hangup", "c", "l", 20, "AsteriskChannel", "PJSIP/101-1");
        comes("dial-in", "c", "l", 3 * HOURS, "AsteriskChannel", "PJSIP/101-1");
        assertEquals(List.of("c l: dial-in 0, dial-in 10800, hangup 20"), looked("c"));
    }

    /** @param second EventTime; negative: none */
    private void comes(String type, String callId, String legId, int second, String... more) {
        Map<String, String> fields = new HashMap<>(Map.of("EventType", type, "CallID", callId, "SubCallID", legId));
        if (second >= 0) {
            fields.put("EventTime", BEGIN.plusSeconds(second).toString());
        }
        if (more.length > 0) {
            fields.put(more[0], more[1]);
        }
        arrival = arrival.plusMillis(1);
        journal.append(List.of(new Journal.New(EventReader.read("main", fields, arrival), fields, null))).join();
    }

    /** Looks at a call until nothing of it is another's. @return it and its later ones, a line for each leg */
    private List<String> looked(String callId) {
        for (boolean settled = false; !settled;) {
            List<Journal.Entry> entries = journal.call("main", callId);
            settled = entries.isEmpty() || !reused.settle("main", callId, entries);
        }
        List<String> lines = new ArrayList<>();
        for (String id : List.of(callId, callId + "~2", callId + "~3")) {
            Map<String, List<String>> legs = new TreeMap<>();
            for (Journal.Entry entry : journal.call("main", id)) {
                legs.computeIfAbsent(entry.event().legId(), leg -> new ArrayList<>()).add(entry.event().type().word + " "
                        + (entry.event().time() == null ? -1 : Duration.between(BEGIN, entry.event().time()).toSeconds()));
            }
            legs.forEach((leg, events) -> lines.add(id + " " + leg + ": " + String.join(", ", events.stream().sorted().toList())));
        }
        return lines;
    }
}
