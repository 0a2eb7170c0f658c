package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.process.StaleLookException;
import io.callbridge.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.Exchange;
import org.apache.camel.processor.aggregate.MemoryAggregationRepository;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is decided of which facts, and that nothing is committed before it. */
class ProcessRoutesTest {

    /** Anna at 101 has talked to somebody outside who called. */
    private static final Map<String, Object> LEG = facts("""
            legId=71101-a1 callId=c1 direction=in extension=101 extensionType=phone !container !trunk !joined !lost lostHow= bridged= !local
            party=+79000000010 !forwarded !forwardedAsOutgoing answered result=answered registered= ended over settled mapped defaultUser=
            !callBack !calledFromInside !containerSeen subject=71101-a1""");
    /** Her phone has just begun to ring. */
    private static final Map<String, Object> CARD = with(LEG, facts(
            "!answered result=unknown !ended !over !settled !shown !told !hidden fresh end= answeredBy="));
    /** A call from outside that rang at phones and is over; nobody answered, no container took part. */
    private static final Map<String, Object> MISSED = facts("""
            due allOver !container !bridged !ownCaller !ivrBridged !answered !lost rang place=101 !written withoutContainer
            !suppressIfAnswered !needsIvrNo""");

    /** In the order of the file. The facts that are not ordinary, {@code !} before those that are false; and what is asked for. */
    private static final String CARDS = """
            somebody else answered         | shown !hidden end=answered-elsewhere | endCard, explainCard R21
            the end never came             | shown !hidden end=expired            | endCard, explainCard R50
            answered here, and over        | shown !hidden end=ended              | endCard, explainCard R24
            nobody answered                | shown !hidden end=unanswered         | endCard, explainCard R24
            a local call came in           | local direction=in !shown            | explainCard R12
            a local call goes out          | local direction=out !shown           | explainCard R29
            a forwarding rule made the leg | forwarded                            | explainCard R32
            a colleague handed it over     | joined                               | explainCard R12
            an extension of no user        | !mapped                              | explainCard R52
            an event from long ago         | !fresh                               | explainCard R49
            + a card                       |                                      | showCard, explainCard R10
            + a card for who calls out     | direction=out                        | showCard, explainCard R10
            + none for the default user    | !mapped defaultUser=desk             | explainCard R52
            + on show, and the phone rings | shown                                |
            + ended before                 | shown hidden end=ended               |
            + faster than the card         | end=answered-elsewhere               |
            + too late for a card          | over                                 |
            + answered is told             | shown answered                       | answer
            + answered is told once        | shown answered told                  |
            """;
    private static final String CALLS_MISSED = """
            not due yet                       | !due                                   | explainMissed R42
            connected after it was written    | container bridged written              | registerServed, explainMissed R45
            connected                         | container bridged                      | explainMissed R35
            an own extension called           | container ownCaller                    | explainMissed R38
            the IVR connected, no is needed   | container needsIvrNo ivrBridged        | explainMissed R39
            somebody talked, that is enough   | container suppressIfAnswered answered  | explainMissed R43
            not connected                     | container                              | registerMissed, explainMissed R36
            answered after it was written     | answered written                       | registerServed, explainMissed R45
            answered                          | answered                               | explainMissed R46
            a leg was lost                    | lost                                   | explainMissed R50
            no phone was rung from outside    | !rang                                  | explainMissed R46
            only containers count             | !withoutContainer                      | explainMissed R46
            a phone still rings               | !allOver                               | explainMissed R46
            + nobody answered                 |                                        | registerMissed, explainMissed R46
            + nobody answered, once more      | written                                | registerMissed, explainMissed R46
            + not connected, once more        | container written                      | registerMissed, explainMissed R36
            + the IVR connected, not asked    | container ivrBridged                   | registerMissed, explainMissed R36
            + the IVR's no is there           | container needsIvrNo                   | registerMissed, explainMissed R36
            + talked, but that is not enough  | container answered                     | registerMissed, explainMissed R36
            + nobody talked                   | container suppressIfAnswered           | registerMissed, explainMissed R36
            """;
    private static final String OUTCOMES = """
            a container                       | container                                               | explainCall R34
            something may be on its way       | ended !settled                                          | explainCall R49
            no hangup yet                     | !over                                                   | explainCall R50
            the outside party's own line      | trunk                                                   | explainCall R24
            a caller who is an extension      | local direction=in                                      | explainCall R12
            an extension was called           | local direction=out                                     | explainCall R29
            forwarded for a colleague         | forwarded !forwardedAsOutgoing calledFromInside         | explainCall R12
            forwarded, not answered           | forwarded !answered !forwardedAsOutgoing                | explainCall R32
            forwarded for nobody              | forwarded !mapped defaultUser= !forwardedAsOutgoing     | explainCall R52
            forwarded and answered            | forwarded !forwardedAsOutgoing                          | registerForwarded, explainCall R32
            lost before anybody knows         | direction=in !answered lost                             | explainCall R50
            nobody answered here              | direction=in !answered                                  | explainCall R24
            through the API, into a container | direction=out callBack containerSeen                    | explainCall R44
            its answer came too late          | registered=no-answer answered                           | explainCall R49
            nobody to register it for         | !mapped defaultUser=                                    | explainCall R52
            the default user, not answered    | direction=out !mapped defaultUser=desk !answered        | explainCall R52
            its end was lost                  | lost                                                    | registerCall, explainCall R50
            an incoming call                  | direction=in                                            | registerCall, explainCall R23
            + an outgoing call                | direction=out                                           | registerCall, explainCall R30
            + outgoing, not answered          | direction=out !answered                                 | registerCall, explainCall R30
            + given up without a hangup       | !ended !settled                                         | registerCall, explainCall R23
            + through the API, no container   | direction=out callBack                                  | registerCall, explainCall R30
            + by hand into a container        | direction=out containerSeen                             | registerCall, explainCall R30
            + incoming with a CallBackID      | callBack containerSeen                                  | registerCall, explainCall R23
            + incoming for the default user   | !mapped defaultUser=desk                                | registerCall, explainCall R23
            + its end came after giving up    | registered=unknown                                      | registerCall, explainCall R23
            + its recording came later        | registered=answered                                     | registerCall, explainCall R23
            + forwarded as an outgoing call   | direction=out forwarded forwardedAsOutgoing calledFromInside | registerCall, explainCall R30
            + forwarded for the default user  | forwarded !mapped defaultUser=desk                      | registerForwarded, explainCall R32
            """;
    private static final Pattern FACT = Pattern.compile("facts\\.put\\(\"([A-Za-z]+)\"");

    @AutoClose
    private final RouteHarness decisions = RouteHarness.of("process-card", "process-missed", "process-outcome")
            .bean("legRepository", new MemoryAggregationRepository(true)).bean("legStrategy", (AggregationStrategy) (old, event) -> event).start();
    @AutoClose
    private final RouteHarness looks = RouteHarness.of("process-event", "process-reprocess").on("legFacts", exchange -> LEG).start();

    private record Branch(String name, Map<String, Object> facts, String expected) {

        private boolean wants(Map<String, Object> all) {
            return all.entrySet().containsAll(facts.entrySet());
        }

        private boolean canAlsoBe(Branch other) {
            return facts.entrySet().stream().allMatch(fact -> fact.getValue()
                    .equals(other.facts.getOrDefault(fact.getKey(), fact.getValue())));
        }
    }

    /**
     * Each branch is tried with the facts that select it, and with those of every later branch that can be true at the same time: the
     * first that fits counts. A {@code +}: a case that no branch before wants, or one more that the same branch wants.
     */
    @TestFactory
    Stream<DynamicTest> theFirstThatFitsCounts() {
        decisions.on("cardFacts.legs", exchange -> List.of(exchange.getMessage().getBody()));
        return Stream.of(branches("process-card", CARD, CARDS), branches("process-missed", MISSED, CALLS_MISSED),
                branches("process-outcome", LEG, OUTCOMES)).flatMap(List::stream);
    }

    private List<DynamicTest> branches(String route, Map<String, Object> ordinary, String table) {
        List<Branch> all = table.lines().map(line -> line.split(" *\\| *", -1)).map(row -> new Branch(row[0], facts(row[1]), row[2]))
                .toList();
        List<DynamicTest> tests = new ArrayList<>();
        for (Branch first : all) {
            tests.add(DynamicTest.dynamicTest(first.name, () -> check(route, with(ordinary, first.facts), first.expected)));
            List<Branch> before = all.subList(0, all.indexOf(first));
            for (Branch second : all.subList(before.size() + 1, all.size())) {
                Map<String, Object> both = with(with(ordinary, first.facts), second.facts);
                if (!first.name.startsWith("+") && !second.name.startsWith("+") && first.canAlsoBe(second)
                        && before.stream().noneMatch(branch -> branch.wants(both))) {
                    tests.add(DynamicTest.dynamicTest(first.name + ", before: " + second.name, () -> check(route, both, first.expected)));
                }
            }
        }
        return tests;
    }

    private void check(String route, Map<String, Object> facts, String expected) {
        decisions.send(route, facts);
        assertEquals(expected, String.join(", ", decisions.asked()), facts.toString());
        decisions.steps().stream().filter(step -> step.name().startsWith("effects.explain"))
                .forEach(step -> assertTrue(String.valueOf(step.variables().get("because")).length() > 14, "a reason is given"));
    }

    /** These tables are worth as much as their facts. */
    @Test
    void theFactsHaveTheNamesThatTheBeansGiveThem() throws IOException {
        Set<String> leg = names("LegFacts");
        assertEquals(leg, LEG.keySet());
        leg.addAll(names("CardFacts"));
        assertEquals(leg, CARD.keySet());
        assertEquals(names("MissedFacts"), MISSED.keySet());
    }

    private static Set<String> names(String bean) throws IOException {
        return FACT.matcher(Files.readString(Path.of("src/main/java/io/callbridge/process/" + bean + ".java"))).results()
                .map(fact -> fact.group(1)).collect(Collectors.toCollection(TreeSet::new));
    }

    /** No leg's decision becomes another's, nor one of the call; what comes after the cards is the work as it came. */
    @Test
    void oneEventEndsTheCardOfEveryPhoneThatRang() {
        Map<String, Object> work = Map.of("pbx", "main", "callId", "c1");
        Map<String, Object> ends = with(CARD, facts("shown end=ended"));
        decisions.on("cardFacts.legs", exchange -> List.of(with(CARD, facts("shown")), ends, with(CARD, facts("over")), CARD));
        Exchange exchange = decisions.send("process-card", work);
        assertEquals(List.of("endCard", "explainCard R24", "showCard", "explainCard R10"), decisions.asked());
        assertNull(decisions.step("effects.showCard").variables().get("because"));
        assertSame(work, exchange.getMessage().getBody());
        assertNull(exchange.getVariable("because"));
    }

    /** It is the look's; only what fails behind the aggregator has to be noted there. */
    @ParameterizedTest
    @CsvSource({"process-calls, effects.registerCall, 'registerCall, fail'", "process-missed, effects.registerMissed, registerMissed",
        "process-outcome, effects.registerCall, registerCall", "process-missed, missedFacts, ''", "process-card, effects.endCard, 'endCard, showCard, explainCard R10'",
        "process-card, cardFacts.legs, ''"})
    void aFailureIsNotedAndNothingIsExplained(String route, String failing, String asked) {
        decisions.on("cardFacts.legs", exchange -> List.of(with(CARD, facts("shown end=ended")), CARD));
        Exchange exchange = decisions.fail(failing, new IllegalStateException("broken")).send(route, route.equals("process-missed") ? MISSED : LEG);
        assertEquals(asked, String.join(", ", decisions.asked()));
        assertEquals(asked.contains("fail"), exchange.getException() == null);
    }

    /**
     * One look at a call: each leg, and the whole call; all cards after that, and one commit whatever happened between, which knows what to
     * leave out.
     */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            71101-a1                |                       | calls card commit
            whole                   |                       | missed card commit
            71101-a1 71102-a2 whole |                       | calls calls missed card commit
            71101-a1                | direct:process-calls  | calls fail commit
            whole                   | direct:process-missed | missed fail commit
            71101-a1                | direct:process-card   | calls card fail commit
            71101-a1                | callLoader.look       | fail commit
            71101-a1                | effects.commit        | calls card commit
            """)
    void aLookIsDecidedAndCommitted(String subjects, String failing, String asked) {
        Exception broken = new IllegalStateException("broken");
        if (failing != null) {
            looks.fail(failing, broken);
        }
        List<Map<String, Object>> works = Stream.of(subjects.split(" ")).map(subject -> facts(subject.equals("whole") ? "subject= whole"
                : "!whole subject=" + subject)).toList();
        Exchange exchange = looks.send("process-event", Map.of("pbx", "main", "callId", "c1", "looks", works));
        assertEquals(asked, String.join(" ", looks.asked()).replace("direct:process-", ""));
        // The lane takes the look again.
        assertSame("effects.commit".equals(failing) ? broken : null, exchange.getException());
        looks.steps().stream().filter(step -> step.name().matches("direct:process-(calls|missed)"))
                .forEach(step -> assertTrue(works.contains(step.body()), step.name()));
    }

    /** With the routes that really follow: what one of them has handled must not keep the commit from coming. */
    @Test
    void aFailureDeepInsideIsNotedOnceAndCommitted() {
        try (RouteHarness stage = RouteHarness.of("process-event", "process-missed", "process-card", "process-reprocess").start()) {
            stage.on("missedFacts", exchange -> MISSED).on("cardFacts.legs", exchange -> List.of());
            stage.fail("effects.registerMissed", new IllegalStateException("broken")).send("process-event",
                    Map.of("pbx", "main", "callId", "c1", "looks", List.of(facts("subject= whole"))));
            assertEquals(List.of("registerMissed", "fail", "commit"), stage.asked());
            stage.on("reprocess.looks", exchange -> List.of(facts("subject= whole")))
                    .send("process-reprocess", Map.of("pbx", "main", "callId", "c1"));
            assertEquals(List.of("callLoader.load", "reprocess.looks", "registerMissed", "reprocess.fail"), stage.asked());
        }
    }

    /** Its legs, then the whole call, no cards; from the begin as long as somebody else looks at the call. */
    @Test
    void aCallIsFoldedAgainUntilNobodyElseLooksAtIt() {
        Map<String, Object> work = Map.of("pbx", "main", "callId", "c1");
        AtomicInteger settled = new AtomicInteger();
        looks.on("reprocess.looks", exchange -> List.of(facts("subject=71101-a1 !whole"), facts("subject= whole")))
                .on("reprocess.settle", exchange -> {
            if (settled.incrementAndGet() < 3) {
                throw new StaleLookException("c1");
            }
            return null;
        });
        assertNull(looks.send("process-reprocess", work).getException());
        List<String> once = List.of("callLoader.load", "reprocess.looks", "direct:process-calls", "direct:process-missed",
                "reprocess.settle");
        assertEquals(Stream.of(once, once, once).flatMap(List::stream).toList(), looks.asked());
        assertTrue(looks.steps().stream().filter(step -> step.name().equals("callLoader.load")).allMatch(step -> step.body().equals(work)));
        looks.fail("callLoader.load", new StoreException("the disk is gone", null));
        assertNull(looks.send("process-reprocess", work).getException());
        assertEquals(List.of("callLoader.load", "reprocess.fail"), looks.asked());
    }

    private static Map<String, Object> facts(String text) {
        return Arrays.stream(text.split("\\s+")).filter(word -> !word.isEmpty()).map(word -> word.split("=", 2)).collect(Collectors.toMap(
                fact -> fact[0].replace("!", ""), fact -> fact.length == 2 ? fact[1] : !fact[0].startsWith("!")));
    }

    private static Map<String, Object> with(Map<String, Object> ordinary, Map<String, Object> changed) {
        Map<String, Object> facts = new HashMap<>(ordinary);
        facts.putAll(changed);
        return facts;
    }
}
