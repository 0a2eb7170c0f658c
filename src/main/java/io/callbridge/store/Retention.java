package io.callbridge.store;

import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.List;
import org.jboss.logging.Logger;

/**
 * Deletes calls that nothing has happened to for the time of {@code callbridge.store.retention}, with all that is known about
 * them. A call stays while anything of it is to be done: an open event, a timer, a delivery that waits or is a dead letter.
 */
@ApplicationScoped
@Named("retention")
@RegisterForReflection
public class Retention {

    private static final Logger LOG = Logger.getLogger(Retention.class);
    private static final int CHUNK = 100;
    private static final String DONE = " not exists (select 1 from timer t where t.pbx = call.pbx and t.call_id = call.call_id)"
            + " and not exists (select 1 from delivery d where d.pbx = call.pbx and d.call_id = call.call_id and d.state in ('pending', 'dead'))"
            + " and not exists (select 1 from event e where e.pbx = call.pbx and e.call_id = call.call_id and e.state <> 'done')";
    private static final List<String> PARTS = List.of(
            "crm_memory where about in (select pbx || ' ' || id from delivery where pbx = ? and call_id = ?)",
            "crm_memory where about in (select pbx || ' ' || call_id from call where pbx = ? and call_id = ?)",
            // A missed call must not have the memory of a leg with the same id (routes deliver-*-missed).
            "crm_memory where about in (select pbx || ' missed-' || call_id from call where pbx = ? and call_id = ?)",
            "delivery where pbx = ? and call_id = ?",
            "decision where pbx = ? and call_id = ?", "call_party where pbx = ? and call_id = ?", "event where pbx = ? and call_id = ?",
            "call where pbx = ? and call_id = ?");

    private final Store store;
    private final Settings settings;
    private final MeterRegistry meters;

    public Retention(Store store, Settings settings, MeterRegistry meters) {
        this.store = store;
        this.settings = settings;
        this.meters = meters;
    }

    private record Old(long lastAt, String pbx, String callId) {
    }

    /** One pass over all old calls, a chunk at a time; other writes come first. */
    public void purge() {
        long before = Time.millis() - settings.retention().toMillis();
        int purged = 0;
        List<Old> chunk = old(before, new Old(Long.MIN_VALUE, "", ""));
        while (!chunk.isEmpty()) {
            List<Old> calls = chunk.stream().sorted(Comparator.comparing(Old::callId)).toList();
            store.yieldToOthers();
            int deleted = store.writeAndWait(Store.LAST, sql -> {
                int count = 0;
                for (Old call : calls) {
                    count += delete(sql, call, before) ? 1 : 0;
                }
                return count;
            });
            meters.counter("callbridge.purged.calls").increment(deleted);
            purged += deleted;
            chunk = old(before, chunk.get(chunk.size() - 1));
        }
        if (purged > 0) {
            LOG.infof("%d calls purged, older than %s", purged, settings.retention());
        }
    }

    private List<Old> old(long before, Old after) {
        return store.read(sql -> sql.query("select last_at, pbx, call_id from call where last_at < ? and (last_at, pbx, call_id) > (?, ?, ?) and"
                + DONE + " order by last_at, pbx, call_id limit " + CHUNK, row -> new Old(row.getLong(1), row.getString(2), row.getString(3)),
                before, after.lastAt, after.pbx, after.callId));
    }

    /** Looked at again inside the transaction: an event may have come since. */
    private boolean delete(Sql sql, Old call, long before) throws SQLException {
        if (sql.first("select 1 from call where pbx = ? and call_id = ? and last_at < ? and" + DONE + store.kind().claiming, row -> true,
                call.pbx, call.callId, before) == null) {
            return false;
        }
        for (String part : PARTS) {
            sql.update("delete from " + part, call.pbx, call.callId);
        }
        return true;
    }
}
