package io.callbridge.process;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.CrmUsers;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.platform.Tracing;
import io.callbridge.store.CallRow;
import io.callbridge.store.Calls;
import io.callbridge.store.Calls.Look;
import io.callbridge.store.Calls.Put;
import io.callbridge.store.Calls.Stored;
import io.callbridge.store.CrmMemory;
import io.callbridge.store.Delivery;
import io.callbridge.store.Document;
import io.callbridge.store.Event;
import io.callbridge.store.Inbox;
import io.callbridge.store.Outbox;
import io.callbridge.store.Store;
import io.callbridge.store.StoreKind;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.TestConfig;
import io.callbridge.support.TestStore;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Which call and leg an event is of, when a PBX uses ids again: told by their times, in whatever order they come. Events go into the inbox
 * and through the lanes; instead of the routes a card is asked for at every leg, which must be where its leg is.
 */
@ParameterizedClass(name = "{0}")
@EnumSource(StoreKind.class)
class ReusedIdsIT {

    private static final Instant BEGIN = Instant.parse("2025-03-04T09:00:00Z");
    private static final int HOUR = 3600;
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;
    @Parameter
    private StoreKind kind;
    private final DefaultCamelContext context = new DefaultCamelContext();
    private Store store;
    private Inbox inbox;
    private Calls calls;
    private CallLanes lanes;
    private volatile Instant arrival = BEGIN;

    @BeforeEach
    void open() {
        Time.follow(((InstantSource) () -> arrival).withZone(ZoneOffset.UTC));
        store = TestStore.of(kind == StoreKind.SQLITE ? "jdbc:sqlite:" + folder.resolve("callbridge.db")
                : PostgresServer.shared().newDatabase());
        store.open();
        Settings settings = TestConfig.settings(TestConfig.of(Map.of("callbridge.pbx.main.secret", "sixteen-letters-and-more"), Map.of()));
        inbox = new Inbox(store, settings, new SimpleMeterRegistry());
        calls = new Calls(store, new Outbox(store, new ObjectMapper(), settings));
        CallLoader loader = new CallLoader(calls, settings, new CrmUsers(null, null, settings, null, null), new Tracing(null, settings));
        ProducerTemplate template = (ProducerTemplate) Proxy.newProxyInstance(getClass().getClassLoader(),
                new Class<?>[] {ProducerTemplate.class}, (proxy, method, values) -> processed((Processor) values[1]));
        lanes = new CallLanes(template, inbox, calls, loader, new LegRepository(calls), new ReusedIds(calls, settings),
                new CrmMemory(store), settings);
        lanes.events();
    }

    @AfterEach
    void close() throws InterruptedException {
        lanes.close(null);
        store.close();
        Time.follow(Clock.systemUTC());
    }

    /** What the route process-event does. */
    private Exchange processed(Processor work) throws Exception {
        Exchange exchange = new DefaultExchange(context);
        work.process(exchange);
        Fold fold = exchange.getProperty(Fold.PROPERTY, Fold.class);
        fold.decisions.forEach(fold.open.document::decide);
        CallRow row = CallSummary.of(fold);
        List<Put> cards = fold.call.legs().stream().map(leg -> new Put("rest", Delivery.CARD, leg.id(), "{}", Long.MAX_VALUE)).toList();
        fold.written = calls.save(new Look(row, fold.open.document.bytes(), CallSummary.parts(fold), cards, fold.open.deliveries, null))
                .thenApply(deliveries -> {
                    if (deliveries == null) {
                        return false;
                    }
                    fold.open.row = CallSummary.next(row);
                    deliveries.forEach(fold.open::told);
                    return true;
                });
        return exchange;
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
            an answer that comes hours late is the old call's | dial-in c l 0 ; hangup c l 20 ; later 3h ; answer c l 10 \
            ; c = c l: answer 10, dial-in 0, hangup 20
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
                case "says" -> assertTrue(document(words[0]).decisions().get(0).reason().contains(step.split(" says ")[1]), step);
                case "later" -> arrival = arrival.plusSeconds(seconds(words[1]));
                case "purge" -> purge(words[1]);
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
            }
            assertEquals(List.of(id + " " + id + "-l: answer 5, dial-in 0, hangup 20",
                    id + "~2 " + id + "-l~2: answer 3h5, dial-in 3h, hangup 3h20"), looked(id));
        }
    }

    /** The leg is the call's that it came with last, and its card with it; the lanes of the two calls are different ones. */
    @Test
    void aLegMovesBetweenCallsOfDifferentLanesWhateverComesFirst() {
        for (int number = 0; number < 10; number++) {
            String from = "a" + number;
            String to = "b" + number;
            String leg = "l" + number;
            List<String> events = new ArrayList<>(List.of("dial-in a 0", "dial-in a m 0", "answer a 10", "dial-in b n 20", "hangup b 1m"));
            Collections.shuffle(events, new Random(number));
            for (String event : events) {
                String[] words = event.split(" ");
                comes(words[0], words[1] + number, leg + (words.length == 4 ? words[2] : ""), words[words.length - 1], null);
            }
            assertEquals(List.of(from + " " + leg + "m: dial-in 0"), looked(from), events::toString);
            assertEquals(List.of(to + " " + leg + ": answer 10, dial-in 0, hangup 1m", to + " " + leg + "n: dial-in 20"), looked(to),
                    events::toString);
        }
    }

    @Test
    void allAtOnceGivesTheSame() {
        List<String> events = new ArrayList<>(List.of("dial-in 0", "answer 5", "hangup 20", "dial-in 3h", "answer 3h5", "hangup 3h20"));
        List<CompletableFuture<Void>> appended = new ArrayList<>();
        for (int seed = 0; seed < 50; seed++) {
            String id = "c" + seed;
            Collections.shuffle(events, new Random(seed));
            events.forEach(event -> appended.add(inbox.append(List.of(event(event.split(" ")[0], id, id + "-l", event.split(" ")[1], null)))));
        }
        appended.forEach(CompletableFuture::join);
        settle();
        for (int seed = 0; seed < 50; seed++) {
            String id = "c" + seed;
            assertEquals(List.of(id + " " + id + "-l: answer 5, dial-in 0, hangup 20",
                    id + "~2 " + id + "-l~2: answer 3h5, dial-in 3h, hangup 3h20"), looked(id));
        }
    }

    /** Two looks at the same time must not each take the leg for theirs alone. */
    @Test
    void ofTwoCallsThatAreLookedAtAtTheSameTimeOneGetsTheLeg() {
        List<CompletableFuture<Void>> appended = new ArrayList<>();
        for (int number = 0; number < 50; number++) {
            String leg = "l" + number;
            List<Event> events = new ArrayList<>(List.of(event("dial-in", "a" + number, leg, "0", null),
                    event("dial-in", "a" + number, leg + "m", "0", null), event("answer", "a" + number, leg, "10", null),
                    event("dial-in", "b" + number, leg + "n", "20", null), event("hangup", "b" + number, leg, "1m", null)));
            Collections.shuffle(events, new Random(number));
            events.forEach(event -> appended.add(inbox.append(List.of(event))));
        }
        appended.forEach(CompletableFuture::join);
        settle();
        for (int number = 0; number < 50; number++) {
            assertEquals(List.of("a" + number + " l" + number + "m: dial-in 0"), looked("a" + number));
            assertEquals(List.of("b" + number + " l" + number + ": answer 10, dial-in 0, hangup 1m",
                    "b" + number + " l" + number + "n: dial-in 20"), looked("b" + number));
        }
    }

    private void comes(String type, String callId, String legId, String time, String channel) {
        arrival = arrival.plusMillis(1);
        inbox.append(List.of(event(type, callId, legId, time, channel))).join();
        settle();
    }

    private Event event(String type, String callId, String legId, String time, String channel) {
        Map<String, String> fields = new HashMap<>(Map.of("EventType", type, "CallID", callId, "SubCallID", legId));
        if (!time.equals("-")) {
            fields.put("EventTime", BEGIN.plusSeconds(seconds(time)).toString());
        }
        if (channel != null) {
            fields.put("AsteriskChannel", channel);
        }
        return Event.of("main", fields, arrival, null);
    }

    /** Until nothing of any call is another's. */
    private void settle() {
        await().atMost(SOON).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(2))
                .until(() -> inbox.waiting() == 0 && lanes.busy() == 0);
    }

    /** As retention does. */
    private void purge(String callId) {
        store.writeAndWait("", sql -> {
            for (String table : List.of("delivery", "call_part", "call")) {
                sql.update("delete from " + table + " where call_id = ?", callId);
            }
            return null;
        });
    }

    private Document document(String callId) {
        return Document.of(calls.one("main", callId).document());
    }

    /** @return a call and its later ones, a line for each leg */
    private List<String> looked(String callId) {
        List<String> lines = new ArrayList<>();
        for (String id : List.of(callId, callId + "~2", callId + "~3")) {
            Stored stored = calls.one("main", id);
            if (stored == null) {
                continue;
            }
            Map<String, List<String>> legs = new TreeMap<>();
            for (Event event : Document.of(stored.document()).events()) {
                legs.computeIfAbsent(event.call().legId(), leg -> new ArrayList<>())
                        .add(event.call().type().word + " " + shown(event.call().time()));
            }
            assertEquals(legs.keySet(), new TreeSet<>(stored.deliveries().stream().map(Delivery::id).toList()), () -> "cards of " + id);
            legs.forEach((leg, events) -> lines.add(id + " " + leg + ": " + String.join(", ", events.stream().sorted().toList())));
        }
        return lines;
    }
}
