package io.callbridge.admin;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.platform.Time;
import io.callbridge.process.Reprocess;
import io.callbridge.process.ReprocessRun;
import io.callbridge.store.StoreException;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** What an operator wants to be evaluated again, and what he is told about it. */
@ApplicationScoped
class ReprocessRequest {

    private static final String JOBS = "/api/calls/reprocess/";

    private final Reprocess reprocess;
    private final Audit audit;

    ReprocessRequest(Reprocess reprocess, Audit audit) {
        this.reprocess = reprocess;
        this.audit = audit;
    }

    /** Begins a job unless one is under way, and says where its progress can be seen. */
    JsonNode begin(AdminRequest request) {
        request.takes("from", "to", "dry-run");
        Instant from = request.from("from");
        Instant to = request.to("to");
        if (from == null) {
            throw RefusedException.bad("query parameter from is missing; needed: an instant or a date, the arrival of the first call's"
                    + " first event");
        }
        boolean dryRun = "true".equals(request.oneOf("dry-run", List.of("true", "false")));
        Instant end = to == null ? Time.now() : to;
        ReprocessRun run = new ReprocessRun(from, end, dryRun);
        boolean begun = reprocess.begin(run);
        JsonNode job = reprocess.find(Reprocess.LAST);
        String address = request.address(JOBS + (begun ? run.getJob() : job == null ? Reprocess.LAST : job.path("job").asText()));
        if (!begun) {
            request.location(address);
            throw RefusedException.conflict("a reprocess is under way: " + address);
        }
        if (!dryRun) {
            try {
                audit.record(request.who(), "reprocess", "calls from " + from + " to " + end, null);
            } catch (StoreException e) {
                reprocess.end(run, ReprocessRun.FAILED, e.getMessage());
                throw e;
            }
        }
        reprocess.run(run);
        request.location(address);
        return job;
    }

    /** How far a job is; of the {@value Reprocess#LAST} one, if there never was any, that there is none. */
    Object job(AdminRequest request) {
        String id = request.takes().path("job");
        JsonNode job = reprocess.find(id);
        if (job == null && !id.equals(Reprocess.LAST)) {
            throw RefusedException.notFound("no reprocess " + id + "; the last one is at " + JOBS + Reprocess.LAST);
        }
        return job == null ? Map.of("state", "none") : job;
    }

    /** Stops a job, if it runs. @return as {@link #job} does */
    Object stop(AdminRequest request) {
        JsonNode job = reprocess.find(request.path("job"));
        if (job != null && job.path("state").asText().equals("running")) {
            audit.record(request.who(), "reprocess-stop", "reprocess " + job.path("job").asText(), null);
            reprocess.stop(job.path("job").asText());
        }
        return job(request);
    }
}
