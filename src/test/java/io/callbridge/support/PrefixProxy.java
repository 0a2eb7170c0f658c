package io.callbridge.support;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A reverse proxy that shows another server below a part of its own path, and tells it nothing about who asks. */
public final class PrefixProxy implements AutoCloseable {

    private static final List<String> NOT_PASSED_ON = List.of("host", "connection", "content-length", "transfer-encoding", "upgrade",
            "http2-settings");

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String prefix;
    private final int to;

    public PrefixProxy(String prefix, int to) throws IOException {
        this.prefix = prefix;
        this.to = to;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext(prefix + "/", this::pass);
        server.start();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    private void pass(HttpExchange exchange) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://localhost:" + to
                + exchange.getRequestURI().toString().substring(prefix.length())))
                .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(exchange.getRequestBody().readAllBytes()));
        exchange.getRequestHeaders().forEach((name, values) -> values.stream().filter(value -> !NOT_PASSED_ON.contains(name.toLowerCase()))
                .forEach(value -> request.header(name, value)));
        try (exchange) {
            HttpResponse<InputStream> answer = Unchecked.get(() -> client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream()));
            answer.headers().map().forEach((name, values) -> {
                if (!NOT_PASSED_ON.contains(name.toLowerCase())) {
                    exchange.getResponseHeaders().put(name, values);
                }
            });
            exchange.sendResponseHeaders(answer.statusCode(), answer.statusCode() == 204 ? -1 : 0);
            try (InputStream in = answer.body(); OutputStream out = exchange.getResponseBody()) {
                // As it comes: a feed has no end.
                byte[] part = new byte[8_192];
                for (int length = in.read(part); length >= 0; length = in.read(part)) {
                    out.write(part, 0, length);
                    out.flush();
                }
            }
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
