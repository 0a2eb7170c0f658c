package io.callbridge.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.domain.Call;
import io.callbridge.domain.CallEvent;
import io.callbridge.domain.CallSettings;
import io.callbridge.domain.Directory;
import io.callbridge.domain.Leg;
import io.callbridge.platform.Time;
import io.callbridge.store.Calls.Put;
import io.callbridge.store.Delivery;
import io.callbridge.store.Document.Decision;
import io.opentelemetry.api.trace.Span;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * One evaluation of a call: what is known, and what the routes made of it so far. Travels along as an exchange property, and is
 * written as a whole when they are through.
 */
public final class Evaluation {

    /** Name of the exchange property. */
    public static final String PROPERTY = "CallbridgeEvaluation";
    /** Subject of the decision whether the call was missed; no leg is called so. */
    public static final String MISSED = "";

    private static final ObjectMapper JSON = new ObjectMapper();

    final OpenCall open;
    final Call call;
    final Directory directory;
    final CallSettings settings;
    final Instant now = Time.now();
    final List<Delivery> deliveries;
    /** What it is about: legs, and the whole call ({@link #MISSED}). */
    final Set<String> subjects;
    final List<Put> puts = new ArrayList<>();
    final List<Decision> decisions = new ArrayList<>();
    /** When to evaluate again what, milliseconds since 1970; {@code null}: no more. */
    final Map<String, Long> timers = new TreeMap<>();
    /** Cards are none of it, of a call that is evaluated again long afterwards. */
    boolean cards = true;
    /** Nothing that was collected counts. */
    Exception failure;
    /** In a trace; invalid: in none. */
    Span span = Span.getInvalid();

    Evaluation(OpenCall open, List<CallEvent> sameCallBack, Directory directory, CallSettings settings, Set<String> subjects) {
        this.open = open;
        this.call = Call.of(directory, settings, open.events(), sameCallBack, open.legs);
        open.legs = call.legs();
        this.directory = directory;
        this.settings = settings;
        this.deliveries = open.deliveries;
        this.subjects = subjects;
    }

    /** The result under which the leg stands in the outbox; empty: it is not registered. */
    String registered(String legId) {
        return !open.exists(Delivery.CALL, legId) ? "" : deliveries.stream().filter(d -> d.operation().equals(Delivery.CALL) && d.id().equals(legId))
                .findFirst().map(d -> result(d.body())).orElse("");
    }

    private static String result(String body) {
        try {
            return JSON.readTree(body).path("result").asText();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("unreadable body in the outbox", e);
        }
    }

    boolean exists(String operation, String id) {
        return open.exists(operation, id) || puts.stream().anyMatch(p -> p.operation().equals(operation) && p.id().equals(id));
    }

    /** It may have a card, and that may have to change: something came for it, or the card is not what it should be. Of fifty phones one rings on. */
    boolean concernsCard(Leg leg) {
        return cards && leg.start() != null && !leg.container() && !leg.trunk() && (subjects.contains(leg.id()) || exists(Delivery.CARD, leg.id())
                && !exists(Delivery.CARD_END, leg.id()) && call.cardEnd(leg, now).isPresent());
    }

    /** It is known already, before the delay that the question "missed?" waits for, that the caller was not. */
    boolean notMissed() {
        return call.decideAt(now) != null && !call.containerTakesPart() && call.allOver(now) && !call.lost()
                && !exists(Delivery.MISSED, call.id()) && (call.anyAnswered() || call.lastRung() == null);
    }
}
