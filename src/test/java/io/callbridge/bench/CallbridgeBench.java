package io.callbridge.bench;

import static org.apache.hc.core5.http.ContentType.APPLICATION_JSON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.bench.BenchTable.Runs;
import io.callbridge.bench.LoadClient.EventRequests;
import io.callbridge.bench.LoadClient.Load;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.Ports;
import io.callbridge.support.TestCall;
import io.vertx.core.AbstractVerticle;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.support.ClassicRequestBuilder;
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
    private static final Pattern LIVE = Pattern.compile("(?m)^Total +\\d+ +(\\d+)$");

    private final BenchTable table = new BenchTable();
    @AutoClose
    private final CrmStandIn crm = new CrmStandIn();
    @AutoClose
    private final BareHandler bare = new BareHandler();
    @AutoClose
    private BridgeProcess bridge;
    @AutoClose
    private StoreProbe store;
    @AutoClose
    private LoadClient load;
    @AutoClose
    private LoadClient bareLoad;
    private final EventRequests noop = new EventRequests(NOOP);
    private EventRequests events;
    private Runs noopRate;
    private double eventRate;

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
        bareLoad = new LoadClient(bare.port, CONNECTIONS);
        events = new EventRequests(bridge.webhook().path());
    }

    @AfterAll
    void print() {
        System.out.println(table);
    }

    /** Events per second: acknowledged, and processed until nothing was left to process. */
    private record Flood(double acknowledged, double processed) {
    }

    @Test
    @Order(1)
    void acknowledgedEvents() {
        List<Flood> floods = new ArrayList<>();
        double[] nothing = new double[Runs.COUNT];
        double[] handler = new double[Runs.COUNT];
        // The first one warms up.
        for (int run = -1; run < Runs.COUNT; run++) {
            floods.add(flood(load, events, store));
            List<byte[]> requests = noop.answered(EventRequests.calls(scaled(CALLS)));
            nothing[Math.max(0, run)] = load.flood(requests).perSecond();
            handler[Math.max(0, run)] = bareLoad.flood(requests).perSecond();
        }
        Runs acknowledged = Runs.of(run -> floods.get(run + 1).acknowledged);
        Runs processed = Runs.of(run -> floods.get(run + 1).processed);
        noopRate = new Runs(nothing);
        eventRate = acknowledged.median();
        table.row("a", "acknowledged durable events/s, SQLite", acknowledged, "route that does nothing, same application", noopRate, 0,
                ">= 0.50");
        table.row("a", "acknowledged durable events/s, SQLite", acknowledged, "bare Vert.x handler", new Runs(handler), 0, ">= 0.40");
        table.note("a: from the first event sent until all are processed it is " + processed.text(0) + " events/s");
    }

    private static Flood flood(LoadClient client, EventRequests requests, StoreProbe journal) {
        List<TestCall> calls = EventRequests.calls(scaled(CALLS));
        List<byte[]> answered = requests.answered(calls);
        long begin = System.nanoTime();
        double acknowledged = client.flood(answered).perSecond();
        journal.awaitProcessed();
        double processed = answered.size() * 1e9 / (System.nanoTime() - begin);
        journal.assertStored(calls, EVENT_TYPES);
        journal.awaitQuiet();
        return new Flood(acknowledged, processed);
    }

    @Test
    @Order(2)
    void acknowledgementAtHalfOfTheRate() {
        assertTrue(eventRate > 0, "the rate of row a is needed, and was not measured");
        double rate = eventRate / 2;
        Load[] acknowledged = new Load[Runs.COUNT];
        Load[] nothing = new Load[Runs.COUNT];
        for (int run = 0; run < Runs.COUNT; run++) {
            List<TestCall> calls = EventRequests.calls((int) (rate * PACED.toSeconds() / EVENT_TYPES.size()));
            acknowledged[run] = load.pace(events.answered(calls), rate);
            store.assertStored(calls, EVENT_TYPES);
            store.awaitQuiet();
            nothing[run] = load.pace(noop.answered(calls), rate);
        }
        table.row("c", "acknowledgement at " + Math.round(rate) + " events/s, p99, ms", ms(99, acknowledged),
                "route that does nothing at that rate, p99", ms(99, nothing), 2, "<= 4.00");
        table.note("c: medians " + ms(ms(50, acknowledged).median()) + " and " + ms(ms(50, nothing).median())
                + "; from the moment a request was due");
    }

    private static Runs ms(int percent, Load... loads) {
        return Runs.of(run -> loads[run].ms(percent));
    }

    @Test
    @Order(3)
    void cards() throws IOException {
        Load[] dialIns = new Load[Runs.COUNT];
        Load[] cards = new Load[Runs.COUNT];
        Load[] roundTrips = new Load[Runs.COUNT];
        try (LoadClient phones = new LoadClient(bridge.port(), DELIVER_PARALLEL); LoadClient plain = new LoadClient(crm.port(), 1)) {
            for (int run = 0; run < Runs.COUNT; run++) {
                List<TestCall> calls = EventRequests.calls((int) (DIAL_INS_PER_SECOND * PACED.toSeconds()));
                dialIns[run] = phones.pace(events.dialIns(calls), DIAL_INS_PER_SECOND);
                long[] arrivals = calls.stream().mapToLong(call -> crm.arrival("cards/" + call.legId())
                        .orTimeout(CARD_SECONDS, TimeUnit.SECONDS).join()).toArray();
                cards[run] = new Load(dialIns[run].sent(), dialIns[run].sent(), arrivals);
                byte[] card = LoadClient.request("PUT", CrmStandIn.BASE + "/cards/plain", "application/json", crm.last.get("PUT cards"));
                roundTrips[run] = plain.pace(Collections.nCopies(calls.size(), card), DIAL_INS_PER_SECOND);
                store.awaitQuiet();
            }
        }
        double acknowledgement = ms(50, dialIns).median();
        double roundTrip = ms(50, roundTrips).median();
        table.row("d", "dial-in sent to card received, median, ms", ms(50, cards), "acknowledgement + round trip to the CRM, medians",
                new Runs(acknowledgement + roundTrip), 2, "<= 3.00");
        table.note("d: p99 " + ms(ms(99, cards).median()) + "; the limit is " + ms(acknowledgement) + " + " + ms(roundTrip)
                + "; a look-up at the CRM comes before every card");
    }

    @Test
    @Order(4)
    void completeCalls() throws IOException {
        int calls = scaled(COMPLETE_CALLS);
        double[] through = new double[Runs.COUNT];
        double[] plain = new double[Runs.COUNT];
        complete(calls);
        store.awaitQuiet();
        try (CloseableHttpClient client = HttpClients.custom().disableAutomaticRetries().setConnectionManager(
                PoolingHttpClientConnectionManagerBuilder.create().setMaxConnPerRoute(DELIVER_PARALLEL).setMaxConnTotal(DELIVER_PARALLEL)
                        .build()).build()) {
            plainLoop(client, calls);
            for (int run = 0; run < Runs.COUNT; run++) {
                crm.counts.clear();
                through[run] = complete(calls);
                assertEquals(Map.of("GET entities", calls, "PUT cards", calls, "DELETE cards", calls, "PUT calls", calls), crm.counts);
                store.awaitQuiet();
                plain[run] = plainLoop(client, calls);
            }
        }
        Runs plainRuns = new Runs(plain);
        table.row("e", "complete calls/s: look-up, card, its end, registration", new Runs(through),
                "the same requests, same client, plain loop of " + DELIVER_PARALLEL, plainRuns, 0, ">= 0.60");
        table.note("e: " + CONNECTIONS + " calls at a time, each from a number of its own, so that each has a look-up");
        if (noopRate != null) {
            double bound = 1 / (EVENT_TYPES.size() / noopRate.median() + 1 / plainRuns.median());
            table.note(String.format(Locale.ROOT, "e: if what lies between cost nothing, taking the events like the route that does"
                    + " nothing and then the plain loop would come to %,.0f calls/s, %.2f", bound, bound / plainRuns.median()));
        }
    }

    /** Nobody answers before the card is there, and a call is over when it is registered. @return calls per second */
    private double complete(int count) {
        List<TestCall> calls = EventRequests.calls(count);
        AtomicInteger next = new AtomicInteger();
        long begin = System.nanoTime();
        load.atOnce(connection -> {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                TestCall call = calls.get(i);
                connection.exchange(events.of(call.dialIn()));
                crm.arrival("cards/" + call.legId()).get(CARD_SECONDS, TimeUnit.SECONDS);
                connection.exchange(events.of(call.answer()));
                connection.exchange(events.of(call.hangup()));
                crm.arrival("calls/" + call.legId()).get(CARD_SECONDS, TimeUnit.SECONDS);
            }
        });
        return count * 1e9 / (System.nanoTime() - begin);
    }

    /** What the CRM could be told by a program that does nothing else: the same requests by the client that camel-http uses. */
    private double plainLoop(CloseableHttpClient client, int calls) {
        AtomicInteger next = new AtomicInteger();
        Callable<Void> work = () -> {
            for (int n = next.getAndIncrement(); n < calls; n = next.getAndIncrement()) {
                String leg = UUID.randomUUID().toString();
                send(client, ClassicRequestBuilder.get(crm.url() + "/entities?phone=%2B7900" + String.format("%07d", n)));
                send(client, ClassicRequestBuilder.put(crm.url() + "/cards/" + leg).setEntity(crm.last.get("PUT cards"), APPLICATION_JSON));
                send(client, ClassicRequestBuilder.delete(crm.url() + "/cards/" + leg + "?reason=ended"));
                send(client, ClassicRequestBuilder.put(crm.url() + "/calls/" + leg).setEntity(crm.last.get("PUT calls"), APPLICATION_JSON));
            }
            return null;
        };
        long begin = System.nanoTime();
        LoadClient.atOnce(Collections.nCopies(DELIVER_PARALLEL, work));
        return calls * 1e9 / (System.nanoTime() - begin);
    }

    private static void send(CloseableHttpClient client, ClassicRequestBuilder request) throws IOException {
        client.execute(request.build(), answer -> {
            assertEquals(200, answer.getCode());
            EntityUtils.consume(answer.getEntity());
            return null;
        });
    }

    @Test
    @Order(5)
    void acknowledgedEventsOnPostgres() throws IOException, SQLException {
        // The library switches fsync off on the command line, where the last word counts.
        try (EmbeddedPostgres postgres = EmbeddedPostgres.builder().setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on").start()) {
            String url = "jdbc:postgresql://127.0.0.1:" + postgres.getPort() + "/postgres?user=postgres";
            try (BridgeProcess onPostgres = application().setting("callbridge.store.url", url).start();
                    StoreProbe journal = new StoreProbe(url);
                    LoadClient client = new LoadClient(onPostgres.port(), CONNECTIONS)) {
                assertEquals(List.of("on", "on"), List.of(journal.column("show fsync").get(0),
                        journal.column("show synchronous_commit").get(0)));
                EventRequests requests = new EventRequests(onPostgres.webhook().path());
                flood(client, requests, journal);
                Runs runs = Runs.of(run -> flood(client, requests, journal).acknowledged);
                table.row("b", "acknowledged durable events/s, PostgreSQL", runs, "route that does nothing, as in a", noopRate, 0,
                        ">= 0.30");
            }
        }
    }

    @Test
    @Order(6)
    void openLegs() throws IOException, SQLException {
        try (BridgeProcess full = application().setting("callbridge.crm.rest.url", NOBODY)
                .setting("callbridge.calls.card-ttl", "4h").start(); StoreProbe journal = new StoreProbe(full.storeUrl())) {
            Runs emptyRestart = Runs.of(run -> restartSeconds(full));
            Runs emptyHeap = Runs.of(run -> liveKiB(full.pid()));
            int legs = fill(full, journal);
            Runs heap = Runs.of(run -> liveKiB(full.pid()));
            table.row("f", String.format(Locale.ROOT, "live heap at %,d open legs, KiB", legs), heap.text(0),
                    "the same at an empty store; KiB per leg", emptyHeap.text(0), (heap.median() - emptyHeap.median()) / legs, "<= 1.50");
            Runs restart = Runs.of(run -> restartSeconds(full));
            assertEquals(legs, journal.count("select sum(open_legs) from call"), "legs after the restart");
            assertEquals(legs, journal.count("select count(*) from delivery where state = 'pending'"), "undelivered after it");
            table.row("g", String.format(Locale.ROOT, "kill to ready with %,d open legs, CRM down, s", legs), restart,
                    "2 x the same at an empty store + 3 s", new Runs(2 * emptyRestart.median() + 3), 2, "<= 1.00");
            table.note("g: at an empty store " + emptyRestart.text(2) + " s; every open leg has a card that could not be delivered");
        }
    }

    /** @return how many legs are open and processed: fewer than wanted if that takes too long */
    private static int fill(BridgeProcess full, StoreProbe journal) throws IOException {
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

    /**
     * What is reachable in another JVM after a full collection: the sum of the histogram of live objects, since the heap's own figure
     * counts what a busy process has thrown away since.
     */
    private static double liveKiB(long pid) {
        try {
            Process jcmd = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(), Long.toString(pid),
                    "GC.class_histogram").redirectErrorStream(true).start();
            String histogram = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return LIVE.matcher(histogram).results().mapToLong(total -> Long.parseLong(total.group(1))).findFirst()
                    .orElseThrow(() -> new AssertionError("jcmd does not say how much heap is live: " + histogram)) / 1024.0;
        } catch (IOException e) {
            throw new AssertionError("no jcmd: a JDK is needed", e);
        }
    }

    static double restartSeconds(BridgeProcess process) {
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

    private static int scaled(int full) {
        return Math.max(20, (int) (full * SCALE));
    }

    private static String ms(double millis) {
        return new Runs(millis).text(2) + " ms";
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
            return LoadClient.ms(50, nanos);
        }
    }

    /** Reads a request and answers it, with an event loop for each core: what a server of the application's kind can do at most. */
    private static final class BareHandler implements AutoCloseable {

        private final Vertx vertx = Vertx.vertx();
        private final int port = Ports.free();

        BareHandler() {
            DeploymentOptions all = new DeploymentOptions().setInstances(Runtime.getRuntime().availableProcessors());
            vertx.deployVerticle(() -> new AbstractVerticle() {
                @Override
                public void start(Promise<Void> started) {
                    vertx.createHttpServer().requestHandler(request -> request.body().onSuccess(body -> request.response()
                            .putHeader("Content-Type", "text/plain").end("OK"))).listen(port, "127.0.0.1").<Void>mapEmpty()
                            .onComplete(started);
                }
            }, all).toCompletionStage().toCompletableFuture().join();
        }

        @Override
        public void close() {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    /** A CRM that knows everybody, takes everything at once, and notes when what came. */
    static final class CrmStandIn implements AutoCloseable {

        static final String BASE = "/crm";
        private static final String ENTITY = "{\"id\":\"c-1\",\"type\":\"contact\",\"name\":\"Somebody\","
                + "\"url\":\"http://crm.example/contacts/c-1\",\"responsible\":\"anna\"}";

        private final Vertx vertx = Vertx.vertx();
        private final HttpServer server = vertx.createHttpServer().requestHandler(this::answer).listen(0, "127.0.0.1").toCompletionStage()
                .toCompletableFuture().join();
        private final Map<String, CompletableFuture<Long>> arrivals = new ConcurrentHashMap<>();
        /** By method and kind, as {@code PUT cards}: how many came, and what the last one said. */
        final Map<String, Integer> counts = new ConcurrentHashMap<>();
        final Map<String, String> last = new ConcurrentHashMap<>();

        int port() {
            return server.actualPort();
        }

        /** The base of the REST contract. */
        String url() {
            return "http://127.0.0.1:" + port() + BASE;
        }

        /** Completes when it was written, as {@code cards/<leg>}, with the time on the clock of {@link System#nanoTime()}. */
        CompletableFuture<Long> arrival(String path) {
            return arrivals.computeIfAbsent(path, id -> new CompletableFuture<>());
        }

        private void answer(HttpServerRequest request) {
            request.body().onSuccess(body -> {
                long now = System.nanoTime();
                String path = request.path().substring(BASE.length() + 1);
                String kind = request.method() + " " + path.replaceFirst("/.*", "");
                counts.merge(kind, 1, Integer::sum);
                last.put(kind, body.toString());
                if (kind.startsWith("PUT")) {
                    arrival(path).complete(now);
                }
                if (path.equals("entities")) {
                    request.response().putHeader("Content-Type", "application/json").end(ENTITY);
                } else {
                    request.response().end();
                }
            });
        }

        @Override
        public void close() {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }
}
