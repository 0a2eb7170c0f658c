package io.callbridge.support;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** An OpenTelemetry collector that takes traces by OTLP (HTTP with protobuf) and reads what these tests ask for. */
public final class FakeCollector implements AutoCloseable {

    /**
     * @param parent span id; empty: this span begins its trace
     * @param attributes as text, a list as its elements behind commas
     */
    public record Seen(String trace, String id, String parent, String name, Map<String, String> attributes, boolean error) {

        public String get(String attribute) {
            return attributes.get(attribute);
        }
    }

    private final HttpServer server = Unchecked.get(() -> HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0));
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Seen> spans = new CopyOnWriteArrayList<>();
    private final List<String> bodies = new CopyOnWriteArrayList<>();

    public FakeCollector() {
        server.createContext("/", this::take);
        server.setExecutor(threads);
        server.start();
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    public List<Seen> spans() {
        return List.copyOf(spans);
    }

    public List<Seen> spans(String name) {
        return spans().stream().filter(span -> span.name.equals(name)).toList();
    }

    /** Everything that came, headers too, with one character for each byte: texts can be looked for in it. */
    public String everything() {
        return String.join("\n", bodies);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void take(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            bodies.add(exchange.getRequestURI() + " " + exchange.getRequestHeaders().entrySet() + " "
                    + new String(body, StandardCharsets.ISO_8859_1));
            if (exchange.getRequestURI().getPath().equals("/v1/traces")) {
                // ExportTraceServiceRequest.resource_spans, ResourceSpans.scope_spans, ScopeSpans.spans
                fields(body, 1).flatMap(resource -> fields(resource, 2)).flatMap(scope -> fields(scope, 2)).map(FakeCollector::span)
                        .forEach(spans::add);
            }
            exchange.sendResponseHeaders(200, -1);
        }
    }

    private static Seen span(Object message) {
        Map<String, String> attributes = new TreeMap<>();
        fields(message, 9).forEach(pair -> attributes.put(text(fields(pair, 1)), any(fields(pair, 2).findFirst().orElseThrow())));
        return new Seen(hex(fields(message, 1)), hex(fields(message, 2)), hex(fields(message, 4)), text(fields(message, 5)), attributes,
                fields(message, 15).flatMap(status -> fields(status, 3)).anyMatch(code -> code.equals(2L)));
    }

    /** AnyValue: a string, a number, or an ArrayValue of them. */
    private static String any(Object message) {
        return fields(message).map(field -> switch (field.getKey()) {
            case 1 -> text(Stream.of(field.getValue()));
            case 5 -> fields(field.getValue(), 1).map(FakeCollector::any).collect(Collectors.joining(","));
            default -> String.valueOf(field.getValue());
        }).collect(Collectors.joining(","));
    }

    private static Stream<Object> fields(Object message, int number) {
        return fields(message).filter(field -> field.getKey() == number).map(Map.Entry::getValue);
    }

    /** The fields of a protobuf message: numbers as Long, all else as bytes. */
    private static Stream<Map.Entry<Integer, Object>> fields(Object message) {
        ByteBuffer in = ByteBuffer.wrap((byte[]) message).order(ByteOrder.LITTLE_ENDIAN);
        List<Map.Entry<Integer, Object>> fields = new ArrayList<>();
        while (in.hasRemaining()) {
            long tag = varint(in);
            fields.add(Map.entry((int) (tag >>> 3), switch ((int) (tag & 7)) {
                case 0 -> (Object) varint(in);
                case 1 -> in.getLong();
                case 2 -> {
                    byte[] bytes = new byte[(int) varint(in)];
                    in.get(bytes);
                    yield bytes;
                }
                case 5 -> (long) in.getInt();
                default -> throw new IllegalStateException("wire type of tag " + tag);
            }));
        }
        return fields.stream();
    }

    private static String text(Stream<Object> bytes) {
        return bytes.map(each -> new String((byte[]) each, StandardCharsets.UTF_8)).findFirst().orElse("");
    }

    private static String hex(Stream<Object> bytes) {
        return bytes.map(each -> HexFormat.of().formatHex((byte[]) each)).findFirst().orElse("");
    }

    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0;; shift += 7) {
            byte next = in.get();
            value |= (next & 0x7fL) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }
}
