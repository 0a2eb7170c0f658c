package io.callbridge.store;

import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.OutboxControl.Backlog;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import org.apache.camel.spi.CamelEvent.CamelContextStartedEvent;

/** What lies in the store and waits: the numbers to be woken by at night. Of a store in common every replica says the same. */
@ApplicationScoped
public class StoreMetrics {

    private final Store store;
    private final StoreCounts counts;
    private final Settings settings;
    private final MeterRegistry meters;

    public StoreMetrics(Store store, StoreCounts counts, Settings settings, MeterRegistry meters) {
        this.store = store;
        this.counts = counts;
        this.settings = settings;
        this.meters = meters;
    }

    /** Not earlier: what is wrong with the configuration is said by whoever checks it. */
    void register(@Observes CamelContextStartedEvent event) {
        meters.gauge("callbridge.store.waiting", store, Store::waiting);
        meters.gauge("callbridge.store.stuck.seconds", store, Store::stuckSeconds);
        for (String crm : settings.crms()) {
            meters.gauge("callbridge.outbox", Tags.of("crm", crm, "state", "pending"), counts, all -> all.now().backlog(crm).waiting());
            meters.gauge("callbridge.outbox", Tags.of("crm", crm, "state", "dead"), counts, all -> all.now().dead(crm));
            meters.gauge("callbridge.outbox.oldest.seconds", Tags.of("crm", crm), counts, all -> oldestSeconds(all.now().backlog(crm)));
        }
        for (String pbx : settings.pbxs()) {
            meters.gauge("callbridge.legs.open", Tags.of("pbx", pbx), counts, all -> all.now().legs(pbx));
        }
    }

    /** 0: nothing waits. */
    private static double oldestSeconds(Backlog backlog) {
        return backlog.waiting() == 0 ? 0 : Math.max(0, Time.millis() - backlog.oldestAt()) / 1000.0;
    }
}
