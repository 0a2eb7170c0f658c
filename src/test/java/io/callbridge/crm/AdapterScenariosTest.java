package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Scenario;
import io.callbridge.support.ScenarioPlay;
import io.callbridge.support.ScenarioPlay.Order;
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
        Map<String, Map<String, Long>> shownBefore = bridge.labs().stream().filter(lab -> lab.shows(Kind.CARD))
                .collect(Collectors.toMap(AdapterLab::crm, AdapterScenariosTest::shown));
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
            List<CrmEffect> effects = lab.effects();
            for (ScenarioPlay play : plays) {
                Set<String> some = play.scenario().ids();
                Map<String, String> expected = expected(lab, rest.requests(some), losing);
                Map<String, String> held = held(lab, effects, some, losing);
                tests.add(DynamicTest.dynamicTest(lab.crm() + (losing ? " losing " : " ") + play.title(),
                        () -> assertEquals(lines(expected), lines(held), () -> requests(lab, some))));
            }
            tests.add(DynamicTest.dynamicTest(lab.crm() + ": nothing outside of the scenarios",
                    () -> assertEquals(List.of(), effects.stream().filter(effect -> effect.id() != null
                            && !bridge.isKnown(AdapterLab.idOf(effect))).toList())));
            if (lab.shows(Kind.CARD) && !losing) {
                Map<String, Long> cards = cards(rest.requests().stream().skip(before).filter(card -> card.kind() == CrmRequest.Kind.CARD)
                        .filter(card -> lab.showsCardOf(numberOf(card))).map(card -> AdapterLab.userOf(card.member("user"))));
                Map<String, Long> shown = shown(lab);
                shownBefore.get(lab.crm()).forEach((user, count) -> shown.merge(user, -count, Long::sum));
                tests.add(DynamicTest.dynamicTest(lab.crm() + ": as many cards for everybody", () -> assertEquals(cards, shown)));
            }
            List<String> dead = bridge.dead(lab.crm());
            tests.add(DynamicTest.dynamicTest(lab.crm() + ": no dead letter", () -> assertEquals(List.of(), dead)));
        }
        return tests.stream();
    }

    /** What the REST contract says about a scenario, as this CRM is to keep it. The last word about an id counts. */
    private static Map<String, String> expected(AdapterLab lab, List<CrmRequest> requests, boolean losing) {
        Map<String, String> expected = new TreeMap<>();
        for (CrmRequest request : requests) {
            Kind kind = switch (request.kind()) {
                case CARD -> Kind.CARD;
                case CARD_END -> Kind.CARD_END;
                case CALL -> Kind.CALL;
                case MISSED -> Kind.MISSED;
                default -> null;
            };
            if (kind != null && lab.shows(kind) && (!fleeting(kind)
                    || lab.namesCards() && !losing && lab.showsCardOf(cardNumber(request, requests)))) {
                String line = fleeting(kind) ? "" : line(lab, kind, request.body());
                expected.put(key(lab, kind, request.id(), line), line);
            }
        }
        return expected;
    }

    /** How many cards everybody was shown so far. */
    private static Map<String, Long> shown(AdapterLab lab) {
        return cards(lab.effects().stream().filter(effect -> effect.kind() == Kind.CARD).map(AdapterLab::cardOf));
    }

    private static Map<String, Long> cards(Stream<String> users) {
        return users.collect(Collectors.groupingBy(user -> user, TreeMap::new, Collectors.counting()));
    }

    private static boolean fleeting(Kind kind) {
        return kind == Kind.CARD || kind == Kind.CARD_END;
    }

    /** The end of a card is that of the number of its card. */
    private static String cardNumber(CrmRequest end, List<CrmRequest> requests) {
        return requests.stream().filter(card -> card.kind() == CrmRequest.Kind.CARD && card.id().equals(end.id())).findFirst()
                .map(AdapterScenariosTest::numberOf).orElse("");
    }

    private static String numberOf(CrmRequest request) {
        return request.body() == null ? "" : request.body().path("number").asText("");
    }

    private static String line(AdapterLab lab, Kind kind, JsonNode body) {
        String user = body.path("user").asText("");
        String number = body.path("number").asText("");
        String result = kind == Kind.MISSED ? "missed" : body.path("result").asText();
        boolean lead = lab.isLead(number);
        return String.join(", ",
                lead || user.isEmpty() || kind == Kind.MISSED && !lab.knowsWhoMissed() ? "" : AdapterLab.userOf(user), lab.party(number),
                kind == Kind.MISSED ? "in" : body.path("direction").asText(), lead ? "" : lab.status(result),
                Long.toString(body.path("talkSeconds").asLong()),
                Long.toString(Instant.parse(body.path("startedAt").asText()).getEpochSecond()));
    }

    private static Map<String, String> held(AdapterLab lab, List<CrmEffect> effects, Set<String> ids, boolean losing) {
        Map<String, String> held = new TreeMap<>();
        for (CrmEffect effect : effects) {
            String id = effect.id() == null ? null : AdapterLab.idOf(effect);
            if (id != null && ids.contains(id) && lab.shows(effect.kind()) && (!fleeting(effect.kind()) || !losing && lab.namesCards())) {
                String line = fleeting(effect.kind()) ? "" : String.join(", ", text(effect.user()), text(effect.number()),
                        effect.direction(), text(effect.status()), String.valueOf(effect.seconds()), String.valueOf(effect.startedAt()));
                held.merge(key(lab, effect.kind(), id, line), line, (one, other) -> one + " AND AGAIN " + other);
            }
        }
        return held;
    }

    private static String key(AdapterLab lab, Kind kind, String id, String line) {
        return kind + " " + (lab.namesLegs() ? id : line);
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
