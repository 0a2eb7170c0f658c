package io.callbridge.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.domain.CallEvent;
import io.callbridge.ingest.EventReader;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** The event journal: appended before anything is acknowledged, read whenever a call is folded. */
@ApplicationScoped
public class Journal {

    private static final TypeReference<Map<String, String>> FIELDS = new TypeReference<>() {
    };

    private static final String INSERT = "insert into event (pbx, call_id, leg_id, type, event_time, arrived_at, callback_id, fields, state, trace)"
            + " values (?, ?, ?, ?, ?, ?, ?, ?, 'new', ?) on conflict do nothing";
    private static final int FINGERPRINT = 4;
    private static final String SELECT = "select seq, state, pbx, call_id, leg_id, arrived_at, fields, trace from event where ";

    private final Store store;
    private final ObjectMapper json;
    private final AtomicInteger appending = new AtomicInteger();

    public Journal(Store store, ObjectMapper json) {
        this.store = store;
        this.json = json;
    }

    /**
     * A journaled event, under the ids that it has here, with its raw fields.
     *
     * @param trace where its trace goes on, {@code null}: it was not traced
     */
    public record Entry(long seq, String state, CallEvent event, Map<String, String> fields, String trace) {
    }

    /**
     * An event to be appended.
     *
     * @param trace {@code null}: it is not traced
     */
    public record New(CallEvent event, Map<String, String> fields, String trace) {
    }

    /**
     * Appends events with one commit: nobody sees a part of them. A repeat changes nothing (rule R5).
     *
     * @return completes after the commit; of each event {@code false} if it was already there
     */
    public CompletableFuture<List<Boolean>> append(List<New> events) {
        if (events.isEmpty()) {
            return CompletableFuture.completedFuture(List.of());
        }
        List<Object[]> rows = events.stream().map(this::row).toList();
        CallEvent first = events.get(0).event();
        String order = String.join(" ", first.callId(), first.legId(), first.type().word, String.valueOf(rows.get(0)[FINGERPRINT]));
        appending.addAndGet(events.size());
        // One alone goes to the database together with others that are alone.
        CompletableFuture<List<Boolean>> appended = rows.size() == 1 ? store.changeAtOnce(order, INSERT, rows.get(0)).thenApply(List::of)
                // A driver that cannot count them says less than 0.
                : store.writeAtOnce(order, sql -> Arrays.stream(sql.updateAll(INSERT, rows)).mapToObj(changed -> changed != 0).toList());
        appended.whenComplete((isNew, failure) -> appending.addAndGet(-events.size()));
        return appended;
    }

    private Object[] row(New appended) {
        CallEvent event = appended.event();
        try {
            return new Object[] {event.pbx(), event.callId(), event.legId(), event.type().word, fingerprint(appended),
                event.arrivedAt().toEpochMilli(), event.callBackId(), json.writeValueAsString(appended.fields()), appended.trace()};
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Stands in the column event_time since events came without EventTime, or two in one second: a repeat is equal in all
     * fields, whatever their order; what adds one is another event, and {@link io.callbridge.domain.Leg} merges the two. One
     * without EventTime that comes hours later may be another call's, whose PBX counts its ids again.
     */
    private static long fingerprint(New appended) {
        CallEvent event = appended.event();
        String text = new TreeMap<>(appended.fields()) + (event.time() != null ? "" : " " + event.arrivedAt().getEpochSecond() / 3600);
        try {
            return ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8))).getLong();
        } catch (NoSuchAlgorithmException everyJvmHasIt) {
            throw new IllegalStateException(everyJvmHasIt);
        }
    }

    /** Events that wait to be durable, and somebody for each of them to be answered. */
    public int appending() {
        return appending.get();
    }

    /** All events of a call, in order of arrival. */
    public List<Entry> call(String pbx, String callId) {
        return store.read(sql -> call(sql, pbx, callId));
    }

    List<Entry> call(Sql sql, String pbx, String callId) throws SQLException {
        return sql.query(SELECT + "pbx = ? and call_id = ? order by seq", this::entry, pbx, callId);
    }

    /** All events of a leg, in order of arrival. */
    public List<CallEvent> leg(String pbx, String legId) {
        return events("pbx = ? and leg_id = ? order by seq", pbx, legId);
    }

    /** Events of these legs that stand under other CallIDs. */
    public List<Entry> elsewhere(String pbx, String callId, Collection<String> legIds) {
        return store.read(sql -> sql.query(SELECT + "pbx = ? and leg_id in " + Sql.in(legIds) + " and call_id <> ? order by seq", this::entry,
                Stream.concat(Stream.concat(Stream.of(pbx), legIds.stream()), Stream.of(callId)).toArray()));
    }

    /** Events of other calls that carry this CallBackID. */
    public List<CallEvent> sameCallBack(String pbx, String callBackId, String callId) {
        return events("pbx = ? and callback_id = ? and call_id <> ? order by seq", pbx, callBackId, callId);
    }

    /** PBXs that know this CallID; usually one. */
    public List<String> pbxsOf(String callId) {
        return store.read(sql -> sql.query("select distinct pbx from event where call_id = ? order by pbx", row -> row.getString(1), callId));
    }

    /**
     * Events that were acknowledged but not processed to the end, oldest first, failed ones too if wished. Those of a PBX that
     * is no longer configured rest.
     */
    public List<CallEvent> open(boolean failedToo, Instant arrivedBefore, Set<String> pbxs, int limit) {
        // state <> 'done' even where it follows: SQLite takes the index of open events only for the condition it was made with;
        // pbx || '', or it takes the one that begins with the PBX and reads the whole journal.
        return events("state <> 'done'" + (failedToo ? "" : " and state = 'new'") + " and arrived_at < ? and pbx || '' in " + Sql.in(pbxs)
                + " order by arrived_at, seq limit " + limit,
                Stream.concat(Stream.of(arrivedBefore.toEpochMilli()), pbxs.stream()).toArray());
    }

    /** All events of the calls of a PBX that are not over, as far as is known, in order of arrival. */
    public List<Entry> openCalls(String pbx) {
        return store.read(sql -> sql.query(SELECT + "pbx = ? and call_id in (select call_id from call where outcome = 'open' and pbx = ?"
                + " union all select call_id from event where state <> 'done' and pbx || '' = ?) order by seq", this::entry, pbx, pbx, pbx));
    }

    private List<CallEvent> events(String where, Object... values) {
        return store.read(sql -> sql.query(SELECT + where, this::entry, values)).stream().map(Entry::event).toList();
    }

    private Entry entry(ResultSet row) throws SQLException {
        try {
            Map<String, String> fields = json.readValue(row.getString("fields"), FIELDS);
            Map<String, String> named = new HashMap<>(fields);
            named.put("CallID", row.getString("call_id"));
            named.put("SubCallID", row.getString("leg_id"));
            return new Entry(row.getLong("seq"), row.getString("state"), EventReader.read(row.getString("pbx"), named,
                    Instant.ofEpochMilli(row.getLong("arrived_at"))), fields, row.getString("trace"));
        } catch (JsonProcessingException e) {
            throw new SQLException("unreadable fields in the journal", e);
        }
    }
}
