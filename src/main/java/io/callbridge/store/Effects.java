package io.callbridge.store;

import io.callbridge.platform.Time;
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

        boolean isOf(Delivery delivery) {
            return delivery.crm().equals(crm) && delivery.operation().equals(operation) && delivery.id().equals(id);
        }
    }

    /** Why something was decided about a card, a call or a missed call; {@code legId} empty: about the whole call. */
    public record Decision(String legId, String topic, String rule, String reason, long at) {
    }

    /**
     * @param seen what the look began with
     * @param call what it is by this look; its version does not count
     * @param processed sequence numbers of the events that are processed with this commit; those of other legs wait for a look
     *            of their own
     * @param failed an exception ended the processing: the events are kept as failed
     * @param trace that the deliveries go on with; {@code null}: it is not traced
     */
    public record Outcome(Snapshot seen, CallRow call, Collection<Long> processed, boolean failed, List<Put> puts,
            List<Decision> decisions, List<Timer> timers, String trace) {
    }

    /**
     * @param stale another look at the call was written since the snapshot was taken: nothing of this one is, it must be
     *            taken again
     * @param toDeliver for the {@link Outbox.Courier}
     * @param decided the decisions that were news
     */
    public record Committed(boolean stale, List<Delivery> toDeliver, List<Decision> decided) {
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
            if (!call.write(sql, outcome.seen().call())) {
                return new Committed(true, List.of(), List.of());
            }
            List<Delivery> toDeliver = outbox.put(sql, outcome.puts(), call.pbx(), call.callId(), outcome.trace(), Time.millis(),
                    outcome.seen().deliveries());
            List<Decision> decided = new ArrayList<>();
            for (Decision decision : outcome.decisions()) {
                if (decide(sql, call.pbx(), call.callId(), decision)) {
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
            return new Committed(false, toDeliver, decided);
        });
    }

    /**
     * An event that is another call's, or another leg's, than its CallID and SubCallID say.
     *
     * @param decidedFor the leg that the reason is about; empty: the whole call
     */
    public record Placed(Journal.Entry entry, String callId, String legId, String decidedFor, String reason) {
    }

    /**
     * Puts events where they belong, to be looked at there as if they were new; one that is there already is a repeat. What the
     * CRMs were told of a leg goes with it, and with its last leg goes all that is left of a call.
     */
    public void place(String pbx, List<Placed> placed) {
        if (placed.isEmpty()) {
            return;
        }
        store.writeAndWait(Store.LAST, sql -> {
            for (Placed each : placed) {
                place(sql, pbx, each);
            }
            return null;
        });
    }

    private static void place(Sql sql, String pbx, Placed placed) throws SQLException {
        long seq = placed.entry().seq();
        String from = placed.entry().event().callId();
        if (sql.update("update event set call_id = ?, leg_id = ?, state = 'new' where seq = ? and call_id = ? and leg_id = ? and not exists"
                + " (select 1 from event same where same.pbx = event.pbx and same.leg_id = ? and same.type = event.type"
                + " and same.event_time = event.event_time and same.seq <> event.seq)", placed.callId(), placed.legId(), seq, from,
                placed.entry().event().legId(), placed.legId()) == 0) {
            sql.update("delete from event where seq = ? and call_id = ? and leg_id = ?", seq, from, placed.entry().event().legId());
        }
        decide(sql, pbx, placed.callId(), new Decision(placed.decidedFor(), "ids", "R6", placed.reason(), Time.millis()));
        if (placed.callId().equals(from)) {
            return;
        }
        sql.update("update delivery set call_id = ? where pbx = ? and call_id = ? and id = ? and operation not in ('missed', 'task')",
                placed.callId(), pbx, from, placed.legId());
        // Nobody who looks at it just now has seen that.
        sql.update("update call set version = version + 1 where pbx = ? and call_id = ?", pbx, from);
        if (sql.first("select 1 from event where pbx = ? and call_id = ? limit 1", row -> true, pbx, from) == null) {
            for (String part : List.of("delivery", "decision")) {
                sql.update("update " + part + " set call_id = ? where pbx = ? and call_id = ?", placed.callId(), pbx, from);
            }
            for (String part : List.of("timer", "call_party", "call")) {
                sql.update("delete from " + part + " where pbx = ? and call_id = ?", pbx, from);
            }
        }
    }

    private static boolean decide(Sql sql, String pbx, String callId, Decision decision) throws SQLException {
        String before = sql.first("select reason from decision where pbx = ? and call_id = ? and leg_id = ? and topic = ?"
                + " order by seq desc limit 1", row -> row.getString(1), pbx, callId, decision.legId(), decision.topic());
        return !decision.reason().equals(before) && sql.update("insert into decision (pbx, call_id, leg_id, topic, rule, reason, at)"
                + " values (?, ?, ?, ?, ?, ?, ?)", pbx, callId, decision.legId(), decision.topic(), decision.rule(),
                decision.reason(), decision.at()) > 0;
    }

    /** Decisions about a call, oldest first. */
    public List<Decision> decisions(String pbx, String callId) {
        return store.read(sql -> sql.query("select leg_id, topic, rule, reason, at from decision where pbx = ? and call_id = ? order by seq",
                row -> new Decision(row.getString(1), row.getString(2), row.getString(3), row.getString(4), row.getLong(5)), pbx, callId));
    }
}
