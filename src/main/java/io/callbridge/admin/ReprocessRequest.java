package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.process.ReprocessRun;
import io.callbridge.store.Audit;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeProperty;

/** What an operator wants to be folded again, and what he is told about it. */
@ApplicationScoped
@Named("reprocessRequest")
@RegisterForReflection
public class ReprocessRequest {

    private final Audit audit;
    private final ObjectMapper json;

    public ReprocessRequest(Audit audit, ObjectMapper json) {
        this.audit = audit;
        this.json = json;
    }

    /** Puts the {@link ReprocessRun} on the exchange. */
    public void read(Exchange exchange) {
        Parameters parameters = new Parameters(exchange.getMessage().getHeader(Exchange.HTTP_RAW_QUERY, String.class), "from", "to", "dry-run");
        Instant from = parameters.from("from");
        Instant to = parameters.to("to");
        if (from == null) {
            throw RefusedException.bad("query parameter from is missing; needed: an instant or a date, the arrival of the first call's"
                    + " first event");
        }
        boolean dryRun = "true".equals(parameters.oneOf("dry-run", List.of("true", "false")));
        Instant end = to == null ? Instant.now() : to;
        if (!dryRun) {
            audit.record(exchange.getMessage().getHeader(AdminGate.WHO, String.class), "reprocess", "calls from " + from + " to " + end, null);
        }
        exchange.setProperty(ReprocessRun.PROPERTY, new ReprocessRun(from, end, dryRun));
    }

    public String answer(@ExchangeProperty(ReprocessRun.PROPERTY) ReprocessRun run) throws JsonProcessingException {
        return json.writeValueAsString(run.answer());
    }
}
