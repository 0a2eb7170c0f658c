package io.callbridge.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** Writes what the processing of one event or timer led to: in one transaction, together with the note that it is done. */
@ApplicationScoped
public class Effects {

    private final Store store;
    private final Outbox outbox;

    public Effects(Store store, Outbox outbox) {
        this.store = store;
        this.outbox = outbox;
    }

    /** An effect for one CRM; see {@link Delivery}. */
    public record Put(String crm, String operation, String id, String body, long expiresAt) {
    }

    /** Why something was decided about a card, a call or a missed call; {@code legId} empty: about the whole call. */
    public record Decision(String legId, String topic, String rule, String reason, long at) {
    }

    /**
     * @param pbx and {@code callId}: the call
     * @param subject the leg that was looked at: its events up to {@code throughSeq} are processed with this commit; those
     *            of other legs wait for a look of their own
     * @param failed an exception ended the processing: the events are kept as failed
     */
    public record Outcome(String pbx, String callId, String subject, long throughSeq, boolean failed, List<Put> puts,
            List<Decision> decisions, List<Timer> timers) {
    }

    /**
     * @param toDeliver something is to be delivered now
     * @param decided the decisions that were news
     */
    public record Committed(boolean toDeliver, List<Decision> decided) {
    }

    /** @return completes after the commit */
    public CompletableFuture<Committed> commit(Outcome outcome) {
        return store.write(connection -> {
            long now = System.currentTimeMillis();
            boolean something = false;
            for (Put put : outcome.puts()) {
                something |= outbox.put(connection, put.crm(), put.operation(), put.id(), outcome.pbx(), outcome.callId(),
                        put.body(), put.expiresAt(), now);
            }
            List<Decision> decided = new ArrayList<>();
            for (Decision decision : outcome.decisions()) {
                if (decide(connection, outcome, decision)) {
                    decided.add(decision);
                }
            }
            for (Timer timer : outcome.timers()) {
                set(connection, timer);
            }
            try (PreparedStatement update = connection.prepareStatement("update event set state = ?"
                    + " where pbx = ? and call_id = ? and leg_id = ? and seq <= ?")) {
                update.setString(1, outcome.failed() ? "failed" : "done");
                update.setString(2, outcome.pbx());
                update.setString(3, outcome.callId());
                update.setString(4, outcome.subject());
                update.setLong(5, outcome.throughSeq());
                update.executeUpdate();
            }
            return new Committed(something, decided);
        });
    }

    /** Timers whose time has come, of these PBXs. */
    public List<Timer> due(Set<String> pbxs, int limit) {
        return store.read(connection -> {
            try (PreparedStatement query = connection.prepareStatement("select pbx, call_id, subject, due_at from timer"
                    + " where due_at <= ? and pbx in (" + Store.places(pbxs) + ") order by due_at limit " + limit)) {
                int place = 1;
                query.setLong(place++, System.currentTimeMillis());
                for (String pbx : pbxs) {
                    query.setString(place++, pbx);
                }
                List<Timer> found = new ArrayList<>();
                ResultSet r = query.executeQuery();
                while (r.next()) {
                    found.add(new Timer(r.getString(1), r.getString(2), r.getString(3), Instant.ofEpochMilli(r.getLong(4))));
                }
                return found;
            }
        });
    }

    /** Decisions about a call, oldest first. */
    public List<Decision> decisions(String pbx, String callId) {
        return store.read(connection -> {
            try (PreparedStatement query = connection.prepareStatement("select leg_id, topic, rule, reason, at from decision"
                    + " where pbx = ? and call_id = ? order by seq")) {
                query.setString(1, pbx);
                query.setString(2, callId);
                List<Decision> found = new ArrayList<>();
                ResultSet r = query.executeQuery();
                while (r.next()) {
                    found.add(new Decision(r.getString(1), r.getString(2), r.getString(3), r.getString(4), r.getLong(5)));
                }
                return found;
            }
        });
    }

    private static boolean decide(Connection connection, Outcome outcome, Decision decision) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("insert into decision (pbx, call_id, leg_id, topic, rule,"
                + " reason, at) select ?, ?, ?, ?, ?, ?, ? where coalesce((select reason from decision where pbx = ? and call_id = ?"
                + " and leg_id = ? and topic = ? order by seq desc limit 1), '') <> ?")) {
            insert.setString(1, outcome.pbx());
            insert.setString(2, outcome.callId());
            insert.setString(3, decision.legId());
            insert.setString(4, decision.topic());
            insert.setString(5, decision.rule());
            insert.setString(6, decision.reason());
            insert.setLong(7, decision.at());
            insert.setString(8, outcome.pbx());
            insert.setString(9, outcome.callId());
            insert.setString(10, decision.legId());
            insert.setString(11, decision.topic());
            insert.setString(12, decision.reason());
            return insert.executeUpdate() > 0;
        }
    }

    private static void set(Connection connection, Timer timer) throws SQLException {
        boolean none = timer.dueAt() == null;
        try (PreparedStatement statement = connection.prepareStatement(none
                ? "delete from timer where pbx = ? and call_id = ? and subject = ?"
                : "insert into timer (pbx, call_id, subject, due_at) values (?, ?, ?, ?)"
                        + " on conflict (pbx, call_id, subject) do update set due_at = excluded.due_at")) {
            statement.setString(1, timer.pbx());
            statement.setString(2, timer.callId());
            statement.setString(3, timer.subject());
            if (!none) {
                statement.setLong(4, timer.dueAt().toEpochMilli());
            }
            statement.executeUpdate();
        }
    }
}
