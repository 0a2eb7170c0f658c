package io.callbridge.support;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;

/**
 * A CRM that speaks the REST contract, remembers every request and fails on demand. It is a plain HTTP server because the
 * failures matter here at the level of the connection: closed after the request was read, refused, back on the same port.
 */
public final class FakeCrm implements AutoCloseable {

    public static final String TOKEN = "crm-token-of-the-tests";
    public static final String IVANOV = "+79000000010";
    public static final String PETROVA = "+79000000020";

    /** A base with a path, as in the default setting: the bridge must append to it, not replace it. */
    private static final String BASE = "/crm";
    private static final int BABBLE_AFTER_MS = 50;
    private static final Duration QUIET = Duration.ofMillis(1200);
    private static final ObjectMapper JSON = new ObjectMapper();

    static {
        // Without it every answer on a kept connection waits 40 ms for the other side's acknowledgement.
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    /**
     * How requests are answered instead of by the contract.
     *
     * @param status {@link CrmRequest#LOST}, or {@link CrmRequest#OPEN} for that of the contract
     */
    public record Answer(Duration delay, int status, Map<String, String> headers, String body, AtomicInteger left) {

        /** The contract's answer, late; but not later than the CRM {@linkplain FakeCrm#behave behaves} again. */
        public static Answer after(Duration delay) {
            return new Answer(delay, CrmRequest.OPEN, Map.of(), "", new AtomicInteger(Integer.MAX_VALUE));
        }

        public static Answer status(int status) {
            return new Answer(Duration.ZERO, status, Map.of(), "", new AtomicInteger(Integer.MAX_VALUE));
        }

        /** The CRM takes the request, but the connection breaks before the answer is sent. */
        public static Answer lost() {
            return status(CrmRequest.LOST);
        }

        public Answer retryAfter(int seconds) {
            return header("Retry-After", Integer.toString(seconds));
        }

        public Answer body(String text) {
            return new Answer(delay, status, headers, text, left);
        }

        public Answer header(String name, String value) {
            Map<String, String> more = new LinkedHashMap<>(headers);
            more.put(name, value);
            return new Answer(delay, status, more, body, left);
        }

        public Answer times(int times) {
            return new Answer(delay, status, headers, body, new AtomicInteger(times));
        }

        private boolean take() {
            return left.getAndUpdate(n -> n == 0 || n == Integer.MAX_VALUE ? n : n - 1) > 0;
        }
    }

    private record Rule(String method, String path, Answer answer) {
    }

    private final int port = Ports.free();
    private final List<CrmRequest> requests = new ArrayList<>();
    private final List<Rule> rules = new CopyOnWriteArrayList<>();
    private final Map<String, JsonNode> entities = new ConcurrentHashMap<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final SSLContext tls;
    /** Ends the time of those who wait for a late answer. */
    private volatile CountDownLatch waiting = new CountDownLatch(1);
    private HttpServer server;
    private ServerSocket babbler;
    private Future<?> babbling;

    /** A CRM that is up and knows the two people of the scenario files. */
    public FakeCrm() {
        this(null);
    }

    /** @param tls what it shows to those who connect, {@code null}: it speaks plain HTTP */
    public FakeCrm(SSLContext tls) {
        this.tls = tls;
        entity(IVANOV, "ivanov", "Ivanov", "anna");
        entity(PETROVA, "petrova", "Petrova", "boris");
        up();
    }

    public String url() {
        return (tls == null ? "http" : "https") + "://127.0.0.1:" + port + BASE;
    }

    public void entity(String phone, String id, String name, String responsible) {
        entities.put(phone, JSON.createObjectNode().put("id", id).put("type", "contact").put("name", name)
                .put("url", "http://crm.example/contacts/" + id).put("responsible", responsible));
    }

    /** The object that a look-up of a number answers, {@code null} if the CRM does not know it. */
    public JsonNode entityOf(String phone) {
        return phone == null ? null : entities.get(phone);
    }

    /** From now on requests whose method and path (a regular expression) fit are answered so; the first fitting rule counts. */
    public void on(String method, String path, Answer answer) {
        rules.add(new Rule(method, path, answer));
    }

    public void behave() {
        rules.clear();
        CountDownLatch those = waiting;
        waiting = new CountDownLatch(1);
        those.countDown();
    }

    public void down() {
        server.stop(0);
        server = null;
    }

    /** Listens on the same port, but answers every connection with these bytes and closes it. */
    public void babble(String bytes) {
        down();
        babbler = Unchecked.get(() -> new ServerSocket(port, 50, InetAddress.getLoopbackAddress()));
        babbling = threads.submit(() -> {
            while (!babbler.isClosed()) {
                try (Socket connection = babbler.accept()) {
                    connection.setSoTimeout(BABBLE_AFTER_MS);
                    try {
                        // All of it: a connection closed on unread bytes is reset, and the answer lost.
                        connection.getInputStream().readAllBytes();
                    } catch (SocketTimeoutException whole) {
                        connection.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
                    }
                } catch (IOException closedOrGone) {
                    continue;
                }
            }
        });
    }

    /** Listens again on the same port, if it does not, and answers as agreed. */
    public void up() {
        if (server != null) {
            return;
        }
        endBabble();
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        server = Unchecked.get(() -> tls == null ? HttpServer.create(address, 0) : HttpsServer.create(address, 0));
        if (server instanceof HttpsServer https) {
            https.setHttpsConfigurator(new HttpsConfigurator(tls));
        }
        server.createContext("/", this::handle);
        server.setExecutor(threads);
        server.start();
    }

    public List<CrmRequest> requests() {
        synchronized (requests) {
            return List.copyOf(requests);
        }
    }

    public List<CrmRequest> requests(CrmRequest.Kind kind) {
        return requests().stream().filter(r -> r.kind() == kind).toList();
    }

    public List<CrmRequest> requests(CrmRequest.Kind kind, String id) {
        return requests(kind).stream().filter(r -> r.id().equals(id)).toList();
    }

    /** The requests whose path ends with one of the ids. */
    public List<CrmRequest> requests(Collection<String> ids) {
        Set<String> wanted = Set.copyOf(ids);
        return requests().stream().filter(r -> r.kind() != CrmRequest.Kind.ENTITY && wanted.contains(r.id())).toList();
    }

    /** How many requests of these kinds were under way at the same time, at most. */
    public long mostAtOnce(CrmRequest.Kind... kinds) {
        List<CrmRequest> some = requests().stream().filter(r -> List.of(kinds).contains(r.kind())).toList();
        return some.stream().mapToLong(one -> some.stream()
                .filter(other -> other.nanos() <= one.nanos() && other.answeredNanos() > one.nanos()).count()).max().orElse(0);
    }

    /** Whether a call has reached the CRM and its answer was given. */
    public boolean has(CrmRequest.Kind kind, String id) {
        return requests(kind, id).stream().anyMatch(CrmRequest::effective);
    }

    public void awaitCall(TestCall call) {
        await("the registration of " + call).atMost(Duration.ofSeconds(90)).pollInterval(Duration.ofMillis(20))
                .until(() -> has(CrmRequest.Kind.CALL, call.legId()));
    }

    /** Waits until nothing has come for a while: what is sent twice is sent again soon. */
    public void awaitQuiet() {
        long begin = System.nanoTime();
        await("quiet").atMost(Duration.ofSeconds(60)).until(() -> System.nanoTime()
                - requests().stream().mapToLong(CrmRequest::nanos).reduce(begin, Math::max) > QUIET.toNanos());
    }

    @Override
    public void close() {
        behave();
        if (server != null) {
            server.stop(0);
        }
        endBabble();
        threads.shutdownNow();
    }

    private void endBabble() {
        if (babbler != null) {
            Unchecked.run(babbler::close);
            // The port is free when nobody accepts any more.
            await().atMost(Duration.ofSeconds(10)).until(babbling::isDone);
        }
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String text = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            String path = exchange.getRequestURI().getRawPath();
            boolean inside = path.startsWith(BASE + "/");
            CrmRequest request = new CrmRequest(exchange.getRequestMethod(),
                    inside ? path.substring(BASE.length()) : "/outside-of-the-base" + path,
                    exchange.getRequestURI().getRawQuery(), Map.copyOf(exchange.getRequestHeaders()), text);
            synchronized (requests) {
                requests.add(request);
            }
            answer(exchange, request);
        }
    }

    private void answer(HttpExchange exchange, CrmRequest request) throws IOException {
        Answer answer = rules.stream().filter(r -> request.method().equals(r.method) && request.path().matches(r.path)).map(Rule::answer)
                .filter(Answer::take).findFirst().orElseGet(() -> Answer.after(Duration.ZERO));
        if (answer.status == CrmRequest.LOST) {
            request.answered(CrmRequest.LOST);
            return;
        }
        Unchecked.run(() -> waiting.await(answer.delay.toMillis(), TimeUnit.MILLISECONDS));
        JsonNode entity = request.kind() == CrmRequest.Kind.ENTITY ? entityOf(request.query().get("phone")) : null;
        int status = answer.status != CrmRequest.OPEN ? answer.status : switch (request.kind()) {
            case ENTITY -> entity == null ? 404 : 200;
            case OTHER -> 400;
            case CARD_END -> 204;
            default -> 200;
        };
        byte[] body = (answer.status != CrmRequest.OPEN ? answer.body : entity == null ? "" : entity.toString())
                .getBytes(StandardCharsets.UTF_8);
        if (body.length > 0) {
            exchange.getResponseHeaders().set("Content-Type", body[0] == '{' ? "application/json" : "text/plain");
        }
        answer.headers.forEach(exchange.getResponseHeaders()::set);
        try {
            // Before the bytes leave: who saw the answer at the bridge must see it here.
            request.answered(status);
            exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
            if (body.length > 0) {
                exchange.getResponseBody().write(body);
            }
        } catch (IOException bridgeIsGone) {
            request.answered(CrmRequest.LOST);
        }
    }
}
