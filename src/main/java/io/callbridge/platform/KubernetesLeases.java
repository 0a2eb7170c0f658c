package io.callbridge.platform;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

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

    private static final String GROUP = "/apis/coordination.k8s.io/v1";
    private static final ObjectMapper JSON = new ObjectMapper();
    /** MicroTime, as the API wants it: six digits, always. */
    private static final DateTimeFormatter MICROS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

    private final Supplier<KubernetesApi> api;
    private final Map<String, Seen> seen = new ConcurrentHashMap<>();
    /** For requests, which block. */
    private final ExecutorService threads = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "kubernetes-lease");
        thread.setDaemon(true);
        return thread;
    });

    /** @param settings not touched before somebody asks for a lease: what is wrong with them is said in its own order */
    @Inject
    public KubernetesLeases(Settings settings) {
        this(settings::kubernetes);
    }

    KubernetesLeases(Supplier<KubernetesApi> api) {
        this.api = api;
    }

    @Override
    public boolean needed() {
        return true;
    }

    @Override
    public CompletableFuture<Boolean> take(String name, String holder, long ms) {
        return ask(() -> takeNow(name, holder, ms));
    }

    @Override
    public CompletableFuture<Boolean> giveBack(String name, String holder) {
        return ask(() -> giveBackNow(name, holder));
    }

    /** Something that asks the API. */
    @FunctionalInterface
    private interface Question {

        boolean ask() throws IOException;
    }

    private CompletableFuture<Boolean> ask(Question question) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return question.ask();
            } catch (IOException e) {
                throw new CompletionException("Kubernetes cannot be asked: " + Refusal.line(e), e);
            }
        }, threads);
    }

    private boolean takeNow(String name, String holder, long ms) throws IOException {
        ObjectNode lease = read(name);
        boolean fresh = lease == null;
        if (fresh) {
            lease = JSON.createObjectNode().put("apiVersion", "coordination.k8s.io/v1").put("kind", "Lease");
            lease.putObject("metadata").put("name", leaseName(name)).putObject("labels").put("app.kubernetes.io/name", "callbridge")
                    .put("app.kubernetes.io/managed-by", "callbridge");
        }
        ObjectNode spec = lease.withObject("spec");
        boolean own = holder.equals(spec.path("holderIdentity").asText());
        if (!own && !isFree(spec) && !hasRunOut(lease, name, ms)) {
            return false;
        }
        String now = MICROS.format(Instant.now());
        if (!own) {
            spec.put("holderIdentity", holder).put("acquireTime", now);
            if (!fresh) {
                spec.put("leaseTransitions", spec.path("leaseTransitions").asInt() + 1);
            }
        }
        spec.put("renewTime", now).put("leaseDurationSeconds", Math.toIntExact((ms + 999) / 1_000));
        return fresh ? written(api.get().send("POST", leases(), lease.toString()), HttpURLConnection.HTTP_CONFLICT) : replace(name, lease);
    }

    private boolean giveBackNow(String name, String holder) throws IOException {
        ObjectNode lease = read(name);
        if (lease == null || !holder.equals(lease.path("spec").path("holderIdentity").asText())) {
            return false;
        }
        lease.withObject("spec").remove("holderIdentity");
        return replace(name, lease);
    }

    /** @return {@code null} if there is no lease of that name */
    private ObjectNode read(String name) throws IOException {
        HttpResponse<String> answer = api.get().send("GET", leases() + "/" + leaseName(name), null);
        if (!written(answer, HttpURLConnection.HTTP_NOT_FOUND)) {
            return null;
        }
        if (JSON.readTree(answer.body()) instanceof ObjectNode lease) {
            if (!lease.path("spec").isObject()) {
                lease.putObject("spec");
            }
            return lease;
        }
        throw new IOException("the answer is no lease");
    }

    /** Only what was read is replaced: the request carries its version. */
    private boolean replace(String name, ObjectNode lease) throws IOException {
        return written(api.get().send("PUT", leases() + "/" + leaseName(name), lease.toString()), HttpURLConnection.HTTP_CONFLICT,
                HttpURLConnection.HTTP_NOT_FOUND);
    }

    private String leases() throws IOException {
        return GROUP + "/namespaces/" + api.get().namespace() + "/leases";
    }

    /** @return {@code false} after one of these answers: somebody else was quicker, or there is none */
    private boolean written(HttpResponse<String> answer, int... refusals) throws IOException {
        int status = answer.statusCode();
        for (int refusal : refusals) {
            if (status == refusal) {
                return false;
            }
        }
        if (status < 200 || status > 299) {
            boolean refused = status == HttpURLConnection.HTTP_UNAUTHORIZED || status == HttpURLConnection.HTTP_FORBIDDEN;
            throw new CompletionException("Kubernetes answers " + status + (refused ? "; needed is a service account that may get, create"
                    + " and update leases of coordination.k8s.io in the namespace " + api.get().namespace() : ""), null);
        }
        return true;
    }

    private static boolean isFree(JsonNode spec) {
        return spec.path("holderIdentity").asText().isEmpty();
    }

    private boolean hasRunOut(JsonNode lease, String name, long ms) {
        long now = System.nanoTime();
        Seen first = seen.merge(name, new Seen(lease.path("metadata").path("resourceVersion").asText(), now),
                (known, fresh) -> known.version.equals(fresh.version) ? known : fresh);
        JsonNode seconds = lease.path("spec").path("leaseDurationSeconds");
        return now - first.sinceNanos > (seconds.isInt() ? TimeUnit.SECONDS.toNanos(seconds.asInt()) : TimeUnit.MILLISECONDS.toNanos(ms));
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
}
