package io.callbridge.routes;

import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** An incoming leg that is no call of its extension; the rule is left to {@code process-outcome}, which explains. */
class ProcessOutcomeUnansweredRouteTest {

    private final RouteHarness routes = RouteHarness.of("process-outcome-unanswered").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> nobodyGuesses() {
        return Branches.of(routes, "process-outcome-unanswered", Facts.with(Facts.leg(), Map.of("answered", false)))
                .when("it was lost", Map.of("lost", true), "rule R50")
                .also("nobody answered", Map.of(), "rule R24")
                .tests();
    }
}
