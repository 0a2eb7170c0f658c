package io.callbridge.platform;

import java.util.Map;
import org.apache.camel.Exchange;

/**
 * What a route decides on. The facts are the body, for the next bean, and each of them is a variable, for the conditions:
 * to Camel, {@code ${body[local]}} is a call of a bean, {@code ${variable.local}} only a look into a map.
 */
public final class Facts {

    private Facts() {
    }

    /** @param facts without {@code null}: a condition must be able to name every fact */
    public static void put(Exchange exchange, Map<String, Object> facts) {
        exchange.getMessage().setBody(facts);
        facts.forEach(exchange::setVariable);
    }
}
