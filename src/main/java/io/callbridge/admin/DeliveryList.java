package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Settings;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox;
import io.callbridge.store.Outbox.Attempt;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** What is, or was, to be delivered: the outbox, newest first. */
@ApplicationScoped
@Named("deliveryList")
@RegisterForReflection
public class DeliveryList {

    static final List<String> STATES = List.of("pending", OutboxControl.FAILING, "dead", "delivered", "dropped", "discarded");

    /** Those that are retried or discarded together: whoever is asked whether to do that must know how many they are. */
    private static final List<String> TOGETHER = List.of("pending", OutboxControl.FAILING, "dead", "discarded");

    private final OutboxControl control;
    private final Outbox outbox;
    private final Settings settings;
    private final ObjectMapper json;

    public DeliveryList(OutboxControl control, Outbox outbox, Settings settings, ObjectMapper json) {
        this.control = control;
        this.outbox = outbox;
        this.settings = settings;
        this.json = json;
    }

    /** @return JSON of a page; {@code next} is there if another page follows, {@code total} on the first page of what can be done together */
    public String page(@Header(Exchange.HTTP_RAW_QUERY) String query) throws JsonProcessingException {
        Parameters parameters = new Parameters(query, "state", "crm", "limit", "after");
        Long after = parameters.number("after", 1, Long.MAX_VALUE);
        int limit = parameters.limit();
        String state = parameters.oneOf("state", STATES);
        String crm = parameters.oneOf("crm", settings.crms());
        List<Delivery> found = control.newest(state, crm, after == null ? Long.MAX_VALUE : after, limit + 1);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("deliveries", found.stream().limit(limit).map(delivery -> DeliveryView.line(delivery, last(delivery))).toList());
        if (found.size() > limit) {
            answer.put("next", found.get(limit - 1).seq());
        }
        if (after == null && state != null && TOGETHER.contains(state)) {
            Map<String, Long> counts = control.count(state);
            answer.put("total", (crm == null ? settings.crms() : List.of(crm)).stream().mapToLong(each -> counts.getOrDefault(each, 0L)).sum());
        }
        return json.writeValueAsString(answer);
    }

    private Attempt last(Delivery delivery) {
        List<Attempt> tries = outbox.attempts(delivery);
        return tries.isEmpty() ? null : tries.get(tries.size() - 1);
    }

    /** @return JSON of one delivery with its request and every try */
    public String one(@Header("id") String id, @Header(Exchange.HTTP_RAW_QUERY) String query) throws JsonProcessingException {
        new Parameters(query);
        Delivery delivery = find(control, id);
        return json.writeValueAsString(DeliveryView.whole(delivery, outbox.attempts(delivery), json));
    }

    static Delivery find(OutboxControl control, String id) {
        Delivery delivery = id.matches("[0-9]{1,18}") ? control.one(Long.parseLong(id)) : null;
        if (delivery == null) {
            throw RefusedException.notFound("there is no delivery " + id);
        }
        return delivery;
    }
}
