package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.process.StaleLookException;
import io.callbridge.store.StoreException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One call is folded again: its legs, then the whole call, no cards; then what is missing is settled. */
class ProcessReprocessRouteTest {

    private static final Map<String, Object> WORK = Map.of("pbx", "main", "callId", "c1");
    private static final List<Map<String, Object>> LOOKS = List.of(Map.of("subject", "71101-a1", "whole", false),
            Map.of("subject", "71102-a2", "whole", false), Map.of("subject", "", "whole", true));

    private final RouteHarness routes = RouteHarness.of("process-reprocess").start();

    @BeforeEach
    void looks() {
        routes.on("reprocess.looks", exchange -> LOOKS);
        routes.on("legFacts", exchange -> Facts.leg());
    }

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void legsByTheirOutcomeThenTheWholeCall() {
        routes.send("process-reprocess", WORK);
        assertEquals(List.of("callLoader.load", "reprocess.looks", "direct:process-outcome", "direct:process-outcome", "direct:process-missed",
                "reprocess.settle"), routes.asked());
        assertEquals(LOOKS.get(2), routes.step("direct:process-missed").body());
    }

    @Test
    void aCallThatSomebodyElseLooksAtIsFoldedOnceMoreFromTheBegin() {
        AtomicInteger looks = new AtomicInteger();
        routes.on("reprocess.settle", exchange -> {
            if (looks.incrementAndGet() < 3) {
                throw new StaleLookException("c1");
            }
            return null;
        });
        assertNull(routes.send("process-reprocess", WORK).getException());
        assertEquals(3, routes.asked().stream().filter("callLoader.load"::equals).count());
        assertEquals(WORK, routes.steps().stream().filter(step -> step.name().equals("callLoader.load")).toList().get(2).body());
        assertEquals(3, looks.get());
    }

    @Test
    void aCallThatCannotBeReadIsCountedAndDoesNotStopTheNext() {
        routes.fail("callLoader.load", new StoreException("the disk is gone", null));
        assertNull(routes.send("process-reprocess", WORK).getException());
        assertEquals(List.of("callLoader.load", "reprocess.fail"), routes.asked());
    }

    @Test
    void aRouteThatFailsIsToldToWhoSettles() {
        try (RouteHarness broken = RouteHarness.of("process-reprocess", "process-missed").on("reprocess.looks", exchange -> LOOKS)
                .on("legFacts", exchange -> Facts.leg()).fail("missedFacts", new IllegalStateException("broken")).start()) {
            broken.send("process-reprocess", WORK);
            assertEquals(List.of("fail", "reprocess.settle"), broken.asked().subList(broken.asked().size() - 2, broken.asked().size()));
        }
    }
}
