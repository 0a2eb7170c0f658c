package io.callbridge.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.bench.LoadClient.Load;
import io.callbridge.asterisk.AmiReading;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.TestCall;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/**
 * Measures the packaged application against rivals and limits on the same machine in the same run, and prints one table. A
 * ratio that is not met fails nothing; a measurement that is wrong does: an answer that is not 200, an event that was lost,
 * a registration that never came.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class CallbridgeBench {

    /** So often the 0.7 MB of twenty calls at a time are read. */
    private static final int ASTERISK_TIMES = 500;
    private static final double SCALE = Double.parseDouble(System.getProperty("callbridge.bench.scale", "1"));
    private static final String HEAP = "512m";
    private static final int CONNECTIONS = 64;
    /** Of the webhook's path, so that its requests and these have the same size. */
    private static final String NOOP = "/bench/noop-as-long-as-the-webhook-path";
    private static final List<String> EVENT_TYPES = List.of("dial-in", "answer", "hangup");
    private static final int CALLS = 3_000;
    private static final int COMPLETE_CALLS = 1_000;
    private static final int DELIVER_PARALLEL = 8;
    private static final Duration PACED = Duration.ofSeconds(4);
    private static final int DIAL_INS_PER_SECOND = 40;
    /** Less than {@code card-ttl}, after which no card would come. */
    private static final int CARD_SECONDS = 110;
    private static final int OPEN_LEGS = 100_000;
    /** Sent at a time when the store is filled: fewer than the bridge keeps waiting. */
    private static final int FILL = 5_000;
    private static final Duration FILL_TIME = Duration.ofMinutes(3);
    /** A CRM that is down: nobody listens there. */
    private static final String NOBODY = "http://127.0.0.1:1/crm";

    private final BenchTable table = new BenchTable();
    @AutoClose
    private final CrmStandIn crm = new CrmStandIn();
    @AutoClose
    private BridgeProcess bridge;
    @AutoClose
    private StoreProbe store;
    @AutoClose
    private LoadClient load;
    private EventRequests events;
    private EventRequests noop;
    private double noopRate;
    private double eventRate;
    private double processedRate;

    @BeforeAll
    void start() throws IOException {
        table.head("Callbridge, packaged, -Xmx" + HEAP + "; " + Runtime.getRuntime().availableProcessors() + " cores, "
                + System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version") + ", "
                + System.getProperty("os.name") + " " + System.getProperty("os.arch") + "; 4 KiB are on the disk after "
                + ms(fsyncMs()) + " (median)");
        table.head("mvn verify -Pbench" + (SCALE == 1 ? "" : " -Dcallbridge.bench.scale=" + SCALE) + "; median of " + Runs.COUNT
                + " runs (extremes), " + CONNECTIONS + " connections; load, stand-ins and application share the machine");
        bridge = application().start();
        store = new StoreProbe(bridge.storeUrl());
        load = new LoadClient(bridge.port(), CONNECTIONS);
        events = new EventRequests(bridge.webhook().path());
        noop = new EventRequests(NOOP);
    }

    @AfterAll
    void print() {
        System.out.println(table);
    }

    @Test
    @Order(1)
    void acknowledgedEvents() {
        try (BareHandler bare = BareHandler.start(HEAP); LoadClient bareLoad = new LoadClient(bare.port(), CONNECTIONS)) {
            double[] acknowledged = new double[Runs.COUNT];
            double[] processed = new double[Runs.COUNT];
            double[] nothing = new double[Runs.COUNT];
            double[] server = new double[Runs.COUNT];
            for (int run = -1; run < Runs.COUNT; run++) {
                Flood flood = flood(load, events, store);
                List<byte[]> sameSize = noop.answered(EventRequests.calls(scaled(CALLS)));
                double noops = load.flood(sameSize).perSecond();
                double bares = bareLoad.flood(sameSize).perSecond();
                if (run >= 0) {
                    acknowledged[run] = flood.acknowledged;
                    processed[run] = flood.processed;
                    nothing[run] = noops;
                    server[run] = bares;
                }
            }
            Runs eventRuns = new Runs(acknowledged);
            Runs noopRuns = new Runs(nothing);
            Runs bareRuns = new Runs(server);
            eventRate = eventRuns.median();
            noopRate = noopRuns.median();
            table.atLeast(0.70, "a1", "acknowledged durable events/s, SQLite", eventRuns.text(0),
                    "route that does nothing, same application", noopRuns.text(0), eventRate / noopRate);
            table.shown("a2", "the same", eventRuns.text(0), "bare Vert.x handler", bareRuns.text(0),
                    eventRate / bareRuns.median());
            processedRate = new Runs(processed).median();
            table.note("a: from the first event sent until all are processed it is " + new Runs(processed).text(0) + " events/s");
        }
    }

    /** Events per second: acknowledged, and processed until nothing was left to process. */
    private record Flood(double acknowledged, double processed) {
    }

    private static Flood flood(LoadClient client, EventRequests requests, StoreProbe journal) {
        List<TestCall> calls = EventRequests.calls(scaled(CALLS));
        List<byte[]> answered = requests.answered(calls);
        long begin = System.nanoTime();
        double acknowledged = client.flood(answered).perSecond();
        journal.awaitProcessed();
        double processed = answered.size() * 1e9 / (System.nanoTime() - begin);
        journal.assertJournaled(calls, EVENT_TYPES);
        journal.awaitQuiet();
        return new Flood(acknowledged, processed);
    }

    @Test
    @Order(2)
    void acknowledgementAtHalfOfTheRate() {
        Pace half = pace(half());
        table.atMost(4, "c1", "acknowledgement at " + Math.round(half.rate) + " events/s, p99, ms", half.p99.text(2),
                "route that does nothing at that rate, p99", half.noopP99.text(2), half.p99.median() / half.noopP99.median());
        Pace steady = pace(processedRate / 2);
        table.shown("c2", "the same at " + Math.round(steady.rate) + ", half of what is processed", steady.p99.text(2),
                "route that does nothing at that rate, p99", steady.noopP99.text(2), steady.p99.median() / steady.noopP99.median());
        table.note("c: medians " + half.medians + " (c1), " + steady.medians + " (c2); from the moment a request was due");
    }

    private record Pace(double rate, Runs p99, Runs noopP99, String medians) {
    }

    private Pace pace(double rate) {
        Latencies[] acknowledged = new Latencies[Runs.COUNT];
        Latencies[] nothing = new Latencies[Runs.COUNT];
        for (int run = 0; run < Runs.COUNT; run++) {
            List<TestCall> calls = callsFor(rate);
            acknowledged[run] = load.pace(events.answered(calls), rate).latencies();
            store.assertJournaled(calls, EVENT_TYPES);
            store.awaitQuiet();
            nothing[run] = load.pace(noop.answered(calls), rate).latencies();
        }
        return new Pace(rate, Runs.of(run -> acknowledged[run].p99Ms()), Runs.of(run -> nothing[run].p99Ms()),
                ms(Runs.of(run -> acknowledged[run].medianMs()).median()) + " and " + ms(Runs.of(run -> nothing[run].medianMs()).median()));
    }

    @Test
    @Order(3)
    void cards() {
        double rate = half();
        Cards[] idle = new Cards[Runs.COUNT];
        Cards[] busy = new Cards[Runs.COUNT];
        Latencies[] roundTrips = new Latencies[Runs.COUNT];
        try (LoadClient phones = new LoadClient(bridge.port(), DELIVER_PARALLEL); LoadClient plain = new LoadClient(crm.port(), 1)) {
            for (int run = 0; run < Runs.COUNT; run++) {
                idle[run] = cards(phones);
                byte[] card = KeptConnection.request("PUT", CrmStandIn.path("/cards/plain"), "application/json", crm.lastCard());
                roundTrips[run] = plain.pace(Collections.nCopies(idle[run].nanos.length, card), DIAL_INS_PER_SECOND).latencies();
                List<TestCall> others = callsFor(rate);
                List<byte[]> requests = events.answered(others);
                CompletableFuture<Load> loading = CompletableFuture.supplyAsync(() -> load.pace(requests, rate));
                busy[run] = cards(phones);
                loading.join();
                store.assertJournaled(others, EVENT_TYPES);
                store.awaitQuiet();
            }
        }
        Runs acknowledgement = Runs.of(run -> idle[run].acknowledged.medianMs());
        Runs roundTrip = Runs.of(run -> roundTrips[run].medianMs());
        Runs idleMedian = Runs.of(run -> idle[run].latencies().medianMs());
        Runs busyMedian = Runs.of(run -> busy[run].latencies().medianMs());
        double limit = acknowledgement.median() + roundTrip.median();
        String rival = "acknowledgement + round trip to the CRM, medians";
        table.atMost(3, "d1", "dial-in sent to card received, idle, median, ms", idleMedian.text(2), rival, number(limit),
                idleMedian.median() / limit);
        table.shown("d2", "the same at " + Math.round(rate) + " other events/s", busyMedian.text(2), rival, number(limit),
                busyMedian.median() / limit);
        table.note("d: p99 idle " + ms(Runs.of(run -> idle[run].latencies().p99Ms()).median()) + ", under load of "
                + PACED.toSeconds() + " s " + ms(Runs.of(run -> busy[run].latencies().p99Ms()).median()) + "; the limit is "
                + ms(acknowledgement.median()) + " + " + ms(roundTrip.median()) + "; a look-up at the CRM comes before every card");
    }

    /** @param nanos from a dial-in that was sent to its card */
    private record Cards(long[] nanos, Latencies acknowledged) {

        Latencies latencies() {
            return new Latencies(nanos);
        }
    }

    private Cards cards(LoadClient phones) {
        List<TestCall> calls = EventRequests.calls((int) (DIAL_INS_PER_SECOND * PACED.toSeconds()));
        Load dialIns = phones.pace(events.dialIns(calls), DIAL_INS_PER_SECOND);
        long[] nanos = IntStream.range(0, calls.size()).mapToLong(i -> cardOf(calls.get(i)) - dialIns.sent()[i]).toArray();
        return new Cards(nanos, dialIns.latencies());
    }

    private long cardOf(TestCall call) {
        try {
            return crm.card(call.legId()).get(CARD_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("no card within " + CARD_SECONDS + " s: " + call, e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Test
    @Order(4)
    void completeCalls() throws IOException {
        int calls = scaled(COMPLETE_CALLS);
        double[] through = new double[Runs.COUNT];
        double[] plain = new double[Runs.COUNT];
        try (CompleteCalls complete = new CompleteCalls(bridge.port(), events, crm, CONNECTIONS)) {
            complete.run(calls);
            store.awaitQuiet();
            try (PlainLoop loop = new PlainLoop(crm.url(), DELIVER_PARALLEL, crm.lastCard(), crm.lastCall())) {
                loop.run(calls);
                for (int run = 0; run < Runs.COUNT; run++) {
                    CrmStandIn.Counts before = crm.counts();
                    through[run] = complete.run(calls);
                    assertEquals(new CrmStandIn.Counts(calls, calls, calls, calls), crm.counts().since(before));
                    store.awaitQuiet();
                    plain[run] = loop.run(calls);
                }
            }
        }
        Runs bridgeRuns = new Runs(through);
        Runs plainRuns = new Runs(plain);
        table.atLeast(0.60, "e", "complete calls/s: look-up, card, its end, registration", bridgeRuns.text(0),
                "the same requests, same client, plain loop of " + DELIVER_PARALLEL, plainRuns.text(0),
                bridgeRuns.median() / plainRuns.median());
        table.note("e: " + CONNECTIONS + " calls at a time, each from a number of its own, so that each has a look-up");
        if (noopRate > 0) {
            double bound = 1 / (EVENT_TYPES.size() / noopRate + 1 / plainRuns.median());
            table.note(String.format(Locale.ROOT, "e: if what lies between cost nothing, taking the events like the route that does nothing and"
                    + " then the plain loop would come to %,.0f calls/s, %.2f", bound, bound / plainRuns.median()));
        }
    }

    @Test
    @Order(5)
    void acknowledgedEventsOnPostgres() throws IOException {
        String what = "acknowledged durable events/s, PostgreSQL";
        // The library switches fsync off on the command line, where the last word counts.
        try (EmbeddedPostgres postgres = EmbeddedPostgres.builder().setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on").start()) {
            assertDurable(postgres);
            String url = "jdbc:postgresql://127.0.0.1:" + postgres.getPort() + "/postgres?user=postgres";
            BridgeProcess onPostgres;
            try {
                onPostgres = application().setting("callbridge.store.url", url).start();
            } catch (IllegalStateException refused) {
                table.missing("b", what, refused.getMessage().lines().filter(line -> line.contains("cannot start")).findFirst()
                        .orElse(refused.getMessage()));
                return;
            }
            try (onPostgres; StoreProbe journal = new StoreProbe(url);
                    LoadClient client = new LoadClient(onPostgres.port(), CONNECTIONS)) {
                EventRequests requests = new EventRequests(onPostgres.webhook().path());
                flood(client, requests, journal);
                Runs runs = Runs.of(run -> flood(client, requests, journal).acknowledged);
                table.atLeast(0.40, "b", what, runs.text(0), "route that does nothing, as in a1",
                        String.format(Locale.ROOT, "%,.0f", noopRate), runs.median() / noopRate);
            }
        }
    }

    private static void assertDurable(EmbeddedPostgres postgres) {
        for (String setting : List.of("fsync", "synchronous_commit")) {
            try (Connection connection = postgres.getPostgresDatabase().getConnection();
                    ResultSet row = connection.createStatement().executeQuery("show " + setting)) {
                row.next();
                assertEquals("on", row.getString(1), setting);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    @Order(6)
    void openLegs() {
        try (BridgeProcess full = application().setting("callbridge.crm.rest.url", NOBODY)
                .setting("callbridge.calls.card-ttl", "4h").start(); StoreProbe journal = new StoreProbe(full.storeUrl())) {
            Runs emptyRestart = Runs.of(run -> restartSeconds(full));
            Runs emptyHeap = Runs.of(run -> JvmHeap.liveKiB(full.pid()));
            int legs = fill(full, journal);
            Runs heap = Runs.of(run -> JvmHeap.liveKiB(full.pid()));
            double perLeg = (heap.median() - emptyHeap.median()) / legs;
            table.atMost(1.5, "f", String.format(Locale.ROOT, "live heap at %,d open legs, KiB", legs), heap.text(0),
                    "the same at an empty store; KiB per leg", emptyHeap.text(0), perLeg);
            Runs restart = Runs.of(run -> restartSeconds(full));
            assertEquals(legs, journal.count("select count(*) from event"), "events after the restart");
            assertEquals(legs, journal.count("select count(*) from delivery where state = 'pending'"), "undelivered after it");
            double limit = 2 * emptyRestart.median() + 3;
            table.atMost(1, "g", String.format(Locale.ROOT, "kill to ready with %,d open legs, CRM down, s", legs),
                    restart.text(2), "2 x the same at an empty store + 3 s", number(limit), restart.median() / limit);
            table.note("g: at an empty store " + emptyRestart.text(2) + " s; every open leg has a card that could not be delivered");
        }
    }

    /** In this process: what is measured is reading, not storing. */
    @Test
    @Order(7)
    void asterisk() throws IOException {
        AmiReading reading = new AmiReading(scaled(ASTERISK_TIMES));
        reading.followed();
        Runs followed = Runs.of(run -> reading.followed());
        Runs discarded = Runs.of(run -> reading.discarded());
        table.shown("h", "AMI bytes parsed and followed, MB/s", followed.text(0), "read from the socket and discarded", discarded.text(0),
                followed.median() / discarded.median());
        assertTrue(reading.events() > 0);
    }

    /** @return how many legs are open and processed: fewer than wanted if that takes too long */
    private static int fill(BridgeProcess full, StoreProbe journal) {
        EventRequests requests = new EventRequests(full.webhook().path());
        int wanted = scaled(OPEN_LEGS);
        int legs = 0;
        try (LoadClient client = new LoadClient(full.port(), CONNECTIONS)) {
            for (long begin = System.nanoTime(); legs < wanted && System.nanoTime() - begin < FILL_TIME.toNanos();) {
                List<TestCall> calls = EventRequests.calls(Math.min(FILL, wanted - legs));
                client.flood(requests.dialIns(calls));
                journal.awaitProcessed();
                legs += calls.size();
            }
        }
        return legs;
    }

    private static double restartSeconds(BridgeProcess process) {
        long begin = System.nanoTime();
        process.kill();
        process.restart();
        return (System.nanoTime() - begin) / 1e9;
    }

    private BridgeProcess.Builder application() {
        return BridgeProcess.builder().asInstalled().heap(HEAP).setting("callbridge.crm.rest.url", crm.url())
                .setting("callbridge.deliver.parallel", Integer.toString(DELIVER_PARALLEL))
                // More numbers than its default are looked up here within a minute: some would be looked up twice.
                .setting("callbridge.deliver.entity-cache.size", "100000")
                // No leg is given up while it is counted as open.
                .setting("callbridge.calls.max-unanswered", "4h")
                .editRoutes(routes -> Files.copy(Path.of("src/test/resources/bench/ingest-noop.camel.yaml"),
                        routes.resolve("ingest-noop.camel.yaml")));
    }

    private double half() {
        assertTrue(eventRate > 0, "the rate of row a is needed, and was not measured");
        return eventRate / 2;
    }

    private static List<TestCall> callsFor(double rate) {
        return EventRequests.calls((int) (rate * PACED.toSeconds() / EVENT_TYPES.size()));
    }

    private static int scaled(int full) {
        return Math.max(20, (int) (full * SCALE));
    }

    private static String number(double number) {
        return String.format(Locale.ROOT, "%.2f", number);
    }

    private static String ms(double millis) {
        return number(millis) + " ms";
    }

    /** What a commit costs at least: one write that is waited for. */
    private static double fsyncMs() throws IOException {
        Path file = Files.createTempFile("callbridge-bench-", ".fsync");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE)) {
            long[] nanos = new long[100];
            for (int i = 0; i < nanos.length; i++) {
                long begin = System.nanoTime();
                channel.write(ByteBuffer.allocate(4096));
                channel.force(false);
                nanos[i] = System.nanoTime() - begin;
            }
            return new Latencies(nanos).medianMs();
        }
    }
}
