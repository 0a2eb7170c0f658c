package io.callbridge.platform;

import io.callbridge.store.Leases;
import io.quarkus.arc.Unremovable;
import jakarta.inject.Singleton;
import java.util.UUID;
import org.apache.camel.support.cluster.AbstractCamelClusterService;

/** Lets Camel's {@code master} run a route in one of the replicas that share a database. */
@Singleton
@Unremovable
public class LeaseClusterService extends AbstractCamelClusterService<LeaseView> {

    private final Leases leases;
    private final Settings settings;
    private final String replica = UUID.randomUUID().toString();

    public LeaseClusterService(Leases leases, Settings settings) {
        super("lease");
        this.leases = leases;
        this.settings = settings;
    }

    @Override
    protected LeaseView createView(String namespace) {
        return new LeaseView(this, namespace, leases, replica, settings.number("ami.lease-ms"));
    }
}
