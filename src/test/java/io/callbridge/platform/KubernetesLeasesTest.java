package io.callbridge.platform;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.FakeCluster;
import io.callbridge.support.TestConfig;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A lease of Kubernetes has one holder at a time, whatever clocks and the cluster do. */
class KubernetesLeasesTest {

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final long LONG_MS = 600_000;
    private static final long LEASE_MS = 9_000;

    private final FakeCluster cluster = new FakeCluster();
    private final KubernetesClient client = cluster.client();
    /** Of two replicas: what one has seen, the other does not know. */
    private final AtomicReference<Runnable> beforeWrite = new AtomicReference<>();
    private final KubernetesLeases first = replica();
    private final KubernetesLeases second = replica();

    @AfterEach
    void stop() {
        client.close();
        cluster.close();
    }

    @Test
    void aFreeLeaseIsTakenKeptAndGivenBack() {
        assertTrue(first.take("a", "one", 8_500).join());
        Lease lease = lease();
        assertEquals("one", lease.getSpec().getHolderIdentity());
        assertEquals(9, lease.getSpec().getLeaseDurationSeconds());
        assertEquals(lease.getSpec().getAcquireTime(), lease.getSpec().getRenewTime());
        assertEquals("callbridge", lease.getMetadata().getLabels().get("app.kubernetes.io/name"));
        assertFalse(second.take("a", "two", 8_500).join());
        assertFalse(second.giveBack("a", "two").join());
        assertTrue(second.take("b", "two", 8_500).join());

        assertTrue(first.take("a", "one", 8_500).join());
        assertTrue(lease().getSpec().getRenewTime().isAfter(lease.getSpec().getRenewTime()));
        assertEquals(lease.getSpec().getAcquireTime(), lease().getSpec().getAcquireTime());
        assertNull(lease().getSpec().getLeaseTransitions());

        assertTrue(first.giveBack("a", "one").join());
        assertNull(lease().getSpec().getHolderIdentity());
        assertFalse(first.giveBack("a", "one").join());
        assertTrue(second.take("a", "two", 8_500).join());
        assertEquals(1, lease().getSpec().getLeaseTransitions());
        assertFalse(first.take("a", "one", 8_500).join());
        assertFalse(first.giveBack("c", "one").join());
    }

    @ParameterizedTest
    @ValueSource(ints = {-10, 0, 10})
    void somebodyElsesLeaseRunsOutByTheOwnClockOnly(int yearsOff) {
        first.take("a", "one", 1_000).join();
        edit(lease -> lease.getSpec().setRenewTime(ZonedDateTime.now(ZoneOffset.UTC).plusYears(yearsOff)));
        long begin = System.nanoTime();
        assertFalse(second.take("a", "two", LONG_MS).join());
        await("its end").atMost(SOON).pollInterval(Duration.ofMillis(20)).until(() -> second.take("a", "two", LONG_MS).join());
        Duration took = Duration.ofNanos(System.nanoTime() - begin);
        assertTrue(took.toMillis() >= 1_000, () -> "after " + took);
        assertFalse(first.take("a", "one", 1_000).join());
    }

    @Test
    void aLeaseThatIsRenewedDoesNotRunOut() {
        first.take("a", "one", 1_000).join();
        assertFalse(second.take("a", "two", 1_000).join());
        long begin = System.nanoTime();
        await("two seconds of renewals").atMost(SOON).pollInterval(Duration.ofMillis(100)).until(() -> {
            assertTrue(first.take("a", "one", 1_000).join());
            assertFalse(second.take("a", "two", 1_000).join());
            return Duration.ofNanos(System.nanoTime() - begin).toMillis() > 2_000;
        });
    }

    @Test
    void whoWritesAfterSomebodyElseHasNothing() {
        beforeWrite.set(() -> second.take("a", "two", LONG_MS).join());
        assertFalse(first.take("a", "one", LONG_MS).join(), "created by somebody else");
        assertEquals("two", lease().getSpec().getHolderIdentity());

        second.giveBack("a", "two").join();
        beforeWrite.set(() -> second.take("a", "two", LONG_MS).join());
        assertFalse(first.take("a", "one", LONG_MS).join(), "taken by somebody else");
        assertEquals("two", lease().getSpec().getHolderIdentity());

        beforeWrite.set(() -> edit(lease -> lease.getSpec().setHolderIdentity("three")));
        assertFalse(second.giveBack("a", "two").join());
        assertEquals("three", lease().getSpec().getHolderIdentity());

        edit(lease -> lease.getSpec().setHolderIdentity("two"));
        beforeWrite.set(() -> client.leases().withName("callbridge-a").delete());
        assertFalse(second.take("a", "two", LONG_MS).join(), "deleted by somebody else");
        assertTrue(first.take("a", "one", LONG_MS).join());
    }

    /** An administrator may make one by hand, or empty it. */
    @Test
    void anEmptyLeaseIsFree() {
        first.take("a", "one", LONG_MS).join();
        edit(lease -> lease.getSpec().setHolderIdentity(""));
        assertTrue(second.take("a", "two", LONG_MS).join());
        edit(lease -> lease.setSpec(null));
        assertFalse(second.giveBack("a", "two").join());
        assertTrue(first.take("a", "one", LONG_MS).join());
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 404, 500, 503})
    void aClusterThatRefusesGivesNoLease(int status) {
        cluster.answer(status, "POST");
        String said = failure(first);
        assertTrue(said.startsWith("Kubernetes answers " + status), said);
        assertEquals(status == 401 || status == 403, said.contains("may get, create and update leases of coordination.k8s.io in the namespace "
                + FakeCluster.NAMESPACE), said);
        cluster.answer(0);
        assertTrue(first.take("a", "one", LONG_MS).join());
        if (status != 404) {
            cluster.answer(status);
            assertEquals(said, failure(first));
            assertEquals(said, assertThrows(CompletionException.class, () -> first.giveBack("a", "one").join()).getMessage());
        }
    }

    @Test
    void aClusterThatIsGoneOrSaysNothingGivesNoLease() {
        KubernetesApi api = new KubernetesApi(cluster.url(), cluster.serviceAccount());
        KubernetesLeases leases = new KubernetesLeases(() -> api);
        cluster.hang();
        long begin = System.nanoTime();
        assertTrue(failure(leases).startsWith("Kubernetes cannot be asked: "), () -> failure(leases));
        Duration took = Duration.ofNanos(System.nanoTime() - begin);
        assertTrue(took.toMillis() < 20_000, () -> "after " + took);
        cluster.close();
        assertTrue(failure(leases).startsWith("Kubernetes cannot be asked: "), () -> failure(leases));
    }

    /** The whole of it: who asks, keeps, is told. */
    @Test
    void theLeadEndsBeforeTheLeaseDoesWhenTheClusterSaysNothing() throws Exception {
        LeaseClusterService leader = replica(first);
        LeaseClusterService other = replica(second);
        try {
            leader.getView("a");
            await("the lead").atMost(SOON).until(() -> leader.isLeader("a"));
            other.getView("a");
            String version = lease().getMetadata().getResourceVersion();
            await("a renewal").atMost(SOON).until(() -> !lease().getMetadata().getResourceVersion().equals(version));
            assertTrue(leader.isLeader("a") && !other.isLeader("a"));

            cluster.hang("PUT");
            // Of the last look that found it: a busy machine may take its time to find the end.
            AtomicReference<Instant> led = new AtomicReference<>(Instant.EPOCH);
            await("the end of the lead").atMost(SOON).pollInterval(Duration.ofMillis(5)).until(() -> {
                Instant now = Instant.now();
                boolean leads = leader.isLeader("a");
                if (leads) {
                    led.set(now);
                }
                return !leads;
            });
            Instant end = lease().getSpec().getRenewTime().toInstant().plusMillis(LEASE_MS);
            assertTrue(led.get().plusMillis(LEASE_MS / 18).isBefore(end), "somebody else could be the leader already");
            assertFalse(other.isLeader("a"));
            cluster.answer(0);
            await("a lead").atMost(SOON).until(() -> leader.isLeader("a") || other.isLeader("a"));
            assertNotEquals(leader.isLeader("a"), other.isLeader("a"));
            if (leader.isLeader("a")) {
                leader.stop();
                await("the other").atMost(SOON).until(() -> other.isLeader("a"));
            }
        } finally {
            leader.stop();
            other.stop();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"asterisk-Head_Office", "asterisk-head.office", "asterisk-", "asterisk-офис",
            "asterisk-a-name-that-is-so-long-that-it-does-not-fit-into-a-label-of-63"})
    void aNameIsOneThatKubernetesAllows(String name) {
        String allowed = KubernetesLeases.leaseName(name);
        assertTrue(allowed.length() <= 63 && allowed.matches("callbridge-[a-z0-9-]*[a-z0-9]"), allowed);
        assertNotEquals(allowed, KubernetesLeases.leaseName(name.toUpperCase()));
        assertEquals("callbridge-asterisk-head-office", KubernetesLeases.leaseName("asterisk-head-office"));
    }

    private KubernetesLeases replica() {
        KubernetesApi api = new KubernetesApi(cluster.url(), cluster.serviceAccount()) {
            /** A busy machine may take its time to answer. */
            @Override
            Duration timeout() {
                return Duration.ofSeconds(10);
            }

            @Override
            HttpResponse<String> send(String method, String path, String body) throws IOException {
                Runnable action = method.equals("GET") ? null : beforeWrite.getAndSet(null);
                if (action != null) {
                    action.run();
                }
                return super.send(method, path, body);
            }
        };
        return new KubernetesLeases(() -> api);
    }

    private static LeaseClusterService replica(KubernetesLeases leases) {
        LeaseClusterService service = new LeaseClusterService(null, leases, TestConfig.settings(TestConfig.of(
                Map.of("callbridge.ami.lease-ms", Long.toString(LEASE_MS), "callbridge.ami.lease", "kubernetes"), Map.of())));
        service.start();
        return service;
    }

    private String failure(KubernetesLeases leases) {
        return assertThrows(CompletionException.class, () -> leases.take("a", "one", LONG_MS).join()).getMessage();
    }

    private Lease lease() {
        return client.leases().withName("callbridge-a").get();
    }

    private void edit(Consumer<Lease> change) {
        Lease lease = lease();
        change.accept(lease);
        client.leases().resource(lease).update();
    }
}
