package io.callbridge.store;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.domain.CallEvent;
import io.callbridge.ingest.EventReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * An event with its raw fields, as it is kept: in a page of the inbox, then in the document of its call.
 *
 * @param call what it says, under the ids that it has here, which may be others than those of its fields ({@code ~2})
 * @param trace where its trace goes on, a W3C traceparent; {@code null}: it was not traced
 * @param json UTF-8; written once, for the page and the document
 */
public record Event(CallEvent call, Map<String, String> fields, String trace, byte[] json) {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<TreeMap<String, String>> FIELDS = new TypeReference<>() {
    };
    private static final String CALL = "CallID";
    private static final String LEG = "SubCallID";

    public static Event of(String pbx, Map<String, String> fields, Instant arrivedAt, String trace) {
        CallEvent call = EventReader.read(pbx, fields, arrivedAt.truncatedTo(ChronoUnit.MILLIS));
        return new Event(call, fields, trace, json(call, fields, trace, false));
    }

    /** The same event as one of another call, or leg. */
    public Event under(String callId, String legId) {
        CallEvent other = read(call.pbx(), fields, call.arrivedAt(), callId, legId);
        return new Event(other, fields, trace, json(other, fields, trace, true));
    }

    /**
     * A repeat is equal in all fields, whatever their order; what adds one is another event, and {@link io.callbridge.domain.Leg} merges
     * the two. One without EventTime that comes hours later may be another call's, whose PBX counts its ids again.
     */
    public Object identity() {
        return call.time() != null ? fields : List.of(fields, call.arrivedAt().getEpochSecond() / 3600);
    }

    private static CallEvent read(String pbx, Map<String, String> fields, Instant arrivedAt, String callId, String legId) {
        Map<String, String> named = new HashMap<>(fields);
        named.put(CALL, callId);
        named.put(LEG, legId);
        return EventReader.read(pbx, named, arrivedAt);
    }

    private static byte[] json(CallEvent call, Map<String, String> fields, String trace, boolean named) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        try (JsonGenerator out = JSON.createGenerator(bytes)) {
            out.writeStartObject();
            out.writeStringField("pbx", call.pbx());
            out.writeNumberField("at", call.arrivedAt().toEpochMilli());
            if (named) {
                out.writeStringField("callId", call.callId());
                out.writeStringField("legId", call.legId());
            }
            if (trace != null) {
                out.writeStringField("trace", trace);
            }
            out.writeObjectFieldStart("fields");
            for (Map.Entry<String, String> field : fields.entrySet()) {
                out.writeStringField(field.getKey(), field.getValue());
            }
            out.writeEndObject();
            out.writeEndObject();
        } catch (IOException inMemory) {
            throw new IllegalStateException(inMemory);
        }
        return bytes.toByteArray();
    }

    static Event of(JsonNode node) {
        String pbx = node.path("pbx").asText();
        Instant arrivedAt = Instant.ofEpochMilli(node.path("at").asLong());
        Map<String, String> fields = JSON.convertValue(node.path("fields"), FIELDS);
        boolean named = node.has("callId");
        CallEvent call = named ? read(pbx, fields, arrivedAt, node.path("callId").asText(), node.path("legId").asText())
                : EventReader.read(pbx, fields, arrivedAt);
        String trace = node.hasNonNull("trace") ? node.path("trace").asText() : null;
        return new Event(call, fields, trace, json(call, fields, trace, named));
    }

    /** The events of a page. */
    static List<Event> page(byte[] bytes) {
        List<Event> events = new ArrayList<>();
        try (JsonParser all = JSON.createParser(bytes)) {
            while (all.nextToken() != null) {
                events.add(of(JSON.readTree(all)));
            }
        } catch (IOException e) {
            throw new StoreException("unreadable page of the inbox", e);
        }
        return events;
    }
}
