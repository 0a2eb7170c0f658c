package io.callbridge.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.domain.CallEvent;
import io.callbridge.domain.TestEvent;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Tracing;
import io.callbridge.store.Delivery;
import io.callbridge.store.Event;
import io.callbridge.support.TestConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Facts of an evaluation that are more than a property of the domain, and in whose trace it is. */
class EvaluatorTest {

    private static final String LEG = "71101-1";
    private final List<Event> came = new ArrayList<>();

    /** Else the IVR of a call of last week would keep today's from being registered (R44). */
    @Test
    void aCallBackIdThatIsUsedAgainIsAnotherCalls() {
        List<CallEvent> call = TestEvent.read("dial-out 101 callBack=cb; hangup 101 to callBack=cb @7200");
        CallEvent lastWeek = TestEvent.read("hangup 140 callBack=cb bridged=true @-604800").get(0);
        CallEvent behind = TestEvent.read("hangup 140 callBack=cb bridged=true @7210").get(0);
        assertEquals(List.of(behind), Evaluator.atThatTime(call, List.of(lastWeek, behind)));
    }

    @Test
    void aLegKnowsTheResultThatItIsRegisteredWith() {
        String late = "dial-out 101; answer 101 to @5; hangup 101 to talked=25 @30";
        assertEquals("", leg(List.of(), late).get("registered"));
        assertEquals("", leg(List.of(written(1, Delivery.CARD, LEG, "{}"),
                written(2, Delivery.CALL, "71102-1", "{\"result\":\"busy\"}")), late).get("registered"));
        Map<String, Object> facts = leg(List.of(written(1, Delivery.CALL, LEG, "{\"result\":\"unknown\"}"),
                written(1, Delivery.CALL, LEG, "{\"result\":\"no-answer\"}")), late);
        assertEquals("no-answer", facts.get("registered"), "as it was told last");
        assertEquals("answered", facts.get("result"));
    }

    private static Map<String, Object> leg(List<Delivery> deliveries, String events) {
        List<CallEvent> read = TestEvent.read(events);
        List<Event> came = IntStream.range(0, read.size()).mapToObj(i -> event(read.get(i), i, null)).toList();
        Evaluation evaluation = new Evaluation(open(deliveries, came), List.of(), TestEvent.DIRECTORY, TestEvent.SETTINGS, Set.of(LEG));
        return CallFacts.leg(evaluation.call.leg(LEG), evaluation, false);
    }

    private static Delivery written(long seq, String operation, String id, String body) {
        return new Delivery(seq, "rest", operation, id, "main", "call", "calls", body, null, "delivered", 1, 1, "[]", 0, 0, 0, null);
    }

    @Test
    void ofSeveralEventsItIsTheNewestOneAndTheOthersAreLinked() {
        came("dial-in 101", 1);
        came("answer 101", 2);
        came("answer 101 @6", 3);
        came("hangup 101", 4);
        SpanData look = look(came.subList(1, 4), List.of());
        assertEquals(id(4) + id(4), look.getTraceId());
        assertEquals(id(4), look.getParentSpanId());
        assertEquals(List.of(id(2), id(3)), look.getLinks().stream().map(LinkData::getSpanContext).map(link -> link.getSpanId()).toList());
    }

    @Test
    void ofATimerItIsTheNewestEventOfWhatItIsAbout() {
        came("dial-in 101", 1);
        came("dial-in 102", 2);
        assertEquals(id(1), look(List.of(), List.of(LEG)).getParentSpanId());
        assertEquals(id(2), look(List.of(), List.of(Evaluation.MISSED)).getParentSpanId());
    }

    @Test
    void itBeginsATraceIfTheEventHadNoneAndIsNotTracedWithoutACollector() {
        came("dial-in 101", 0);
        assertFalse(look(came, List.of()).getParentSpanContext().isValid());
        assertTrue(look(came, List.of()).getSpanContext().isValid());
        came("answer 101", 1);
        assertNull(Tracing.traceparent(evaluator("").begin(open(List.of(), came), came, List.of()).span));
    }

    /** @param number of its trace; 0: it has none */
    private void came(String event, int number) {
        came.add(event(TestEvent.read(event).get(0), came.size(),
                number == 0 ? null : "00-" + id(number) + id(number) + "-" + id(number) + "-01"));
    }

    private SpanData look(List<Event> fresh, List<String> due) {
        return ((ReadableSpan) evaluator("http://collector:4318").begin(open(List.of(), came), fresh, due).span).toSpanData();
    }

    private static Evaluator evaluator(String collector) {
        Settings settings = TestConfig.settings(TestConfig.of(Map.of("callbridge.pbx.main.secret", "sixteen-letters-and-more",
                "callbridge.pbx.main.extensions.101.id", "71101", "callbridge.tracing.endpoint", collector), Map.of()));
        OpenTelemetrySdk sdk = OpenTelemetrySdk.builder().setTracerProvider(SdkTracerProvider.builder().build()).build();
        return new Evaluator(null, null, settings, null, null, new Tracing(sdk, settings), new SimpleMeterRegistry());
    }

    private static String id(int number) {
        return Integer.toString(number).repeat(16);
    }

    private static OpenCall open(List<Delivery> deliveries, List<Event> events) {
        OpenCall open = new OpenCall("main", "call");
        events.forEach(open.document::add);
        deliveries.forEach(open::put);
        return open;
    }

    /** @param number makes it another one than the others of the call */
    private static Event event(CallEvent event, int number, String trace) {
        return new Event(event, Map.of("n", Integer.toString(number)), trace, new byte[0]);
    }
}
