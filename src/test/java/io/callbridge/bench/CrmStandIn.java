package io.callbridge.bench;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** A CRM that knows everybody, takes everything at once, and notes when what came. */
final class CrmStandIn implements AutoCloseable {

    static final String BASE = "/crm";
    private static final String ENTITY = "{\"id\":\"c-1\",\"type\":\"contact\",\"name\":\"Somebody\","
            + "\"url\":\"http://crm.example/contacts/c-1\",\"responsible\":\"anna\"}";

    private final Vertx vertx = Vertx.vertx();
    private final HttpServer server = vertx.createHttpServer().requestHandler(this::answer).listen(0, "127.0.0.1").toCompletionStage()
            .toCompletableFuture().join();
    private final Map<String, CompletableFuture<Long>> arrivals = new ConcurrentHashMap<>();
    /** By method and kind, as {@code PUT cards}: how many came, and what the last one said. */
    final Map<String, Integer> counts = new ConcurrentHashMap<>();
    final Map<String, String> last = new ConcurrentHashMap<>();

    int port() {
        return server.actualPort();
    }

    /** The base of the REST contract. */
    String url() {
        return "http://127.0.0.1:" + port() + BASE;
    }

    /** Completes when it was written, as {@code cards/<leg>}, with the time on the clock of {@link System#nanoTime()}. */
    CompletableFuture<Long> arrival(String path) {
        return arrivals.computeIfAbsent(path, id -> new CompletableFuture<>());
    }

    private void answer(HttpServerRequest request) {
        request.body().onSuccess(body -> {
            long now = System.nanoTime();
            String path = request.path().substring(BASE.length() + 1);
            String kind = request.method() + " " + path.replaceFirst("/.*", "");
            counts.merge(kind, 1, Integer::sum);
            last.put(kind, body.toString());
            if (kind.startsWith("PUT")) {
                arrival(path).complete(now);
            }
            if (path.equals("entities")) {
                request.response().putHeader("Content-Type", "application/json").end(ENTITY);
            } else {
                request.response().end();
            }
        });
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
