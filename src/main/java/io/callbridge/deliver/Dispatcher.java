package io.callbridge.deliver;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.callbridge.platform.CallLog;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox;
import io.callbridge.store.StoreException;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Takes deliveries to the route {@code deliver-outbox}, each CRM by itself, so that none waits for another: cards and calls in lanes of
 * their own, cards first, as many at a time and as fast as the {@link CrmGates} allows. A new one comes straight from the commit that
 * stored it; the store is asked for what is overdue only: what failed before, what was left to it, and what a dead process had taken.
 */
@ApplicationScoped
public class Dispatcher implements Outbox.Courier {

    /** Name of the exchange property that carries the {@link Delivery}. */
    public static final String DELIVERY = "CallbridgeDelivery";
    /** And of the one that carries its body, read. */
    static final String BODY = "CallbridgeBody";

    private static final long SWEEP_MS = 1_000;
    /** Of a lane, in memory; more are left to the store. */
    private static final int MOST_HELD = 2_000;
    /** Longer than a commit takes. */
    private static final Duration IN_STORE = Duration.ofMinutes(1);
    /** Most cards end sooner. */
    private static final Duration CARDS = Duration.ofMinutes(2);
    private static final Logger LOG = Logger.getLogger(Dispatcher.class);

    private final Outbox outbox;
    private final DeliveryResult results;
    private final CrmCapabilities capabilities;
    private final DeliveryAttempt attempt;
    private final Map<String, Crm> crms = new LinkedHashMap<>();
    private final int parallel;
    private final int pollMs;
    private volatile boolean running;

    public Dispatcher(Outbox outbox, DeliveryResult results, CrmCapabilities capabilities, CrmGates gates, DeliveryAttempt attempt,
            Settings settings) {
        this.outbox = outbox;
        this.results = results;
        this.capabilities = capabilities;
        this.attempt = attempt;
        this.parallel = settings.number("deliver.parallel");
        this.pollMs = settings.number("deliver.poll-ms");
        settings.crms().forEach(crm -> crms.put(crm, new Crm(crm, gates.of(crm))));
    }

    /** Starts the deliveries; called when all routes run. */
    public void start() {
        running = true;
        crms.values().forEach(crm -> LOG.infof("CRM %s: %s", crm.name, String.join(", ", capabilities.of(crm.name))));
        crms.values().forEach(crm -> outbox.takeOver(crm.name));
        crms.values().forEach(crm -> crm.thread.start());
        outbox.deliverBy(this);
    }

    /** Every CRM is served. */
    public boolean runs() {
        return running && crms.values().stream().allMatch(crm -> crm.thread.isAlive());
    }

    @Override
    public boolean takes(String crm, String lane, List<Delivery> earlier) {
        return running && crms.containsKey(crm) && crms.get(crm).takes(lane, earlier);
    }

    /** What a commit has put into the outbox. */
    public void offer(List<Delivery> deliveries) {
        for (Crm crm : crms.values()) {
            List<Delivery> own = deliveries.stream().filter(delivery -> delivery.crm().equals(crm.name)).toList();
            if (!own.isEmpty()) {
                crm.offer(own);
            }
        }
    }

    /** Something may be due in the store. */
    public void wake() {
        crms.values().forEach(crm -> crm.bell.release());
    }

    /** Whether this process is sending a delivery just now, or is about to. */
    public boolean sends(Delivery delivery) {
        return crms.containsKey(delivery.crm()) && crms.get(delivery.crm()).lane(delivery).held.contains(delivery.seq());
    }

    /** Somebody wants what is due to go to a CRM at once: one that is down is asked now. */
    public void askNow(String crm) {
        if (crms.containsKey(crm)) {
            crms.get(crm).gate.askNow();
            crms.get(crm).bell.release();
        }
    }

    /** Lets what is in flight finish; what is left goes back to the outbox. */
    void close(@Observes(notifyObserver = Reception.IF_EXISTS) @Priority(2) ShutdownEvent event) throws InterruptedException {
        running = false;
        wake();
        for (Crm crm : crms.values()) {
            crm.thread.join(TimeUnit.SECONDS.toMillis(1));
            for (Lane lane : crm.lanes) {
                lane.workers.shutdown();
                // Workers may hang in their requests: each gives itself back.
                for (Runnable left = lane.workers.getQueue().poll(); left != null; left = lane.workers.getQueue().poll()) {
                    left.run();
                }
            }
        }
        for (Crm crm : crms.values()) {
            for (Lane lane : crm.lanes) {
                lane.workers.awaitTermination(2, TimeUnit.SECONDS);
            }
        }
    }

    private final class Lane {
        private final String name;
        /** Numbers of what this process has taken, until its result is stored or it is given back. */
        private final Set<Long> held = ConcurrentHashMap.newKeySet();
        private final ThreadPoolExecutor workers;
        /** More is due in the store than there is room for; what is new goes behind it. */
        private volatile boolean backlog = true;

        private Lane(String crm, String name) {
            this.name = name;
            workers = new ThreadPoolExecutor(parallel, parallel, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
                    task -> new Thread(task, "deliver-" + crm + "-" + name));
        }
    }

    private final class Crm {
        private final String name;
        private final CrmGates.Gate gate;
        private final List<Lane> lanes;
        private final Semaphore bell = new Semaphore(0);
        private final Thread thread;
        /** What is in memory, by call, from when it was taken until its answer is there. */
        private final Map<String, List<Delivery>> calls = new HashMap<>();
        /** Of those, numbers of what need not wait for another one, and is with the workers. */
        private final Set<Long> begun = new HashSet<>();
        /** What needs no other try, as long as somebody knows it otherwise, or the store does not know that yet. */
        private final Map<Delivery, Boolean> over = Collections.synchronizedMap(new WeakHashMap<>());
        /** Cards of late, and whether they may be shown: all of them, since the store may not know yet. */
        private final Cache<String, Boolean> cards = Caffeine.newBuilder().expireAfterWrite(CARDS).build();
        /** Calls of which something was left to the store a moment ago: what was put meanwhile goes after it. */
        private final Cache<String, Boolean> inStore = Caffeine.newBuilder().expireAfterWrite(IN_STORE).build();
        private long sweptAt;

        private Crm(String name, CrmGates.Gate gate) {
            this.name = name;
            this.gate = gate;
            lanes = Delivery.LANES.stream().map(lane -> new Lane(name, lane)).toList();
            thread = new Thread(this::run, "dispatch-" + name);
            thread.setDaemon(true);
        }

        private Lane lane(Delivery delivery) {
            return lanes.get(Delivery.LANES.indexOf(delivery.lane()));
        }

        /** What went before is done, or in memory under the same call. */
        private synchronized boolean takes(String lane, List<Delivery> earlier) {
            return !gate.down() && lanes.subList(0, Delivery.LANES.indexOf(lane) + 1).stream()
                    .noneMatch(each -> capabilities.serves(name, each.name) && (each.backlog || each.held.size() >= MOST_HELD))
                    && earlier.stream().allMatch(each -> !each.state().equals("pending") || over.containsKey(each)
                            || calls.getOrDefault(call(each), List.of()).stream().anyMatch(here -> here.seq() == each.seq()));
        }

        private void offer(List<Delivery> deliveries) {
            List<Delivery> left;
            synchronized (this) {
                List<Delivery> straight = deliveries.stream().filter(Delivery::straight).toList();
                left = straight.stream().filter(each -> !running || inStore.getIfPresent(call(each)) != null).toList();
                straight.stream().filter(each -> !left.contains(each)).forEach(each -> add(each, false));
                deliveries.stream().filter(each -> !each.straight()).forEach(each -> inStore.put(call(each), true));
            }
            giveBack(left);
            if (!deliveries.stream().allMatch(Delivery::straight)) {
                bell.release();
            }
        }

        private void add(Delivery delivery, boolean mayProbe) {
            if (lane(delivery).held.add(delivery.seq())) {
                calls.computeIfAbsent(call(delivery), key -> new ArrayList<>()).add(delivery);
                begin(call(delivery), mayProbe);
            }
        }

        /** What need not wait for another one of its call goes to the workers. */
        private void begin(String call, boolean mayProbe) {
            List<Delivery> all = List.copyOf(calls.getOrDefault(call, List.of()));
            all.stream().filter(each -> !begun.contains(each.seq()) && all.stream().noneMatch(other -> other.goesBefore(each)))
                    .forEach(each -> begin(each, mayProbe));
        }

        private void begin(Delivery delivery, boolean mayProbe) {
            Lane lane = lane(delivery);
            boolean probe = mayProbe && gate.probe();
            begun.add(delivery.seq());
            try {
                lane.workers.execute(() -> work(lane, delivery, probe));
            } catch (Throwable e) {
                // What no worker takes, for want of memory say, is taken again when its lease is over.
                LOG.errorf("%s %s is not sent now: %s", delivery.operation(), delivery.id(), e);
                lane.held.remove(delivery.seq());
                ended(lane, delivery, false, probe);
            }
        }

        /** @return what of a call waits for another one, and is no longer in memory */
        private List<Delivery> leave(String call) {
            List<Delivery> left = calls.getOrDefault(call, List.of()).stream().filter(each -> !begun.contains(each.seq())).toList();
            inStore.put(call, true);
            for (Delivery each : left) {
                lane(each).held.remove(each.seq());
                forget(call, each);
            }
            return left;
        }

        private void forget(String call, Delivery delivery) {
            begun.remove(delivery.seq());
            calls.computeIfPresent(call, (key, all) -> all.remove(delivery) && all.isEmpty() ? null : all);
        }

        private void giveBack(List<Delivery> left) {
            if (!left.isEmpty()) {
                outbox.giveBack(left);
                bell.release();
            }
        }

        private void work(Lane lane, Delivery delivery, boolean probe) {
            boolean isOver = false;
            try (CallLog log = CallLog.about(delivery.callId())) {
                if (!running || gate.down() && !probe || outbox.mayBeTaken(delivery)) {
                    // It has waited too long for a worker, or the CRM is asked by one request at a time meanwhile.
                    lane.held.remove(delivery.seq());
                    giveBack(List.of(delivery));
                    return;
                }
                DeliveryResult.Recorded result = attempt.deliver(delivery, () -> cardMayBeShown(delivery));
                isOver = !result.state().equals("pending");
                if (isOver) {
                    over.put(delivery, true);
                }
                if (isOver && delivery.operation().equals(Delivery.CARD)) {
                    cards.put(leg(delivery), result.shown());
                }
                result.stored().whenComplete((stored, failure) -> {
                    lane.held.remove(delivery.seq());
                    if (!Boolean.TRUE.equals(stored) || inStore.getIfPresent(call(delivery)) != null) {
                        bell.release();
                    }
                });
            } catch (Throwable e) {
                lane.held.remove(delivery.seq());
                LOG.logf(StoreException.level(e), "%s %s of call %s has no result, it is sent again when its lease is over: %s",
                        delivery.operation(), delivery.id(), delivery.callId(), CrmAnswer.line(e));
            } finally {
                ended(lane, delivery, isOver, probe);
            }
        }

        /** The next of its call may begin; if it is to be tried again, they all wait for that, in the store. */
        private void ended(Lane lane, Delivery delivery, boolean isOver, boolean probe) {
            if (probe) {
                gate.probed();
            }
            List<Delivery> left = List.of();
            synchronized (this) {
                String call = call(delivery);
                forget(call, delivery);
                if (isOver && running) {
                    begin(call, false);
                } else {
                    left = leave(call);
                }
            }
            giveBack(left);
            if (lane.backlog && lane.held.size() <= parallel) {
                bell.release();
            }
        }

        private void run() {
            while (running) {
                try {
                    if (bell.tryAcquire(pollMs, TimeUnit.MILLISECONDS)) {
                        bell.drainPermits();
                    }
                    if (running) {
                        sweep();
                        lanes.stream().filter(lane -> capabilities.serves(name, lane.name)).forEach(this::poll);
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
                outbox.dropExpiredCards(name).thenAccept(dropped -> results.count(name, Delivery.CARD, "dropped", dropped));
            }
        }

        private void poll(Lane lane) {
            boolean down = gate.down();
            boolean due = outbox.isDue(name, lane.name) && !(down && lane.name.equals(Delivery.RECORDINGS) && outbox.waits(name));
            int permits = !due ? 0 : gate.permits(lane.name.equals(Delivery.CARDS), 2 * parallel - lane.held.size(), Time.millis());
            List<Delivery> taken = permits <= 0 ? List.of() : outbox.take(name, lane.name, down, permits).join();
            lane.backlog = due && taken.size() >= permits;
            synchronized (this) {
                taken.forEach(each -> inStore.put(call(each), true));
                taken.forEach(each -> add(each, down));
            }
        }

        /** Whether the card of a leg may have reached the CRM, so that its end must be told. */
        private boolean cardMayBeShown(Delivery end) {
            Boolean card = cards.getIfPresent(leg(end));
            return card != null ? card : outbox.cardMayBeShown(name, end.pbx(), end.id());
        }
    }

    private static String call(Delivery delivery) {
        return delivery.pbx() + " " + delivery.callId();
    }

    private static String leg(Delivery delivery) {
        return delivery.pbx() + " " + delivery.id();
    }
}
