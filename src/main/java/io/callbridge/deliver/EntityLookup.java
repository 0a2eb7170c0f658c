package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.callbridge.platform.CallLog;
import io.callbridge.platform.PhoneNumbers;
import io.callbridge.platform.Settings;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox;
import io.opentelemetry.context.Context;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeProperty;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.ThreadPoolProfileBuilder;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.camel.util.concurrent.ThreadPoolRejectedPolicy;
import org.jboss.logging.Logger;

/**
 * Adds the CRM's entity to a request. The look-up itself is the route {@code deliver-<crm>-lookup}, which answers JSON, one
 * entity or a list of them, or an empty body for "not found". Answers are cached for a short time, "not found" too, and
 * phones that ring together share one look-up.
 */
@ApplicationScoped
@Named("entityLookup")
@RegisterForReflection
public class EntityLookup {

    private static final Logger LOG = Logger.getLogger(EntityLookup.class);

    /** At a time and CRM; fewer than camel-http has connections to one CRM, so that they never keep a write waiting. */
    private static final int LOOKUPS = 16;
    private static final int WAITING = 1_000;
    /** A registration waits so long, which is longer than a look-up that is answered takes, and is then tried again. */
    private static final long PATIENCE_MS = 20_000;
    /** The status by which a CRM says that it knows nobody (contract section 3). */
    private static final int NOBODY = 404;

    private final Outbox outbox;
    private final CrmCapabilities capabilities;
    private final ProducerTemplate template;
    private final ObjectMapper json;
    private final Settings settings;
    private final long cardWaitMs;
    private final AsyncCache<String, Optional<JsonNode>> cache;
    private final Map<String, ExecutorService> lookups = new ConcurrentHashMap<>();

    public EntityLookup(Outbox outbox, CrmCapabilities capabilities, ProducerTemplate template, ObjectMapper json, Settings settings) {
        this.outbox = outbox;
        this.capabilities = capabilities;
        this.template = template;
        this.json = json;
        this.settings = settings;
        this.cardWaitMs = settings.number("deliver.card.lookup-timeout-ms");
        this.cache = Caffeine.newBuilder().maximumSize(settings.number("deliver.entity-cache.size"))
                .expireAfterWrite(Duration.ofSeconds(settings.number("deliver.entity-cache.seconds"))).buildAsync();
    }

    private ExecutorService lookups(String crm) {
        return lookups.computeIfAbsent(crm, name -> template.getCamelContext().getExecutorServiceManager().newThreadPool(this,
                "lookup-" + crm, new ThreadPoolProfileBuilder("lookups").poolSize(LOOKUPS).maxPoolSize(LOOKUPS).maxQueueSize(WAITING)
                        .rejectedPolicy(ThreadPoolRejectedPolicy.Abort).build()));
    }

    /**
     * The request to send, kept before. A card waits for the look-up only so long and then goes without entity, and does not wait for
     * the store; a registration is retried until the look-up answers, since it is written once.
     *
     * @throws CrmAnswerException if the look-up failed, for a registration
     */
    public String request(@ExchangeProperty(Dispatcher.DELIVERY) Delivery delivery, Exchange exchange)
            throws CrmAnswerException, JsonProcessingException, InterruptedException {
        String request = repeatable(delivery, exchange);
        if (!request.equals(delivery.enriched())) {
            CompletableFuture<Boolean> kept = outbox.enriched(delivery, request);
            if (!delivery.operation().equals(Delivery.CARD)) {
                kept.join();
            }
        }
        return request;
    }

    /** The same for a CRM to which a repeat is the same request by its id, whatever it says: it is kept with its answer. */
    public String repeatable(@ExchangeProperty(Dispatcher.DELIVERY) Delivery delivery, Exchange exchange)
            throws CrmAnswerException, JsonProcessingException, InterruptedException {
        String request = delivery.enriched();
        JsonNode members = request == null ? null : json.readTree(request);
        if (request == null || delivery.operation().equals(Delivery.CARD) && !members.has("entity")) {
            // A card that went without it may have it now.
            members = enriched(delivery, exchange.getProperty(Dispatcher.BODY, ObjectNode.class));
            request = json.writeValueAsString(members);
        }
        exchange.setProperty(DeliveryResult.ENRICHED, request);
        EffectFacts.entity(members).forEach(exchange::setVariable);
        return request;
    }

    private ObjectNode enriched(Delivery delivery, ObjectNode request) throws CrmAnswerException, InterruptedException {
        String crm = delivery.crm();
        List<String> numbers = capabilities.can(crm, CrmCapabilities.LOOKUP)
                ? PhoneNumbers.forms(request.path("number").asText("")) : List.of();
        for (int i = 0; i < numbers.size() && !request.has("entity"); i++) {
            find(delivery, numbers.get(i)).flatMap(all -> pick(crm, settings.crm(crm).severalEntities(), all,
                    request.path("user").asText(""))).ifPresent(entity -> request.set("entity", entity));
        }
        if (Set.of(Delivery.MISSED, Delivery.TASK).contains(delivery.operation()) && request.path("entity").hasNonNull("responsible")) {
            request.set("user", request.get("entity").get("responsible"));
        }
        return request;
    }

    private Optional<JsonNode> find(Delivery delivery, String number) throws CrmAnswerException, InterruptedException {
        String crm = delivery.crm();
        boolean card = delivery.operation().equals(Delivery.CARD);
        long patience = card ? cardWaitMs : PATIENCE_MS;
        CrmAnswerException failure;
        try {
            return cache.get(crm + " " + number, (key, ignored) -> CompletableFuture.supplyAsync(
                    Context.current().wrapSupplier(() -> ask(delivery, number)), lookups(crm))).get(patience, TimeUnit.MILLISECONDS);
        } catch (TimeoutException | RejectedExecutionException e) {
            String late = "look-up failed: it is not answered after " + patience + " ms";
            failure = new CrmAnswerException(null, late, late, 0, null);
        } catch (ExecutionException e) {
            failure = CrmAnswer.of(e.getCause(), null);
        }
        if (!card) {
            throw failure;
        }
        LOG.infof("CRM %s: %s; the card goes out without entity", crm, failure.line);
        return Optional.empty();
    }

    /** Of several calls that ask together, for the first. */
    private Optional<JsonNode> ask(Delivery delivery, String number) {
        Exchange answered = capabilities.question(delivery.crm(), delivery.lane(), CrmCapabilities.LOOKUP, number);
        answered.setVariable("number", number);
        try (CallLog log = CallLog.about(delivery.callId())) {
            template.send("direct:deliver-" + delivery.crm() + "-lookup", answered);
        }
        Exception failure = answered.getException();
        if (failure instanceof HttpOperationFailedException http && http.getStatusCode() == NOBODY) {
            return Optional.empty();
        }
        if (failure == null) {
            try {
                String answer = CrmAnswer.body(answered);
                return answer == null || answer.isBlank() ? Optional.empty() : Optional.of(json.readTree(answer));
            } catch (JsonProcessingException e) {
                failure = e;
            }
        }
        CrmAnswerException why = CrmAnswer.of(failure, answered);
        throw new CompletionException(failed(failure instanceof JsonProcessingException ? CrmAnswer.status(answered) : why.status, why));
    }

    /** Without a status, which decides about dead letters: the answer to a look-up is none to the write. */
    private static CrmAnswerException failed(Integer status, CrmAnswerException why) {
        return new CrmAnswerException(null, "look-up failed: " + (status == null ? "" : "answer " + status + ": ") + why.answer,
                "look-up failed: " + why.line, why.retryAfterMs, why.refusal);
    }

    /**
     * Which of several entities with one number is meant: a company's switchboard and a family share one.
     *
     * @param policy {@code first}, as the CRM orders them; {@code owner}, the first for which the employee of the call is
     *        responsible; {@code most-recent}, by its {@code updatedAt}
     * @param found an entity or a list of them; one without an {@code id} does not count
     * @param user the employee of the call, as the CRM knows him; empty: none
     */
    static Optional<JsonNode> pick(String crm, String policy, JsonNode found, String user) {
        List<ObjectNode> all = new ArrayList<>();
        (found.isArray() ? found : List.of(found)).forEach(entity -> {
            if (entity instanceof ObjectNode object && object.hasNonNull("id")) {
                object = object.deepCopy();
                object.properties().removeIf(member -> member.getValue().isNull());
                all.add(object);
            }
        });
        Optional<ObjectNode> first = all.stream().findFirst();
        Optional<ObjectNode> picked = switch (policy) {
            case "owner" -> all.stream().filter(entity -> entity.path("responsible").asText("").equals(user)).findFirst().or(() -> first);
            case "most-recent" -> all.stream().max(Comparator.comparing(entity -> entity.path("updatedAt").asText("")));
            default -> first;
        };
        if (all.size() > 1) {
            LOG.infof("CRM %s knows %d entities with this number; %s is taken (several-entities=%s)", crm, all.size(),
                    picked.get().path("id").asText(), policy);
        }
        return picked.map(entity -> entity);
    }
}
