package io.callbridge.crm;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Scenario;
import io.callbridge.support.ScenarioPlayer;
import io.callbridge.support.ScenarioPlayer.Played;
import io.callbridge.support.ScenarioVerdict;
import io.callbridge.support.ScenarioVerdict.Comparison;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Plays every scenario against the packaged application with all CRMs active at once. What the REST contract's CRM must have got is
 * {@code ScenariosIT}'s matter; here each other CRM must hold the same calls and missed calls, and have shown the same
 * cards, as far as it can, in its own words.
 */
class AdapterScenariosIT {

    private static final Duration STAGGER = Duration.ofMillis(400);
    private static final Duration PATIENCE = Duration.ofSeconds(180);
    /** What is not there by then was missed by a busy machine, and by all CRMs alike. */
    private static final Duration OVERDUE = Duration.ofSeconds(20);

    private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(4);

    @AfterEach
    void stopTheClock() {
        clock.shutdownNow();
    }

    @TestFactory
    Stream<DynamicTest> everyScenarioAtEveryCrm() {
        return play(false);
    }

    /** One answer in three of each CRM is lost after the request was performed. Cards are worth little, and may be missing then. */
    @TestFactory
    Stream<DynamicTest> everyScenarioAtEveryCrmThatLosesAnswers() {
        return play(true);
    }

    private Stream<DynamicTest> play(boolean losing) {
        Map<Map<String, String>, List<Scenario>> groups = Scenario.all().stream()
                .collect(Collectors.groupingBy(Scenario::settings, LinkedHashMap::new, Collectors.toList()));
        return groups.entrySet().stream().flatMap(group -> play(group.getKey(), group.getValue(), losing)).toList().stream();
    }

    private Stream<DynamicTest> play(Map<String, String> settings, List<Scenario> scenarios, boolean losing) {
        List<AdapterLab> labs = AdapterLab.all();
        Map<String, String> all = new HashMap<>(settings);
        all.put("callbridge.crm.active", "rest," + labs.stream().map(AdapterLab::crm).collect(Collectors.joining(",")));
        labs.forEach(lab -> all.putAll(lab.settings()));
        if (losing) {
            labs.forEach(AdapterLab::loseAnswers);
        }
        try (FakeCrm rest = new FakeCrm(); BridgeProcess bridge = BridgeProcess.builder().crm(rest).quickRetries().settings(all).start()) {
            ScenarioPlayer player = new ScenarioPlayer(List.of(bridge.webhook()), clock);
            List<CompletableFuture<Played>> plays = new ArrayList<>();
            for (int i = 0; i < scenarios.size(); i++) {
                plays.add(player.play(ScenarioPlayer.inOrder(scenarios.get(i)), STAGGER.multipliedBy(i)));
            }
            plays.forEach(CompletableFuture::join);
            long sent = System.nanoTime();
            await("what the scenarios expect").atMost(PATIENCE).until(() -> System.nanoTime() - sent > OVERDUE.toNanos()
                    || scenarios.stream().allMatch(scenario -> new ScenarioVerdict(scenario, Comparison.EVERYTHING)
                            .missing(rest.requests(scenario.ids())).isEmpty()));
            await("nothing is to be delivered").atMost(PATIENCE).pollDelay(ScenarioPlayer.DELAY.multipliedBy(3))
                    .pollInterval(ScenarioPlayer.DELAY)
                    .untilAsserted(() -> assertEquals(List.of(), deliveries(bridge, "pending", ""), bridge::tail));
            List<DynamicTest> tests = new ArrayList<>();
            String tail = bridge.tail();
            for (AdapterLab lab : labs) {
                List<CrmEffect> effects = lab.effects();
                for (Scenario scenario : scenarios) {
                    Map<String, String> expected = expected(lab, rest.requests(scenario.ids()), losing);
                    Map<String, String> held = held(lab, effects, scenario.ids(), losing);
                    tests.add(DynamicTest.dynamicTest(lab.crm() + (losing ? " losing " : " ") + scenario.id() + ": " + scenario.title(),
                            () -> assertEquals(lines(expected), lines(held), () -> requests(lab, scenario.ids()) + tail)));
                }
                Set<String> ids = scenarios.stream().flatMap(scenario -> scenario.ids().stream()).collect(Collectors.toSet());
                tests.add(DynamicTest.dynamicTest(lab.crm() + ": nothing outside of the scenarios", () -> assertEquals(List.of(), effects.stream()
                        .filter(effect -> effect.id() != null && !ids.contains(AdapterLab.idOf(effect))).toList())));
                if (lab.shows(Kind.CARD) && !losing) {
                    Map<String, Long> cards = cards(rest.requests(CrmRequest.Kind.CARD).stream().filter(card -> lab.showsCardOf(numberOf(card)))
                            .map(card -> AdapterLab.userOf(card.member("user"))));
                    tests.add(DynamicTest.dynamicTest(lab.crm() + ": as many cards for everybody", () -> assertEquals(cards,
                            cards(effects.stream().filter(effect -> effect.kind() == Kind.CARD).map(AdapterLab::cardOf)))));
                }
                List<String> dead = deliveries(bridge, "dead", "&crm=" + lab.crm());
                tests.add(DynamicTest.dynamicTest(lab.crm() + ": no dead letter", () -> assertEquals(List.of(), dead)));
            }
            return tests.stream();
        } finally {
            labs.forEach(AdapterLab::close);
        }
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
            if (kind != null && lab.shows(kind) && (!fleeting(kind) || lab.namesCards()) && (!fleeting(kind) || !losing && lab.showsCardOf(cardNumber(request, requests)))) {
                String line = fleeting(kind) ? "" : line(lab, kind, request.body());
                expected.put(key(lab, kind, request.id(), line), line);
            }
        }
        return expected;
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
                .map(AdapterScenariosIT::numberOf).orElse("");
    }

    private static String numberOf(CrmRequest request) {
        return request.body() == null ? "" : request.body().path("number").asText("");
    }

    private static String line(AdapterLab lab, Kind kind, JsonNode body) {
        String user = body.path("user").asText("");
        String number = body.path("number").asText("");
        String result = kind == Kind.MISSED ? "missed" : body.path("result").asText();
        boolean lead = lab.isLead(number);
        return String.join(", ", lead || user.isEmpty() || kind == Kind.MISSED && !lab.knowsWhoMissed() ? "" : AdapterLab.userOf(user), lab.party(number),
                kind == Kind.MISSED ? "in" : body.path("direction").asText(), lead ? "" : lab.status(result),
                Long.toString(body.path("talkSeconds").asLong()), Long.toString(Instant.parse(body.path("startedAt").asText()).getEpochSecond()));
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

    private static List<String> deliveries(BridgeProcess bridge, String state, String more) {
        try {
            List<String> found = new ArrayList<>();
            StandIn.JSON.readTree(bridge.get("/api/deliveries?limit=50&state=" + state + more).body()).path("deliveries")
                    .forEach(delivery -> found.add(delivery.toString()));
            return found;
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }
}
