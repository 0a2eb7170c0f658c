package io.callbridge.support;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Time;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One request as the CRM received it. */
public final class CrmRequest {

    /** What a request of the REST contract asks for. */
    public enum Kind {
        ENTITY, CARD, CARD_END, CALL, MISSED, OTHER
    }

    /** The answer never reached the bridge. */
    public static final int LOST = 0;
    /** No answer yet. */
    public static final int OPEN = -1;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final long nanos = System.nanoTime();
    private final Instant at = Time.now();
    private final String method;
    private final String path;
    private final Map<String, String> query;
    private final Map<String, List<String>> headers;
    private final String text;
    private final JsonNode body;
    private volatile int answered = OPEN;
    private volatile long answeredNanos = Long.MAX_VALUE;

    CrmRequest(String method, String rawPath, String rawQuery, Map<String, List<String>> headers, String text) {
        this.method = method;
        this.path = rawPath;
        this.query = parameters(rawQuery);
        this.headers = headers;
        this.text = text;
        this.body = json(text);
    }

    public String method() {
        return method;
    }

    /** The path below the contract's base, percent-encoding as it came. */
    public String path() {
        return path;
    }

    /** The decoded query. */
    public Map<String, String> query() {
        return query;
    }

    public String header(String name) {
        return headers.entrySet().stream().filter(h -> h.getKey().equalsIgnoreCase(name))
                .map(h -> h.getValue().get(0)).findFirst().orElse(null);
    }

    public String text() {
        return text;
    }

    /** The body, or {@code null} if there is none or it is not JSON. */
    public JsonNode body() {
        return body;
    }

    /** When it arrived, on the clock of {@link System#nanoTime()}. */
    public long nanos() {
        return nanos;
    }

    /** When it arrived, on the clock of the bridge, if that is in this JVM. */
    public Instant at() {
        return at;
    }

    /** Time from another request, or another moment, to this one. */
    public Duration since(long otherNanos) {
        return Duration.ofNanos(nanos - otherNanos);
    }

    /** How long the answer took. */
    public Duration took() {
        return Duration.ofNanos(answeredNanos - nanos);
    }

    /** The status it was answered with, {@link #LOST} or {@link #OPEN}. */
    public int answered() {
        return answered;
    }

    /** When it was answered, on the same clock; far in the future: not yet. */
    long answeredNanos() {
        return answeredNanos;
    }

    void answered(int status) {
        answeredNanos = System.nanoTime();
        answered = status;
    }

    /** Whether the CRM took it: a lost answer is a write that counts. */
    public boolean effective() {
        return answered == LOST || answered >= 200 && answered < 300;
    }

    public Kind kind() {
        String[] parts = path.split("/", -1);
        if (parts.length == 2 && parts[1].equals("entities")) {
            return method.equals("GET") ? Kind.ENTITY : Kind.OTHER;
        }
        if (parts.length != 3 || parts[2].isEmpty()) {
            return Kind.OTHER;
        }
        return switch (method + " " + parts[1]) {
            case "PUT cards" -> Kind.CARD;
            case "DELETE cards" -> Kind.CARD_END;
            case "PUT calls" -> Kind.CALL;
            case "PUT missed-calls" -> Kind.MISSED;
            default -> Kind.OTHER;
        };
    }

    /** The decoded id at the end of the path. */
    public String id() {
        return decode(path.substring(path.lastIndexOf('/') + 1));
    }

    /** A member of the body as text, {@code null} if absent. */
    public String member(String name) {
        return body == null || !body.hasNonNull(name) ? null : body.get(name).asText();
    }

    @Override
    public String toString() {
        return method + " " + path + (query.isEmpty() ? "" : " " + query) + (text.isEmpty() ? "" : " " + text)
                + " -> " + (answered == LOST ? "lost" : answered == OPEN ? "open" : answered);
    }

    private static JsonNode json(String text) {
        try {
            return text.isBlank() ? null : JSON.readTree(text);
        } catch (JsonProcessingException notJson) {
            return null;
        }
    }

    private static Map<String, String> parameters(String rawQuery) {
        Map<String, String> parameters = new LinkedHashMap<>();
        if (rawQuery != null && !rawQuery.isEmpty()) {
            Arrays.stream(rawQuery.split("&")).map(p -> p.split("=", 2))
                    .forEach(p -> parameters.put(decode(p[0]), p.length < 2 ? "" : decode(p[1])));
        }
        return parameters;
    }

    private static String decode(String text) {
        // A raw plus sign stays one: whoever sends "+7..." without encoding it has a bug that must show.
        return URLDecoder.decode(text.replace("+", "%20"), StandardCharsets.UTF_8);
    }
}
