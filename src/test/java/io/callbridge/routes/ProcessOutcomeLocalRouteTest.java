package io.callbridge.routes;

import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A call among extensions has no effect; the rule is left to {@code process-outcome}, which explains. */
class ProcessOutcomeLocalRouteTest {

    private final RouteHarness routes = RouteHarness.of("process-outcome-local").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> theDirectionSaysWhoIsAnExtension() {
        return Branches.of(routes, "process-outcome-local", Facts.with(Facts.leg(), Map.of("local", true, "party", "102")))
                .when("the caller", Map.of("direction", "in"), "rule R12")
                .also("who was called", Map.of("direction", "out"), "rule R29")
                .tests();
    }
}
