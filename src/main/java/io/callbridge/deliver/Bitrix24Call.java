package io.callbridge.deliver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.callbridge.platform.Time;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.apache.camel.Exchange;

/**
 * Writes a call to Bitrix24 exactly once, whatever answer was lost. Bitrix24 registers a call, with its card or later, and takes
 * one finish of it: after that the call is not found. What is told are the fields of the route {@code deliver-bitrix24-fields}.
 */
@ApplicationScoped
@Named("bitrix24Call")
@RegisterForReflection
public class Bitrix24Call {

    private static final String REGISTER = "telephony.externalCall.register";
    private static final String FINISH = "telephony.externalCall.finish";
    /** For half an hour the same registration is the same call. */
    private static final Duration SAME = Duration.ofMinutes(25);

    /** Remembered: the id that Bitrix24 gave. */
    private static final String ID = "call-id";
    /** Remembered before a finish is sent: the id of its call. */
    private static final String SENT = "finish";
    /** Remembered before a registration and a finish are sent in one request: when. */
    private static final String LATE = "late";
    /** Remembered: who has the call instead of a responsible who has left. */
    private static final String TAKER = "user";
    private static final String FINISHED = "finished";

    private final DeliveryMemory memory;
    private final JsonTemplate templates;
    private final ObjectMapper json;

    public Bitrix24Call(DeliveryMemory memory, JsonTemplate templates, ObjectMapper json) {
        this.memory = memory;
        this.templates = templates;
        this.json = json;
    }

    /** What is remembered, as variables: {@code bitrixCall}, {@code finished}, {@code cardUser}; empty: nothing. */
    public void recall(Exchange exchange) {
        exchange.setVariable("bitrixCall", memory.recall(exchange, ID));
        exchange.setVariable("finished", memory.recall(exchange, FINISHED));
        exchange.setVariable("cardUser", memory.recall(exchange, "card-user"));
    }

    /** Registers the call, and remembers the id that Bitrix24 gives it. */
    public void register(Exchange exchange) throws Exception {
        registered(exchange, (Map<?, ?>) tell(exchange, REGISTER).get("result"));
    }

    /** The call is that of who was rung, also when it is told again: the responsible has left. */
    public void take(Exchange exchange) {
        String rung = exchange.getVariable("rung", String.class);
        exchange.setVariable("user", rung);
        memory.keep(exchange, TAKER, rung);
    }

    /** Finishes the call, which is registered for it if it has no card, or if Bitrix24 has forgotten that. */
    public void write(Exchange exchange) throws Exception {
        String call = memory.recall(exchange, ID);
        exchange.setVariable("bitrixCall", call);
        if (call.isEmpty() || !finish(exchange, call)) {
            writeWithoutCard(exchange);
        }
        memory.keep(exchange, FINISHED, "yes");
    }

    /**
     * A finish that was sent before and got no answer had come through if the call is not found now: so it is written down before
     * it is sent.
     *
     * @return false: Bitrix24 has forgotten the call
     */
    private boolean finish(Exchange exchange, String call) throws Exception {
        boolean sent = memory.recall(exchange, SENT).equals(call);
        if (!sent) {
            memory.keep(exchange, SENT, call);
        }
        try {
            tell(exchange, FINISH);
        } catch (Exception e) {
            if (!sent && "true".equals(exchange.getVariable("undone"))) {
                memory.forget(exchange, SENT);
            }
            throw e;
        }
        boolean forgotten = !sent && "true".equals(exchange.getVariable("notFound"));
        if (forgotten) {
            memory.forget(exchange, ID);
        }
        return !forgotten;
    }

    /**
     * Registration and finish in one request. When its answer was lost, the same registration tells for half an hour which call it
     * was, and the finish whether it came through. Later nobody can tell, and the call is sent again: there may be a second one in
     * Bitrix24 for each answer that was lost and not asked for again within 25 minutes.
     */
    private void writeWithoutCard(Exchange exchange) throws Exception {
        String taker = memory.recall(exchange, TAKER);
        if (!taker.isEmpty()) {
            exchange.setVariable("user", taker);
        }
        if (memory.recall(exchange, LATE).compareTo(Time.now().minus(SAME).toString()) > 0) {
            register(exchange);
            String call = exchange.getVariable("bitrixCall", String.class);
            memory.keep(exchange, SENT, call);
            finish(exchange, call);
        } else {
            memory.keep(exchange, LATE, Time.now().toString());
            registerAndFinish(exchange);
        }
    }

    /** The answer is 200 whatever failed inside, and what failed inside is taken like the answer to a request of its own. */
    private void registerAndFinish(Exchange exchange) throws Exception {
        exchange.setVariable("bitrixCall", "$result[register][CALL_ID]");
        JsonNode fields = fields(exchange);
        ObjectNode batch = json.createObjectNode().put("halt", 1);
        batch.putObject("cmd").put("register", REGISTER + "?" + JsonTemplate.form(fields.get(REGISTER)))
                .put("finish", FINISH + "?" + JsonTemplate.form(fields.get(FINISH)));
        Map<?, ?> result = (Map<?, ?>) ask(exchange, "batch", batch).get("result");
        Map<?, ?> results = (Map<?, ?>) result.get("result");
        Map<?, ?> errors = (Map<?, ?>) result.get("result_error");
        if (results != null && results.get("register") instanceof Map<?, ?> registration) {
            registered(exchange, registration);
        }
        Object refused = errors == null ? null : errors.get("register") != null ? errors.get("register") : errors.get("finish");
        if (refused != null) {
            Object user = exchange.getVariable("user");
            exchange.getMessage().setBody(refused);
            CrmRequests.send(exchange, "direct:deliver-bitrix24-refusal");
            if (!Objects.equals(user, exchange.getVariable("user"))) {
                registerAndFinish(exchange);
            }
        }
    }

    private void registered(Exchange exchange, Map<?, ?> registration) {
        String call = (String) registration.get("CALL_ID");
        exchange.setVariable("bitrixCall", call);
        memory.keep(exchange, ID, call);
    }

    /** By their methods, with the variables as they are now. */
    private JsonNode fields(Exchange exchange) throws Exception {
        CrmRequests.send(exchange, "direct:deliver-bitrix24-fields");
        return templates.filled(exchange.getMessage().getBody(String.class), exchange);
    }

    /** Once more, if it was refused and the call has been taken by another employee. */
    private Map<?, ?> tell(Exchange exchange, String method) throws Exception {
        Object user = exchange.getVariable("user");
        Map<?, ?> answer = ask(exchange, method, fields(exchange).get(method));
        return Objects.equals(user, exchange.getVariable("user")) ? answer : tell(exchange, method);
    }

    private Map<?, ?> ask(Exchange exchange, String method, JsonNode fields) throws Exception {
        exchange.removeVariable("notFound");
        exchange.removeVariable("undone");
        exchange.getMessage().setBody(json.createObjectNode().set(method, fields));
        CrmRequests.send(exchange, "direct:deliver-bitrix24-request");
        return exchange.getMessage().getBody(Map.class);
    }
}
