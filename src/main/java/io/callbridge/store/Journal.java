package io.callbridge.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.domain.CallEvent;
import io.callbridge.ingest.EventReader;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** The event journal: appended before anything is acknowledged, read whenever a call is folded. */
@ApplicationScoped
public class Journal {

    private static final TypeReference<Map<String, String>> FIELDS = new TypeReference<>() {
    };

    private final Store store;
    private final ObjectMapper json;

    public Journal(Store store, ObjectMapper json) {
        this.store = store;
        this.json = json;
    }

    /** A journaled event with its raw fields. */
    public record Entry(long seq, String state, CallEvent event, Map<String, String> fields) {
    }

    /**
     * Appends an event; a repeat changes nothing (rule R5).
     *
     * @return completes after the commit; {@code false} if the event was already there
     */
    public CompletableFuture<Boolean> append(CallEvent event, Map<String, String> fields) {
        String raw;
        try {
            raw = json.writeValueAsString(fields);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
        return store.write(connection -> {
            try (PreparedStatement insert = connection.prepareStatement("insert into event (pbx, call_id, leg_id, type,"
                    + " event_time, arrived_at, callback_id, fields, state) values (?, ?, ?, ?, ?, ?, ?, ?, 'new')"
                    + " on conflict do nothing")) {
                insert.setString(1, event.pbx());
                insert.setString(2, event.callId());
                insert.setString(3, event.legId());
                insert.setString(4, event.type().word);
                // Without EventTime the verdict of a container must not pass for a repeat of a hangup without one (3.10.1).
                insert.setLong(5, event.time() != null ? EventReader.micros(event.time()) : event.bridged() == null ? 0 : -1);
                insert.setLong(6, event.arrivedAt().toEpochMilli());
                insert.setString(7, event.callBackId());
                insert.setString(8, raw);
                return insert.executeUpdate() > 0;
            }
        });
    }

    /** All events of a call, in order of arrival. */
    public List<Entry> call(String pbx, String callId) {
        return entries("pbx = ? and call_id = ?", pbx, callId);
    }

    /** All events of a leg, in order of arrival. */
    public List<CallEvent> leg(String pbx, String legId) {
        return entries("pbx = ? and leg_id = ?", pbx, legId).stream().map(Entry::event).toList();
    }

    /** Events of other calls that carry this CallBackID. */
    public List<CallEvent> sameCallBack(String pbx, String callBackId, String callId) {
        return entries("pbx = ? and callback_id = ? and call_id <> ?", pbx, callBackId, callId).stream()
                .map(Entry::event).toList();
    }

    /** PBXs that know this CallID; usually one. */
    public List<String> pbxsOf(String callId) {
        return store.read(connection -> {
            try (PreparedStatement query = connection.prepareStatement(
                    "select distinct pbx from event where call_id = ? order by pbx")) {
                query.setString(1, callId);
                List<String> found = new ArrayList<>();
                ResultSet rows = query.executeQuery();
                while (rows.next()) {
                    found.add(rows.getString(1));
                }
                return found;
            }
        });
    }

    /**
     * Events that were acknowledged but not processed to the end, oldest first: all of them at a start, later only those
     * that have waited for longer than is normal. Those of a PBX that is no longer configured rest.
     */
    public List<CallEvent> open(boolean failedToo, Instant arrivedBefore, Set<String> pbxs, int limit) {
        String state = failedToo ? "state <> 'done'" : "state = 'new'";
        return entries(state + " and arrived_at < ? and pbx in (" + Store.places(pbxs) + ") order by seq limit " + limit,
                Stream.concat(Stream.of(arrivedBefore.toEpochMilli()), pbxs.stream()).toArray()).stream()
                .map(Entry::event).toList();
    }

    private List<Entry> entries(String where, Object... values) {
        return store.read(connection -> {
            String order = where.contains("order by") ? "" : " order by seq";
            try (PreparedStatement query = connection.prepareStatement(
                    "select seq, state, pbx, arrived_at, fields from event where " + where + order)) {
                for (int i = 0; i < values.length; i++) {
                    query.setObject(i + 1, values[i]);
                }
                List<Entry> found = new ArrayList<>();
                ResultSet rows = query.executeQuery();
                while (rows.next()) {
                    Map<String, String> fields = fields(rows.getString("fields"));
                    found.add(new Entry(rows.getLong("seq"), rows.getString("state"), EventReader.read(rows.getString("pbx"),
                            fields, Instant.ofEpochMilli(rows.getLong("arrived_at"))), fields));
                }
                return found;
            }
        });
    }

    private Map<String, String> fields(String raw) throws SQLException {
        try {
            return json.readValue(raw, FIELDS);
        } catch (JsonProcessingException e) {
            throw new SQLException("unreadable fields in the journal", e);
        }
    }
}
