package io.callbridge.admin;

import io.callbridge.platform.Time;
import io.callbridge.store.Store;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;

/** Who did what to calls and deliveries, and when. Kept for good. */
@ApplicationScoped
public class Audit {

    private final Store store;

    public Audit(Store store) {
        this.store = store;
    }

    /**
     * One act of an administrator.
     *
     * @param at milliseconds since 1970
     * @param action {@code retry}, {@code discard}, {@code retry-all}, {@code discard-all}, {@code reprocess}, {@code check}, {@code show-webhook}, {@code reprocess-stop}
     * @param subject what it was done to, such as {@code delivery 17}
     * @param detail {@code null}: there is nothing more to say
     */
    public record Entry(long seq, long at, String who, String action, String subject, String detail) {
    }

    /**
     * Durable before it is done: an act that nobody can find afterwards must not happen.
     *
     * @throws io.callbridge.store.StoreException if the store does not take it
     */
    public void record(String who, String action, String subject, String detail) {
        store.forced().writeAndWait("audit", sql -> sql.update("insert into audit (at, who, action, subject, detail) values (?, ?, ?, ?, ?)",
                Time.millis(), who, action, subject, detail));
    }

    /** Newest first. @param before only those with a smaller number */
    public List<Entry> newest(long before, int limit) {
        return store.forced().read(sql -> sql.query("select seq, at, who, action, subject, detail from audit where seq < ? order by seq desc limit "
                + limit, row -> new Entry(row.getLong(1), row.getLong(2), row.getString(3), row.getString(4), row.getString(5),
                        row.getString(6)), before));
    }
}
