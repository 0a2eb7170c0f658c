package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.RestContract;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Kills the application (no shutdown hook runs) after it has said 200 and before the CRM has everything. The 200 is a
 * promise: after a restart on the same store the CRM has every call and every missed call, once.
 */
@ParameterizedClass(name = "{0}")
@EnumSource(StoreKind.class)
class CrashIT {

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration QUIET = Duration.ofSeconds(2);
    private static final int[] KILL_MILLIS = {0, 1, 2, 5, 10, 20, 50, 120, 300};

    @Parameter
    private StoreKind store;
    private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(2);
    private FakeCrm crm;
    private BridgeProcess bridge;

    @BeforeEach
    void start() {
        crm = new FakeCrm();
        bridge = builder().start();
    }

    private BridgeProcess.Builder builder() {
        return BridgeProcess.builder().store(store).crm(crm).quickRetries().setting("callbridge.store.lease-ms", "3000");
    }

    @AfterEach
    void stop() {
        clock.shutdownNow();
        if (bridge != null) {
            bridge.close();
        }
        crm.close();
    }

    @Test
    void aCallWhoseRegistrationWasUnderWayIsWrittenAgainWithTheSameContents() {
        crm.on("PUT", "/calls/.*", FakeCrm.Answer.after(Duration.ofSeconds(10)).times(1));
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(call.answered());
        await("the request that the CRM is slow with").atMost(SOON)
                .until(() -> crm.requests(Kind.CALL, call.legId()).size() == 1);

        bridge.kill();
        bridge.restart();

        awaitCalls(Set.of(call.legId()));
        assertOnlyThese(Set.of(call.legId()), Set.of());
        assertEquals(2, crm.requests(Kind.CALL, call.legId()).size(), "one before the crash, one after it");
    }

    @Test
    void callsAndMissedCallsAcknowledgedWhileTheCrmWasDownSurviveTheCrash() {
        crm.down();
        Set<String> calls = new HashSet<>();
        Set<String> missed = new HashSet<>();
        for (int i = 0; i < 10; i++) {
            TestCall call = TestCall.incoming("102", "+790000007" + (10 + i));
            bridge.webhook().accept(i % 2 == 0 ? call.answered() : call.missed());
            if (i % 2 == 0) {
                calls.add(call.legId());
            } else {
                missed.add(call.callId());
            }
        }

        bridge.kill();
        crm.up();
        bridge.restart();

        awaitCalls(calls);
        awaitMissed(missed);
        assertOnlyThese(calls, missed);
    }

    @Test
    void aMissedCallIsDecidedAfterTheRestartWhenTheCrashCameDuringTheDelay() {
        bridge.close();
        bridge = builder().setting("callbridge.calls.missed-delay", "5s").start();
        TestCall call = TestCall.incoming("103", FakeCrm.PETROVA);
        bridge.webhook().accept(call.missed());
        bridge.kill();
        assertTrue(crm.requests(Kind.MISSED).isEmpty(), "the crash came too late to test anything");

        bridge.restart();

        awaitMissed(Set.of(call.callId()));
        assertOnlyThese(Set.of(), Set.of(call.callId()));
    }

    @Test
    void aCallGoesOnAfterTheRestartAsIfNothingHadHappened() {
        TestCall call = TestCall.incoming("104", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.dialIn(), call.answer()));
        bridge.kill();
        bridge.restart();
        bridge.webhook().accept(List.of(call.hangup()));

        awaitCalls(Set.of(call.legId()));
        assertOnlyThese(Set.of(call.legId()), Set.of());
        CrmRequest written = crm.requests(Kind.CALL, call.legId()).get(0);
        assertEquals("2025-03-04T09:00:00.000Z", written.member("startedAt"), "known only from the dial-in");
        assertEquals("2025-03-04T09:00:05.000Z", written.member("answeredAt"), "known only from the answer");
    }

    @Test
    void whatTheCrmHadConfirmedBeforeTheCrashIsNotWrittenAgain() {
        TestCall call = TestCall.incoming("105", FakeCrm.IVANOV);
        TestCall missed = TestCall.incoming("101", FakeCrm.PETROVA);
        bridge.webhook().accept(call.answered());
        bridge.webhook().accept(missed.missed());
        awaitDelivered(call.callId(), Kind.CALL, call.legId());
        awaitDelivered(missed.callId(), Kind.MISSED, missed.callId());

        bridge.kill();
        int before = crm.requests().size();
        bridge.restart();
        awaitQuiet();

        List<CrmRequest> after = crm.requests().subList(before, crm.requests().size());
        assertTrue(after.stream().noneMatch(r -> r.kind() == Kind.CALL || r.kind() == Kind.MISSED),
                () -> "written again: " + after + bridge.tail());
    }

    /** One test per moment, in one store that lives through all crashes: an old call must not come back, either. */
    @TestFactory
    Stream<DynamicTest> anEventAcknowledgedMomentsBeforeTheCrashIsNotLost() {
        Set<String> calls = new HashSet<>();
        Set<String> missed = new HashSet<>();
        return IntStream.of(KILL_MILLIS).mapToObj(millis -> DynamicTest.dynamicTest("killed " + millis + " ms after the 200",
                () -> {
                    TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
                    TestCall unanswered = TestCall.incoming("102", FakeCrm.PETROVA);
                    bridge.webhook().accept(unanswered.missed());
                    bridge.webhook().accept(call.answered());
                    clock.schedule(bridge::kill, millis, TimeUnit.MILLISECONDS).get();
                    bridge.restart();

                    calls.add(call.legId());
                    missed.add(unanswered.callId());
                    awaitCalls(calls);
                    awaitMissed(missed);
                    assertOnlyThese(calls, missed);
                }));
    }

    /** The PBX may or may not repeat what was not acknowledged; here it repeats it, and everything else too. */
    @Test
    void aCrashUnderLoadLosesNothingThatWasAcknowledgedAndDoublesNothingThatIsSentAgain() throws Exception {
        List<TestCall> calls = IntStream.range(0, 200)
                .mapToObj(i -> TestCall.incoming("10" + (1 + i % 5), "+790000006" + (10 + i % 20))).toList();
        Set<String> acknowledged = ConcurrentHashMap.newKeySet();
        ConcurrentLinkedQueue<Throwable> refused = new ConcurrentLinkedQueue<>();
        ExecutorService lines = Executors.newFixedThreadPool(8);
        List<CompletableFuture<Void>> sending = new ArrayList<>();
        Webhook webhook = bridge.webhook();
        for (TestCall call : calls) {
            sending.add(CompletableFuture.runAsync(() -> {
                try {
                    webhook.accept(call.answered());
                    acknowledged.add(call.legId());
                } catch (IllegalStateException processIsGone) {
                    refused.add(processIsGone);
                }
            }, lines));
        }
        await("some of the calls").pollInterval(Duration.ofMillis(1)).atMost(SOON)
                .until(() -> acknowledged.size() >= 30);
        bridge.kill();
        CompletableFuture.allOf(sending.toArray(CompletableFuture[]::new)).get(60, TimeUnit.SECONDS);
        lines.shutdown();
        assertTrue(!refused.isEmpty(), "the crash came too late to hit a call");

        bridge.restart();
        awaitCalls(new HashSet<>(acknowledged));
        calls.forEach(c -> bridge.webhook().accept(c.answered()));

        Set<String> all = new HashSet<>();
        calls.forEach(c -> all.add(c.legId()));
        awaitCalls(all);
        assertOnlyThese(all, Set.of());
    }

    @Test
    void anOrderlyStopLosesNothing() {
        crm.down();
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall missed = TestCall.incoming("102", FakeCrm.IVANOV);
        bridge.webhook().accept(call.answered());
        bridge.webhook().accept(missed.missed());
        bridge.stop();
        crm.up();
        bridge.restart();

        awaitCalls(Set.of(call.legId()));
        awaitMissed(Set.of(missed.callId()));
        assertOnlyThese(Set.of(call.legId()), Set.of(missed.callId()));
    }

    private void awaitCalls(Set<String> legIds) {
        awaitWritten(Kind.CALL, legIds);
    }

    private void awaitMissed(Set<String> callIds) {
        awaitWritten(Kind.MISSED, callIds);
    }

    private void awaitWritten(Kind kind, Set<String> ids) {
        try {
            await("all of " + kind).atMost(SOON).pollInterval(Duration.ofMillis(50))
                    .until(() -> lacking(kind, ids).isEmpty());
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(kind + " lacks " + lacking(kind, ids) + bridge.tail(), e);
        }
    }

    private Set<String> lacking(Kind kind, Set<String> ids) {
        Set<String> lacking = new TreeSet<>(ids);
        crm.requests(kind).stream().filter(r -> r.answered() >= 200 && r.answered() < 300)
                .forEach(r -> lacking.remove(r.id()));
        return lacking;
    }

    private void awaitDelivered(String callId, Kind kind, String id) {
        await("confirmation of " + id).atMost(SOON).until(() -> crm.has(kind, id));
        await("the store knows of the confirmation").atMost(SOON).until(() -> {
            JsonNode delivery = bridge.delivery(callId, id);
            return delivery != null && delivery.path("state").asText().equals("delivered");
        });
    }

    private void awaitQuiet() {
        long begin = System.nanoTime();
        await("quiet").atMost(SOON).pollInterval(Duration.ofMillis(100)).until(() -> {
            long last = crm.requests().stream().mapToLong(CrmRequest::nanos).reduce(begin, Math::max);
            return System.nanoTime() - last > QUIET.toNanos();
        });
    }

    /** After a while without requests: these calls and missed calls, each with one contents, however often it was sent. */
    private void assertOnlyThese(Set<String> legIds, Set<String> callIds) {
        awaitQuiet();
        assertEquals(new TreeSet<>(legIds), ids(Kind.CALL), () -> "calls" + bridge.tail());
        assertEquals(new TreeSet<>(callIds), ids(Kind.MISSED), () -> "missed calls" + bridge.tail());
        Map<String, JsonNode> contents = new HashMap<>();
        for (CrmRequest request : crm.requests()) {
            if (request.kind() == Kind.CALL || request.kind() == Kind.MISSED) {
                JsonNode first = contents.putIfAbsent(request.path(), request.body());
                assertTrue(first == null || first.equals(request.body()),
                        () -> "written with other contents: " + request + ", before: " + first + bridge.tail());
            }
        }
        List<String> deviations = new RestContract(crm, false).deviations(crm.requests());
        assertTrue(deviations.isEmpty(), () -> String.join("\n", deviations) + bridge.tail());
    }

    private Set<String> ids(Kind kind) {
        Set<String> ids = new TreeSet<>();
        crm.requests(kind).forEach(r -> ids.add(r.id()));
        return ids;
    }
}
