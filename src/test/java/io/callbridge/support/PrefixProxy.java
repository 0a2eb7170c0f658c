package io.callbridge.support;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.Set;

/** A reverse proxy that shows another server below a part of its own path, and tells it nothing about who asks. */
public final class PrefixProxy implements AutoCloseable {

    private static final Set<String> NOT_PASSED_ON = Set.of("host", "connection", "content-length", "upgrade", "http2-settings");

    private final Vertx vertx = Vertx.vertx();
    private final HttpClient client = vertx.createHttpClient();
    private final HttpServer server = vertx.createHttpServer();

    public PrefixProxy(String prefix, int to) {
        server.requestHandler(asked -> asked.body()
                .compose(body -> client.request(asked.method(), to, "127.0.0.1", asked.uri().substring(prefix.length()))
                .compose(request -> {
                    asked.headers().forEach((name, value) -> {
                        if (!NOT_PASSED_ON.contains(name.toLowerCase())) {
                            request.headers().add(name, value);
                        }
                    });
                    return request.send(body);
                })).onSuccess(answer -> answer(asked, answer)));
        Unchecked.get(server.listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture()::get);
    }

    public int port() {
        return server.actualPort();
    }

    /** As it comes: a feed has no end. */
    private static void answer(HttpServerRequest asked, HttpClientResponse answer) {
        HttpServerResponse response = asked.response().setStatusCode(answer.statusCode());
        response.headers().addAll(answer.headers());
        response.setChunked(answer.headers().contains("Transfer-Encoding"));
        answer.pipeTo(response);
    }

    @Override
    public void close() {
        vertx.close();
    }
}
