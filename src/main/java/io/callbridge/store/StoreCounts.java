package io.callbridge.store;

import io.callbridge.store.OutboxControl.Backlog;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * What lies in the store and waits, counted for everybody who asks. To count a large backlog takes a while: it is kept for twenty
 * times as long, up to a minute. So is, for some seconds, that the store is away, which may take long to find out too.
 */
@ApplicationScoped
public class StoreCounts {

    private static final Backlog NOTHING = new Backlog(0, 0, 0);
    private static final int IDLE_SHARE = 20;
    private static final long LEAST_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long MOST_NANOS = TimeUnit.MINUTES.toNanos(1);
    /** A store that is back must not be taken for one that is away for long. */
    private static final long FAILED_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final OutboxControl control;
    private final Calls calls;
    private final LongSupplier nanos;
    private Counts counts;
    private RuntimeException failure;
    private long until;

    @Inject
    public StoreCounts(OutboxControl control, Calls calls) {
        this(control, calls, System::nanoTime);
    }

    StoreCounts(OutboxControl control, Calls calls, LongSupplier nanos) {
        this.control = control;
        this.calls = calls;
        this.nanos = nanos;
        this.until = nanos.getAsLong();
    }

    /** @param backlogs and {@code dead}: by CRM @param legs that are open, by PBX */
    public record Counts(Map<String, Backlog> backlogs, Map<String, Long> dead, Map<String, Long> legs) {

        /** What waits for a CRM. */
        public Backlog backlog(String crm) {
            return backlogs.getOrDefault(crm, NOTHING);
        }

        /** Dead letters of a CRM. */
        public long dead(String crm) {
            return dead.getOrDefault(crm, 0L);
        }

        /** Legs of a PBX that have not ended. */
        public long legs(String pbx) {
            return legs.getOrDefault(pbx, 0L);
        }
    }

    /** @throws StoreException the store did not answer, now or a little while ago */
    public synchronized Counts now() {
        if (nanos.getAsLong() - until >= 0) {
            count();
        }
        if (failure != null) {
            throw new StoreException("nothing is counted: " + failure.getMessage(), failure);
        }
        return counts;
    }

    private void count() {
        long begin = nanos.getAsLong();
        try {
            counts = new Counts(control.backlogs(), control.count("dead"), calls.openLegs());
            failure = null;
        } catch (RuntimeException e) {
            failure = e;
        }
        long end = nanos.getAsLong();
        until = end + Math.min(failure == null ? MOST_NANOS : FAILED_NANOS, Math.max(LEAST_NANOS, IDLE_SHARE * (end - begin)));
    }
}
