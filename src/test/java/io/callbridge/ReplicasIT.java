package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CallLoad;
import io.callbridge.support.CallLoad.Interruption;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.TestCall;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Three replicas on one PostgreSQL are one bridge: whoever gets an event, and whoever dies. */
class ReplicasIT {

    private static final int REPLICAS = 3;
    private static final int LINES = 12;
    private static final Duration SOON = Duration.ofSeconds(90);
    private static final Duration LEASE = Duration.ofSeconds(20);

    private final List<BridgeProcess> replicas = new ArrayList<>();
    private FakeCrm crm;

    @BeforeEach
    void start() {
        crm = new FakeCrm();
        for (int i = 0; i < REPLICAS; i++) {
            BridgeProcess.Builder builder = BridgeProcess.builder().crm(crm).quickRetries()
                    .setting("callbridge.store.lease-ms", Long.toString(LEASE.toMillis())).setting("callbridge.calls.missed-delay", "5s");
            replicas.add((i == 0 ? builder.store(StoreKind.POSTGRESQL) : builder.storeOf(replicas.get(0))).start());
        }
    }

    @AfterEach
    void stop() {
        replicas.forEach(BridgeProcess::close);
        crm.close();
    }

    @Test
    void loadSprayedOverReplicasHasTheEffectsOfOneOfThemAndNothingTwice() {
        try (CallLoad load = new CallLoad(CallLoad.seed(), LINES, replicas.stream().map(BridgeProcess::webhook).toList())) {
            load.awaitMore(800);
            load.stop();
            load.verify(replicas.get(0), crm, List.of());
        }
    }

    @Test
    void whatAReplicaHadBegunWhenItWasKilledIsFinishedByTheOthers() {
        try (CallLoad load = new CallLoad(CallLoad.seed(), LINES, replicas.stream().map(BridgeProcess::webhook).toList())) {
            load.awaitMore(500);
            long begin = System.nanoTime();
            replicas.get(1).kill();
            Interruption kill = new Interruption(begin, System.nanoTime());
            load.awaitMore(500);
            load.stop();
            assertTrue(load.refused() > 0, "the kill hit no event");
            load.verify(replicas.get(0), crm, List.of(kill));
        }
    }

    /** The last word of the killed replica was the 200 for the hangup: the delay was its secret, but for the store. */
    @Test
    void aMissedCallIsDecidedByAnotherReplicaThanTheOneThatWasTold() {
        TestCall call = TestCall.incoming("101", FakeCrm.PETROVA);
        replicas.get(2).webhook().accept(call.missed());
        replicas.get(2).kill();
        assertEquals(List.of(), crm.requests(Kind.MISSED), "the crash came too late to test anything");

        await("the missed call").atMost(SOON).until(() -> crm.has(Kind.MISSED, call.callId()));
        assertEquals(1, crm.requests(Kind.MISSED).size());
    }

    /** A request under way belongs to its replica for the time of the lease; nobody sends it a second time before that. */
    @Test
    void aRegistrationUnderWayIsTakenOverAfterTheLeaseAndNotBefore() {
        crm.on("PUT", "/calls/.*", Answer.after(Duration.ofMinutes(5)).times(1));
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        replicas.get(0).webhook().accept(call.answered());
        await("the request that the CRM is slow with").atMost(SOON).until(() -> crm.requests(Kind.CALL, call.legId()).size() == 1);
        // Whichever of them has it.
        replicas.forEach(BridgeProcess::kill);
        replicas.get(1).restart();

        await("the registration").atMost(SOON).until(() -> crm.has(Kind.CALL, call.legId()));
        List<CrmRequest> requests = crm.requests(Kind.CALL, call.legId());
        assertEquals(2, requests.size(), "one before the crash, one after it");
        assertEquals(requests.get(0).body(), requests.get(1).body());
        Duration waited = requests.get(1).since(requests.get(0).nanos());
        assertTrue(waited.compareTo(LEASE.minusSeconds(1)) > 0, () -> "taken over after " + waited + " already");
    }
}
