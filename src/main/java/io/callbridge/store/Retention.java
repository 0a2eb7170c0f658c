package io.callbridge.store;

import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.Calls.Place;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * Deletes calls that nothing has happened to for the time of {@code callbridge.store.retention}, with all that is known about
 * them. A call stays while anything of it is to be done: an evaluation that is due, a delivery that waits or is a dead letter.
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

    /** One pass over all old calls, a chunk at a time, between other writes. */
    public void purge() {
        long before = Time.millis() - settings.retention().toMillis();
        int purged = 0;
        for (List<Place> old = old(before, new Place(Long.MIN_VALUE, "", "")); !old.isEmpty(); old = old(before, old.get(old.size() - 1))) {
            List<Place> calls = old;
            Set<String> abouts = new HashSet<>();
            int deleted = store.calls().writeAndWait(Store.LAST, sql -> {
                int count = 0;
                abouts.clear();
                for (Place call : calls) {
                    count += delete(sql, call, before, abouts) ? 1 : 0;
                }
                return count;
            });
            memory.forget(abouts);
            meters.counter("callbridge.purged.calls").increment(deleted);
            purged += deleted;
        }
        if (purged > 0) {
            LOG.infof("%d calls purged, older than %s", purged, settings.retention());
        }
    }

    private List<Place> old(long before, Place after) {
        return store.calls().read(sql -> sql.query("select first_at, pbx, call_id from call where first_at < ? and last_at < ? and"
                + " (first_at, pbx, call_id) > (?, ?, ?) and" + DONE + " order by first_at, pbx, call_id limit " + CHUNK,
                row -> new Place(row.getLong(1), row.getString(2), row.getString(3)), before, before, after.firstAt(), after.pbx(), after.callId()));
    }

    /** Looked at again inside the transaction: an event may have come since. @param abouts gets what the CRMs said is about */
    private boolean delete(Sql sql, Place call, long before, Set<String> abouts) throws SQLException {
        Object[] key = {call.callId(), call.pbx()};
        if (sql.first("select 1 from call where call_id = ? and pbx = ? and last_at < ? and" + DONE + store.kind().claiming, row -> true,
                call.callId(), call.pbx(), before) == null) {
            return false;
        }
        sql.query("select id from delivery where call_id = ? and pbx = ?", row -> abouts.add(call.pbx() + " " + row.getString(1)), key);
        // A missed call must not have the memory of a leg with the same id (routes deliver-*-missed).
        abouts.addAll(List.of(call.pbx() + " " + call.callId(), call.pbx() + " missed-" + call.callId()));
        for (String table : List.of("delivery", "call_part", "call")) {
            sql.update("delete from " + table + " where call_id = ? and pbx = ?", key);
        }
        return true;
    }
}
