package io.callbridge.process;

import io.callbridge.domain.CallEvent;
import io.callbridge.platform.Facts;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.List;
import java.util.Map;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.Exchange;

/**
 * Aggregates the events of a leg: the old exchange brings them, the new one is the look at the call that the latest event, or a timer,
 * caused. Folding again instead of patching makes late and repeated events harmless.
 */
@ApplicationScoped
@Named("legStrategy")
@RegisterForReflection
public class LegStrategy implements AggregationStrategy {

    @Override
    public Exchange aggregate(Exchange old, Exchange current) {
        Fold fold = current.getProperty(Fold.PROPERTY, Fold.class);
        String subject = (String) current.getMessage().getBody(Map.class).get("subject");
        List<?> events = old == null ? List.of() : old.getMessage().getBody(List.class);
        if (events.stream().noneMatch(event -> ((CallEvent) event).callId().equals(fold.call.id()))) {
            throw new IllegalStateException("leg " + subject + " has no events in call " + fold.call.id());
        }
        Facts.put(current, LegFacts.of(fold.call.leg(subject), fold));
        return current;
    }
}
