package io.callbridge;

import static io.callbridge.support.BridgeProcess.words;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.platform.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CallLoad.Interruption;
import io.callbridge.support.CallLoad;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.RestContract;
import io.callbridge.support.TestCall;
import io.callbridge.support.Unchecked;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Kills the application (no shutdown hook runs) after it has said 200 and before the CRM has everything. The 200 is a
 * promise: after a restart on the same store the CRM has every call and every missed call, once.
 */
@Tag("native")
class CrashIT {

    private static final List<String> METHODS = List.of("GET", "PUT", "DELETE");
    private static final int MANY = 60;
    private static final int PARALLEL = 6;
    private static final int EVENTS_AT_MOST = 120;
    /** A stop waits for what is under way, but not for ever: on a machine that hangs so long it may be repeated. */
    private static final Duration HANGING = Duration.ofSeconds(5);
    private static final Duration STOP = Duration.ofSeconds(25);

    @ParameterizedTest
    @EnumSource
    void whatWasAcknowledgedIsKept(StoreKind store) {
        try (FakeCrm crm = new FakeCrm(); BridgeProcess bridge = BridgeProcess.builder().durable().store(store).crm(crm).quickRetries()
                .setting("quarkus.log.category.\"io.callbridge.store.Store\".level", "DEBUG")
                .setting("callbridge.store.lease-ms", "3000").setting("callbridge.deliver.timeout-ms", "60000")
                .setting("callbridge.deliver.parallel", Integer.toString(PARALLEL)).setting("callbridge.calls.missed-delay", "2s")
                .setting("callbridge.calls.card-ttl", "1h").start()) {
            aCrashInTheMiddleOfEverything(crm, bridge);
            crashesUnderLoad(store, crm, bridge);
        }
    }

    private static void aCrashInTheMiddleOfEverything(FakeCrm crm, BridgeProcess bridge) {
        TestCall confirmed = TestCall.incoming("105", FakeCrm.IVANOV);
        TestCall confirmedMissed = TestCall.incoming("101", FakeCrm.PETROVA);
        bridge.webhook().accept(confirmedMissed.missed());
        bridge.webhook().accept(confirmed.answered());
        awaitDelivered(bridge, confirmed, confirmed.legId());
        awaitDelivered(bridge, confirmedMissed, confirmedMissed.callId());
        TestCall underWay = TestCall.incoming("101", FakeCrm.IVANOV);
        crm.on("PUT", "/calls/" + underWay.legId(), Answer.after(Duration.ofHours(1)));
        METHODS.forEach(method -> crm.on(method, "(?!/calls/" + underWay.legId() + "|/cards).*", Answer.status(503)));
        bridge.webhook().accept(underWay.answered());
        await("the request that the CRM is slow with").until(() -> crm.requests(Kind.CALL, underWay.legId()).size() == 1);
        crm.on("PUT", "/cards/.*", Answer.status(503));
        List<TestCall> over = calls();
        List<TestCall> ringing = calls();
        over.parallelStream().forEach(call -> bridge.webhook().accept(call.answered()));
        ringing.parallelStream().forEach(call -> bridge.webhook().accept(List.of(call.dialIn())));
        TestCall open = TestCall.incoming("104", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(open.dialIn(), open.answer()));
        TestCall missed = TestCall.incoming("103", FakeCrm.PETROVA);
        bridge.webhook().accept(missed.missed());

        bridge.kill();
        assertEquals(List.of(), crm.requests(Kind.MISSED, missed.callId()), "the crash came too late to hit the delay of the missed call");
        crm.behave();
        METHODS.forEach(method -> crm.on(method, ".*", Answer.after(Duration.ofMillis(20))));
        bridge.restart();
        // The PBX may repeat what it has sent before.
        over.forEach(call -> bridge.webhook().accept(call.answered()));
        bridge.webhook().accept(List.of(open.hangup()));

        Set<String> calls = Stream.concat(over.stream(), Stream.of(confirmed, underWay, open)).map(TestCall::legId)
                .collect(Collectors.toSet());
        Set<String> missedCalls = Set.of(confirmedMissed.callId(), missed.callId());
        await("all calls" + bridge.tail()).until(() -> effects(crm, Kind.CALL).containsAll(calls));
        await("the one that was under way, again").until(() -> crm.requests(Kind.CALL, underWay.legId()).size() > 1);
        await("all missed calls").until(() -> effects(crm, Kind.MISSED).containsAll(missedCalls));
        await("all cards").until(() -> effects(crm, Kind.CARD).containsAll(ringing.stream().map(TestCall::legId).toList()));
        crm.awaitQuiet();
        List<String> written = effects(crm, Kind.CALL).stream().filter(id -> !id.equals(underWay.legId())).toList();
        assertEquals(calls.size() - 1, written.size(), "each call once");
        assertTrue(calls.containsAll(written), "calls of nobody");
        assertEquals(List.copyOf(new TreeSet<>(missedCalls)), effects(crm, Kind.MISSED).stream().sorted().toList());
        CrmRequest goneOn = crm.requests(Kind.CALL, open.legId()).get(0);
        assertEquals("2025-03-04T09:00:00.000Z", goneOn.member("startedAt"), "known only from the dial-in");
        assertEquals("2025-03-04T09:00:05.000Z", goneOn.member("answeredAt"), "known only from the answer");
        List<CrmRequest> again = crm.requests(Kind.CALL, underWay.legId());
        assertEquals(2, again.size(), "one before the crash, one after it");
        assertEquals(again.get(0).body(), again.get(1).body());
        long cards = crm.mostAtOnce(Kind.CARD, Kind.CARD_END);
        long registrations = crm.mostAtOnce(Kind.CALL, Kind.MISSED);
        assertTrue(cards > 1 && cards <= PARALLEL, () -> cards + " cards at once");
        assertTrue(registrations > 1 && registrations <= PARALLEL, () -> registrations + " registrations at once");
        List<String> deviations = new RestContract(crm, false).deviations(crm.requests());
        assertTrue(deviations.isEmpty(), () -> String.join("\n", deviations) + bridge.tail());
        crm.behave();
    }

    /** Again and again, at random moments, while many phones ring; an orderly stop, in which nothing is even repeated, comes first. */
    private static void crashesUnderLoad(StoreKind store, FakeCrm crm, BridgeProcess bridge) {
        Random random = new Random();
        List<Interruption> interruptions = new ArrayList<>();
        try (CallLoad load = new CallLoad(() -> List.of(bridge.webhook()))) {
            if (store == StoreKind.SQLITE) {
                assertTrue(bridge.output().contains("inbox has synchronous=2"), bridge::tail);
                Interruption stop = interrupted(bridge, bridge::stop);
                Duration took = Duration.ofNanos(stop.endNanos() - stop.beginNanos());
                assertTrue(took.compareTo(STOP) < 0, () -> "the stop took " + took + bridge.tail());
                if (took.compareTo(HANGING) > 0) {
                    interruptions.add(stop);
                }
            }
            load.awaitMore(2 * EVENTS_AT_MOST);
            // More of them by hand: -Dcallbridge.crashes=200.
            for (int kills = Integer.getInteger("callbridge.crashes", store.shared() ? 2 : 4); kills > 0; kills--) {
                boolean power = !store.shared() && kills % 2 == 0;
                interruptions.add(interrupted(bridge, power ? () -> cutPower(bridge) : bridge::kill));
                load.awaitMore(1 + random.nextInt(EVENTS_AT_MOST));
            }
            load.stop();
            assertTrue(load.refused() >= interruptions.size(), () -> "the kills hit only " + load.refused() + " events");
            load.verify(bridge, crm, interruptions);
        }
    }

    /**
     * What was written and not forced to the disk is gone, all of the calls since their last checkpoint: that is the file without its log.
     * The inbox has forced each of its commits. In the middle of a checkpoint the file is no whole one without the log, which was forced
     * before that.
     */
    private static void cutPower(BridgeProcess bridge) {
        bridge.kill();
        Unchecked.run(() -> {
            Path calls = Path.of(bridge.storeUrl().substring(StoreKind.SQLITE.prefix.length()));
            Path alone = Files.copy(calls, calls.resolveSibling("alone.db"), StandardCopyOption.REPLACE_EXISTING);
            boolean whole;
            try (Connection connection = DriverManager.getConnection(StoreKind.SQLITE.prefix + alone);
                    Statement statement = connection.createStatement(); ResultSet checked = statement.executeQuery("pragma integrity_check")) {
                whole = checked.getString(1).equals("ok");
            } catch (SQLException broken) {
                whole = false;
            }
            for (String log : whole ? List.of("-wal", "-shm") : List.<String>of()) {
                Files.deleteIfExists(Path.of(calls + log));
            }
        });
    }

    private static Interruption interrupted(BridgeProcess bridge, Runnable end) {
        long begin = System.nanoTime();
        end.run();
        Interruption interruption = new Interruption(begin, System.nanoTime());
        bridge.restart();
        return interruption;
    }

    private static void awaitDelivered(BridgeProcess bridge, TestCall call, String id) {
        await("the store knows that " + id + " is confirmed").until(() -> bridge.delivery(call.callId(), id) != null
                && words(bridge.delivery(call.callId(), id), "state").equals("delivered"));
    }

    /** The ids of what the CRM has confirmed, each as often as it did. */
    private static Collection<String> effects(FakeCrm crm, Kind kind) {
        return crm.requests(kind).stream().filter(r -> r.answered() != CrmRequest.LOST && r.effective()).map(CrmRequest::id).toList();
    }

    private static List<TestCall> calls() {
        return IntStream.range(0, MANY).mapToObj(i -> TestCall.incoming("10" + (1 + i % 5), "+790000" + (10_000 + i))).toList();
    }
}
