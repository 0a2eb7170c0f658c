package io.callbridge.process;

import io.callbridge.domain.CallEvent;
import io.callbridge.platform.Settings;
import io.callbridge.store.Timer;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.ProducerTemplate;
import org.jboss.logging.Logger;

/**
 * Takes work on calls to the route {@code process-event}: one thing at a time per call, different calls in parallel. What
 * finds no room stays open in the journal, or due in the store, and {@code ops-recover} brings it again.
 */
@ApplicationScoped
public class CallLanes {

    private static final Logger LOG = Logger.getLogger(CallLanes.class);
    private static final int WAITING_PER_LANE = 2_000;
    private static final int AGAIN_SECONDS = 10;

    private final ProducerTemplate template;
    private final ThreadPoolExecutor[] lanes;
    private final Set<String> queued = ConcurrentHashMap.newKeySet();

    public CallLanes(ProducerTemplate template, Settings settings) {
        this.template = template;
        lanes = new ThreadPoolExecutor[settings.number("process.lanes")];
        for (int i = 0; i < lanes.length; i++) {
            String name = "call-lane-" + i;
            lanes[i] = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(WAITING_PER_LANE),
                    task -> new Thread(task, name));
        }
    }

    /** An event that is in the journal. */
    public void submit(CallEvent event) {
        submit("event", event.pbx(), event.callId(), event.legId(),
                event.legId() + " " + event.type().word + " " + event.at());
    }

    /** A timer that is due. */
    public void submit(Timer timer) {
        submit("timer", timer.pbx(), timer.callId(), timer.subject(), timer.subject() + " " + timer.dueAt());
    }

    private void submit(String trigger, String pbx, String callId, String subject, String what) {
        String ticket = trigger + " " + pbx + " " + callId + " " + what;
        if (!queued.add(ticket)) {
            return;
        }
        Map<String, Object> work = new HashMap<>();
        work.put("trigger", trigger);
        work.put("pbx", pbx);
        work.put("callId", callId);
        work.put("subject", subject);
        try {
            lanes[Math.floorMod(callId.hashCode(), lanes.length)].execute(() -> {
                try {
                    template.sendBody("direct:process-event", work);
                    queued.remove(ticket);
                } catch (CamelExecutionException e) {
                    // Nothing was written, so the work is found again: not at once, or a store that is down is hammered.
                    LOG.errorf("Call %s could not be processed, it is tried again: %s", callId, e.getCause());
                    CompletableFuture.delayedExecutor(AGAIN_SECONDS, TimeUnit.SECONDS).execute(() -> queued.remove(ticket));
                }
            });
        } catch (RejectedExecutionException full) {
            queued.remove(ticket);
            LOG.warnf("No room to process call %s at once; it will be processed later", callId);
        }
    }

    /** Finishes what has begun; what waits stays open in the journal. Before the store closes. */
    void close(@Observes(notifyObserver = Reception.IF_EXISTS) @Priority(1) ShutdownEvent event) throws InterruptedException {
        for (ThreadPoolExecutor lane : lanes) {
            lane.getQueue().clear();
            lane.shutdown();
        }
        for (ThreadPoolExecutor lane : lanes) {
            lane.awaitTermination(5, TimeUnit.SECONDS);
        }
    }
}
