package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

/** What is decided of which facts. */
class ProcessRoutesTest {

    /** Anna at 101 has talked to somebody outside who called. */
    private static final Map<String, Object> LEG = facts("""
            !whole pbx=main legId=71101-a1 callId=c1 changed direction=in extension=101 extensionType=phone !container !trunk !joined !lost lostHow= bridged= !local
            party=+79000000010 !forwarded !forwardedAsOutgoing answered result=answered registered= ended over settled mapped defaultUser=
            !callBack !calledFromInside !containerSeen
            card !shown !notified !hidden fresh end= answeredBy=""");
    /** Her phone has just begun to ring. */
    private static final Map<String, Object> CARD = with(LEG, facts("!answered result=unknown !ended !over !settled"));
    /** A call from outside that rang at phones and is over; nobody answered, no container took part. */
    private static final Map<String, Object> MISSED = facts("""
            whole pbx=main callId=c1 due allOver !container !bridged !ownCaller !ivrBridged !answered !lost rang place=101 !written withoutContainer
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
            + answered is told once        | shown answered notified              |
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
            .bean("legs", new Legs()).start();
    @AutoClose
    private final RouteHarness events = RouteHarness.of("process-event").start();

    private static final class Legs extends MemoryAggregationRepository implements AggregationStrategy {

        private Legs() {
            super(true);
        }

        @Override
        public Exchange aggregate(Exchange old, Exchange event) {
            return event;
        }
    }

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
    void theFactsHaveTheNamesThatTheyAreTold() throws IOException {
        String[] told = Files.readString(Path.of("src/main/java/io/callbridge/process/CallFacts.java")).split("static Map<String, Object> whole");
        assertEquals(names(told[0]), LEG.keySet());
        assertEquals(names(told[1]), MISSED.keySet());
    }

    private static Set<String> names(String code) {
        return FACT.matcher(code).results().map(fact -> fact.group(1)).collect(Collectors.toCollection(TreeSet::new));
    }

    /** It is the evaluation's; only what fails behind the aggregator has to be noted there. */
    @ParameterizedTest
    @CsvSource({"process-calls, effects.registerCall, 'registerCall, fail'", "process-missed, effects.registerMissed, registerMissed",
        "process-outcome, effects.registerCall, registerCall", "process-card, effects.showCard, showCard"})
    void aFailureIsNotedAndNothingIsExplained(String route, String failing, String asked) {
        Exchange exchange = decisions.fail(failing, new IllegalStateException("broken")).send(route,
                route.equals("process-missed") ? MISSED : route.equals("process-card") ? CARD : LEG);
        assertEquals(asked, String.join(", ", decisions.asked()));
        assertEquals(asked.contains("fail"), exchange.getException() == null);
    }

    @ParameterizedTest
    @CsvSource({"whole, missed", "card changed, calls card", "card !changed, card", "!card changed, calls"})
    void aLegIsDecidedByItsCardAndItsOutcome(String facts, String asked) {
        assertNull(events.send("process-event", with(LEG, facts(facts))).getException());
        assertEquals(asked, String.join(" ", events.asked()).replace("direct:process-", ""));
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
