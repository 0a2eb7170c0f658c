package io.callbridge.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.bench.BenchTable.Runs;
import io.callbridge.bench.CallbridgeBench.CrmStandIn;
import io.callbridge.bench.LoadClient.EventRequests;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.Pages;
import io.callbridge.support.TestCall;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
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

    private record Figures(Runs start, Runs idle, Runs busy) {
    }

    private final BenchTable table = new BenchTable();
    @AutoClose
    private final CrmStandIn crm = new CrmStandIn();

    @Test
    void startMemoryAndSize() throws IOException, SQLException {
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

    private void compare(String id, Packaging packaging, Packaging jvm, Figures plain) throws IOException, SQLException {
        Figures figures = measure(packaging);
        table.row(id + "1", packaging.name + ": start to ready, s", figures.start, jvm.name, plain.start, 2, "-");
        table.row(id + "2", packaging.name + ": memory, idle", figures.idle, jvm.name, plain.idle, 0, "-");
        table.row(id + "3", packaging.name + ": memory, busy", figures.busy, jvm.name, plain.busy, 0, "-");
        table.row(id + "4", packaging.name + ": size on disk, MB", new Runs(packaging.megabytes), jvm.name, new Runs(jvm.megabytes), 0,
                "-");
    }

    private Figures measure(Packaging packaging) throws IOException, SQLException {
        try (BridgeProcess bridge = BridgeProcess.builder().asInstalled().heap(HEAP).packaged(packaging.binary, packaging.options)
                .setting("callbridge.crm.rest.url", crm.url()).setting("callbridge.deliver.entity-cache.size", "100000").start();
                StoreProbe store = new StoreProbe(bridge.storeUrl())) {
            double[] seconds = new double[STARTS];
            for (int i = 0; i < STARTS; i++) {
                seconds[i] = CallbridgeBench.restartSeconds(bridge);
            }
            double idle = residentMb(bridge);
            List<TestCall> calls = EventRequests.calls(EVENTS_PER_SECOND * SECONDS / 3);
            try (LoadClient load = new LoadClient(bridge.port(), CONNECTIONS)) {
                load.pace(new EventRequests(bridge.webhook().path()).answered(calls), EVENTS_PER_SECOND);
            }
            double busy = residentMb(bridge);
            store.awaitProcessed();
            store.assertStored(calls, List.of("dial-in", "answer", "hangup"));
            return new Figures(new Runs(seconds), new Runs(idle), new Runs(busy));
        }
    }

    private static double residentMb(BridgeProcess bridge) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(bridge.pid()), "status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:")).mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst().orElseThrow() * 1024 / MB;
        }
    }

    private static double size(Path path) {
        return Pages.below(path).map(Path::toFile).filter(File::isFile).mapToLong(File::length).sum() / MB;
    }
}
