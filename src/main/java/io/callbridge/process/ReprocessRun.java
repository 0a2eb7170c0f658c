package io.callbridge.process;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.callbridge.platform.Time;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One run over stored calls: which ones, how far it is, and what came of it, as JSON tells it. It is {@link Reprocess}'s, whose lock counts. */
@RegisterForReflection
@JsonAutoDetect(fieldVisibility = Visibility.NON_PRIVATE)
@JsonInclude(Include.NON_NULL)
@JsonPropertyOrder({"job", "state", "reason", "startedAt", "endedAt", "done", "of"})
public final class ReprocessRun {

    static final String RUNNING = "running";
    static final String DONE = "done";
    static final String STOPPED = "stopped";
    /** By a restart, or by a replica that died. */
    static final String ENDED = "ended";
    public static final String FAILED = "failed";

    final String job = Long.toString(Time.millis());
    String state = RUNNING;
    /** Why it has ended so. */
    String reason;
    final String startedAt = Time.now().toString();
    String endedAt;
    /** How many calls there are. */
    long of;
    final boolean dryRun;
    /** The call's first event arrived then or later, and before {@code to}. */
    final String from;
    final String to;
    /** That were evaluated; {@code open}: of those, left to their own evaluation, which is under way. */
    int calls;
    int open;
    /** That could not be evaluated. */
    int failed;
    /** Effects that the outbox had not, had otherwise, and got. */
    int missing;
    int different;
    int created;
    final List<Map<String, Object>> differences = new ArrayList<>();

    public ReprocessRun(Instant from, Instant to, boolean dryRun) {
        this.from = from.toString();
        this.to = to.toString();
        this.dryRun = dryRun;
    }

    public String getJob() {
        return job;
    }

    public int getDone() {
        return calls + failed;
    }
}
