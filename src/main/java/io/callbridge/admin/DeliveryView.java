package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox.Attempt;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A delivery as the administration API shows it; {@code key}: the SubCallID or CallID that its request is named after. */
final class DeliveryView {

    private DeliveryView() {
    }

    /** A line of a list. @param last {@code null}: it was never tried */
    static Map<String, Object> line(Delivery delivery, Attempt last) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("id", delivery.seq());
        view.put("crm", delivery.crm());
        view.put("operation", delivery.operation());
        view.put("key", delivery.id());
        view.put("callId", delivery.callId());
        view.put("pbx", delivery.pbx());
        view.put("state", delivery.state());
        view.put("attempts", delivery.attempts());
        if (delivery.state().equals("pending")) {
            view.put("nextAt", time(delivery.nextAt()));
        }
        view.put("createdAt", time(delivery.createdAt()));
        if (last != null) {
            view.put("lastAttempt", attempt(last));
        }
        return view;
    }

    /** With the request, and every try instead of their number. */
    static Map<String, Object> whole(Delivery delivery, List<Attempt> attempts, ObjectMapper json) {
        Map<String, Object> view = line(delivery, null);
        view.put("request", request(delivery, json));
        view.put("attempts", attempts.stream().map(DeliveryView::attempt).toList());
        return view;
    }

    /** The request as it was sent, before that as it is known. */
    static JsonNode request(Delivery delivery, ObjectMapper json) {
        try {
            return json.readTree(delivery.enriched() != null ? delivery.enriched() : delivery.body());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("unreadable body in the outbox", e);
        }
    }

    static Map<String, Object> attempt(Attempt attempt) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("at", time(attempt.at()));
        if (attempt.status() != null) {
            view.put("status", attempt.status());
        }
        if (attempt.answer() != null) {
            view.put("answer", attempt.answer());
        }
        view.put("millis", attempt.millis());
        return view;
    }

    static String time(long millis) {
        return Instant.ofEpochMilli(millis).toString();
    }
}
