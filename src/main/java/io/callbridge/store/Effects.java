package io.callbridge.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** Writes what a look at a call led to: in one transaction, together with the note that its events are processed. */
@ApplicationScoped
public class Effects {

    private final Store store;
    private final Journal journal;
    private final Outbox outbox;

    public Effects(Store store, Journal journal, Outbox outbox) {
        this.store = store;
        this.journal = journal;
        this.outbox = outbox;
    }

    /**
     * A call as the store has it.
     *
     * @param version how often its looks were written; 0: never
     */
    public record Snapshot(long version, List<Journal.Entry> entries, List<Delivery> deliveries) {
    }

    /** An effect for one CRM; see {@link Delivery}. */
    public record Put(String crm, String operation, String id, String body, long expiresAt) {
    }

    /** Why something was decided about a card, a call or a missed call; {@code legId} empty: about the whole call. */
    public record Decision(String legId, String topic, String rule, String reason, long at) {
    }

    /**
     * @param pbx and {@code callId}: the call
     * @param version of the {@link Snapshot} that was looked at
     * @param firstAt and {@code lastAt}: arrivals of its first and last event, in milliseconds since 1970
     * @param processed sequence numbers of the events that are processed with this commit; those of other legs wait for a look
     *            of their own
     * @param failed an exception ended the processing: the events are kept as failed
     */
    public record Outcome(String pbx, String callId, long version, long firstAt, long lastAt, Collection<Long> processed,
            boolean failed, List<Put> puts, List<Decision> decisions, List<Timer> timers) {
    }

    /**
     * @param stale another look at the call was written since the snapshot was taken: nothing of this one is, it must be
     *            taken again
     * @param toDeliver something is to be delivered now
     * @param decided the decisions that were news
     */
    public record Committed(boolean stale, boolean toDeliver, List<Decision> decided) {
    }

    /** The version is read first: what is written while the rest is read makes the look stale. */
    public Snapshot snapshot(String pbx, String callId) {
        return store.read(sql -> {
            Long version = sql.first("select version from call where pbx = ? and call_id = ?", row -> row.getLong(1), pbx, callId);
            return new Snapshot(version == null ? 0 : version, journal.call(sql, pbx, callId), outbox.call(sql, pbx, callId));
        });
    }

    /**
     * Replicas may look at one call at the same time. The first to commit wins: a look that saw less must not overwrite the
     * timers and decisions of one that saw more.
     *
     * @return completes after the commit
     */
    public CompletableFuture<Committed> commit(Outcome outcome) {
        return store.write(outcome.callId() + " ~", sql -> {
            if (!newest(sql, outcome)) {
                return new Committed(true, false, List.of());
            }
            long now = System.currentTimeMillis();
            boolean something = false;
            for (Put put : outcome.puts()) {
                something |= outbox.put(sql, put, outcome.pbx(), outcome.callId(), now);
            }
            List<Decision> decided = new ArrayList<>();
            for (Decision decision : outcome.decisions()) {
                if (decide(sql, outcome, decision)) {
                    decided.add(decision);
                }
            }
            for (Timer timer : outcome.timers()) {
                Timers.set(sql, timer);
            }
            if (!outcome.processed().isEmpty()) {
                sql.update("update event set state = ? where seq in " + Sql.in(outcome.processed()),
                        Stream.concat(Stream.of(outcome.failed() ? "failed" : "done"), outcome.processed().stream()).toArray());
            }
            return new Committed(false, something, decided);
        });
    }

    private static boolean newest(Sql sql, Outcome outcome) throws SQLException {
        if (outcome.version() == 0) {
            return sql.update("insert into call (pbx, call_id, version, first_at, last_at) values (?, ?, 1, ?, ?) on conflict do nothing",
                    outcome.pbx(), outcome.callId(), outcome.firstAt(), outcome.lastAt()) > 0;
        }
        return sql.update("update call set version = version + 1, first_at = ?, last_at = ? where pbx = ? and call_id = ? and version = ?",
                outcome.firstAt(), outcome.lastAt(), outcome.pbx(), outcome.callId(), outcome.version()) > 0;
    }

    private static boolean decide(Sql sql, Outcome outcome, Decision decision) throws SQLException {
        String before = sql.first("select reason from decision where pbx = ? and call_id = ? and leg_id = ? and topic = ?"
                + " order by seq desc limit 1", row -> row.getString(1), outcome.pbx(), outcome.callId(), decision.legId(), decision.topic());
        return !decision.reason().equals(before) && sql.update("insert into decision (pbx, call_id, leg_id, topic, rule, reason, at)"
                + " values (?, ?, ?, ?, ?, ?, ?)", outcome.pbx(), outcome.callId(), decision.legId(), decision.topic(), decision.rule(),
                decision.reason(), decision.at()) > 0;
    }

    /** Decisions about a call, oldest first. */
    public List<Decision> decisions(String pbx, String callId) {
        return store.read(sql -> sql.query("select leg_id, topic, rule, reason, at from decision where pbx = ? and call_id = ? order by seq",
                row -> new Decision(row.getString(1), row.getString(2), row.getString(3), row.getString(4), row.getLong(5)), pbx, callId));
    }
}
