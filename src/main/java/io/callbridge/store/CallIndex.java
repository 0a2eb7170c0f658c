package io.callbridge.store;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Finds calls by what their looks made of them. */
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

    /** A place in the order of calls: by arrival of their first event, then by name. */
    public record Place(long firstAt, String pbx, String callId) {

        public static Place of(CallRow call) {
            return new Place(call.firstAt(), call.pbx(), call.callId());
        }
    }

    /** Calls, newest first. @param after the last one of the page before; {@code null}: from the newest on */
    public List<CallRow> newest(Filter filter, Place after, int limit) {
        // The place as a whole is compared too, but an index is entered by its first column.
        long to = after == null ? filter.to : Math.min(filter.to, after.firstAt + 1);
        List<Object> values = new ArrayList<>(List.of(filter.from, to));
        StringBuilder where = new StringBuilder("where first_at >= ? and first_at < ?");
        if (filter.numbers != null) {
            where.append(" and number in ").append(Sql.in(filter.numbers));
            values.addAll(filter.numbers);
        }
        add(where, values, " and (pbx, call_id) in (select pbx, call_id from call_party where extension = ?)", filter.extension);
        // The index leaves out who is mapped to none, and is taken only for the condition it was made with.
        add(where, values, " and (pbx, call_id) in (select pbx, call_id from call_party where crm_user <> '' and crm_user = ?)", filter.user);
        add(where, values, " and outcome = ?", filter.outcome);
        if (after != null) {
            where.append(" and (first_at, pbx, call_id) < (?, ?, ?)");
            values.addAll(List.of(after.firstAt, after.pbx, after.callId));
        }
        return store.read(sql -> sql.query(CallRow.SELECT + where + " order by first_at desc, pbx desc, call_id desc limit " + limit,
                CallRow::of, values.toArray()));
    }

    /** How many legs of each PBX have begun in calls that are not over, and have not ended. */
    public Map<String, Long> openLegs() {
        return store.read(sql -> {
            Map<String, Long> legs = new TreeMap<>();
            sql.query("select call.pbx, count(distinct event.leg_id) from call"
                    + " join event on event.call_id = call.call_id and event.pbx = call.pbx where call.outcome = 'open'"
                    + " and not exists (select 1 from event ended where ended.pbx = event.pbx and ended.leg_id = event.leg_id"
                    + " and ended.type = 'hangup') group by call.pbx", row -> legs.put(row.getString(1), row.getLong(2)));
            return legs;
        });
    }

    private static void add(StringBuilder where, List<Object> values, String condition, String value) {
        if (value != null) {
            where.append(condition);
            values.add(value);
        }
    }

    /** @return {@code null}: no look at the call was written yet */
    public CallRow one(String pbx, String callId) {
        return store.read(sql -> sql.first(CallRow.SELECT + "where pbx = ? and call_id = ?", CallRow::of, pbx, callId));
    }

    /** The newest calls that are not over, as far as is known. */
    public List<CallRow> open(int limit) {
        return store.read(sql -> sql.query(CallRow.SELECT + "where outcome = 'open' order by first_at desc limit " + limit, CallRow::of));
    }

    /** The call of a PBX that was heard of last. @return {@code null}: there is none */
    public CallRow last(String pbx) {
        return store.read(sql -> sql.first(CallRow.SELECT + "where pbx = ? order by last_at desc limit 1", CallRow::of, pbx));
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
        return store.read(sql -> sql.query("select p.extension, count(*), max(c.last_at) from (select pbx, call_id, last_at from call"
                + " where pbx = ? order by last_at desc limit " + among + ") c join call_party p on p.pbx = c.pbx and p.call_id = c.call_id"
                + " where p.crm_user = '' group by p.extension order by count(*) desc, p.extension limit " + limit, row -> new Unmapped(row.getString(1), row.getLong(2), row.getLong(3)), pbx));
    }

    /** How many calls of these PBXs have a first event that arrived at {@code from} or later and before {@code to}. */
    public long count(long from, long to, Set<String> pbxs) {
        List<Object> values = new ArrayList<>(List.of(from, to));
        values.addAll(pbxs);
        return store.read(sql -> sql.first("select count(*) from call where first_at >= ? and first_at < ? and pbx in " + Sql.in(pbxs),
                row -> row.getLong(1), values.toArray()));
    }

    /** Calls whose first event arrived before {@code to}, oldest first, behind a place. */
    public List<CallRow> range(long to, Place after, int limit) {
        return store.read(sql -> sql.query(CallRow.SELECT + "where (first_at, pbx, call_id) > (?, ?, ?) and first_at < ?"
                + " order by first_at, pbx, call_id limit " + limit, CallRow::of, after.firstAt, after.pbx, after.callId, to));
    }
}
