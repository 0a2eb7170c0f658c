package io.callbridge.process;

import io.callbridge.deliver.CrmUsers;
import io.callbridge.deliver.Dispatcher;
import io.callbridge.domain.CallEvent;
import io.callbridge.domain.Leg;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.platform.Tracing;
import io.callbridge.store.CallRow;
import io.callbridge.store.Calls.Evaluated;
import io.callbridge.store.Calls.Part;
import io.callbridge.store.Calls.Put;
import io.callbridge.store.Calls;
import io.callbridge.store.Delivery;
import io.callbridge.store.Document.Decision;
import io.callbridge.store.Document;
import io.callbridge.store.Event;
import io.callbridge.store.StoreException;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.StatusCode;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.Endpoint;
import org.apache.camel.ProducerTemplate;
import org.jboss.logging.Logger;

/**
 * Evaluates a call from all its events: tells the routes the facts, once for each leg that something came for and once for the whole
 * call, and writes all that they asked for in one commit.
 */
@ApplicationScoped
public class Evaluator {

    private static final Logger LOG = Logger.getLogger(Evaluator.class);
    private static final int RETRY_SECONDS = 60;

    private final ProducerTemplate template;
    private final Calls calls;
    private final Settings settings;
    private final CrmUsers users;
    private final Dispatcher dispatcher;
    private final Tracing tracing;
    private final MeterRegistry meters;
    private volatile Endpoint route;

    public Evaluator(ProducerTemplate template, Calls calls, Settings settings, CrmUsers users, Dispatcher dispatcher, Tracing tracing,
            MeterRegistry meters) {
        this.template = template;
        this.calls = calls;
        this.settings = settings;
        this.users = users;
        this.dispatcher = dispatcher;
        this.tracing = tracing;
        this.meters = meters;
        // There from the beginning: of a counter that appears with its first failure, nobody sees that one.
        meters.counter("callbridge.process.failures");
    }

    /** Of what came, and what is due of these subjects. @param fresh is in the document already */
    Evaluation begin(OpenCall open, List<Event> fresh, Collection<String> due) {
        Instant begin = Time.now();
        Set<String> subjects = new LinkedHashSet<>();
        fresh.forEach(event -> subjects.add(event.call().legId()));
        subjects.addAll(due);
        Evaluation evaluation = of(open, subjects);
        if (evaluation.notMissed()) {
            subjects.add(Evaluation.MISSED);
        }
        setTimers(evaluation);
        if (tracing.on()) {
            trace(evaluation, fresh, begin);
        }
        return evaluation;
    }

    Evaluation of(OpenCall open, Set<String> subjects) {
        return new Evaluation(open, sameCallBack(open), settings.directory(open.pbx), settings.calls(), subjects);
    }

    /** Lets the routes decide. What fails is noted, and then nothing that was collected counts; unless it fails because the routes end. */
    void decide(Evaluation evaluation) {
        try {
            for (Leg leg : evaluation.call.legs()) {
                if (evaluation.subjects.contains(leg.id()) || evaluation.concernsCard(leg)) {
                    send(evaluation, CallFacts.leg(leg, evaluation, leg.extension() != null && users.known(leg.extension().name())));
                }
            }
            if (evaluation.subjects.contains(Evaluation.MISSED)) {
                send(evaluation, CallFacts.whole(evaluation));
            }
        } catch (Exception e) {
            if (!template.getCamelContext().isRunAllowed()) {
                throw new IllegalStateException("Callbridge stops", e);
            }
            evaluation.failure = e;
        }
    }

    private void send(Evaluation evaluation, Map<String, Object> facts) throws Exception {
        if (route == null) {
            route = template.getCamelContext().getEndpoint("direct:process-event");
        }
        Exception failure = template.send(route, exchange -> {
            exchange.setProperty(Evaluation.PROPERTY, evaluation);
            facts.forEach(exchange::setVariable);
        }).getException();
        if (failure != null || evaluation.failure != null) {
            throw failure != null ? failure : evaluation.failure;
        }
    }

    /**
     * Writes everything collected; what is to be delivered goes out at once. Of an evaluation that failed only the explanation is
     * written, and that it is to be taken again in a minute.
     *
     * @return completes when it is stored; with {@code false}: another one was stored since it began, and it must be taken again
     */
    CompletableFuture<Boolean> commit(Evaluation evaluation) {
        Exception failure = evaluation.failure;
        if (failure != null) {
            LOG.logf(StoreException.level(failure), failure, "Processing of call %s failed, it is tried again in %d s", evaluation.call.id(),
                    RETRY_SECONDS);
            meters.counter("callbridge.process.failures").increment();
            evaluation.puts.clear();
            evaluation.decisions.clear();
            evaluation.timers.clear();
            for (String subject : evaluation.subjects) {
                evaluation.decisions.add(new Decision(subject, "call", Document.FAILED, "processing failed: " + failure, evaluation.now.toEpochMilli()));
                evaluation.timers.put(subject, evaluation.now.plusSeconds(RETRY_SECONDS).toEpochMilli());
            }
        }
        CompletableFuture<Boolean> written = write(evaluation);
        written.whenComplete((stored, failed) -> endTrace(evaluation, failed == null && stored));
        return written;
    }

    /** Document and deliveries together. @return as of {@link #commit} */
    CompletableFuture<Boolean> write(Evaluation evaluation) {
        OpenCall open = evaluation.open;
        List<Decision> news = evaluation.decisions.stream().filter(open.document::decide).toList();
        evaluation.timers.forEach((subject, at) -> {
            if (at == null) {
                open.document.timers().remove(subject);
            } else {
                open.document.timers().put(subject, at);
            }
        });
        CallRow row = CallSummary.of(evaluation);
        Set<Part> parts = CallSummary.parts(evaluation);
        parts.removeAll(open.parts);
        return calls.save(new Evaluated(row, open.document.bytes(), parts, cardsFirst(evaluation.puts), open.deliveries,
                Tracing.traceparent(evaluation.span))).thenApply(deliveries -> {
                    if (deliveries == null) {
                        return false;
                    }
                    open.row = row;
                    open.parts.addAll(parts);
                    deliveries.forEach(open::put);
                    news.forEach(decision -> meters.counter("callbridge.decisions", "rule", decision.rule()).increment());
                    dispatcher.offer(deliveries);
                    return true;
                });
    }

    /** Of one id the outbox delivers in the order of its rows: the end of a card goes before the registration. */
    private static List<Put> cardsFirst(List<Put> puts) {
        return puts.stream().sorted(Comparator.comparing(put -> Delivery.LANES.indexOf(Delivery.laneOf(put.operation())))).toList();
    }

    private List<CallEvent> sameCallBack(OpenCall open) {
        List<CallEvent> events = open.events();
        List<String> ids = events.stream().map(CallEvent::callBackId).filter(Objects::nonNull).distinct().toList();
        if (ids.isEmpty()) {
            return List.of();
        }
        List<CallEvent> found = new ArrayList<>();
        calls.by(open.pbx, Calls.CALLBACK, ids).stream().filter(stored -> !stored.row().callId().equals(open.callId))
                .forEach(stored -> new OpenCall(stored).events().stream().filter(event -> ids.contains(event.callBackId())).forEach(found::add));
        return atThatTime(events, found);
    }

    /** A CallBackID may be used again, too ({@link ReusedIds}). */
    static List<CallEvent> atThatTime(List<CallEvent> events, List<CallEvent> sameCallBack) {
        return sameCallBack.stream().filter(other -> events.stream()
                .anyMatch(event -> Duration.between(event.at(), other.at()).abs().compareTo(ReusedIds.OVER) <= 0)).toList();
    }

    private static void setTimers(Evaluation evaluation) {
        boolean deciding = evaluation.subjects.contains(Evaluation.MISSED);
        for (String subject : evaluation.subjects) {
            if (!subject.equals(Evaluation.MISSED)) {
                Leg leg = evaluation.call.leg(subject);
                evaluation.timers.put(subject, millis(leg == null ? null : leg.evaluateAt(evaluation.settings, evaluation.now)));
            }
        }
        Instant decide = evaluation.call.decideAt(evaluation.now);
        if (deciding || decide != null) {
            boolean done = deciding && (decide == null || !decide.isAfter(evaluation.now) || evaluation.notMissed());
            evaluation.timers.put(Evaluation.MISSED, millis(done ? null : decide));
        }
    }

    private static Long millis(Instant time) {
        return time == null ? null : time.toEpochMilli();
    }

    /**
     * It goes on with the trace of the newest event that it processes, and has links to those of the others; without
     * such an event, with that of the newest one of what it is about.
     */
    private void trace(Evaluation evaluation, List<Event> fresh, Instant begin) {
        List<Event> all = evaluation.open.document.events();
        List<Event> about = all.stream().filter(event -> evaluation.subjects.contains(event.call().legId())).toList();
        List<Event> causes = !fresh.isEmpty() ? fresh : last(about.isEmpty() ? all : about);
        String newest = causes.isEmpty() ? null : causes.get(causes.size() - 1).trace();
        SpanBuilder span = tracing.span("evaluation", newest).setStartTimestamp(begin).setAttribute(Tracing.PBX, evaluation.directory.pbx())
                .setAttribute(Tracing.CALL, evaluation.call.id()).setAttribute(Tracing.SUBJECTS, List.copyOf(evaluation.subjects));
        causes.stream().limit(Math.max(0, causes.size() - 1)).map(other -> tracing.context(other.trace())).forEach(span::addLink);
        evaluation.span = span.startSpan();
    }

    private static <T> List<T> last(List<T> all) {
        return all.subList(Math.max(0, all.size() - 1), all.size());
    }

    private static void endTrace(Evaluation evaluation, boolean written) {
        if (evaluation.span.isRecording()) {
            evaluation.span.setAttribute(Tracing.RULES, evaluation.decisions.stream().map(Decision::rule).distinct().toList());
            evaluation.span.setAttribute(Tracing.EFFECTS, evaluation.puts.stream().map(put -> put.crm() + " " + put.operation()).distinct().toList());
        }
        if (evaluation.failure != null) {
            evaluation.span.setAttribute(Tracing.ERROR, evaluation.failure.getClass().getName());
        }
        if (!written || evaluation.failure != null) {
            evaluation.span.setStatus(StatusCode.ERROR);
        }
        evaluation.span.end();
    }
}
