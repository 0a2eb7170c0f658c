package io.callbridge.asterisk;

import io.callbridge.platform.Outage;
import io.callbridge.platform.Settings;
import io.callbridge.store.Memory;
import io.quarkus.arc.Unremovable;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.camel.support.cluster.AbstractCamelClusterService;

/** Lets Camel's {@code master} run a route in one of the replicas that share a database. */
@Singleton
@Unremovable
public class LeaseClusterService extends AbstractCamelClusterService<LeaseView> {

    private final Memory leases;
    private final Settings settings;
    private final LongSupplier nanos;
    /** Where it runs, for who looks at a lease, and what nobody else has. */
    private final String replica = System.getenv().getOrDefault("HOSTNAME", "callbridge") + "_" + UUID.randomUUID();

    private final Map<String, LeaseView> made = new ConcurrentHashMap<>();

    @Inject
    public LeaseClusterService(Memory leases, Settings settings) {
        this(leases, settings, System::nanoTime);
    }

    /** @param nanos the clock by which a lease is held */
    LeaseClusterService(Memory leases, Settings settings, LongSupplier nanos) {
        super("lease");
        this.leases = leases;
        this.settings = settings;
        this.nanos = nanos;
    }

    /** While it lasts a lease can be neither taken nor kept, by this replica or another; {@code null}: nobody has asked for it. */
    public Outage trouble(String namespace) {
        LeaseView view = made.get(namespace);
        return view == null ? null : view.trouble();
    }

    @Override
    protected LeaseView createView(String namespace) {
        LeaseView view = new LeaseView(this, namespace, leases, replica, settings.number("ami.lease-ms"), nanos);
        made.put(namespace, view);
        return view;
    }
}
