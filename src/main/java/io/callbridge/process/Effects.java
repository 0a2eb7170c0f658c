package io.callbridge.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.CrmCapabilities;
import io.callbridge.deliver.CrmUsers;
import io.callbridge.domain.Call;
import io.callbridge.domain.CallEvent.Flow;
import io.callbridge.domain.Leg;
import io.callbridge.domain.MissedCall;
import io.callbridge.domain.Party;
import io.callbridge.ingest.EventKinds;
import io.callbridge.platform.PhoneNumbers;
import io.callbridge.platform.Settings;
import io.callbridge.store.Calls.Put;
import io.callbridge.store.Delivery;
import io.callbridge.store.Document.Decision;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeProperty;
import org.apache.camel.Variable;

/**
 * The effects that a route can ask for, one method each. They are collected while the routes decide and written together
 * by the {@link Evaluator}. The bodies are those of contract section 3; what only the CRM knows (entity, its responsible) is
 * added at delivery.
 */
@ApplicationScoped
@Named("effects")
@RegisterForReflection
public class Effects {

    private static final Pattern RULE = Pattern.compile("R[0-9]+[a-z]?");
    private static final DateTimeFormatter MILLIS = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
            .withZone(ZoneOffset.UTC);

    private final CrmCapabilities capabilities;
    private final CrmUsers users;
    private final Settings settings;
    private final EventKinds kinds;
    private final ObjectMapper json;

    public Effects(CrmCapabilities capabilities, CrmUsers users, Settings settings, EventKinds kinds, ObjectMapper json) {
        this.capabilities = capabilities;
        this.users = users;
        this.settings = settings;
        this.kinds = kinds;
        this.json = json;
    }

    /** Shows the caller card of the leg. */
    public void showCard(@Variable("legId") String legId, @ExchangeProperty(Evaluation.PROPERTY) Evaluation evaluation) {
        Leg leg = evaluation.call.leg(legId);
        Map<String, Object> body = base(leg, leg.party(), leg.did(), evaluation);
        body.put("at", time(leg.start().at()));
        explainLookup(evaluation, leg.id(), body);
        put(evaluation, Delivery.CARD, leg.id(), body, crm -> employee(crm, leg), leg.start().arrivedAt().plus(evaluation.settings.cardTtl()));
    }

    /** Tells that the phone with the card was answered. */
    public void answer(@Variable("legId") String legId, @ExchangeProperty(Evaluation.PROPERTY) Evaluation evaluation) {
        Leg leg = evaluation.call.leg(legId);
        Map<String, Object> body = base(leg, leg.party(), leg.did(), evaluation);
        body.put("at", time(leg.answeredAt()));
        put(evaluation, Delivery.ANSWER, leg.id(), body, crm -> employee(crm, leg), evaluation.now.plus(evaluation.settings.cardTtl()));
    }

    /** Takes the card of the leg away, for the reason in the facts; some CRMs must be told again whose card about whom. */
    public void endCard(@Variable("legId") String legId, @Variable("end") String reason, @Variable("answeredBy") String answeredBy,
            @ExchangeProperty(Evaluation.PROPERTY) Evaluation evaluation) {
        Leg leg = evaluation.call.leg(legId);
        Map<String, Object> body = base(leg, leg.party(), leg.did(), evaluation);
        body.put("reason", reason);
        optional(body, "answeredBy", answeredBy.isEmpty() ? null : answeredBy);
        put(evaluation, Delivery.CARD_END, leg.id(), body, crm -> employee(crm, leg), evaluation.now.plus(evaluation.settings.cardTtl()));
    }

    /** Registers the leg as a call with the other party of the leg. */
    public void registerCall(@Variable("legId") String legId, @ExchangeProperty(Evaluation.PROPERTY) Evaluation evaluation) {
        Leg leg = evaluation.call.leg(legId);
        register(leg, base(leg, leg.party(), leg.did(), evaluation), evaluation);
    }

    /** Registers a forwarded leg as the incoming call that it is (contract section 3). */
    public void registerForwarded(@Variable("legId") String legId, @ExchangeProperty(Evaluation.PROPERTY) Evaluation evaluation) {
        Leg leg = evaluation.call.leg(legId);
        Party caller = evaluation.call.outsideCaller();
        Map<String, Object> body = base(leg, caller, evaluation.call.did(), evaluation);
        body.put("direction", "in");
        optional(body, "forwardedTo", leg.party().number() != null ? leg.party().number() : leg.party().raw());
        register(leg, body, evaluation);
    }

    private void register(Leg leg, Map<String, Object> body, Evaluation evaluation) {
        explainLookup(evaluation, leg.id(), body);
        tellUnit(leg, evaluation);
        body.put("result", leg.result());
        body.put("startedAt", time(leg.startedAt()));
        optional(body, "answeredAt", leg.answered() ? time(leg.answeredAt()) : null);
        body.put("endedAt", time(leg.endedAt(evaluation.settings)));
        body.put("talkSeconds", leg.talkSeconds());
        optional(body, "recordingId", leg.recordingId());
        if (leg.recordingId() != null) {
            optional(body, "recordingUrl", settings.recordingUrl(evaluation.directory.pbx(), leg.recordingId(), (String) body.get("extension")));
        }
        put(evaluation, Delivery.CALL, leg.id(), body, crm -> orDefault(crm, employee(crm, leg), evaluation), Instant.MAX);
    }

    /** Sixty may be a minute, or less than a moment: how it was read is told, unless it is what the protocol says. */
    private void tellUnit(Leg leg, Evaluation evaluation) {
        ChronoUnit unit = leg.durationUnit();
        if (!leg.answered() || !leg.ended() || leg.hangup().duration() == null || leg.hangup().duration() == 0 || unit == ChronoUnit.MICROS) {
            return;
        }
        String said = "Duration=" + leg.hangup().duration();
        String key = "callbridge.pbx." + evaluation.directory.pbx() + ".duration-unit";
        if (unit == null) {
            kinds.unclear(evaluation.directory.pbx(), "Duration", leg.hangup().duration().toString());
        }
        evaluation.decisions.add(new Decision(leg.id(), "talk", "R23", unit != null ? said + " is in " + unit.toString().toLowerCase(Locale.ROOT)
                + ", as the EventTimes or " + key + " say" : said + " is read as microseconds, for the EventTimes tell no unit; " + key
                + " can say it", evaluation.now.toEpochMilli()));
    }

    /** Registers the call as missed: at its deciding container, or at the phone rung last. */
    public void registerMissed(@ExchangeProperty(Evaluation.PROPERTY) Evaluation evaluation) {
        Leg container = evaluation.call.decidingContainer();
        MissedCall missed = container != null ? evaluation.call.missedAt(container) : evaluation.call.missedWithoutContainer();
        explainLookup(evaluation, "", missedBody(missed, evaluation));
        for (String crm : settings.crms()) {
            Map<String, Object> body = missedBody(missed, evaluation);
            String rung = missed.rung().stream().map(extension -> users.of(crm, extension.user(), extension.name()))
                    .filter(Objects::nonNull).findFirst().orElse(null);
            optional(body, "user", orDefault(crm, rung, evaluation));
            put(evaluation, crm, Delivery.MISSED, missed.callId(), body, Instant.MAX);
            if (settings.crm(crm).missedTask()) {
                put(evaluation, crm, Delivery.TASK, missed.callId(), body, Instant.MAX);
            }
        }
    }

    /** Adds to a missed call that was written that the caller was served after all (rule R45). */
    public void registerServed(@ExchangeProperty(Evaluation.PROPERTY) Evaluation evaluation) {
        Instant servedAt = evaluation.call.servedAt();
        if (servedAt == null) {
            return;
        }
        for (Delivery written : evaluation.deliveries.stream().filter(d -> d.operation().equals(Delivery.MISSED)).toList()) {
            try {
                @SuppressWarnings("unchecked")
                Map<String, Object> body = json.readValue(written.body(), LinkedHashMap.class);
                body.put("servedAt", time(servedAt));
                // It may have been written before all of the call had come.
                body.put("startedAt", time(evaluation.call.startedAt()));
                put(evaluation, written.crm(), Delivery.MISSED, written.id(), body, Instant.MAX);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Keeps why a card is shown, ended or neither: the variable {@code because}, rule and reason ("R12 no card: ..."), if it is set. */
    public void explainCard(Exchange exchange) {
        explain(exchange, "card");
    }

    /** The same of a leg that is registered or not. */
    public void explainCall(Exchange exchange) {
        explain(exchange, "call");
    }

    /** The same of a whole call that is missed or not. */
    public void explainMissed(Exchange exchange) {
        explain(exchange, "missed");
    }

    private static void explain(Exchange exchange, String topic) {
        String because = exchange.getVariable("because", String.class);
        if (because != null) {
            Evaluation evaluation = exchange.getProperty(Evaluation.PROPERTY, Evaluation.class);
            String[] words = because.split(" ", 2);
            boolean ruled = words.length == 2 && RULE.matcher(words[0]).matches();
            evaluation.decisions.add(new Decision(exchange.getVariable("legId", "", String.class), topic,
                    ruled ? words[0] : "", ruled ? words[1] : because, evaluation.now.toEpochMilli()));
        }
    }

    /** Whose number cannot be looked up, he is nobody to the CRMs, and that has a reason. */
    private void explainLookup(Evaluation evaluation, String legId, Map<String, Object> body) {
        String number = (String) body.get("number");
        if (settings.crms().stream().anyMatch(crm -> capabilities.can(crm, CrmCapabilities.LOOKUP))
                && (number == null || PhoneNumbers.forms(number).isEmpty())) {
            evaluation.decisions.add(new Decision(legId, "lookup", "no-lookup", number == null ? "there is no number to look up"
                    : number + " is not looked up: it cannot be read as a number with country code", evaluation.now.toEpochMilli()));
        }
    }

    /** Notes that an exception ended the evaluation: nothing that was collected counts. */
    public void fail(@ExchangeProperty(Evaluation.PROPERTY) Evaluation evaluation,
            @ExchangeProperty(Exchange.EXCEPTION_CAUGHT) Exception cause) {
        if (evaluation.failure == null) {
            evaluation.failure = cause;
        }
    }

    /** For each CRM that knows the employee, under its own name for him. */
    private void put(Evaluation evaluation, String operation, String id, Map<String, Object> body, UnaryOperator<String> employee, Instant expiresAt) {
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
            put(evaluation, crm, operation, id, own, expiresAt);
            if (apart && recording.containsKey("recordingUrl")) {
                put(evaluation, crm, Delivery.RECORDING, id, recording, expiresAt);
            }
        }
    }

    /** @return {@code null}: the CRM knows nobody with this extension */
    private String employee(String crm, Leg leg) {
        return users.of(crm, Call.user(leg), leg.extension() == null ? null : leg.extension().name());
    }

    private String orDefault(String crm, String user, Evaluation evaluation) {
        return user != null ? user : users.of(crm, evaluation.directory.defaultUser(), null);
    }

    private void put(Evaluation evaluation, String crm, String operation, String id, Map<String, Object> body, Instant expiresAt) {
        if (capabilities.can(crm, operation)) {
            try {
                long expires = expiresAt.equals(Instant.MAX) ? Long.MAX_VALUE : expiresAt.toEpochMilli();
                evaluation.puts.add(new Put(crm, operation, id, json.writeValueAsString(body), expires));
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private Map<String, Object> base(Leg leg, Party party, String did, Evaluation evaluation) {
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

    private Map<String, Object> missedBody(MissedCall missed, Evaluation evaluation) {
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

    private static void optional(Map<String, Object> body, String name, Object value) {
        if (value != null) {
            body.put(name, value);
        }
    }

    private static String time(Instant time) {
        return MILLIS.format(time);
    }
}
