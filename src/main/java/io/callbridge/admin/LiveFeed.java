package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * {@code GET /api/live}: server-sent events for whoever looks at the page. {@code calls}: the calls in progress, whenever they
 * change; {@code status}: the state of PBXs and CRMs, every few seconds. Each event tells the whole, so one that is left out
 * for a slow reader is no loss. The store is asked once for all readers, and not at all while there are none.
 */
@ApplicationScoped
class LiveFeed {

    private static final Logger LOG = Logger.getLogger(LiveFeed.class);
    private static final int MOST_READERS = 50;
    /** Then whoever looks has to show again that he may. */
    private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(30);
    private static final int LOOK_MS = 500;
    private static final int STATUS_MS = 3_000;

    private final LiveCalls calls;
    private final Status status;
    private final ObjectMapper json;
    /** Since when, by the clock of {@link System#nanoTime}. */
    private final Map<HttpServerResponse, Long> readers = new ConcurrentHashMap<>();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("live-feed", true));
    /** The last events of each kind: a new reader begins with them. */
    private volatile String lastCalls = "";
    private volatile String lastStatus = "";
    private long statusAt;

    LiveFeed(LiveCalls calls, Status status, ObjectMapper json) {
        this.calls = calls;
        this.status = status;
        this.json = json;
    }

    void register(@Observes Router router) {
        router.route("/api/live").method(HttpMethod.GET).handler(this::connect);
        clock.scheduleWithFixedDelay(this::look, LOOK_MS, LOOK_MS, TimeUnit.MILLISECONDS);
    }

    private void connect(RoutingContext request) {
        if (readers.size() >= MOST_READERS) {
            request.response().setStatusCode(503).putHeader("Retry-After", "30").putHeader("Content-Type", "text/plain")
                    .end("as many as " + MOST_READERS + " look already");
            return;
        }
        HttpServerResponse response = request.response().setChunked(true)
                .putHeader("Content-Type", "text/event-stream; charset=utf-8")
                .putHeader("Cache-Control", "no-store")
                // Proxies must not collect the events.
                .putHeader("X-Accel-Buffering", "no");
        response.closeHandler(closed -> readers.remove(response));
        response.exceptionHandler(broken -> readers.remove(response));
        response.write(": the whole, whenever it changes\n\n");
        readers.put(response, System.nanoTime());
        clock.execute(() -> {
            write(response, lastCalls);
            write(response, lastStatus);
            look();
        });
    }

    /** Whatever happens: the clock never asks again after a failure. */
    private void look() {
        try {
            tell();
        } catch (JsonProcessingException | RuntimeException e) {
            // The store may be away, of which the status tells; the next look tries again.
            LOG.debugf("The live page waits: %s", e.getMessage());
        }
    }

    private void tell() throws JsonProcessingException {
        readers.forEach((reader, since) -> {
            if (!reader.closed() && System.nanoTime() - since > LONGEST_NANOS) {
                reader.end();
            }
        });
        readers.keySet().removeIf(reader -> reader.closed() || reader.ended());
        if (readers.isEmpty()) {
            lastCalls = "";
            lastStatus = "";
            statusAt = 0;
            return;
        }
        boolean statusToo = System.currentTimeMillis() - statusAt >= STATUS_MS;
        if (statusToo) {
            // First: while the store is away nothing is known of the calls.
            lastStatus = event("status", json.writeValueAsString(status.connections()));
            statusAt = System.currentTimeMillis();
            readers.keySet().forEach(reader -> write(reader, lastStatus));
        }
        String now = event("calls", json.writeValueAsString(calls.now()));
        // Now and then without news too: a slow reader may have missed the last ones.
        if (!now.equals(lastCalls) || statusToo) {
            lastCalls = now;
            readers.keySet().forEach(reader -> write(reader, now));
        }
    }

    /** JSON has no line break outside of texts, and within them it is escaped: one data line is enough. */
    private static String event(String kind, String data) {
        return "event: " + kind + "\ndata: " + data + "\n\n";
    }

    private static void write(HttpServerResponse reader, String event) {
        if (!event.isEmpty() && !reader.closed() && !reader.writeQueueFull()) {
            reader.write(event);
        }
    }

    /** An open page must not hold up the end of the process. */
    void close(@Observes ShutdownEvent event) {
        clock.shutdownNow();
        readers.keySet().forEach(HttpServerResponse::end);
    }
}
