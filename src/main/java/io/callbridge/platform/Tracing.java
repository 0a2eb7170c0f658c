package io.callbridge.platform;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.Context;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;

/**
 * Traces from the receipt of an event to the requests to CRMs. They go on in other threads, after a restart and in other
 * replicas, since the row of an event or delivery says where, as a W3C {@code traceparent}. Without
 * {@code callbridge.tracing.endpoint} there are no spans, only objects that do nothing.
 *
 * <p>No span has a number, a name, a path or query of an address, or the text of an exception, which may have them too.
 */
@ApplicationScoped
public class Tracing {

    public static final AttributeKey<String> PBX = AttributeKey.stringKey("callbridge.pbx");
    public static final AttributeKey<String> CALL = AttributeKey.stringKey("callbridge.call_id");
    public static final AttributeKey<String> LEG = AttributeKey.stringKey("callbridge.leg_id");
    public static final AttributeKey<String> EVENT = AttributeKey.stringKey("callbridge.event");
    /** The id of the route that took the event. */
    public static final AttributeKey<String> ROUTE = AttributeKey.stringKey("callbridge.route");
    /** Legs that an evaluation is about; empty for the whole call. */
    public static final AttributeKey<List<String>> SUBJECTS = AttributeKey.stringArrayKey("callbridge.subjects");
    public static final AttributeKey<List<String>> RULES = AttributeKey.stringArrayKey("callbridge.rules");
    /** What an evaluation asks for: CRM and operation. */
    public static final AttributeKey<List<String>> EFFECTS = AttributeKey.stringArrayKey("callbridge.effects");
    public static final AttributeKey<String> CRM = AttributeKey.stringKey("callbridge.crm");
    public static final AttributeKey<String> OPERATION = AttributeKey.stringKey("callbridge.operation");
    /** Of a delivery, from 1. */
    public static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("callbridge.attempt");
    /** What became of an event (new, repeat) or a delivery (its state). */
    public static final AttributeKey<String> RESULT = AttributeKey.stringKey("callbridge.result");
    public static final AttributeKey<Long> STATUS = AttributeKey.longKey("http.response.status_code");
    /** The class of an exception. */
    public static final AttributeKey<String> ERROR = AttributeKey.stringKey("error.type");

    private final boolean on;
    private final Tracer tracer;

    public Tracing(OpenTelemetry telemetry, Settings settings) {
        on = settings.tracing();
        tracer = (on ? telemetry.getTracerProvider() : TracerProvider.noop()).get("io.callbridge");
    }

    public boolean on() {
        return on;
    }

    /** @param traceparent of the span that this one follows from; {@code null}: it begins a trace */
    public SpanBuilder span(String name, String traceparent) {
        SpanBuilder span = tracer.spanBuilder(name).setNoParent();
        SpanContext parent = context(traceparent);
        return parent.isValid() ? span.setParent(Context.root().with(Span.wrap(parent))) : span;
    }

    /** A span inside another. */
    public SpanBuilder span(String name, Span parent) {
        return tracer.spanBuilder(name).setParent(Context.root().with(parent));
    }

    /** Where a trace goes on; invalid: nowhere. */
    public SpanContext context(String traceparent) {
        // What was stored while tracing was on must not make the CRM get a traceparent now.
        String[] parts = !on || traceparent == null ? new String[0] : traceparent.split("-");
        return parts.length != 4 ? SpanContext.getInvalid()
                : SpanContext.createFromRemoteParent(parts[1], parts[2], TraceFlags.fromHex(parts[3], 0), TraceState.getDefault());
    }

    /** @return {@code null}: there is no trace */
    public static String traceparent(Span span) {
        SpanContext context = span.getSpanContext();
        return context.isValid() ? "00-" + context.getTraceId() + "-" + context.getSpanId() + "-" + context.getTraceFlags().asHex() : null;
    }
}
