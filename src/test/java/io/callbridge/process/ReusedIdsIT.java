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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Which call and leg an event is of, when a PBX uses ids again: told by their times, in whatever order they come. */
@ParameterizedClass(name = "{0}")
@EnumSource(StoreKind.class)
class ReusedIdsIT {

    private static final Instant BEGIN = Instant.parse("2025-03-04T09:00:00Z");
    private static final int HOUR = 3600;

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

    /**
     * Events, each with the ids of its call and leg and its time (-: it has none), and in between what looks have found in the end: after
     * the id of a call it and its later ones, a line for each leg. {@code says}: why, in the decisions of a call.
     */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            a call hours after the one with the same ids is another | dial-in c l 0 ; hangup c l 20 ; c = c l: dial-in 0, hangup 20 \
            ; dial-in c l 3h ; c = c l: dial-in 0, hangup 20 & c~2 l~2: dial-in 3h ; hangup c l 3h20 ; dial-in c other 3h10 \
            ; dial-in c l 9h \
            ; c = c l: dial-in 0, hangup 20 & c~2 l~2: dial-in 3h, hangup 3h20 & c~2 other: dial-in 3h10 & c~3 l~3: dial-in 9h \
            ; c~3 says a new call, c~3
            # Else the old call would be answered by it for a moment, and be registered.
            an answer that overtook its dial-in is the new call's | dial-in c l 0 ; hangup c l 20 ; answer c l 3h5 \
            ; c = c l: dial-in 0, hangup 20 & c~2 l~2: answer 3h5 ; dial-in c l 3h \
            ; c = c l: dial-in 0, hangup 20 & c~2 l~2: answer 3h5, dial-in 3h
            the true end of a leg that was given up is no new call | dial-in c l 0 ; c = c l: dial-in 0 ; hangup c l 9h \
            ; c = c l: dial-in 0, hangup 9h
            what is sent again is no new call | dial-in c l 0 ; hangup c l 20 ; dial-in c l 3h \
            ; c = c l: dial-in 0, hangup 20 & c~2 l~2: dial-in 3h \
            ; later 30h ; dial-in c l 0 ; hangup c l 20 ; dial-in c l 3h ; c = c l: dial-in 0, hangup 20 & c~2 l~2: dial-in 3h
            a call that is not over for an hour is the same | dial-in c l 0 ; answer c l 5 ; dial-in c m 4h ; hangup c l 4h10 \
            ; dial-in c n 5h \
            ; c = c l: answer 5, dial-in 0, hangup 4h10 & c m: dial-in 4h & c n: dial-in 5h
            without event times the arrivals count | dial-in c l - ; hangup c l - ; dial-in c l - ; c = c l: dial-in -, hangup - \
            ; later 3h \
            ; dial-in c l - ; c = c l: dial-in -, hangup - & c~2 l~2: dial-in -
            a leg that comes under another call id belongs to the last one | dial-in a l 0 ; dial-in a m 0 \
            ; a = a l: dial-in 0 & a m: dial-in 0 \
            ; hangup b l 1m ; b = b l: dial-in 0, hangup 1m ; a = a m: dial-in 0 ; answer a l 10 ; a = a m: dial-in 0 \
            ; b = b l: answer 10, dial-in 0, hangup 1m ; b says belongs to the call it came with last
            a leg hours after the call of its id is another | dial-in a l 0 ; hangup a l 20 ; a = a l: dial-in 0, hangup 20 \
            ; dial-in b l 3h \
            ; b = b l~2: dial-in 3h ; hangup b l 3h20 ; b = b l~2: dial-in 3h, hangup 3h20 ; a = a l: dial-in 0, hangup 20 \
            ; dial-in a l 6h \
            ; a = a l: dial-in 0, hangup 20 & a~2 l~3: dial-in 6h
            # Retention deletes the first of several calls before the others.
            a call after the first one was purged stays where it is | dial-in c l 0 ; hangup c l 20 ; dial-in c l 24h \
            ; c = c l: dial-in 0, hangup 20 & c~2 l~2: dial-in 24h ; purge c ; dial-in c l 720h ; hangup c l 720h20 ; dial-in c l 744h \
            ; c = c l: dial-in 720h, hangup 720h20 & c~2 l~2: dial-in 24h & c~3 l~3: dial-in 744h
            # A PBX that sends no answers, or whose answer got lost.
            the end of a talk that nobody knew of is not the new call's | dial-in c l 0 ; dial-in c m 2h \
            ; c = c l: dial-in 0 & c~2 m: dial-in 2h \
            ; hangup c l 2h10 ; hangup c m 2h20 ; c = c l: dial-in 0, hangup 2h10 & c~2 m: dial-in 2h, hangup 2h20
            # Times of a second are often equal.
            what came later at the same time is the last | dial-in a l 0 ; answer a l 10 ; a = a l: answer 10, dial-in 0 ; dial-in b l 10 \
            ; b = b l: answer 10, dial-in 0, dial-in 10 ; a =
            channels of an Asterisk have our own ids | dial-in c l 0 PJSIP/101-1 ; hangup c l 20 PJSIP/101-1 ; dial-in c l 3h PJSIP/101-1 \
            ; c = c l: dial-in 0, dial-in 3h, hangup 20
            """)
    void whichCallAndLegAnEventIsOf(String about, String script) {
        for (String step : script.split(" ; ?")) {
            String[] words = step.split(" ");
            switch (words[words.length > 1 && words[1].matches("=|says") ? 1 : 0]) {
                case "=" -> assertEquals(step, (words[0] + " = " + String.join(" & ", looked(words[0]))).strip());
                case "says" -> assertTrue(effects.decisions("main", words[0]).get(0).reason().contains(step.split(" says ")[1]), step);
                case "later" -> arrival = arrival.plusSeconds(seconds(words[1]));
                case "purge" -> store.write("", sql -> sql.update("delete from event where call_id = ?", words[1])).join();
                default -> comes(words[0], words[1], words[2], words[3], words.length > 4 ? words[4] : null);
            }
        }
    }

    private static int seconds(String time) {
        return time.endsWith("m") ? 60 : time.contains("h") ? HOUR * Integer.parseInt(time.replaceFirst("h.*", ""))
                + Integer.parseInt("0" + time.replaceFirst(".*h", "")) : Integer.parseInt(time);
    }

    private static String shown(Instant time) {
        if (time == null) {
            return "-";
        }
        long seconds = Duration.between(BEGIN, time).toSeconds();
        return seconds == 60 ? "1m" : seconds < HOUR ? "" + seconds : seconds / HOUR + "h" + (seconds % HOUR == 0 ? "" : seconds % HOUR);
    }

    @Test
    void anyOrderOfArrivalGivesTheSame() {
        List<String> events = new ArrayList<>(List.of("dial-in 0", "answer 5", "hangup 20", "dial-in 3h", "answer 3h5", "hangup 3h20"));
        for (int seed = 0; seed < 10; seed++) {
            String id = "c" + seed;
            Collections.shuffle(events, new Random(seed));
            for (String event : events) {
                comes(event.split(" ")[0], id, id + "-l", event.split(" ")[1], null);
                looked(id);
            }
            assertEquals(List.of(id + " " + id + "-l: answer 5, dial-in 0, hangup 20",
                    id + "~2 " + id + "-l~2: answer 3h5, dial-in 3h, hangup 3h20"), looked(id));
        }
    }

    /** The answer of the new call may be in the journal before anybody knows that it is one. */
    @Test
    void aLookTakesInNothingThatMayBeAnotherCalls() {
        Fold fold = CallLoaderTest.fold(List.of("71101-1"), List.of(), dialIn("101").from("+79000000010").at(0),
                hangup("101").from("+79000000010").at(20));
        fold.include(List.of(answer("101").from("+79000000010").at(3 * HOUR).build()));
        assertFalse(fold.call.anyAnswered());
        fold.include(List.of(answer("101").from("+79000000010").at(10).arrives(3 * HOUR).build()));
        assertTrue(fold.call.anyAnswered());
    }

    private void comes(String type, String callId, String legId, String time, String channel) {
        Map<String, String> fields = new HashMap<>(Map.of("EventType", type, "CallID", callId, "SubCallID", legId));
        if (!time.equals("-")) {
            fields.put("EventTime", BEGIN.plusSeconds(seconds(time)).toString());
        }
        if (channel != null) {
            fields.put("AsteriskChannel", channel);
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
                legs.computeIfAbsent(entry.event().legId(), leg -> new ArrayList<>())
                        .add(entry.event().type().word + " " + shown(entry.event().time()));
            }
            legs.forEach((leg, events) -> lines.add(id + " " + leg + ": " + String.join(", ", events.stream().sorted().toList())));
        }
        return lines;
    }
}
