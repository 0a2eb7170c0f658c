package io.callbridge.process;

import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Map;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.Exchange;

/**
 * Aggregates the events of a leg: the old exchange brings them as the journal has them, the new one is the look at the
 * call that the latest event caused. Folding again instead of patching makes late and repeated events harmless.
 */
@ApplicationScoped
@Named("legStrategy")
@RegisterForReflection
public class LegStrategy implements AggregationStrategy {

    @Override
    public Exchange aggregate(Exchange old, Exchange current) {
        // Events that reached the journal after this look began bring a look of their own: one look knows one state, and
        // so the end of a card always stands in the outbox before the registration.
        Fold fold = current.getProperty(Fold.PROPERTY, Fold.class);
        String legId = (String) current.getMessage().getBody(Map.class).get("subject");
        current.getMessage().setBody(LegFacts.of(fold.call.leg(legId), fold));
        return current;
    }
}
