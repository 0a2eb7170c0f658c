package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.FakeAmi;
import io.callbridge.support.FakeCluster;
import io.callbridge.support.FakeCrm;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** In a cluster one replica reads an Asterisk, and soon another one when it is gone, by a lease of Kubernetes. */
class KubernetesLeaseIT {

    private static final Duration SOON = Duration.ofSeconds(30);

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
        try (BridgeProcess first = pod().store(StoreKind.POSTGRESQL).start()) {
            ami.awaitLogin(1);
            try (BridgeProcess second = pod().storeOf(first).start()) {
                awaitState(second, "another replica reads it");
                assertEquals(1, ami.logins());
                long begin = System.nanoTime();
                first.kill();
                ami.awaitLogin(2);
                Duration took = Duration.ofNanos(System.nanoTime() - begin);
                assertTrue(took.toSeconds() < 15, () -> "taken over after " + took);
                awaitState(second, "connected since");
                assertEquals(1, ami.readers());

                first.restart();
                awaitState(first, "another replica reads it");
                long stop = System.nanoTime();
                second.stop();
                ami.awaitLogin(3);
                assertTrue(Duration.ofNanos(System.nanoTime() - stop).toSeconds() < 8, first::tail);
                assertEquals(3, ami.logins());
                assertTrue(cluster.requests() > 0);
                assertFalse(first.output().contains(" WARN ") || second.output().contains(" WARN "), () -> first.tail() + second.tail());
            }
        }
    }

    @Test
    void nobodyReadsWithoutTheClusterAndEachReasonIsSaidOnce() throws Exception {
        cluster.answer(403);
        try (BridgeProcess bridge = pod().setting("callbridge.ami.lease", "kubernetes").setting("callbridge.ami.lease-ms", "3000").start()) {
            int before = cluster.requests();
            await("several attempts").atMost(SOON).until(() -> cluster.requests() >= before + 5);
            assertEquals(1, count(bridge, "get, create and update leases of coordination.k8s.io in the namespace " + FakeCluster.NAMESPACE),
                    bridge::tail);
            assertEquals(0, ami.connections());
            assertTrue(bridge.ready());
            cluster.answer(0);
            FakeAmi.Connection connection = ami.awaitLogin(1);

            cluster.hang();
            assertTrue(connection.awaitEnd(SOON), bridge::tail);
            cluster.answer(0);
            ami.awaitLogin(2);
            assertEquals(2, count(bridge, "can be taken and kept again"), bridge::tail);
            bridge.stop();
            assertFalse(bridge.output().lines().anyMatch(line -> line.matches("\\s+at [\\w.$/]+\\(.*")), bridge::tail);
        }
    }

    private BridgeProcess.Builder pod() {
        return BridgeProcess.builder().crm(crm).settings(ami.settings("main")).settings(cluster.settings())
                .environment("KUBERNETES_SERVICE_HOST", "127.0.0.1")
                .setting("callbridge.ami.reconnect-first-ms", "200").setting("callbridge.ami.reconnect-max-ms", "500");
    }

    private static long count(BridgeProcess bridge, String text) {
        return bridge.output().lines().filter(line -> line.contains(text)).count();
    }

    private static void awaitState(BridgeProcess bridge, String begin) {
        await("the state " + begin).atMost(SOON).pollInterval(Duration.ofMillis(50)).until(() -> bridge.get("/q/health/ready").body()
                .matches("(?s).*\"asterisk main\": *\"" + begin + ".*"));
    }
}
