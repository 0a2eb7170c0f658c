package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.callbridge.platform.Settings;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.apache.camel.ExchangeProperty;
import org.apache.camel.ProducerTemplate;
import org.jboss.logging.Logger;

/**
 * Adds the CRM's entity to a request. The look-up itself is the route {@code deliver-<crm>-lookup}, which answers JSON,
 * or an empty body for "not found". Answers are cached for a short time, "not found" too, and phones that ring together
 * share one look-up.
 */
@ApplicationScoped
@Named("entityLookup")
@RegisterForReflection
public class EntityLookup {

    private static final Logger LOG = Logger.getLogger(EntityLookup.class);
    private static final Pattern E164 = Pattern.compile("\\+[1-9][0-9]{4,14}");

    private final Outbox outbox;
    private final ProducerTemplate template;
    private final ObjectMapper json;
    private final long cardWaitMs;
    private final AsyncCache<String, Optional<JsonNode>> cache;
    private final ExecutorService lookups = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "entity-lookup");
        thread.setDaemon(true);
        return thread;
    });

    public EntityLookup(Outbox outbox, ProducerTemplate template, ObjectMapper json, Settings settings) {
        this.outbox = outbox;
        this.template = template;
        this.json = json;
        this.cardWaitMs = settings.number("deliver.card.lookup-timeout-ms");
        this.cache = Caffeine.newBuilder().maximumSize(settings.number("deliver.entity-cache.size"))
                .expireAfterWrite(Duration.ofSeconds(settings.number("deliver.entity-cache.seconds"))).buildAsync();
    }

    @PreDestroy
    void close() {
        lookups.shutdownNow();
    }

    /**
     * The request to send. A card waits for the look-up only so long and then goes without entity; a registration is
     * retried until the look-up answers, since it is written once.
     *
     * @throws Exception what the look-up failed with, for a registration
     */
    public String request(@ExchangeProperty(Dispatcher.DELIVERY) Delivery delivery) throws Exception {
        if (delivery.enriched() != null) {
            return delivery.enriched();
        }
        ObjectNode request = (ObjectNode) json.readTree(delivery.body());
        String number = request.path("number").asText("");
        boolean card = delivery.lane().equals("cards");
        if (E164.matcher(number).matches()) {
            find(delivery.crm(), number, card).ifPresent(entity -> {
                request.set("entity", entity);
                if (delivery.operation().equals(Delivery.MISSED) && entity.hasNonNull("responsible")) {
                    request.set("user", entity.get("responsible"));
                }
            });
        }
        String text = json.writeValueAsString(request);
        CompletableFuture<Boolean> kept = outbox.enriched(delivery, text);
        if (!card) {
            kept.get();
        }
        return text;
    }

    private Optional<JsonNode> find(String crm, String number, boolean card) throws Exception {
        CompletableFuture<Optional<JsonNode>> answer = cache.get(crm + " " + number,
                (key, ignored) -> CompletableFuture.supplyAsync(() -> ask(crm, number), lookups));
        try {
            return card ? answer.get(cardWaitMs, TimeUnit.MILLISECONDS) : answer.get();
        } catch (TimeoutException e) {
            LOG.infof("The look-up at CRM %s took longer than %d ms: the card goes out without entity", crm, cardWaitMs);
            return Optional.empty();
        } catch (ExecutionException e) {
            if (card) {
                LOG.warnf("The look-up at CRM %s failed, the card goes out without entity: %s", crm, e.getCause().getMessage());
                return Optional.empty();
            }
            throw e.getCause() instanceof org.apache.camel.CamelExecutionException wrapped
                    && wrapped.getCause() instanceof Exception cause ? cause : e;
        }
    }

    private Optional<JsonNode> ask(String crm, String number) {
        String answer = template.requestBody("direct:deliver-" + crm + "-lookup", number, String.class);
        if (answer == null || answer.isBlank()) {
            return Optional.empty();
        }
        try {
            JsonNode entity = json.readTree(answer);
            return entity.isObject() && entity.hasNonNull("id") ? Optional.of(withoutNulls((ObjectNode) entity)) : Optional.empty();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("CRM " + crm + " answered a look-up with something that is no JSON", e);
        }
    }

    private static JsonNode withoutNulls(ObjectNode entity) {
        entity.properties().removeIf(member -> member.getValue().isNull());
        return entity;
    }
}
