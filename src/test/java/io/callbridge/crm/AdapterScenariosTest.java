package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Scenario;
import io.callbridge.support.ScenarioPlay.Order;
import io.callbridge.support.ScenarioPlay;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every scenario with all CRMs active at once. What the REST contract's CRM must have got is {@code ScenariosTest}'s matter; here
 * each other CRM must hold the same calls and missed calls, and have shown the same cards, as far as it can, in its own words.
 */
@QuarkusTest
@TestProfile(BridgeInJvm.Profile.class)
class AdapterScenariosTest {

    private static final Map<CrmRequest.Kind, Kind> KINDS = Map.of(CrmRequest.Kind.CARD, Kind.CARD, CrmRequest.Kind.CARD_END, Kind.CARD_END,
            CrmRequest.Kind.CALL, Kind.CALL, CrmRequest.Kind.MISSED, Kind.MISSED);

    @TestFactory
    Stream<DynamicTest> everyScenarioAtEveryCrm() {
        return play(false);
    }

    /** One answer in three of each CRM is lost after the request was performed. Cards are worth little, and may be missing then. */
    @TestFactory
    Stream<DynamicTest> everyScenarioAtEveryCrmThatLosesAnswers() {
        return play(true);
    }

    private static Stream<DynamicTest> play(boolean losing) {
        BridgeInJvm bridge = BridgeInJvm.started();
        FakeCrm rest = bridge.crm();
        Map<String, Map<String, Long>> shownBefore = bridge.labs().stream()
                .collect(Collectors.toMap(AdapterLab::crm, lab -> counts(shown(lab, lab.effects().get()))));
        int before = rest.requests().size();
        bridge.losing(losing);
        List<ScenarioPlay> plays = new ArrayList<>();
        Scenario.wanted().stream().collect(Collectors.groupingBy(Scenario::settings, LinkedHashMap::new, Collectors.toList()))
                .forEach((settings, scenarios) -> {
                    List<ScenarioPlay> some = scenarios.stream().map(scenario -> new ScenarioPlay(scenario, Order.IN_ORDER, 0)).toList();
                    bridge.use(settings);
                    bridge.play(some);
                    plays.addAll(some);
                });
        bridge.losing(false);
        List<DynamicTest> tests = new ArrayList<>();
        for (AdapterLab lab : bridge.labs()) {
            List<CrmEffect> effects = lab.effects().get();
            for (ScenarioPlay play : plays) {
                Set<String> some = play.scenario().ids();
                String expected = expected(lab, rest.requests(some), losing);
                String held = held(lab, effects, some, losing);
                tests.add(DynamicTest.dynamicTest(lab.crm() + (losing ? " losing " : " ") + play.title(),
                        () -> assertEquals(expected, held, () -> requests(lab, some))));
            }
            tests.add(DynamicTest.dynamicTest(lab.crm() + ": nothing outside of the scenarios", () -> assertEquals(List.of(),
                    effects.stream().filter(effect -> effect.id() != null && !bridge.isKnown(id(effect))).toList())));
            if (!losing) {
                Map<String, Long> cards = counts(rest.requests().stream().skip(before).filter(card -> card.kind() == CrmRequest.Kind.CARD)
                        .filter(card -> lab.showsCardOf(numberOf(card))).map(card -> AdapterLab.userOf(card.member("user"))));
                Map<String, Long> shown = counts(shown(lab, effects));
                shownBefore.get(lab.crm()).forEach((user, count) -> shown.merge(user, -count, Long::sum));
                tests.add(DynamicTest.dynamicTest(lab.crm() + ": as many cards for everybody", () -> assertEquals(cards, shown)));
            }
            List<String> dead = bridge.dead(lab.crm());
            tests.add(DynamicTest.dynamicTest(lab.crm() + ": no dead letter", () -> assertEquals(List.of(), dead)));
        }
        return tests.stream();
    }

    /** What the REST contract says about a scenario, as this CRM is to keep it. The last word about an id counts. */
    private static String expected(AdapterLab lab, List<CrmRequest> requests, boolean losing) {
        Map<String, String> expected = new TreeMap<>();
        for (CrmRequest request : requests) {
            Kind kind = KINDS.get(request.kind());
            if (kind != null && lab.shows().contains(kind)
                    && (!fleeting(kind) || compared(lab, losing) && lab.showsCardOf(cardNumber(request, requests)))) {
                String line = fleeting(kind) ? "" : line(lab, kind, request.body());
                expected.put(key(lab, kind, request.id(), line), line);
            }
        }
        return lines(expected);
    }

    private static String held(AdapterLab lab, List<CrmEffect> effects, Set<String> ids, boolean losing) {
        Map<String, String> held = new TreeMap<>();
        for (CrmEffect effect : effects) {
            if (effect.id() != null && ids.contains(id(effect)) && lab.shows().contains(effect.kind())
                    && (!fleeting(effect.kind()) || compared(lab, losing))) {
                String line = fleeting(effect.kind()) ? "" : String.join(", ", text(effect.user()), text(effect.number()),
                        effect.direction(), text(effect.status()), String.valueOf(effect.seconds()), String.valueOf(effect.startedAt()));
                held.merge(key(lab, effect.kind(), id(effect), line), line, (one, other) -> one + " AND AGAIN " + other);
            }
        }
        return lines(held);
    }

    private static boolean fleeting(Kind kind) {
        return kind == Kind.CARD || kind == Kind.CARD_END;
    }

    /** Cards of amoCRM do not know which leg they are of. */
    private static boolean compared(AdapterLab lab, boolean losing) {
        return !losing && !lab.crm().equals("amocrm");
    }

    /** vtiger keeps the first talk of a call under the id of the call. */
    private static String key(AdapterLab lab, Kind kind, String id, String line) {
        return kind + " " + (lab.crm().equals("vtiger") ? line : id);
    }

    /** Leg or call: what is a missed call in front of it is one by its result. */
    private static String id(CrmEffect effect) {
        return effect.id().replaceFirst("^missed-", "");
    }

    private static Stream<String> shown(AdapterLab lab, List<CrmEffect> effects) {
        return effects.stream().filter(effect -> effect.kind() == Kind.CARD && lab.shows().contains(Kind.CARD)).map(AdapterLab::cardOf);
    }

    private static Map<String, Long> counts(Stream<String> users) {
        return users.collect(Collectors.groupingBy(user -> user, TreeMap::new, Collectors.counting()));
    }

    /** The end of a card is that of the number of its card. */
    private static String cardNumber(CrmRequest end, List<CrmRequest> requests) {
        return requests.stream().filter(card -> card.kind() == CrmRequest.Kind.CARD && card.id().equals(end.id())).findFirst()
                .map(AdapterScenariosTest::numberOf).orElse("");
    }

    private static String numberOf(CrmRequest request) {
        return request.body() == null ? "" : request.body().path("number").asText("");
    }

    /** vtiger knows who answered, and nobody else; amoCRM has neither an employee nor a result of a call without a number. */
    private static String line(AdapterLab lab, Kind kind, JsonNode body) {
        String number = body.path("number").asText("");
        boolean lead = number.isEmpty() && lab.crm().equals("amocrm");
        boolean missed = kind == Kind.MISSED;
        return String.join(", ",
                lead || missed && lab.crm().equals("vtiger") ? "" : AdapterLab.userOf(body.path("user").asText("")), lab.party(number),
                missed ? "in" : body.path("direction").asText(), lead ? "" : lab.status(missed ? "missed" : body.path("result").asText()),
                Long.toString(body.path("talkSeconds").asLong()),
                Long.toString(Instant.parse(body.path("startedAt").asText()).getEpochSecond()));
    }

    private static String text(String value) {
        return value == null ? "" : value;
    }

    private static String lines(Map<String, String> entries) {
        return entries.entrySet().stream().map(entry -> entry.getKey() + ": " + entry.getValue()).collect(Collectors.joining("\n"));
    }

    private static String requests(AdapterLab lab, Set<String> ids) {
        return lab.standIn().requests().stream().filter(request -> ids.stream().anyMatch((request.query() + request.text())::contains))
                .map(request -> request.method() + " " + request.path() + " " + request.query() + " " + request.text())
                .collect(Collectors.joining("\n", "\n--- requests ---\n", "\n"));
    }
}
