package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Settings;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox;
import io.callbridge.store.StoreException;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.jboss.logging.Logger;

/**
 * Takes what is due in the outbox to the route {@code deliver-outbox}: cards and calls in lanes of their own, several at
 * a time, of one id always the oldest first.
 */
@ApplicationScoped
public class Dispatcher {

    /** Name of the exchange property that carries the {@link Delivery}. */
    public static final String DELIVERY = "CallbridgeDelivery";

    private static final List<String> LANES = List.of("cards", "calls");
    private static final int AGAIN_SECONDS = 10;
    private static final Logger LOG = Logger.getLogger(Dispatcher.class);

    private final Outbox outbox;
    private final ProducerTemplate template;
    private final ObjectMapper json;
    private final List<Lane> lanes = new CopyOnWriteArrayList<>();
    private final int parallel;
    private final int pollMs;
    private volatile boolean running;

    public Dispatcher(Outbox outbox, ProducerTemplate template, ObjectMapper json, Settings settings) {
        this.outbox = outbox;
        this.template = template;
        this.json = json;
        this.parallel = settings.number("deliver.parallel");
        this.pollMs = settings.number("deliver.poll-ms");
    }

    /** Starts the lanes; called when all routes run. */
    public void start() {
        running = true;
        for (String name : LANES) {
            Lane lane = new Lane(name);
            lanes.add(lane);
            lane.thread.start();
        }
    }

    /** Every lane is there and takes deliveries. */
    public boolean runs() {
        return running && lanes.size() == LANES.size() && lanes.stream().allMatch(lane -> lane.thread.isAlive());
    }

    /** Something new is in the outbox. */
    public void wake() {
        lanes.forEach(lane -> lane.bell.release());
    }

    /** Lets what is in flight finish; what is left stays in the outbox. */
    void close(@Observes(notifyObserver = Reception.IF_EXISTS) @Priority(2) ShutdownEvent event) throws InterruptedException {
        running = false;
        wake();
        for (Lane lane : lanes) {
            lane.thread.join(TimeUnit.SECONDS.toMillis(2));
            lane.workers.shutdown();
        }
        for (Lane lane : lanes) {
            lane.workers.awaitTermination(5, TimeUnit.SECONDS);
        }
    }

    private final class Lane {
        private final String name;
        private final Semaphore bell = new Semaphore(0);
        private final Set<Long> inFlight = ConcurrentHashMap.newKeySet();
        private final ExecutorService workers;
        private final Thread thread;

        private Lane(String name) {
            this.name = name;
            workers = Executors.newFixedThreadPool(parallel, task -> new Thread(task, "deliver-" + name));
            thread = new Thread(this::run, "dispatch-" + name);
            thread.setDaemon(true);
        }

        private void run() {
            while (running) {
                try {
                    bell.tryAcquire(pollMs, TimeUnit.MILLISECONDS);
                    bell.drainPermits();
                    if (running) {
                        dispatch();
                    }
                } catch (RuntimeException e) {
                    LOG.errorf(e instanceof StoreException ? null : e, "Deliveries wait: %s", e.getMessage());
                } catch (InterruptedException e) {
                    return;
                }
            }
        }

        private void dispatch() {
            // What is in flight now may be done while the query runs, and must not be taken from its answer again.
            Set<Long> busy = Set.copyOf(inFlight);
            for (Delivery delivery : outbox.due(name, 4 * parallel)) {
                if (inFlight.size() < 2 * parallel && !busy.contains(delivery.seq()) && inFlight.add(delivery.seq())) {
                    workers.execute(() -> {
                        try {
                            deliver(delivery);
                            inFlight.remove(delivery.seq());
                            wake();
                        } catch (RuntimeException e) {
                            // Its result is not recorded: sent again at once, it would flood the CRM.
                            LOG.errorf("The result of %s %s is not recorded, it is sent again in %d s: %s", delivery.operation(),
                                    delivery.id(), AGAIN_SECONDS, e.getMessage());
                            CompletableFuture.delayedExecutor(AGAIN_SECONDS, TimeUnit.SECONDS)
                                    .execute(() -> inFlight.remove(delivery.seq()));
                        }
                    });
                }
            }
        }
    }

    private void deliver(Delivery delivery) {
        // The end of a card that is on somebody's screen is told however late it is.
        boolean idle = delivery.operation().equals(Delivery.CARD_END) ? !outbox.cardMayBeShown(delivery.crm(), delivery.id())
                : delivery.expiresAt() <= System.currentTimeMillis();
        if (idle) {
            outbox.done(delivery, "dropped", Instant.now(), null).join();
            return;
        }
        Map<String, Object> facts = facts(delivery);
        Exchange result = template.send("direct:deliver-outbox", exchange -> {
            exchange.setProperty(DELIVERY, delivery);
            exchange.getMessage().setBody(facts);
        });
        if (result.getException() != null) {
            throw new IllegalStateException(result.getException().getMessage(), result.getException());
        }
    }

    /** What the routes see of a delivery: its row, the id encoded for a path, and the members of its body. */
    private Map<String, Object> facts(Delivery delivery) {
        try {
            JsonNode body = json.readTree(delivery.body());
            Map<String, Object> facts = new HashMap<>();
            facts.put("crm", delivery.crm());
            facts.put("operation", delivery.operation());
            facts.put("id", URLEncoder.encode(delivery.id(), StandardCharsets.UTF_8).replace("+", "%20"));
            facts.put("number", body.path("number").asText(""));
            facts.put("reason", body.path("reason").asText(""));
            facts.put("answeredBy", URLEncoder.encode(body.path("answeredBy").asText(""), StandardCharsets.UTF_8));
            return facts;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("unreadable body in the outbox", e);
        }
    }
}
