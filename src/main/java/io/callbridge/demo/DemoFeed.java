package io.callbridge.demo;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/**
 * {@code GET /demo/events}: the memory of the demo CRM as server-sent events. The first one is {@code state}, the
 * others are {@code card}, {@code card-end}, {@code call} and {@code missed-call}.
 */
final class DemoFeed {

    private static final long HEARTBEAT_MS = 15_000;
    private static final int MAX_CLIENTS = 100;
    /** Room for the state and some minutes of changes; a client that leaves more unread is gone or asleep. */
    private static final int MAX_UNREAD_BYTES = 4 * 1024 * 1024;

    private final CrmMemory memory;

    DemoFeed(CrmMemory memory) {
        this.memory = memory;
    }

    void mount(Router router) {
        router.get("/demo/events").handler(this::connect);
    }

    private void connect(RoutingContext request) {
        if (memory.listeners() >= MAX_CLIENTS) {
            request.response().setStatusCode(503).putHeader("Retry-After", "30").end("too many viewers");
            return;
        }
        HttpServerResponse response = request.response()
                .setChunked(true)
                .setWriteQueueMaxSize(MAX_UNREAD_BYTES)
                .putHeader("Content-Type", "text/event-stream; charset=utf-8")
                .putHeader("Cache-Control", "no-store")
                // Proxies must not collect the events.
                .putHeader("X-Accel-Buffering", "no");
        Vertx vertx = request.vertx();
        Client client = new Client(response);
        long heartbeat = vertx.setPeriodic(HEARTBEAT_MS, id -> client.write(": still here\n\n"));
        response.closeHandler(closed -> {
            vertx.cancelTimer(heartbeat);
            memory.forget(client);
        });
        // The close handler follows and clears up.
        response.exceptionHandler(broken -> client.drop());
        client.write("retry: 2000\n\n");
        memory.listen(client);
    }

    private final class Client implements CrmMemory.Listener {

        private final HttpServerResponse response;

        Client(HttpServerResponse response) {
            this.response = response;
        }

        @Override
        public void changed(String kind, JsonObject content) {
            // JSON has no line break outside of texts, and within them it is escaped: one data line is enough.
            write("event: " + kind + "\ndata: " + content.encode() + "\n\n");
        }

        void write(String text) {
            if (response.closed() || response.writeQueueFull()) {
                drop();
            } else {
                response.write(text);
            }
        }

        void drop() {
            memory.forget(this);
            response.reset();
        }
    }
}
