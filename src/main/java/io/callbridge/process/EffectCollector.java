package io.callbridge.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.CrmCapabilities;
import io.callbridge.deliver.CrmUsers;
import io.callbridge.deliver.Dispatcher;
import io.callbridge.domain.Call;
import io.callbridge.domain.CallEvent.Flow;
import io.callbridge.domain.Leg;
import io.callbridge.domain.MissedCall;
import io.callbridge.domain.Party;
import io.callbridge.ingest.EventKinds;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Tracing;
import io.callbridge.store.CallRow;
import io.callbridge.store.Calls;
import io.callbridge.store.Calls.Look;
import io.callbridge.store.Calls.Part;
import io.callbridge.store.Calls.Put;
import io.callbridge.store.Delivery;
import io.callbridge.store.Document;
import io.callbridge.store.Document.Decision;
import io.callbridge.store.StoreException;
import io.micrometer.core.instrument.MeterRegistry;
import io.opentelemetry.api.trace.StatusCode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeProperty;
import org.apache.camel.Variable;
import org.jboss.logging.Logger;

/**
 * The effects that a route can ask for, one method each. They are collected while the routes decide and written together
 * by {@link #commit}. The bodies are those of contract section 3; what only the CRM knows (entity, its responsible) is
 * added at delivery.
 */
@ApplicationScoped
@Named("effects")
@RegisterForReflection
public class EffectCollector {

    private static final Pattern RULE = Pattern.compile("R[0-9]+[a-z]?");
    private static final Logger LOG = Logger.getLogger(EffectCollector.class);
    private static final int RETRY_SECONDS = 60;
    private static final DateTimeFormatter MILLIS = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
            .withZone(ZoneOffset.UTC);

    private final Calls calls;
    private final CrmCapabilities capabilities;
    private final CrmUsers users;
    private final Settings settings;
    private final Dispatcher dispatcher;
    private final EventKinds kinds;
    private final ObjectMapper json;
    private final MeterRegistry meters;

    public EffectCollector(Calls calls, CrmCapabilities capabilities, CrmUsers users, Settings settings, Dispatcher dispatcher,
            EventKinds kinds, ObjectMapper json, MeterRegistry meters) {
        this.calls = calls;
        this.capabilities = capabilities;
        this.users = users;
        this.settings = settings;
        this.dispatcher = dispatcher;
        this.kinds = kinds;
        this.json = json;
        this.meters = meters;
        // There from the beginning: of a counter that appears with its first failure, nobody sees that one.
        meters.counter("callbridge.process.failures");
    }

    /** Shows the caller card of the leg. */
    public void showCard(@Body Map<String, Object> facts, @ExchangeProperty(Fold.PROPERTY) Fold fold) {
        Leg leg = leg(facts, fold);
        Map<String, Object> body = base(leg, leg.party(), leg.did(), fold);
        body.put("at", time(leg.start().at()));
        explainLookup(fold, leg.id(), body);
        put(fold, Delivery.CARD, leg.id(), body, crm -> employee(crm, leg), leg.start().arrivedAt().plus(fold.settings.cardTtl()));
    }

    /** Tells that the phone with the card was answered. */
    public void answer(@Body Map<String, Object> facts, @ExchangeProperty(Fold.PROPERTY) Fold fold) {
        Leg leg = leg(facts, fold);
        Map<String, Object> body = base(leg, leg.party(), leg.did(), fold);
        body.put("at", time(leg.answeredAt()));
        put(fold, Delivery.ANSWER, leg.id(), body, crm -> employee(crm, leg), fold.now.plus(fold.settings.cardTtl()));
    }

    /** Takes the card of the leg away, for the reason in the facts; some CRMs must be told again whose card about whom. */
    public void endCard(@Body Map<String, Object> facts, @ExchangeProperty(Fold.PROPERTY) Fold fold) {
        Leg leg = leg(facts, fold);
        Map<String, Object> body = base(leg, leg.party(), leg.did(), fold);
        body.put("reason", facts.get("end"));
        if (!"".equals(facts.get("answeredBy"))) {
            body.put("answeredBy", facts.get("answeredBy"));
        }
        put(fold, Delivery.CARD_END, leg.id(), body, crm -> employee(crm, leg), fold.now.plus(fold.settings.cardTtl()));
    }

    /** Registers the leg as a call with the other party of the leg. */
    public void registerCall(@Body Map<String, Object> facts, @ExchangeProperty(Fold.PROPERTY) Fold fold) {
        Leg leg = leg(facts, fold);
        register(leg, base(leg, leg.party(), leg.did(), fold), fold);
    }

    /** Registers a forwarded leg as the incoming call that it is (contract section 3). */
    public void registerForwarded(@Body Map<String, Object> facts, @ExchangeProperty(Fold.PROPERTY) Fold fold) {
        Leg leg = leg(facts, fold);
        Party caller = fold.call.outsideCaller();
        Map<String, Object> body = base(leg, caller, fold.call.did(), fold);
        body.put("direction", "in");
        optional(body, "forwardedTo", leg.party().number() != null ? leg.party().number() : leg.party().raw());
        register(leg, body, fold);
    }

    private void register(Leg leg, Map<String, Object> body, Fold fold) {
        explainLookup(fold, leg.id(), body);
        tellUnit(leg, fold);
        body.put("result", leg.result());
        body.put("startedAt", time(leg.startedAt()));
        optional(body, "answeredAt", leg.answered() ? time(leg.answeredAt()) : null);
        body.put("endedAt", time(leg.endedAt(fold.settings)));
        body.put("talkSeconds", leg.talkSeconds());
        optional(body, "recordingId", leg.recordingId());
        if (leg.recordingId() != null) {
            optional(body, "recordingUrl", settings.recordingUrl(fold.directory.pbx(), leg.recordingId(), (String) body.get("extension")));
        }
        put(fold, Delivery.CALL, leg.id(), body, crm -> orDefault(crm, employee(crm, leg), fold), Instant.MAX);
    }

    /** Sixty may be a minute, or less than a moment: how it was read is told, unless it is what the protocol says. */
    private void tellUnit(Leg leg, Fold fold) {
        ChronoUnit unit = leg.durationUnit();
        if (!leg.answered() || !leg.ended() || leg.hangup().duration() == null || leg.hangup().duration() == 0 || unit == ChronoUnit.MICROS) {
            return;
        }
        String said = "Duration=" + leg.hangup().duration();
        String key = "callbridge.pbx." + fold.directory.pbx() + ".duration-unit";
        if (unit == null) {
            kinds.unclear(fold.directory.pbx(), "Duration", leg.hangup().duration().toString());
        }
        fold.decisions.add(new Decision(leg.id(), "talk", "R23", unit != null ? said + " is in " + unit.toString().toLowerCase(Locale.ROOT)
                + ", as the EventTimes or " + key + " say" : said + " is read as microseconds, for the EventTimes tell no unit; " + key
                + " can say it", fold.now.toEpochMilli()));
    }

    /** Registers the call as missed: at its deciding container, or at the phone rung last. */
    public void registerMissed(@ExchangeProperty(Fold.PROPERTY) Fold fold) {
        Leg container = fold.call.decidingContainer();
        MissedCall missed = container != null ? fold.call.missedAt(container) : fold.call.missedWithoutContainer();
        explainLookup(fold, "", missedBody(missed, fold));
        for (String crm : settings.crms()) {
            Map<String, Object> body = missedBody(missed, fold);
            String rung = missed.rung().stream().map(extension -> users.of(crm, extension.user(), extension.name()))
                    .filter(Objects::nonNull).findFirst().orElse(null);
            optional(body, "user", orDefault(crm, rung, fold));
            put(fold, crm, Delivery.MISSED, missed.callId(), body, Instant.MAX);
            if (settings.crm(crm).missedTask()) {
                put(fold, crm, Delivery.TASK, missed.callId(), body, Instant.MAX);
            }
        }
    }

    /** Adds to a missed call that was written that the caller was served after all (rule R45). */
    public void registerServed(@ExchangeProperty(Fold.PROPERTY) Fold fold) {
        Instant servedAt = fold.call.servedAt();
        if (servedAt == null) {
            return;
        }
        for (Delivery written : fold.deliveries.stream().filter(d -> d.operation().equals(Delivery.MISSED)).toList()) {
            try {
                @SuppressWarnings("unchecked")
                Map<String, Object> body = json.readValue(written.body(), LinkedHashMap.class);
                body.put("servedAt", time(servedAt));
                // It may have been written before all of the call had come.
                body.put("startedAt", time(fold.call.startedAt()));
                put(fold, written.crm(), Delivery.MISSED, written.id(), body, Instant.MAX);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /**
     * Keeps why a card is shown, ended or neither.
     *
     * @param because rule and reason ("R12 no card: ..."); {@code null}: nothing was decided
     */
    public void explainCard(@Body Map<String, Object> facts, @ExchangeProperty(Fold.PROPERTY) Fold fold, @Variable("because") String because) {
        explain(facts, fold, "card", because);
    }

    /** The same of a leg that is registered or not. */
    public void explainCall(@Body Map<String, Object> facts, @ExchangeProperty(Fold.PROPERTY) Fold fold, @Variable("because") String because) {
        explain(facts, fold, "call", because);
    }

    /** The same of a whole call that is missed or not. */
    public void explainMissed(@Body Map<String, Object> facts, @ExchangeProperty(Fold.PROPERTY) Fold fold, @Variable("because") String because) {
        explain(facts, fold, "missed", because);
    }

    private static void explain(Map<String, Object> facts, Fold fold, String topic, String because) {
        if (because != null) {
            String[] words = because.split(" ", 2);
            boolean ruled = words.length == 2 && RULE.matcher(words[0]).matches();
            fold.decisions.add(new Decision((String) facts.getOrDefault("legId", ""), topic, ruled ? words[0] : "",
                    ruled ? words[1] : because, fold.now.toEpochMilli()));
        }
    }

    /** Whose number cannot be looked up, he is nobody to the CRMs, and that has a reason. */
    private void explainLookup(Fold fold, String legId, Map<String, Object> body) {
        String number = (String) body.get("number");
        if (settings.crms().stream().anyMatch(crm -> capabilities.can(crm, CrmCapabilities.LOOKUP))
                && (number == null || Settings.forms(number).isEmpty())) {
            fold.decisions.add(new Decision(legId, "lookup", "no-lookup", number == null ? "there is no number to look up"
                    : number + " is not looked up: it cannot be read as a number with country code", fold.now.toEpochMilli()));
        }
    }

    /** Notes that an exception ended the look: nothing that was collected counts. */
    public void fail(@ExchangeProperty(Fold.PROPERTY) Fold fold,
            @ExchangeProperty(Exchange.EXCEPTION_CAUGHT) Exception cause) {
        if (fold != null && fold.failure == null) {
            fold.failure = cause;
        }
    }

    /**
     * Writes everything collected; what is to be delivered goes out at once. Of a look that failed only the explanation is
     * written, and that it is to be taken again in a minute.
     */
    public void commit(@ExchangeProperty(Fold.PROPERTY) Fold fold) {
        if (fold == null) {
            return;
        }
        if (fold.failure != null) {
            LOG.logf(StoreException.level(fold.failure), fold.failure, "Processing of call %s failed, it is tried again in %d s", fold.call.id(),
                    RETRY_SECONDS);
            meters.counter("callbridge.process.failures").increment();
            fold.puts.clear();
            fold.decisions.clear();
            fold.timers.clear();
            for (String subject : fold.subjects) {
                fold.decisions.add(new Decision(subject, "call", Document.FAILED, "processing failed: " + fold.failure, fold.now.toEpochMilli()));
                fold.timers.put(subject, fold.now.plusSeconds(RETRY_SECONDS).toEpochMilli());
            }
        }
        fold.written = write(fold);
        fold.written.whenComplete((stored, failure) -> trace(fold, failure == null && stored));
    }

    private static void trace(Fold fold, boolean written) {
        if (fold.span.isRecording()) {
            fold.span.setAttribute(Tracing.RULES, fold.decisions.stream().map(Decision::rule).distinct().toList());
            fold.span.setAttribute(Tracing.EFFECTS, fold.puts.stream().map(put -> put.crm() + " " + put.operation()).distinct().toList());
        }
        if (fold.failure != null) {
            fold.span.setAttribute(Tracing.ERROR, fold.failure.getClass().getName());
        }
        if (!written || fold.failure != null) {
            fold.span.setStatus(StatusCode.ERROR);
        }
        fold.span.end();
    }

    /** Document and deliveries together. @return completes as {@link Fold#written} does */
    CompletableFuture<Boolean> write(Fold fold) {
        OpenCall open = fold.open;
        List<Decision> news = fold.decisions.stream().filter(open.document::decide).toList();
        fold.timers.forEach((subject, at) -> {
            if (at == null) {
                open.document.timers().remove(subject);
            } else {
                open.document.timers().put(subject, at);
            }
        });
        CallRow row = CallSummary.of(fold);
        Set<Part> parts = CallSummary.parts(fold);
        parts.removeAll(open.parts);
        return calls.save(new Look(row, open.document.bytes(), parts, cardsFirst(fold.puts), open.deliveries, Tracing.traceparent(fold.span)))
                .thenApply(deliveries -> {
                    if (deliveries == null) {
                        return false;
                    }
                    open.row = CallSummary.next(row);
                    open.parts.addAll(parts);
                    deliveries.forEach(open::told);
                    news.forEach(decision -> meters.counter("callbridge.decisions", "rule", decision.rule()).increment());
                    dispatcher.offer(deliveries);
                    return true;
                });
    }

    /** Of one id the outbox delivers in the order of its rows: the end of a card goes before the registration. */
    private static List<Put> cardsFirst(List<Put> puts) {
        return puts.stream().sorted(Comparator.comparing(put -> Delivery.LANES.indexOf(Delivery.laneOf(put.operation())))).toList();
    }

    /** For each CRM that knows the employee, under its own name for him. */
    private void put(Fold fold, String operation, String id, Map<String, Object> body, UnaryOperator<String> employee, Instant expiresAt) {
        for (String crm : settings.crms()) {
            Map<String, Object> own = new LinkedHashMap<>(body);
            String user = employee.apply(crm);
            if (user != null) {
                own.put("user", user);
            } else if (users.known((String) body.get("extension"))) {
                // He is an employee in another CRM.
                continue;
            } else {
                own.remove("user");
            }
            Map<String, Object> recording = new LinkedHashMap<>(own);
            boolean apart = operation.equals(Delivery.CALL) && capabilities.can(crm, Delivery.RECORDING);
            if (apart) {
                // A step of its own: the call is written once, whenever its recording becomes known.
                own.remove("recordingId");
                own.remove("recordingUrl");
            }
            put(fold, crm, operation, id, own, expiresAt);
            if (apart && recording.containsKey("recordingUrl")) {
                put(fold, crm, Delivery.RECORDING, id, recording, expiresAt);
            }
        }
    }

    /** @return {@code null}: the CRM knows nobody with this extension */
    private String employee(String crm, Leg leg) {
        return users.of(crm, Call.user(leg), leg.extension() == null ? null : leg.extension().name());
    }

    private String orDefault(String crm, String user, Fold fold) {
        return user != null ? user : users.of(crm, fold.directory.defaultUser(), null);
    }

    private void put(Fold fold, String crm, String operation, String id, Map<String, Object> body, Instant expiresAt) {
        if (capabilities.can(crm, operation)) {
            try {
                long expires = expiresAt.equals(Instant.MAX) ? Long.MAX_VALUE : expiresAt.toEpochMilli();
                fold.puts.add(new Put(crm, operation, id, json.writeValueAsString(body), expires));
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private Map<String, Object> base(Leg leg, Party party, String did, Fold fold) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("callId", leg.callId());
        body.put("direction", leg.flow() == Flow.IN ? "in" : "out");
        // Here already, so that the members come in the contract's order; each CRM has its own name for him.
        body.put("user", "");
        optional(body, "extension", leg.extension() == null ? null : leg.extension().name());
        number(body, party);
        optional(body, "did", did);
        return body;
    }

    private Map<String, Object> missedBody(MissedCall missed, Fold fold) {
        Map<String, Object> body = new LinkedHashMap<>();
        number(body, missed.party());
        optional(body, "did", missed.did());
        Map<String, Object> place = new LinkedHashMap<>();
        place.put("extension", missed.place().name());
        place.put("type", missed.placeType());
        body.put("place", place);
        body.put("startedAt", time(missed.startedAt()));
        body.put("endedAt", time(missed.endedAt()));
        return body;
    }

    /** An own party shows its short name: it only gets here when an integrator lets local calls through. */
    private static void number(Map<String, Object> body, Party party) {
        if (party != null) {
            optional(body, "number", party.own() ? party.extension().name() : party.number());
            optional(body, "rawNumber", party.rawNumber());
        }
    }

    private static Leg leg(Map<String, Object> facts, Fold fold) {
        return fold.call.leg((String) facts.get("legId"));
    }

    private static void optional(Map<String, Object> body, String name, Object value) {
        if (value != null) {
            body.put(name, value);
        }
    }

    private static String time(Instant time) {
        return MILLIS.format(time);
    }
}
