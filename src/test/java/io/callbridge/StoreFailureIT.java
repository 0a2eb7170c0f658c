package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.BridgeProcess;
import io.callbridge.support.BridgeProcess.Refusal;
import io.callbridge.support.CallLoad;
import io.callbridge.support.CallLoad.Interruption;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.SmallDisk;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * The store goes away under load, and comes back. While it is away every event is refused at once, so that the PBX can send
 * it again; what was acknowledged before is not lost, and nobody has to do anything for it to go on.
 */
class StoreFailureIT {

    private static final int BEFORE = 100;
    private static final int REFUSED = 100;
    /** When it goes, and when it is back; an outage may begin or end with a stutter, and each delivery under way says so once. */
    private static final int LINES_AT_MOST = 12;
    /** Less than a locked SQLite file or a PostgreSQL that says nothing would take by itself. */
    private static final Duration AT_ONCE = Duration.ofMillis(2800);
    /** The sender shares the machine with what it measures. */
    private static final Duration ON_A_BUSY_MACHINE = Duration.ofSeconds(20);
    private static final Duration SOON = Duration.ofSeconds(90);

    @AutoClose
    private final FakeCrm crm = new FakeCrm();

    private interface Step {
        void run() throws Exception;
    }

    @Test
    void postgresqlIsKilledAndStartedAgain() throws Exception {
        try (PostgresServer postgres = new PostgresServer(); BridgeProcess bridge = start(postgres.newDatabase())) {
            underLoad(bridge, postgres::kill, postgres::up);
        }
    }

    @Test
    void theSqliteFileIsLockedAndItsDiskIsFull() throws Exception {
        try (SmallDisk disk = new SmallDisk(); BridgeProcess bridge = start("jdbc:sqlite:" + disk.folder().resolve("callbridge.db"))) {
            assertNobodyElseMayUse(bridge);
            try (Connection other = DriverManager.getConnection(bridge.storeUrl()); Statement statement = other.createStatement()) {
                underLoad(bridge, () -> {
                    statement.execute("pragma busy_timeout = 30000");
                    statement.execute("begin exclusive");
                }, () -> statement.execute("rollback"));
            }
            // A small commit may still find room in the log where a larger one did not: it is away and back a few times.
            underLoad(bridge, () -> disk.fill(bridge), () -> disk.free(bridge), 5 * LINES_AT_MOST);
        }
    }

    /** Two on one file would tell the CRM everything twice. (A process that was killed bars no other: {@link CrashIT}.) */
    private void assertNobodyElseMayUse(BridgeProcess first) {
        Refusal refused = BridgeProcess.builder().crm(crm).storeOf(first).startExpectingRefusal();
        assertEquals(1, refused.exitCode());
        List<String> said = refused.output().lines().filter(line -> line.startsWith("Callbridge cannot start: ")).toList();
        assertEquals(1, said.size(), refused.output());
        assertTrue(said.get(0).matches(".*callbridge\\.store\\.url names .*callbridge\\.db, and process [0-9]+( on \\S+)? works with.*"),
                () -> said.get(0));
    }

    private BridgeProcess start(String url) {
        return BridgeProcess.builder().durable().setting("callbridge.store.url", url).setting("callbridge.store.lease-ms", "3000")
                .setting("callbridge.store.patience-ms", "1000").crm(crm).quickRetries().start();
    }

    private void underLoad(BridgeProcess bridge, Step away, Step back) throws Exception {
        underLoad(bridge, away, back, LINES_AT_MOST);
    }

    private void underLoad(BridgeProcess bridge, Step away, Step back, int linesAtMost) throws Exception {
        long printed = bridge.output().lines().count();
        try (CallLoad load = new CallLoad(() -> List.of(bridge.webhook()))) {
            load.awaitMore(BEFORE);
            long begin = System.nanoTime();
            away.run();
            load.awaitMoreRefusals(REFUSED);
            await("the status that says so").atMost(SOON)
                    .until(() -> bridge.get("/api/status").body().matches(".*\"store\":\\{[^}]*\"since\".*"));
            back.run();
            Interruption interruption = new Interruption(begin, System.nanoTime());
            await("readiness").atMost(SOON).until(bridge::ready);
            load.awaitMore(BEFORE);
            load.stop();

            List<Duration> refusals = load.refusals();
            Duration nineOfTen = refusals.get(refusals.size() * 9 / 10);
            assertTrue(nineOfTen.compareTo(AT_ONCE) < 0, () -> "one of ten waited more than " + nineOfTen + " for its 503");
            Duration longest = refusals.get(refusals.size() - 1);
            assertTrue(longest.compareTo(ON_A_BUSY_MACHINE) < 0, () -> "waited " + longest + " for a 503");
            load.verify(bridge, crm, List.of(interruption));
            List<String> said = bridge.output().lines().skip(printed)
                    .filter(line -> line.matches(".* (WARN|ERROR) .*|.*The store is .*")).toList();
            assertTrue(said.size() <= linesAtMost && said.stream().anyMatch(line -> line.contains("The store is away: "))
                    && said.get(said.size() - 1).matches(".*The store is back after [0-9]+ (s|min)"), () -> String.join("\n", said));
        }
    }
}
