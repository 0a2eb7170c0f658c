package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.callbridge.crm.AdapterLab;
import io.callbridge.platform.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.RestContract;
import io.callbridge.support.Scenario;
import io.callbridge.support.ScenarioPlay.Order;
import io.callbridge.support.ScenarioPlay;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * The scenarios against what was packaged, all at the same time: on SQLite with all CRMs, and over three replicas on PostgreSQL. What
 * needs exact times is said by {@link ScenariosTest}; here an event is sent when the cards of those before it were shown, and nothing
 * waits for a clock. The scenarios with settings of their own would need processes of their own, and are left to it as well.
 */
class ScenariosIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);
    /** A card that is not there by then will be missed in the verdict. */
    private static final Duration SOON = Duration.ofSeconds(20);
    /** Longer than a busy machine needs from one event of a call to the next. */
    private static final Map<String, String> DELAYS = Map.of("callbridge.calls.missed-delay", "4s", "callbridge.calls.settle-delay", "4s");

    @TestFactory
    @Tag("native")
    Stream<DynamicTest> everyScenarioInOrder() {
        List<AdapterLab> labs = AdapterLab.all();
        Map<String, String> settings = new HashMap<>(DELAYS);
        labs.forEach(lab -> settings.putAll(lab.settings()));
        settings.put("callbridge.crm.active", "rest," + labs.stream().map(AdapterLab::crm).collect(Collectors.joining(",")));
        try (FakeCrm crm = new FakeCrm(); BridgeProcess bridge = BridgeProcess.builder().crm(crm).settings(settings).start()) {
            List<DynamicTest> tests = new ArrayList<>(play(Order.IN_ORDER, crm, List.of(bridge)));
            await("nothing waits for a CRM").atMost(PATIENCE).until(() -> bridge.get("/api/deliveries?state=pending").body()
                    .contains("\"deliveries\":[]"));
            String dead = bridge.get("/api/deliveries?state=dead").body();
            tests.add(DynamicTest.dynamicTest("no CRM refused anything", () -> assertEquals(List.of(), dead.contains("\"deliveries\":[]")
                    ? List.of() : List.of(dead))));
            return tests.stream();
        } finally {
            labs.forEach(AdapterLab::close);
        }
    }

    /**
     * The events of each call come to three replicas at random, each one twice, every other one to two replicas at once. With one
     * replica, nothing on PostgreSQL is done that is not done here.
     */
    @TestFactory
    Stream<DynamicTest> everyScenarioSprayedOverThreeReplicas() {
        try (FakeCrm crm = new FakeCrm();
                BridgeProcess one = BridgeProcess.builder().store(StoreKind.POSTGRESQL).crm(crm).settings(DELAYS).start();
                BridgeProcess two = BridgeProcess.builder().storeOf(one).crm(crm).settings(DELAYS).start();
                BridgeProcess three = BridgeProcess.builder().storeOf(one).crm(crm).settings(DELAYS).start()) {
            return play(Order.TWICE, crm, List.of(one, two, three)).stream();
        }
    }

    private static List<DynamicTest> play(Order order, FakeCrm crm, List<BridgeProcess> bridges) {
        List<Webhook> webhooks = bridges.stream().map(BridgeProcess::webhook).toList();
        List<ScenarioPlay> plays = Scenario.wanted().stream().filter(scenario -> scenario.settings().isEmpty())
                .map(scenario -> new ScenarioPlay(scenario, order, 0)).toList();
        ExecutorService senders = Executors.newFixedThreadPool(plays.size());
        try {
            List<CompletableFuture<Void>> sent = plays.stream()
                    .map(play -> CompletableFuture.runAsync(() -> send(play, crm, bridges.get(0), webhooks), senders)).toList();
            sent.forEach(CompletableFuture::join);
        } finally {
            senders.shutdownNow();
        }
        // Its verdict comes when those of all calls before it are due.
        Set<String> known = new HashSet<>();
        for (Webhook webhook : webhooks) {
            TestCall last = TestCall.incoming("101", "+79000000899");
            known.addAll(List.of(last.callId(), last.legId()));
            webhook.accept(List.of(last.givenUp()));
            await("the last missed call").atMost(PATIENCE).until(() -> crm.has(CrmRequest.Kind.MISSED, last.callId()));
        }
        settled("everything", PATIENCE, () -> plays.stream().allMatch(play -> play.isComplete(crm.requests(play.scenario().ids()))));
        String tail = bridges.stream().map(BridgeProcess::tail).collect(Collectors.joining());
        List<DynamicTest> tests = new ArrayList<>();
        // A process that is cold may be slow to ask who calls, and a card does not wait for it.
        RestContract contract = new RestContract(crm, false);
        for (ScenarioPlay play : plays) {
            known.addAll(play.scenario().ids());
            List<CrmRequest> received = crm.requests(play.scenario().ids());
            List<String> differences = play.differences(received, contract);
            tests.add(DynamicTest.dynamicTest(play.title(), () -> {
                if (!differences.isEmpty()) {
                    fail(play.report(differences, received) + tail);
                }
            }));
        }
        List<CrmRequest> strangers = crm.requests().stream()
                .filter(request -> request.kind() != CrmRequest.Kind.ENTITY && !known.contains(request.id())).toList();
        tests.add(DynamicTest.dynamicTest("nothing outside of the scenarios", () -> assertEquals(List.of(), strangers)));
        return tests;
    }

    private static void send(ScenarioPlay play, FakeCrm crm, BridgeProcess bridge, List<Webhook> webhooks) {
        Set<String> rings = new HashSet<>();
        for (ScenarioPlay.Step step : play.steps()) {
            // Hours later an id that was used is another leg's.
            String leg = String.valueOf(step.event().fields().get("SubCallID")).toLowerCase(Locale.ROOT)
                    + (String.valueOf(step.event().fields().get("EventTime")).compareTo("1741090000000000") > 0 ? "~2" : "");
            // Phones may ring at the same time; whatever else comes may end a card.
            boolean first = rings.add(leg) && String.valueOf(step.event().fields().get("EventType")).startsWith("dial");
            if (!first) {
                Set<String> shown = play.scenario().cards();
                shown.retainAll(rings);
                settled("cards", SOON, () -> shown.stream().allMatch(card -> crm.has(CrmRequest.Kind.CARD, card)));
            }
            play.send(step, webhooks);
            if ("answer".equals(step.event().fields().get("EventType"))) {
                // A hangup that comes to another replica is told who took the call when the answer is in the document, not before.
                String call = "/api/calls/" + step.event().fields().get("CallID");
                settled("answer", SOON, () -> !bridge.get(call).body().contains("\"processed\":false"));
            }
        }
    }

    /** What does not come in time is for the verdict. */
    private static void settled(String what, Duration time, Callable<Boolean> condition) {
        try {
            await(what).atMost(time).pollInterval(Duration.ofMillis(20)).until(condition);
        } catch (ConditionTimeoutException late) {
            return;
        }
    }
}
