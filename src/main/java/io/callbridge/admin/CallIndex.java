package io.callbridge.admin;

import io.callbridge.store.CallRow;
import io.callbridge.store.Calls;
import io.callbridge.store.Sql;
import io.callbridge.store.Store;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What calls are listed and counted by. */
@ApplicationScoped
public class CallIndex {

    private final Store store;

    public CallIndex(Store store) {
        this.store = store;
    }

    /**
     * Which calls; {@code null}: any.
     *
     * @param numbers ways to write the outside party's number
     * @param from and {@code to}: the call's first event arrived at {@code from} or later and before {@code to}, in milliseconds
     *            since 1970
     */
    public record Filter(Set<String> numbers, String extension, String user, String outcome, long from, long to) {
    }

    /** Calls, newest first. @param after the last one of the page before; {@code null}: from the newest on */
    public List<CallRow> newest(Filter filter, Set<String> pbxs, Calls.Place after, int limit) {
        // The place as a whole is compared too, but an index is entered by its first column.
        long to = after == null ? filter.to : Math.min(filter.to, after.firstAt() + 1);
        List<Object> values = new ArrayList<>(List.of(filter.from, to));
        StringBuilder where = new StringBuilder("where first_at >= ? and first_at < ?");
        if (filter.numbers != null) {
            where.append(" and number in ").append(Sql.in(filter.numbers));
            values.addAll(filter.numbers);
        }
        part(where, values, pbxs, Calls.EXTENSION, filter.extension);
        part(where, values, pbxs, Calls.USER, filter.user);
        if (filter.outcome != null) {
            where.append(" and outcome = ?");
            values.add(filter.outcome);
        }
        if (after != null) {
            where.append(" and (first_at, pbx, call_id) < (?, ?, ?)");
            values.addAll(List.of(after.firstAt(), after.pbx(), after.callId()));
        }
        return store.calls().read(sql -> sql.query(CallRow.SELECT + where + " order by first_at desc, pbx desc, call_id desc limit " + limit,
                CallRow::of, values.toArray()));
    }

    private static void part(StringBuilder where, List<Object> values, Set<String> pbxs, String kind, String name) {
        if (name != null) {
            where.append(" and (call_id, pbx) in (select call_id, pbx from call_part where pbx in ").append(Sql.in(pbxs))
                    .append(" and kind = ? and name = ?)");
            values.addAll(pbxs);
            values.addAll(List.of(kind, name));
        }
    }

    /** The newest calls that are not over, as far as is known. */
    public List<CallRow> open(int limit) {
        return store.calls().read(sql -> sql.query(CallRow.SELECT + "where outcome = 'open' order by first_at desc limit " + limit, CallRow::of));
    }

    /** The last calls of a PBX, newest first. */
    public List<CallRow> last(String pbx, int limit) {
        return store.calls().read(sql -> sql.query(CallRow.SELECT + "where pbx = ? order by first_at desc limit " + limit, CallRow::of, pbx));
    }

    /** How many legs of each PBX have begun in calls that are not over, and have not ended. */
    public Map<String, Long> openLegs() {
        return store.calls().read(sql -> {
            Map<String, Long> legs = new TreeMap<>();
            sql.query("select pbx, sum(open_legs) from call where outcome = 'open' group by pbx", row -> legs.put(row.getString(1), row.getLong(2)));
            return legs;
        });
    }

    /**
     * An extension that nobody in a CRM belongs to.
     *
     * @param lastAt arrival of the last event of its last call, in milliseconds since 1970
     */
    public record Unmapped(String extension, long calls, long lastAt) {
    }

    /** The extensions that have no CRM user in the last calls of a PBX, most calls first. @param among how many calls are looked at */
    public List<Unmapped> unmapped(String pbx, int among, int limit) {
        return store.calls().read(sql -> sql.query("select p.name, count(*), max(c.last_at) from (select pbx, call_id, last_at from call"
                + " where pbx = ? order by first_at desc limit " + among + ") c join call_part p on p.call_id = c.call_id and p.pbx = c.pbx"
                + " where p.kind = '" + Calls.UNMAPPED + "' group by p.name order by count(*) desc, p.name limit " + limit,
                row -> new Unmapped(row.getString(1), row.getLong(2), row.getLong(3)), pbx));
    }
}
