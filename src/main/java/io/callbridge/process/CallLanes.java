package io.callbridge.process;

import io.callbridge.domain.CallEvent;
import io.callbridge.platform.CallLog;
import io.callbridge.store.Journal;
import io.callbridge.store.StoreException;
import io.callbridge.store.Timer;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.ProducerTemplate;
import org.jboss.logging.Logger;

/**
 * Takes calls to the route {@code process-event}: one look at a time per call, different calls in parallel. What reaches a
 * call while it waits is taken along by the same look. What finds no room stays open in the journal, and {@code ops-recover}
 * brings it again.
 */
@ApplicationScoped
public class CallLanes {

    private static final Logger LOG = Logger.getLogger(CallLanes.class);
    /** Calls processed in parallel; one call is always processed one thing at a time. */
    private static final int LANES = 16;
    private static final int WAITING_CALLS = 20_000;
    private static final int STALE_LOOKS = 20;
    private static final int STOP_SECONDS = 3;
    /** So many events that wait to be acknowledged mean that the machine has enough to do with that. */
    private static final int BUSY = 4;
    /** What looks at calls may then take of the time: one part in so many. */
    private static final int SHARE = 10;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final ProducerTemplate template;
    private final Journal journal;
    private final Semaphore turn = new Semaphore(1);
    private final ThreadPoolExecutor[] lanes;
    private final Map<CallKey, Set<Trigger>> waiting = new ConcurrentHashMap<>();
    private volatile boolean overflowed;

    private record CallKey(String pbx, String callId) {
    }

    /** @param kind {@code event} or {@code timer}, about a leg, or the whole call ({@link Timer#MISSED}) */
    private record Trigger(String kind, String subject) {
    }

    public CallLanes(ProducerTemplate template, Journal journal) {
        this.template = template;
        this.journal = journal;
        lanes = new ThreadPoolExecutor[LANES];
        for (int i = 0; i < lanes.length; i++) {
            String name = "call-lane-" + i;
            lanes[i] = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> new Thread(task, name));
        }
    }

    /** An event that is in the journal. */
    public void submit(CallEvent event) {
        submit(event.pbx(), event.callId(), event.legId());
    }

    /** An event of this leg is in the journal. */
    void submit(String pbx, String callId, String legId) {
        submit(new CallKey(pbx, callId), new Trigger("event", legId));
    }

    /** A timer that is due. */
    public void submit(Timer timer) {
        submit(new CallKey(timer.pbx(), timer.callId()), new Trigger("timer", timer.subject()));
    }

    private void submit(CallKey call, Trigger trigger) {
        if (waiting.size() >= WAITING_CALLS && !waiting.containsKey(call)) {
            overflowed = true;
            return;
        }
        boolean[] isNew = new boolean[1];
        waiting.compute(call, (key, triggers) -> {
            isNew[0] = triggers == null;
            Set<Trigger> all = isNew[0] ? new LinkedHashSet<>() : triggers;
            all.add(trigger);
            return all;
        });
        if (isNew[0]) {
            lanes[Math.floorMod(call.callId().hashCode(), lanes.length)].execute(() -> inTurn(call));
        }
    }

    /** Acknowledging goes first: while many events wait for it, calls are looked at one by one, and with pauses. */
    private void inTurn(CallKey call) {
        if (journal.appending() < BUSY) {
            logged(call);
            return;
        }
        turn.acquireUninterruptibly();
        try {
            long begin = System.nanoTime();
            logged(call);
            long end = begin + SHARE * (System.nanoTime() - begin);
            while (journal.appending() >= BUSY && System.nanoTime() < end) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        } finally {
            turn.release();
        }
    }

    /** Calls that may still be brought. */
    public int room() {
        return WAITING_CALLS - waiting.size();
    }

    /** Whether work was turned away since the last time this was asked. */
    boolean overflowed() {
        boolean was = overflowed;
        overflowed = false;
        return was;
    }

    private void logged(CallKey call) {
        try (CallLog log = CallLog.about(call.callId)) {
            look(call);
        }
    }

    private void look(CallKey call) {
        List<Map<String, Object>> looks = new ArrayList<>();
        for (Trigger trigger : waiting.remove(call)) {
            looks.add(Map.of("trigger", trigger.kind, "subject", trigger.subject, "pbx", call.pbx, "callId", call.callId));
        }
        for (int i = 0; i < STALE_LOOKS; i++) {
            try {
                template.sendBody("direct:process-event", new HashMap<>(Map.of("pbx", call.pbx, "callId", call.callId, "looks", looks)));
                return;
            } catch (CamelExecutionException e) {
                if (!(e.getCause() instanceof StaleLookException)) {
                    // Nothing was written, so the work is found again, by ops-recover and by its timers.
                    LOG.logf(StoreException.level(e), "Call %s could not be processed, it is tried again: %s", call.callId, e.getCause());
                    return;
                }
                if (journal.call(call.pbx, call.callId).isEmpty()) {
                    // All of it is another call's by now.
                    return;
                }
            } catch (RuntimeException e) {
                LOG.logf(StoreException.level(e), e, "Call %s could not be processed, it is tried again", call.callId);
                return;
            }
        }
        LOG.warnf("Call %s changes faster than it can be looked at; it is looked at again later", call.callId);
    }

    /** Finishes what has begun; what waits stays open in the journal. Before the store closes. */
    void close(@Observes(notifyObserver = Reception.IF_EXISTS) @Priority(1) ShutdownEvent event) throws InterruptedException {
        for (ThreadPoolExecutor lane : lanes) {
            lane.getQueue().clear();
            lane.shutdown();
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
        for (ThreadPoolExecutor lane : lanes) {
            lane.awaitTermination(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
    }
}
