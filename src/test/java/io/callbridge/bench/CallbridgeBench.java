package io.callbridge.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.bench.LoadClient.Load;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.Ports;
import io.callbridge.support.TestCall;
import io.vertx.core.AbstractVerticle;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.IntToDoubleFunction;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/**
 * Measures the packaged application against limits on the same machine in the same run, and prints a line for each figure. A
 * ratio that is not met fails nothing; a measurement that is wrong does: an answer that is not 200, or an event that was lost.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class CallbridgeBench {

    private static final double SCALE = Double.parseDouble(System.getProperty("callbridge.bench.scale", "1"));
    private static final int RUNS = 3;
    /** Of the webhook's path, so that its requests and these have the same size. */
    private static final String NOOP = "/bench/noop-as-long-as-the-webhook-path";
    private static final int CALLS = 3_000;
    private static final Duration PACED = Duration.ofSeconds(4);
    private static final int OPEN_LEGS = 100_000;
    /** Sent at a time when the store is filled: fewer than the bridge keeps waiting. */
    private static final int FILL = 5_000;
    private static final Duration FILL_TIME = Duration.ofMinutes(3);
    private static final Pattern LIVE = Pattern.compile("(?m)^Total +\\d+ +(\\d+)$");

    @AutoClose
    private final Vertx vertx = Vertx.vertx();
    /** Of one that reads a request and answers it: what a server of the application's kind can do at most, and a CRM that knows nobody. */
    private final int bare = Ports.free();
    @AutoClose
    private BridgeProcess bridge;
    @AutoClose
    private LoadClient load;
    @AutoClose
    private LoadClient bareLoad;
    private StoreProbe store;
    private double[] noopRate;
    private double eventRate;

    @BeforeAll
    void start() throws IOException {
        DeploymentOptions everyCore = new DeploymentOptions().setInstances(Runtime.getRuntime().availableProcessors());
        vertx.deployVerticle(() -> new AbstractVerticle() {
            @Override
            public void start(Promise<Void> started) {
                vertx.createHttpServer().requestHandler(request -> request.body().onSuccess(body -> request.response()
                        .setStatusCode(request.method() == HttpMethod.GET ? 404 : 200).putHeader("Content-Type", "text/plain").end("OK")))
                        .listen(bare, "127.0.0.1").<Void>mapEmpty().onComplete(started);
            }
        }, everyCore).toCompletionStage().toCompletableFuture().join();
        bridge = application().start();
        store = new StoreProbe(bridge.storeUrl());
        load = new LoadClient(bridge.port());
        bareLoad = new LoadClient(bare);
        System.out.printf("4 KiB are on the disk after %s ms; median of %d runs (extremes), target%n", text(2, fsyncMs()), RUNS);
    }

    @Test
    @Order(1)
    void acknowledgedEvents() throws Exception {
        double[] acknowledged = new double[RUNS];
        double[] handler = new double[RUNS];
        noopRate = new double[RUNS];
        // The first one warms up.
        for (int run = -1; run < RUNS; run++) {
            int counted = Math.max(0, run);
            acknowledged[counted] = flood(bridge, load, store);
            List<byte[]> requests = LoadClient.answered(NOOP, LoadClient.calls(scaled(CALLS)));
            noopRate[counted] = load.flood(requests).perSecond();
            handler[counted] = bareLoad.flood(requests).perSecond();
        }
        eventRate = median(acknowledged);
        row("a acknowledged durable events/s, SQLite", acknowledged, 0, "route that does nothing, same application", noopRate, ">= 0.50");
        row("a acknowledged durable events/s, SQLite", acknowledged, 0, "bare Vert.x handler", handler, ">= 0.40");
    }

    /** @return acknowledgements per second of events that are all processed afterwards */
    private static double flood(BridgeProcess bridge, LoadClient client, StoreProbe store) throws Exception {
        List<TestCall> calls = LoadClient.calls(scaled(CALLS));
        double acknowledged = client.flood(LoadClient.answered(bridge.webhook().path(), calls)).perSecond();
        store.awaitQuiet();
        store.assertStored(calls);
        return acknowledged;
    }

    @Test
    @Order(2)
    void acknowledgementAtHalfOfTheRate() throws Exception {
        assertTrue(eventRate > 0, "the rate of row a is needed, and was not measured");
        double rate = eventRate / 2;
        Load[] acknowledged = new Load[RUNS];
        Load[] nothing = new Load[RUNS];
        for (int run = 0; run < RUNS; run++) {
            List<TestCall> calls = LoadClient.calls((int) (rate * PACED.toSeconds() / 3));
            acknowledged[run] = load.pace(LoadClient.answered(bridge.webhook().path(), calls), rate);
            store.awaitQuiet();
            store.assertStored(calls);
            nothing[run] = load.pace(LoadClient.answered(NOOP, calls), rate);
        }
        String what = "c acknowledgement at " + Math.round(rate) + " events/s, ms, ";
        row(what + "p50", runs(run -> acknowledged[run].ms(50)), 2, "route that does nothing", runs(run -> nothing[run].ms(50)), "-");
        row(what + "p99", runs(run -> acknowledged[run].ms(99)), 2, "route that does nothing", runs(run -> nothing[run].ms(99)), "<= 4.00");
    }

    @Test
    @Order(3)
    void acknowledgedEventsOnPostgres() throws Exception {
        // The library switches fsync off on the command line, where the last word counts.
        try (EmbeddedPostgres postgres = EmbeddedPostgres.builder().setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on").start()) {
            String url = "jdbc:postgresql://127.0.0.1:" + postgres.getPort() + "/postgres?user=postgres";
            try (BridgeProcess onPostgres = application().setting("callbridge.store.url", url).start();
                    LoadClient client = new LoadClient(onPostgres.port())) {
                StoreProbe its = new StoreProbe(url);
                assertEquals("on on", StoreProbe.column(url, "show fsync").get(0) + " " + StoreProbe.column(url, "show synchronous_commit").get(0));
                double[] acknowledged = new double[RUNS];
                for (int run = -1; run < RUNS; run++) {
                    acknowledged[Math.max(0, run)] = flood(onPostgres, client, its);
                }
                row("b acknowledged durable events/s, PostgreSQL", acknowledged, 0, "route that does nothing, as in a", noopRate, ">= 0.30");
            }
        }
    }

    /** Each has a card that could not be delivered. */
    @Test
    @Order(4)
    void openLegs() throws Exception {
        try (BridgeProcess full = application().setting("callbridge.crm.rest.url", "http://127.0.0.1:1/nobody")
                .setting("callbridge.calls.card-ttl", "4h").start()) {
            StoreProbe its = new StoreProbe(full.storeUrl());
            double[] emptyRestart = runs(run -> restartSeconds(full));
            double[] emptyHeap = runs(run -> liveKiB(full));
            int legs = fill(full, its);
            double[] heap = runs(run -> liveKiB(full));
            row("f live heap at " + legs + " open legs, KiB", heap, 0, "at an empty store", emptyHeap, "-");
            row("f the same per leg", new double[] {(median(heap) - median(emptyHeap)) / legs}, 2, "KiB", new double[] {1}, "<= 1.50");
            double[] restart = runs(run -> restartSeconds(full));
            assertEquals(legs, its.number("select sum(open_legs) from call"), "legs after the restart");
            assertEquals(legs, its.number("select count(*) from delivery where state = 'pending'"), "undelivered after it");
            row("g kill to ready with " + legs + " open legs, CRM down, s", restart, 2, "2 x that at an empty store + 3 s",
                    new double[] {2 * median(emptyRestart) + 3}, "<= 1.00");
        }
    }

    /** @return how many legs are open and processed: fewer than wanted if that takes too long */
    private static int fill(BridgeProcess full, StoreProbe its) throws Exception {
        int wanted = scaled(OPEN_LEGS);
        int legs = 0;
        try (LoadClient client = new LoadClient(full.port())) {
            for (long begin = System.nanoTime(); legs < wanted && System.nanoTime() - begin < FILL_TIME.toNanos();) {
                List<TestCall> calls = LoadClient.calls(Math.min(FILL, wanted - legs));
                client.flood(LoadClient.dialIns(full.webhook().path(), calls));
                its.awaitProcessed();
                legs += calls.size();
            }
        }
        return legs;
    }

    /**
     * What is reachable in another JVM after a full collection: the sum of the histogram of live objects, since the heap's own figure
     * counts what a busy process has thrown away since.
     */
    private static double liveKiB(BridgeProcess process) {
        try {
            String histogram = new String(new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                    Long.toString(process.pid()), "GC.class_histogram").redirectErrorStream(true).start().getInputStream().readAllBytes());
            return LIVE.matcher(histogram).results().mapToLong(total -> Long.parseLong(total.group(1))).findFirst()
                    .orElseThrow(() -> new AssertionError("jcmd does not say how much heap is live: " + histogram)) / 1024.0;
        } catch (IOException e) {
            throw new AssertionError("no jcmd: a JDK is needed", e);
        }
    }

    private static double restartSeconds(BridgeProcess process) {
        long begin = System.nanoTime();
        process.kill();
        process.restart();
        return (System.nanoTime() - begin) / 1e9;
    }

    private BridgeProcess.Builder application() {
        return BridgeProcess.builder().asInstalled().setting("callbridge.crm.rest.url", "http://127.0.0.1:" + bare)
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

    /** What a commit costs at least: one write that is waited for. */
    private static double[] fsyncMs() throws IOException {
        Path file = Files.createTempFile("callbridge-bench-", ".fsync");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE)) {
            double[] ms = new double[100];
            for (int i = 0; i < ms.length; i++) {
                long begin = System.nanoTime();
                channel.write(ByteBuffer.allocate(4096));
                channel.force(false);
                ms[i] = (System.nanoTime() - begin) / 1e6;
            }
            return ms;
        }
    }

    private static double[] runs(IntToDoubleFunction run) {
        return IntStream.range(0, RUNS).mapToDouble(run).toArray();
    }

    private static double median(double[] values) {
        return Arrays.stream(values).sorted().toArray()[values.length / 2];
    }

    /** The extremes tell how steady the machine was. */
    private static String text(int decimals, double... values) {
        return String.format(Locale.ROOT, "%,.@f (%,.@f-%,.@f)".replace("@", Integer.toString(decimals)), median(values),
                Arrays.stream(values).min().orElseThrow(), Arrays.stream(values).max().orElseThrow());
    }

    /** @param target such as {@code >= 0.70}; {@code -}: none, it is there to read the others by */
    private static void row(String what, double[] measured, int decimals, String limit, double[] its, String target) {
        System.out.printf(Locale.ROOT, "%-45s %25s | %-42s %25s | %5.2f %s%n", what, text(decimals, measured), limit, text(decimals, its),
                median(measured) / median(its), target);
    }
}
