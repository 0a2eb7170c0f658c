package io.callbridge.support;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/** The PBX's side of the webhook: one event, one request. */
public final class Webhook {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5)).build();
    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final String WRONG_SECRET = "thisisnotthesecret0123";

    /**
     * How a request is made.
     *
     * @param query the names of the fields in the query
     * @param body the names of the fields in the body, {@code null}: all
     * @param json the body is JSON, numbers in it are numbers
     */
    public record Wire(String method, Set<String> query, Set<String> body, boolean json, boolean secret) {

        public static final Wire FORM = new Wire("POST", Set.of(), null, false);

        /** With the right secret. */
        public Wire(String method, Set<String> query, Set<String> body, boolean json) {
            this(method, query, body, json, true);
        }
    }

    private final int port;
    private final String secret;

    Webhook(int port, String secret) {
        this.port = port;
        this.secret = secret;
    }

    public String path() {
        return "/pbx/" + secret + "/events";
    }

    public HttpResponse<String> send(Map<String, String> fields) {
        return send(fields, Wire.FORM);
    }

    public HttpResponse<String> send(Map<String, String> fields, Wire wire) {
        return Unchecked.get(() -> CLIENT.send(request(fields, wire), HttpResponse.BodyHandlers.ofString()));
    }

    /** Sends events one after the other; each must be acknowledged. */
    public void accept(List<Map<String, String>> events) {
        for (Map<String, String> event : events) {
            HttpResponse<String> answer = send(event);
            assertEquals("200 OK", answer.statusCode() + " " + answer.body().strip(), event::toString);
        }
    }

    public CompletableFuture<HttpResponse<String>> sendAsync(Map<String, String> fields, Wire wire) {
        return CLIENT.sendAsync(request(fields, wire), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest request(Map<String, String> fields, Wire wire) {
        Map<String, String> query = new LinkedHashMap<>(fields);
        query.keySet().retainAll(wire.query());
        Map<String, String> body = new LinkedHashMap<>(fields);
        body.keySet().removeIf(field -> wire.body() != null && !wire.body().contains(field));
        String path = wire.secret() ? path() : "/pbx/" + WRONG_SECRET + "/events";
        URI uri = URI.create("http://127.0.0.1:" + port + path + (query.isEmpty() ? "" : "?" + form(query)));
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(TIMEOUT);
        if (wire.method().equals("GET")) {
            return request.GET().build();
        }
        return request
                .header("Content-Type", wire.json() ? "application/json" : "application/x-www-form-urlencoded")
                .method(wire.method(), HttpRequest.BodyPublishers.ofString(wire.json() ? json(body) : form(body)))
                .build();
    }

    public static String form(Map<String, String> fields) {
        return fields.entrySet().stream().map(f -> encode(f.getKey()) + "=" + encode(f.getValue()))
                .collect(Collectors.joining("&"));
    }

    /** Fields as JSON; what is a number in the protocol is a number here. */
    public static String json(Map<String, String> fields) {
        Map<String, Object> json = new LinkedHashMap<>(fields);
        json.replaceAll((name, value) -> Set.of("EventTime", "Duration").contains(name) && value.toString().matches("\\d{1,18}")
                ? (Object) Long.valueOf(value.toString()) : value);
        return JSON.valueToTree(json).toString();
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("*", "%2A");
    }
}
