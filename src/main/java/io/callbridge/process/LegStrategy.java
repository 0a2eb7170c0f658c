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
 * Aggregates the events of a leg: the old exchange brings them as the journal has them by now, the new one is the look at
 * the call that the latest event caused. Folding again instead of patching makes late and repeated events harmless.
 */
@ApplicationScoped
@Named("legStrategy")
@RegisterForReflection
public class LegStrategy implements AggregationStrategy {

    @Override
    public Exchange aggregate(Exchange old, Exchange current) {
        Fold fold = current.getProperty(Fold.PROPERTY, Fold.class);
        if (old != null) {
            List<?> journaled = old.getMessage().getBody(List.class);
            fold.include(journaled.stream().map(CallEvent.class::cast).toList());
        }
        String subject = (String) current.getMessage().getBody(Map.class).get("subject");
        Facts.put(current, LegFacts.of(fold.call.leg(subject), fold));
        return current;
    }
}
