package io.callbridge.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** A reader of {@code /api/live}, who keeps the last event of each kind. */
public final class LiveFeed implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, JsonNode> last = new ConcurrentHashMap<>();
    private final Stream<String> lines;

    public LiveFeed(int port, String token) throws IOException, InterruptedException {
        HttpResponse<Stream<String>> answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + port + "/api/live")).header("Authorization", "Bearer " + token).build(),
                HttpResponse.BodyHandlers.ofLines());
        if (answer.statusCode() != 200) {
            throw new IOException("/api/live answers " + answer.statusCode());
        }
        lines = answer.body();
        Thread reader = new Thread(() -> {
            try {
                read();
            } catch (UncheckedIOException closed) {
                // Its end.
            }
        }, "live-feed-reader");
        reader.setDaemon(true);
        reader.start();
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
