package io.callbridge.deliver;

import io.callbridge.platform.Outage;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.platform.Tracing;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox.Attempt;
import io.callbridge.store.Outbox;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.camel.Exchange;
import org.jboss.logging.Logger.Level;
import org.jboss.logging.Logger;

/** Records how a delivery went; which answer means what is decided in {@code delivery-errors}. */
@ApplicationScoped
@Named("deliveryResult")
@RegisterForReflection
public class DeliveryResult {

    /** Exchange property: {@link Recorded}. */
    static final String RECORDED = "CallbridgeRecorded";
    /** Exchange property: the request as it is sent, for who has not kept it before. */
    static final String ENRICHED = "CallbridgeEnriched";
    private static final int AGAIN_SECONDS = 10;
    private static final String SKIPPED = "skipped";

    /** Up to which times the cards are counted. After some ten seconds whoever called has hung up. */
    private static final Duration[] CARD_TIMES = {Duration.ofMillis(100), Duration.ofMillis(250), Duration.ofMillis(500),
        Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(5), Duration.ofSeconds(10), Duration.ofSeconds(30)};

    /** Of the CRM contract. */
    private static final Duration GIVE_UP_AFTER = Duration.ofHours(72);

    private static final Logger LOG = Logger.getLogger(DeliveryResult.class);

    private final Outbox outbox;
    private final CrmGates gates;
    private final MeterRegistry meters;
    private final long firstDelayMs;
    private final long maxDelayMs;
    private final long cardTtlMs;
    private final Map<String, Timer> cards = new ConcurrentHashMap<>();
    private final Map<String, Outage> outages = new ConcurrentHashMap<>();
    private final Map<String, Outage> refusals = new ConcurrentHashMap<>();

    public DeliveryResult(Outbox outbox, CrmGates gates, MeterRegistry meters, Settings settings) {
        this.outbox = outbox;
        this.gates = gates;
        this.meters = meters;
        this.firstDelayMs = settings.number("deliver.retry.first-delay-ms");
        this.maxDelayMs = settings.number("deliver.retry.max-delay-ms");
        this.cardTtlMs = settings.calls().cardTtl().toMillis();
        for (String crm : settings.crms()) {
            outages.put(crm, new Outage(LOG, "CRM " + crm + " is down, and asked by one request at a time until it answers",
                    "CRM " + crm + " is back"));
            refusals.put(crm, new Outage(LOG, "CRM " + crm + " refuses Callbridge itself: put right callbridge.crm." + crm
                    + ".* or the rights there, until then everything for it waits", "CRM " + crm + " takes requests again"));
            cards.put(crm, Timer.builder("callbridge.card").tag("crm", crm).serviceLevelObjectives(CARD_TIMES).register(meters));
        }
    }

    /** The CRM confirmed, or the route has said in the variable {@value #SKIPPED} why there was nothing to tell it. */
    public void delivered(Exchange exchange) throws CrmAnswerException {
        Integer status = CrmAnswer.status(exchange);
        String skipped = exchange.getVariable(SKIPPED, String.class);
        if (skipped == null) {
            CrmAnswer.noPage(exchange, CrmAnswer.body(exchange));
        }
        answered(exchange, status);
        finish(exchange, "delivered", Time.now(), 0, skipped == null ? status : null, skipped);
    }

    /** The CRM refused for good: kept as a dead letter with its answer. Of a card there is nothing left to be done. */
    public void deadLetter(Exchange exchange) {
        CrmAnswerException failure = failure(exchange);
        String state = delivery(exchange).lane().equals(Delivery.CARDS) ? "dropped" : "dead";
        answered(exchange, failure.status);
        failed(exchange, state, Time.now(), failure);
    }

    /**
     * Tried again after a delay that grows, at least as long as the CRM asks for, for the last time when the time is up. A card
     * is dropped when it would come too late; the end of one that may be on somebody's screen never is.
     */
    public void retryLater(Exchange exchange) {
        Delivery delivery = delivery(exchange);
        CrmAnswerException failure = failure(exchange);
        Instant now = Time.now();
        // A recording that cannot be had says nothing about the CRM.
        if (!delivery.lane().equals(Delivery.RECORDINGS)) {
            failing(delivery, now, failure);
        }
        long grown = Math.min(maxDelayMs, firstDelayMs << Math.min(20, delivery.attempts()));
        long delay = Math.max(grown / 2 + ThreadLocalRandom.current().nextLong(grown / 2 + 1), failure.retryAfterMs);
        Instant next = now.plusMillis(delay);
        Instant deadline = Instant.ofEpochMilli(delivery.createdAt()).plus(GIVE_UP_AFTER);
        boolean late = !deadline.isAfter(now);
        boolean dropped = delivery.fleeting() && delivery.expiresAt() <= next.toEpochMilli()
                || late && delivery.lane().equals(Delivery.CARDS);
        String state = dropped ? "dropped" : late ? "dead" : "pending";
        failed(exchange, state, next.isAfter(deadline) ? deadline : next, failure);
    }

    private void failing(Delivery delivery, Instant now, CrmAnswerException failure) {
        String crm = delivery.crm();
        String refusal = failure.refusal;
        if (gates.of(crm).failed(delivery.lane().equals(Delivery.CARDS), now.toEpochMilli(), failure.retryAfterMs, refusal)) {
            (refusal != null ? refusals : outages).get(crm).begins(failure.line, Instant.ofEpochMilli(gates.downSinceMs(crm)));
        }
    }

    /** @param status {@code null}: nothing was sent, which says nothing about the CRM */
    private void answered(Exchange exchange, Integer status) {
        String crm = delivery(exchange).crm();
        if (status != null && gates.of(crm).answered(delivery(exchange).lane().equals(Delivery.CARDS))) {
            refusals.get(crm).ends();
            outages.get(crm).ends();
            outbox.hurry(crm);
        }
    }

    /** Of a CRM that is down it is no news that one more has to wait. */
    private void failed(Exchange exchange, String state, Instant next, CrmAnswerException failure) {
        finish(exchange, state, next, failure.retryAfterMs, failure.status, failure.answer);
        Delivery delivery = delivery(exchange);
        boolean known = state.equals("pending") && gates.of(delivery.crm()).down();
        LOG.logf(known ? Level.DEBUG : Level.WARN, "%s %s of call %s at CRM %s: %s after try %d (%s)", delivery.operation(),
                delivery.id(), delivery.callId(), delivery.crm(), state, delivery.attempts() + 1,
                failure.status != null ? "answer " + failure.status : failure.line);
    }

    private void finish(Exchange exchange, String state, Instant next, long askedMs, Integer status, String answer) {
        Attempt attempt = new Attempt(Time.millis(), status, answer, exchange.getClock().elapsed());
        String enriched = exchange.getProperty(ENRICHED, String.class);
        exchange.setProperty(RECORDED, record(delivery(exchange), state, next, askedMs > 0, attempt, enriched));
    }

    /**
     * How a try went.
     *
     * @param shown the CRM may have seen it
     * @param stored completes when it is durable, for which nobody need wait: whether the delivery has that state by this
     */
    record Recorded(String state, boolean shown, CompletableFuture<Boolean> stored) {
    }

    /** Counted when it is recorded: a card whose lease ran out may be dropped, and counted, by another replica. */
    Recorded record(Delivery delivery, String state, Instant next, boolean asked, Attempt attempt, String enriched) {
        trace(state, attempt);
        CompletableFuture<Boolean> stored = stored(() -> outbox.done(delivery, state, next, asked, attempt, enriched));
        if (attempt != null) {
            meters.timer("callbridge.attempts", "crm", delivery.crm(), "answer", kind(attempt.status()))
                    .record(attempt.millis(), TimeUnit.MILLISECONDS);
        }
        stored.thenAccept(recorded -> {
            count(delivery.crm(), delivery.operation(), state, recorded ? 1 : 0);
            if (recorded && state.equals("delivered") && delivery.operation().equals(Delivery.CARD)) {
                // Its time is counted from the arrival of the event (contract section 1), so the row knows that.
                long arrivedAt = delivery.expiresAt() - cardTtlMs;
                cards.get(delivery.crm()).record(Math.max(0, attempt.at() - arrivedAt), TimeUnit.MILLISECONDS);
            }
        });
        return new Recorded(state, state.equals("delivered") || delivery.attempts() > 0 || delivery.enriched() != null
                || attempt != null && attempt.mayHaveWorked(), stored);
    }

    /** What the store does not take now it gets later: to forget that it was sent is to send it again. */
    private static CompletableFuture<Boolean> stored(Supplier<CompletableFuture<Boolean>> write) {
        return write.get().exceptionallyCompose(away -> CompletableFuture.supplyAsync(() -> stored(write),
                CompletableFuture.delayedExecutor(AGAIN_SECONDS, TimeUnit.SECONDS)).thenCompose(Function.identity()));
    }

    /** 2xx, 4xx, 5xx, or none. */
    private static String kind(Integer status) {
        return status == null ? "none" : status / 100 + "xx";
    }

    private static void trace(String state, Attempt attempt) {
        Span span = Span.current().setAttribute(Tracing.RESULT, state);
        if (attempt != null && attempt.status() != null) {
            span.setAttribute(Tracing.STATUS, (long) attempt.status());
        }
        if (attempt != null && !state.equals("delivered")) {
            span.setStatus(StatusCode.ERROR);
        }
    }

    void count(String crm, String operation, String state, int times) {
        meters.counter("callbridge.deliveries", "crm", crm, "operation", operation, "result", state).increment(times);
    }

    private static CrmAnswerException failure(Exchange exchange) {
        return CrmAnswer.of(exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class), exchange);
    }

    private static Delivery delivery(Exchange exchange) {
        return exchange.getProperty(Dispatcher.DELIVERY, Delivery.class);
    }
}
