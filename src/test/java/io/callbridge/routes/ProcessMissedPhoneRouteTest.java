package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Without a container the phones decide; the rule is left to {@code process-missed}, which explains. */
class ProcessMissedPhoneRouteTest {

    private final RouteHarness routes = RouteHarness.of("process-missed-phone").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> theFirstThatFitsCounts() {
        return Branches.of(routes, "process-missed-phone", Facts.missed())
                .when("answered after it was written", Map.of("answered", true, "written", true), "registerServed", "rule R45")
                .when("answered", Map.of("answered", true), "rule R46")
                .when("a leg was lost", Map.of("lost", true), "rule R50")
                .when("no phone was rung from outside", Map.of("rang", false), "rule R46")
                .when("only containers count", Map.of("withoutContainer", false), "rule R46")
                .when("a phone still rings", Map.of("allOver", false), "rule R46")
                .also("nobody answered", Map.of(), "registerMissed", "rule R46")
                .also("nobody answered, once more", Map.of("written", true), "registerMissed", "rule R46")
                .tests();
    }

    @Test
    void aFailureIsNoted() {
        routes.fail("effects.registerMissed", new IllegalStateException("broken"));
        routes.send("process-missed-phone", Facts.missed());
        assertEquals(List.of("registerMissed", "fail"), routes.asked());
    }
}
