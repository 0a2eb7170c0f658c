package io.callbridge.ingest;

import io.callbridge.domain.CallEvent;
import io.callbridge.platform.CallLog;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.platform.Tracing;
import io.callbridge.process.CallLanes;
import io.callbridge.store.Journal;
import io.callbridge.store.StoreException;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.internal.ThreadExecutorMap;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.Body;
import org.apache.camel.Exchange;

/** Makes an event durable, then hands it to processing: the order that lets the PBX be answered (rule R4). */
@ApplicationScoped
@Named("eventStore")
@RegisterForReflection
public class EventStore {

    private final Journal journal;
    private final EventKinds kinds;
    private final CallLanes lanes;
    private final Tracing tracing;
    private final int patienceMs;

    public EventStore(Journal journal, EventKinds kinds, CallLanes lanes, Tracing tracing, Settings settings) {
        this.journal = journal;
        this.kinds = kinds;
        this.lanes = lanes;
        this.tracing = tracing;
        this.patienceMs = settings.number("store.patience-ms");
    }

    /** Events on their way into the journal. @param spans one for each, which ends when its sender can be answered */
    private record Begun(CompletableFuture<List<Boolean>> appended, List<Span> spans) {
    }

    /**
     * @param accepted what {@link WebhookReader} answered for an event
     * @return when the event is durable; fails with a {@link StoreException} if it is not in time
     */
    public CompletableFuture<Void> append(@Body Map<String, Object> accepted, Exchange exchange) {
        return acknowledged(begin(List.of(accepted), exchange));
    }

    /**
     * Several events in their order, with one commit.
     *
     * @param accepted each with {@code arrivedAt}, if it has waited on its way
     * @return when they are durable; fails with a {@link StoreException} if they are not in time
     */
    public CompletableFuture<Void> appendAll(@Body List<Map<String, Object>> accepted, Exchange exchange) {
        return acknowledged(begin(accepted, exchange));
    }

    @SuppressWarnings("unchecked")
    private Begun begin(List<Map<String, Object>> accepted, Exchange exchange) {
        List<CallEvent> read = accepted.stream().map(one -> EventReader.read((String) one.get("pbx"), (Map<String, String>) one.get("fields"),
                (Instant) one.getOrDefault("arrivedAt", Time.now()))).toList();
        List<Journal.New> events = new ArrayList<>();
        List<Span> spans = new ArrayList<>();
        List<Span> stores = new ArrayList<>();
        for (int i = 0; i < read.size(); i++) {
            CallEvent event = read.get(i);
            Span span = tracing.span("receive", (String) null).setSpanKind(SpanKind.SERVER).setAttribute(Tracing.ROUTE, exchange.getFromRouteId())
                    .setAttribute(Tracing.PBX, event.pbx()).setAttribute(Tracing.EVENT, event.type().word)
                    .setAttribute(Tracing.CALL, event.callId()).setAttribute(Tracing.LEG, event.legId()).startSpan();
            spans.add(span);
            stores.add(tracing.span("journal", span).startSpan());
            events.add(new Journal.New(event, (Map<String, String>) accepted.get(i).get("fields"), Tracing.traceparent(span)));
        }
        CompletableFuture<List<Boolean>> appended = journal.append(events);
        appended.whenComplete((isNew, failure) -> {
            for (int i = 0; i < stores.size(); i++) {
                if (failure == null) {
                    stores.get(i).setAttribute(Tracing.RESULT, isNew.get(i) ? "new" : "repeat");
                } else {
                    stores.get(i).setStatus(StatusCode.ERROR).setAttribute(Tracing.ERROR, failure.getClass().getName());
                }
                stores.get(i).end();
            }
        });
        // By the commit itself: also an event that is stored after we have lost patience counts, and rings a phone.
        CompletableFuture<List<Boolean>> counted = appended.whenComplete((isNew, failure) -> {
            for (int i = 0; failure == null && i < isNew.size(); i++) {
                kinds.accepted(events.get(i).event(), isNew.get(i));
                if (isNew.get(i)) {
                    hand(events.get(i).event());
                }
            }
        });
        return new Begun(counted, spans);
    }

    private void hand(CallEvent event) {
        try (CallLog log = CallLog.about(event.callId())) {
            lanes.submit(event);
        }
    }

    /** Goes on in the event loop that asked, if one did: the thread that commits has other things to do. */
    private CompletableFuture<Void> acknowledged(Begun begun) {
        CompletableFuture<Void> acknowledged = new CompletableFuture<>();
        Executor asked = eventLoop();
        begun.appended.copy().orTimeout(patienceMs, TimeUnit.MILLISECONDS).whenComplete((isNew, failure) -> {
            if (failure != null) {
                begun.spans.forEach(span -> span.setStatus(StatusCode.ERROR));
            }
            begun.spans.forEach(Span::end);
            Runnable end = failure == null ? () -> acknowledged.complete(null) : () -> acknowledged.completeExceptionally(refusal(failure));
            try {
                asked.execute(end);
            } catch (RejectedExecutionException atTheStop) {
                end.run();
            }
        });
        return acknowledged;
    }

    /** That of a request, or of a connection over TCP; an Asterisk's thread waits. */
    private static Executor eventLoop() {
        Context request = Vertx.currentContext();
        EventExecutor connection = ThreadExecutorMap.currentExecutor();
        return request != null ? task -> request.runOnContext(now -> task.run()) : connection != null ? connection : Runnable::run;
    }

    /** The sender learns what happened, not what the database said: that is in the log. */
    private StoreException refusal(Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        String late = cause instanceof TimeoutException ? " within " + patienceMs + " ms" : "";
        return new StoreException("the event could not be stored" + late + "; send it again", cause);
    }
}
