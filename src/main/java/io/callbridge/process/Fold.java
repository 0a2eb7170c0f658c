package io.callbridge.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.domain.Call;
import io.callbridge.domain.CallEvent;
import io.callbridge.domain.CallSettings;
import io.callbridge.domain.Directory;
import io.callbridge.platform.Time;
import io.callbridge.store.Delivery;
import io.callbridge.store.Effects;
import io.callbridge.store.Effects.Decision;
import io.callbridge.store.Effects.Put;
import io.callbridge.store.Journal;
import io.callbridge.store.Timer;
import io.opentelemetry.api.trace.Span;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.function.Predicate;

/**
 * One look at a call: what is known, and what the routes made of it so far. Travels along as an exchange property and is
 * written as a whole at the end of {@code process-event}.
 */
public final class Fold {

    /** Name of the exchange property. */
    public static final String PROPERTY = "CallbridgeFold";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<CallEvent> events;
    private final List<CallEvent> sameCallBack;
    Call call;
    final Directory directory;
    final CallSettings settings;
    final Instant now = Time.now();
    final List<Delivery> deliveries;
    /** What the look is about: legs, and the whole call ({@link Timer#MISSED}). */
    final List<String> subjects;
    final Effects.Snapshot snapshot;
    final List<Put> puts = new ArrayList<>();
    final List<Decision> decisions = new ArrayList<>();
    final List<Timer> timers = new ArrayList<>();
    Exception failure;
    /** The look in a trace; invalid: in none. */
    Span span = Span.getInvalid();
    /** Extensions that have no configured user, but one in a CRM. */
    Predicate<String> known = extension -> false;

    Fold(Effects.Snapshot snapshot, List<CallEvent> sameCallBack, Directory directory, CallSettings settings,
            List<String> subjects) {
        this.events = new ArrayList<>(snapshot.entries().stream().map(Journal.Entry::event).toList());
        this.sameCallBack = sameCallBack;
        this.call = Call.of(directory, settings, events, sameCallBack);
        this.directory = directory;
        this.settings = settings;
        this.deliveries = snapshot.deliveries();
        this.snapshot = snapshot;
        this.subjects = subjects;
    }

    /** Sequence numbers of the events that this look processes to the end. */
    List<Long> processed() {
        return snapshot.entries().stream().filter(entry -> !entry.state().equals("done") && subjects.contains(entry.event().legId()))
                .map(Journal.Entry::seq).toList();
    }

    /** Arrival of the first and of the last event, in milliseconds since 1970. */
    LongSummaryStatistics arrivals() {
        return snapshot.entries().stream().mapToLong(entry -> entry.event().arrivedAt().toEpochMilli()).summaryStatistics();
    }

    /**
     * Takes in events of a leg that reached the journal since the look began. Not those that may be another call's, see
     * {@link ReusedIds}: they get a look of their own.
     */
    void include(List<CallEvent> legEvents) {
        Instant reused = call.overAt().plus(ReusedIds.OVER);
        List<CallEvent> news = legEvents.stream().filter(event -> event.callId().equals(call.id()) && !events.contains(event)
                && !event.at().isAfter(reused)).toList();
        if (!news.isEmpty()) {
            events.addAll(news);
            call = Call.of(directory, settings, events, sameCallBack);
        }
    }

    /** The result under which the leg stands in the outbox; empty: it is not registered. */
    String registered(String legId) {
        return deliveries.stream().filter(d -> d.operation().equals(Delivery.CALL) && d.id().equals(legId)).findFirst()
                .map(d -> result(d.body())).orElse("");
    }

    private static String result(String body) {
        try {
            return JSON.readTree(body).path("result").asText();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("unreadable body in the outbox", e);
        }
    }

    boolean exists(String operation, String id) {
        return deliveries.stream().anyMatch(d -> d.operation().equals(operation) && d.id().equals(id))
                || puts.stream().anyMatch(p -> p.operation().equals(operation) && p.id().equals(id));
    }
}
