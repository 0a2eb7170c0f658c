package io.callbridge.store;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** The outbox on SQL: one row per (CRM, operation, PBX, id), so that an effect cannot exist twice. */
@ApplicationScoped
public class Outbox {

    static final String SELECT = "select seq, crm, operation, id, pbx, call_id, lane, body, enriched, state, revision,"
            + " attempts, tries, next_at, expires_at, created_at, trace from delivery ";
    private static final int ANSWER_KEPT = 2048;
    /**
     * So often the end of a card is tried past its time before the registration goes ahead of it: else a CRM that takes
     * everything but the ends of cards would get no calls.
     */
    private static final int CARD_END_TRIES = 5;
    private static final long GIVEN_BACK_MS = 50;

    private final Store store;
    private final ObjectMapper json;
    private final long leaseMs;

    public Outbox(Store store, ObjectMapper json, Settings settings) {
        this.store = store;
        this.json = json;
        this.leaseMs = settings.number("store.lease-ms");
    }

    /** One try and its answer; {@code status} {@code null}: none came. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @RegisterForReflection
    public record Attempt(long at, Integer status, String answer, long millis) {

        /** Of one that failed: its answer was lost, or means "later", and what was asked for may have been done. */
        boolean mayHaveWorked() {
            return status == null || status == 408 || status == 429 || status >= 500;
        }
    }

    /**
     * Puts an effect into the outbox, inside a transaction. What is there stays, except that a picture that changed is
     * written again under its id (contract section 3): a call whose end or recording became known, a missed call with
     * another place or served after all.
     *
     * @return whether something is to be delivered now
     */
    boolean put(Sql sql, Effects.Put put, String pbx, String callId, String trace, long now) throws SQLException {
        if (sql.update("insert into delivery (crm, operation, id, pbx, call_id, lane, body, state, next_at, expires_at, created_at, trace)"
                + " values (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?) on conflict do nothing", put.crm(), put.operation(), put.id(), pbx,
                callId, Delivery.laneOf(put.operation()), put.body(), now, put.expiresAt(), now, trace) > 0) {
            return true;
        }
        String before = sql.first("select body from delivery where crm = ? and operation = ? and id = ? and pbx = ?",
                row -> row.getString(1), put.crm(), put.operation(), put.id(), pbx);
        // A row that waits keeps its time: the CRM may have asked for it, or the former contents may be on their way.
        return rewrites(put.operation(), before, put.body()) && sql.update("update delivery set body = ?, enriched = null,"
                + " next_at = case when state = 'pending' and next_at > ? then next_at else ? end, state = 'pending',"
                + " revision = revision + 1, attempts = 0, created_at = ?, trace = ? where crm = ? and operation = ? and id = ? and pbx = ?",
                put.body(), now, now, now, trace, put.crm(), put.operation(), put.id(), pbx) > 0;
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

    /** All deliveries of a call, oldest first. */
    public List<Delivery> call(String pbx, String callId) {
        return store.read(sql -> call(sql, pbx, callId));
    }

    List<Delivery> call(Sql sql, String pbx, String callId) throws SQLException {
        return sql.query(SELECT + "where pbx = ? and call_id = ? order by seq", Outbox::delivery, pbx, callId);
    }

    /**
     * Takes deliveries of a CRM that are due, those that have waited longest first. Of one call the registrations go in their
     * order, and of one leg the card, its end, the registration, the recording; a card never waits for another leg.
     *
     * @param probe the CRM fails, but maybe only for what it was given so far: the newest that was never tried goes first
     * @param busy how many this process has taken and not finished: they are among the answer if no other process can take them
     */
    public CompletableFuture<List<Delivery>> take(String crm, String lane, boolean probe, int wanted, int busy) {
        int limit = store.kind().shared() ? wanted : wanted + busy;
        long now = Time.millis();
        if (!store.kind().shared()) {
            return CompletableFuture.completedFuture(store.read(sql -> due(sql, crm, lane, probe, now, limit, "")));
        }
        boolean any = store.read(sql -> sql.first("select 1 from delivery where crm = ? and lane = ? and state = 'pending'"
                + " and next_at <= ? limit 1", row -> true, crm, lane, now)) != null;
        return !any ? CompletableFuture.completedFuture(List.of()) : store.write("", sql -> {
            List<Delivery> taken = due(sql, crm, lane, probe, now, limit, store.kind().claiming);
            for (Delivery delivery : taken) {
                sql.update("update delivery set next_at = ?, wait = 'taken' where seq = ?", now + leaseMs, delivery.seq());
            }
            return taken;
        });
    }

    /**
     * What was taken and cannot be begun need not wait for the end of its lease. So a try that was just recorded may be due again, and
     * taken, before its worker is through.
     */
    public void giveBack(List<Delivery> taken) {
        if (store.kind().shared() && !taken.isEmpty()) {
            long soon = Time.millis() + GIVEN_BACK_MS;
            List<Long> seqs = taken.stream().map(Delivery::seq).toList();
            store.write("", sql -> {
                for (long seq : seqs) {
                    sql.update("update delivery set next_at = ?, wait = 'retry' where seq = ? and state = 'pending' and wait = 'taken'", soon, seq);
                }
                return null;
            });
        }
    }

    private static List<Delivery> due(Sql sql, String crm, String lane, boolean probe, long now, int limit, String claiming)
            throws SQLException {
        String due = SELECT + "where crm = ? and lane = ? and state = 'pending' and next_at <= ? and not exists (select 1 from delivery"
                // The few of the call are looked through: no index of what waits.
                + " earlier where earlier.call_id = delivery.call_id and earlier.pbx = delivery.pbx and earlier.crm || '' = delivery.crm"
                + " and earlier.state || '' = 'pending' and earlier.seq + 0 < delivery.seq and "
                + switch (lane) {
                    case Delivery.CARDS -> "earlier.lane = 'cards' and earlier.id = delivery.id";
                    case Delivery.RECORDINGS -> "earlier.id = delivery.id";
                    default -> "(earlier.lane = 'calls' or earlier.lane = 'cards' and earlier.id = delivery.id"
                            + " and (earlier.expires_at > ? or earlier.attempts < " + CARD_END_TRIES + "))";
                } + ")";
        Object[] values = lane.equals(Delivery.CALLS) ? new Object[] {crm, lane, now, now} : new Object[] {crm, lane, now};
        List<Delivery> untried = !probe ? List.of() : sql.query(due + " and attempts = 0 order by next_at desc, seq desc limit "
                + limit + claiming, Outbox::delivery, values);
        return !untried.isEmpty() ? untried : sql.query(due + " order by next_at, seq limit " + limit + claiming, Outbox::delivery, values);
    }

    /** Another replica may have taken, or may soon take, what was taken at this time. */
    public boolean mayBeTaken(long takenAt) {
        return store.kind().shared() && Time.millis() - takenAt > leaseMs / 2;
    }

    /** Whether a card or a call waits for a CRM, due or not. */
    public boolean waits(String crm) {
        return store.read(sql -> sql.first("select 1 from delivery where crm = ? and lane in ('cards', 'calls') and state = 'pending' limit 1",
                row -> true, crm)) != null;
    }

    /**
     * Drops the cards that nobody wants to see any more. One that is on its way stays: its end must not overtake it.
     *
     * @param inFlight what this process has taken
     * @return how many
     */
    public CompletableFuture<Integer> dropExpiredCards(String crm, Set<Long> inFlight) {
        long now = Time.millis();
        Set<Long> busy = Set.copyOf(inFlight);
        String expired = " where crm = ? and lane = 'cards' and state = 'pending' and operation = 'card' and expires_at <= ?"
                + " and not (wait = 'taken' and next_at > ?)" + (busy.isEmpty() ? "" : " and seq not in " + Sql.in(busy));
        Object[] values = Stream.concat(Stream.of(crm, now, now), busy.stream()).toArray();
        boolean any = store.read(sql -> sql.first("select 1 from delivery" + expired + " limit 1", row -> true, values)) != null;
        return any ? store.write("", sql -> sql.update("update delivery set state = 'dropped'" + expired, values))
                : CompletableFuture.completedFuture(0);
    }

    /** What waits for a CRM that is back need not wait any longer. */
    public CompletableFuture<Integer> hurry(String crm) {
        long now = Time.millis();
        return store.write("", sql -> sql.update("update delivery set next_at = ? where crm = ? and state = 'pending' and next_at > ?"
                + " and wait = 'retry'", now, crm, now));
    }

    /**
     * Whether the card of a leg may have reached the CRM, so that its end must be told: it was confirmed, or it was sent (the
     * request is kept before the first try if it was looked up for) and not refused at once, with any answer but "later".
     */
    public boolean cardMayBeShown(String crm, String pbx, String legId) {
        Delivery card = store.read(sql -> sql.first(SELECT + "where crm = ? and operation = 'card' and id = ? and pbx = ?", Outbox::delivery,
                crm, legId, pbx));
        return card != null && switch (card.state()) {
            case "delivered" -> true;
            case "dropped", "dead" -> card.attempts() == 1 ? attempts(card).stream().anyMatch(Attempt::mayHaveWorked)
                    : card.enriched() != null || card.attempts() > 0;
            default -> card.enriched() != null || card.attempts() > 0;
        };
    }

    static Delivery delivery(ResultSet row) throws SQLException {
        return new Delivery(row.getLong(1), row.getString(2), row.getString(3), row.getString(4), row.getString(5), row.getString(6),
                row.getString(7), row.getString(8), row.getString(9), row.getString(10), row.getInt(11), row.getInt(12),
                row.getString(13), row.getLong(14), row.getLong(15), row.getLong(16), row.getString(17));
    }

    /** Every try of a delivery, oldest first. */
    public List<Attempt> attempts(Delivery delivery) {
        return attempts(delivery.tries());
    }

    private List<Attempt> attempts(String tries) {
        try {
            return json.readValue(tries, new TypeReference<List<Attempt>>() { });
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("unreadable tries in the outbox", e);
        }
    }

    /** With the first 2 KiB of its answer (contract section 3), without what PostgreSQL takes for no text. */
    private String with(Attempt attempt, String tries) {
        String answer = attempt.answer() == null ? null : attempt.answer().replace('\0', ' ');
        if (answer != null && answer.length() > ANSWER_KEPT) {
            answer = answer.substring(0, ANSWER_KEPT);
        }
        try {
            List<Attempt> all = new ArrayList<>(attempts(tries));
            all.add(new Attempt(attempt.at(), attempt.status(), answer, attempt.millis()));
            return json.writeValueAsString(all);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Keeps the request as it is about to be sent: a repeat after a lost answer is the same request. */
    public CompletableFuture<Boolean> enriched(Delivery delivery, String request) {
        return store.write(delivery.callId() + " ~", sql -> sql.update("update delivery set enriched = ? where seq = ? and revision = ?",
                request, delivery.seq(), delivery.revision()) > 0);
    }

    /**
     * Records the result of a try. A row that was changed meanwhile stays pending: its new content is to be sent now.
     * Completes with whether the row has that state by this.
     *
     * @param state {@code delivered}, {@code dead}, {@code dropped}, or {@code pending} for a later try
     * @param nextAt of a later try
     * @param asked the CRM named that time
     * @param attempt {@code null} when nothing was sent
     */
    public CompletableFuture<Boolean> done(Delivery delivery, String state, Instant nextAt, boolean asked, Attempt attempt) {
        String tries = attempt == null ? delivery.tries() : with(attempt, delivery.tries());
        String order = delivery.callId() + " ~";
        return store.change(order, "update delivery set state = ?, next_at = ?, wait = ?, attempts = attempts + ?, tries = ?"
                + " where seq = ? and revision = ? and (state = 'pending' or ? <> 'dropped')", state, nextAt.toEpochMilli(),
                asked ? "asked" : "retry", attempt == null ? 0 : 1, tries, delivery.seq(), delivery.revision(), state)
                .thenCompose(current -> current ? CompletableFuture.completedFuture(true) : store.change(order, "update delivery set tries = ?,"
                        + " next_at = case when state = 'pending' then ? else next_at end, wait = 'retry' where seq = ?", tries, Time.millis(),
                        delivery.seq()).thenApply(again -> false));
    }
}
