package io.callbridge.platform;

import io.callbridge.store.StoreLeases;
import io.quarkus.arc.Unremovable;
import jakarta.inject.Singleton;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.support.cluster.AbstractCamelClusterService;

/** Lets Camel's {@code master} run a route in one of the replicas that share a database or a cluster. */
@Singleton
@Unremovable
public class LeaseClusterService extends AbstractCamelClusterService<LeaseView> {

    private final StoreLeases store;
    private final KubernetesLeases kubernetes;
    private final Settings settings;
    /** Where it runs, for who looks at a lease, and what nobody else has. */
    private final String replica = System.getenv().getOrDefault("HOSTNAME", "callbridge") + "_" + UUID.randomUUID();

    private final Map<String, LeaseView> made = new ConcurrentHashMap<>();

    public LeaseClusterService(StoreLeases store, KubernetesLeases kubernetes, Settings settings) {
        super("lease");
        this.store = store;
        this.kubernetes = kubernetes;
        this.settings = settings;
    }

    /** While it lasts a lease can be neither taken nor kept, by this replica or another; {@code null}: nobody has asked for it. */
    public Outage trouble(String namespace) {
        LeaseView view = made.get(namespace);
        return view == null ? null : view.trouble();
    }

    @Override
    protected LeaseView createView(String namespace) {
        Leases leases = settings.kubernetesLease() ? kubernetes : store;
        LeaseView view = new LeaseView(this, namespace, leases, replica, settings.number("ami.lease-ms"));
        made.put(namespace, view);
        return view;
    }
}
