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
        routes.send("process-event-decide", work);
        assertEquals(List.of(first, "direct:process-card"), routes.asked());
        assertEquals(work, routes.step(first).body());
    }

    @ParameterizedTest
    @ValueSource(strings = {"71101-a1", "missed"})
    void aTimerOfALegLeadsToItsOutcome(String leg) {
        Map<String, Object> facts = Facts.leg();
        routes.on("legFacts.of", exchange -> facts).send("process-event-decide", work("timer", leg));
        assertEquals(List.of("legFacts.of", "direct:process-outcome", "direct:process-card"), routes.asked());
        assertEquals(work("timer", leg), routes.step("legFacts.of").body());
        assertEquals(facts, routes.step("direct:process-outcome").body());
    }

    @Test
    void aFailureIsNotedAndTheCardsAreLeftAlone() {
        routes.fail("direct:process-calls", new IllegalStateException("broken"));
        routes.send("process-event-decide", work("event", "71101-a1"));
        assertEquals(List.of("direct:process-calls", "fail"), routes.asked());
    }

    private static Map<String, Object> work(String trigger, String subject) {
        return Map.of("trigger", trigger, "pbx", "main", "callId", "c1", "subject", subject);
    }
}
