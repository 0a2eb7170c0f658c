package io.callbridge.ingest;

import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.platform.Tracing;
import io.callbridge.store.Event;
import io.callbridge.store.Inbox;
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

    private final Inbox inbox;
    private final EventKinds kinds;
    private final Tracing tracing;
    private final int patienceMs;

    public EventStore(Inbox inbox, EventKinds kinds, Tracing tracing, Settings settings) {
        this.inbox = inbox;
        this.kinds = kinds;
        this.tracing = tracing;
        this.patienceMs = settings.number("store.patience-ms");
    }

    /** Events on their way into the inbox. @param spans one for each, which ends when its sender can be answered */
    private record Begun(CompletableFuture<Void> appended, List<Span> spans) {
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
        List<Event> events = new ArrayList<>();
        List<Span> spans = new ArrayList<>();
        for (Map<String, Object> one : accepted) {
            Span span = tracing.span("receive", (String) null).setSpanKind(SpanKind.SERVER).startSpan();
            Event event = Event.of((String) one.get("pbx"), (Map<String, String>) one.get("fields"), (Instant) one.getOrDefault("arrivedAt", Time.now()),
                    Tracing.traceparent(span));
            span.setAttribute(Tracing.ROUTE, exchange.getFromRouteId()).setAttribute(Tracing.PBX, event.call().pbx())
                    .setAttribute(Tracing.EVENT, event.call().type().word).setAttribute(Tracing.CALL, event.call().callId())
                    .setAttribute(Tracing.LEG, event.call().legId());
            spans.add(span);
            events.add(event);
        }
        // By the commit itself: also an event that is stored after we have lost patience counts, and rings a phone.
        CompletableFuture<Void> appended = inbox.append(events);
        appended.thenRun(() -> events.forEach(event -> kinds.accepted(event.call())));
        return new Begun(appended, spans);
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
