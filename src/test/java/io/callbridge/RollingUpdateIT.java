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
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * An edited route goes over three replicas as Kubernetes rolls a Deployment with {@code maxUnavailable: 0}: a new one gets
 * ready and joins the Service, an old one leaves it, goes on answering while that gets around (preStop), and then gets SIGTERM.
 */
class RollingUpdateIT {

    private static final int REPLICAS = 3;
    private static final int LINES = 12;
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Path REASONS = Path.of("process-outcome.camel.yaml");
    private static final String BEFORE = "incoming call of extension ";
    private static final String AFTER = "incoming call, said by the edited route, of extension ";

    private final List<BridgeProcess> replicas = new ArrayList<>();
    /** The Service: who gets events. */
    private final List<Webhook> ready = new CopyOnWriteArrayList<>();
    private FakeCrm crm;

    @BeforeEach
    void start() {
        crm = new FakeCrm();
        for (int i = 0; i < REPLICAS; i++) {
            join(replica(routes -> { }).start());
        }
    }

    @AfterEach
    void stop() {
        replicas.forEach(BridgeProcess::close);
        crm.close();
    }

    @Test
    void anEditedRouteIsRolledOutUnderLoadWithoutARefusedEventOrALostOrDoubledRegistration() {
        try (CallLoad load = new CallLoad(CallLoad.seed(), LINES, () -> List.copyOf(ready))) {
            load.awaitMore(200);
            for (BridgeProcess old : List.copyOf(replicas)) {
                join(replica(routes -> replace(routes.resolve(REASONS), BEFORE, AFTER)).start());
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
        assertTrue(reasonOfACall().contains(AFTER), "the reason after the edit");
    }

    @Test
    void aBrokenRouteNeverGetsReadyAndTheOldReplicasGoOn() {
        try (CallLoad load = new CallLoad(CallLoad.seed(), LINES, () -> List.copyOf(ready))) {
            Refusal refusal = replica(routes -> replace(routes.resolve(REASONS), "- choice:", "- chioce:")).startExpectingRefusal();
            load.awaitMore(100);
            load.stop();
            assertEquals(0, load.refused(), "events refused");
            load.verify(replicas.get(0), crm, List.of());
            assertEquals(1, refusal.exitCode(), refusal::output);
            assertTrue(refusal.output().contains(REASONS.toString()) && refusal.output().contains("chioce"), refusal::output);
            assertFalse(refusal.output().contains("\tat "), refusal::output);
        }
    }

    private BridgeProcess.Builder replica(RoutesEdit edit) {
        BridgeProcess.Builder builder = BridgeProcess.builder().crm(crm).quickRetries().editRoutes(edit);
        return replicas.isEmpty() ? builder.store(StoreKind.POSTGRESQL) : builder.storeOf(replicas.get(0));
    }

    private void join(BridgeProcess replica) {
        replicas.add(replica);
        ready.add(replica.webhook());
    }

    private String reasonOfACall() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        ready.get(0).accept(call.answered());
        await("the registration").atMost(SOON).until(() -> crm.has(Kind.CALL, call.legId()));
        return replicas.get(0).call(call.callId()).path("decisions").toString();
    }

    private static void replace(Path file, String what, String by) {
        try {
            String text = Files.readString(file);
            assertTrue(text.contains(what), () -> what + " is not in " + file);
            Files.writeString(file, text.replace(what, by));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
