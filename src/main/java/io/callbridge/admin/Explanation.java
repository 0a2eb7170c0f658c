package io.callbridge.admin;

import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.CrmCapabilities;
import io.callbridge.deliver.CrmGates;
import io.callbridge.domain.Call;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.Calls.Stored;
import io.callbridge.store.Calls;
import io.callbridge.store.Document;
import io.callbridge.store.Event;
import io.callbridge.store.Inbox;
import io.callbridge.store.Outbox;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Answers "why is this call (not) in the CRM?": events, legs, decisions and deliveries of one call. */
@ApplicationScoped
class Explanation {

    private final Calls calls;
    private final Inbox inbox;
    private final Outbox outbox;
    private final Settings settings;
    private final CrmCapabilities capabilities;
    private final CrmGates gates;
    private final ObjectMapper json;

    Explanation(Calls calls, Inbox inbox, Outbox outbox, Settings settings, CrmCapabilities capabilities, CrmGates gates, ObjectMapper json) {
        this.calls = calls;
        this.inbox = inbox;
        this.outbox = outbox;
        this.settings = settings;
        this.capabilities = capabilities;
        this.gates = gates;
        this.json = json;
    }

    /** @param legs {@code null}: its PBX is not configured any more, or nobody has evaluated it yet */
    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record View(@JsonUnwrapped CallList.Line call, List<EventView> events, List<LegView> legs, List<DecisionView> decisions,
            List<DeliveryView> deliveries, List<CrmView> crms) {
    }

    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record EventView(String type, String legId, Instant arrivedAt, Instant eventTime, boolean processed, Map<String, String> fields) {

        private static EventView of(Event event, boolean processed) {
            return new EventView(event.call().type().word, event.call().legId(), event.call().arrivedAt(), event.call().time(), processed,
                    event.fields());
        }
    }

    /** @param legId {@code null}: it is about the whole call */
    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record DecisionView(Instant at, String legId, String topic, String rule, String reason) {

        private static DecisionView of(Document.Decision decision) {
            return new DecisionView(Instant.ofEpochMilli(decision.at()), decision.legId().isEmpty() ? null : decision.legId(), decision.topic(),
                    decision.rule(), decision.reason());
        }
    }

    /** Of an active CRM, what explains that it has nothing of the call, or not yet. */
    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record CrmView(String crm, List<String> capabilities, Instant downSince) {
    }

    /**
     * Of a call by its id, and by its PBX where several use equal ids.
     *
     * @return {@code null} for a call that was never heard of
     */
    View of(AdminRequest request) {
        String callId = request.path("callId");
        String pbx = request.takes("pbx").text("pbx");
        List<Event> waiting = inbox.events(event -> event.call().callId().equalsIgnoreCase(callId) && (pbx == null || event.call().pbx().equals(pbx)));
        // Afterwards: what does not wait any more is stored.
        Stored stored = stored(callId, pbx);
        return stored != null ? explain(stored, waiting) : waiting.isEmpty() ? null : notEvaluated(waiting);
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

    /** What was acknowledged and waits for what follows from it: the call was never evaluated. */
    private View notEvaluated(List<Event> events) {
        CallList.Line call = new CallList.Line(events.get(0).call().callId(), events.get(0).call().pbx(), null, null, null, null, null, null);
        return new View(call, events.stream().map(event -> EventView.of(event, false)).toList(), null, List.of(), List.of(), crms());
    }

    private View explain(Stored stored, List<Event> waiting) {
        String pbx = stored.row().pbx();
        Document document = Document.of(stored.document());
        Stream<EventView> events = document.events().stream().map(event -> EventView.of(event, !document.failed(event.call().legId())));
        Stream<EventView> more = waiting.stream().filter(event -> event.call().pbx().equals(pbx) && !document.has(event))
                .map(event -> EventView.of(event, false));
        List<LegView> legs = !settings.knows(pbx) ? null
                : Call.of(settings.directory(pbx), settings.calls(), document.events().stream().map(Event::call).toList(), List.of()).legs().stream()
                        .map(leg -> LegView.of(leg, settings.calls(), Time.now())).toList();
        return new View(CallList.Line.of(stored.row()), Stream.concat(events, more).toList(), legs,
                document.decisions().stream().map(DecisionView::of).toList(),
                stored.deliveries().stream().map(delivery -> DeliveryView.whole(delivery, outbox.attempts(delivery), json)).toList(), crms());
    }

    private List<CrmView> crms() {
        return settings.crms().stream().map(crm -> new CrmView(crm, capabilities.of(crm),
                gates.downSinceMs(crm) > 0 ? Instant.ofEpochMilli(gates.downSinceMs(crm)) : null)).toList();
    }
}
