package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.RestContract;
import io.callbridge.support.Scenario;
import io.callbridge.support.ScenarioPlay;
import io.callbridge.support.ScenarioPlay.Order;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every scenario: as it stands, with every event twice, in all forms of the request, and with events that overtake each other. The
 * calls and the missed calls must come out the same every time.
 */
@QuarkusTest
@TestProfile(BridgeInJvm.Profile.class)
class ScenariosTest {

    @TestFactory
    Stream<DynamicTest> everyScenarioInEveryOrder() {
        BridgeInJvm bridge = BridgeInJvm.started();
        int before = bridge.crm().requests().size();
        List<DynamicTest> tests = new ArrayList<>();
        Scenario.wanted().stream().collect(Collectors.groupingBy(Scenario::settings, LinkedHashMap::new, Collectors.toList()))
                .forEach((settings, scenarios) -> {
                    Map<String, String> all = new HashMap<>(settings);
                    all.put("callbridge.crm.active", "rest");
                    bridge.use(all);
                    tests.addAll(play(bridge, scenarios));
                });
        List<String> strangers = bridge.strangers(before);
        tests.add(DynamicTest.dynamicTest("nothing outside of the scenarios", () -> assertEquals(List.of(), strangers)));
        return tests.stream();
    }

    private static List<DynamicTest> play(BridgeInJvm bridge, List<Scenario> scenarios) {
        long[] seeds = Scenario.seeds();
        List<ScenarioPlay> plays = scenarios.stream().flatMap(scenario -> Stream.of(Order.values())
                .map(order -> new ScenarioPlay(scenario, order, seeds[order.ordinal() % seeds.length]))).toList();
        RestContract contract = new RestContract(bridge.crm());
        return bridge.play(plays).entrySet().stream().map(played -> {
            List<String> differences = played.getKey().differences(played.getValue(), contract);
            return DynamicTest.dynamicTest(played.getKey().title(), () -> {
                if (!differences.isEmpty()) {
                    fail(played.getKey().report(differences, played.getValue()));
                }
            });
        }).toList();
    }
}
