package io.callbridge.admin;

import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox.Attempt;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.time.Instant;
import java.util.List;

/**
 * A delivery as the administration API shows it.
 *
 * @param key the SubCallID or CallID that its request is named after
 * @param attempts in a list how many, else every one
 * @param nextAt of one that waits
 * @param request as it was sent, before that as it is known
 */
@RegisterForReflection
@JsonInclude(Include.NON_NULL)
record DeliveryView(long id, String crm, String operation, String key, String callId, String pbx, String state, Object attempts, Instant nextAt,
        Instant createdAt, JsonNode request, Try lastAttempt) {

    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record Try(Instant at, Integer status, String answer, long millis) {

        static Try of(Attempt attempt) {
            return new Try(Instant.ofEpochMilli(attempt.at()), attempt.status(), attempt.answer(), attempt.millis());
        }
    }

    /** In a list. */
    static DeliveryView line(Delivery delivery, List<Attempt> attempts) {
        return of(delivery, delivery.attempts(), null, attempts.isEmpty() ? null : Try.of(attempts.get(attempts.size() - 1)));
    }

    static DeliveryView whole(Delivery delivery, List<Attempt> attempts, ObjectMapper json) {
        try {
            return of(delivery, attempts.stream().map(Try::of).toList(),
                    json.readTree(delivery.enriched() != null ? delivery.enriched() : delivery.body()), null);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("unreadable body in the outbox", e);
        }
    }

    private static DeliveryView of(Delivery delivery, Object attempts, JsonNode request, Try last) {
        return new DeliveryView(delivery.seq(), delivery.crm(), delivery.operation(), delivery.id(), delivery.callId(), delivery.pbx(),
                delivery.state(), attempts, delivery.state().equals("pending") ? Instant.ofEpochMilli(delivery.nextAt()) : null,
                Instant.ofEpochMilli(delivery.createdAt()), request, last);
    }
}
