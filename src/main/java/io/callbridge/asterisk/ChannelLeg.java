package io.callbridge.asterisk;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** A leg as the store knows it: what every event of it says, and what has been said so far. */
final class ChannelLeg {

    static final String CHANNEL_NAME = "AsteriskChannel";
    static final String CHANNEL_ID = "AsteriskUniqueid";

    final Map<String, String> fields = new LinkedHashMap<>();
    /** Whose the outside party is; {@code null} on a leg among extensions. */
    Channel party;
    Instant startedAt;
    /** A dial event was said. */
    boolean announced;
    boolean answered;
    /** How it ended unless somebody talked. */
    String status = "";

    ChannelLeg(String callId, String legId, String flow, Channel channel) {
        fields.put("CallID", callId);
        fields.put("SubCallID", legId);
        fields.put("CallFlow", flow);
        fields.put(CHANNEL_NAME, channel.name);
        fields.put(CHANNEL_ID, channel.id);
    }

    /** A leg from the fields of its events, of which one is given. */
    ChannelLeg(Map<String, String> event) {
        fields.putAll(event);
        fields.keySet().removeIf(key -> key.equals("EventType") || key.equals("EventTime") || key.equals("CallStatus"));
    }

    /** An empty value is none. */
    ChannelLeg with(String field, String value) {
        if (!value.isEmpty()) {
            fields.put(field, value);
        }
        return this;
    }

    String callId() {
        return fields.get("CallID");
    }

    String id() {
        return fields.get("SubCallID");
    }

    boolean out() {
        return "out".equals(fields.get("CallFlow"));
    }

    /** Both sides are extensions, as far as is known. */
    boolean local() {
        return fields.containsKey("CallerExtension") && fields.containsKey("CalledExtension") && !fields.containsKey("RemoteNumber");
    }
}
