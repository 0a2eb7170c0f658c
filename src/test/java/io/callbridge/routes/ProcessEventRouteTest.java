package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One look at a call: loaded once, what the trigger is about, then the cards, and one commit whatever happened between. */
class ProcessEventRouteTest {

    private final RouteHarness routes = RouteHarness.of("process-event").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @ParameterizedTest(name = "{0} about {1}")
    @CsvSource({
        "event, 71101-a1, direct:process-calls",
        "event, '',       direct:process-calls",
        "timer, '',       direct:process-missed",
    })
    void theTriggerSaysWhatIsDecidedBeforeTheCards(String trigger, String subject, String first) {
        Map<String, Object> work = work(trigger, subject);
        routes.send("process-event", Map.of("pbx", "main", "callId", "c1", "looks", List.of(work)));
        assertEquals(List.of("callLoader.load", first, "direct:process-card", "commit"), routes.asked());
        assertEquals(work, routes.step(first).body());
    }

    @ParameterizedTest
    @ValueSource(strings = {"71101-a1", "missed"})
    void aTimerOfALegLeadsToItsOutcome(String leg) {
        Map<String, Object> facts = Facts.leg();
        routes.on("legFacts.of", exchange -> facts).send("process-event", look("timer", leg));
        assertEquals(List.of("callLoader.load", "legFacts.of", "direct:process-outcome", "direct:process-card", "commit"),
                routes.asked());
        assertEquals(work("timer", leg), routes.step("legFacts.of").body());
        assertEquals(facts, routes.step("direct:process-outcome").body());
    }

    /** The commit knows what to leave out, and when to look again: without it a timer would stay due, and come at once. */
    @ParameterizedTest
    @ValueSource(strings = {"direct:process-calls", "direct:process-card"})
    void aFailureBetweenIsNotedAndCommitted(String failing) {
        routes.fail(failing, new IllegalStateException("broken"));
        Exchange exchange = routes.send("process-event", look("event", "71101-a1"));
        List<String> asked = routes.asked();
        assertEquals("fail", asked.get(asked.indexOf(failing) + 1));
        assertEquals("commit", asked.get(asked.size() - 1));
        assertEquals("broken", routes.step("effects.fail").cause().getMessage());
        assertNull(exchange.getException());
    }

    /** With the routes that really follow: what one of them has handled must not keep the commit from coming. */
    @Test
    void aFailureDeepInsideIsNotedOnceAndCommitted() {
        try (RouteHarness stage = RouteHarness.of("process-event", "process-missed", "process-container").start()) {
            stage.on("missedFacts.of", exchange -> Facts.with(Facts.missed(), Map.of("container", true)));
            stage.fail("effects.registerMissed", new IllegalStateException("broken"));
            stage.send("process-event", look("timer", ""));
            assertEquals(List.of("callLoader.load", "missedFacts.of", "registerMissed", "fail", "direct:process-card", "commit"),
                    stage.asked());
        }
    }

    @Test
    void aFailureAtOneCardIsNotedAndCommitted() {
        try (RouteHarness stage = RouteHarness.of("process-event", "process-card").start()) {
            stage.on("cardFacts.of", exchange -> List.of(Facts.card()));
            stage.fail("direct:process-card-show", new IllegalStateException("broken"));
            stage.send("process-event", look("event", "71101-a1"));
            assertEquals(List.of("callLoader.load", "direct:process-calls", "cardFacts.of", "direct:process-card-show", "fail",
                    "commit"), stage.asked());
        }
    }

    /** The lane brings the work again. */
    @ParameterizedTest
    @ValueSource(strings = {"callLoader.load", "effects.commit"})
    void whatCannotBeLoadedOrWrittenIsLeftToWhoBroughtIt(String failing) {
        IllegalStateException failure = new IllegalStateException("broken");
        Exchange exchange = routes.fail(failing, failure).send("process-event", look("event", "71101-a1"));
        assertSame(failure, exchange.getException());
        assertEquals(List.of(), routes.steps().stream().filter(step -> step.name().equals("effects.fail")).toList());
    }

    @Test
    void nothingIsDecidedAboutACallThatCannotBeLoaded() {
        routes.fail("callLoader.load", new IllegalStateException("broken")).send("process-event", look("event", "71101-a1"));
        assertEquals(List.of("callLoader.load", "commit"), routes.asked());
    }

    /** Whatever reached a call while it waited is decided in one look, the cards once after all of it. */
    @Test
    void everythingThatWaitedIsDecidedBeforeTheCards() {
        routes.send("process-event", Map.of("pbx", "main", "callId", "c1", "looks",
                List.of(work("event", "71101-a1"), work("event", "71102-a2"), work("timer", ""))));
        assertEquals(List.of("callLoader.load", "direct:process-calls", "direct:process-calls", "direct:process-missed",
                "direct:process-card", "commit"), routes.asked());
    }

    private static Map<String, Object> look(String trigger, String subject) {
        return Map.of("pbx", "main", "callId", "c1", "looks", List.of(work(trigger, subject)));
    }

    private static Map<String, Object> work(String trigger, String subject) {
        return Map.of("trigger", trigger, "pbx", "main", "callId", "c1", "subject", subject);
    }
}
