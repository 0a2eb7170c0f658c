package io.callbridge;

import static org.awaitility.Awaitility.await;
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
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** An update in the middle of a working day: an orderly stop, and a start that finds much to do. */
@ParameterizedClass(name = "{0}")
@EnumSource(StoreKind.class)
class StopAndStartIT {

    private static final int LINES = 12;
    private static final int CALLS = 800;
    private static final int PARALLEL = 6;
    private static final Duration STOP = Duration.ofSeconds(25);
    /** The stop waits for what is under way, but not for ever: on a machine that hangs so long it may be repeated. */
    private static final Duration HANGING = Duration.ofSeconds(5);
    private static final Duration LONG = Duration.ofMinutes(3);

    @Parameter
    private StoreKind store;
    private FakeCrm crm;
    private BridgeProcess bridge;

    @BeforeEach
    void start() {
        crm = new FakeCrm();
        bridge = BridgeProcess.builder().store(store).crm(crm).quickRetries().setting("callbridge.calls.card-ttl", "1h")
                .setting("callbridge.deliver.parallel", Integer.toString(PARALLEL)).setting("callbridge.store.lease-ms", "5000").start();
    }

    @AfterEach
    void stop() {
        bridge.close();
        crm.close();
    }

    /** Nothing is even repeated: what was on its way to the CRM is waited for. */
    @Test
    void anOrderlyStopUnderLoadIsShortAndLosesNothing() {
        try (CallLoad load = new CallLoad(CallLoad.seed(), LINES, List.of(bridge.webhook()))) {
            load.awaitMore(300);
            long begin = System.nanoTime();
            bridge.stop();
            Interruption stop = new Interruption(begin, System.nanoTime());
            Duration took = Duration.ofNanos(stop.endNanos() - begin);
            bridge.restart();
            load.awaitMore(300);
            load.stop();
            load.verify(bridge, crm, took.compareTo(HANGING) < 0 ? List.of() : List.of(stop));
            assertTrue(took.compareTo(STOP) < 0, () -> "the stop took " + took + bridge.tail());
        }
    }

    @Test
    void aStartWithMuchToDoDoesNotFloodTheCrm() throws InterruptedException {
        crm.down();
        List<TestCall> over = calls();
        List<TestCall> ringing = calls();
        ExecutorService lines = Executors.newFixedThreadPool(LINES);
        over.forEach(call -> lines.execute(() -> bridge.webhook().accept(call.answered())));
        ringing.forEach(call -> lines.execute(() -> bridge.webhook().accept(List.of(call.dialIn()))));
        lines.shutdown();
        assertTrue(lines.awaitTermination(LONG.toSeconds(), TimeUnit.SECONDS), "the events are not taken");
        bridge.kill();
        Stream.of("GET", "PUT", "DELETE").forEach(method -> crm.on(method, ".*", Answer.after(Duration.ofMillis(20))));
        crm.up();
        bridge.restart();

        await("all registrations").atMost(LONG).until(() -> confirmed(Kind.CALL).containsAll(over.stream().map(TestCall::legId).toList()));
        await("all cards").atMost(LONG).until(() -> confirmed(Kind.CARD).containsAll(ringing.stream().map(TestCall::legId).toList()));
        long cards = crm.mostAtOnce(Kind.CARD, Kind.CARD_END);
        long calls = crm.mostAtOnce(Kind.CALL, Kind.MISSED);
        assertTrue(cards > 1 && cards <= PARALLEL, () -> cards + " cards at once");
        assertTrue(calls > 1 && calls <= PARALLEL, () -> calls + " registrations at once");
        assertTrue(crm.requests(Kind.CALL).size() == CALLS, () -> crm.requests(Kind.CALL).size() + " registrations");
    }

    private Set<String> confirmed(Kind kind) {
        Set<String> ids = new HashSet<>();
        crm.requests(kind).stream().filter(CrmRequest::effective).forEach(request -> ids.add(request.id()));
        return ids;
    }

    private static List<TestCall> calls() {
        return IntStream.range(0, CALLS).mapToObj(i -> TestCall.incoming("10" + (1 + i % 5), "+790000" + (10_000 + i))).toList();
    }
}
