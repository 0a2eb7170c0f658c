package io.callbridge.admin;

import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.Store;
import io.callbridge.store.StoreException;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.camel.spi.CamelEvent.CamelContextStartedEvent;

/** What lies in the store and waits: the numbers to be woken by at night. Of a store in common every replica says the same. */
@ApplicationScoped
public class StoreCounts {

    private static final Backlog NOTHING = new Backlog(0, 0, 0);
    /** A scrape asks for one number after the other, and that the store is away may take long to find out. */
    private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Store store;
    private final OutboxControl control;
    private final CallIndex calls;
    private Counts counts;
    private RuntimeException failure;
    private long until = System.nanoTime();

    public StoreCounts(Store store, OutboxControl control, CallIndex calls) {
        this.store = store;
        this.control = control;
        this.calls = calls;
    }

    /**
     * What waits for a CRM.
     *
     * @param failing of those that wait: how many were tried
     * @param oldestAt when the oldest of them was created, in milliseconds since 1970
     */
    public record Backlog(long waiting, long failing, long oldestAt) {

        /** 0: nothing waits. */
        private double oldestSeconds() {
            return waiting == 0 ? 0 : Math.max(0, Time.millis() - oldestAt) / 1000.0;
        }
    }

    /** @param backlogs and {@code dead}: by CRM @param legs that are open, by PBX */
    public record Counts(Map<String, Backlog> backlogs, Map<String, Long> dead, Map<String, Long> legs) {

        /** What waits for a CRM. */
        public Backlog backlog(String crm) {
            return backlogs.getOrDefault(crm, NOTHING);
        }
    }

    /** Not earlier: what is wrong with the configuration is said by whoever checks it. */
    void register(@Observes CamelContextStartedEvent event, Settings settings, MeterRegistry meters) {
        meters.gauge("callbridge.store.waiting", store, Store::waiting);
        meters.gauge("callbridge.store.stuck.seconds", store, Store::stuckSeconds);
        for (String crm : settings.crms()) {
            meters.gauge("callbridge.outbox", Tags.of("crm", crm, "state", "pending"), this, all -> all.now().backlog(crm).waiting);
            meters.gauge("callbridge.outbox", Tags.of("crm", crm, "state", "dead"), this, all -> all.now().dead.getOrDefault(crm, 0L));
            meters.gauge("callbridge.outbox.oldest.seconds", Tags.of("crm", crm), this, all -> all.now().backlog(crm).oldestSeconds());
        }
        for (String pbx : settings.pbxs()) {
            meters.gauge("callbridge.legs.open", Tags.of("pbx", pbx), this, all -> all.now().legs.getOrDefault(pbx, 0L));
        }
    }

    /** @throws StoreException the store did not answer, now or a moment ago */
    public synchronized Counts now() {
        if (System.nanoTime() - until >= 0) {
            try {
                counts = new Counts(backlogs(), control.count("dead"), calls.openLegs());
                failure = null;
            } catch (RuntimeException e) {
                failure = e;
            }
            until = System.nanoTime() + KEPT_NANOS;
        }
        if (failure != null) {
            throw new StoreException("nothing is counted: " + failure.getMessage(), failure);
        }
        return counts;
    }

    /** By CRM; one that nothing waits for is not there. Reads all that waits: an index of it by age would cost every delivery. */
    private Map<String, Backlog> backlogs() {
        return store.calls().read(sql -> {
            Map<String, Backlog> backlogs = new TreeMap<>();
            sql.query("select crm, count(*), sum(case when attempts > 0 then 1 else 0 end), min(created_at) from delivery"
                    + " where state = 'pending' group by crm",
                    row -> backlogs.put(row.getString(1), new Backlog(row.getLong(2), row.getLong(3), row.getLong(4))));
            return backlogs;
        });
    }
}
