package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A forwarded leg is the incoming call that it is; the rule is left to {@code process-outcome}, which explains. */
class ProcessRegisterForwardedRouteTest {

    private static final Map<String, Object> FORWARDED = Facts.with(Facts.leg(), Map.of("direction", "out", "forwarded", true));

    private final RouteHarness routes = RouteHarness.of("process-register-forwarded").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> theFirstThatFitsCounts() {
        return Branches.of(routes, "process-register-forwarded", FORWARDED)
                .when("as an outgoing call if wished", Map.of("forwardedAsOutgoing", true), "direct:process-register")
                .when("a colleague called", Map.of("calledFromInside", true), "rule R12")
                .when("not answered", Map.of("answered", false), "rule R32")
                .when("nobody to register it for", Map.of("mapped", false, "defaultUser", ""), "rule R52")
                .also("answered", Map.of(), "registerForwarded", "rule R32")
                .also("answered, for the default user", Map.of("mapped", false, "defaultUser", "desk"), "registerForwarded",
                        "rule R32")
                .tests();
    }

    /** With the route that really follows: the leg is an outgoing one. */
    @Test
    void asAnOutgoingCallItIsRegisteredLikeAny() {
        try (RouteHarness stage = RouteHarness.of("process-register-forwarded", "process-register").start()) {
            stage.send("process-register-forwarded", Facts.with(FORWARDED, Map.of("forwardedAsOutgoing", true)));
            assertEquals(List.of("registerCall"), stage.asked());
        }
    }

    @Test
    void aFailureIsNoted() {
        routes.fail("effects.registerForwarded", new IllegalStateException("broken"));
        routes.send("process-register-forwarded", FORWARDED);
        assertEquals(List.of("registerForwarded", "fail"), routes.asked());
    }
}
