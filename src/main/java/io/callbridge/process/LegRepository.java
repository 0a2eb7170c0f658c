package io.callbridge.process;

import io.callbridge.domain.CallEvent;
import io.callbridge.store.Calls;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.spi.OptimisticLockingAggregationRepository;
import org.apache.camel.support.DefaultExchange;

/**
 * The calls in memory as the aggregator's repository: the group of a SubCallID is the leg. Its events are in the document of the call,
 * which is read if it is not in memory: so a restart loses nothing, and a late event finds the whole leg instead of opening a phantom
 * one. One look at a time works at a call, so nothing can conflict, hence optimistic locking, which spares the aggregator's one lock for all
 * keys.
 */
@ApplicationScoped
@Named("legRepository")
@RegisterForReflection
public class LegRepository implements OptimisticLockingAggregationRepository {

    private final Calls calls;
    private final Map<String, OpenCall> looked = new ConcurrentHashMap<>();

    public LegRepository(Calls calls) {
        this.calls = calls;
    }

    /** A look at a call begins. */
    void begin(Fold fold) {
        looked.put(key(fold), fold.open);
    }

    void end(Fold fold) {
        looked.remove(key(fold), fold.open);
    }

    private static String key(Fold fold) {
        return fold.open.pbx + " " + fold.open.callId;
    }

    /** @param key PBX, CallID and SubCallID, with blanks between them: an Asterisk may have a channel in two calls */
    @Override
    public Exchange get(CamelContext context, String key) {
        String[] names = key.split(" ", 3);
        OpenCall call = looked.get(names[0] + " " + names[1]);
        if (call == null) {
            Calls.Stored stored = calls.one(names[0], names[1]);
            call = stored == null ? null : new OpenCall(stored);
        }
        List<CallEvent> events = call == null ? List.of() : call.leg(names[2]);
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
        // The leg stays in the document of its call.
    }

    @Override
    public void confirm(CamelContext context, String exchangeId) {
        // The document is stored at the end of the look.
    }

    /** No key has a timer in the aggregator: those in the document survive a restart and are shared by replicas. */
    @Override
    public Set<String> getKeys() {
        return Set.of();
    }
}
