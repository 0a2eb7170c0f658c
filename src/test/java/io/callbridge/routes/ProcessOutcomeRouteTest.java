package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.callbridge.domain.CallEvent;
import io.callbridge.domain.CallEvent.Type;
import io.callbridge.process.Fold;
import io.callbridge.process.LegRepository;
import io.callbridge.store.Journal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The legs of a call: nothing is decided before a leg is over, and then content decides. The repository of the aggregator is the
 * real one over a list of events; the strategy stands in for the fold, which needs a store.
 */
class ProcessOutcomeRouteTest {

    private final List<CallEvent> events = new ArrayList<>();
    private RouteHarness routes = harness(ProcessOutcomeRouteTest::fold).start();
    private Thread decidedBy;

    private RouteHarness harness(AggregationStrategy strategy) {
        return RouteHarness.of("process-outcome").bean("legRepository", new LegRepository(journal())).bean("legStrategy", strategy);
    }

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> theFirstThatFitsCounts() {
        return Branches.of(routes, "process-outcome", Facts.leg())
                .when("a container decides only whether the call was missed", Map.of("container", true), "explainCall R34")
                .when("something may still be on its way", Map.of("ended", true, "settled", false), "explainCall R49")
                .when("no hangup yet", Map.of("over", false), "explainCall R50")
                .when("the outside party's own line", Map.of("trunk", true), "explainCall R24")
                .when("a caller who is an extension", Map.of("local", true, "direction", "in"), "explainCall R12")
                .when("an extension was called", Map.of("local", true, "direction", "out"), "explainCall R29")
                .when("forwarded for a colleague", Map.of("forwarded", true, "forwardedAsOutgoing", false, "calledFromInside", true),
                        "explainCall R12")
                .when("forwarded, not answered", Map.of("forwarded", true, "answered", false, "forwardedAsOutgoing", false), "explainCall R32")
                .when("forwarded for nobody to register it for", Map.of("forwarded", true, "mapped", false, "defaultUser", "",
                        "forwardedAsOutgoing", false), "explainCall R52")
                .when("forwarded and answered", Map.of("forwarded", true, "forwardedAsOutgoing", false), "registerForwarded", "explainCall R32")
                .when("lost before anybody knows", Map.of("direction", "in", "answered", false, "lost", true), "explainCall R50")
                .when("nobody answered here", Map.of("direction", "in", "answered", false), "explainCall R24")
                .when("started through the API and led into a container",
                        Map.of("direction", "out", "callBack", true, "containerSeen", true), "explainCall R44")
                .when("its answer came after it was registered", Map.of("registered", "no-answer", "answered", true), "explainCall R49")
                .when("nobody to register it for", Map.of("mapped", false, "defaultUser", ""), "explainCall R52")
                .when("the default user takes answered calls only",
                        Map.of("direction", "out", "mapped", false, "defaultUser", "desk", "answered", false), "explainCall R52")
                .when("its end was lost", Map.of("lost", true), "registerCall", "explainCall R50")
                .when("an incoming call", Map.of("direction", "in"), "registerCall", "explainCall R23")
                .also("an outgoing call", Map.of("direction", "out"), "registerCall", "explainCall R30")
                .also("an outgoing call that nobody answered", Map.of("direction", "out", "answered", false), "registerCall", "explainCall R30")
                .also("given up without a hangup", Map.of("ended", false, "settled", false), "registerCall", "explainCall R23")
                .also("started through the API, no container", Map.of("direction", "out", "callBack", true), "registerCall", "explainCall R30")
                .also("dialled by hand into a container", Map.of("direction", "out", "containerSeen", true), "registerCall", "explainCall R30")
                .also("an incoming call with a CallBackID", Map.of("callBack", true, "containerSeen", true), "registerCall", "explainCall R23")
                .also("an incoming call for the default user", Map.of("mapped", false, "defaultUser", "desk"), "registerCall", "explainCall R23")
                .also("its end came after it was given up", Map.of("registered", "unknown"), "registerCall", "explainCall R23")
                .also("its recording came after it was registered", Map.of("registered", "answered"), "registerCall", "explainCall R23")
                .also("forwarded, and registered as an outgoing call", Map.of("direction", "out", "forwarded", true, "forwardedAsOutgoing", true,
                        "calledFromInside", true), "registerCall", "explainCall R30")
                .also("forwarded for the default user", Map.of("forwarded", true, "mapped", false, "defaultUser", "desk"),
                        "registerForwarded", "explainCall R32")
                .tests();
    }

    @Test
    void aFailureIsNotedAndNothingIsExplained() {
        routes.fail("effects.registerCall", new IllegalStateException("broken"));
        routes.send("process-outcome", Facts.leg());
        assertEquals(List.of("registerCall", "fail"), routes.asked());
    }

    @Test
    void theHangupLeadsToTheOutcomeAndEveryLateEventToThatOfTheWholeLegAgain() {
        arrives("main", "a1", Type.DIAL_IN);
        assertEquals(List.of(), routes.asked());
        arrives("main", "a1", Type.HANGUP);
        assertEquals(2, routes.step("effects.registerCall").variables().get("events"));
        arrives("main", "a1", Type.ANSWER);
        assertEquals(3, routes.step("effects.registerCall").variables().get("events"));
    }

    @Test
    void legsDoNotMix() {
        arrives("main", "a1", Type.HANGUP);
        arrives("main", "a2", Type.DIAL_IN);
        assertEquals(List.of(), routes.asked());
        arrives("branch", "a1", Type.DIAL_IN);
        assertEquals(List.of(), routes.asked());
    }

    /** Else the effects of the outcome would come after their commit. And what it asks for is collected in the look that is committed. */
    @Test
    void theOutcomeIsDecidedInTheLookBeforeTheSenderGoesOn() {
        Object look = new Object();
        List<Object> seen = new ArrayList<>();
        routes.on("effects.registerCall", exchange -> {
            decidedBy = Thread.currentThread();
            seen.add(exchange.getProperty(Fold.PROPERTY));
            return null;
        });
        events.add(event("main", "a1", Type.HANGUP));
        routes.send("process-calls", exchange -> {
            exchange.setProperty(Fold.PROPERTY, look);
            exchange.getMessage().setBody(work("main", "a1"));
            Facts.put(exchange);
        });
        assertEquals(List.of(look), seen);
        assertSame(Thread.currentThread(), decidedBy);
    }

    @Test
    void aFailureOfTheAggregatorIsNoted() {
        routes.close();
        routes = harness((old, current) -> {
            throw new IllegalStateException("broken");
        }).start();
        arrives("main", "a1", Type.HANGUP);
        assertEquals(List.of("fail"), routes.asked());
    }

    /** As it happens: in the journal first, then to the route. */
    private void arrives(String pbx, String legId, Type type) {
        events.add(event(pbx, legId, type));
        routes.send("process-calls", work(pbx, legId));
    }

    private static CallEvent event(String pbx, String legId, Type type) {
        return new CallEvent(pbx, type, "c1", legId, null, null, null, null, null, null, null, null, null, null, null, false, null,
                null, null, Instant.EPOCH, null, null, null);
    }

    private static Map<String, Object> work(String pbx, String legId) {
        return Map.of("trigger", "event", "pbx", pbx, "callId", "c1", "subject", legId);
    }

    private static Exchange fold(Exchange old, Exchange current) {
        List<?> leg = old.getMessage().getBody(List.class);
        current.getMessage().setBody(Facts.with(Facts.leg(), Map.of("events", leg.size(), "over",
                leg.stream().anyMatch(event -> ((CallEvent) event).type() == Type.HANGUP))));
        Facts.put(current);
        return current;
    }

    private Journal journal() {
        return new Journal(null, null) {
            @Override
            public List<CallEvent> leg(String pbx, String legId) {
                return events.stream().filter(event -> event.pbx().equals(pbx) && event.legId().equals(legId)).toList();
            }
        };
    }
}
