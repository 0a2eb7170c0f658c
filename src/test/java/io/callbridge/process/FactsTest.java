package io.callbridge.process;

import static io.callbridge.domain.TestEvent.answer;
import static io.callbridge.domain.TestEvent.dialIn;
import static io.callbridge.domain.TestEvent.dialOut;
import static io.callbridge.domain.TestEvent.hangup;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.domain.TestEvent;
import io.callbridge.store.Delivery;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;

/** Facts that are more than a property of the domain. */
class FactsTest {

    private static final String CALLER = "+79000000010";

    @Test
    void aLegKnowsTheResultThatItIsRegisteredWith() {
        TestEvent[] late = {dialOut("101").to(CALLER).at(0), answer("101").to(CALLER).at(5),
                hangup("101").to(CALLER).talked(25).at(30)};
        assertEquals("", leg(List.of(), late).get("registered"));
        assertEquals("", leg(List.of(written(Delivery.CARD, "71101-1", "{}"), written(Delivery.CALL, "71102-1",
                "{\"result\":\"busy\"}")), late).get("registered"));
        Map<String, Object> facts = leg(List.of(written(Delivery.CALL, "71101-1", "{\"result\":\"no-answer\"}")), late);
        assertEquals("no-answer", facts.get("registered"));
        assertEquals("answered", facts.get("result"));
    }

    @Test
    void aContainerThatOnlyAnEmployeeCalledIsNoVerdictAboutACaller() {
        assertMissed(Map.of("container", true, "ownCaller", true, "bridged", false, "place", "880"),
                hangup("880").from("453*101").bridged(true).at(10));
    }

    @Test
    void aContainerThatTheCallerReachedDecides() {
        assertMissed(Map.of("container", true, "ownCaller", false, "bridged", true, "place", "880"),
                hangup("880").from(CALLER).bridged(true).at(10));
    }

    @Test
    void whereAnEmployeeAskedAQueueForTheCallerThePhonesDecide() {
        assertMissed(Map.of("container", false, "ownCaller", false, "answered", true),
                dialIn("101").from(CALLER).at(0), answer("101").from(CALLER).at(5),
                hangup("880").from("453*101").bridged(false).at(10));
    }

    private static void assertMissed(Map<String, Object> expected, TestEvent... events) {
        Map<String, Object> facts = facts(exchange -> new MissedFacts().of(Folds.of("", List.of(), events), exchange));
        facts.keySet().retainAll(expected.keySet());
        assertEquals(expected, facts);
    }

    private static Map<String, Object> leg(List<Delivery> deliveries, TestEvent... events) {
        return facts(exchange -> new LegFacts().of(Map.of("subject", "71101-1"), Folds.of("71101-1", deliveries, events), exchange));
    }

    /** What a condition sees is what the next bean gets. */
    private static Map<String, Object> facts(Consumer<Exchange> bean) {
        Exchange exchange = new DefaultExchange(new DefaultCamelContext());
        bean.accept(exchange);
        assertEquals(exchange.getMessage().getBody(), exchange.getVariables());
        return new HashMap<>(exchange.getVariables());
    }

    private static Delivery written(String operation, String id, String body) {
        return new Delivery(1, "rest", operation, id, "main", "call", "calls", body, null, "delivered", 1, 1, 0, 0, 0, null);
    }
}
