package io.callbridge.support;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.crm.StandIn;
import io.callbridge.platform.Time;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * One request as the CRM received it.
 *
 * @param path below the contract's base, percent-encoding as it came
 * @param query decoded; a raw plus sign is a space: whoever sends "+7..." without encoding it has a bug that must show
 * @param body {@code null} if there is none or it is not JSON
 * @param nanos when it arrived, on the clock of {@link System#nanoTime()}
 * @param at the same on the clock of the bridge, if that is in this JVM
 */
public record CrmRequest(String method, String path, Map<String, String> query, Map<String, List<String>> headers, String text,
        JsonNode body, long nanos, Instant at, Answer answer) {

    /** What a request of the REST contract asks for. */
    public enum Kind {
        ENTITY, CARD, CARD_END, CALL, MISSED, OTHER
    }

    /** How it was answered, and when. */
    static final class Answer {

        private volatile int status = OPEN;
        private volatile long nanos = Long.MAX_VALUE;
    }

    /** The answer never reached the bridge. */
    public static final int LOST = 0;
    /** No answer yet. */
    public static final int OPEN = -1;

    private static final ObjectMapper JSON = new ObjectMapper();

    CrmRequest(String method, String rawPath, String rawQuery, Map<String, List<String>> headers, String text) {
        this(method, rawPath, StandIn.decode(rawQuery), headers, text, json(text), System.nanoTime(), Time.now(), new Answer());
    }

    public String header(String name) {
        return headers.entrySet().stream().filter(h -> h.getKey().equalsIgnoreCase(name))
                .map(h -> h.getValue().get(0)).findFirst().orElse(null);
    }

    /** Time from another request, or another moment, to this one. */
    public Duration since(long otherNanos) {
        return Duration.ofNanos(nanos - otherNanos);
    }

    /** How long the answer took. */
    public Duration took() {
        return Duration.ofNanos(answeredNanos() - nanos);
    }

    /** The status it was answered with, {@link #LOST} or {@link #OPEN}. */
    public int answered() {
        return answer.status;
    }

    /** When it was answered, on the same clock; far in the future: not yet. */
    long answeredNanos() {
        return answer.nanos;
    }

    void answered(int status) {
        answer.nanos = System.nanoTime();
        answer.status = status;
    }

    /** Whether the CRM took it: a lost answer is a write that counts. */
    public boolean effective() {
        return answered() == LOST || answered() >= 200 && answered() < 300;
    }

    public Kind kind() {
        return switch ((method + " " + path).replaceFirst("(?<=s/)[^/]+$", "")) {
            case "GET /entities" -> Kind.ENTITY;
            case "PUT /cards/" -> Kind.CARD;
            case "DELETE /cards/" -> Kind.CARD_END;
            case "PUT /calls/" -> Kind.CALL;
            case "PUT /missed-calls/" -> Kind.MISSED;
            default -> Kind.OTHER;
        };
    }

    /** The decoded id at the end of the path. */
    public String id() {
        return QueryStringDecoder.decodeComponent(path.substring(path.lastIndexOf('/') + 1));
    }

    /** A member of the body as text, {@code null} if absent. */
    public String member(String name) {
        return body == null || !body.hasNonNull(name) ? null : body.get(name).asText();
    }

    @Override
    public String toString() {
        return method + " " + path + (query.isEmpty() ? "" : " " + query) + (text.isEmpty() ? "" : " " + text)
                + " -> " + (answered() == LOST ? "lost" : answered() == OPEN ? "open" : answered());
    }

    private static JsonNode json(String text) {
        try {
            return text.isBlank() ? null : JSON.readTree(text);
        } catch (JsonProcessingException notJson) {
            return null;
        }
    }
}
