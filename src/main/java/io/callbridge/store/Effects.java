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
     * @param call {@code null}: no look at it was ever written
     */
    public record Snapshot(CallRow call, List<Journal.Entry> entries, List<Delivery> deliveries) {
    }

    /** An effect for one CRM; see {@link Delivery}. */
    public record Put(String crm, String operation, String id, String body, long expiresAt) {
    }

    /** Why something was decided about a card, a call or a missed call; {@code legId} empty: about the whole call. */
    public record Decision(String legId, String topic, String rule, String reason, long at) {
    }

    /**
     * @param seen the call when the look began
     * @param call what it is by this look; its version does not count
     * @param processed sequence numbers of the events that are processed with this commit; those of other legs wait for a look
     *            of their own
     * @param failed an exception ended the processing: the events are kept as failed
     * @param trace that the deliveries go on with; {@code null}: it is not traced
     */
    public record Outcome(CallRow seen, CallRow call, Collection<Long> processed, boolean failed, List<Put> puts,
            List<Decision> decisions, List<Timer> timers, String trace) {
    }

    /**
     * @param stale another look at the call was written since the snapshot was taken: nothing of this one is, it must be
     *            taken again
     * @param toDeliver something is to be delivered now
     * @param decided the decisions that were news
     */
    public record Committed(boolean stale, boolean toDeliver, List<Decision> decided) {
    }

    /** The call's row is read first: what is written while the rest is read makes the look stale. */
    public Snapshot snapshot(String pbx, String callId) {
        return store.read(sql -> {
            CallRow call = sql.first(CallRow.SELECT + "where pbx = ? and call_id = ?", CallRow::of, pbx, callId);
            return new Snapshot(call, journal.call(sql, pbx, callId), outbox.call(sql, pbx, callId));
        });
    }

    /**
     * Replicas may look at one call at the same time. The first to commit wins: a look that saw less must not overwrite the
     * timers and decisions of one that saw more.
     *
     * @return completes after the commit
     */
    public CompletableFuture<Committed> commit(Outcome outcome) {
        CallRow call = outcome.call();
        return store.write(call.callId() + " ~", sql -> {
            if (!call.write(sql, outcome.seen())) {
                return new Committed(true, false, List.of());
            }
            long now = System.currentTimeMillis();
            boolean something = false;
            for (Put put : outcome.puts()) {
                something |= outbox.put(sql, put, call.pbx(), call.callId(), outcome.trace(), now);
            }
            List<Decision> decided = new ArrayList<>();
            for (Decision decision : outcome.decisions()) {
                if (decide(sql, call, decision)) {
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

    private static boolean decide(Sql sql, CallRow call, Decision decision) throws SQLException {
        String before = sql.first("select reason from decision where pbx = ? and call_id = ? and leg_id = ? and topic = ?"
                + " order by seq desc limit 1", row -> row.getString(1), call.pbx(), call.callId(), decision.legId(), decision.topic());
        return !decision.reason().equals(before) && sql.update("insert into decision (pbx, call_id, leg_id, topic, rule, reason, at)"
                + " values (?, ?, ?, ?, ?, ?, ?)", call.pbx(), call.callId(), decision.legId(), decision.topic(), decision.rule(),
                decision.reason(), decision.at()) > 0;
    }

    /** Decisions about a call, oldest first. */
    public List<Decision> decisions(String pbx, String callId) {
        return store.read(sql -> sql.query("select leg_id, topic, rule, reason, at from decision where pbx = ? and call_id = ? order by seq",
                row -> new Decision(row.getString(1), row.getString(2), row.getString(3), row.getString(4), row.getLong(5)), pbx, callId));
    }
}
