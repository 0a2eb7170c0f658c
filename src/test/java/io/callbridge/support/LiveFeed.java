package io.callbridge.support;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** A reader of {@code /api/live}, who keeps the last event of each kind. */
public final class LiveFeed implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, JsonNode> last = new ConcurrentHashMap<>();
    private final Stream<String> lines;

    public LiveFeed(int port, String token) {
        HttpResponse<Stream<String>> answer = Unchecked.get(() -> HttpClient.newHttpClient().send(HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + port + "/api/live")).header("Authorization", "Bearer " + token).build(),
                HttpResponse.BodyHandlers.ofLines()));
        assertEquals(200, answer.statusCode());
        lines = answer.body();
        CompletableFuture.runAsync(this::read);
    }

    private void read() {
        String[] kind = {""};
        lines.forEach(line -> {
            if (line.startsWith("event: ")) {
                kind[0] = line.substring("event: ".length());
            } else if (line.startsWith("data: ")) {
                last.put(kind[0], Unchecked.get(() -> JSON.readTree(line.substring("data: ".length()))));
            }
        });
    }

    /** @return a missing node as long as none came */
    public JsonNode last(String kind) {
        return last.getOrDefault(kind, MissingNode.getInstance());
    }

    @Override
    public void close() {
        lines.close();
    }
}
