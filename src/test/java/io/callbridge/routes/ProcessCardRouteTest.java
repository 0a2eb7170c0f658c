package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every leg of a call has its card looked at: it is shown once, ended once, and no leg's decision becomes another's. */
class ProcessCardRouteTest {

    private static final Map<String, Object> WORK = Map.of("trigger", "event", "pbx", "main", "callId", "c1", "subject", "71101-a1");
    private static final Map<String, Object> ENDS = Facts.with(Facts.card(), Map.of("shown", true, "end", "ended"));

    private final RouteHarness routes = RouteHarness.of("process-card").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    private void legs(Object... legs) {
        routes.on("cardFacts.legs", exchange -> List.of(legs)).send("process-card", WORK);
    }

    @TestFactory
    Stream<DynamicTest> aCardIsShownOnceAndEndedOnce() {
        routes.on("cardFacts.legs", exchange -> List.of(exchange.getMessage().getBody()));
        Map<String, Object> shown = Map.of("shown", true);
        return Branches.of(routes, "process-card", Facts.card())
                .when("somebody else answered", Facts.with(shown, Map.of("hidden", false, "end", "answered-elsewhere")), "endCard", "explainCard R21")
                .when("the end never came", Facts.with(shown, Map.of("hidden", false, "end", "expired")), "endCard", "explainCard R50")
                .when("answered here, and over", Facts.with(shown, Map.of("hidden", false, "end", "ended")), "endCard", "explainCard R24")
                .when("nobody answered", Facts.with(shown, Map.of("hidden", false, "end", "unanswered")), "endCard", "explainCard R24")
                .when("a local call came in", Map.of("local", true, "direction", "in", "shown", false), "explainCard R12")
                .when("a local call goes out", Map.of("local", true, "direction", "out", "shown", false), "explainCard R29")
                .when("a forwarding rule made the leg", Map.of("forwarded", true), "explainCard R32")
                .when("a colleague handed the call over", Map.of("joined", true), "explainCard R12")
                .when("an extension of no user", Map.of("mapped", false), "explainCard R52")
                .when("an event from long ago", Map.of("fresh", false), "explainCard R49")
                .also("a card", Map.of(), "showCard", "explainCard R10")
                .also("a card for who calls out", Map.of("direction", "out"), "showCard", "explainCard R10")
                .also("no card for the default user", Map.of("mapped", false, "defaultUser", "desk"), "explainCard R52")
                .also("on show, and the phone rings", shown)
                .also("ended before", Facts.with(shown, Map.of("hidden", true, "end", "ended")))
                .also("somebody else was faster than the card", Map.of("end", "answered-elsewhere"))
                .also("too late for a card", Map.of("over", true))
                .also("answered is told", Facts.with(shown, Map.of("answered", true)), "answer")
                .also("answered is told once", Facts.with(shown, Map.of("answered", true, "told", true)))
                .tests();
    }

    /** Nor is it one of the call. */
    @Test
    void oneEventEndsTheCardOfEveryPhoneThatRang() {
        Map<String, Object> late = Facts.with(Facts.card(), Map.of("legId", "71103-a3", "over", true));
        legs(Facts.with(Facts.card(), Map.of("shown", true)), ENDS, late, Facts.card());
        assertEquals(List.of("endCard", "explainCard R24", "showCard", "explainCard R10"), routes.asked());
        assertNull(routes.step("effects.showCard").variables().get("because"));
    }

    @Test
    void theWorkGoesOnAsItCame() {
        routes.on("cardFacts.legs", exchange -> List.of(ENDS));
        Exchange exchange = routes.send("process-card", WORK);
        assertSame(WORK, exchange.getMessage().getBody());
        assertNull(exchange.getVariable("because"));
        routes.on("cardFacts.legs", exchange2 -> List.of());
        assertSame(WORK, routes.send("process-card", WORK).getMessage().getBody());
        assertEquals(List.of(), routes.asked());
    }

    @Test
    void aFailureIsNotedForThatCardAndNothingIsExplained() {
        routes.fail("effects.endCard", new IllegalStateException("broken"));
        legs(ENDS, Facts.card());
        assertEquals(List.of("endCard", "fail", "showCard", "explainCard R10"), routes.asked());
        routes.fail("cardFacts.legs", new IllegalStateException("broken")).send("process-card", WORK);
        assertEquals(List.of("fail"), routes.asked());
    }
}
