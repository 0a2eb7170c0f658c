package io.callbridge.process;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One run over journaled calls: which ones, and what came of it. Travels along as an exchange property. */
public final class ReprocessRun {

    /** Name of the exchange property. */
    public static final String PROPERTY = "CallbridgeReprocess";

    private static final int DIFFERENCES = 1_000;

    final long from;
    final long to;
    final boolean dryRun;
    int calls;
    int open;
    int failed;
    int missing;
    int different;
    int created;
    private final List<Map<String, Object>> differences = new ArrayList<>();

    /** @param from and {@code to}: the call's first event arrived at {@code from} or later and before {@code to} */
    public ReprocessRun(Instant from, Instant to, boolean dryRun) {
        this.from = from.toEpochMilli();
        this.to = to.toEpochMilli();
        this.dryRun = dryRun;
    }

    void difference(Map<String, Object> difference) {
        if (differences.size() < DIFFERENCES) {
            differences.add(difference);
        }
    }

    /**
     * What is answered: the period, whose end is now if none was asked for; {@code calls} that were folded; {@code open}: left to their own look, which is under way;
     * {@code failed}: could not be folded; effects that are {@code missing} in the outbox, are {@code different} there, were
     * {@code created}; and the first thousand differences.
     */
    public Map<String, Object> answer() {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("dryRun", dryRun);
        answer.put("from", Instant.ofEpochMilli(from).toString());
        answer.put("to", Instant.ofEpochMilli(to).toString());
        answer.put("calls", calls);
        answer.put("open", open);
        answer.put("failed", failed);
        answer.put("missing", missing);
        answer.put("different", different);
        answer.put("created", created);
        answer.put("differences", differences);
        return answer;
    }
}
