package io.callbridge.process;

import io.callbridge.deliver.CrmUsers;
import io.callbridge.domain.CallEvent;
import io.callbridge.domain.Leg;
import io.callbridge.platform.Facts;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.platform.Tracing;
import io.callbridge.store.Effects;
import io.callbridge.store.Journal;
import io.callbridge.store.Timer;
import io.opentelemetry.api.trace.SpanBuilder;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.apache.camel.Exchange;

/** Folds the call that a piece of work is about, from all its events in the journal, and sets its next timers. */
@ApplicationScoped
@Named("callLoader")
@RegisterForReflection
public class CallLoader {

    private final Journal journal;
    private final Effects effects;
    private final Settings settings;
    private final ReusedIds reused;
    private final CrmUsers users;
    private final Tracing tracing;

    public CallLoader(Journal journal, Effects effects, Settings settings, ReusedIds reused, CrmUsers users, Tracing tracing) {
        this.journal = journal;
        this.effects = effects;
        this.settings = settings;
        this.reused = reused;
        this.users = users;
        this.tracing = tracing;
    }

    /** Puts the {@link Fold} on the exchange, and what the look is about; work without looks is about everything. */
    public void load(Exchange exchange) throws StaleLookException {
        Instant begin = Time.now();
        Map<String, Object> work = work(exchange);
        String pbx = (String) work.get("pbx");
        String callId = (String) work.get("callId");
        Effects.Snapshot snapshot = effects.snapshot(pbx, callId);
        if (snapshot.entries().isEmpty() || work.containsKey("looks") && reused.settle(pbx, callId, snapshot.entries())) {
            throw new StaleLookException(callId);
        }
        List<CallEvent> events = snapshot.entries().stream().map(Journal.Entry::event).toList();
        List<String> subjects = work.get("looks") instanceof List<?> looks
                ? looks.stream().map(look -> (String) ((Map<?, ?>) look).get("subject")).distinct().toList()
                : Stream.concat(events.stream().map(CallEvent::legId), Stream.of(Timer.MISSED)).distinct().toList();
        Fold fold = new Fold(snapshot, sameCallBack(pbx, callId, events), settings.directory(pbx), settings.calls(), subjects);
        fold.known = users::known;
        setTimers(fold, pbx, callId);
        if (tracing.on() && work.containsKey("looks")) {
            trace(fold, begin);
        }
        exchange.setProperty(Fold.PROPERTY, fold);
        Facts.put(exchange, work);
        if (work.get("looks") instanceof List<?> looks) {
            // A leg may be another call's by now.
            exchange.setVariable("looks", looks.stream().filter(look -> {
                String subject = (String) ((Map<?, ?>) look).get("subject");
                return subject.equals(Timer.MISSED) || fold.call.leg(subject) != null;
            }).toList());
        }
    }

    /**
     * The look goes on with the trace of the newest event that it processes, and has links to those of the others; without
     * such an event, with that of the newest one of what it is about.
     */
    private void trace(Fold fold, Instant begin) {
        List<Journal.Entry> all = fold.snapshot.entries();
        List<Long> processed = fold.processed();
        List<Journal.Entry> fresh = all.stream().filter(entry -> processed.contains(entry.seq())).toList();
        List<Journal.Entry> about = all.stream().filter(entry -> fold.subjects.contains(entry.event().legId())).toList();
        List<Journal.Entry> causes = !fresh.isEmpty() ? fresh : last(about.isEmpty() ? all : about);
        String newest = causes.isEmpty() ? null : causes.get(causes.size() - 1).trace();
        SpanBuilder span = tracing.span("look", newest).setStartTimestamp(begin).setAttribute(Tracing.PBX, fold.directory.pbx())
                .setAttribute(Tracing.CALL, fold.call.id()).setAttribute(Tracing.SUBJECTS, fold.subjects);
        causes.stream().limit(Math.max(0, causes.size() - 1)).map(other -> tracing.context(other.trace())).forEach(span::addLink);
        fold.span = span.startSpan();
    }

    private static <T> List<T> last(List<T> all) {
        return all.subList(Math.max(0, all.size() - 1), all.size());
    }

    /** What one of the looks is about. */
    public void look(Exchange exchange) {
        Facts.put(exchange, work(exchange));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> work(Exchange exchange) {
        return exchange.getMessage().getBody(Map.class);
    }

    private List<CallEvent> sameCallBack(String pbx, String callId, List<CallEvent> events) {
        List<CallEvent> found = new ArrayList<>();
        events.stream().map(CallEvent::callBackId).filter(Objects::nonNull).distinct()
                .forEach(id -> found.addAll(atThatTime(events, journal.sameCallBack(pbx, id, callId))));
        return found;
    }

    /** A CallBackID may be used again, too ({@link ReusedIds}). */
    static List<CallEvent> atThatTime(List<CallEvent> events, List<CallEvent> sameCallBack) {
        return sameCallBack.stream().filter(other -> events.stream()
                .anyMatch(event -> Duration.between(event.at(), other.at()).abs().compareTo(ReusedIds.OVER) <= 0)).toList();
    }

    static void setTimers(Fold fold, String pbx, String callId) {
        boolean deciding = fold.subjects.contains(Timer.MISSED);
        for (String subject : fold.subjects) {
            if (!subject.equals(Timer.MISSED)) {
                // Always put: a timer that brought this look and is not taken away would bring it again at every poll.
                Leg leg = fold.call.leg(subject);
                fold.timers.add(new Timer(pbx, callId, subject, leg == null ? null : leg.lookAt(fold.settings, fold.now)));
            }
        }
        Instant decide = fold.call.decideAt(fold.now);
        if (deciding || decide != null) {
            boolean done = deciding && (decide == null || !decide.isAfter(fold.now));
            fold.timers.add(new Timer(pbx, callId, Timer.MISSED, done ? null : decide));
        }
    }
}
