package io.callbridge.admin;

import io.callbridge.platform.Time;
import io.callbridge.store.Delivery;
import io.callbridge.store.Outbox;
import io.callbridge.store.Sql;
import io.callbridge.store.Store;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What an operator sees of the outbox, and may change in it. */
@ApplicationScoped
public class OutboxControl {

    /** Rows changed in one transaction: what the PBX sends meanwhile must not wait for long. */
    private static final int CHUNK = 200;
    /** Of a delivery that waits for another try; not a state of its own. */
    public static final String FAILING = "failing";
    /** What {@link Delivery#fleeting} says. */
    private static final String NOT_STALE = " and (operation not in ('card', 'answer') or expires_at > ?)";
    /** What a replica has taken is on its way, unless its lease is over. */
    private static final String NOT_TAKEN = " and (wait <> 'taken' or next_at <= ?)";

    /** What is done to deliveries of a state; for each question mark stands the time. */
    private record Change(String set, String only) {
    }

    private static final Change AT_ONCE = new Change("next_at = case when next_at > ? then ? else next_at end, wait = 'retry'", NOT_TAKEN);
    private static final Change AGAIN = new Change("state = 'pending', attempts = 0, enriched = null, next_at = ?, wait = 'retry', created_at = ?,"
            + " revision = revision + 1", " and not (" + Outbox.ENDED + ")");
    private static final Change DISCARD = new Change("state = 'discarded', revision = revision + 1", NOT_TAKEN);

    private final Store store;

    public OutboxControl(Store store) {
        this.store = store;
    }

    /** Deliveries, newest first. @param state and {@code crm}: {@code null}: any. @param before only those with a smaller number */
    public List<Delivery> newest(String state, String crm, long before, int limit) {
        List<Object> values = new ArrayList<>(List.of(before));
        // What waits is found by its own index, though that has another order: few may wait, in a table of millions.
        String seq = state != null && waits(state) ? "+seq" : "seq";
        StringBuilder where = new StringBuilder(seq + " < ?");
        if (state != null) {
            where.append(" and ").append(index(state)).append("state = ?");
            values.add(stored(state));
        }
        if (crm != null) {
            // The index of what has ended is in the order of the page for one CRM; of all else, only the table itself is.
            where.append(state == null || index(state).isEmpty() ? " and crm || '' = ?" : " and crm = ?");
            values.add(crm);
        }
        // First the numbers: only the page's rows are read as a whole.
        return store.calls().read(sql -> sql.query(Outbox.SELECT + "where seq in (select seq from delivery where " + where + " order by " + seq
                + " desc limit " + limit + ") order by seq desc", Outbox::delivery, values.toArray()));
    }

    /** SQLite takes a partial index only for the condition it was made with. */
    private static String index(String state) {
        return switch (state) {
            case "pending" -> "state = 'pending' and ";
            case FAILING -> "state = 'pending' and attempts > 0 and ";
            case "delivered" -> "";
            default -> "state <> 'pending' and state <> 'delivered' and ";
        };
    }

    private static boolean waits(String state) {
        return stored(state).equals("pending");
    }

    private static String stored(String state) {
        return state.equals(FAILING) ? "pending" : state;
    }

    /** @return {@code null} if there is none with this number */
    public Delivery one(long seq) {
        return store.calls().read(sql -> sql.first(Outbox.SELECT + "where seq = ?", Outbox::delivery, seq));
    }

    /** Whether a delivery is a card that was taken away already, or did not have to be. */
    public boolean isEndedCard(Delivery delivery) {
        return store.calls().read(sql -> sql.first("select 1 from delivery where seq = ? and " + Outbox.ENDED, row -> true, delivery.seq())) != null;
    }

    /**
     * Sends a delivery that has ended again as if it were new: at once, for the whole time, and the CRM is asked again who the other
     * party is. One that waits is sent at once, even if the CRM has asked for time.
     *
     * @return {@code false}: it was changed since it was read, or is being sent
     */
    public boolean retry(Delivery delivery) {
        return store.calls().writeAndWait(delivery.callId() + " ~", sql -> {
            boolean done = change(sql, List.of(delivery.seq()), delivery.state(), waits(delivery.state()) ? AT_ONCE : AGAIN) > 0;
            if (done) {
                // It goes in its turn: what waits before it would hold it up.
                long now = Time.millis();
                sql.update("update delivery set next_at = ?, wait = 'retry' where crm = ? and call_id = ? and state = 'pending' and seq < ?"
                        + " and pbx = ? and next_at > ? and wait <> 'taken'", now, delivery.crm(), delivery.callId(), delivery.seq(),
                        delivery.pbx(), now);
            }
            return done;
        });
    }

    /** Gives a delivery up. @return {@code false}: it was changed since it was read */
    public boolean discard(Delivery delivery) {
        return store.calls().writeAndWait(delivery.callId() + " ~", sql -> change(sql, List.of(delivery.seq()), delivery.state(), DISCARD)) > 0;
    }

    private static int change(Sql sql, List<Long> seqs, String state, Change change) throws SQLException {
        List<Object> values = times(change.set);
        values.addAll(seqs);
        values.add(stored(state));
        values.addAll(times(change.only));
        return sql.update("update delivery set " + change.set + " where seq in " + Sql.in(seqs) + " and " + index(state) + "state = ?"
                + change.only, values.toArray());
    }

    private static List<Object> times(String text) {
        return new ArrayList<>(Collections.nCopies((int) text.chars().filter(each -> each == '?').count(), Time.millis()));
    }

    /**
     * Sends all deliveries of a state again that are there now, in chunks. A card whose time is over, or that has ended, is none of them.
     *
     * @param crms of these CRMs
     * @return how many; of what waits, also those that are due
     */
    public int retryAll(String state, List<String> crms) {
        if (!waits(state)) {
            return changeAll(state, crms, NOT_STALE, AGAIN);
        }
        // What is due waits for its turn only: a million rows need not be written for that.
        List<Object> values = new ArrayList<>(crms);
        values.add(Time.millis());
        int due = store.calls().read(sql -> sql.first("select count(*) from delivery where " + index(state) + "crm in " + Sql.in(crms)
                + " and next_at <= ?", row -> row.getInt(1), values.toArray()));
        return due + changeAll(state, crms, NOT_STALE + " and next_at > ?", AT_ONCE);
    }

    /** Gives all deliveries of a state up that are there now, in chunks. @return how many */
    public int discardAll(String state, List<String> crms) {
        return changeAll(state, crms, "", DISCARD);
    }

    private int changeAll(String state, List<String> crms, String only, Change change) {
        int changed = 0;
        for (String crm : crms) {
            List<Object> values = new ArrayList<>(List.of(stored(state), crm));
            values.addAll(times(only));
            // Only the numbers: a million of them is little.
            List<Long> all = store.calls().read(sql -> sql.query("select seq from delivery where " + index(state) + "state = ? and crm = ?" + only
                    + " order by +seq", row -> row.getLong(1), values.toArray()));
            for (int begin = 0; begin < all.size(); begin += CHUNK) {
                List<Long> chunk = all.subList(begin, Math.min(begin + CHUNK, all.size()));
                changed += store.calls().writeAndWait(Store.LAST, sql -> change(sql, sql.query("select seq from delivery where seq in "
                        + Sql.in(chunk) + store.kind().claiming, row -> row.getLong(1), chunk.toArray()), state, change));
            }
        }
        return changed;
    }

    /** How many deliveries of each CRM are in a state. */
    public Map<String, Long> count(String state) {
        return store.calls().read(sql -> {
            Map<String, Long> counts = new TreeMap<>();
            sql.query("select crm, count(*) from delivery where " + index(state) + "state = ? group by crm",
                    row -> counts.put(row.getString(1), row.getLong(2)), state);
            return counts;
        });
    }
}
