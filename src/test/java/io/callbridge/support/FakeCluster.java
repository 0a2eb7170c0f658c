package io.callbridge.support;

import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import io.fabric8.mockwebserver.http.MockResponse;
import io.fabric8.mockwebserver.http.RecordedRequest;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The API of a Kubernetes cluster: keeps objects and their versions as the real one does, and fails on demand. */
public final class FakeCluster implements AutoCloseable {

    public static final String NAMESPACE = "telephony";

    private static final int SILENCE = -1;
    private static final Logger LOG = Logger.getLogger(MockWebServer.class.getName());

    static {
        LOG.setLevel(Level.WARNING);
    }

    private final AtomicReference<Runnable> beforeWrite = new AtomicReference<>();
    private final Requests requests = new Requests();
    private final KubernetesMockServer server = new KubernetesMockServer(new Context(Serialization.jsonMapper()), new MockWebServer(),
            new HashMap<>(), requests, false);

    public FakeCluster() {
        server.init();
    }

    /** What a process of its own needs, to find it. */
    public Map<String, String> settings() {
        return Map.of(Config.KUBERNETES_MASTER_SYSTEM_PROPERTY, url(), Config.KUBERNETES_NAMESPACE_SYSTEM_PROPERTY, NAMESPACE,
                Config.KUBERNETES_AUTH_TRYKUBECONFIG_SYSTEM_PROPERTY, "false");
    }

    /** A client with the application's time limits, which runs {@link #beforeWrite}. */
    public KubernetesClient client() {
        return new KubernetesClientBuilder().withConfig(new ConfigBuilder(Config.empty()).withMasterUrl(url()).withNamespace(NAMESPACE)
                .withConnectionTimeout(1_000).withRequestTimeout(2_000).withRequestRetryBackoffLimit(0).build())
                .withHttpClientBuilderConsumer(http -> http.addOrReplaceInterceptor("before write", new Interceptor() {
                    @Override
                    public void before(BasicBuilder headers, HttpRequest request, RequestTags tags) {
                        Runnable action = request.method().equals("GET") ? null : beforeWrite.getAndSet(null);
                        if (action != null) {
                            action.run();
                        }
                    }
                })).build();
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

    /** Runs something once, before a client sends the next request that writes. */
    public void beforeWrite(Runnable action) {
        beforeWrite.set(action);
    }

    /** How many requests came. */
    public int requests() {
        return requests.count.get();
    }

    @Override
    public void close() {
        server.destroy();
    }

    private String url() {
        return server.url("/");
    }

    private static final class Requests extends KubernetesCrudDispatcher {

        private final AtomicInteger count = new AtomicInteger();
        private volatile int status;
        private volatile String methods = "";

        @Override
        public MockResponse dispatch(RecordedRequest request) {
            count.incrementAndGet();
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
