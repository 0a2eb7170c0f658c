package io.callbridge.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.support.BridgeProcess;
import io.callbridge.support.TestCall;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What the ways to package Callbridge differ in: start, memory, size. Each is measured beside the one for a plain JVM. */
class PackageBench {

    private static final String HEAP = "256m";
    private static final int STARTS = 5;
    private static final int EVENTS_PER_SECOND = 1_000;
    private static final int SECONDS = 10;
    private static final int CONNECTIONS = 16;
    private static final double MB = 1e6;
    private static final Path ARCHIVE = BridgeProcess.PACKAGE.resolveSibling("callbridge.jsa");

    private record Packaging(String name, boolean binary, List<String> options, double megabytes) {
    }

    private record Figures(Runs start, double idle, double busy) {
    }

    private final BenchTable table = new BenchTable();
    @AutoClose
    private final CrmStandIn crm = new CrmStandIn();

    @Test
    void startMemoryAndSize() {
        table.head("Callbridge, packaged, -Xmx" + HEAP + ", SQLite; start: median of " + STARTS + "; memory: resident, idle and after "
                + SECONDS + " s of " + EVENTS_PER_SECOND + " events/s, MB");
        Packaging jvm = new Packaging("on a JVM", false, List.of(), size(BridgeProcess.PACKAGE));
        Figures plain = measure(jvm);
        if (Files.exists(ARCHIVE)) {
            // "on": with an archive that does not fit the start would be refused.
            compare("j", new Packaging("on a JVM with class data", false, List.of("-XX:SharedArchiveFile=" + ARCHIVE, "-Xshare:on"),
                    jvm.megabytes + size(ARCHIVE)), jvm, plain);
        } else {
            table.missing("j", "on a JVM with class data", "mvn verify -Pbench,cds makes it");
        }
        if (Files.exists(BridgeProcess.BINARY)) {
            compare("k", new Packaging("native binary", true, List.of(), size(BridgeProcess.BINARY)), jvm, plain);
        } else {
            table.missing("k", "native binary", "mvn package -Dnative makes it");
        }
        System.out.println(table);
    }

    private void compare(String id, Packaging packaging, Packaging jvm, Figures plain) {
        Figures figures = measure(packaging);
        table.shown(id + "1", packaging.name + ": start to ready, s", figures.start.text(2), jvm.name, plain.start.text(2),
                figures.start.median() / plain.start.median());
        row(id + "2", packaging.name + ": memory, idle", figures.idle, jvm.name, plain.idle);
        row(id + "3", packaging.name + ": memory, busy", figures.busy, jvm.name, plain.busy);
        row(id + "4", packaging.name + ": size on disk, MB", packaging.megabytes, jvm.name, jvm.megabytes);
    }

    private void row(String id, String what, double measured, String rival, double value) {
        table.shown(id, what, number(measured), rival, number(value), measured / value);
    }

    private Figures measure(Packaging packaging) {
        try (BridgeProcess bridge = BridgeProcess.builder().asInstalled().heap(HEAP).packaged(packaging.binary, packaging.options)
                .setting("callbridge.crm.rest.url", crm.url()).setting("callbridge.deliver.entity-cache.size", "100000").start();
                StoreProbe store = new StoreProbe(bridge.storeUrl())) {
            double[] seconds = new double[STARTS];
            for (int i = 0; i < STARTS; i++) {
                bridge.kill();
                long begin = System.nanoTime();
                bridge.restart();
                seconds[i] = (System.nanoTime() - begin) / 1e9;
            }
            double idle = residentMb(bridge);
            List<TestCall> calls = EventRequests.calls(EVENTS_PER_SECOND * SECONDS / 3);
            try (LoadClient load = new LoadClient(bridge.port(), CONNECTIONS)) {
                load.pace(new EventRequests(bridge.webhook().path()).answered(calls), EVENTS_PER_SECOND);
            }
            double busy = residentMb(bridge);
            store.awaitProcessed();
            assertEquals(3L * calls.size(), store.count("select count(*) from event"), "events in the store");
            return new Figures(new Runs(seconds), idle, busy);
        }
    }

    private static double residentMb(BridgeProcess bridge) {
        try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(bridge.pid()), "status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:")).mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst().orElseThrow() * 1024 / MB;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double size(Path path) {
        try (Stream<Path> files = Files.walk(path)) {
            List<Long> sizes = new ArrayList<>();
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                sizes.add(Files.size(file));
            }
            return sizes.stream().mapToLong(Long::longValue).sum() / MB;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String number(double number) {
        return String.format(Locale.ROOT, "%.0f", number);
    }
}
