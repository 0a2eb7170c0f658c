package io.callbridge.process;

import io.callbridge.domain.Leg;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.Exchange;

/**
 * Aggregates the events of a leg: the old exchange brings the leg as the journal has it, the new one is the look at the
 * call that the latest event caused. Folding again instead of patching makes late and repeated events harmless.
 */
@ApplicationScoped
@Named("legStrategy")
@RegisterForReflection
public class LegStrategy implements AggregationStrategy {

    @Override
    public Exchange aggregate(Exchange old, Exchange current) {
        Fold fold = current.getProperty(Fold.PROPERTY, Fold.class);
        Leg leg = old.getMessage().getBody(Leg.class);
        current.getMessage().setBody(LegFacts.of(leg, fold));
        return current;
    }
}
