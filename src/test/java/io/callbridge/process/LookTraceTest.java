package io.callbridge.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.deliver.CrmUsers;
import io.callbridge.domain.TestEvent;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Tracing;
import io.callbridge.store.Effects;
import io.callbridge.store.Journal;
import io.callbridge.store.Timer;
import io.callbridge.support.TestConfig;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;

/** In whose trace a look at a call is. */
class LookTraceTest {

    private static final String LEG = "71101-1";

    private final Map<String, String> given = new HashMap<>(Map.of("callbridge.pbx.main.secret", "sixteen-letters-and-more",
            "callbridge.pbx.main.extensions.101.id", "71101", "callbridge.tracing.endpoint", "http://collector:4318"));
    private final List<Journal.Entry> entries = new ArrayList<>();

    @Test
    void ofSeveralEventsItIsTheNewestOneAndTheOthersAreLinked() {
        journaled("done", TestEvent.dialIn("101"), 1);
        journaled("new", TestEvent.answer("101"), 2);
        journaled("failed", TestEvent.answer("101").at(6), 3);
        journaled("new", TestEvent.hangup("101"), 4);
        SpanData look = look(LEG);
        assertEquals(trace(4), look.getTraceId());
        assertEquals(id(4), look.getParentSpanId());
        assertEquals(List.of(id(2), id(3)), look.getLinks().stream().map(LinkData::getSpanContext).map(link -> link.getSpanId()).toList());
    }

    @Test
    void ofATimerItIsTheNewestEventThereIs() {
        journaled("done", TestEvent.dialIn("101"), 1);
        journaled("done", TestEvent.hangup("101"), 2);
        assertEquals(trace(2), look(LEG).getTraceId());
        assertEquals(trace(2), look(Timer.MISSED).getTraceId());
        assertEquals(List.of(), look(LEG).getLinks());
    }

    @Test
    void itBeginsATraceIfTheEventHadNone() {
        journaled("new", TestEvent.dialIn("101"), 0);
        SpanData look = look(LEG);
        assertFalse(look.getParentSpanContext().isValid());
        assertTrue(look.getSpanContext().isValid());
    }

    @Test
    void whatWasTracedBeforeIsNotTracedWithoutACollector() {
        given.remove("callbridge.tracing.endpoint");
        journaled("new", TestEvent.dialIn("101"), 1);
        Fold fold = fold(LEG);
        assertFalse(fold.span.getSpanContext().isValid());
        assertNull(Tracing.traceparent(fold.span));
    }

    /** @param number of its trace; 0: it has none */
    private void journaled(String state, TestEvent event, int number) {
        entries.add(new Journal.Entry(entries.size() + 1, state, event.leg(LEG).build(), Map.of(),
                number == 0 ? null : "00-" + trace(number) + "-" + id(number) + "-01"));
    }

    private SpanData look(String subject) {
        Span span = fold(subject).span;
        return ((ReadableSpan) span).toSpanData();
    }

    private Fold fold(String subject) {
        Settings settings = TestConfig.settings(TestConfig.of(given, Map.of()));
        Effects effects = new Effects(null, null, null) {
            @Override
            public Snapshot snapshot(String pbx, String callId) {
                return new Snapshot(null, entries, List.of());
            }
        };
        OpenTelemetrySdk sdk = OpenTelemetrySdk.builder().setTracerProvider(SdkTracerProvider.builder().build()).build();
        Exchange exchange = new DefaultExchange(new DefaultCamelContext());
        String callId = entries.get(0).event().callId();
        exchange.getMessage().setBody(Map.of("pbx", "main", "callId", callId, "looks", List.of(Map.of("subject", subject))));
        ReusedIds none = new ReusedIds(null, null, null, null) {
            @Override
            boolean settle(String pbx, String callId, List<Journal.Entry> all) {
                return false;
            }
        };
        try {
            new CallLoader(null, effects, settings, none, new CrmUsers(null, null, settings, null, null), new Tracing(sdk, settings)).load(exchange);
        } catch (StaleLookException e) {
            throw new IllegalStateException(e);
        }
        return exchange.getProperty(Fold.PROPERTY, Fold.class);
    }

    private static String trace(int number) {
        return Integer.toString(number).repeat(32);
    }

    private static String id(int number) {
        return Integer.toString(number).repeat(16);
    }
}
