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
import org.junit.jupiter.params.provider.ValueSource;

/** One look at a call: loaded once, decided, and one commit whatever happened between. */
class ProcessEventRouteTest {

    private static final Map<String, Object> WORK = ProcessEventDecideRouteTest.looks(
            ProcessEventDecideRouteTest.work("event", "71101-a1"));

    private final RouteHarness routes = RouteHarness.of("process-event").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void aCallIsLoadedDecidedAndCommitted() {
        routes.send("process-event", WORK);
        assertEquals(List.of("callLoader.load", "direct:process-event-decide", "commit"), routes.asked());
        assertSame(WORK, routes.step("direct:process-event-decide").body());
    }

    /** The commit knows what to leave out, and when to look again: without it a timer would stay due, and come at once. */
    @ParameterizedTest
    @ValueSource(strings = {"direct:process-calls", "direct:process-card"})
    void aFailureBetweenIsNotedAndCommitted(String failing) {
        try (RouteHarness stage = RouteHarness.of("process-event", "process-event-decide").start()) {
            Exchange exchange = stage.fail(failing, new IllegalStateException("broken")).send("process-event", WORK);
            assertEquals("fail", stage.asked().get(stage.asked().indexOf(failing) + 1));
            assertEquals("commit", stage.asked().get(stage.asked().size() - 1));
            assertEquals("broken", stage.step("effects.fail").cause().getMessage());
            assertNull(exchange.getException());
        }
    }

    /** With the routes that really follow: what one of them has handled must not keep the commit from coming. */
    @Test
    void aFailureDeepInsideIsNotedOnceAndCommitted() {
        try (RouteHarness stage = RouteHarness.of("process-event", "process-event-decide", "process-missed", "process-container")
                .start()) {
            stage.on("missedFacts.of", exchange -> Facts.with(Facts.missed(), Map.of("container", true)));
            stage.fail("effects.registerMissed", new IllegalStateException("broken"));
            stage.send("process-event", ProcessEventDecideRouteTest.looks(ProcessEventDecideRouteTest.work("timer", "")));
            assertEquals(List.of("callLoader.load", "missedFacts.of", "registerMissed", "fail", "direct:process-card", "commit"),
                    stage.asked());
        }
    }

    @Test
    void aFailureAtOneCardIsNotedAndCommitted() {
        try (RouteHarness stage = RouteHarness.of("process-event", "process-event-decide", "process-card").start()) {
            stage.on("cardFacts.legs", exchange -> List.of(Facts.card()));
            stage.fail("direct:process-card-show", new IllegalStateException("broken"));
            stage.send("process-event", WORK);
            assertEquals(List.of("callLoader.load", "direct:process-calls", "cardFacts.legs", "direct:process-card-show", "fail",
                    "commit"), stage.asked());
        }
    }

    /** The lane brings the work again. */
    @ParameterizedTest
    @ValueSource(strings = {"callLoader.load", "effects.commit"})
    void whatCannotBeLoadedOrWrittenIsLeftToWhoBroughtIt(String failing) {
        IllegalStateException failure = new IllegalStateException("broken");
        Exchange exchange = routes.fail(failing, failure).send("process-event", WORK);
        assertSame(failure, exchange.getException());
        assertEquals(List.of(), routes.steps().stream().filter(step -> step.name().equals("effects.fail")).toList());
    }

    @Test
    void nothingIsDecidedAboutACallThatCannotBeLoaded() {
        routes.fail("callLoader.load", new IllegalStateException("broken")).send("process-event", WORK);
        assertEquals(List.of("callLoader.load", "commit"), routes.asked());
    }
}
