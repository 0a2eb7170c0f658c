package io.callbridge.asterisk;

import io.callbridge.platform.Outage;
import io.callbridge.store.Memory;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.apache.camel.CamelContext;
import org.apache.camel.cluster.CamelClusterEventListener;
import org.apache.camel.cluster.CamelClusterMember;
import org.apache.camel.cluster.CamelClusterService;
import org.apache.camel.cluster.CamelClusterView;
import org.apache.camel.support.service.ServiceSupport;
import org.jboss.logging.Logger;

/**
 * One lease: taken when it is free, renewed at a third of its time, given back at the end. Who cannot renew it in time is no
 * leader any more before anybody else can be. Listeners are called without a lock: Camel's own class holds one, and
 * a route that is stopped at that moment would wait for it for ever.
 */
final class LeaseView extends ServiceSupport implements CamelClusterView, CamelClusterMember {

    private static final Logger LOG = Logger.getLogger(LeaseView.class);
    private static final String LEASE = "lease ";
    /** Parts of the lease: how often it is looked at, and how long before its end it counts as ended. */
    private static final int PARTS = 9;
    private static final int PARTS_TO_RENEWAL = 3;
    private static final long GIVE_BACK_MS = 2_000;

    private final LeaseClusterService service;
    private final String namespace;
    private final Memory leases;
    private final String replica;
    private final long leaseNanos;
    private final LongSupplier nanos;
    private final List<CamelClusterEventListener.Leadership> listeners = new CopyOnWriteArrayList<>();
    private CamelContext context;
    private ScheduledExecutorService clock;
    private CompletableFuture<?> asked = CompletableFuture.completedFuture(null);
    private volatile boolean held;
    private volatile long heldUntil;
    private long renewAt;
    private boolean leading;
    /** Nobody can be asked for the lease. */
    private final Outage trouble;

    LeaseView(LeaseClusterService service, String namespace, Memory leases, String replica, long leaseMs,
            LongSupplier nanos) {
        this.service = service;
        this.namespace = namespace;
        this.leases = leases;
        this.replica = replica;
        this.nanos = nanos;
        trouble = new Outage(LOG, "the lease " + namespace + " cannot be taken or kept", "the lease " + namespace + " can be taken and kept again");
        leaseNanos = TimeUnit.MILLISECONDS.toNanos(leaseMs);
    }

    @Override
    protected void doStart() {
        renewAt = nanos.getAsLong();
        clock = Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("lease-" + namespace, true));
        clock.scheduleWithFixedDelay(this::look, 0, leaseNanos / PARTS, TimeUnit.NANOSECONDS);
    }

    @Override
    protected void doStop() throws InterruptedException {
        CompletableFuture<?> last;
        boolean leader;
        synchronized (this) {
            leader = isLeader();
            held = false;
            clock.shutdownNow();
            last = asked;
        }
        if (!leases.shared()) {
            return;
        }
        try {
            // A renewal that comes after the end would keep it from everybody.
            last.handle((done, failed) -> leases.release("", LEASE + namespace, replica)).thenCompose(done -> done)
                    .get(GIVE_BACK_MS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            if (leader) {
                LOG.infof("the lease %s could not be given back, and runs out", namespace);
            }
        }
    }

    void look() {
        try {
            take();
            boolean leader = isLeader();
            // Camel's master starts what it reads with a delay, perhaps when it is to do so no more: it is notified again.
            if (leader != leading || !leader) {
                leading = leader;
                listeners.forEach(listener -> listener.leadershipChanged(this, leader ? this : null));
            }
        } catch (RuntimeException e) {
            // What is thrown would end the clock.
            LOG.errorf(e, "the lease %s", namespace);
        }
    }

    private synchronized void take() {
        if (!leases.shared()) {
            held = isRunAllowed();
            return;
        }
        long now = nanos.getAsLong();
        if (!asked.isDone() || held && now < renewAt || !isRunAllowed()) {
            return;
        }
        renewAt = now + leaseNanos / PARTS_TO_RENEWAL;
        asked = leases.claim("", LEASE + namespace, replica, TimeUnit.NANOSECONDS.toMillis(leaseNanos)).whenComplete((taken, failed) -> {
            if (failed == null) {
                answered(taken, now + leaseNanos - leaseNanos / PARTS);
            } else {
                failed(failed.getMessage());
            }
        });
    }

    /** What was asked last. */
    synchronized CompletableFuture<?> asked() {
        return asked;
    }

    private synchronized void answered(boolean taken, long until) {
        heldUntil = until;
        held = taken && isRunAllowed();
        trouble.ends();
    }

    /** What is held stays held until its end: the next answer may come in time. */
    private synchronized void failed(String reason) {
        if (isRunAllowed()) {
            trouble.begins(reason);
        }
    }

    /** While it lasts the lease can be neither taken nor kept, by this replica or another. */
    Outage trouble() {
        return trouble;
    }

    @Override
    public boolean isLeader() {
        return held && (!leases.shared() || nanos.getAsLong() < heldUntil);
    }

    @Override
    public boolean isLocal() {
        return true;
    }

    @Override
    public String getId() {
        return replica;
    }

    @Override
    public CamelClusterService getClusterService() {
        return service;
    }

    @Override
    public String getNamespace() {
        return namespace;
    }

    /** Nobody needs to know which of the others it is. */
    @Override
    public Optional<CamelClusterMember> getLeader() {
        return isLeader() ? Optional.of(this) : Optional.empty();
    }

    @Override
    public CamelClusterMember getLocalMember() {
        return this;
    }

    @Override
    public List<CamelClusterMember> getMembers() {
        return List.of(this);
    }

    @Override
    public void addEventListener(CamelClusterEventListener listener) {
        if (listener instanceof CamelClusterEventListener.Leadership leadership) {
            listeners.add(leadership);
            leadership.leadershipChanged(this, getLeader().orElse(null));
        }
    }

    @Override
    public void removeEventListener(CamelClusterEventListener listener) {
        listeners.removeIf(known -> known == listener);
    }

    @Override
    public void setCamelContext(CamelContext camelContext) {
        context = camelContext;
    }

    @Override
    public CamelContext getCamelContext() {
        return context;
    }
}
