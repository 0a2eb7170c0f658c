package io.callbridge.admin;

import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.callbridge.platform.Time;
import io.callbridge.store.Store;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.util.List;

/** Who did what to calls and deliveries, and when. Kept for good. */
@ApplicationScoped
class Audit {

    private final Store store;

    Audit(Store store) {
        this.store = store;
    }

    /**
     * Durable before it is done: an act that nobody can find afterwards must not happen.
     *
     * @param subject what it was done to, such as {@code delivery 17}
     * @param detail {@code null}: there is nothing more to say
     * @throws io.callbridge.store.StoreException if the store does not take it
     */
    void record(String who, String action, String subject, String detail) {
        store.forced().writeAndWait("audit", sql -> sql.update("insert into audit (at, who, action, subject, detail) values (?, ?, ?, ?, ?)",
                Time.millis(), who, action, subject, detail));
    }

    /** @param next another page follows */
    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record Page(List<Entry> entries, Long next) {
    }

    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record Entry(long id, Instant at, String who, String action, String subject, String detail) {
    }

    /** Newest first. */
    Page page(AdminRequest request) {
        Long after = request.takes("limit", "after").number("after", 1, Long.MAX_VALUE);
        int limit = request.limit();
        List<Entry> found = store.forced().read(sql -> sql.query("select seq, at, who, action, subject, detail from audit where seq < ?"
                + " order by seq desc limit " + (limit + 1), row -> new Entry(row.getLong(1), Instant.ofEpochMilli(row.getLong(2)), row.getString(3),
                row.getString(4), row.getString(5), row.getString(6)), after == null ? Long.MAX_VALUE : after));
        return new Page(found.stream().limit(limit).toList(), found.size() > limit ? found.get(limit - 1).id : null);
    }
}
