package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The trigger says what is decided: a leg by its events, a leg by its delay, or the whole call; the cards come after. */
class ProcessEventDecideRouteTest {

    private final RouteHarness routes = RouteHarness.of("process-event-decide").start();

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
        routes.send("process-event-decide", looks(work));
        assertEquals(List.of(first, "direct:process-card"), routes.asked());
        assertEquals(work, routes.step(first).body());
    }

    @ParameterizedTest
    @ValueSource(strings = {"71101-a1", "missed"})
    void aTimerOfALegLeadsToItsOutcome(String leg) {
        Map<String, Object> facts = Facts.leg();
        routes.on("legFacts.of", exchange -> facts).send("process-event-decide", looks(work("timer", leg)));
        assertEquals(List.of("legFacts.of", "direct:process-outcome", "direct:process-card"), routes.asked());
        assertEquals(work("timer", leg), routes.step("legFacts.of").body());
        assertEquals(facts, routes.step("direct:process-outcome").body());
    }

    /** Whatever reached a call while it waited is decided in one look, the cards once after all of it. */
    @Test
    void everythingThatWaitedIsDecidedBeforeTheCards() {
        routes.send("process-event-decide", looks(work("event", "71101-a1"), work("event", "71102-a2"), work("timer", "")));
        assertEquals(List.of("direct:process-calls", "direct:process-calls", "direct:process-missed", "direct:process-card"),
                routes.asked());
    }

    /** Once for the whole look: what the others ask for after it does not count. */
    @Test
    void aFailureIsNoted() {
        routes.fail("direct:process-calls", new IllegalStateException("broken"));
        routes.send("process-event-decide", looks(work("event", "71101-a1")));
        assertEquals(List.of("direct:process-calls", "fail", "direct:process-card"), routes.asked());
    }

    @SafeVarargs
    static Map<String, Object> looks(Map<String, Object>... works) {
        return Map.of("pbx", "main", "callId", "c1", "looks", List.of(works));
    }

    static Map<String, Object> work(String trigger, String subject) {
        return Map.of("trigger", trigger, "pbx", "main", "callId", "c1", "subject", subject);
    }
}
