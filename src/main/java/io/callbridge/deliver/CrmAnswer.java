package io.callbridge.deliver;

import io.callbridge.platform.Time;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;

/** How a route says that the answer it holds is no success. Each of the methods ends the delivery's try. */
@ApplicationScoped
@Named("crmAnswer")
@RegisterForReflection
public class CrmAnswer {

    /** Exchange property: the text of the answer whose members the body has, see {@link JsonAnswer#read}. */
    static final String SAID = "CallbridgeSaid";

    /** The CRM refused this effect for good: a dead letter. */
    public void refused(Exchange exchange) throws CrmRefusedException {
        throw new CrmRefusedException(status(exchange), body(exchange));
    }

    /** The CRM may take it later; its {@code Retry-After} is honoured. */
    public void later(Exchange exchange) throws CrmAnswerException {
        laterBy(exchange, RetryAfter.millis(exchange.getMessage().getHeaders(), Time.now()));
    }

    /** The CRM may take it after this time. */
    public void laterBy(Exchange exchange, long millis) throws CrmAnswerException {
        throw new CrmAnswerException(status(exchange), body(exchange), millis, Failures.refusal(status(exchange), location(exchange)));
    }

    /**
     * The CRM refuses us, not this effect: somebody must put the configuration right, and nothing may be lost until then. A body
     * that the route has set says how; what the CRM said is behind it.
     */
    public void misconfigured(Exchange exchange) throws CrmAnswerException {
        String refusal = Failures.refusal(status(exchange), location(exchange));
        String body = body(exchange);
        String said = exchange.getProperty(SAID, body, String.class);
        throw new CrmAnswerException(status(exchange), body == null || body.equals(said) ? said : body + "\n" + said,
                RetryAfter.millis(exchange.getMessage().getHeaders(), Time.now()),
                refusal != null ? refusal : "answer " + status(exchange));
    }

    /** A page where there should be an answer, of a login say, is no success: nobody has done what was asked for. */
    static void noPage(Exchange exchange, String body) throws CrmAnswerException {
        Integer status = status(exchange);
        String page = status != null && status / 100 == 2 ? Failures.page(body) : null;
        if (page != null) {
            throw new CrmAnswerException(status, body, 0, "answer " + status + " with " + page);
        }
    }

    private static Integer status(Exchange exchange) {
        return exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
    }

    private static String location(Exchange exchange) {
        return exchange.getMessage().getHeader("Location", String.class);
    }

    /** As it came. */
    private static String body(Exchange exchange) {
        Message message = exchange.getMessage();
        String body = message.getBody() instanceof Map<?, ?> map ? exchange.getProperty(SAID, map.toString(), String.class)
                : message.getBody(String.class);
        return Failures.moved(status(exchange), location(exchange), exchange) + (body == null ? "" : body);
    }
}
