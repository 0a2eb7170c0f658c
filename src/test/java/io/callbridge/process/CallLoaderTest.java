package io.callbridge.process;

import static io.callbridge.domain.TestEvent.answer;
import static io.callbridge.domain.TestEvent.dialIn;
import static io.callbridge.domain.TestEvent.dialOut;
import static io.callbridge.domain.TestEvent.hangup;
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
import io.callbridge.store.Event;
import io.callbridge.support.TestConfig;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
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
    private static final String LEG = "71101-1";
    private static final Instant NONE = Instant.EPOCH;
    private final Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);

    private final List<Event> came = new ArrayList<>();

    @Test
    void aLegHasATimerForItsLimitAndLosesItAsAContainerOrIfNobodyKnowsIt() {
        assertEquals(Map.of(LEG, now.plus(Duration.ofMinutes(15))), timers(List.of(LEG), dialIn("101").from(CALLER).at(now)));
        assertEquals(Map.of("71140-1", NONE, Fold.MISSED, now.plusSeconds(5)), timers(List.of("71140-1"),
                dialIn("140").from(CALLER).at(now.minusSeconds(20)), hangup("140").from(CALLER).bridged(false).at(now)));
        assertEquals(Map.of("71102-1", NONE), timers(List.of("71102-1"), dialIn("101").from(CALLER).at(now)));
    }

    /** A look takes along what waited: its other leg must not bring back the timer that the whole call is done with. */
    @Test
    void aTimerOfTheWholeCallIsDoneWhenItIsDueAlsoWhenALegIsLookedAtToo() {
        TestEvent over = hangup("880").from(CALLER).bridged(false).at(now.minusSeconds(5));
        assertEquals(Map.of(Fold.MISSED, NONE), timers(List.of(Fold.MISSED), over));
        assertEquals(Map.of(LEG, now.plus(Duration.ofMinutes(15)), Fold.MISSED, NONE),
                timers(List.of(Fold.MISSED, LEG), over, dialIn("101").from(CALLER).at(now)));
    }

    @Test
    void whatIsKnownAtTheHangupIsDecidedThen() {
        came(dialIn("101").from(CALLER).at(now.minusSeconds(30)), 0);
        came(answer("101").from(CALLER).at(now.minusSeconds(25)), 0);
        came(hangup("101").from(CALLER).talked(25).at(now), 0);
        Fold fold = loader("").look(open(List.of(), came), came.subList(2, 3), List.of());
        assertEquals(List.of(LEG, Fold.MISSED), fold.subjects);
        assertNull(fold.timers.get(Fold.MISSED));
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

    private static Map<String, Instant> timers(List<String> subjects, TestEvent... events) {
        Fold fold = fold(subjects, List.of(), events);
        CallLoader.setTimers(fold);
        return fold.timers.keySet().stream().collect(Collectors.toMap(subject -> subject,
                subject -> fold.timers.get(subject) == null ? NONE : Instant.ofEpochMilli(fold.timers.get(subject))));
    }

    @Test
    void aLegKnowsTheResultThatItIsRegisteredWith() {
        TestEvent[] late = {dialOut("101").to(CALLER).at(0), answer("101").to(CALLER).at(5),
                hangup("101").to(CALLER).talked(25).at(30)};
        assertEquals("", leg(List.of(), late).get("registered"));
        assertEquals("", leg(List.of(written(1, Delivery.CARD, LEG, "{}"),
                written(2, Delivery.CALL, "71102-1", "{\"result\":\"busy\"}")), late).get("registered"));
        Map<String, Object> facts = leg(List.of(written(1, Delivery.CALL, LEG, "{\"result\":\"unknown\"}"),
                written(1, Delivery.CALL, LEG, "{\"result\":\"no-answer\"}")), late);
        assertEquals("no-answer", facts.get("registered"), "as it was told last");
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
        return facts(exchange -> new LegFacts().of(Map.of("subject", LEG), fold(List.of(LEG), deliveries, events), exchange));
    }

    /** What a condition sees is what the next bean gets. */
    private static Map<String, Object> facts(Consumer<Exchange> bean) {
        Exchange exchange = new DefaultExchange(new DefaultCamelContext());
        bean.accept(exchange);
        assertEquals(exchange.getMessage().getBody(), exchange.getVariables());
        return new HashMap<>(exchange.getVariables());
    }

    private static Delivery written(long seq, String operation, String id, String body) {
        return new Delivery(seq, "rest", operation, id, "main", "call", "calls", body, null, "delivered", 1, 1, "[]", 0, 0, 0, null);
    }

    @Test
    void ofSeveralEventsItIsTheNewestOneAndTheOthersAreLinked() {
        came(dialIn("101"), 1);
        came(answer("101"), 2);
        came(answer("101").at(6), 3);
        came(hangup("101"), 4);
        SpanData look = look(came.subList(1, 4), List.of());
        assertEquals(id(4) + id(4), look.getTraceId());
        assertEquals(id(4), look.getParentSpanId());
        assertEquals(List.of(id(2), id(3)), look.getLinks().stream().map(LinkData::getSpanContext).map(link -> link.getSpanId()).toList());
    }

    @Test
    void ofATimerItIsTheNewestEventOfWhatItIsAbout() {
        came(dialIn("101"), 1);
        came(dialIn("102"), 2);
        assertEquals(id(1), look(List.of(), List.of(LEG)).getParentSpanId());
        assertEquals(id(2), look(List.of(), List.of(Fold.MISSED)).getParentSpanId());
    }

    @Test
    void itBeginsATraceIfTheEventHadNoneAndIsNotTracedWithoutACollector() {
        came(dialIn("101"), 0);
        assertFalse(look(came, List.of()).getParentSpanContext().isValid());
        assertTrue(look(came, List.of()).getSpanContext().isValid());
        came(answer("101"), 1);
        assertNull(Tracing.traceparent(loader("").look(open(List.of(), came), came, List.of()).span));
    }

    /** @param number of its trace; 0: it has none */
    private void came(TestEvent event, int number) {
        came.add(event(event, came.size(), number == 0 ? null : "00-" + id(number) + id(number) + "-" + id(number) + "-01"));
    }

    private SpanData look(List<Event> fresh, List<String> due) {
        return ((ReadableSpan) loader("http://collector:4318").look(open(List.of(), came), fresh, due).span).toSpanData();
    }

    private static CallLoader loader(String collector) {
        Settings settings = TestConfig.settings(TestConfig.of(Map.of("callbridge.pbx.main.secret", "sixteen-letters-and-more",
                "callbridge.pbx.main.extensions.101.id", "71101", "callbridge.tracing.endpoint", collector), Map.of()));
        OpenTelemetrySdk sdk = OpenTelemetrySdk.builder().setTracerProvider(SdkTracerProvider.builder().build()).build();
        return new CallLoader(null, settings, new CrmUsers(null, null, settings, null, null), new Tracing(sdk, settings));
    }

    private static String id(int number) {
        return Integer.toString(number).repeat(16);
    }

    /** @param deliveries what the outbox has of the call */
    private static Fold fold(List<String> subjects, List<Delivery> deliveries, TestEvent... events) {
        List<Event> came = IntStream.range(0, events.length).mapToObj(i -> event(events[i], i, null)).toList();
        return new Fold(open(deliveries, came), came, List.of(), TestEvent.DIRECTORY, TestEvent.SETTINGS, subjects);
    }

    private static OpenCall open(List<Delivery> deliveries, List<Event> events) {
        OpenCall open = new OpenCall("main", "call");
        events.forEach(open.document::add);
        deliveries.forEach(open::told);
        return open;
    }

    /** @param number makes it another one than the others of the call */
    private static Event event(TestEvent event, int number, String trace) {
        return new Event(event.build(), Map.of("n", Integer.toString(number)), trace, new byte[0]);
    }
}
