package io.callbridge.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.callbridge.platform.CallLog;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.CallRow;
import io.callbridge.store.Calls.Place;
import io.callbridge.store.Calls.Put;
import io.callbridge.store.Calls.Stored;
import io.callbridge.store.Calls;
import io.callbridge.store.Delivery;
import io.callbridge.store.Memory;
import io.callbridge.store.StoreException;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Evaluates stored calls again, without cards, and compares what the routes make of them now with the outbox. One {@link ReprocessRun} at a
 * time over all replicas, whose progress is kept in the store: any replica can tell of it, and after a restart it is known how far it came.
 */
@ApplicationScoped
public class Reprocess {

    /** Stands for the last run, whichever that is. */
    public static final String LAST = "last";

    private static final Logger LOG = Logger.getLogger(Reprocess.class);
    private static final String JOB = "reprocess";
    private static final String LEASE = "lease reprocess";
    private static final String FOUND = "reprocess-differences";
    private static final String DIFFERENT = "differences";
    private static final String UNWANTED = "reprocess-unwanted";
    private static final long KEPT_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int PAGE = 200;
    private static final int DIFFERENCES = 1_000;
    /** So often somebody else may store a call while it is being evaluated. */
    private static final int TRIES = 20;

    private final Calls calls;
    private final CallLanes lanes;
    private final Evaluator evaluator;
    private final Memory memory;
    private final Settings settings;
    private final ObjectMapper json;
    private final long leaseMs;
    private final String replica = UUID.randomUUID().toString();
    private ReprocessRun mine;
    private Thread thread;
    private volatile boolean unwanted;
    private volatile boolean closing;
    private long keptAt;
    private int keptDifferences;

    public Reprocess(Calls calls, CallLanes lanes, Evaluator evaluator, Memory memory, Settings settings, ObjectMapper json) {
        this.calls = calls;
        this.lanes = lanes;
        this.evaluator = evaluator;
        this.memory = memory;
        this.settings = settings;
        this.json = json;
        this.leaseMs = settings.number("store.lease-ms");
    }

    /** @return whether it may run: none does so far */
    public synchronized boolean begin(ReprocessRun run) {
        if (closing) {
            throw new StoreException("Callbridge is stopping", null);
        }
        if (mine != null && mine.state.equals(ReprocessRun.RUNNING) || !result(memory.claim("", LEASE, replica, leaseMs))) {
            return false;
        }
        unwanted = false;
        keptDifferences = -1;
        keep(run);
        mine = run;
        return true;
    }

    /** Evaluates one call after the other, a page of them at a time, until it is stopped. */
    public void run(ReprocessRun run) {
        thread = new Thread(() -> {
            try {
                evaluate(run);
                end(run, unwanted ? ReprocessRun.STOPPED : ReprocessRun.DONE, null);
            } catch (Throwable e) {
                // Else it would be under way for ever.
                end(run, ReprocessRun.FAILED, e.toString());
            }
        }, "reprocess");
        thread.setDaemon(true);
        thread.start();
    }

    private void evaluate(ReprocessRun run) {
        long from = Instant.parse(run.from).toEpochMilli();
        long to = Instant.parse(run.to).toEpochMilli();
        long of = calls.count(from, to, settings.pbxs());
        synchronized (this) {
            run.of = of;
        }
        for (Place last = new Place(from, "", ""); last != null;) {
            List<CallRow> rows = calls.range(to, last, PAGE);
            last = rows.size() < PAGE ? null : Place.of(rows.get(PAGE - 1));
            for (CallRow row : rows) {
                if (unwanted || closing) {
                    return;
                }
                if (settings.knows(row.pbx())) {
                    evaluate(run, row);
                    went(run);
                }
            }
        }
    }

    /** One that cannot be evaluated is counted, and the next comes. */
    private void evaluate(ReprocessRun run, CallRow row) {
        try (CallLog log = CallLog.about(row.callId())) {
            try {
                for (int tries = 1; !evaluated(run, row); tries++) {
                    if (tries == TRIES) {
                        throw new IllegalStateException("somebody else evaluates it again and again");
                    }
                }
            } catch (Exception e) {
                LOG.errorf("Call %s could not be evaluated again: %s", row.callId(), e);
                synchronized (this) {
                    run.failed++;
                }
            }
        }
    }

    /** Every leg that is over, then the whole call. @return {@code false}: somebody else has stored the call meanwhile */
    private boolean evaluated(ReprocessRun run, CallRow row) throws Exception {
        Stored stored = calls.one(row.pbx(), row.callId());
        if (stored == null) {
            throw new IllegalStateException("its legs are another call's by now");
        }
        Set<String> subjects = new LinkedHashSet<>();
        Evaluation evaluation = evaluator.of(new OpenCall(stored), subjects);
        evaluation.cards = false;
        // Nothing of a call whose events are just being processed: a registration must not overtake the end of its card.
        boolean busy = lanes.busy(row.pbx(), row.callId());
        if (!busy) {
            evaluation.call.legs().stream().filter(leg -> leg.over(evaluation.settings, evaluation.now)).forEach(leg -> subjects.add(leg.id()));
            subjects.add(Evaluation.MISSED);
        }
        evaluator.decide(evaluation);
        if (evaluation.failure != null) {
            throw evaluation.failure;
        }
        List<Map<String, Object>> missing = new ArrayList<>();
        List<Map<String, Object>> different = new ArrayList<>();
        List<Put> news = new ArrayList<>();
        for (Put put : evaluation.puts) {
            Delivery written = evaluation.open.deliveries.stream().filter(delivery -> delivery.crm().equals(put.crm())
                    && delivery.operation().equals(put.operation()) && delivery.id().equals(put.id())).findFirst().orElse(null);
            JsonNode was = written == null ? null : json.readTree(written.body());
            if (written == null) {
                news.add(put);
                missing.add(view("missing", put, evaluation));
            } else if (!was.equals(json.readTree(put.body()))) {
                Map<String, Object> view = view("different", put, evaluation);
                view.put("stored", was);
                different.add(view);
            }
        }
        if (!run.dryRun && !news.isEmpty()) {
            // What is there stays as it is.
            evaluation.puts.retainAll(news);
            if (!evaluator.write(evaluation).join()) {
                return false;
            }
        }
        synchronized (this) {
            run.calls++;
            run.open += busy ? 1 : 0;
            run.missing += missing.size();
            run.different += different.size();
            run.created += run.dryRun ? 0 : missing.size();
            missing.addAll(different);
            missing.stream().limit(DIFFERENCES - run.differences.size()).forEach(run.differences::add);
        }
        return true;
    }

    private Map<String, Object> view(String kind, Put put, Evaluation evaluation) throws JsonProcessingException {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("kind", kind);
        view.put("callId", evaluation.call.id());
        view.put("pbx", evaluation.directory.pbx());
        view.put("crm", put.crm());
        view.put("operation", put.operation());
        view.put("key", put.id());
        view.put("request", json.readTree(put.body()));
        return view;
    }

    /** Behind every call. */
    private synchronized void went(ReprocessRun run) {
        if (System.nanoTime() - keptAt < KEPT_EVERY_NANOS) {
            return;
        }
        // The store was away for so long that another replica may have begun.
        boolean lost = !result(memory.claim("", LEASE, replica, leaseMs));
        unwanted |= lost || run.job.equals(memory.recall("", "", UNWANTED));
        if (!lost) {
            keep(run);
        }
    }

    /** What ends while Callbridge stops, ends by that. */
    public synchronized void end(ReprocessRun run, String state, String reason) {
        boolean stopped = closing && !unwanted;
        run.state = stopped ? ReprocessRun.ENDED : state;
        run.reason = stopped ? "Callbridge was stopped" : reason;
        run.endedAt = Time.now().toString();
        LOG.infof("Reprocessing of %s ended: %s, %d calls, %d effects created, %d failed", run.job, run.state, run.calls, run.created, run.failed);
        try {
            // Unless another replica has the place.
            if (result(memory.claim("", LEASE, replica, leaseMs))) {
                keep(run);
                result(memory.release("", LEASE, replica));
            }
        } catch (StoreException away) {
            // Whoever asks later is told that it ended with this process; the lease runs out by itself.
            LOG.warnf("How the reprocessing of %s ended could not be kept: %s", run.job, away.getMessage());
        }
    }

    /** Lets the call that is being evaluated finish, while there are routes and a store. */
    void close(@Observes(notifyObserver = Reception.IF_EXISTS) @Priority(1) ShutdownEvent event) throws InterruptedException {
        closing = true;
        if (thread != null) {
            thread.join(TimeUnit.SECONDS.toMillis(2));
        }
    }

    /** The differences apart: they are many, and seldom new. */
    private void keep(ReprocessRun run) {
        ObjectNode job = json.valueToTree(run);
        JsonNode differences = job.remove(DIFFERENT);
        if (differences.size() != keptDifferences) {
            result(memory.keep("", "", FOUND, differences.toString()));
            keptDifferences = differences.size();
        }
        result(memory.keep("", "", JOB, job.toString()));
        keptAt = System.nanoTime();
    }

    /** @param id of a job, or {@value #LAST}. @return {@code null}: there is none, or a later one has taken its place */
    public synchronized JsonNode find(String id) {
        ObjectNode job = (ObjectNode) read(JOB);
        if (job == null || !id.equals(LAST) && !id.equals(job.path("job").asText())) {
            return null;
        }
        if (mine != null && mine.job.equals(job.path("job").asText())) {
            return json.valueToTree(mine);
        }
        if (job.path("state").asText().equals(ReprocessRun.RUNNING) && !(memory.shared() && memory.claimed("", LEASE))) {
            job.put("state", ReprocessRun.ENDED);
            job.put("reason", "ended by a restart at " + job.path("done") + " of " + job.path("of"));
        }
        return job.set(DIFFERENT, read(FOUND));
    }

    private JsonNode read(String name) {
        try {
            String kept = memory.recall("", "", name);
            return kept == null ? null : json.readTree(kept);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** It ends behind the call that is being evaluated, wherever it runs. */
    public synchronized void stop(String id) {
        if (mine != null && mine.job.equals(id)) {
            unwanted = true;
        } else {
            result(memory.keep("", "", UNWANTED, id));
        }
    }

    private static boolean result(CompletableFuture<Boolean> asked) {
        try {
            return asked.join();
        } catch (CompletionException e) {
            throw new StoreException(e.getCause().getMessage(), e);
        }
    }
}
