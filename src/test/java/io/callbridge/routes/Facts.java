package io.callbridge.routes;

import java.util.HashMap;
import java.util.Map;
import org.apache.camel.Exchange;

/**
 * Facts as {@code LegFacts}, {@code CardFacts} and {@code MissedFacts} give them, of the ordinary case; a test says what is
 * not ordinary. {@code RouteHarnessTest} compares the names with those of the beans.
 */
final class Facts {

    private Facts() {
    }

    /** Anna at 101 has talked to somebody outside who called. */
    static Map<String, Object> leg() {
        Map<String, Object> facts = new HashMap<>();
        facts.put("legId", "71101-a1");
        facts.put("callId", "c1");
        facts.put("direction", "in");
        facts.put("extension", "101");
        facts.put("extensionType", "phone");
        facts.put("container", false);
        facts.put("trunk", false);
        facts.put("joined", false);
        facts.put("lost", false);
        facts.put("lostHow", "");
        facts.put("bridged", "");
        facts.put("local", false);
        facts.put("party", "+79000000010");
        facts.put("forwarded", false);
        facts.put("forwardedAsOutgoing", false);
        facts.put("answered", true);
        facts.put("result", "answered");
        facts.put("registered", "");
        facts.put("ended", true);
        facts.put("over", true);
        facts.put("settled", true);
        facts.put("mapped", true);
        facts.put("defaultUser", "");
        facts.put("callBack", false);
        facts.put("calledFromInside", false);
        facts.put("containerSeen", false);
        facts.put("subject", "71101-a1");
        return facts;
    }

    /** Anna's phone at 101 has just begun to ring. */
    static Map<String, Object> card() {
        Map<String, Object> facts = leg();
        facts.putAll(Map.of("answered", false, "result", "unknown", "ended", false, "over", false, "settled", false));
        facts.put("shown", false);
        facts.put("told", false);
        facts.put("hidden", false);
        facts.put("fresh", true);
        facts.put("end", "");
        facts.put("answeredBy", "");
        return facts;
    }

    /** A call from outside that rang at phones and is over; nobody answered, no container took part. */
    static Map<String, Object> missed() {
        Map<String, Object> facts = new HashMap<>();
        facts.put("due", true);
        facts.put("allOver", true);
        facts.put("container", false);
        facts.put("bridged", false);
        facts.put("ownCaller", false);
        facts.put("ivrBridged", false);
        facts.put("answered", false);
        facts.put("lost", false);
        facts.put("rang", true);
        facts.put("place", "101");
        facts.put("written", false);
        facts.put("withoutContainer", true);
        facts.put("suppressIfAnswered", false);
        facts.put("needsIvrNo", false);
        return facts;
    }

    static Map<String, Object> with(Map<String, Object> ordinary, Map<String, Object> changed) {
        Map<String, Object> facts = new HashMap<>(ordinary);
        facts.putAll(changed);
        return facts;
    }

    /** Makes variables of a body that is facts, as the beans do. */
    static void put(Exchange exchange) {
        if (exchange.getMessage().getBody() instanceof Map<?, ?> facts) {
            facts.forEach((name, value) -> exchange.setVariable((String) name, value));
        }
    }
}
