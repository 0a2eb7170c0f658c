package io.callbridge.store;

import io.callbridge.platform.Settings;
import io.callbridge.store.OutboxControl.Backlog;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.camel.spi.CamelEvent.CamelContextStartedEvent;

/** What lies in the store and waits: the numbers to be woken by at night. Of a store in common every replica says the same. */
@ApplicationScoped
public class StoreMetrics {

    private static final Backlog NOTHING = new Backlog(0, 0, 0);
    /** However often they are asked for, outbox and legs are counted once in this time. */
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Store store;
    private final OutboxControl control;
    private final CallIndex calls;
    private final Settings settings;
    private final MeterRegistry meters;
    private Counts counts;
    private long countedAt;

    /** @param backlogs and {@code dead}: by CRM @param legs by PBX */
    private record Counts(Map<String, Backlog> backlogs, Map<String, Long> dead, Map<String, Long> legs) {

        Backlog backlog(String crm) {
            return backlogs.getOrDefault(crm, NOTHING);
        }
    }

    public StoreMetrics(Store store, OutboxControl control, CallIndex calls, Settings settings, MeterRegistry meters) {
        this.store = store;
        this.control = control;
        this.calls = calls;
        this.settings = settings;
        this.meters = meters;
    }

    /** Not earlier: what is wrong with the configuration is said by whoever checks it. */
    void register(@Observes CamelContextStartedEvent event) {
        meters.gauge("callbridge.store.waiting", store, Store::waiting);
        meters.gauge("callbridge.store.stuck.seconds", store, Store::stuckSeconds);
        for (String crm : settings.crms()) {
            meters.gauge("callbridge.outbox", Tags.of("crm", crm, "state", "pending"), this, metrics -> metrics.counts().backlog(crm).waiting());
            meters.gauge("callbridge.outbox", Tags.of("crm", crm, "state", "dead"), this,
                    metrics -> metrics.counts().dead.getOrDefault(crm, 0L));
            meters.gauge("callbridge.outbox.oldest.seconds", Tags.of("crm", crm), this, metrics -> metrics.oldestSeconds(crm));
        }
        for (String pbx : settings.pbxs()) {
            meters.gauge("callbridge.legs.open", Tags.of("pbx", pbx), this, metrics -> metrics.counts().legs.getOrDefault(pbx, 0L));
        }
    }

    /** 0: nothing waits. */
    private double oldestSeconds(String crm) {
        Backlog backlog = counts().backlog(crm);
        return backlog.waiting() == 0 ? 0 : Math.max(0, System.currentTimeMillis() - backlog.oldestAt()) / 1000.0;
    }

    private synchronized Counts counts() {
        if (counts == null || System.nanoTime() - countedAt > FRESH_NANOS) {
            counts = new Counts(control.backlogs(), control.count("dead"), calls.openLegs());
            countedAt = System.nanoTime();
        }
        return counts;
    }
}
