package io.callbridge.platform;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The API of the cluster that the pod runs in, asked as its service account. A handful of requests about one kind of object:
 * the client library would be a third of the native binary.
 */
class KubernetesApi {

    static final String SERVICE_ACCOUNT = "kubernetes.service-account";
    static final String URL = "kubernetes.url";

    private final String url;
    private final Path account;
    private HttpClient client;

    /**
     * Reads nothing yet.
     *
     * @param account the folder that Kubernetes mounts for a service account: {@code token}, {@code namespace}, {@code ca.crt}
     */
    KubernetesApi(String url, Path account) {
        this.url = url;
        this.account = account;
    }

    /** The namespace of the pod. */
    String namespace() throws IOException {
        return file("namespace");
    }

    /** A lease that cannot be renewed is lost: no request may take as long as that. */
    Duration timeout() {
        return Duration.ofSeconds(2);
    }

    /**
     * @param body JSON, {@code null} if there is none
     * @throws IOException if there is no answer, or the service account cannot be read
     */
    HttpResponse<String> send(String method, String path, String body) throws IOException {
        // Kubernetes replaces the token about every hour.
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path)).timeout(timeout())
                .header("Authorization", "Bearer " + file("token")).header("Content-Type", "application/json")
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body)).build();
        CompletableFuture<HttpResponse<String>> asked = client().sendAsync(request, BodyHandlers.ofString());
        try {
            // The time limit of a request is one of its headers only.
            return asked.get(timeout().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            asked.cancel(true);
            throw new HttpTimeoutException("no answer within " + timeout().toSeconds() + " s");
        } catch (ExecutionException e) {
            forget();
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private synchronized HttpClient client() {
        if (client == null) {
            HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(timeout().dividedBy(2));
            Path authority = account.resolve("ca.crt");
            if (url.startsWith("https:") && Files.exists(authority)) {
                builder.sslContext(CrmTls.trusting(SERVICE_ACCOUNT, authority.toString()));
            }
            client = builder.build();
        }
        return client;
    }

    /** The cluster may have another authority by now: the next request reads it again. */
    private synchronized void forget() {
        client = null;
    }

    private String file(String name) throws IOException {
        return Files.readString(account.resolve(name)).strip();
    }
}
