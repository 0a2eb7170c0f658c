package io.callbridge.deliver;

import io.callbridge.platform.Settings;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox;
import io.callbridge.store.Outbox.Attempt;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.jboss.logging.Logger;

/** Records how a delivery went; which answer means what is decided in {@code shared-errors-deliver}. */
@ApplicationScoped
@Named("deliveryResult")
@RegisterForReflection
public class DeliveryResult {

    private static final Logger LOG = Logger.getLogger(DeliveryResult.class);

    private final Outbox outbox;
    private final MeterRegistry meters;
    private final long firstDelayMs;
    private final long maxDelayMs;
    private final Duration giveUpAfter;

    public DeliveryResult(Outbox outbox, MeterRegistry meters, Settings settings) {
        this.outbox = outbox;
        this.meters = meters;
        this.firstDelayMs = settings.number("deliver.retry.first-delay-ms");
        this.maxDelayMs = settings.number("deliver.retry.max-delay-ms");
        this.giveUpAfter = Duration.ofHours(settings.number("deliver.retry.give-up-hours"));
    }

    /** The CRM confirmed. */
    public void delivered(Exchange exchange) {
        Integer status = exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
        finish(exchange, "delivered", Instant.now(), status, null);
    }

    /** Tried again after a delay that grows, at least as long as the CRM asks for; a card only while it is of use. */
    public void retryLater(Exchange exchange) {
        Delivery delivery = delivery(exchange);
        Throwable cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
        Instant now = Instant.now();
        long delay = Math.min(maxDelayMs, firstDelayMs << Math.min(20, delivery.attempts()));
        delay = Math.max(delay / 2 + ThreadLocalRandom.current().nextLong(delay / 2 + 1), retryAfterMs(cause, now));
        Instant next = now.plusMillis(delay);
        boolean tooOld = Instant.ofEpochMilli(delivery.createdAt()).plus(giveUpAfter).isBefore(next);
        // A CRM that does not answer at all takes nothing else either: the end of a card waits for it.
        boolean waits = delivery.operation().equals(Delivery.CARD_END) && status(cause) == null;
        boolean expired = !waits && delivery.expiresAt() != Long.MAX_VALUE && Instant.ofEpochMilli(delivery.expiresAt()).isBefore(next);
        finish(exchange, expired ? "dropped" : tooOld ? "dead" : "pending", next, status(cause), text(cause));
    }

    /** The CRM refused for good: kept as a dead letter with its answer. */
    public void deadLetter(Exchange exchange) {
        Throwable cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
        finish(exchange, "dead", Instant.now(), status(cause), text(cause));
    }

    private void finish(Exchange exchange, String state, Instant next, Integer status, String answer) {
        Delivery delivery = delivery(exchange);
        long started = exchange.getClock().getCreated();
        long now = System.currentTimeMillis();
        outbox.done(delivery, state, next, new Attempt(now, status, answer, now - started)).join();
        meters.counter("callbridge.deliveries", "crm", delivery.crm(), "operation", delivery.operation(), "result", state)
                .increment();
        if (!state.equals("delivered")) {
            LOG.warnf("%s %s of call %s at CRM %s: %s after try %d (%s)", delivery.operation(), delivery.id(), delivery.callId(),
                    delivery.crm(), state, delivery.attempts() + 1, status != null ? "answer " + status : answer);
        }
    }

    private static Delivery delivery(Exchange exchange) {
        return exchange.getProperty(Dispatcher.DELIVERY, Delivery.class);
    }

    private static Integer status(Throwable cause) {
        return cause instanceof HttpOperationFailedException http ? http.getStatusCode() : null;
    }

    private static String text(Throwable cause) {
        return cause instanceof HttpOperationFailedException http ? http.getResponseBody() : cause instanceof LookupException ? cause.getMessage() : String.valueOf(cause);
    }

    /** {@code Retry-After} in seconds or as a date (RFC 9110, section 10.2.3). */
    private static long retryAfterMs(Throwable cause, Instant now) {
        if (!(cause instanceof HttpOperationFailedException http) || http.getResponseHeaders() == null) {
            return 0;
        }
        String value = http.getResponseHeaders().entrySet().stream().filter(header -> header.getKey().equalsIgnoreCase("Retry-After"))
                .map(Map.Entry::getValue).findFirst().orElse("").strip();
        if (value.matches("[0-9]{1,7}")) {
            return Long.parseLong(value) * 1000;
        }
        try {
            return value.isEmpty() ? 0 : Duration.between(now,
                    ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant()).toMillis();
        } catch (DateTimeParseException unreadable) {
            return 0;
        }
    }
}
