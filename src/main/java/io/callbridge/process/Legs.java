package io.callbridge.process;

import io.callbridge.domain.CallEvent;
import io.callbridge.store.Calls;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Named;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import org.apache.camel.AggregationStrategy;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.spi.OptimisticLockingAggregationRepository;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.util.concurrent.SynchronousExecutorService;

/**
 * The calls in memory as the aggregator's repository, and how it aggregates: the group of a SubCallID is the leg. Its events are in the
 * document of the call, which is read if it is not in memory: so a restart loses nothing, and a late event finds the whole leg instead of
 * opening a phantom one. The old exchange brings them, the new one is the evaluation that the latest event, or a timer, caused; to evaluate
 * again instead of patching makes late and repeated events harmless. One evaluation at a time works at a call, so nothing can conflict,
 * hence optimistic locking, which spares the aggregator's one lock for all keys.
 */
@ApplicationScoped
@Named("legs")
@RegisterForReflection
public class Legs implements OptimisticLockingAggregationRepository, AggregationStrategy {

    private final Calls calls;
    private final Map<String, OpenCall> evaluated = new ConcurrentHashMap<>();

    public Legs(Calls calls) {
        this.calls = calls;
    }

    /**
     * Lets the aggregator go on in the thread that brought the completing event. By default completed groups leave on one
     * thread for all, which would both be slow and run beside the commit of the effects.
     */
    @Produces
    @Named("callerThread")
    @ApplicationScoped
    ExecutorService callerThread() {
        return new SynchronousExecutorService();
    }

    /** The evaluation of a call begins. */
    void begin(Evaluation evaluation) {
        evaluated.put(key(evaluation), evaluation.open);
    }

    void end(Evaluation evaluation) {
        evaluated.remove(key(evaluation), evaluation.open);
    }

    private static String key(Evaluation evaluation) {
        return evaluation.open.pbx + " " + evaluation.open.callId;
    }

    @Override
    public Exchange aggregate(Exchange old, Exchange current) {
        Evaluation evaluation = current.getProperty(Evaluation.PROPERTY, Evaluation.class);
        List<?> events = old == null ? List.of() : old.getMessage().getBody(List.class);
        if (events.stream().noneMatch(event -> ((CallEvent) event).callId().equals(evaluation.call.id()))) {
            throw new IllegalStateException("leg " + current.getVariable("legId") + " has no events in call " + evaluation.call.id());
        }
        return current;
    }

    /** @param key PBX, CallID and SubCallID, with blanks between them: an Asterisk may have a channel in two calls */
    @Override
    public Exchange get(CamelContext context, String key) {
        String[] names = key.split(" ", 3);
        OpenCall call = evaluated.get(names[0] + " " + names[1]);
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
        // The document is stored at the end of the evaluation.
    }

    /** No key has a timer in the aggregator: those in the document survive a restart and are shared by replicas. */
    @Override
    public Set<String> getKeys() {
        return Set.of();
    }
}
