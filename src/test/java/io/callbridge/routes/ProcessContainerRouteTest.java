package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The container that decides says "connected" or not, and a few settings and own callers say "not missed" all the same. */
class ProcessContainerRouteTest {

    private final RouteHarness routes = RouteHarness.of("process-container").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> theDecidingContainerHasItsSay() {
        return Branches.of(routes, "process-container", Facts.with(Facts.missed(), Map.of("container", true, "place", "880")))
                .when("connected after the missed call was written", Map.of("bridged", true, "written", true), "registerServed",
                        "rule R45")
                .when("connected", Map.of("bridged", true), "rule R35")
                .when("an own extension called", Map.of("ownCaller", true), "rule R38")
                .when("the IVR connected the caller, and its no is needed", Map.of("needsIvrNo", true, "ivrBridged", true), "rule R39")
                .when("somebody talked, and that is enough", Map.of("suppressIfAnswered", true, "answered", true), "rule R43")
                .also("not connected", Map.of(), "registerMissed", "rule R36")
                .also("not connected, once more", Map.of("written", true), "registerMissed", "rule R36")
                .also("the IVR connected the caller, but nobody asks it", Map.of("ivrBridged", true), "registerMissed", "rule R36")
                .also("the IVR's no is needed and there", Map.of("needsIvrNo", true), "registerMissed", "rule R36")
                .also("somebody talked, but that is not enough", Map.of("answered", true), "registerMissed", "rule R36")
                .also("nobody talked", Map.of("suppressIfAnswered", true), "registerMissed", "rule R36")
                .tests();
    }

    @Test
    void aFailureIsNoted() {
        routes.fail("effects.registerMissed", new IllegalStateException("broken"));
        routes.send("process-container", Facts.missed());
        assertEquals(List.of("registerMissed", "fail"), routes.asked());
    }
}
