package io.callbridge.process;

import io.callbridge.domain.CallEvent;
import io.callbridge.store.Journal;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.List;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.spi.OptimisticLockingAggregationRepository;
import org.apache.camel.support.DefaultExchange;

/**
 * The journal as the aggregator's repository. A leg is never stored, only its events are, and they are in the journal
 * before the aggregator sees them: so there is nothing to add or remove, a restart loses nothing, and a late event finds
 * the whole leg instead of opening a phantom one. Nothing can conflict, hence optimistic locking, which spares the
 * aggregator's one lock for all keys.
 */
@ApplicationScoped
@Named("legRepository")
@RegisterForReflection
public class LegRepository implements OptimisticLockingAggregationRepository {

    private final Journal journal;

    public LegRepository(Journal journal) {
        this.journal = journal;
    }

    /** @param key PBX and SubCallID, with a blank between them */
    @Override
    public Exchange get(CamelContext context, String key) {
        int blank = key.indexOf(' ');
        List<CallEvent> events = journal.leg(key.substring(0, blank), key.substring(blank + 1));
        if (events.isEmpty()) {
            return null;
        }
        Exchange exchange = new DefaultExchange(context);
        exchange.getMessage().setBody(events);
        return exchange;
    }

    @Override
    public Exchange add(CamelContext context, String key, Exchange old, Exchange current) {
        return current;
    }

    @Override
    public Exchange add(CamelContext context, String key, Exchange exchange) {
        return exchange;
    }

    @Override
    public void remove(CamelContext context, String key, Exchange exchange) {
        // Nothing is stored under the key; see the class comment.
    }

    @Override
    public void confirm(CamelContext context, String exchangeId) {
        // Effects.commit notes in the journal what has been processed.
    }

    /** No key has a timer in the aggregator: the store's timers survive a restart and are shared by replicas. */
    @Override
    public Set<String> getKeys() {
        return Set.of();
    }
}
