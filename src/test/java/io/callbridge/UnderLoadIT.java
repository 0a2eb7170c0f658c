package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.platform.StoreKind;
import io.callbridge.support.BridgeProcess.Refusal;
import io.callbridge.support.BridgeProcess.RoutesEdit;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CallLoad.Interruption;
import io.callbridge.support.CallLoad;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.PostgresServer;
import io.callbridge.support.SmallDisk;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * What goes away under load, and comes back. The store: while it is away every event is refused at once, so that the PBX can send it
 * again; what was acknowledged before is not lost, and nobody has to do anything for it to go on.
 *
 * <p>And replicas, which on one PostgreSQL are one bridge: whoever gets an event, and whoever dies. An edited route goes over them as
 * Kubernetes rolls a Deployment with {@code maxUnavailable: 0}: a new one gets ready and joins the Service, an old one leaves it, goes
 * on answering while that gets around (preStop), and then gets SIGTERM.
 */
class UnderLoadIT {

    private static final Duration MISSED_DELAY = Duration.ofSeconds(4);
    /** The file that says why a call is registered. */
    private static final String OUTCOME = "process-outcome.camel.yaml";
    private static final String AFTER = "incoming call, said by the edited route, of extension ";
    private static final RoutesEdit EDITED = RoutesEdit.replacing(OUTCOME, "incoming call of extension ", AFTER);
    private static final int BEFORE = 100;
    private static final int REFUSED = 100;
    /** When it goes, and when it is back; an outage may begin or end with a stutter, and each delivery under way says so once. */
    private static final int LINES_AT_MOST = 12;
    /** Less than a locked SQLite file or a PostgreSQL that says nothing would take by itself. */
    private static final Duration AT_ONCE = Duration.ofMillis(2800);
    /** The sender shares the machine with what it measures. */
    private static final Duration ON_A_BUSY_MACHINE = Duration.ofSeconds(20);

    private final List<BridgeProcess> replicas = new ArrayList<>();
    /** The Service: who gets events. */
    private final List<Webhook> ready = new CopyOnWriteArrayList<>();
    @AutoClose
    private final FakeCrm crm = new FakeCrm();

    @AfterEach
    void stop() {
        replicas.forEach(BridgeProcess::close);
    }

    @Test
    void theyAreOneBridgeWhoeverComesAndGoes() {
        join(routes -> { });
        join(routes -> { });
        anEditedRouteIsRolledOutUnderLoadWithoutARefusedEventOrALostOrDoubledRegistration();
        join(EDITED);
        whatAReplicaHadBegunWhenItWasKilledIsFinishedByTheOthers();
        aMissedCallIsDecidedByAnotherReplicaThanTheOneThatWasTold();
    }

    private void anEditedRouteIsRolledOutUnderLoadWithoutARefusedEventOrALostOrDoubledRegistration() {
        try (CallLoad load = new CallLoad(() -> List.copyOf(ready))) {
            load.awaitMore(200);
            Refusal refusal = replica(RoutesEdit.replacing(OUTCOME, "- choice:", "- chioce:")).startExpectingRefusal();
            assertEquals(1, refusal.exitCode(), refusal::output);
            assertTrue(refusal.output().contains(OUTCOME) && refusal.output().contains("chioce"), refusal::output);
            assertFalse(refusal.output().contains("\tat "), refusal::output);
            for (BridgeProcess old : List.copyOf(replicas)) {
                join(EDITED);
                load.awaitAnswersOf(ready.remove(0));
                load.awaitMore(100);
                old.stop();
                replicas.remove(old);
                old.close();
            }
            load.awaitMore(200);
            load.stop();
            assertEquals(0, load.refused(), "events refused");
            load.verify(replicas.get(0), crm, List.of());
        }
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        ready.get(0).accept(call.answered());
        crm.awaitCall(call);
        assertTrue(replicas.get(0).call(call.callId()).path("decisions").toString().contains(AFTER), "the reason after the edit");
    }

    private void whatAReplicaHadBegunWhenItWasKilledIsFinishedByTheOthers() {
        try (CallLoad load = new CallLoad(() -> List.copyOf(ready))) {
            load.awaitMore(300);
            long begin = System.nanoTime();
            replicas.get(1).kill();
            Interruption kill = new Interruption(begin, System.nanoTime());
            load.awaitMore(300);
            load.stop();
            assertTrue(load.refused() > 0, "the kill hit no event");
            load.verify(replicas.get(0), crm, List.of(kill));
        }
    }

    /** The last word of the killed replica was the 200 for the hangup: the delay was its secret, but for the store. */
    private void aMissedCallIsDecidedByAnotherReplicaThanTheOneThatWasTold() {
        TestCall call = TestCall.incoming("101", FakeCrm.PETROVA);
        replicas.get(2).webhook().accept(call.missed());
        replicas.get(2).kill();
        assertEquals(List.of(), crm.requests(Kind.MISSED, call.callId()), "the crash came too late to test anything");
        await("the missed call").until(() -> crm.has(Kind.MISSED, call.callId()));
        assertEquals(1, crm.requests(Kind.MISSED, call.callId()).size());
    }

    private BridgeProcess.Builder replica(RoutesEdit edit) {
        BridgeProcess.Builder builder = BridgeProcess.builder().crm(crm).quickRetries().editRoutes(edit)
                .setting("callbridge.store.lease-ms", "10000").setting("callbridge.calls.missed-delay", MISSED_DELAY.toMillis() + "ms");
        return replicas.isEmpty() ? builder.store(StoreKind.POSTGRESQL) : builder.storeOf(replicas.get(0));
    }

    private void join(RoutesEdit edit) {
        BridgeProcess replica = replica(edit).start();
        replicas.add(replica);
        ready.add(replica.webhook());
    }

    @Test
    void postgresqlIsKilledAndStartedAgain() throws Throwable {
        try (PostgresServer postgres = new PostgresServer(); BridgeProcess bridge = start(postgres.newDatabase())) {
            underLoad(bridge, postgres::kill, postgres::up, LINES_AT_MOST);
        }
    }

    @Test
    void theSqliteFileIsLockedAndItsDiskIsFull() throws Throwable {
        try (SmallDisk disk = new SmallDisk(); BridgeProcess bridge = start("jdbc:sqlite:" + disk.folder().resolve("callbridge.db"))) {
            assertNobodyElseMayUse(bridge);
            try (Connection other = DriverManager.getConnection(bridge.inboxUrl()); Statement statement = other.createStatement()) {
                underLoad(bridge, () -> {
                    statement.execute("pragma busy_timeout = 30000");
                    statement.execute("begin exclusive");
                }, () -> statement.execute("rollback"), LINES_AT_MOST);
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

    private void underLoad(BridgeProcess bridge, Executable away, Executable back, int linesAtMost) throws Throwable {
        long printed = bridge.output().lines().count();
        try (CallLoad load = new CallLoad(() -> List.of(bridge.webhook()))) {
            load.awaitMore(BEFORE);
            long begin = System.nanoTime();
            away.execute();
            load.awaitMoreRefusals(REFUSED);
            await("the status that says so").until(() -> bridge.get("/api/status").body().matches(".*\"store\":\\{[^}]*\"since\".*"));
            back.execute();
            Interruption interruption = new Interruption(begin, System.nanoTime());
            await("readiness").until(bridge::ready);
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
