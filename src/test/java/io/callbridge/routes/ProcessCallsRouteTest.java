package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.callbridge.domain.CallEvent.Type;
import io.callbridge.domain.CallEvent;
import io.callbridge.process.Fold;
import io.callbridge.process.LegRepository;
import io.callbridge.store.Journal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The aggregator over the journal: nothing leaves before a leg is over, everything after does.
 * The repository is the real one over a list of events; the strategy stands in for the fold, which needs a store.
 */
class ProcessCallsRouteTest {

    private final List<CallEvent> events = new ArrayList<>();
    private final RouteHarness routes = RouteHarness.of("process-calls").bean("legRepository", new LegRepository(journal()))
            .bean("legStrategy", (AggregationStrategy) ProcessCallsRouteTest::fold).start();
    private Thread decidedBy;

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void aLegWithoutHangupGoesNowhere() {
        arrives("main", "a1", Type.DIAL_IN);
        assertEquals(List.of(), routes.asked());
        arrives("main", "a1", Type.ANSWER);
        assertEquals(List.of(), routes.asked());
    }

    @Test
    void theHangupLeadsToTheOutcome() {
        arrives("main", "a1", Type.DIAL_IN);
        arrives("main", "a1", Type.HANGUP);
        assertEquals(List.of("direct:process-outcome"), routes.asked());
        assertEquals(Map.of("legId", "a1", "over", true, "events", 2), routes.step("direct:process-outcome").body());
    }

    @Test
    void aLateEventLeadsToTheOutcomeOfTheWholeLegAgain() {
        arrives("main", "a1", Type.HANGUP);
        arrives("main", "a1", Type.ANSWER);
        assertEquals(Map.of("legId", "a1", "over", true, "events", 2), routes.step("direct:process-outcome").body());
        arrives("main", "a1", Type.DIAL_IN);
        assertEquals(Map.of("legId", "a1", "over", true, "events", 3), routes.step("direct:process-outcome").body());
    }

    @Test
    void legsDoNotMix() {
        arrives("main", "a1", Type.HANGUP);
        arrives("main", "a2", Type.DIAL_IN);
        assertEquals(List.of(), routes.asked());
        arrives("branch", "a1", Type.DIAL_IN);
        assertEquals(List.of(), routes.asked());
    }

    /** Else the effects of the outcome would come after their commit. */
    @Test
    void theOutcomeIsDecidedBeforeTheSenderGoesOn() {
        routes.on("direct:process-outcome", exchange -> {
            decidedBy = Thread.currentThread();
            return null;
        });
        arrives("main", "a1", Type.HANGUP);
        assertSame(Thread.currentThread(), decidedBy);
    }

    /** What the outcome asks for is collected in the look that the sender commits. */
    @Test
    void theLookAtTheCallComesAlong() {
        Object look = new Object();
        List<Object> seen = new ArrayList<>();
        routes.on("direct:process-outcome", exchange -> seen.add(exchange.getProperty(Fold.PROPERTY)));
        events.add(event("main", "a1", Type.HANGUP));
        routes.send("process-calls", exchange -> {
            exchange.setProperty(Fold.PROPERTY, look);
            exchange.getMessage().setBody(work("main", "a1"));
            Facts.put(exchange);
        });
        assertEquals(List.of(look), seen);
    }

    @Test
    void aFailureIsNoted() {
        AggregationStrategy broken = (old, current) -> {
            throw new IllegalStateException("broken");
        };
        try (RouteHarness route = RouteHarness.of("process-calls").bean("legRepository", new LegRepository(journal()))
                .bean("legStrategy", broken).start()) {
            events.add(event("main", "a1", Type.HANGUP));
            route.send("process-calls", work("main", "a1"));
            assertEquals(List.of("fail"), route.asked());
        }
    }

    /** The outcome notes its own failure; who brought the event goes on to the commit. */
    @Test
    void aFailureOfTheOutcomeIsCommitted() {
        try (RouteHarness stage = RouteHarness.of("process-event", "process-event-decide", "process-calls", "process-outcome")
                .bean("legRepository", new LegRepository(journal())).bean("legStrategy", (AggregationStrategy) (old, current) -> {
                    current.getMessage().setBody(Facts.leg());
                    Facts.put(current);
                    return current;
                }).fail("direct:process-register", new IllegalStateException("broken")).start()) {
            events.add(event("main", "a1", Type.HANGUP));
            stage.send("process-event", Map.of("pbx", "main", "callId", "c1", "looks", List.of(work("main", "a1"))));
            assertEquals(List.of("callLoader.load", "direct:process-register", "fail", "direct:process-card", "commit"), stage.asked());
        }
    }

    /** As it happens: in the journal first, then to the route. */
    private void arrives(String pbx, String legId, Type type) {
        events.add(event(pbx, legId, type));
        routes.send("process-calls", work(pbx, legId));
    }

    private static CallEvent event(String pbx, String legId, Type type) {
        return new CallEvent(pbx, type, "c1", legId, null, null, null, null, null, null, null, null, null, null, null, false, null,
                null, null, Instant.EPOCH, null, null, null);
    }

    private static Map<String, Object> work(String pbx, String legId) {
        return Map.of("trigger", "event", "pbx", pbx, "callId", "c1", "subject", legId);
    }

    private static Exchange fold(Exchange old, Exchange current) {
        List<?> leg = old.getMessage().getBody(List.class);
        current.getMessage().setBody(Map.of("legId", ((CallEvent) leg.get(0)).legId(), "events", leg.size(), "over",
                leg.stream().anyMatch(event -> ((CallEvent) event).type() == Type.HANGUP)));
        Facts.put(current);
        return current;
    }

    private Journal journal() {
        return new Journal(null, null) {
            @Override
            public List<CallEvent> leg(String pbx, String legId) {
                return events.stream().filter(event -> event.pbx().equals(pbx) && event.legId().equals(legId)).toList();
            }
        };
    }
}
