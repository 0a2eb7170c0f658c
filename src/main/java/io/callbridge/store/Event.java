package io.callbridge.store;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.callbridge.domain.CallEvent;
import io.callbridge.domain.EventReader;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An event with its raw fields, as it is kept: in a page of the inbox, then in the document of its call.
 *
 * @param call what it says, under the ids that it has here, which may be others than those of its fields ({@code ~2})
 * @param trace where its trace goes on, a W3C traceparent; {@code null}: it was not traced
 * @param json UTF-8; written once, for the page and the document
 */
public record Event(CallEvent call, Map<String, String> fields, String trace, byte[] json) {

    /** A replica of the next version may write more; a field's name may be as long as a request. */
    static final ObjectMapper JSON = JsonMapper.builder(JsonFactory.builder().streamReadConstraints(StreamReadConstraints.builder()
            .maxNameLength(Integer.MAX_VALUE).build()).build()).disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();
    private static final ObjectReader READER = JSON.readerFor(Kept.class);

    /** @param callId and {@code legId}: {@code null}: those of the fields */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @RegisterForReflection
    record Kept(String pbx, long at, String callId, String legId, String trace, Map<String, String> fields) {

        Event event() {
            Map<String, String> named = fields;
            if (callId != null) {
                named = new HashMap<>(fields);
                named.put("CallID", callId);
                named.put("SubCallID", legId);
            }
            return new Event(EventReader.read(pbx, named, Instant.ofEpochMilli(at)), fields, trace, json(this));
        }
    }

    /** As the store keeps it, in UTF-8. */
    static byte[] json(Object value) {
        try {
            return JSON.writeValueAsBytes(value);
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
    }

    public static Event of(String pbx, Map<String, String> fields, Instant arrivedAt, String trace) {
        return new Kept(pbx, arrivedAt.toEpochMilli(), null, null, trace, fields).event();
    }

    /** The same event as one of another call, or leg. */
    public Event under(String callId, String legId) {
        return new Kept(call.pbx(), call.arrivedAt().toEpochMilli(), callId, legId, trace, fields).event();
    }

    /**
     * A repeat is equal in all fields, whatever their order; what adds one is another event, and {@link io.callbridge.domain.Leg} merges
     * the two. One without EventTime that comes hours later may be another call's, whose PBX counts its ids again.
     */
    public Object identity() {
        return call.time() != null ? fields : List.of(fields, call.arrivedAt().getEpochSecond() / 3600);
    }

    /** Equal for a repeat, in one call. */
    Object key() {
        return List.of(call.legId(), identity());
    }

    /** The events of a page. */
    static List<Event> page(byte[] bytes) {
        try {
            return READER.<Kept>readValues(bytes).readAll().stream().map(Kept::event).toList();
        } catch (IOException e) {
            throw new StoreException("unreadable page of the inbox", e);
        }
    }
}
