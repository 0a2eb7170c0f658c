package io.callbridge.process;

import io.callbridge.deliver.CrmUsers;
import io.callbridge.domain.CallEvent;
import io.callbridge.domain.Leg;
import io.callbridge.platform.Facts;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.platform.Tracing;
import io.callbridge.store.Calls;
import io.callbridge.store.Calls.Stored;
import io.callbridge.store.Event;
import io.opentelemetry.api.trace.SpanBuilder;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Exchange;

/** Folds the call that a piece of work is about, from all its events, and sets when to look at it again. */
@ApplicationScoped
@Named("callLoader")
@RegisterForReflection
public class CallLoader {

    private final Calls calls;
    private final Settings settings;
    private final CrmUsers users;
    private final Tracing tracing;

    public CallLoader(Calls calls, Settings settings, CrmUsers users, Tracing tracing) {
        this.calls = calls;
        this.settings = settings;
        this.users = users;
        this.tracing = tracing;
    }

    /** A look at what came, and at what is due of these subjects. @param fresh is in the document already */
    Fold look(OpenCall open, List<Event> fresh, List<String> due) {
        Instant begin = Time.now();
        List<String> subjects = Stream.concat(fresh.stream().map(event -> event.call().legId()), due.stream()).distinct()
                .collect(Collectors.toCollection(ArrayList::new));
        Fold fold = fold(open, fresh, subjects);
        if (fold.notMissed() && !subjects.contains(Fold.MISSED)) {
            subjects.add(Fold.MISSED);
        }
        setTimers(fold);
        if (tracing.on()) {
            trace(fold, begin);
        }
        return fold;
    }

    private Fold fold(OpenCall open, List<Event> fresh, List<String> subjects) {
        Fold fold = new Fold(open, fresh, sameCallBack(open), settings.directory(open.pbx), settings.calls(), subjects);
        fold.known = users::known;
        return fold;
    }

    /** What a look is about, for the routes. */
    static Map<String, Object> work(Fold fold) {
        Map<String, Object> work = new HashMap<>();
        work.put("pbx", fold.open.pbx);
        work.put("callId", fold.open.callId);
        // A leg may be another call's by now.
        work.put("looks", fold.subjects.stream().filter(subject -> subject.equals(Fold.MISSED) || fold.call.leg(subject) != null)
                .map(subject -> Map.of("subject", subject, "whole", subject.equals(Fold.MISSED), "pbx", fold.open.pbx, "callId", fold.open.callId))
                .toList());
        return work;
    }

    /** Puts a stored call on the exchange as a look at all of it. */
    public void load(Exchange exchange) {
        Map<String, Object> work = body(exchange);
        Stored stored = calls.one((String) work.get("pbx"), (String) work.get("callId"));
        if (stored == null) {
            throw new IllegalStateException("call " + work.get("callId") + " is another's by now");
        }
        OpenCall open = new OpenCall(stored);
        exchange.setProperty(Fold.PROPERTY, fold(open, List.of(), Stream.concat(open.events().stream().map(CallEvent::legId), Stream.of(Fold.MISSED))
                .distinct().toList()));
        Facts.put(exchange, work);
    }

    /** What one of the looks is about. */
    public void look(Exchange exchange) {
        Facts.put(exchange, body(exchange));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> body(Exchange exchange) {
        return exchange.getMessage().getBody(Map.class);
    }

    /**
     * The look goes on with the trace of the newest event that it processes, and has links to those of the others; without
     * such an event, with that of the newest one of what it is about.
     */
    private void trace(Fold fold, Instant begin) {
        List<Event> all = fold.open.document.events();
        List<Event> about = all.stream().filter(event -> fold.subjects.contains(event.call().legId())).toList();
        List<Event> causes = !fold.fresh.isEmpty() ? fold.fresh : last(about.isEmpty() ? all : about);
        String newest = causes.isEmpty() ? null : causes.get(causes.size() - 1).trace();
        SpanBuilder span = tracing.span("look", newest).setStartTimestamp(begin).setAttribute(Tracing.PBX, fold.directory.pbx())
                .setAttribute(Tracing.CALL, fold.call.id()).setAttribute(Tracing.SUBJECTS, fold.subjects);
        causes.stream().limit(Math.max(0, causes.size() - 1)).map(other -> tracing.context(other.trace())).forEach(span::addLink);
        fold.span = span.startSpan();
    }

    private static <T> List<T> last(List<T> all) {
        return all.subList(Math.max(0, all.size() - 1), all.size());
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

    static void setTimers(Fold fold) {
        boolean deciding = fold.subjects.contains(Fold.MISSED);
        for (String subject : fold.subjects) {
            if (!subject.equals(Fold.MISSED)) {
                Leg leg = fold.call.leg(subject);
                fold.timers.put(subject, millis(leg == null ? null : leg.lookAt(fold.settings, fold.now)));
            }
        }
        Instant decide = fold.call.decideAt(fold.now);
        if (deciding || decide != null) {
            boolean done = deciding && (decide == null || !decide.isAfter(fold.now) || fold.notMissed());
            fold.timers.put(Fold.MISSED, millis(done ? null : decide));
        }
    }

    private static Long millis(Instant time) {
        return time == null ? null : time.toEpochMilli();
    }
}
