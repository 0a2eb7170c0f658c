package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.BridgeProcess.Refusal;
import io.callbridge.support.BridgeProcess.RoutesEdit;
import io.callbridge.support.CallLoad;
import io.callbridge.support.CallLoad.Interruption;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * Replicas on one PostgreSQL are one bridge: whoever gets an event, and whoever dies. An edited route goes over them as Kubernetes
 * rolls a Deployment with {@code maxUnavailable: 0}: a new one gets ready and joins the Service, an old one leaves it, goes on
 * answering while that gets around (preStop), and then gets SIGTERM.
 */
class ReplicasIT {

    private static final Duration SOON = Duration.ofSeconds(90);
    private static final Duration MISSED_DELAY = Duration.ofSeconds(4);
    private static final String BEFORE = "incoming call of extension ";
    private static final String AFTER = "incoming call, said by the edited route, of extension ";

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
        join(ReplicasIT::edit);
        whatAReplicaHadBegunWhenItWasKilledIsFinishedByTheOthers();
        aMissedCallIsDecidedByAnotherReplicaThanTheOneThatWasTold();
    }

    private void anEditedRouteIsRolledOutUnderLoadWithoutARefusedEventOrALostOrDoubledRegistration() {
        try (CallLoad load = new CallLoad(() -> List.copyOf(ready))) {
            load.awaitMore(200);
            Refusal refusal = replica(routes -> replace(routes, "- choice:", "- chioce:")).startExpectingRefusal();
            assertEquals(1, refusal.exitCode(), refusal::output);
            assertTrue(refusal.output().contains(".camel.yaml") && refusal.output().contains("chioce"), refusal::output);
            assertFalse(refusal.output().contains("\tat "), refusal::output);
            for (BridgeProcess old : List.copyOf(replicas)) {
                join(ReplicasIT::edit);
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
        await("the missed call").atMost(SOON).until(() -> crm.has(Kind.MISSED, call.callId()));
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

    private static void edit(Path routes) throws IOException {
        replace(routes, BEFORE, AFTER);
    }

    /** In the file that says why a call is registered. */
    private static void replace(Path routes, String what, String by) throws IOException {
        try (Stream<Path> files = Files.list(routes)) {
            for (Path file : files.toList()) {
                String text = Files.readString(file);
                if (text.contains(BEFORE) && text.contains(what)) {
                    Files.writeString(file, text.replace(what, by));
                    return;
                }
            }
        }
        throw new IOException("no route has " + what);
    }
}
