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

/** One look at a call: loaded once, decided by what triggered it, all cards after that, and one commit whatever happened between. */
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
        "timer, 71101-a1, direct:process-outcome",
        "timer, missed,   direct:process-outcome",
    })
    void theTriggerSaysWhatIsDecidedBeforeTheCards(String trigger, String subject, String first) {
        routes.on("legFacts", exchange -> Facts.leg()).send("process-event", looks(work(trigger, subject)));
        assertEquals(List.of("callLoader.load", first, "direct:process-card", "commit"), routes.asked());
        assertEquals(first.endsWith("outcome") ? Facts.leg() : work(trigger, subject), routes.step(first).body());
    }

    /** Whatever reached a call while it waited is decided in one look, the cards once after all of it. */
    @Test
    void everythingThatWaitedIsDecidedBeforeTheCards() {
        routes.send("process-event", looks(work("event", "71101-a1"), work("event", "71102-a2"), work("timer", "")));
        assertEquals(List.of("callLoader.load", "direct:process-calls", "direct:process-calls", "direct:process-missed", "direct:process-card",
                "commit"), routes.asked());
    }

    /** The commit knows what to leave out, and when to look again: without it a timer would stay due, and come at once. */
    @ParameterizedTest
    @ValueSource(strings = {"direct:process-calls", "direct:process-card"})
    void aFailureBetweenIsNotedAndCommitted(String failing) {
        Exchange exchange = routes.fail(failing, new IllegalStateException("broken")).send("process-event", looks(work("event", "71101-a1")));
        assertEquals("fail", routes.asked().get(routes.asked().indexOf(failing) + 1));
        assertEquals("commit", routes.asked().get(routes.asked().size() - 1));
        assertEquals("broken", routes.step("effects.fail").cause().getMessage());
        assertNull(exchange.getException());
    }

    /** With the routes that really follow: what one of them has handled must not keep the commit from coming. */
    @Test
    void aFailureDeepInsideIsNotedOnceAndCommitted() {
        try (RouteHarness stage = RouteHarness.of("process-event", "process-missed", "process-card").start()) {
            stage.on("missedFacts", exchange -> Facts.missed()).on("cardFacts.legs", exchange -> List.of());
            stage.fail("effects.registerMissed", new IllegalStateException("broken")).send("process-event", looks(work("timer", "")));
            assertEquals(List.of("callLoader.load", "registerMissed", "fail", "commit"), stage.asked());
        }
    }

    /** The lane brings the work again. Nothing is decided about a call that cannot be loaded. */
    @ParameterizedTest
    @CsvSource({"callLoader.load, 'callLoader.load commit'",
        "effects.commit, 'callLoader.load direct:process-calls direct:process-card commit'"})
    void whatCannotBeLoadedOrWrittenIsLeftToWhoBroughtIt(String failing, String asked) {
        IllegalStateException failure = new IllegalStateException("broken");
        Exchange exchange = routes.fail(failing, failure).send("process-event", looks(work("event", "71101-a1")));
        assertSame(failure, exchange.getException());
        assertEquals(List.of(asked.split(" ")), routes.asked());
    }

    @SafeVarargs
    private static Map<String, Object> looks(Map<String, Object>... works) {
        return Map.of("pbx", "main", "callId", "c1", "looks", List.of(works));
    }

    private static Map<String, Object> work(String trigger, String subject) {
        return Map.of("trigger", trigger, "pbx", "main", "callId", "c1", "subject", subject);
    }
}
