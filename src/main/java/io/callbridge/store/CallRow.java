package io.callbridge.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A call as its looks left it: what a list of calls shows, and what it is found by.
 *
 * @param version how often its looks were written
 * @param firstAt and {@code lastAt}: arrivals of its first and last event, in milliseconds since 1970
 * @param outcome {@code open}: a leg is not over, or "missed?" is not decided; {@code answered}: somebody outside and an
 *            extension talked; {@code missed}: a missed call was written, and the caller was not served after all;
 *            {@code unanswered}: any other call with an outside party; {@code local}: only extensions took part
 * @param number the outside party, in E.164 where it can be read; {@code null}: hidden, or none
 * @param parties CRM user of each extension that took part, empty for one without
 */
public record CallRow(String pbx, String callId, long version, long firstAt, long lastAt, String outcome, String number,
        SortedMap<String, String> parties) {

    public static final String OPEN = "open";
    public static final String ANSWERED = "answered";
    public static final String MISSED = "missed";
    public static final String UNANSWERED = "unanswered";
    public static final String LOCAL = "local";

    static final String SELECT = "select pbx, call_id, version, first_at, last_at, outcome, number, parties from call ";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<TreeMap<String, String>> PARTIES = new TypeReference<>() {
    };

    static CallRow of(ResultSet row) throws SQLException {
        try {
            return new CallRow(row.getString(1), row.getString(2), row.getLong(3), row.getLong(4), row.getLong(5), row.getString(6),
                    row.getString(7), JSON.readValue(row.getString(8), PARTIES));
        } catch (JsonProcessingException e) {
            throw new SQLException("unreadable parties of a call", e);
        }
    }

    /**
     * Writes the row, unless another look was written since {@code seen} was read. Most looks change nothing but the version
     * and the time: those leave most indexes alone.
     *
     * @param seen {@code null}: there was none
     * @return whether it was written
     */
    boolean write(Sql sql, CallRow seen) throws SQLException {
        if (seen != null && firstAt == seen.firstAt && outcome.equals(seen.outcome) && Objects.equals(number, seen.number)
                && parties.equals(seen.parties)) {
            return sql.update("update call set version = version + 1, last_at = ? where pbx = ? and call_id = ? and version = ?", lastAt,
                    pbx, callId, seen.version) > 0;
        }
        int written = seen == null ? sql.update("insert into call (pbx, call_id, version, first_at, last_at, outcome, number, parties)"
                + " values (?, ?, 1, ?, ?, ?, ?, ?) on conflict do nothing", pbx, callId, firstAt, lastAt, outcome, number, json())
                : sql.update("update call set version = version + 1, first_at = ?, last_at = ?, outcome = ?, number = ?, parties = ?"
                        + " where pbx = ? and call_id = ? and version = ?", firstAt, lastAt, outcome, number, json(), pbx, callId,
                        seen.version);
        if (written > 0) {
            writeParties(sql, seen == null ? Collections.emptySortedMap() : seen.parties);
        }
        return written > 0;
    }

    private void writeParties(Sql sql, Map<String, String> before) throws SQLException {
        for (Map.Entry<String, String> party : parties.entrySet()) {
            if (!party.getValue().equals(before.get(party.getKey()))) {
                sql.update("insert into call_party (pbx, call_id, extension, crm_user) values (?, ?, ?, ?)"
                        + " on conflict (pbx, call_id, extension) do update set crm_user = excluded.crm_user", pbx, callId, party.getKey(),
                        party.getValue());
            }
        }
        for (String extension : before.keySet()) {
            if (!parties.containsKey(extension)) {
                sql.update("delete from call_party where pbx = ? and call_id = ? and extension = ?", pbx, callId, extension);
            }
        }
    }

    private String json() {
        try {
            return JSON.writeValueAsString(parties);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
