package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Header;

/** What administrators did, newest first. */
@ApplicationScoped
@Named("auditList")
@RegisterForReflection
public class AuditList {

    private final Audit audit;
    private final ObjectMapper json;

    public AuditList(Audit audit, ObjectMapper json) {
        this.audit = audit;
        this.json = json;
    }

    /** @return JSON of a page; {@code next} is there if another page follows */
    public String page(@Header(Exchange.HTTP_RAW_QUERY) String query) throws JsonProcessingException {
        Parameters parameters = new Parameters(query, "limit", "after");
        Long after = parameters.number("after", 1, Long.MAX_VALUE);
        int limit = parameters.limit();
        List<Audit.Entry> found = audit.newest(after == null ? Long.MAX_VALUE : after, limit + 1);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("entries", found.stream().limit(limit).map(AuditList::line).toList());
        if (found.size() > limit) {
            answer.put("next", found.get(limit - 1).seq());
        }
        return json.writeValueAsString(answer);
    }

    private static Map<String, Object> line(Audit.Entry entry) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("id", entry.seq());
        line.put("at", DeliveryView.time(entry.at()));
        line.put("who", entry.who());
        line.put("action", entry.action());
        line.put("subject", entry.subject());
        if (entry.detail() != null) {
            line.put("detail", entry.detail());
        }
        return line;
    }
}
