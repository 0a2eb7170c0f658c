package io.callbridge.store;

import io.callbridge.platform.Time;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** The documents of calls, and what they are found by. */
@ApplicationScoped
public class Calls {

    /** What a call is found by besides its id. */
    public static final String LEG = "leg";
    public static final String EXTENSION = "extension";
    /** An extension that belongs to nobody in a CRM. */
    public static final String UNMAPPED = "unmapped";
    public static final String USER = "user";
    public static final String CALLBACK = "callback";

    private final Store store;
    private final Outbox outbox;

    public Calls(Store store, Outbox outbox) {
        this.store = store;
        this.outbox = outbox;
    }

    /** A call as it is stored. */
    public record Stored(CallRow row, byte[] document, List<Delivery> deliveries) {
    }

    /** One thing that a call is found by. */
    public record Part(String kind, String name) {
    }

    /** An effect for one CRM; see {@link Delivery}. */
    public record Put(String crm, String operation, String id, String body, long expiresAt) {

        /** Whether a delivery is this effect. */
        boolean isOf(Delivery delivery) {
            return delivery.crm().equals(crm) && delivery.operation().equals(operation) && delivery.id().equals(id);
        }
    }

    /**
     * What an evaluation leads to.
     *
     * @param row its version is the one behind that which the evaluation began with; 1: there was none
     * @param news what the call is found by since this evaluation
     * @param known the deliveries that the evaluation knew of
     * @param trace that the deliveries go on with; {@code null}: it is not traced
     */
    public record Evaluated(CallRow row, byte[] document, Set<Part> news, List<Put> puts, List<Delivery> known, String trace) {
    }

    /** Of a call, {@code null} if there is none. */
    public Stored one(String pbx, String callId) {
        return find(pbx, callId, List.of()).stream().findFirst().orElse(null);
    }

    /** What the CRMs were told, or will be, of a call. */
    public List<Delivery> deliveries(String pbx, String callId) {
        return outbox.call(pbx, callId);
    }

    private static final String DOCUMENT = "select " + CallRow.COLUMNS + ", document from call ";

    private static Stored stored(ResultSet row) throws SQLException {
        return new Stored(CallRow.of(row), row.getBytes(11), List.of());
    }

    /**
     * Calls of a PBX by their id, and those that have one of these legs, in one query; without their deliveries, unless it is the one
     * with the id.
     */
    public List<Stored> find(String pbx, String callId, Collection<String> legIds) {
        return store.calls().read(sql -> {
            List<Stored> found = new ArrayList<>();
            for (Stored each : sql.query(DOCUMENT + "where pbx = ? and call_id in (select ? union select call_id from call_part where pbx = ?"
                    + " and kind = '" + LEG + "' and name in " + Sql.in(legIds) + ")", Calls::stored,
                    Stream.concat(Stream.of(pbx, callId, pbx), legIds.stream()).toArray())) {
                found.add(!each.row.callId().equals(callId) ? each : new Stored(each.row, each.document, outbox.call(sql, pbx, callId)));
            }
            return found;
        });
    }

    /** Calls of a PBX that are found by one of these names, without their deliveries. */
    public List<Stored> by(String pbx, String kind, Collection<String> names) {
        return store.calls().read(sql -> sql.query(DOCUMENT + "where pbx = ? and call_id in (select call_id from call_part where pbx = ? and kind = ?"
                + " and name in " + Sql.in(names) + ")", Calls::stored,
                Stream.concat(Stream.of(pbx, pbx, kind), names.stream()).toArray()));
    }

    /** Calls of a PBX that are not over, as far as is known. */
    public List<Stored> open(String pbx) {
        return store.calls().read(sql -> sql.query(DOCUMENT + "where outcome = 'open' and pbx = ?", Calls::stored, pbx));
    }

    /**
     * Writes document and deliveries together. Replicas may evaluate one call at the same time: the first to commit wins.
     *
     * @return completes after the commit, with what is to be delivered now; {@code null}: another evaluation was written since this one
     *         began, it must be taken again
     */
    public CompletableFuture<List<Delivery>> save(Evaluated evaluated) {
        CallRow row = evaluated.row;
        return store.calls().write(row.callId() + " ~", sql -> {
            if (!write(sql, row, evaluated.document)) {
                return null;
            }
            if (!evaluated.news.isEmpty()) {
                List<Object> values = new ArrayList<>();
                evaluated.news.forEach(part -> values.addAll(List.of(row.pbx(), part.kind, part.name, row.callId())));
                sql.update("insert into call_part (pbx, kind, name, call_id) values " + "(?, ?, ?, ?), ".repeat(evaluated.news.size() - 1)
                        + "(?, ?, ?, ?) on conflict do nothing", values.toArray());
            }
            return outbox.put(sql, evaluated.puts, row.pbx(), row.callId(), evaluated.trace, Time.millis(), evaluated.known);
        });
    }

    private static boolean write(Sql sql, CallRow row, byte[] document) throws SQLException {
        if (row.version() == 1) {
            return sql.update("insert into call (" + CallRow.COLUMNS + ", document) values (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
                    row.pbx(), row.callId(), row.firstAt(), row.lastAt(), row.dueAt(), row.outcome(), row.openLegs(), row.number(),
                    row.partiesJson(), document) > 0;
        }
        return sql.update("update call set version = version + 1, first_at = ?, last_at = ?, due_at = ?, outcome = ?, open_legs = ?, number = ?,"
                + " parties = ?, document = ? where call_id = ? and pbx = ? and version = ?", row.firstAt(), row.lastAt(), row.dueAt(), row.outcome(),
                row.openLegs(), row.number(), row.partiesJson(), document, row.callId(), row.pbx(), row.version() - 1) > 0;
    }

    /** What the CRMs were told of a leg goes with it to another call. */
    public void move(String pbx, String from, String to, Collection<String> legIds) {
        store.calls().writeAndWait(Store.LAST, sql -> sql.update("update delivery set call_id = ? where pbx = ? and call_id = ? and operation not in"
                + " ('missed', 'task') and id in " + Sql.in(legIds),
                Stream.concat(Stream.of(to, pbx, from), legIds.stream()).toArray()));
    }

    /**
     * With its last event goes all that is left of a call; what was told of it as a whole is the other's.
     *
     * @return {@code false}: another one was stored since this one began, it must be taken again
     */
    public boolean remove(CallRow row, String to) {
        return store.calls().writeAndWait(Store.LAST, sql -> {
            if (sql.update("delete from call where call_id = ? and pbx = ? and version = ?", row.callId(), row.pbx(), row.version()) == 0) {
                return false;
            }
            sql.update("delete from call_part where call_id = ? and pbx = ?", row.callId(), row.pbx());
            sql.update("update delivery set call_id = ? where pbx = ? and call_id = ?", to, row.pbx(), row.callId());
            return true;
        });
    }

    /** A call that is to be evaluated. */
    public record Due(String pbx, String callId, long at) {
    }

    /** What is due by then, of these PBXs, earliest first. */
    public List<Due> due(Set<String> pbxs, long now, int limit) {
        return store.calls().read(sql -> sql.query("select pbx, call_id, due_at from call where due_at <= ? and pbx || '' in " + Sql.in(pbxs)
                + " order by due_at limit " + limit, row -> new Due(row.getString(1), row.getString(2), row.getLong(3)),
                Stream.concat(Stream.of(now), pbxs.stream()).toArray()));
    }

    /** A place in the order of calls: by arrival of their first event, then by name. */
    public record Place(long firstAt, String pbx, String callId) {

        public static Place of(CallRow call) {
            return new Place(call.firstAt(), call.pbx(), call.callId());
        }
    }

    /** PBXs that know this CallID; usually one. */
    public List<String> pbxsOf(String callId) {
        return store.calls().read(sql -> sql.query("select pbx from call where call_id = ? order by pbx", row -> row.getString(1), callId));
    }

    /** How many calls of these PBXs have a first event that arrived at {@code from} or later and before {@code to}. */
    public long count(long from, long to, Set<String> pbxs) {
        List<Object> values = new ArrayList<>(List.of(from, to));
        values.addAll(pbxs);
        return store.calls().read(sql -> sql.first("select count(*) from call where first_at >= ? and first_at < ? and pbx in " + Sql.in(pbxs),
                row -> row.getLong(1), values.toArray()));
    }

    /** Calls whose first event arrived before {@code to}, oldest first, behind a place. */
    public List<CallRow> range(long to, Place after, int limit) {
        return store.calls().read(sql -> sql.query(CallRow.SELECT + "where (first_at, pbx, call_id) > (?, ?, ?) and first_at < ?"
                + " order by first_at, pbx, call_id limit " + limit, CallRow::of, after.firstAt, after.pbx, after.callId, to));
    }
}
