package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.RestContract;
import io.callbridge.support.Scenario;
import io.callbridge.support.ScenarioPlay.Order;
import io.callbridge.support.ScenarioPlay;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every scenario: as it stands, with every event twice, in all forms of the request, and with events that overtake each other. The
 * calls and the missed calls must come out the same every time. And events that a PBX lost or sent late: what the CRM has in the end is
 * what happened.
 */
@QuarkusTest
@TestProfile(BridgeInJvm.Profile.class)
class ScenariosTest {

    private static final String BEGIN = "2025-03-04T09:00:00.000Z";

    private final BridgeInJvm bridge = BridgeInJvm.started();

    @BeforeEach
    void oneCrm() {
        bridge.use(Map.of("callbridge.crm.active", "rest"));
    }

    @TestFactory
    Stream<DynamicTest> everyScenarioInEveryOrder() {
        int before = bridge.crm().requests().size();
        List<DynamicTest> tests = new ArrayList<>();
        Scenario.wanted().stream().collect(Collectors.groupingBy(Scenario::settings, LinkedHashMap::new, Collectors.toList()))
                .forEach((settings, scenarios) -> {
                    Map<String, String> all = new HashMap<>(settings);
                    all.put("callbridge.crm.active", "rest");
                    bridge.use(all);
                    tests.addAll(play(scenarios));
                });
        List<String> strangers = bridge.strangers(before);
        tests.add(DynamicTest.dynamicTest("nothing outside of the scenarios", () -> assertEquals(List.of(), strangers)));
        return tests.stream();
    }

    private List<DynamicTest> play(List<Scenario> scenarios) {
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

    @Test
    void aCallWhoseHangupIsLostIsMissedAndServedWhenItsTrueEndComes() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.dialIn()));
        requests(Kind.CARD, call.legId(), 1);
        bridge.pass(Duration.ofMinutes(20));
        JsonNode missed = missed(call, 1);
        assertEquals(List.of("101", "phone", BEGIN, BEGIN), List.of(missed.at("/place/extension").asText(),
                missed.at("/place/type").asText(), missed.path("startedAt").asText(), missed.path("endedAt").asText()));
        bridge.webhook().accept(List.of(call.hangup()));
        assertEquals("2025-03-04T09:00:05.000Z", missed(call, 2).path("servedAt").asText());
        assertEquals(1, requests(Kind.CALL, call.legId(), 1).size());
    }

    @Test
    void aMissedCallIsNeverServedBeforeItBegan() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.givenUp()));
        assertEquals("2025-03-04T09:00:17.000Z", missed(call, 1).path("startedAt").asText());
        bridge.webhook().accept(List.of(call.answer(), call.dialIn()));
        JsonNode served = missed(call, 2);
        assertEquals("2025-03-04T09:00:05.000Z", served.path("servedAt").asText());
        assertFalse(Instant.parse(served.path("servedAt").asText()).isBefore(Instant.parse(served.path("startedAt").asText())),
                () -> "served before it began: " + served);
    }

    @Test
    void callsOfTwoPbxsWithEqualIdsAreDeliveredBoth() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        int times = 0;
        for (Webhook webhook : List.of(bridge.webhook(), bridge.webhook(BridgeInJvm.BRANCH_SECRET))) {
            webhook.accept(List.of(call.dialIn()));
            requests(Kind.CARD, call.legId(), ++times);
            webhook.accept(List.of(call.answer(), call.hangup()));
            requests(Kind.CARD_END, call.legId(), times);
            requests(Kind.CALL, call.legId(), times);
        }
        assertEquals(List.of("anna", "bertha"), requests(Kind.CALL, call.legId(), 2).stream().map(each -> each.member("user")).toList());
        assertEquals(2, bridge.crm().requests(Kind.CARD, call.legId()).size());
        assertEquals(2, bridge.crm().requests(Kind.CARD_END, call.legId()).size());
        for (String pbx : List.of("main", "branch")) {
            JsonNode found = bridge.call(call.callId() + "?pbx=" + pbx);
            assertEquals(List.of(pbx, 3), List.of(found.path("pbx").asText(), found.path("deliveries").size()));
        }
    }

    /** The missed call as it was told for the n-th time. */
    private JsonNode missed(TestCall call, int times) {
        return requests(Kind.MISSED, call.callId(), times).get(times - 1).body();
    }

    private List<CrmRequest> requests(Kind kind, String id, int times) {
        bridge.pass(Duration.ofSeconds(20));
        List<CrmRequest> requests = bridge.crm().requests(kind, id);
        assertTrue(requests.size() >= times, () -> kind + " " + id + ": " + requests);
        return requests;
    }
}
