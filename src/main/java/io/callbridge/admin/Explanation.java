package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.CrmCapabilities;
import io.callbridge.deliver.CrmGates;
import io.callbridge.domain.Call;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.CallIndex;
import io.callbridge.store.CallRow;
import io.callbridge.store.Delivery;
import io.callbridge.store.Effects;
import io.callbridge.store.Journal;
import io.callbridge.store.Outbox;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.camel.Header;

/** Answers "why is this call (not) in the CRM?": events, legs, decisions and deliveries of one call. */
@ApplicationScoped
@Named("explanation")
@RegisterForReflection
public class Explanation {

    private final Journal journal;
    private final Outbox outbox;
    private final Effects effects;
    private final CallIndex index;
    private final Settings settings;
    private final CrmCapabilities capabilities;
    private final CrmGates gates;
    private final ObjectMapper json;

    public Explanation(Journal journal, Outbox outbox, Effects effects, CallIndex index, Settings settings,
            CrmCapabilities capabilities, CrmGates gates, ObjectMapper json) {
        this.journal = journal;
        this.outbox = outbox;
        this.effects = effects;
        this.index = index;
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
        for (String id : List.of(callId, callId.toLowerCase(Locale.ROOT))) {
            List<String> pbxs = journal.pbxsOf(id).stream().filter(each -> pbx == null || each.equals(pbx)).toList();
            if (!pbxs.isEmpty()) {
                return json.writeValueAsString(explain(pbxs.get(0), id));
            }
        }
        return null;
    }

    private Map<String, Object> explain(String pbx, String callId) {
        List<Journal.Entry> entries = journal.call(pbx, callId);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("callId", callId);
        answer.put("pbx", pbx);
        CallRow row = index.one(pbx, callId);
        if (row != null) {
            answer.putAll(CallList.line(row));
        }
        answer.put("events", entries.stream().map(Explanation::event).toList());
        if (settings.knows(pbx)) {
            Call call = Call.of(settings.directory(pbx), settings.calls(), entries.stream().map(Journal.Entry::event).toList(),
                    List.of());
            answer.put("legs", call.legs().stream().map(leg -> LegView.of(leg, settings.calls(), Time.now())).toList());
        }
        answer.put("decisions", effects.decisions(pbx, callId).stream().map(Explanation::decision).toList());
        answer.put("deliveries", outbox.call(pbx, callId).stream().map(this::delivery).toList());
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

    private static Map<String, Object> event(Journal.Entry entry) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("type", entry.event().type().word);
        view.put("legId", entry.event().legId());
        view.put("arrivedAt", entry.event().arrivedAt().toString());
        if (entry.event().time() != null) {
            view.put("eventTime", entry.event().time().toString());
        }
        view.put("processed", entry.state().equals("done"));
        view.put("fields", entry.fields());
        return view;
    }

    private static Map<String, Object> decision(Effects.Decision decision) {
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
