package io.callbridge.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The outbox on SQL: one row per (CRM, operation, id), so that an effect cannot exist twice. */
@ApplicationScoped
public class Outbox {

    private static final String COLUMNS = "seq, crm, operation, id, pbx, call_id, lane, body, enriched, state, revision,"
            + " attempts, expires_at, created_at";
    private static final int ANSWER_KEPT = 2048;

    private final Store store;
    private final ObjectMapper json;

    public Outbox(Store store, ObjectMapper json) {
        this.store = store;
        this.json = json;
    }

    /** One try and its answer; {@code status} {@code null}: none came. */
    public record Attempt(long at, Integer status, String answer, long millis) {
    }

    /**
     * Puts an effect into the outbox, inside a transaction. What is there stays, except that a picture that changed is
     * written again under its id (contract section 3): a call whose end or recording became known, a missed call with
     * another place or served after all.
     *
     * @return whether something is to be delivered now
     */
    boolean put(Connection connection, String crm, String operation, String id, String pbx, String callId, String body,
            long expiresAt, long now) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("insert into delivery (crm, operation, id, pbx, call_id,"
                + " lane, body, state, next_at, expires_at, created_at) values (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)"
                + " on conflict do nothing")) {
            insert.setString(1, crm);
            insert.setString(2, operation);
            insert.setString(3, id);
            insert.setString(4, pbx);
            insert.setString(5, callId);
            insert.setString(6, Delivery.laneOf(operation));
            insert.setString(7, body);
            insert.setLong(8, now);
            insert.setLong(9, expiresAt);
            insert.setLong(10, now);
            if (insert.executeUpdate() > 0) {
                return true;
            }
        }
        String before = body(connection, crm, operation, id);
        if (!rewrites(operation, before, body)) {
            return false;
        }
        try (PreparedStatement update = connection.prepareStatement("update delivery set body = ?, enriched = null,"
                + " state = 'pending', revision = revision + 1, attempts = 0, next_at = ?, created_at = ?"
                + " where crm = ? and operation = ? and id = ?")) {
            update.setString(1, body);
            update.setLong(2, now);
            update.setLong(3, now);
            update.setString(4, crm);
            update.setString(5, operation);
            update.setString(6, id);
            return update.executeUpdate() > 0;
        }
    }

    private boolean rewrites(String operation, String before, String after) throws SQLException {
        try {
            JsonNode old = json.readTree(before);
            JsonNode now = json.readTree(after);
            return switch (operation) {
                case Delivery.CALL -> old.path("result").asText().equals("unknown")
                        && !(old.path("result").equals(now.path("result")) && old.path("endedAt").equals(now.path("endedAt")))
                        || !old.has("recordingId") && now.has("recordingId");
                case Delivery.MISSED -> !old.path("place").equals(now.path("place")) || old.has("servedAt") != now.has("servedAt");
                default -> false;
            };
        } catch (JsonProcessingException e) {
            throw new SQLException("unreadable body in the outbox", e);
        }
    }

    private static String body(Connection connection, String crm, String operation, String id) throws SQLException {
        try (PreparedStatement query = connection.prepareStatement(
                "select body from delivery where crm = ? and operation = ? and id = ?")) {
            query.setString(1, crm);
            query.setString(2, operation);
            query.setString(3, id);
            ResultSet row = query.executeQuery();
            row.next();
            return row.getString(1);
        }
    }

    /** All deliveries of a call, oldest first. */
    public List<Delivery> call(String pbx, String callId) {
        return select("pbx = ? and call_id = ? order by seq", pbx, callId);
    }

    /** Deliveries that are due, oldest first; of one id only the first that is not done, so that its order holds. */
    public List<Delivery> due(String lane, int limit) {
        return select("state = 'pending' and lane = ? and next_at <= ? and not exists (select 1 from delivery before"
                + " where before.crm = delivery.crm and before.id = delivery.id and before.state = 'pending'"
                + " and before.seq < delivery.seq) order by seq limit " + limit, lane, System.currentTimeMillis());
    }

    /**
     * Whether the card of a leg may have reached the CRM, so that its end must be told: it was confirmed, or it was sent (the
     * request is kept before the first try) and not refused at once.
     */
    public boolean cardMayBeShown(String crm, String legId) {
        List<Delivery> card = select("crm = ? and operation = 'card' and id = ?", crm, legId);
        return !card.isEmpty() && switch (card.get(0).state()) {
            case "delivered" -> true;
            case "dead" -> card.get(0).attempts() > 1;
            default -> card.get(0).enriched() != null;
        };
    }

    private List<Delivery> select(String where, Object... values) {
        return store.read(connection -> {
            try (PreparedStatement query = connection.prepareStatement("select " + COLUMNS + " from delivery where " + where)) {
                for (int i = 0; i < values.length; i++) {
                    query.setObject(i + 1, values[i]);
                }
                List<Delivery> found = new ArrayList<>();
                ResultSet r = query.executeQuery();
                while (r.next()) {
                    found.add(new Delivery(r.getLong(1), r.getString(2), r.getString(3), r.getString(4), r.getString(5),
                            r.getString(6), r.getString(7), r.getString(8), r.getString(9), r.getString(10), r.getInt(11),
                            r.getInt(12), r.getLong(13), r.getLong(14)));
                }
                return found;
            }
        });
    }

    /** Every try of a delivery, oldest first. */
    public List<Attempt> attempts(long delivery) {
        return store.read(connection -> {
            try (PreparedStatement query = connection.prepareStatement(
                    "select at, status, answer, millis from attempt where delivery = ? order by at")) {
                query.setLong(1, delivery);
                List<Attempt> found = new ArrayList<>();
                ResultSet r = query.executeQuery();
                while (r.next()) {
                    int status = r.getInt(2);
                    found.add(new Attempt(r.getLong(1), r.wasNull() ? null : status, r.getString(3), r.getLong(4)));
                }
                return found;
            }
        });
    }

    /** Keeps the request as it is about to be sent: a repeat after a lost answer is the same request. */
    public CompletableFuture<Boolean> enriched(Delivery delivery, String request) {
        return store.write(connection -> {
            try (PreparedStatement update = connection.prepareStatement(
                    "update delivery set enriched = ? where seq = ? and revision = ?")) {
                update.setString(1, request);
                update.setLong(2, delivery.seq());
                update.setInt(3, delivery.revision());
                return update.executeUpdate() > 0;
            }
        });
    }

    /**
     * Records the result of a try. A row that was changed meanwhile stays pending: its new content is still to be sent.
     *
     * @param state {@code delivered}, {@code dead}, {@code dropped}, or {@code pending} for a later try
     * @param nextAt of a later try
     * @param attempt {@code null} when nothing was sent
     */
    public CompletableFuture<Boolean> done(Delivery delivery, String state, Instant nextAt, Attempt attempt) {
        return store.write(connection -> {
            if (attempt != null) {
                try (PreparedStatement insert = connection.prepareStatement(
                        "insert into attempt (delivery, at, status, answer, millis) values (?, ?, ?, ?, ?)")) {
                    insert.setLong(1, delivery.seq());
                    insert.setLong(2, attempt.at());
                    insert.setObject(3, attempt.status());
                    String answer = attempt.answer();
                    insert.setString(4, answer != null && answer.length() > ANSWER_KEPT ? answer.substring(0, ANSWER_KEPT) : answer);
                    insert.setLong(5, attempt.millis());
                    insert.executeUpdate();
                }
            }
            try (PreparedStatement update = connection.prepareStatement("update delivery set state = ?, next_at = ?,"
                    + " attempts = attempts + ? where seq = ? and revision = ?")) {
                update.setString(1, state);
                update.setLong(2, nextAt.toEpochMilli());
                update.setInt(3, attempt == null ? 0 : 1);
                update.setLong(4, delivery.seq());
                update.setInt(5, delivery.revision());
                return update.executeUpdate() > 0;
            }
        });
    }
}
