package io.callbridge.crm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A refusal as amoCRM writes it: {@code application/problem+json}. Kommo documentation, "Add calls". */
final class AmoCrmProblem extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient StandIn.Reply reply;

    AmoCrmProblem(int status, String title, String detail) {
        super(detail);
        reply = problem(status, title, detail, Map.of());
    }

    private AmoCrmProblem(StandIn.Reply reply) {
        this.reply = reply;
    }

    static AmoCrmProblem badRequest(String detail) {
        return new AmoCrmProblem(400, "Bad Request", detail);
    }

    /** One bad element, and nothing of the body is taken. Kommo documentation, "Add calls". */
    static AmoCrmProblem validation(List<?> reports) {
        return new AmoCrmProblem(problem(400, "Bad Request", "Request validation failed", Map.of("validation-errors", reports)));
    }

    StandIn.Reply reply() {
        return reply;
    }

    static StandIn.Reply hal(int status, Object body) {
        return new StandIn.Reply(status, status < 400 ? "application/hal+json" : "application/problem+json",
                StandIn.Reply.json(status, body).body(), Map.of());
    }

    private static StandIn.Reply problem(int status, String title, String detail, Map<String, ?> first) {
        Map<String, Object> body = new LinkedHashMap<>(first);
        body.put("title", title);
        body.put("type", "https://httpstatus.es/" + status);
        body.put("status", status);
        body.put("detail", detail);
        return hal(status, body);
    }
}
