package io.callbridge.store;

import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * Deletes calls that nothing has happened to for the time of {@code callbridge.store.retention}, with all that is known about
 * them. A call stays while anything of it is to be done: a look that is due, a delivery that waits or is a dead letter.
 */
@ApplicationScoped
@Named("retention")
@RegisterForReflection
public class Retention {

    private static final Logger LOG = Logger.getLogger(Retention.class);
    private static final int CHUNK = 100;
    private static final String DONE = " due_at is null and not exists (select 1 from delivery d where d.call_id = call.call_id and d.pbx = call.pbx"
            + " and d.state in ('pending', 'dead'))";

    private final Store store;
    private final Memory memory;
    private final Settings settings;
    private final MeterRegistry meters;

    public Retention(Store store, Memory memory, Settings settings, MeterRegistry meters) {
        this.store = store;
        this.memory = memory;
        this.settings = settings;
        this.meters = meters;
    }

    private record Old(long firstAt, String pbx, String callId) {
    }

    /** One pass over all old calls, a chunk at a time; other writes come first. */
    public void purge() {
        long before = Time.millis() - settings.retention().toMillis();
        int purged = 0;
        List<Old> chunk = old(before, new Old(Long.MIN_VALUE, "", ""));
        while (!chunk.isEmpty()) {
            List<Old> calls = chunk.stream().sorted(Comparator.comparing(Old::callId)).toList();
            store.yieldToOthers();
            Set<String> abouts = new HashSet<>();
            int deleted = store.calls().writeAndWait(Store.LAST, sql -> {
                int count = 0;
                abouts.clear();
                for (Old call : calls) {
                    count += delete(sql, call, before, abouts) ? 1 : 0;
                }
                return count;
            });
            if (!abouts.isEmpty()) {
                memory.forget(abouts);
            }
            meters.counter("callbridge.purged.calls").increment(deleted);
            purged += deleted;
            chunk = old(before, chunk.get(chunk.size() - 1));
        }
        if (purged > 0) {
            LOG.infof("%d calls purged, older than %s", purged, settings.retention());
        }
    }

    private List<Old> old(long before, Old after) {
        return store.calls().read(sql -> sql.query("select first_at, pbx, call_id from call where first_at < ? and last_at < ? and"
                + " (first_at, pbx, call_id) > (?, ?, ?) and" + DONE + " order by first_at, pbx, call_id limit " + CHUNK,
                row -> new Old(row.getLong(1), row.getString(2), row.getString(3)), before, before, after.firstAt, after.pbx, after.callId));
    }

    /** Looked at again inside the transaction: an event may have come since. @param abouts gets what the CRMs said is about */
    private boolean delete(Sql sql, Old call, long before, Set<String> abouts) throws SQLException {
        if (sql.first("select 1 from call where call_id = ? and pbx = ? and last_at < ? and" + DONE + store.kind().claiming, row -> true,
                call.callId, call.pbx, before) == null) {
            return false;
        }
        sql.query("select id from delivery where call_id = ? and pbx = ?", row -> abouts.add(call.pbx + " " + row.getString(1)), call.callId, call.pbx);
        // A missed call must not have the memory of a leg with the same id (routes deliver-*-missed).
        abouts.addAll(List.of(call.pbx + " " + call.callId, call.pbx + " missed-" + call.callId));
        sql.update("delete from delivery where call_id = ? and pbx = ?", call.callId, call.pbx);
        Calls.delete(sql, call.pbx, call.callId);
        return true;
    }
}
