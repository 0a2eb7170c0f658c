package io.callbridge.process;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.callbridge.platform.Settings;
import io.callbridge.store.CrmMemory;
import io.callbridge.store.StoreException;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * One {@link ReprocessRun} at a time over all replicas, whose progress is kept in the store: any replica can tell of it, and after a
 * restart it is known how far it came.
 */
@ApplicationScoped
public class ReprocessJobs {

    /** Stands for the last one, whichever that is. */
    public static final String LAST = "last";

    private static final Logger LOG = Logger.getLogger(ReprocessJobs.class);
    private static final String JOB = "reprocess";
    private static final String LEASE = "lease reprocess";
    private static final String FOUND = "reprocess-differences";
    private static final String UNWANTED = "reprocess-unwanted";
    private static final long KEPT_EVERY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final CrmMemory memory;
    private final ObjectMapper json;
    private final long leaseMs;
    private final String replica = UUID.randomUUID().toString();
    private ReprocessRun mine;
    private long keptAt;
    private int keptDifferences;
    private boolean lost;

    public ReprocessJobs(CrmMemory memory, Settings settings, ObjectMapper json) {
        this.memory = memory;
        this.json = json;
        this.leaseMs = settings.number("store.lease-ms");
    }

    /** @return whether it may run: none does so far */
    public synchronized boolean begin(ReprocessRun run) {
        if (mine != null && mine.running() || !result(memory.claim("", LEASE, replica, leaseMs))) {
            return false;
        }
        keptDifferences = -1;
        lost = false;
        keep(run);
        mine = run;
        return true;
    }

    /** Called behind every call. */
    void went(ReprocessRun run) {
        if (System.nanoTime() - keptAt < KEPT_EVERY_NANOS) {
            return;
        }
        // The store was away for so long that another replica may have begun.
        lost = !result(memory.claim("", LEASE, replica, leaseMs));
        if (lost || run.id.equals(memory.recall("", "", UNWANTED))) {
            run.stop();
        }
        keep(run);
    }

    public synchronized void end(ReprocessRun run, String state, String reason) {
        run.end(state, reason);
        LOG.infof("Reprocessing of %s ended: %s", run.id, run.progress());
        try {
            keep(run);
            result(memory.release("", LEASE, replica));
        } catch (StoreException away) {
            // Whoever asks later is told that it ended with this process; the lease runs out by itself.
            LOG.warnf("How the reprocessing of %s ended could not be kept: %s", run.id, away.getMessage());
        }
    }

    private void keep(ReprocessRun run) {
        if (lost) {
            return;
        }
        try {
            int differences = run.differences().size();
            if (differences != keptDifferences) {
                result(memory.keep("", "", FOUND, json.writeValueAsString(run.differences())));
                keptDifferences = differences;
            }
            result(memory.keep("", "", JOB, json.writeValueAsString(run.progress())));
            keptAt = System.nanoTime();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** @param id of a job, or {@value #LAST}. @return {@code null}: there is none, or a later one has taken its place */
    public synchronized JsonNode find(String id) {
        try {
            String kept = memory.recall("", "", JOB);
            ObjectNode job = kept == null ? null : (ObjectNode) json.readTree(kept);
            if (job == null || !id.equals(LAST) && !id.equals(job.path("job").asText())) {
                return null;
            }
            boolean here = mine != null && mine.id.equals(job.path("job").asText());
            if (here) {
                job = json.valueToTree(mine.progress());
                job.set("differences", json.valueToTree(mine.differences()));
                return job;
            }
            if (job.path("state").asText().equals(ReprocessRun.RUNNING) && !(memory.shared() && memory.claimed("", LEASE))) {
                job.put("state", ReprocessRun.ENDED);
                job.put("reason", "ended by a restart at " + job.path("done") + " of " + job.path("of"));
            }
            String found = memory.recall("", "", FOUND);
            job.set("differences", found == null ? json.createArrayNode() : json.readTree(found));
            return job;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** It ends behind the call that is being folded, wherever it runs. */
    public synchronized void stop(String id) {
        if (mine != null && mine.id.equals(id)) {
            mine.stop();
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
