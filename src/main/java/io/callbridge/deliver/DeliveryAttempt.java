package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Time;
import io.callbridge.platform.Tracing;
import io.callbridge.store.Delivery;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Scope;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;

/** Takes one delivery through the route {@code deliver-outbox}, and tells what came of it. */
@ApplicationScoped
public class DeliveryAttempt {

    private static final String ROUTE = "direct:deliver-outbox";

    private final DeliveryResult results;
    private final ProducerTemplate template;
    private final Tracing tracing;
    private final ObjectMapper json;

    public DeliveryAttempt(DeliveryResult results, ProducerTemplate template, Tracing tracing, ObjectMapper json) {
        this.results = results;
        this.template = template;
        this.tracing = tracing;
        this.json = json;
    }

    /**
     * An attempt, which is a span in the trace of the evaluation that wanted it.
     *
     * @param cardMayBeShown of the end of a card: whether that may have reached the CRM
     */
    DeliveryResult.Recorded deliver(Delivery delivery, BooleanSupplier cardMayBeShown) {
        Span span = tracing.span("deliver", delivery.trace()).setAttribute(Tracing.PBX, delivery.pbx())
                .setAttribute(Tracing.CALL, delivery.callId()).setAttribute(Tracing.CRM, delivery.crm())
                .setAttribute(Tracing.OPERATION, delivery.operation()).setAttribute(Tracing.ATTEMPT, delivery.attempts() + 1L).startSpan();
        if (!delivery.id().equals(delivery.callId())) {
            span.setAttribute(Tracing.LEG, delivery.id());
        }
        try (Scope scope = span.makeCurrent()) {
            return sent(delivery, cardMayBeShown);
        } catch (Throwable e) {
            span.setStatus(StatusCode.ERROR);
            throw e;
        } finally {
            span.end();
        }
    }

    private DeliveryResult.Recorded sent(Delivery delivery, BooleanSupplier cardMayBeShown) {
        if (delivery.operation().equals(Delivery.CARD_END) && !cardMayBeShown.getAsBoolean()
                || delivery.fleeting() && delivery.expiresAt() <= Time.millis()) {
            return results.record(delivery, "dropped", Time.now(), false, null, null);
        }
        JsonNode body = body(delivery);
        Exchange result = template.send(ROUTE, exchange -> {
            exchange.setProperty(Dispatcher.DELIVERY, delivery);
            exchange.setProperty(Dispatcher.BODY, body);
            EffectFacts.of(delivery, body).forEach(exchange::setVariable);
        });
        if (result.getException() != null) {
            throw new IllegalStateException(result.getException().getMessage(), result.getException());
        }
        return Objects.requireNonNull(result.getProperty(DeliveryResult.RECORDED, DeliveryResult.Recorded.class),
                "the route recorded no result");
    }

    private JsonNode body(Delivery delivery) {
        try {
            return json.readTree(delivery.body());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("unreadable body in the outbox", e);
        }
    }
}
