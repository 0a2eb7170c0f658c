package io.callbridge.admin;

import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.Dispatcher;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Map;

/** The outbox, newest first, and what an operator does to put right what is in it. */
@ApplicationScoped
class Deliveries {

    private static final List<String> STATES = List.of("pending", OutboxControl.FAILING, "dead", "delivered", "dropped", "discarded");
    /** Those that are retried or discarded together: whoever is asked whether to do that must know how many they are. */
    private static final List<String> TOGETHER = List.of("pending", OutboxControl.FAILING, "dead", "discarded");
    private static final List<String> RETRIED = List.of("pending", "dead", "discarded", "dropped");
    private static final List<String> RETRIED_TOGETHER = List.of("pending", OutboxControl.FAILING, "dead", "discarded", "dropped");
    private static final List<String> DISCARDED = List.of("pending", "dead");
    private static final List<String> DISCARDED_TOGETHER = List.of("pending", OutboxControl.FAILING, "dead");

    private final OutboxControl control;
    private final Outbox outbox;
    private final Dispatcher dispatcher;
    private final Settings settings;
    private final Audit audit;
    private final ObjectMapper json;

    Deliveries(OutboxControl control, Outbox outbox, Dispatcher dispatcher, Settings settings, Audit audit, ObjectMapper json) {
        this.control = control;
        this.outbox = outbox;
        this.dispatcher = dispatcher;
        this.settings = settings;
        this.audit = audit;
        this.json = json;
    }

    /** @param next another page follows @param total on the first page of what can be done together */
    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record Page(List<DeliveryView> deliveries, Long next, Long total) {
    }

    Page page(AdminRequest request) {
        request.takes("state", "crm", "limit", "after");
        Long after = request.number("after", 1, Long.MAX_VALUE);
        int limit = request.limit();
        String state = request.oneOf("state", STATES);
        String crm = request.oneOf("crm", settings.crms());
        List<Delivery> found = control.newest(state, crm, after == null ? Long.MAX_VALUE : after, limit + 1);
        Long total = null;
        if (after == null && state != null && TOGETHER.contains(state)) {
            Map<String, Long> counts = control.count(state);
            total = crms(crm).stream().mapToLong(each -> counts.getOrDefault(each, 0L)).sum();
        }
        return new Page(found.stream().limit(limit).map(delivery -> DeliveryView.line(delivery, outbox.attempts(delivery))).toList(),
                found.size() > limit ? found.get(limit - 1).seq() : null, total);
    }

    DeliveryView one(AdminRequest request) {
        Delivery delivery = find(request.takes());
        return DeliveryView.whole(delivery, outbox.attempts(delivery), json);
    }

    /** Sends a delivery at once: again and as if it were new, or instead of at the time it waits for. */
    DeliveryView retry(AdminRequest request) {
        Delivery delivery = find(request.takes(), RETRIED, "retried");
        if (!settings.crms().contains(delivery.crm())) {
            throw RefusedException.conflict("delivery " + delivery.seq() + " is for CRM " + delivery.crm() + ", which is not active");
        }
        if (delivery.fleeting() && delivery.expiresAt() <= Time.millis() || control.isEndedCard(delivery)) {
            throw RefusedException.conflict("delivery " + delivery.seq() + " is a card whose time is over; nobody wants to see it now");
        }
        audit.record(request.who(), "retry", subject(delivery), null);
        boolean done = control.retry(delivery);
        dispatcher.askNow(delivery.crm());
        return changed(delivery, done);
    }

    /** Gives a delivery up. */
    DeliveryView discard(AdminRequest request) {
        Delivery delivery = find(request.takes(), DISCARDED, "discarded");
        audit.record(request.who(), "discard", subject(delivery), null);
        boolean done = control.discard(delivery);
        dispatcher.wake();
        return changed(delivery, done);
    }

    /** Sends all deliveries of a state, dead letters if none is named. @return how many */
    Map<String, Integer> retryAll(AdminRequest request) {
        String state = orDead(request.takes("state", "crm").oneOf("state", RETRIED_TOGETHER));
        List<String> crms = crms(request.oneOf("crm", settings.crms()));
        audit.record(request.who(), "retry-all", state + " deliveries of " + String.join(", ", crms), null);
        crms.forEach(dispatcher::askNow);
        int retried = control.retryAll(state, crms);
        crms.forEach(dispatcher::askNow);
        return Map.of("retried", retried);
    }

    /** Gives all deliveries of a state up, dead letters if none is named. @return how many */
    Map<String, Integer> discardAll(AdminRequest request) {
        String state = orDead(request.takes("state", "crm").oneOf("state", DISCARDED_TOGETHER));
        List<String> crms = crms(request.oneOf("crm", settings.crms()));
        audit.record(request.who(), "discard-all", state + " deliveries of " + String.join(", ", crms), null);
        return Map.of("discarded", control.discardAll(state, crms));
    }

    private static String orDead(String state) {
        return state == null ? "dead" : state;
    }

    private List<String> crms(String crm) {
        return crm == null ? settings.crms() : List.of(crm);
    }

    private static String subject(Delivery delivery) {
        return "delivery " + delivery.seq() + " (" + delivery.operation() + " of call " + delivery.callId() + " at " + delivery.crm() + ")";
    }

    private Delivery find(AdminRequest request) {
        String id = request.path("id");
        Delivery delivery = id.matches("[0-9]{1,18}") ? control.one(Long.parseLong(id)) : null;
        if (delivery == null) {
            throw RefusedException.notFound("there is no delivery " + id);
        }
        return delivery;
    }

    /** Neither wish would change what the CRM is being told just now. */
    private Delivery find(AdminRequest request, List<String> states, String wish) {
        Delivery delivery = find(request);
        if (!states.contains(delivery.state())) {
            throw RefusedException.conflict("delivery " + delivery.seq() + " is " + delivery.state() + "; can be " + wish + ": "
                    + String.join(", ", states));
        }
        if (dispatcher.sends(delivery)) {
            throw RefusedException.conflict("delivery " + delivery.seq() + " is being sent just now");
        }
        return delivery;
    }

    private DeliveryView changed(Delivery delivery, boolean done) {
        if (!done) {
            throw RefusedException.conflict("delivery " + delivery.seq() + " was changed, or is being sent, at the same time");
        }
        return DeliveryView.line(control.one(delivery.seq()), List.of());
    }
}
