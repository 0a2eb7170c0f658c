package io.callbridge.support;

import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The API of a Kubernetes cluster: keeps objects and their versions as the real one does, and fails on demand. */
public final class FakeCluster implements AutoCloseable {

    public static final String NAMESPACE = "telephony";

    private static final String TOKEN = "token-of-the-service-account";
    private static final int SILENCE = -1;
    private static final Logger LOG = Logger.getLogger(MockWebServer.class.getName());

    static {
        LOG.setLevel(Level.WARNING);
    }

    private final Path account;
    private final Requests requests = new Requests();
    private final MockWebServer web = new MockWebServer();
    private final KubernetesMockServer server = new KubernetesMockServer(new Context(Serialization.jsonMapper()), web,
            new HashMap<>(), requests, true);

    public FakeCluster() {
        server.init();
        try {
            account = Files.createTempDirectory("callbridge-service-account-");
            Files.writeString(account.resolve("token"), TOKEN + "\n");
            Files.writeString(account.resolve("namespace"), NAMESPACE);
            Files.copy(Path.of(web.getSelfSignedCertificate().certificatePath()), account.resolve("ca.crt"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What a process of its own needs, to find it. */
    public Map<String, String> settings() {
        return Map.of("callbridge.kubernetes.url", url(), "callbridge.kubernetes.service-account", serviceAccount().toString());
    }

    /** The folder that a pod gets. */
    public Path serviceAccount() {
        return account;
    }

    /** What an administrator does with it. */
    public KubernetesClient client() {
        return new KubernetesClientBuilder().withConfig(new ConfigBuilder(Config.empty()).withMasterUrl(url()).withNamespace(NAMESPACE)
                .withTrustCerts(true)
                .build()).build();
    }

    /** Answers every request, or only those with a method, by a status; 0: as it should. */
    public void answer(int status, String... methods) {
        requests.status = status;
        requests.methods = String.join(" ", methods);
    }

    /** Does not answer any request, or those with a method. */
    public void hang(String... methods) {
        answer(SILENCE, methods);
    }

    /** How many requests came. */
    public int requests() {
        return requests.count.get();
    }

    @Override
    public void close() {
        server.destroy();
        for (String file : new String[] {"token", "namespace", "ca.crt", ""}) {
            account.resolve(file).toFile().delete();
        }
    }

    /** Without a slash at its end. */
    public String url() {
        return "https://localhost:" + web.getPort();
    }

    private static final class Requests extends KubernetesCrudDispatcher {

        private final AtomicInteger count = new AtomicInteger();
        private volatile int status;
        private volatile String methods = "";

        @Override
        public MockResponse dispatch(RecordedRequest request) {
            count.incrementAndGet();
            boolean administrator = request.getHeader("User-Agent") != null && request.getHeader("User-Agent").startsWith("fabric8");
            if (!administrator && !("Bearer " + TOKEN).equals(request.getHeader("Authorization"))) {
                return new MockResponse().setResponseCode(401).setBody("{}");
            }
            String method = request.getMethod().toString();
            if (status != 0 && (methods.isEmpty() || methods.contains(method))) {
                if (status == SILENCE) {
                    return new MockResponse().setResponseCode(200).setBody("{}").setBodyDelay(1, TimeUnit.HOURS);
                }
                return new MockResponse().setResponseCode(status).setBody(Serialization.asJson(
                        new StatusBuilder().withStatus("Failure").withCode(status).withMessage("on demand").build()));
            }
            return super.dispatch(request);
        }
    }
}
