package io.callbridge.routes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.callbridge.deliver.Dispatcher;
import io.callbridge.deliver.EffectFacts;
import io.callbridge.store.Delivery;
import io.callbridge.store.Memory;
import io.callbridge.store.Store;
import io.callbridge.support.TestStore;
import io.callbridge.support.Unchecked;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;

/**
 * The route files of one CRM in a plain Camel context, behind the real {@code deliver-outbox} and in front of whatever HTTP
 * server the test names: one effect goes in as the outbox sends it, and comes out as delivered, refused or to be sent later.
 * The look-up is the adapter's own, without a cache; what the adapter remembers of a leg it remembers here too.
 */
public final class AdapterHarness implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * How a try ended.
     *
     * @param result {@code delivered}, {@code deadLetter} (refused for good), {@code retryLater}
     * @param cause of a try that was no success
     * @param skipped why there was nothing to tell the CRM; {@code null}: it was told
     */
    public record Outcome(String result, Throwable cause, String skipped) {
    }

    /** What all adapters were told, over their ends, until {@link #forget}. */
    public static final Memory MEMORY;
    private static final Store STORE;
    /** By what they were made of: to make one takes longer than most tests. */
    private static final Map<List<Object>, AdapterHarness> MADE = new HashMap<>();

    static {
        STORE = TestStore.of("jdbc:sqlite:" + Unchecked.get(() -> Files.createTempDirectory("callbridge-adapters-")).resolve("store.db"));
        STORE.open();
        MEMORY = new Memory(STORE);
    }

    private final String crm;
    private final RouteHarness routes;

    private AdapterHarness(String crm, Map<String, String> settings, Map<String, Object> beans) {
        this.crm = crm;
        routes = RouteHarness.of(MEMORY, "deliver-outbox", "deliver-" + crm);
        settings.forEach(routes::setting);
        beans.forEach(routes::bean);
        routes.on("entityLookup.request", this::lookUp).start();
    }

    /** One that is there already, unless it was closed. @param beans what the adapter calls by name besides the beans of all adapters */
    public static AdapterHarness of(String crm, Map<String, String> settings, Map<String, Object> beans) {
        return MADE.computeIfAbsent(List.of(crm, Map.copyOf(settings), Map.copyOf(beans)),
                made -> new AdapterHarness(crm, settings, beans));
    }

    /** At the beginning of a test. */
    public static void forget() {
        STORE.writeAtOnce("", sql -> sql.update("delete from memory")).join();
        MADE.values().forEach(made -> made.routes.pace().permits.set(0));
    }

    /** How many requests have asked whether they may go. */
    public int permits() {
        return routes.pace().permits.get();
    }

    public boolean can(String capability) {
        return routes.running().contains("deliver-" + crm + "-" + capability);
    }

    /**
     * Sends an effect to the CRM, as one try of a delivery.
     *
     * @param id SubCallID, or the CallID of a missed call
     * @param body as the bridge writes it (contract section 3), with the CRM's own id of the user
     */
    public Outcome deliver(String operation, String id, Map<String, Object> body) {
        Delivery delivery = new Delivery(1, crm, operation, id, "main", String.valueOf(body.getOrDefault("callId", id)),
                Delivery.laneOf(operation), "", null, "pending", 1, 0, "[]", 0, 0, 0, null);
        routes.send("deliver-outbox", EffectFacts.of(delivery, JSON.valueToTree(body)), Map.of(Dispatcher.DELIVERY, delivery));
        // A route may have given the effect another name: a missed call whose id is also that of a leg.
        List<RouteHarness.Step> ends = routes.steps().stream().filter(step -> step.name().startsWith("deliveryResult.")
                && String.valueOf(step.variables().get("key")).replaceFirst("^missed-", "").equals(id)).toList();
        if (ends.size() != 1) {
            throw new AssertionError("not one result: " + routes.asked());
        }
        return new Outcome(ends.get(0).name().replace("deliveryResult.", ""), ends.get(0).cause(),
                (String) ends.get(0).variables().get("skipped"));
    }

    /** What the look-up answers; a missing node: nobody has the number. */
    public JsonNode find(String number) {
        return json(answered("lookup", number, null));
    }

    /** All pages. @throws IllegalStateException if one failed */
    public JsonNode users() {
        ObjectNode users = JSON.createObjectNode();
        Exchange answered;
        for (String page = "0"; page != null; page = answered.getVariable("page", String.class)) {
            answered = answered("users", null, page);
            users.setAll((ObjectNode) json(answered));
        }
        return users;
    }

    /** Runs a route that the bridge calls by itself, {@code probe} say. @throws IllegalStateException if it failed */
    public JsonNode ask(String capability) {
        return json(answered(capability, null, null));
    }

    private Exchange answered(String capability, String body, String page) {
        Exchange exchange = routes.sendMore("deliver-" + crm + "-" + capability, message -> {
            message.getMessage().setBody(body);
            Map.of("crm", crm, "lane", Delivery.CALLS, "operation", capability, "number", body == null ? "" : body)
                    .forEach(message::setVariable);
            message.setVariable("page", page);
        }, ExchangePattern.InOut);
        if (exchange.getException() != null) {
            throw new IllegalStateException(exchange.getException().getMessage(), exchange.getException());
        }
        return exchange;
    }

    private static JsonNode json(Exchange answered) {
        String text = answered.getMessage().getBody() instanceof Map ? null : answered.getMessage().getBody(String.class);
        try {
            return text == null || text.isBlank() ? JSON.missingNode() : JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError("no JSON: " + text, e);
        }
    }

    /** The first entity, as {@code several-entities=first} takes it. */
    private Object lookUp(Exchange exchange) {
        ObjectNode body = JSON.createObjectNode();
        exchange.getVariables().forEach((name, value) -> body.set(name, JSON.valueToTree(value)));
        String number = String.valueOf(exchange.getVariable("number"));
        JsonNode found = number.startsWith("+") && can("lookup") ? find(number) : JSON.missingNode();
        JsonNode entity = found.isArray() ? found.path(0) : found;
        if (entity.hasNonNull("id")) {
            body.set("entity", entity);
            if (Set.of(Delivery.MISSED, Delivery.TASK).contains(exchange.getVariable("operation")) && entity.hasNonNull("responsible")) {
                body.set("user", entity.get("responsible"));
            }
        }
        EffectFacts.entity(body).forEach(exchange::setVariable);
        return body.toString();
    }

    @Override
    public void close() {
        MADE.values().remove(this);
        routes.close();
    }
}
