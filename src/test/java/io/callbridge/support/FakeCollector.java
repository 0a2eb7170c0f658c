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
import java.util.function.BiConsumer;

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

    /** All spans so far. */
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
                fields(body, (field, resource) -> fields(bytes(resource), (inner, scope) -> {
                    if (inner == 2) {
                        fields(bytes(scope), (innermost, span) -> {
                            if (innermost == 2) {
                                spans.add(span(bytes(span)));
                            }
                        });
                    }
                }));
            }
            exchange.sendResponseHeaders(200, -1);
        }
    }

    private static Seen span(byte[] message) {
        Map<Integer, String> ids = new TreeMap<>();
        String[] name = {""};
        Map<String, String> attributes = new TreeMap<>();
        boolean[] error = {false};
        fields(message, (field, value) -> {
            switch (field) {
                case 1, 2, 4 -> ids.put(field, HexFormat.of().formatHex(bytes(value)));
                case 5 -> name[0] = text(value);
                case 9 -> attribute(bytes(value), attributes);
                case 15 -> fields(bytes(value), (inner, code) -> error[0] |= inner == 3 && code.equals(2L));
                default -> { }
            }
        });
        return new Seen(ids.get(1), ids.get(2), ids.getOrDefault(4, ""), name[0], attributes, error[0]);
    }

    private static void attribute(byte[] keyValue, Map<String, String> attributes) {
        Object[] pair = new Object[3];
        fields(keyValue, (field, value) -> pair[field] = value);
        attributes.put(text(pair[1]), any(bytes(pair[2])));
    }

    /** AnyValue: a string, a number, or an ArrayValue of them. */
    private static String any(byte[] message) {
        List<String> found = new ArrayList<>();
        fields(message, (field, value) -> {
            switch (field) {
                case 1 -> found.add(text(value));
                case 5 -> fields(bytes(value), (inner, element) -> found.add(any(bytes(element))));
                default -> found.add(String.valueOf(value));
            }
        });
        return String.join(",", found);
    }

    /** The fields of a protobuf message: numbers as Long, all else as bytes. */
    private static void fields(byte[] message, BiConsumer<Integer, Object> each) {
        ByteBuffer in = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
        while (in.hasRemaining()) {
            long tag = varint(in);
            Object value = switch ((int) (tag & 7)) {
                case 0 -> varint(in);
                case 1 -> in.getLong();
                case 2 -> {
                    byte[] bytes = new byte[(int) varint(in)];
                    in.get(bytes);
                    yield bytes;
                }
                case 5 -> (long) in.getInt();
                default -> throw new IllegalStateException("wire type of tag " + tag);
            };
            each.accept((int) (tag >>> 3), value);
        }
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

    private static byte[] bytes(Object value) {
        return (byte[]) value;
    }

    private static String text(Object value) {
        return new String(bytes(value), StandardCharsets.UTF_8);
    }
}
