package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A leg is registered once, for its employee or the default user; the rule is left to {@code process-outcome}, which explains. */
class ProcessRegisterRouteTest {

    private final RouteHarness routes = RouteHarness.of("process-register").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> aLegIsRegisteredForSomebodyOrDropped() {
        return Branches.of(routes, "process-register", Facts.leg())
                .when("its answer came after it was registered", Map.of("registered", "no-answer", "answered", true), "rule R49")
                .when("nobody to register it for", Map.of("mapped", false, "defaultUser", ""), "rule R52")
                .when("the default user takes answered calls only", Map.of("mapped", false, "answered", false), "rule R52")
                .when("its end was lost", Map.of("lost", true), "registerCall", "rule R50")
                .when("an incoming call", Map.of("direction", "in"), "registerCall", "rule R23")
                .also("an outgoing call", Map.of("direction", "out"), "registerCall", "rule R30")
                .also("an outgoing call that nobody answered", Map.of("direction", "out", "answered", false), "registerCall",
                        "rule R30")
                .also("an unanswered call of an unmapped extension", Map.of("mapped", false, "defaultUser", "desk", "answered",
                        false), "rule R52")
                .also("an incoming call for the default user", Map.of("mapped", false, "defaultUser", "desk"), "registerCall",
                        "rule R23")
                .also("its end came after it was given up", Map.of("registered", "unknown"), "registerCall", "rule R23")
                .also("its recording came after it was registered", Map.of("registered", "answered"), "registerCall", "rule R23")
                .also("an outgoing call for the default user", Map.of("mapped", false, "defaultUser", "desk", "direction", "out"),
                        "registerCall", "rule R30")
                .tests();
    }

    @Test
    void aFailureIsNoted() {
        routes.fail("effects.registerCall", new IllegalStateException("broken"));
        routes.send("process-register", Facts.leg());
        assertEquals(List.of("registerCall", "fail"), routes.asked());
    }
}
