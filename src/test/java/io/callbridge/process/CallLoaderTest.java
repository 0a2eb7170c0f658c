package io.callbridge.process;

import static io.callbridge.domain.TestEvent.answer;
import static io.callbridge.domain.TestEvent.dialIn;
import static io.callbridge.domain.TestEvent.dialOut;
import static io.callbridge.domain.TestEvent.hangup;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.deliver.CrmUsers;
import io.callbridge.domain.CallEvent;
import io.callbridge.domain.TestEvent;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Tracing;
import io.callbridge.store.Delivery;
import io.callbridge.store.Effects;
import io.callbridge.store.Journal;
import io.callbridge.store.Timer;
import io.callbridge.support.TestConfig;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;

/**
 * A look at a call: its timers, the one that brought it among them, since one that stayed would bring it at every poll; facts that are
 * more than a property of the domain; and in whose trace it is.
 */
class CallLoaderTest {

    private static final String CALLER = "+79000000010";
    private final Instant now = Instant.now();
    private static final String LEG = "71101-1";

    private final List<Journal.Entry> entries = new ArrayList<>();

    @Test
    void aLegHasATimerForItsLimitAndLosesItAsAContainerOrIfNobodyKnowsIt() {
        assertEquals(List.of(new Timer("main", "call", "71101-1", now.plus(Duration.ofMinutes(15)))),
                look(List.of("71101-1"), dialIn("101").from(CALLER).at(now)));
        assertEquals(List.of(none("71140-1"), new Timer("main", "call", Timer.MISSED, now.plusSeconds(5))), look(List.of("71140-1"),
                dialIn("140").from(CALLER).at(now.minusSeconds(20)), hangup("140").from(CALLER).bridged(false).at(now)));
        assertEquals(List.of(none("71102-1")), look(List.of("71102-1"), dialIn("101").from(CALLER).at(now)));
    }

    /** A look takes along what waited: its other leg must not bring back the timer that the whole call is done with. */
    @Test
    void aTimerOfTheWholeCallIsDoneWhenItIsDueAlsoWhenALegIsLookedAtToo() {
        TestEvent over = hangup("880").from(CALLER).bridged(false).at(now.minusSeconds(5));
        assertEquals(List.of(none(Timer.MISSED)), look(List.of(Timer.MISSED), over));
        assertEquals(List.of(new Timer("main", "call", "71101-1", now.plus(Duration.ofMinutes(15))), none(Timer.MISSED)),
                look(List.of(Timer.MISSED, "71101-1"), over, dialIn("101").from(CALLER).at(now)));
    }

    /** Else the IVR of a call of last week would keep today's from being registered (R44). */
    @Test
    void aCallBackIdThatIsUsedAgainIsAnotherCalls() {
        CallEvent begin = dialOut("101").to(CALLER).callBack("cb").at(now.minusSeconds(7200)).build();
        CallEvent end = hangup("101").to(CALLER).callBack("cb").at(now).build();
        CallEvent behind = hangup("140").from(CALLER).callBack("cb").bridged(true).at(now.plusSeconds(10)).build();
        CallEvent lastWeek = hangup("140").from(CALLER).callBack("cb").bridged(true).at(now.minus(Duration.ofDays(7))).build();
        assertEquals(List.of(behind), CallLoader.atThatTime(List.of(begin, end), List.of(lastWeek, behind)));
    }

    private static Timer none(String subject) {
        return new Timer("main", "call", subject, null);
    }

    private static List<Timer> look(List<String> subjects, TestEvent... events) {
        Fold fold = fold(subjects, List.of(), events);
        CallLoader.setTimers(fold, "main", "call");
        return fold.timers;
    }

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
    void aContainerDecidesThatTheCallerHasReached() {
        assertMissed(Map.of("container", true, "ownCaller", false, "bridged", true, "place", "880"),
                hangup("880").from(CALLER).bridged(true).at(10));
        assertMissed(Map.of("container", true, "ownCaller", true, "bridged", false, "place", "880"),
                hangup("880").from("453*101").bridged(true).at(10));
        assertMissed(Map.of("container", false, "ownCaller", false, "answered", true), dialIn("101").from(CALLER).at(0),
                answer("101").from(CALLER).at(5), hangup("880").from("453*101").bridged(false).at(10));
    }

    private static void assertMissed(Map<String, Object> expected, TestEvent... events) {
        Map<String, Object> facts = facts(exchange -> new MissedFacts().of(fold(List.of(""), List.of(), events), exchange));
        facts.keySet().retainAll(expected.keySet());
        assertEquals(expected, facts);
    }

    private static Map<String, Object> leg(List<Delivery> deliveries, TestEvent... events) {
        return facts(exchange -> new LegFacts().of(Map.of("subject", "71101-1"), fold(List.of("71101-1"), deliveries, events), exchange));
    }

    /** What a condition sees is what the next bean gets. */
    private static Map<String, Object> facts(Consumer<Exchange> bean) {
        Exchange exchange = new DefaultExchange(new DefaultCamelContext());
        bean.accept(exchange);
        assertEquals(exchange.getMessage().getBody(), exchange.getVariables());
        return new HashMap<>(exchange.getVariables());
    }

    private static Delivery written(String operation, String id, String body) {
        return new Delivery(1, "rest", operation, id, "main", "call", "calls", body, null, "delivered", 1, 1, "[]", 0, 0, 0, null);
    }

    @Test
    void ofSeveralEventsItIsTheNewestOneAndTheOthersAreLinked() {
        journaled("done", dialIn("101"), 1);
        journaled("new", answer("101"), 2);
        journaled("failed", answer("101").at(6), 3);
        journaled("new", hangup("101"), 4);
        SpanData look = look();
        assertEquals(id(4) + id(4), look.getTraceId());
        assertEquals(id(4), look.getParentSpanId());
        assertEquals(List.of(id(2), id(3)), look.getLinks().stream().map(LinkData::getSpanContext).map(link -> link.getSpanId()).toList());
    }

    @Test
    void itBeginsATraceIfTheEventHadNoneAndIsNotTracedWithoutACollector() {
        journaled("new", dialIn("101"), 0);
        assertFalse(look().getParentSpanContext().isValid());
        assertTrue(look().getSpanContext().isValid());
        journaled("new", dialIn("101"), 1);
        assertNull(Tracing.traceparent(traced("").span));
    }

    /** @param number of its trace; 0: it has none */
    private void journaled(String state, TestEvent event, int number) {
        entries.add(new Journal.Entry(entries.size() + 1, state, event.leg(LEG).build(), Map.of(),
                number == 0 ? null : "00-" + id(number) + id(number) + "-" + id(number) + "-01"));
    }

    private SpanData look() {
        return ((ReadableSpan) traced("http://collector:4318").span).toSpanData();
    }

    private Fold traced(String collector) {
        Settings settings = TestConfig.settings(TestConfig.of(Map.of("callbridge.pbx.main.secret", "sixteen-letters-and-more",
                "callbridge.pbx.main.extensions.101.id", "71101", "callbridge.tracing.endpoint", collector), Map.of()));
        Effects effects = new Effects(null, null, null) {
            @Override
            public Snapshot snapshot(String pbx, String callId) {
                return new Snapshot(null, entries, List.of());
            }
        };
        OpenTelemetrySdk sdk = OpenTelemetrySdk.builder().setTracerProvider(SdkTracerProvider.builder().build()).build();
        Exchange exchange = new DefaultExchange(new DefaultCamelContext());
        String callId = entries.get(0).event().callId();
        exchange.getMessage().setBody(Map.of("pbx", "main", "callId", callId, "looks", List.of(Map.of("subject", LEG))));
        ReusedIds none = new ReusedIds(null, null, null, null) {
            @Override
            boolean settle(String pbx, String callId, List<Journal.Entry> all) {
                return false;
            }
        };
        CrmUsers users = new CrmUsers(null, null, settings, null, null);
        assertDoesNotThrow(() -> new CallLoader(null, effects, settings, none, users, new Tracing(sdk, settings)).load(exchange));
        return exchange.getProperty(Fold.PROPERTY, Fold.class);
    }

    private static String id(int number) {
        return Integer.toString(number).repeat(16);
    }

    /** @param deliveries what the outbox has of the call */
    static Fold fold(List<String> subjects, List<Delivery> deliveries, TestEvent... events) {
        List<Journal.Entry> entries = IntStream.range(0, events.length)
                .mapToObj(i -> new Journal.Entry(i + 1, "new", events[i].build(), Map.of(), null)).toList();
        return new Fold(new Effects.Snapshot(null, entries, deliveries), List.of(), TestEvent.DIRECTORY, TestEvent.SETTINGS, subjects);
    }
}
