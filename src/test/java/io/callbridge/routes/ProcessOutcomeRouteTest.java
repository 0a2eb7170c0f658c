package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What becomes of a leg that is over: content decides, and whatever was decided is explained once, as a matter of the call. */
class ProcessOutcomeRouteTest {

    private final RouteHarness routes = RouteHarness.of("process-outcome").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> theFirstThatFitsCounts() {
        return Branches.of(routes, "process-outcome", Facts.leg())
                .when("a container decides only whether the call was missed", Map.of("container", true), "explain call R34")
                .when("something may still be on its way", Map.of("ended", true, "settled", false), "explain call R49")
                .when("no hangup yet", Map.of("over", false), "explain call R50")
                .when("the outside party's own line", Map.of("trunk", true), "explain call R24")
                .when("a local call", Map.of("local", true), "direct:process-outcome-local", "explain call null")
                .when("a forwarded leg", Map.of("forwarded", true), "direct:process-register-forwarded", "explain call null")
                .when("nobody answered here", Map.of("direction", "in", "answered", false), "direct:process-outcome-unanswered",
                        "explain call null")
                .when("started through the API and led into a container",
                        Map.of("direction", "out", "callBack", true, "containerSeen", true), "explain call R44")
                .also("anything else is registered", Map.of(), "direct:process-register", "explain call null")
                .also("given up without a hangup", Map.of("ended", false, "settled", false), "direct:process-register",
                        "explain call null")
                .also("an outgoing call that nobody answered", Map.of("direction", "out", "answered", false),
                        "direct:process-register", "explain call null")
                .also("started through the API, no container", Map.of("direction", "out", "callBack", true),
                        "direct:process-register", "explain call null")
                .also("dialled by hand into a container", Map.of("direction", "out", "containerSeen", true),
                        "direct:process-register", "explain call null")
                .also("an incoming call with a CallBackID", Map.of("callBack", true, "containerSeen", true),
                        "direct:process-register", "explain call null")
                .tests();
    }

    @Test
    void theRuleOfTheRegistrationIsExplained() {
        routes.on("direct:process-register", exchange -> {
            exchange.setVariable("rule", "R23");
            return null;
        });
        routes.send("process-outcome", Facts.leg());
        assertEquals(List.of("direct:process-register", "explain call R23"), routes.asked());
    }

    @Test
    void aFailureIsNotedAndNothingIsExplained() {
        routes.fail("direct:process-register", new IllegalStateException("broken"));
        routes.send("process-outcome", Facts.leg());
        assertEquals(List.of("direct:process-register", "fail"), routes.asked());
    }
}
