package io.callbridge.bench;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A CRM that knows everybody, takes everything at once, and notes when what came. */
final class CrmStandIn implements AutoCloseable {

    private static final String BASE = "/crm";
    private static final String ENTITY = "{\"id\":\"c-1\",\"type\":\"contact\",\"name\":\"Somebody\","
            + "\"url\":\"http://crm.example/contacts/c-1\",\"responsible\":\"anna\"}";

    private final Vertx vertx = Vertx.vertx();
    private final HttpServer server;
    private final Map<String, CompletableFuture<Long>> cards = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<Long>> calls = new ConcurrentHashMap<>();
    private final AtomicInteger lookUps = new AtomicInteger();
    private final AtomicInteger cardWrites = new AtomicInteger();
    private final AtomicInteger cardEnds = new AtomicInteger();
    private final AtomicInteger callWrites = new AtomicInteger();
    private volatile String lastCard;
    private volatile String lastCall;

    /** How many requests of each kind came. */
    record Counts(int lookUps, int cards, int cardEnds, int calls) {

        Counts since(Counts before) {
            return new Counts(lookUps - before.lookUps, cards - before.cards, cardEnds - before.cardEnds, calls - before.calls);
        }
    }

    CrmStandIn() {
        server = vertx.createHttpServer().requestHandler(this::answer).listen(0, "127.0.0.1").toCompletionStage()
                .toCompletableFuture().join();
    }

    int port() {
        return server.actualPort();
    }

    /** The base of the REST contract. */
    String url() {
        return "http://127.0.0.1:" + port() + BASE;
    }

    /** The path of a request below the base. */
    static String path(String below) {
        return BASE + below;
    }

    /** Completes when the card of a leg has come, with the time on the clock of {@link System#nanoTime()}. */
    CompletableFuture<Long> card(String legId) {
        return cards.computeIfAbsent(legId, id -> new CompletableFuture<>());
    }

    /** Completes when a leg has been registered as a call, with the time on the clock of {@link System#nanoTime()}. */
    CompletableFuture<Long> call(String legId) {
        return calls.computeIfAbsent(legId, id -> new CompletableFuture<>());
    }

    Counts counts() {
        return new Counts(lookUps.get(), cardWrites.get(), cardEnds.get(), callWrites.get());
    }

    /** The body of the last card. */
    String lastCard() {
        return lastCard;
    }

    /** The body of the last registered call. */
    String lastCall() {
        return lastCall;
    }

    private void answer(HttpServerRequest request) {
        request.body().onSuccess(body -> {
            long now = System.nanoTime();
            String path = request.path();
            String id = path.substring(path.lastIndexOf('/') + 1);
            if (path.equals(BASE + "/entities")) {
                lookUps.incrementAndGet();
                request.response().putHeader("Content-Type", "application/json").end(ENTITY);
                return;
            }
            if (path.startsWith(BASE + "/cards/") && request.method() == HttpMethod.PUT) {
                cardWrites.incrementAndGet();
                lastCard = body.toString();
                card(id).complete(now);
            } else if (path.startsWith(BASE + "/cards/")) {
                cardEnds.incrementAndGet();
            } else if (path.startsWith(BASE + "/calls/")) {
                callWrites.incrementAndGet();
                lastCall = body.toString();
                call(id).complete(now);
            }
            request.response().end();
        });
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }
}
