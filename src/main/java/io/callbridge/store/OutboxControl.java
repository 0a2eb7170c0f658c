package io.callbridge.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What an operator sees of the outbox, and may change in it. */
@ApplicationScoped
public class OutboxControl {

    /** Rows changed in one transaction: what the PBX sends meanwhile must not wait for long. */
    private static final int CHUNK = 200;
    private static final String NO_STALE_CARD = " and (operation <> 'card' or expires_at > ?)";

    private final Store store;

    public OutboxControl(Store store) {
        this.store = store;
    }

    /** A delivery, and its last try; {@code last} {@code null}: it was never tried. */
    public record Listed(Delivery delivery, Outbox.Attempt last) {
    }

    /** Deliveries, newest first. @param state and {@code crm}: {@code null}: any. @param before only those with a smaller number */
    public List<Listed> newest(String state, String crm, long before, int limit) {
        List<Object> values = new ArrayList<>(List.of(before));
        StringBuilder where = new StringBuilder("seq < ?");
        if (state != null) {
            where.append(" and ").append(index(state)).append("state = ?");
            values.add(state);
        }
        if (crm != null) {
            // The index of what has ended is in the order of the page for one CRM; of all else, only the table itself is.
            where.append(state == null || index(state).isEmpty() || state.equals("pending") ? " and crm || '' = ?" : " and crm = ?");
            values.add(crm);
        }
        return store.read(sql -> {
            List<Listed> found = new ArrayList<>();
            // First the numbers, from an index alone: of a backlog only the page's rows are read.
            for (Delivery delivery : sql.query(Outbox.SELECT + "where seq in (select seq from delivery where " + where
                    + " order by seq desc limit " + limit + ") order by seq desc", Outbox::delivery, values.toArray())) {
                found.add(new Listed(delivery, sql.first("select at, status, answer, millis from attempt where delivery = ?"
                        + " order by at desc limit 1", Outbox::attempt, delivery.seq())));
            }
            return found;
        });
    }

    /** SQLite takes a partial index only for the condition it was made with. */
    private static String index(String state) {
        return switch (state) {
            case "pending" -> "state = 'pending' and ";
            case "delivered" -> "";
            default -> "state <> 'pending' and state <> 'delivered' and ";
        };
    }

    /** @return {@code null} if there is none with this number */
    public Delivery one(long seq) {
        return store.read(sql -> sql.first(Outbox.SELECT + "where seq = ?", Outbox::delivery, seq));
    }

    /**
     * Sends a delivery again as if it were new: at once, for the whole time, and the CRM is asked again who the other party is.
     *
     * @return {@code false}: it was changed since it was read
     */
    public boolean retry(Delivery delivery) {
        return store.writeAndWait(delivery.callId() + " ~", sql -> retry(sql, delivery.seq(), delivery.state()));
    }

    private static boolean retry(Sql sql, long seq, String state) throws SQLException {
        long now = System.currentTimeMillis();
        return sql.update("update delivery set state = 'pending', attempts = 0, enriched = null, next_at = ?, wait = 'retry', created_at = ?,"
                + " revision = revision + 1 where seq = ? and state = ?", now, now, seq, state) > 0;
    }

    /** Gives a delivery up. @return {@code false}: it was changed since it was read */
    public boolean discard(Delivery delivery) {
        return store.writeAndWait(delivery.callId() + " ~", sql -> sql.update("update delivery set state = 'discarded', revision = revision + 1"
                + " where seq = ? and state = ?", delivery.seq(), delivery.state()) > 0);
    }

    /**
     * Sends all deliveries of a state again that are there now, in chunks. A card whose time is over is none of them.
     *
     * @param crms of these CRMs
     * @return how many
     */
    public int retryAll(String state, List<String> crms) {
        int retried = 0;
        for (String crm : crms) {
            List<Long> chunk = ofState(state, crm, 0);
            while (!chunk.isEmpty()) {
                List<Long> seqs = chunk;
                store.yieldToOthers();
                retried += store.writeAndWait(Store.LAST, sql -> {
                    int done = 0;
                    for (long seq : sql.query("select seq from delivery where seq in " + Sql.in(seqs) + store.kind().claiming,
                            row -> row.getLong(1), seqs.toArray())) {
                        done += retry(sql, seq, state) ? 1 : 0;
                    }
                    return done;
                });
                chunk = ofState(state, crm, seqs.get(seqs.size() - 1));
            }
        }
        return retried;
    }

    private List<Long> ofState(String state, String crm, long after) {
        return store.read(sql -> sql.query("select seq from delivery where " + index(state) + "state = ? and crm = ? and seq > ?"
                + NO_STALE_CARD + " order by seq limit " + CHUNK, row -> row.getLong(1), state, crm, after, System.currentTimeMillis()));
    }

    /** How many deliveries of each CRM are in a state. */
    public Map<String, Long> count(String state) {
        return store.read(sql -> {
            Map<String, Long> counts = new TreeMap<>();
            sql.query("select crm, count(*) from delivery where " + index(state) + "state = ? group by crm",
                    row -> counts.put(row.getString(1), row.getLong(2)), state);
            return counts;
        });
    }
}
