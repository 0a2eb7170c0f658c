package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Whose phone gets a card, and whose not; either is explained as a matter of the card. */
class ProcessCardShowRouteTest {

    private final RouteHarness routes = RouteHarness.of("process-card-show").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> theFirstReasonAgainstACardCounts() {
        return Branches.of(routes, "process-card-show", Facts.card())
                .when("a local call came in", Map.of("local", true, "direction", "in"), "explain card R12")
                .when("a local call goes out", Map.of("local", true, "direction", "out"), "explain card R29")
                .when("a forwarding rule made the leg", Map.of("forwarded", true), "explain card R32")
                .when("a colleague handed the call over", Map.of("joined", true), "explain card R12")
                .when("an extension of no user", Map.of("mapped", false), "explain card R52")
                .when("an event from long ago", Map.of("fresh", false), "explain card R49")
                .also("a card", Map.of(), "showCard", "explain card R10")
                .also("a card for who calls out", Map.of("direction", "out"), "showCard", "explain card R10")
                .also("no card for the default user", Map.of("mapped", false, "defaultUser", "desk"), "explain card R52")
                .tests();
    }

    @Test
    void aFailureIsNotedAndNothingIsExplained() {
        routes.fail("effects.showCard", new IllegalStateException("broken"));
        routes.send("process-card-show", Facts.card());
        assertEquals(List.of("showCard", "fail"), routes.asked());
    }
}
