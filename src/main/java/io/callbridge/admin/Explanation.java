package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.CrmCapabilities;
import io.callbridge.deliver.CrmGates;
import io.callbridge.domain.Call;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.Calls;
import io.callbridge.store.Calls.Stored;
import io.callbridge.store.Delivery;
import io.callbridge.store.Document;
import io.callbridge.store.Event;
import io.callbridge.store.Inbox;
import io.callbridge.store.Outbox;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.camel.Header;

/** Answers "why is this call (not) in the CRM?": events, legs, decisions and deliveries of one call. */
@ApplicationScoped
@Named("explanation")
@RegisterForReflection
public class Explanation {

    private final Calls calls;
    private final Inbox inbox;
    private final Outbox outbox;
    private final Settings settings;
    private final CrmCapabilities capabilities;
    private final CrmGates gates;
    private final ObjectMapper json;

    public Explanation(Calls calls, Inbox inbox, Outbox outbox, Settings settings, CrmCapabilities capabilities, CrmGates gates, ObjectMapper json) {
        this.calls = calls;
        this.inbox = inbox;
        this.outbox = outbox;
        this.settings = settings;
        this.capabilities = capabilities;
        this.gates = gates;
        this.json = json;
    }

    /**
     * @param pbx whose call it is, where several use equal ids; {@code null}: of any
     * @return JSON of {@code GET /api/calls/{CallID}}, or {@code null} for a call that was never heard of
     */
    public String of(@Header("callId") String callId, @Header("pbx") String pbx) throws JsonProcessingException {
        List<Event> waiting = inbox.events(event -> event.call().callId().equalsIgnoreCase(callId) && (pbx == null || event.call().pbx().equals(pbx)));
        // Afterwards: what does not wait any more is stored.
        Stored stored = stored(callId, pbx);
        return stored != null ? json.writeValueAsString(explain(stored, waiting))
                : waiting.isEmpty() ? null : json.writeValueAsString(notEvaluated(waiting));
    }

    private Stored stored(String callId, String pbx) {
        for (String id : List.of(callId, callId.toLowerCase(Locale.ROOT))) {
            List<String> pbxs = calls.pbxsOf(id).stream().filter(each -> pbx == null || each.equals(pbx)).toList();
            Stored stored = pbxs.isEmpty() ? null : calls.one(pbxs.get(0), id);
            if (stored != null) {
                return stored;
            }
        }
        return null;
    }

    /** What was acknowledged and waits for what follows from it: nobody has looked at the call yet. */
    private Map<String, Object> notEvaluated(List<Event> events) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("callId", events.get(0).call().callId());
        answer.put("pbx", events.get(0).call().pbx());
        answer.put("events", events.stream().map(event -> event(event, false)).toList());
        answer.put("decisions", List.of());
        answer.put("deliveries", List.of());
        answer.put("crms", settings.crms().stream().map(this::crm).toList());
        return answer;
    }

    private Map<String, Object> explain(Stored stored, List<Event> waiting) {
        String pbx = stored.row().pbx();
        Document document = Document.of(stored.document());
        Map<String, Object> answer = new LinkedHashMap<>(CallList.line(stored.row()));
        Stream<Map<String, Object>> events = document.events().stream().map(event -> event(event, !document.failed(event.call().legId())));
        Stream<Map<String, Object>> more = waiting.stream().filter(event -> event.call().pbx().equals(pbx) && !document.has(event))
                .map(event -> event(event, false));
        answer.put("events", Stream.concat(events, more).toList());
        if (settings.knows(pbx)) {
            Call call = Call.of(settings.directory(pbx), settings.calls(), document.events().stream().map(Event::call).toList(), List.of());
            answer.put("legs", call.legs().stream().map(leg -> LegView.of(leg, settings.calls(), Time.now())).toList());
        }
        answer.put("decisions", document.decisions().stream().map(Explanation::decision).toList());
        answer.put("deliveries", stored.deliveries().stream().map(this::delivery).toList());
        answer.put("crms", settings.crms().stream().map(this::crm).toList());
        return answer;
    }

    /** Of an active CRM, what explains that it has nothing of the call, or not yet. */
    private Map<String, Object> crm(String crm) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("crm", crm);
        view.put("capabilities", capabilities.of(crm));
        if (gates.downSinceMs(crm) > 0) {
            view.put("downSince", DeliveryView.time(gates.downSinceMs(crm)));
        }
        return view;
    }

    private static Map<String, Object> event(Event entry, boolean processed) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("type", entry.call().type().word);
        view.put("legId", entry.call().legId());
        view.put("arrivedAt", entry.call().arrivedAt().toString());
        if (entry.call().time() != null) {
            view.put("eventTime", entry.call().time().toString());
        }
        view.put("processed", processed);
        view.put("fields", entry.fields());
        return view;
    }

    private static Map<String, Object> decision(Document.Decision decision) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("at", Instant.ofEpochMilli(decision.at()).toString());
        if (!decision.legId().isEmpty()) {
            view.put("legId", decision.legId());
        }
        view.put("topic", decision.topic());
        view.put("rule", decision.rule());
        view.put("reason", decision.reason());
        return view;
    }

    private Map<String, Object> delivery(Delivery delivery) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("deliveryId", delivery.seq());
        view.put("crm", delivery.crm());
        view.put("operation", delivery.operation());
        view.put("key", delivery.id());
        view.put("state", delivery.state());
        if (delivery.state().equals("pending")) {
            view.put("nextAt", DeliveryView.time(delivery.nextAt()));
        }
        view.put("request", DeliveryView.request(delivery, json));
        view.put("attempts", outbox.attempts(delivery).stream().map(DeliveryView::attempt).toList());
        return view;
    }
}
