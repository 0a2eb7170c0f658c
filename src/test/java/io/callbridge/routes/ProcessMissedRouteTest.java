package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** One verdict for a whole call: not before it is due, by its container if there is one, else by its phones. */
class ProcessMissedRouteTest {

    private final RouteHarness routes = RouteHarness.of("process-missed").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> missedIsDecidedWhenItIsDue() {
        // The facts come from the bean: it answers those of the branch, which are sent in their place.
        routes.on("missedFacts.of", exchange -> exchange.getMessage().getBody());
        return Branches.of(routes, "process-missed", Facts.missed())
                .when("not due yet", Map.of("due", false), "missedFacts.of", "explain missed R42")
                .when("a container decides", Map.of("container", true), "missedFacts.of", "direct:process-container",
                        "explain missed null")
                .also("the phones decide", Map.of(), "missedFacts.of", "direct:process-missed-phone", "explain missed null")
                .tests();
    }

    @Test
    void theFactsAreThoseOfTheWholeCall() {
        Map<String, Object> facts = Facts.with(Facts.missed(), Map.of("container", true));
        routes.on("missedFacts.of", exchange -> facts).send("process-missed", work());
        assertEquals(work(), routes.step("missedFacts.of").body());
        assertSame(facts, routes.step("direct:process-container").body());
        assertSame(facts, routes.step("effects.explain").body());
    }

    @Test
    void theRuleOfTheContainerIsExplained() {
        routes.on("missedFacts.of", exchange -> Facts.with(Facts.missed(), Map.of("container", true)));
        routes.on("direct:process-container", exchange -> {
            exchange.setVariable("rule", "R36");
            return null;
        });
        routes.send("process-missed", work());
        assertEquals(List.of("missedFacts.of", "direct:process-container", "explain missed R36"), routes.asked());
    }

    @Test
    void aFailureIsNotedAndNothingIsExplained() {
        routes.fail("missedFacts.of", new IllegalStateException("broken"));
        routes.send("process-missed", work());
        assertEquals(List.of("missedFacts.of", "fail"), routes.asked());
    }

    private static Map<String, Object> work() {
        return Map.of("trigger", "timer", "pbx", "main", "callId", "c1", "subject", "missed");
    }
}
