package io.callbridge.process;

import io.callbridge.platform.Time;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One run over stored calls: which ones, how far it is, and what came of it. Travels along as an exchange property. */
public final class ReprocessRun {

    /** Name of the exchange property. */
    public static final String PROPERTY = "CallbridgeReprocess";

    static final String RUNNING = "running";
    static final String DONE = "done";
    static final String STOPPED = "stopped";
    /** By a restart, or by a replica that died. */
    static final String ENDED = "ended";
    static final String FAILED = "failed";

    private static final int DIFFERENCES = 1_000;

    final String id;
    final long from;
    final long to;
    final boolean dryRun;
    private final Instant startedAt = Time.now();
    private long of;
    private int calls;
    private int open;
    private int failed;
    private int missing;
    private int different;
    private int created;
    private String state = RUNNING;
    private String reason;
    private Instant endedAt;
    private volatile boolean unwanted;
    private final List<Map<String, Object>> differences = new ArrayList<>();

    /** @param from and {@code to}: the call's first event arrived at {@code from} or later and before {@code to} */
    public ReprocessRun(String id, Instant from, Instant to, boolean dryRun) {
        this.id = id;
        this.from = from.toEpochMilli();
        this.to = to.toEpochMilli();
        this.dryRun = dryRun;
    }

    public String id() {
        return id;
    }

    synchronized void of(long all) {
        of = all;
    }

    /** It ends behind the call that is being folded. */
    void stop() {
        unwanted = true;
    }

    boolean unwanted() {
        return unwanted;
    }

    synchronized boolean running() {
        return state.equals(RUNNING);
    }

    synchronized void end(String how, String why) {
        state = how;
        reason = why;
        endedAt = Time.now();
    }

    synchronized void settled(boolean isOpen, int nowMissing, int nowDifferent, int nowCreated, List<Map<String, Object>> found) {
        calls++;
        open += isOpen ? 1 : 0;
        missing += nowMissing;
        different += nowDifferent;
        created += nowCreated;
        found.stream().limit(DIFFERENCES - differences.size()).forEach(differences::add);
    }

    synchronized void failed() {
        failed++;
    }

    synchronized List<Map<String, Object>> differences() {
        return List.copyOf(differences);
    }

    /**
     * How far it is: {@code done} of so many calls, {@code state}, {@code reason}; the period, whose end is its begin if none was asked
     * for; {@code calls} that were folded; {@code open}: left to their own look, which is under way; {@code failed}: could not be
     * folded; effects that are {@code missing} in the outbox, are {@code different} there, were {@code created}.
     */
    synchronized Map<String, Object> progress() {
        Map<String, Object> progress = new LinkedHashMap<>();
        progress.put("job", id);
        progress.put("state", state);
        if (reason != null) {
            progress.put("reason", reason);
        }
        progress.put("startedAt", startedAt.toString());
        if (endedAt != null) {
            progress.put("endedAt", endedAt.toString());
        }
        progress.put("done", calls + failed);
        progress.put("of", of);
        progress.put("dryRun", dryRun);
        progress.put("from", Instant.ofEpochMilli(from).toString());
        progress.put("to", Instant.ofEpochMilli(to).toString());
        progress.put("calls", calls);
        progress.put("open", open);
        progress.put("failed", failed);
        progress.put("missing", missing);
        progress.put("different", different);
        progress.put("created", created);
        return progress;
    }
}
