package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.FakeAmi;
import io.callbridge.support.FakeCluster;
import io.callbridge.support.FakeCrm;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** In a cluster one replica reads an Asterisk, and soon another one when it is gone, by a lease of Kubernetes. */
class KubernetesLeaseIT {

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String LEASE = "callbridge.ami.lease-ms";

    private final FakeCluster cluster = new FakeCluster();
    private final FakeCrm crm = new FakeCrm();
    private final FakeAmi ami = FakeAmi.start("bridge", "s3cret-of-the-manager");

    @AfterEach
    void stop() {
        ami.close();
        crm.close();
        cluster.close();
    }

    @Test
    void anotherReplicaTakesOverFromOneThatIsKilledAndFromOneThatStops() {
        try (BridgeProcess first = pod().setting(LEASE, "15000").store(StoreKind.POSTGRESQL).start()) {
            ami.awaitLogin(1);
            // So long that who waits for its end, since it was not given back, is too late.
            try (BridgeProcess second = pod().setting(LEASE, "45000").storeOf(first).start()) {
                awaitState(second, "another replica reads it");
                assertEquals(1, ami.logins());
                long begin = System.nanoTime();
                first.kill();
                ami.awaitLogin(2);
                Duration took = Duration.ofNanos(System.nanoTime() - begin);
                assertTrue(took.toSeconds() < 40, () -> "taken over after " + took);
                awaitState(second, "connected since");
                assertEquals(1, ami.readers());

                first.restart();
                awaitState(first, "another replica reads it");
                long stop = System.nanoTime();
                second.stop();
                ami.awaitLogin(3);
                assertTrue(Duration.ofNanos(System.nanoTime() - stop).toSeconds() < 20, first::tail);
                assertEquals(3, ami.logins());
                assertTrue(cluster.requests() > 0);
                assertFalse(warns(first) || warns(second), () -> first.tail() + second.tail());
            }
        }
    }

    @Test
    void nobodyReadsWithoutTheClusterAndEachReasonIsSaidOnce() throws Exception {
        cluster.answer(403);
        try (BridgeProcess bridge = pod().setting("callbridge.ami.lease", "kubernetes").start()) {
            int before = cluster.requests();
            await("several attempts").atMost(SOON).until(() -> cluster.requests() >= before + 5);
            assertTrue(bridge.output().contains("get, create and update leases of coordination.k8s.io in the namespace "
                    + FakeCluster.NAMESPACE), bridge::tail);
            assertEquals(0, ami.connections());
            await("readiness").atMost(SOON).until(bridge::ready);
            cluster.answer(0);
            FakeAmi.Connection connection = ami.awaitLogin(1);

            cluster.hang();
            assertTrue(connection.awaitEnd(SOON), bridge::tail);
            cluster.answer(0);
            ami.awaitLogin(2);
            List<String> said = said(bridge);
            assertTrue(said.stream().filter(text -> text.contains("can be taken and kept again after ")).count() >= 2, bridge::tail);
            for (int i = 1; i < said.size(); i++) {
                assertNotEquals(said.get(i - 1), said.get(i), bridge::tail);
            }
            bridge.stop();
            assertFalse(bridge.output().lines().anyMatch(line -> line.matches("\\s+at [\\w.$/]+\\(.*")), bridge::tail);
        }
    }

    private BridgeProcess.Builder pod() {
        return BridgeProcess.builder().crm(crm).settings(ami.settings("main")).settings(cluster.settings())
                .environment("KUBERNETES_SERVICE_HOST", "127.0.0.1")
                .setting("callbridge.ami.reconnect-first-ms", "200").setting("callbridge.ami.reconnect-max-ms", "500");
    }

    /** Of the lease, in order: on a busy machine also that an answer was late, and what is said after that again. */
    private static List<String> said(BridgeProcess bridge) {
        return bridge.output().lines().filter(line -> line.contains("the lease asterisk-main can"))
                .map(line -> line.substring(line.indexOf("the lease asterisk-main can"))).toList();
    }

    /** Not only of an answer that was late, as on a busy machine. */
    private static boolean warns(BridgeProcess bridge) {
        return bridge.output().lines()
                .anyMatch(line -> line.matches(".* (WARN|ERROR) .*") && !line.matches(".*Kubernetes cannot be asked: (no answer|.*timed out).*"));
    }

    private static void awaitState(BridgeProcess bridge, String begin) {
        await("the state " + begin).atMost(SOON).pollInterval(Duration.ofMillis(50)).until(() -> bridge.get("/q/health/ready").body()
                .matches("(?s).*\"asterisk main\": *\"" + begin + ".*"));
    }
}
