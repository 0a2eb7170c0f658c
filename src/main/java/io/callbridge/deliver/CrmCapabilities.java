package io.callbridge.deliver;

import io.callbridge.store.Delivery;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.support.DefaultExchange;

/**
 * What a CRM can do is what it has a route for: {@code deliver-<crm>-<operation>} for each operation of the outbox,
 * {@code deliver-<crm>-lookup} to find an entity by its number, {@code deliver-<crm>-users} to find the user of an extension.
 */
@ApplicationScoped
public class CrmCapabilities {

    public static final String LOOKUP = "lookup";
    static final String USERS = "users";
    static final String PROBE = "probe";

    private final CamelContext context;
    private final Map<String, Boolean> known = new ConcurrentHashMap<>();

    public CrmCapabilities(CamelContext context) {
        this.context = context;
    }

    public boolean can(String crm, String capability) {
        // Camel looks through all routes, and every effect of a call asks.
        return context.isStarted() ? known.computeIfAbsent(crm + "-" + capability, this::hasRoute) : hasRoute(crm + "-" + capability);
    }

    private boolean hasRoute(String name) {
        return context.getRoute("deliver-" + name) != null;
    }

    /** A question to a CRM, for the route of this capability. */
    Exchange question(String crm, String lane, String capability, Object body) {
        Exchange question = new DefaultExchange(context);
        question.getMessage().setBody(body);
        question.setVariable("crm", crm);
        question.setVariable("lane", lane);
        question.setVariable("operation", capability);
        return question;
    }

    /** In the order of a call. */
    public List<String> of(String crm) {
        List<String> all = new ArrayList<>(List.of(LOOKUP, USERS));
        all.addAll(Delivery.OPERATIONS);
        return all.stream().filter(capability -> can(crm, capability)).toList();
    }

    /** Whether anything of this CRM goes through a lane. */
    boolean serves(String crm, String lane) {
        return Delivery.OPERATIONS.stream().anyMatch(operation -> Delivery.laneOf(operation).equals(lane) && can(crm, operation));
    }
}
