package io.callbridge.deliver;

import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Variable;
import org.jboss.logging.Logger;

/** How a route says that the answer it holds is no success. Each of the methods ends the delivery's try. */
@ApplicationScoped
@Named("crmAnswer")
@RegisterForReflection
public class CrmAnswer {

    private static final Logger LOG = Logger.getLogger(CrmAnswer.class);

    /** The CRM refused this effect for good: a dead letter. */
    public void refused(Exchange exchange) throws CrmRefusedException {
        throw new CrmRefusedException(status(exchange), body(exchange));
    }

    /** The CRM may take it later; its {@code Retry-After} is honoured. */
    public void later(Exchange exchange) throws CrmAnswerException {
        laterBy(exchange, RetryAfter.millis(exchange.getMessage().getHeaders(), Instant.now()));
    }

    /** The CRM may take it after this time. */
    public void laterBy(Exchange exchange, long millis) throws CrmAnswerException {
        throw new CrmAnswerException(status(exchange), body(exchange), millis);
    }

    /** The CRM refuses us, not this effect: somebody must put the configuration right, and nothing may be lost until then. */
    public void misconfigured(Exchange exchange, @Variable("crm") String crm) throws CrmAnswerException {
        // What it said may repeat the call, and is kept with the delivery.
        LOG.errorf("CRM %s refuses Callbridge itself (answer %s), its settings or rights must be put right", crm, status(exchange));
        laterBy(exchange, 0);
    }

    private static Integer status(Exchange exchange) {
        return exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
    }

    private static String body(Exchange exchange) {
        Message message = exchange.getMessage();
        Object body = message.getBody();
        return body instanceof Map<?, ?> map ? map.toString() : message.getBody(String.class);
    }
}
