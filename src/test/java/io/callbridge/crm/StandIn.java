package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.callbridge.support.Ports;
import io.callbridge.support.Unchecked;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * A CRM that behaves as its vendor says: a plain HTTP server that keeps what it is told, because what matters here is state
 * over several requests and the connection itself. What the subclass does with a request is under one lock.
 */
public abstract class StandIn implements AutoCloseable {

    protected static final ObjectMapper JSON = new ObjectMapper();
    protected static final Predicate<JsonNode> TEXT = JsonNode::isTextual;
    protected static final Predicate<JsonNode> FILLED = value -> value.isTextual() && !value.asText().isBlank();
    protected static final Predicate<JsonNode> COUNT = value -> value.isIntegralNumber() && value.asLong() >= 0;

    static {
        // Without it every answer on a kept connection waits 40 ms for the other side's acknowledgement.
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    /** A request as it came. @param path without the query, percent-encoding as it came */
    public record Request(String method, String path, String query, Map<String, List<String>> headers, byte[] body, long nanos) {

        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        public String header(String name) {
            return headers.entrySet().stream().filter(h -> h.getKey().equalsIgnoreCase(name)).map(h -> h.getValue().get(0)).findFirst()
                    .orElse(null);
        }

        /** The decoded parameters of the query, and of the body if that is a form. */
        public Map<String, String> parameters() {
            Map<String, String> all = decode(query);
            String type = header("Content-Type");
            if (type != null && type.startsWith("application/x-www-form-urlencoded")) {
                all.putAll(decode(text()));
            }
            return all;
        }

        /** The body; a missing node if there is none or it is not JSON. */
        public JsonNode json() {
            try {
                return body.length == 0 ? MissingNode.getInstance() : JSON.readTree(body);
            } catch (IOException notJson) {
                return MissingNode.getInstance();
            }
        }
    }

    public record Reply(int status, String type, String body, Map<String, String> headers) {

        public static Reply json(int status, Object body) {
            return new Reply(status, "application/json", JSON.valueToTree(body).toString(), Map.of());
        }

        public static Reply empty(int status) {
            return new Reply(status, null, "", Map.of());
        }
    }

    /** @param reply {@code null}: the request is performed, but its answer is lost */
    private record Fault(Predicate<Request> whom, Reply reply, AtomicInteger left) {

        boolean take(Request request) {
            return whom.test(request) && left.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
        }
    }

    /** What an object in a request must and may have; nothing else, which is stricter than some vendors are. */
    static final class Members {

        private final Map<String, Predicate<JsonNode>> known = new HashMap<>();
        private final Set<String> needed = new TreeSet<>();

        Members must(Predicate<JsonNode> value, String... names) {
            needed.addAll(List.of(names));
            return may(value, names);
        }

        Members may(Predicate<JsonNode> value, String... names) {
            List.of(names).forEach(name -> known.put(name, value));
            return this;
        }

        boolean knows(String name) {
            return known.containsKey(name);
        }

        boolean fit(JsonNode object) {
            return wrong(object).isEmpty();
        }

        /** @return by the member's name */
        Map<String, String> wrong(JsonNode object) {
            Map<String, String> wrong = new TreeMap<>();
            needed.stream().filter(name -> !object.has(name)).forEach(name -> wrong.put(name, "FieldMissing"));
            object.properties().forEach(member -> {
                Predicate<JsonNode> allowed = known.get(member.getKey());
                if (allowed == null) {
                    wrong.put(member.getKey(), "NotExpected");
                } else if (member.getValue().isNull()) {
                    wrong.put(member.getKey(), "NotNullable");
                } else if (!allowed.test(member.getValue())) {
                    wrong.put(member.getKey(), "NotSupportedChoice");
                }
            });
            return wrong;
        }
    }

    /** How many requests a CRM takes within any window of a length, and how many came. */
    static final class SlidingLimit {

        private final long window;
        private final List<Long> arrived = new ArrayList<>();
        private final List<Long> taken = new ArrayList<>();
        private int most;
        private int refused;

        SlidingLimit(Duration window, int most) {
            this.window = window.toNanos();
            this.most = most;
        }

        /** From now on so many; refused ones do not count. */
        synchronized void most(int requests) {
            most = requests;
        }

        synchronized boolean take(long nanos) {
            arrived.add(nanos);
            if (taken.stream().filter(t -> nanos - t < window).count() >= most) {
                refused++;
                return false;
            }
            taken.add(nanos);
            return true;
        }

        synchronized int refused() {
            return refused;
        }

        /** The fullest window so far, refused requests too. */
        synchronized int fullest() {
            return (int) arrived.stream()
                    .mapToLong(begin -> arrived.stream().filter(at -> at >= begin && at - begin < window).count()).max()
                    .orElse(0);
        }
    }

    /** By class: the next one takes the place of one that is closed, so that who was given its address can go on with it. */
    private static final Map<Class<?>, StandIn> CLOSED = new HashMap<>();

    private final int port;
    private final List<Request> requests = Collections.synchronizedList(new ArrayList<>());
    private final List<Fault> faults = new CopyOnWriteArrayList<>();
    private ExecutorService threads;
    private HttpServer server;
    private boolean wasDown;

    protected StandIn() {
        StandIn former = CLOSED.remove(getClass());
        port = former == null ? Ports.free() : former.port;
        if (former == null) {
            up();
        } else {
            threads = former.threads;
            server = former.server;
            server.removeContext("/");
            server.createContext("/", this::handle);
        }
    }

    /** What the CRM does with a request; its state is changed here and read in {@link #look} only. */
    protected abstract Reply answer(Request request);

    /** Without a slash at the end. */
    public String origin() {
        return "http://127.0.0.1:" + port;
    }

    /** The next requests of a kind are performed, but the connection breaks before the answer is sent. */
    void lose(int times, Predicate<Request> whom) {
        faults.add(new Fault(whom, null, new AtomicInteger(times)));
    }

    /** The next requests of a kind are not performed, but answered so. */
    void refuse(int times, Reply reply, Predicate<Request> whom) {
        faults.add(new Fault(whom, reply, new AtomicInteger(times)));
    }

    void behave() {
        faults.clear();
    }

    /** Refuses connections from now on. */
    public final void down() {
        wasDown = true;
        server.stop(0);
        threads.shutdownNow();
    }

    /** Listens (again), always on the same port. */
    public final void up() {
        server = Unchecked.get(() -> HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0));
        server.createContext("/", this::handle);
        threads = Executors.newCachedThreadPool();
        server.setExecutor(threads);
        server.start();
    }

    /** All requests so far, in the order of their arrival, refused and lost ones too. */
    public List<Request> requests() {
        return List.copyOf(requests);
    }

    /** Runs something that reads or changes the state of the CRM. */
    protected final synchronized <T> T look(Supplier<T> reading) {
        return reading.get();
    }

    static Predicate<JsonNode> among(String... words) {
        return value -> value.isTextual() && Set.of(words).contains(value.asText());
    }

    static Predicate<JsonNode> listOf(Predicate<JsonNode> element) {
        return value -> value.isArray() && !value.isEmpty() && value.valueStream().allMatch(element);
    }

    /** The parameters of a query or a form; of several values of one name the last one. */
    public static Map<String, String> decode(String encoded) {
        Map<String, String> all = new LinkedHashMap<>();
        new QueryStringDecoder(encoded == null ? "" : encoded, false).parameters()
                .forEach((name, values) -> all.put(name, values.get(values.size() - 1)));
        return all;
    }

    @Override
    public void close() {
        // Connections that were broken once would surprise a client that keeps them.
        StandIn other = wasDown ? this : CLOSED.put(getClass(), this);
        if (other != null) {
            other.down();
        }
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Request request = new Request(exchange.getRequestMethod(), exchange.getRequestURI().getRawPath(),
                    exchange.getRequestURI().getRawQuery(), Map.copyOf(exchange.getRequestHeaders()),
                    exchange.getRequestBody().readAllBytes(), System.nanoTime());
            requests.add(request);
            Fault fault = faults.stream().filter(f -> f.take(request)).findFirst().orElse(null);
            Reply reply = fault != null && fault.reply != null ? fault.reply : look(() -> answer(request));
            if (fault == null || fault.reply != null) {
                send(exchange, reply);
            }
        }
    }

    private static void send(HttpExchange exchange, Reply reply) throws IOException {
        byte[] body = reply.body.getBytes(StandardCharsets.UTF_8);
        if (reply.type != null) {
            exchange.getResponseHeaders().set("Content-Type", reply.type);
        }
        reply.headers.forEach(exchange.getResponseHeaders()::set);
        exchange.sendResponseHeaders(reply.status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            exchange.getResponseBody().write(body);
        }
    }
}
