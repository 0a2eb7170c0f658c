package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** A card is taken away, and the rule says why: another phone took the call, its end never came, or this leg is over. */
class ProcessCardEndRouteTest {

    private final RouteHarness routes = RouteHarness.of("process-card-end").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> theRuleIsThatOfTheEnd() {
        return Branches.of(routes, "process-card-end", Facts.with(Facts.card(), Map.of("shown", true, "end", "ended")))
                .when("somebody else answered", Map.of("end", "answered-elsewhere", "answeredBy", "102"), "endCard",
                        "explain card R21")
                .when("the end never came", Map.of("end", "expired"), "endCard", "explain card R50")
                .also("answered here, and over", Map.of("end", "ended"), "endCard", "explain card R24")
                .also("nobody answered", Map.of("end", "unanswered"), "endCard", "explain card R24")
                .tests();
    }

    @Test
    void aFailureIsNotedAndNothingIsExplained() {
        routes.fail("effects.endCard", new IllegalStateException("broken"));
        routes.send("process-card-end", Facts.card());
        assertEquals(List.of("endCard", "fail"), routes.asked());
    }
}
