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

    private final RouteHarness routes = RouteHarness.of("process-card").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> aCardIsShownOnceAndEndedOnce() {
        routes.on("cardFacts.legs", exchange -> List.of(exchange.getMessage().getBody()));
        return Branches.of(routes, "process-card", Facts.card())
                .when("on show, and its end is known", Map.of("shown", true, "hidden", false, "end", "ended"), "cardFacts.legs",
                        "direct:process-card-end")
                .when("not on show, and the phone rings", Map.of("shown", false, "over", false, "end", ""), "cardFacts.legs",
                        "direct:process-card-show")
                .also("on show, and the phone rings", Map.of("shown", true), "cardFacts.legs")
                .also("ended before", Map.of("shown", true, "hidden", true, "end", "ended"), "cardFacts.legs")
                .also("somebody else was faster than the card", Map.of("end", "answered-elsewhere"), "cardFacts.legs")
                .also("too late for a card", Map.of("over", true), "cardFacts.legs")
                .tests();
    }

    @Test
    void thatThePhoneWasAnsweredIsToldOnce() {
        routes.on("cardFacts.legs", exchange -> List.of(Facts.with(Facts.card(), Map.of("shown", true, "answered", true)),
                Facts.with(Facts.card(), Map.of("shown", true, "answered", true, "told", true)),
                Facts.with(Facts.card(), Map.of("answered", true, "end", "ended")))).send("process-card", WORK);
        assertEquals(List.of("cardFacts.legs", "answer"), routes.asked());
    }

    @Test
    void oneEventEndsTheCardOfEveryPhoneThatRang() {
        Map<String, Object> took = Facts.with(Facts.card(), Map.of("legId", "71101-a1", "shown", true));
        Map<String, Object> rang = Facts.with(Facts.card(), Map.of("legId", "71102-a2", "shown", true, "end", "answered-elsewhere",
                "answeredBy", "101"));
        Map<String, Object> late = Facts.with(Facts.card(), Map.of("legId", "71103-a3"));
        routes.on("cardFacts.legs", exchange -> List.of(took, rang, late)).send("process-card", WORK);
        assertEquals(List.of("cardFacts.legs", "direct:process-card-end", "direct:process-card-show"), routes.asked());
        assertSame(rang, routes.step("direct:process-card-end").body());
        assertSame(late, routes.step("direct:process-card-show").body());
    }

    /** Nor is it one of the call. */
    @Test
    void theRuleOfOneCardIsNotThatOfTheNext() {
        routes.on("direct:process-card-end", exchange -> {
            exchange.setVariable("rule", "R24");
            return null;
        });
        routes.on("cardFacts.legs", exchange -> List.of(Facts.with(Facts.card(), Map.of("shown", true, "end", "ended")), Facts.card()));
        Exchange exchange = routes.send("process-card", WORK);
        assertNull(routes.step("direct:process-card-show").variables().get("rule"));
        assertNull(exchange.getVariable("rule"));
    }

    @Test
    void theWorkGoesOnAsItCame() {
        routes.on("cardFacts.legs", exchange -> List.of(Facts.with(Facts.card(), Map.of("shown", true, "end", "ended"))));
        assertSame(WORK, routes.send("process-card", WORK).getMessage().getBody());
    }

    @Test
    void aCallWithoutPhonesHasNoCards() {
        Exchange exchange = routes.send("process-card", WORK);
        assertEquals(List.of("cardFacts.legs"), routes.asked());
        assertSame(WORK, exchange.getMessage().getBody());
    }

    @Test
    void aFailureIsNoted() {
        routes.fail("cardFacts.legs", new IllegalStateException("broken")).send("process-card", WORK);
        assertEquals(List.of("cardFacts.legs", "fail"), routes.asked());
    }

    @Test
    void aFailureAtOneCardIsNotedForThatCard() {
        routes.fail("direct:process-card-end", new IllegalStateException("broken"));
        routes.on("cardFacts.legs", exchange -> List.of(Facts.with(Facts.card(), Map.of("shown", true, "end", "ended")), Facts.card()));
        routes.send("process-card", WORK);
        assertEquals(List.of("cardFacts.legs", "direct:process-card-end", "fail", "direct:process-card-show"), routes.asked());
    }
}
