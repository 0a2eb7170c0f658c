package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.CallLog;
import io.callbridge.platform.Facts;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.platform.Tracing;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox;
import io.callbridge.store.StoreException;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Scope;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.jboss.logging.Logger;

/**
 * Takes what is due in the outbox to the route {@code deliver-outbox}, each CRM by itself, so that none waits for another:
 * cards and calls in lanes of their own, cards first, as many at a time and as fast as the {@link CrmGate} allows.
 */
@ApplicationScoped
public class Dispatcher {

    /** Name of the exchange property that carries the {@link Delivery}. */
    public static final String DELIVERY = "CallbridgeDelivery";

    private static final int AGAIN_SECONDS = 10;
    private static final long SWEEP_MS = 1_000;
    private static final Logger LOG = Logger.getLogger(Dispatcher.class);

    private final Outbox outbox;
    private final DeliveryResult results;
    private final CrmCapabilities capabilities;
    private final ProducerTemplate template;
    private final Tracing tracing;
    private final ObjectMapper json;
    private final List<Crm> crms = new ArrayList<>();
    private final int parallel;
    private final int pollMs;
    private volatile boolean running;

    public Dispatcher(Outbox outbox, DeliveryResult results, CrmCapabilities capabilities, CrmGates gates, ProducerTemplate template,
            Tracing tracing, ObjectMapper json, Settings settings) {
        this.outbox = outbox;
        this.results = results;
        this.capabilities = capabilities;
        this.template = template;
        this.tracing = tracing;
        this.json = json;
        this.parallel = settings.number("deliver.parallel");
        this.pollMs = settings.number("deliver.poll-ms");
        settings.crms().forEach(crm -> crms.add(new Crm(crm, gates.of(crm))));
    }

    /** Starts the deliveries; called when all routes run. */
    public void start() {
        running = true;
        crms.forEach(crm -> LOG.infof("CRM %s: %s", crm.name, String.join(", ", capabilities.of(crm.name))));
        crms.forEach(crm -> crm.thread.start());
    }

    /** Every CRM is served. */
    public boolean runs() {
        return running && crms.stream().allMatch(crm -> crm.thread.isAlive());
    }

    /** Something new is in the outbox. */
    public void wake() {
        crms.forEach(Crm::wake);
    }

    /** Whether this process is sending a delivery just now. */
    public boolean sends(Delivery delivery) {
        return crms.stream().filter(each -> each.name.equals(delivery.crm())).flatMap(each -> each.lanes.stream())
                .anyMatch(lane -> lane.inFlight.contains(delivery.seq()));
    }

    /** Somebody wants what is due to go to a CRM at once: one that is down is asked now. */
    public void askNow(String crm) {
        crms.stream().filter(each -> each.name.equals(crm)).forEach(each -> {
            each.gate.askNow();
            each.wake();
        });
    }

    /** Lets what is in flight finish; what is left stays in the outbox. */
    void close(@Observes(notifyObserver = Reception.IF_EXISTS) @Priority(2) ShutdownEvent event) throws InterruptedException {
        running = false;
        wake();
        for (Crm crm : crms) {
            crm.thread.join(TimeUnit.SECONDS.toMillis(1));
            crm.lanes.forEach(lane -> lane.workers.shutdown());
        }
        for (Crm crm : crms) {
            for (Lane lane : crm.lanes) {
                lane.workers.awaitTermination(2, TimeUnit.SECONDS);
            }
        }
    }

    private final class Lane {
        private final String name;
        private final Set<Long> inFlight = ConcurrentHashMap.newKeySet();
        private final ExecutorService workers;
        private volatile boolean news = true;

        private Lane(String crm, String name) {
            this.name = name;
            workers = Executors.newFixedThreadPool(parallel, task -> new Thread(task, "deliver-" + crm + "-" + name));
        }
    }

    private final class Crm {
        private final String name;
        private final CrmGate gate;
        private final List<Lane> lanes;
        private final Semaphore bell = new Semaphore(0);
        private final Thread thread;
        private long sweptAt;

        private Crm(String name, CrmGate gate) {
            this.name = name;
            this.gate = gate;
            lanes = Delivery.LANES.stream().map(lane -> new Lane(name, lane)).toList();
            thread = new Thread(this::run, "dispatch-" + name);
            thread.setDaemon(true);
        }

        private void wake() {
            lanes.forEach(lane -> lane.news = true);
            bell.release();
        }

        private void run() {
            while (running) {
                try {
                    if (!bell.tryAcquire(pollMs, TimeUnit.MILLISECONDS)) {
                        lanes.forEach(lane -> lane.news = true);
                    }
                    bell.drainPermits();
                    if (running) {
                        sweep();
                        lanes.stream().filter(lane -> capabilities.serves(name, lane.name)).forEach(this::dispatch);
                    }
                } catch (InterruptedException e) {
                    return;
                } catch (Throwable e) {
                    // The store may be away, or memory short: whatever it was, what is due later must still go out.
                    LOG.logf(StoreException.level(e), "Deliveries to CRM %s wait: %s", name, e.getMessage());
                }
            }
        }

        /** Cards that nobody wants to see any more go without a worker: after an outage there may be many. */
        private void sweep() {
            long now = Time.millis();
            if (now - sweptAt >= SWEEP_MS) {
                sweptAt = now;
                Set<Long> underWay = lanes.stream().filter(lane -> lane.name.equals(Delivery.CARDS)).findFirst().orElseThrow().inFlight;
                outbox.dropExpiredCards(name, underWay).thenAccept(dropped -> results.count(name, Delivery.CARD, "dropped", dropped));
            }
        }

        private void dispatch(Lane lane) {
            // What is in flight now may be done while the query runs, and must not be taken from its answer again.
            Set<Long> busy = Set.copyOf(lane.inFlight);
            int permits = gate.permits(lane.name.equals(Delivery.CARDS), 2 * parallel - busy.size(), Time.millis());
            if (permits <= 0 || !lane.news || lane.name.equals(Delivery.RECORDINGS) && gate.down() && outbox.waits(name)) {
                return;
            }
            lane.news = false;
            long takenAt = Time.millis();
            List<Delivery> taken = outbox.take(name, lane.name, gate.down(), permits, busy.size()).join();
            if (taken.size() >= permits) {
                lane.news = true;
            }
            List<Delivery> left = new ArrayList<>();
            for (Delivery delivery : taken) {
                if (permits > 0 && !busy.contains(delivery.seq()) && lane.inFlight.add(delivery.seq())) {
                    permits--;
                    begin(lane, delivery, takenAt, gate.probe());
                } else {
                    left.add(delivery);
                }
            }
            outbox.giveBack(left);
        }

        /** What no worker takes, for want of memory say, must not count as in flight for ever. */
        private void begin(Lane lane, Delivery delivery, long takenAt, boolean probe) {
            boolean taken = false;
            try {
                lane.workers.execute(() -> work(lane, delivery, takenAt, probe));
                taken = true;
            } finally {
                if (!taken) {
                    lane.inFlight.remove(delivery.seq());
                    if (probe) {
                        gate.probed();
                    }
                }
            }
        }

        private void work(Lane lane, Delivery delivery, long takenAt, boolean probe) {
            try (CallLog log = CallLog.about(delivery.callId())) {
                if (outbox.mayBeTaken(takenAt)) {
                    // It has waited too long for a worker.
                    lane.inFlight.remove(delivery.seq());
                    return;
                }
                traced(delivery).whenComplete((recorded, failure) -> {
                    if (failure == null) {
                        lane.inFlight.remove(delivery.seq());
                        wake();
                    } else {
                        again(lane, delivery, failure);
                    }
                });
            } catch (Throwable e) {
                again(lane, delivery, e);
            } finally {
                if (probe) {
                    gate.probed();
                }
            }
        }

        /** Its result is not recorded: sent again at once, it would flood the CRM. */
        private void again(Lane lane, Delivery delivery, Throwable failure) {
            try (CallLog log = CallLog.about(delivery.callId())) {
                LOG.logf(StoreException.level(failure), "The result of %s %s is not recorded, it is sent again in %d s: %s", delivery.operation(), delivery.id(),
                        AGAIN_SECONDS, Failures.line(failure));
            }
            CompletableFuture.delayedExecutor(AGAIN_SECONDS, TimeUnit.SECONDS).execute(() -> lane.inFlight.remove(delivery.seq()));
        }
    }

    /** Every try is a span in the trace of the look that wanted it. */
    private CompletableFuture<?> traced(Delivery delivery) {
        Span span = tracing.span("deliver", delivery.trace()).setAttribute(Tracing.PBX, delivery.pbx())
                .setAttribute(Tracing.CALL, delivery.callId()).setAttribute(Tracing.CRM, delivery.crm())
                .setAttribute(Tracing.OPERATION, delivery.operation()).setAttribute(Tracing.ATTEMPT, delivery.attempts() + 1L).startSpan();
        if (!delivery.id().equals(delivery.callId())) {
            span.setAttribute(Tracing.LEG, delivery.id());
        }
        boolean tried = false;
        try (Scope scope = span.makeCurrent()) {
            CompletableFuture<?> recorded = deliver(delivery);
            tried = true;
            return recorded;
        } finally {
            if (!tried) {
                span.setStatus(StatusCode.ERROR);
            }
            span.end();
        }
    }

    /** @return completes when the result is durable */
    private CompletableFuture<?> deliver(Delivery delivery) {
        if (delivery.operation().equals(Delivery.CARD_END) && !outbox.cardMayBeShown(delivery.crm(), delivery.pbx(), delivery.id())
                || delivery.fleeting() && delivery.expiresAt() <= Time.millis()) {
            return results.record(delivery, "dropped", Time.now(), false, null);
        }
        Map<String, Object> facts = facts(delivery);
        Exchange result = template.send("direct:deliver-outbox", exchange -> {
            exchange.setProperty(DELIVERY, delivery);
            Facts.put(exchange, facts);
        });
        if (result.getException() != null) {
            throw new IllegalStateException(result.getException().getMessage(), result.getException());
        }
        CompletableFuture<?> recorded = result.getProperty(DeliveryResult.RECORDED, CompletableFuture.class);
        if (recorded == null) {
            throw new IllegalStateException("the route recorded no result");
        }
        return recorded;
    }

    /** What the routes see of a delivery: its row, the id encoded for a path too, and the members of its body. */
    private Map<String, Object> facts(Delivery delivery) {
        try {
            Map<String, Object> facts = EffectFacts.of(json.readTree(delivery.body()));
            facts.put("crm", delivery.crm());
            facts.put("operation", delivery.operation());
            facts.put("lane", delivery.lane());
            facts.put("pbx", delivery.pbx());
            facts.put("key", delivery.id());
            facts.put("id", encoded(delivery.id()).replace("+", "%20").replace("%7E", "~"));
            facts.put("answeredBy", encoded((String) facts.get("answeredBy")));
            return facts;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("unreadable body in the outbox", e);
        }
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
