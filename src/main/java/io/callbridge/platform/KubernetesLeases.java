package io.callbridge.platform;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import jakarta.inject.Singleton;
import java.net.HttpURLConnection;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * Leases of Kubernetes ({@code coordination.k8s.io/v1}), in the client's namespace. Clocks of machines are not compared:
 * somebody else's lease has run out when it has stayed as it is for its time, since it was first seen so, by the own clock.
 */
@Singleton
public class KubernetesLeases implements Leases {

    /** As long as a label may be, though a lease's name may be longer. */
    private static final int NAME_LENGTH = 63;

    /** A state of somebody else's lease, and since when it is known. */
    private record Seen(String version, long sinceNanos) {
    }

    private final KubernetesClient client;
    private final Map<String, Seen> seen = new ConcurrentHashMap<>();
    /** For requests, which block. */
    private final ExecutorService threads = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "kubernetes-lease");
        thread.setDaemon(true);
        return thread;
    });

    /** @param client not touched before somebody asks for a lease; its timeouts are those of a request here */
    public KubernetesLeases(KubernetesClient client) {
        this.client = client;
    }

    @Override
    public boolean needed() {
        return true;
    }

    @Override
    public CompletableFuture<Boolean> take(String name, String holder, long ms) {
        return ask(name, lease -> take(lease, name, holder, ms));
    }

    @Override
    public CompletableFuture<Boolean> giveBack(String name, String holder) {
        return ask(name, lease -> giveBack(lease, holder));
    }

    private CompletableFuture<Boolean> ask(String name, Predicate<Resource<Lease>> question) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return question.test(client.leases().withName(leaseName(name)));
            } catch (KubernetesClientException e) {
                throw new CompletionException(reason(e), e);
            }
        }, threads);
    }

    private boolean take(Resource<Lease> resource, String name, String holder, long ms) {
        Lease found = resource.get();
        LeaseSpec spec = found == null || found.getSpec() == null ? new LeaseSpec() : found.getSpec();
        boolean own = holder.equals(spec.getHolderIdentity());
        if (!own && !isFree(spec) && !hasRunOut(found, name, ms)) {
            return false;
        }
        ZonedDateTime now = ZonedDateTime.now(ZoneOffset.UTC);
        if (!own) {
            spec.setHolderIdentity(holder);
            spec.setAcquireTime(now);
            if (found != null) {
                spec.setLeaseTransitions(spec.getLeaseTransitions() == null ? 1 : spec.getLeaseTransitions() + 1);
            }
        }
        spec.setRenewTime(now);
        spec.setLeaseDurationSeconds(Math.toIntExact((ms + 999) / 1_000));
        if (found != null) {
            found.setSpec(spec);
            return update(found);
        }
        Lease fresh = new LeaseBuilder().withNewMetadata().withName(leaseName(name)).addToLabels("app.kubernetes.io/name", "callbridge")
                .addToLabels("app.kubernetes.io/managed-by", "callbridge").endMetadata().withSpec(spec).build();
        return written(() -> client.leases().resource(fresh).create(), HttpURLConnection.HTTP_CONFLICT);
    }

    private boolean giveBack(Resource<Lease> resource, String holder) {
        Lease found = resource.get();
        if (found == null || found.getSpec() == null || !holder.equals(found.getSpec().getHolderIdentity())) {
            return false;
        }
        found.getSpec().setHolderIdentity(null);
        return update(found);
    }

    /** Only what was read is replaced: the request carries its version. */
    private boolean update(Lease lease) {
        return written(() -> client.leases().resource(lease).update(), HttpURLConnection.HTTP_CONFLICT, HttpURLConnection.HTTP_NOT_FOUND);
    }

    /** @return {@code false} after one of these answers: somebody else was quicker */
    private static boolean written(Runnable write, int... refusals) {
        try {
            write.run();
            return true;
        } catch (KubernetesClientException e) {
            for (int refusal : refusals) {
                if (e.getCode() == refusal) {
                    return false;
                }
            }
            throw e;
        }
    }

    private static boolean isFree(LeaseSpec spec) {
        return spec.getHolderIdentity() == null || spec.getHolderIdentity().isEmpty();
    }

    private boolean hasRunOut(Lease lease, String name, long ms) {
        long now = System.nanoTime();
        Seen first = seen.merge(name, new Seen(lease.getMetadata().getResourceVersion(), now),
                (known, fresh) -> known.version.equals(fresh.version) ? known : fresh);
        Integer seconds = lease.getSpec().getLeaseDurationSeconds();
        return now - first.sinceNanos > (seconds == null ? TimeUnit.MILLISECONDS.toNanos(ms) : TimeUnit.SECONDS.toNanos(seconds));
    }

    /** The name of a lease; where Kubernetes does not allow it as it is, a number keeps it apart from others. */
    static String leaseName(String name) {
        String wanted = "callbridge-" + name;
        if (wanted.length() <= NAME_LENGTH && wanted.matches("[a-z0-9-]*[a-z0-9]")) {
            return wanted;
        }
        String hash = String.format("-%08x", wanted.hashCode());
        String allowed = wanted.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9-]", "-");
        return allowed.substring(0, Math.min(allowed.length(), NAME_LENGTH - hash.length())) + hash;
    }

    private String reason(KubernetesClientException e) {
        if (e.getCode() <= 0) {
            return "Kubernetes cannot be asked: " + Refusal.line(e);
        }
        boolean refused = e.getCode() == HttpURLConnection.HTTP_UNAUTHORIZED || e.getCode() == HttpURLConnection.HTTP_FORBIDDEN;
        return "Kubernetes answers " + e.getCode() + (refused ? "; needed is a service account that may get, create and update"
                + " leases of coordination.k8s.io in the namespace " + client.getNamespace() : "");
    }
}
