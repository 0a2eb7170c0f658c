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
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** The outbox on SQL: one row per (CRM, operation, PBX, id), so that an effect cannot exist twice. */
@ApplicationScoped
public class Outbox {

    private static final String COLUMNS = "seq, crm, operation, id, pbx, call_id, lane, body, enriched, state, revision, attempts, tries,"
            + " next_at, expires_at, created_at, trace";
    public static final String SELECT = "select " + COLUMNS + " from delivery ";
    /** Of a card whose end is told already: shown again, it would stay. */
    public static final String ENDED = "operation = 'card' and exists (select 1 from delivery ending where ending.crm = delivery.crm"
            + " and ending.operation = 'card-end' and ending.id = delivery.id and ending.pbx = delivery.pbx and ending.state <> 'pending')";
    /**
     * So often the end of a card is tried past its time before the registration goes ahead of it: else a CRM that takes
     * everything but the ends of cards would get no calls.
     */
    private static final int CARD_END_TRIES = 5;
    /** Of what somebody had taken when its lease ran out nobody knows whether it was sent: that was a try, too. */
    private static final String LOST = "attempts = attempts + case wait when 'taken' then 1 else 0 end";

    private final Store store;
    private final ObjectMapper json;
    private final long leaseMs;
    private volatile Courier courier = (crm, lane, earlier) -> false;

    public Outbox(Store store, ObjectMapper json, Settings settings) {
        this.store = store;
        this.json = json;
        this.leaseMs = settings.number("store.lease-ms");
    }

    /** One try and its answer; {@code status} {@code null}: none came. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @RegisterForReflection
    public record Attempt(long at, Integer status, String answer, long millis) {

        private static final int ANSWER_KEPT = 2048;

        /** With the first 2 KiB of its answer (contract section 3), without what PostgreSQL takes for no text. */
        public Attempt {
            answer = answer == null ? null : answer.substring(0, Math.min(ANSWER_KEPT, answer.length())).replace('\0', ' ');
        }

        /** Of one that failed: its answer was lost, or means "later", and what was asked for may have been done. */
        public boolean mayHaveWorked() {
            return status == null || status == 408 || status == 429 || status >= 500;
        }
    }

    /** Delivers what is new straight from memory. */
    public interface Courier {

        /**
         * @param earlier what the call has for the CRM already
         * @return whether it takes a new one: nothing that must go before waits in the store only
         */
        boolean takes(String crm, String lane, List<Delivery> earlier);
    }

    /** Who is handed what {@link #put} returns. */
    public void deliverBy(Courier whom) {
        courier = whom;
    }

    /**
     * Puts effects into the outbox, inside a transaction. What is there stays, except that a picture that changed is written again
     * under its id (contract section 3): a call whose end or recording became known, a missed call with another place or served after
     * all. What will be delivered straight is taken already; the rest is due at once.
     *
     * @param known what the call has in the outbox
     * @return what is to be delivered now
     */
    List<Delivery> put(Sql sql, List<Calls.Put> puts, String pbx, String callId, String trace, long now, List<Delivery> known)
            throws SQLException {
        List<Delivery> earlier = new ArrayList<>(known);
        List<Delivery> toDeliver = new ArrayList<>();
        List<Calls.Put> fresh = new ArrayList<>();
        for (Calls.Put put : puts) {
            Delivery before = earlier.stream().filter(put::isOf).findFirst().orElse(null);
            if (before == null) {
                fresh.add(put);
            } else if (rewrites(put.operation(), before.body(), put.body())) {
                // A row that waits keeps its time: the CRM may have asked for it, or the former contents may be on their way.
                toDeliver.addAll(sql.query("update delivery set body = ?, enriched = null,"
                        + " next_at = case when state = 'pending' and next_at > ? then next_at else ? end, state = 'pending',"
                        + " revision = revision + 1, attempts = 0, created_at = ?, trace = ? where seq = ? returning " + COLUMNS,
                        Outbox::delivery, put.body(), now, now, now, trace, before.seq()));
                earlier.remove(before);
            }
        }
        earlier.addAll(toDeliver);
        if (!fresh.isEmpty()) {
            toDeliver.addAll(insert(sql, fresh, pbx, callId, trace, now, earlier));
        }
        return toDeliver;
    }

    private List<Delivery> insert(Sql sql, List<Calls.Put> fresh, String pbx, String callId, String trace, long now,
            List<Delivery> earlier) throws SQLException {
        Set<String> behind = new HashSet<>();
        List<Object> values = new ArrayList<>();
        for (Calls.Put put : fresh) {
            String lane = Delivery.laneOf(put.operation());
            List<Delivery> its = earlier.stream().filter(each -> each.crm().equals(put.crm())).toList();
            // What follows in the order of the call goes after it.
            boolean due = behind.contains(put.crm()) || !courier.takes(put.crm(), lane, its) && behind.add(put.crm());
            Collections.addAll(values, put.crm(), put.operation(), put.id(), pbx, callId, lane, put.body(), due ? now : now + leaseMs,
                    due ? "retry" : "taken", put.expiresAt(), now, trace);
        }
        return sql.query("insert into delivery (crm, operation, id, pbx, call_id, lane, body, state, next_at, wait, expires_at, created_at,"
                + " trace) values " + String.join(", ", Collections.nCopies(fresh.size(), "(?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?)"))
                + " on conflict do nothing returning " + COLUMNS, Outbox::delivery, values.toArray());
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
        return store.calls().read(sql -> call(sql, pbx, callId));
    }

    List<Delivery> call(Sql sql, String pbx, String callId) throws SQLException {
        return sql.query(SELECT + "where pbx = ? and call_id = ? order by seq", Outbox::delivery, pbx, callId);
    }

    /** Whether anything is due, though it may have to wait for its turn. */
    public boolean isDue(String crm, String lane) {
        return store.calls().read(sql -> sql.first("select 1 from delivery where crm = ? and lane = ? and state = 'pending' and next_at <= ?"
                + " limit 1", row -> true, crm, lane, Time.millis())) != null;
    }

    /**
     * Takes deliveries of a CRM that are due, those that have waited longest, for the time of a lease. Of one call the registrations go in
     * their order, and of one leg the card, its end, the registration, the recording; a card never waits for another leg.
     *
     * @param probe the CRM fails, but maybe only for what it was given so far: the newest that was never tried goes first
     * @return in the order of the outbox
     */
    public CompletableFuture<List<Delivery>> take(String crm, String lane, boolean probe, int wanted) {
        return store.calls().write("", sql -> {
            List<Delivery> taken = probe ? take(sql, crm, lane, "attempts = 0 order by next_at desc, seq desc limit " + wanted) : List.of();
            return taken.isEmpty() ? take(sql, crm, lane, "1 = 1 order by next_at, seq limit " + wanted) : taken;
        });
    }

    private List<Delivery> take(Sql sql, String crm, String lane, String which) throws SQLException {
        long now = Time.millis();
        List<Object> values = new ArrayList<>(List.of(crm, lane, now));
        if (lane.equals(Delivery.CALLS)) {
            values.add(now);
        }
        values.add(now + leaseMs);
        return sql.query("with due as materialized (select seq from delivery where crm = ? and lane = ? and state = 'pending'"
                // The few of the call are looked through: no index of what waits.
                + " and next_at <= ? and not exists (select 1 from delivery earlier where earlier.call_id = delivery.call_id"
                + " and earlier.pbx = delivery.pbx and earlier.crm || '' = delivery.crm and earlier.state || '' = 'pending'"
                + " and earlier.seq + 0 < delivery.seq and "
                + switch (lane) {
                    // A card that was told of after its end would stay.
                    case Delivery.CARDS -> "earlier.lane = 'cards' and earlier.id = delivery.id) and not (" + ENDED;
                    case Delivery.RECORDINGS -> "earlier.id = delivery.id";
                    default -> "(earlier.lane = 'calls' or earlier.lane = 'cards' and earlier.id = delivery.id"
                            + " and (earlier.expires_at > ? or earlier.attempts < " + CARD_END_TRIES + "))";
                } + ") and " + which + store.kind().claiming + ") update delivery set next_at = ?, " + LOST + ", wait = 'taken'"
                + " where seq in (select seq from due) returning " + COLUMNS, Outbox::delivery, values.toArray()).stream()
                .sorted(Comparator.comparing(Delivery::seq)).toList();
    }

    /** What was taken and is not sent need not wait for the end of its lease, unless that is over and somebody else has it. */
    public void giveBack(List<Delivery> taken) {
        taken.forEach(delivery -> store.calls().change(order(delivery), "update delivery set next_at = ?, wait = 'retry' where seq = ?"
                + " and next_at = ? and state = 'pending' and wait = 'taken'", Time.millis(), delivery.seq(), delivery.nextAt()));
    }

    /** Another replica may have taken, or may soon take, what was taken. */
    public boolean mayBeTaken(Delivery taken) {
        return taken.nextAt() - Time.millis() < leaseMs / 2;
    }

    /** At the start: nobody else has a store that is not shared, and what was taken is due. */
    public void takeOver(String crm) {
        if (!store.kind().shared()) {
            hurry(crm, "taken");
        }
    }

    /** Whether a card or a call waits for a CRM, due or not. */
    public boolean waits(String crm) {
        return store.calls().read(sql -> sql.first("select 1 from delivery where crm = ? and lane in ('cards', 'calls')"
                + " and state = 'pending' limit 1", row -> true, crm)) != null;
    }

    /**
     * Drops the cards that nobody wants to see any more. One that is on its way stays: its end must not overtake it.
     *
     * @return how many
     */
    public CompletableFuture<Integer> dropExpiredCards(String crm) {
        String expired = " where crm = ? and lane = 'cards' and state = 'pending' and operation = 'card' and expires_at <= ?"
                + " and not (wait = 'taken' and next_at > ?)";
        Object[] values = {crm, Time.millis(), Time.millis()};
        boolean any = store.calls().read(sql -> sql.first("select 1 from delivery" + expired + " limit 1", row -> true, values)) != null;
        return any ? store.calls().write("", sql -> sql.update("update delivery set state = 'dropped', " + LOST + expired, values))
                : CompletableFuture.completedFuture(0);
    }

    /** What waits for a CRM that is back need not wait any longer. */
    public CompletableFuture<Integer> hurry(String crm) {
        return hurry(crm, "retry");
    }

    private CompletableFuture<Integer> hurry(String crm, String wait) {
        long now = Time.millis();
        return store.calls().write("", sql -> sql.update("update delivery set next_at = ? where crm = ? and state = 'pending' and next_at > ?"
                + " and wait = ?", now, crm, now, wait));
    }

    /**
     * Whether the card of a leg may have reached the CRM, so that its end must be told: it was confirmed, or it may have been sent and
     * was not refused at once, with any answer but "later".
     */
    public boolean cardMayBeShown(String crm, String pbx, String legId) {
        Delivery card = store.calls().read(sql -> sql.first(SELECT + "where crm = ? and operation = 'card' and id = ? and pbx = ?", Outbox::delivery,
                crm, legId, pbx));
        // Its end is wanted, and nobody knows of it: a power cut took the row, which was not forced to the disk.
        return card == null || switch (card.state()) {
            case "delivered" -> true;
            case "dropped", "dead" -> card.attempts() == 1 && !attempts(card).isEmpty() ? attempts(card).stream().anyMatch(Attempt::mayHaveWorked)
                    : card.enriched() != null || card.attempts() > 0;
            // Who put it has taken it, and may have an answer that is not stored yet.
            default -> card.enriched() != null || card.attempts() > 0 || card.straight();
        };
    }

    public static Delivery delivery(ResultSet row) throws SQLException {
        return new Delivery(row.getLong(1), row.getString(2), row.getString(3), row.getString(4), row.getString(5), row.getString(6),
                row.getString(7), row.getString(8), row.getString(9), row.getString(10), row.getInt(11), row.getInt(12),
                row.getString(13), row.getLong(14), row.getLong(15), row.getLong(16), row.getString(17));
    }

    /** Every try of a delivery, oldest first. */
    public List<Attempt> attempts(Delivery delivery) {
        try {
            return json.readValue(delivery.tries(), new TypeReference<List<Attempt>>() { });
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("unreadable tries in the outbox", e);
        }
    }

    /** Keeps the request as it is about to be sent: a repeat after a lost answer is the same request. */
    public CompletableFuture<Boolean> enriched(Delivery delivery, String request) {
        return store.calls().change(order(delivery), "update delivery set enriched = ? where seq = ? and revision = ?", request, delivery.seq(),
                delivery.revision());
    }

    /**
     * Records the result of a try. A row that was changed meanwhile stays pending: its new content is to be sent now.
     * Completes with whether the row has that state by this.
     *
     * @param state {@code delivered}, {@code dead}, {@code dropped}, or {@code pending} for a later try
     * @param nextAt of a later try
     * @param asked the CRM named that time
     * @param attempt {@code null} when nothing was sent
     * @param enriched as it was sent, {@code null}: as it was kept before
     */
    public CompletableFuture<Boolean> done(Delivery delivery, String state, Instant nextAt, boolean asked, Attempt attempt, String enriched) {
        List<Attempt> all = new ArrayList<>(attempts(delivery));
        if (attempt != null) {
            all.add(attempt);
        }
        String tries = new String(Event.json(all), StandardCharsets.UTF_8);
        return store.calls().change(order(delivery), "update delivery set state = ?, next_at = ?, wait = ?, attempts = attempts + ?, tries = ?,"
                + " enriched = coalesce(?, enriched) where seq = ? and id = ? and revision = ? and (state = 'pending' or ? <> 'dropped')", state,
                nextAt.toEpochMilli(), asked ? "asked" : "retry", attempt == null ? 0 : 1, tries, enriched, delivery.seq(), delivery.id(),
                delivery.revision(), state).thenCompose(current -> current ? CompletableFuture.completedFuture(true)
                        : store.calls().change(order(delivery), "update delivery set tries = ?, next_at = case when state = 'pending' then ?"
                                + " else next_at end, wait = 'retry' where seq = ?", tries, Time.millis(), delivery.seq()).thenApply(again -> false));
    }

    /** Of its writes among others. */
    private static String order(Delivery delivery) {
        return delivery.callId() + " ~";
    }
}
