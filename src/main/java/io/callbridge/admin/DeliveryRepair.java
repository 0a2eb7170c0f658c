package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.Dispatcher;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.Delivery;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Puts deliveries right that did not go out as they should. */
@ApplicationScoped
@Named("deliveryRepair")
@RegisterForReflection
public class DeliveryRepair {

    private static final List<String> RETRIED = List.of("pending", "dead", "discarded", "dropped");
    private static final List<String> RETRIED_TOGETHER = List.of("pending", OutboxControl.FAILING, "dead", "discarded", "dropped");
    private static final List<String> DISCARDED = List.of("pending", "dead");
    private static final List<String> DISCARDED_TOGETHER = List.of("pending", OutboxControl.FAILING, "dead");

    private final OutboxControl control;
    private final Dispatcher dispatcher;
    private final Settings settings;
    private final Audit audit;
    private final ObjectMapper json;

    public DeliveryRepair(OutboxControl control, Dispatcher dispatcher, Settings settings, Audit audit, ObjectMapper json) {
        this.control = control;
        this.dispatcher = dispatcher;
        this.settings = settings;
        this.audit = audit;
        this.json = json;
    }

    /** Sends a delivery at once: again and as if it were new, or instead of at the time it waits for. @return JSON of the delivery */
    public String retry(@Header("id") String id, @Header(Exchange.HTTP_RAW_QUERY) String query, @Header(AdminGate.WHO) String who)
            throws JsonProcessingException {
        new Parameters(query);
        Delivery delivery = find(id, RETRIED, "retried");
        if (!settings.crms().contains(delivery.crm())) {
            throw RefusedException.conflict("delivery " + id + " is for CRM " + delivery.crm() + ", which is not active");
        }
        if (delivery.fleeting() && delivery.expiresAt() <= Time.millis() || control.isEndedCard(delivery)) {
            throw RefusedException.conflict("delivery " + id + " is a card whose time is over; nobody wants to see it now");
        }
        notSent(delivery);
        audit.record(who, "retry", subject(delivery), null);
        boolean done = control.retry(delivery);
        dispatcher.askNow(delivery.crm());
        return changed(delivery, done);
    }

    /** Gives a delivery up. @return JSON of the delivery */
    public String discard(@Header("id") String id, @Header(Exchange.HTTP_RAW_QUERY) String query, @Header(AdminGate.WHO) String who)
            throws JsonProcessingException {
        new Parameters(query);
        Delivery delivery = find(id, DISCARDED, "discarded");
        notSent(delivery);
        audit.record(who, "discard", subject(delivery), null);
        boolean done = control.discard(delivery);
        dispatcher.wake();
        return changed(delivery, done);
    }

    /** Sends all deliveries of a state, dead letters if none is named. @return JSON with how many */
    public String retryAll(@Header(Exchange.HTTP_RAW_QUERY) String query, @Header(AdminGate.WHO) String who) throws JsonProcessingException {
        Parameters parameters = new Parameters(query, "state", "crm");
        String state = orDead(parameters.oneOf("state", RETRIED_TOGETHER));
        List<String> crms = crms(parameters);
        audit.record(who, "retry-all", state + " deliveries of " + String.join(", ", crms), null);
        crms.forEach(dispatcher::askNow);
        int retried = control.retryAll(state, crms);
        crms.forEach(dispatcher::askNow);
        return json.writeValueAsString(Map.of("retried", retried));
    }

    /** Gives all deliveries of a state up, dead letters if none is named. @return JSON with how many */
    public String discardAll(@Header(Exchange.HTTP_RAW_QUERY) String query, @Header(AdminGate.WHO) String who) throws JsonProcessingException {
        Parameters parameters = new Parameters(query, "state", "crm");
        String state = orDead(parameters.oneOf("state", DISCARDED_TOGETHER));
        List<String> crms = crms(parameters);
        audit.record(who, "discard-all", state + " deliveries of " + String.join(", ", crms), null);
        return json.writeValueAsString(Map.of("discarded", control.discardAll(state, crms)));
    }

    private static String orDead(String state) {
        return state == null ? "dead" : state;
    }

    private List<String> crms(Parameters parameters) {
        String crm = parameters.oneOf("crm", settings.crms());
        return crm == null ? settings.crms() : List.of(crm);
    }

    private static String subject(Delivery delivery) {
        return "delivery " + delivery.seq() + " (" + delivery.operation() + " of call " + delivery.callId() + " at " + delivery.crm() + ")";
    }

    private Delivery find(String id, List<String> states, String wish) {
        Delivery delivery = DeliveryList.find(control, id);
        if (!states.contains(delivery.state())) {
            throw RefusedException.conflict("delivery " + id + " is " + delivery.state() + "; can be " + wish + ": "
                    + String.join(", ", states));
        }
        return delivery;
    }

    /** Neither wish would change what the CRM is being told. */
    private void notSent(Delivery delivery) {
        if (dispatcher.sends(delivery)) {
            throw RefusedException.conflict("delivery " + delivery.seq() + " is being sent just now");
        }
    }

    private String changed(Delivery delivery, boolean done) throws JsonProcessingException {
        if (!done) {
            throw RefusedException.conflict("delivery " + delivery.seq() + " was changed, or is being sent, at the same time");
        }
        return json.writeValueAsString(DeliveryView.line(control.one(delivery.seq()), null));
    }
}
