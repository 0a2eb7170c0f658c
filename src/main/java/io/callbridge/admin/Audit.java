package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Time;
import io.callbridge.store.Store;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** Who did what to calls and deliveries, and when. Kept for good. */
@ApplicationScoped
@Named("auditList")
@RegisterForReflection
public class Audit {

    private final Store store;
    private final ObjectMapper json;

    public Audit(Store store, ObjectMapper json) {
        this.store = store;
        this.json = json;
    }

    /**
     * Durable before it is done: an act that nobody can find afterwards must not happen.
     *
     * @param subject what it was done to, such as {@code delivery 17}
     * @param detail {@code null}: there is nothing more to say
     * @throws io.callbridge.store.StoreException if the store does not take it
     */
    public void record(String who, String action, String subject, String detail) {
        store.forced().writeAndWait("audit", sql -> sql.update("insert into audit (at, who, action, subject, detail) values (?, ?, ?, ?, ?)",
                Time.millis(), who, action, subject, detail));
    }

    /** Newest first. @return JSON of a page; {@code next} is there if another page follows */
    public String page(@Header(Exchange.HTTP_RAW_QUERY) String query) throws JsonProcessingException {
        Parameters parameters = new Parameters(query, "limit", "after");
        Long after = parameters.number("after", 1, Long.MAX_VALUE);
        int limit = parameters.limit();
        List<Map<String, Object>> found = store.forced().read(sql -> sql.query("select seq, at, who, action, subject, detail from audit"
                + " where seq < ? order by seq desc limit " + (limit + 1), Audit::line, after == null ? Long.MAX_VALUE : after));
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("entries", found.stream().limit(limit).toList());
        if (found.size() > limit) {
            answer.put("next", found.get(limit - 1).get("id"));
        }
        return json.writeValueAsString(answer);
    }

    private static Map<String, Object> line(ResultSet row) throws SQLException {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("id", row.getLong("seq"));
        line.put("at", DeliveryView.time(row.getLong("at")));
        line.put("who", row.getString("who"));
        line.put("action", row.getString("action"));
        line.put("subject", row.getString("subject"));
        if (row.getString("detail") != null) {
            line.put("detail", row.getString("detail"));
        }
        return line;
    }
}
