package io.callbridge.store;

import io.callbridge.platform.Settings;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.camel.spi.CamelEvent.CamelContextStartedEvent;

/** What lies in the store and waits: the numbers to be woken by at night. */
@ApplicationScoped
public class StoreMetrics {

    private static final List<String> STATES = List.of("pending", "dead");
    /** However often they are asked for, the outbox is counted once in this time. */
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Store store;
    private final OutboxControl control;
    private final Settings settings;
    private final MeterRegistry meters;
    private final Map<String, Map<String, Long>> counts = new HashMap<>();
    private long countedAt;

    public StoreMetrics(Store store, OutboxControl control, Settings settings, MeterRegistry meters) {
        this.store = store;
        this.control = control;
        this.settings = settings;
        this.meters = meters;
    }

    /** Not earlier: what is wrong with the configuration is said by whoever checks it. */
    void register(@Observes CamelContextStartedEvent event) {
        meters.gauge("callbridge.store.waiting", store, Store::waiting);
        for (String crm : settings.crms()) {
            for (String state : STATES) {
                meters.gauge("callbridge.outbox", Tags.of("crm", crm, "state", state), this, metrics -> metrics.count(crm, state));
            }
        }
    }

    private synchronized long count(String crm, String state) {
        if (counts.isEmpty() || System.nanoTime() - countedAt > FRESH_NANOS) {
            STATES.forEach(each -> counts.put(each, control.count(each)));
            countedAt = System.nanoTime();
        }
        return counts.get(state).getOrDefault(crm, 0L);
    }
}
