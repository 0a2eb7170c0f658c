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
import org.apache.camel.CamelExecutionException;
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

    /** At a time; fewer than camel-http has connections to one CRM, so that they never keep a write waiting. */
    private static final int LOOKUPS = 16;

    private final Outbox outbox;
    private final ProducerTemplate template;
    private final ObjectMapper json;
    private final long cardWaitMs;
    private final AsyncCache<String, Optional<JsonNode>> cache;
    private final ExecutorService lookups = Executors.newFixedThreadPool(LOOKUPS, task -> {
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
     * @throws LookupException if the look-up failed, for a registration
     */
    public String request(@ExchangeProperty(Dispatcher.DELIVERY) Delivery delivery)
            throws LookupException, JsonProcessingException, InterruptedException {
        if (delivery.enriched() != null) {
            return delivery.enriched();
        }
        ObjectNode request = (ObjectNode) json.readTree(delivery.body());
        String number = request.path("number").asText("");
        if (number.equals(Settings.e164(number, null))) {
            find(delivery, number).ifPresent(entity -> {
                request.set("entity", entity);
                if (delivery.operation().equals(Delivery.MISSED) && entity.hasNonNull("responsible")) {
                    request.set("user", entity.get("responsible"));
                }
            });
        }
        String text = json.writeValueAsString(request);
        outbox.enriched(delivery, text).join();
        return text;
    }

    private Optional<JsonNode> find(Delivery delivery, String number) throws LookupException, InterruptedException {
        String crm = delivery.crm();
        CompletableFuture<Optional<JsonNode>> answer = cache.get(crm + " " + number,
                (key, ignored) -> CompletableFuture.supplyAsync(() -> ask(crm, number), lookups));
        try {
            if (!delivery.operation().equals(Delivery.CARD)) {
                return answer.get();
            }
            // Counted from the card's birth, so that cards which wait for a worker do not wait twice.
            long patience = delivery.createdAt() + cardWaitMs - System.currentTimeMillis();
            return answer.get(Math.max(0, patience), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.infof("The look-up at CRM %s took longer than %d ms: the card goes out without entity", crm, cardWaitMs);
            return Optional.empty();
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() instanceof CamelExecutionException wrapped ? wrapped.getCause() : e.getCause();
            if (delivery.operation().equals(Delivery.CARD)) {
                LOG.warnf("The look-up at CRM %s failed, the card goes out without entity: %s", crm, cause.getMessage());
                return Optional.empty();
            }
            throw new LookupException("look-up failed: " + cause.getMessage());
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
