package io.callbridge.admin;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.platform.Time;
import io.callbridge.process.Reprocess;
import io.callbridge.process.ReprocessRun;
import io.callbridge.store.StoreException;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** What an operator wants to be evaluated again, and what he is told about it. */
@ApplicationScoped
@Named("reprocessRequest")
@RegisterForReflection
public class ReprocessRequest {

    private static final String JOBS = "/api/calls/reprocess/";

    private final Reprocess reprocess;
    private final Audit audit;

    public ReprocessRequest(Reprocess reprocess, Audit audit) {
        this.reprocess = reprocess;
        this.audit = audit;
    }

    /**
     * Begins a job unless one is under way: sets the variables {@code begun} and {@code address}, of the job that is under way.
     *
     * @return what is answered: the job in JSON, or why there is none in one line
     */
    public String begin(Exchange exchange) {
        Parameters parameters = new Parameters(exchange.getMessage().getHeader(Exchange.HTTP_RAW_QUERY, String.class), "from", "to", "dry-run");
        Instant from = parameters.from("from");
        Instant to = parameters.to("to");
        if (from == null) {
            throw RefusedException.bad("query parameter from is missing; needed: an instant or a date, the arrival of the first call's"
                    + " first event");
        }
        boolean dryRun = "true".equals(parameters.oneOf("dry-run", List.of("true", "false")));
        Instant end = to == null ? Time.now() : to;
        ReprocessRun run = new ReprocessRun(from, end, dryRun);
        boolean begun = reprocess.begin(run);
        JsonNode job = reprocess.find(Reprocess.LAST);
        String address = RequestOrigin.prefix(exchange.getMessage().getHeader(RequestOrigin.PREFIX, String.class)) + JOBS
                + (begun ? run.getJob() : job == null ? Reprocess.LAST : job.path("job").asText());
        exchange.setVariable("begun", begun);
        exchange.setVariable("address", address);
        if (!begun) {
            return "a reprocess is under way: " + address;
        }
        if (!dryRun) {
            try {
                audit.record(exchange.getMessage().getHeader(AdminGate.WHO, String.class), "reprocess", "calls from " + from + " to " + end, null);
            } catch (StoreException e) {
                reprocess.end(run, ReprocessRun.FAILED, e.getMessage());
                throw e;
            }
        }
        reprocess.run(run);
        return job.toString();
    }

    /** How far a job is. @return JSON; of the {@value Reprocess#LAST} one, if there never was any, that there is none */
    public String job(@Header("job") String id, @Header(Exchange.HTTP_RAW_QUERY) String query) {
        new Parameters(query);
        JsonNode job = reprocess.find(id);
        if (job == null && !id.equals(Reprocess.LAST)) {
            throw RefusedException.notFound("no reprocess " + id + "; the last one is at " + JOBS + Reprocess.LAST);
        }
        return job == null ? "{\"state\":\"none\"}" : job.toString();
    }

    /** Stops a job, if it runs. @return JSON, as {@link #job} does */
    public String stop(@Header("job") String id, @Header(Exchange.HTTP_RAW_QUERY) String query, @Header(AdminGate.WHO) String who) {
        JsonNode job = reprocess.find(id);
        if (job != null && job.path("state").asText().equals("running")) {
            audit.record(who, "reprocess-stop", "reprocess " + job.path("job").asText(), null);
            reprocess.stop(job.path("job").asText());
        }
        return job(id, query);
    }
}
