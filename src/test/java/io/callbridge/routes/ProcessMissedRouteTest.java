package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
        return Branches.of(routes, "process-missed", Facts.missed())
                .when("not due yet", Map.of("due", false), "explainMissed R42")
                .when("connected after the missed call was written", Map.of("container", true, "bridged", true, "written", true),
                        "registerServed", "explainMissed R45")
                .when("connected", Map.of("container", true, "bridged", true), "explainMissed R35")
                .when("an own extension called", Map.of("container", true, "ownCaller", true), "explainMissed R38")
                .when("the IVR connected the caller, and its no is needed", Map.of("container", true, "needsIvrNo", true, "ivrBridged", true),
                        "explainMissed R39")
                .when("somebody talked, and that is enough", Map.of("container", true, "suppressIfAnswered", true, "answered", true),
                        "explainMissed R43")
                .when("not connected", Map.of("container", true), "registerMissed", "explainMissed R36")
                .when("answered after it was written", Map.of("answered", true, "written", true), "registerServed", "explainMissed R45")
                .when("answered", Map.of("answered", true), "explainMissed R46")
                .when("a leg was lost", Map.of("lost", true), "explainMissed R50")
                .when("no phone was rung from outside", Map.of("rang", false), "explainMissed R46")
                .when("only containers count", Map.of("withoutContainer", false), "explainMissed R46")
                .when("a phone still rings", Map.of("allOver", false), "explainMissed R46")
                .also("nobody answered", Map.of(), "registerMissed", "explainMissed R46")
                .also("nobody answered, once more", Map.of("written", true), "registerMissed", "explainMissed R46")
                .also("not connected, once more", Map.of("container", true, "written", true), "registerMissed", "explainMissed R36")
                .also("the IVR connected the caller, but nobody asks it", Map.of("container", true, "ivrBridged", true), "registerMissed",
                        "explainMissed R36")
                .also("the IVR's no is needed and there", Map.of("container", true, "needsIvrNo", true), "registerMissed", "explainMissed R36")
                .also("somebody talked, but that is not enough", Map.of("container", true, "answered", true), "registerMissed",
                        "explainMissed R36")
                .also("nobody talked", Map.of("container", true, "suppressIfAnswered", true), "registerMissed", "explainMissed R36")
                .tests();
    }

    @Test
    void theFactsAreThoseOfTheWholeCallThatIsAskedFor() {
        Map<String, Object> work = Map.of("trigger", "timer", "pbx", "main", "callId", "c1", "subject", "missed");
        Map<String, Object> facts = Facts.with(Facts.missed(), Map.of("container", true));
        routes.on("missedFacts", exchange -> facts).send("process-missed", work);
        assertEquals(work, routes.step("missedFacts").body());
        assertEquals(facts, routes.step("effects.explainMissed").body());
    }

    @Test
    void aFailureIsNotedAndNothingIsExplained() {
        routes.fail("effects.registerMissed", new IllegalStateException("broken")).send("process-missed", Facts.missed());
        assertEquals(List.of("registerMissed", "fail"), routes.asked());
        routes.fail("missedFacts", new IllegalStateException("broken")).send("process-missed", Map.of());
        assertEquals(List.of("fail"), routes.asked());
    }
}
