package io.callbridge.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.SortedMap;
import java.util.TreeMap;

/** A call in one line: what a list of calls shows, and what it is found by. Its columns are explained where they are made (V2__calls.sql). */
public record CallRow(String pbx, String callId, long version, long firstAt, long lastAt, Long dueAt, String outcome, int openLegs, String number,
        SortedMap<String, String> parties) {

    /** A leg is not over, or "missed?" is not decided. */
    public static final String OPEN = "open";
    /** Somebody outside and an extension talked. */
    public static final String ANSWERED = "answered";
    /** A missed call was written, and the caller was not served after all. */
    public static final String MISSED = "missed";
    /** Any other call with an outside party. */
    public static final String UNANSWERED = "unanswered";
    /** Only extensions took part. */
    public static final String LOCAL = "local";

    static final String COLUMNS = "pbx, call_id, version, first_at, last_at, due_at, outcome, open_legs, number, parties";
    public static final String SELECT = "select " + COLUMNS + " from call ";

    private static final TypeReference<TreeMap<String, String>> PARTIES = new TypeReference<>() {
    };

    public static CallRow of(ResultSet row) throws SQLException {
        try {
            // Null as such: getLong makes 0 of it. SQLite's driver has no Long to ask for, and its type depends on the value.
            Number due = (Number) row.getObject(6);
            return new CallRow(row.getString(1), row.getString(2), row.getLong(3), row.getLong(4), row.getLong(5), due == null ? null : due.longValue(),
                    row.getString(7), row.getInt(8), row.getString(9), Event.JSON.readValue(row.getString(10), PARTIES));
        } catch (JsonProcessingException e) {
            throw new SQLException("unreadable parties of a call", e);
        }
    }

    String partiesJson() {
        return new String(Event.json(parties), StandardCharsets.UTF_8);
    }
}
