package io.callbridge.support;

import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;

/**
 * The manager interface of an Asterisk: does the login as the real one, answers pings and lists, and then sends what a test
 * wants. What it is told to do wrong counts for connections from then on; {@link #send}, {@link #drop} and the like mean the
 * newest connection. It keeps its port over {@link #down} and {@link #up}.
 */
public final class FakeAmi implements AutoCloseable {

    private static final Duration SOON = Duration.ofSeconds(60);

    private final String user;
    private final String secret;
    private final SSLContext tls;
    private final int port = Ports.free();
    private final List<Connection> connections = new CopyOnWriteArrayList<>();
    private final List<Connection> logins = new CopyOnWriteArrayList<>();
    private final AtomicInteger wrong = new AtomicInteger();
    /** Actions that are refused, and how. */
    private final Map<String, String> refused = new ConcurrentHashMap<>();
    private volatile String banner = "Asterisk Call Manager/11.0.0";
    private volatile ServerSocket server;
    /** What happens on a connection once it is logged in and its lists were sent; runs in a thread of its own. */
    private volatile Consumer<Connection> script = connection -> { };
    private volatile List<String> status = List.of();
    private volatile List<String> channels = List.of();
    private volatile boolean silent;
    private volatile boolean mute;

    public FakeAmi(String user, String secret) {
        this(user, secret, null);
    }

    /** @param tls with the server's certificate */
    public FakeAmi(String user, String secret, SSLContext tls) {
        this.user = user;
        this.secret = secret;
        this.tls = tls;
        up();
    }

    /** The settings of a bridge that connects here, with trunks named {@code trunk*}. */
    public Map<String, String> settings(String pbx) {
        String key = "callbridge.pbx." + pbx + ".ami.";
        return Map.of(key + "host", tls == null ? "127.0.0.1" : "localhost", key + "port", Integer.toString(port), key + "username", user,
                key + "secret", secret, key + "trunks", "trunk*", key + "inbound-contexts", "from-trunk*", key + "tls",
                Boolean.toString(tls != null));
    }

    public int port() {
        return port;
    }

    public FakeAmi onLogin(Consumer<Connection> then) {
        script = then;
        return this;
    }

    /** What is answered to {@code Status} and {@code CoreShowChannels}: lines of each item, without {@code Event} and ActionID. */
    public FakeAmi lists(List<String> ofStatus, List<String> ofChannels) {
        status = ofStatus;
        channels = ofChannels;
        return this;
    }

    /** Accepts connections and says nothing. */
    public FakeAmi silent(boolean now) {
        silent = now;
        return this;
    }

    /** Answers nothing after the login, as behind a connection that is dead without anybody knowing. */
    public FakeAmi mute(boolean now) {
        mute = now;
        return this;
    }

    /** The user has not the right for these actions, or what calls itself an Asterisk has none. */
    public FakeAmi refuse(String answer, String... actions) {
        List.of(actions).forEach(action -> refused.put(action.toLowerCase(Locale.ROOT), answer));
        return this;
    }

    public FakeAmi banner(String line) {
        banner = line;
        return this;
    }

    public int connections() {
        return connections.size();
    }

    public int logins() {
        return logins.size();
    }

    public int refusedLogins() {
        return wrong.get();
    }

    /** Logged-in connections that are open now. */
    public long readers() {
        return logins.stream().filter(Connection::isOpen).count();
    }

    /** Waits until there were so many logins whose lists were sent. */
    public Connection awaitLogin(int count) {
        await("login " + count).atMost(SOON).pollInterval(Duration.ofMillis(10))
                .until(() -> logins.size() >= count && logins.get(count - 1).running);
        return logins.get(count - 1);
    }

    public Connection newest() {
        return logins.get(logins.size() - 1);
    }

    /** @param text lines that end with LF or CRLF */
    public void send(String text) {
        newest().send(text);
    }

    public void drop() {
        connections.forEach(Connection::close);
    }

    /** As when the PBX is gone: connections are refused. */
    public void down() {
        Unchecked.run(server::close);
        drop();
    }

    public void up() {
        Unchecked.run(() -> {
            ServerSocket socket = tls == null ? new ServerSocket() : tls.getServerSocketFactory().createServerSocket();
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            server = socket;
            thread("fake-ami", () -> accept(socket));
        });
    }

    @Override
    public void close() {
        down();
    }

    private void accept(ServerSocket socket) {
        while (!socket.isClosed()) {
            try {
                Connection connection = new Connection(socket.accept());
                connections.add(connection);
                thread("fake-ami-connection", connection::serve);
            } catch (IOException closed) {
                return;
            }
        }
    }

    private static void thread(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    public final class Connection {

        private final Socket socket;
        /** What the client has asked for, in order, each with its fields; keys in any case. */
        private final List<Map<String, String>> actions = new CopyOnWriteArrayList<>();
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile boolean running;
        private String expected = "";

        private Connection(Socket socket) {
            this.socket = socket;
        }

        public long count(String action) {
            return actions.stream().filter(fields -> action.equals(fields.get("Action"))).count();
        }

        public boolean isOpen() {
            return ended.getCount() > 0;
        }

        public boolean awaitEnd(Duration within) throws InterruptedException {
            return ended.await(within.toMillis(), TimeUnit.MILLISECONDS);
        }

        public synchronized void send(byte[] bytes) {
            Unchecked.run(() -> socket.getOutputStream().write(bytes));
        }

        public void send(String text) {
            send(text.getBytes(StandardCharsets.UTF_8));
        }

        /** The client may still send; it reads the end. */
        public void halfClose() {
            Unchecked.run(socket::shutdownOutput);
        }

        public void close() {
            Unchecked.run(socket::close);
        }

        private void serve() {
            try (socket) {
                if (!silent) {
                    send(banner + "\r\n");
                }
                BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
                for (Map<String, String> action = action(in); action != null; action = action(in)) {
                    actions.add(action);
                    if (!silent) {
                        answer(action);
                    }
                }
            } catch (IOException | UncheckedIOException closed) {
                // By the test or by the client: the latch says so.
            } finally {
                ended.countDown();
            }
        }

        private static Map<String, String> action(BufferedReader in) throws IOException {
            Map<String, String> fields = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.isBlank()) {
                    return fields;
                }
                int colon = line.indexOf(':');
                fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
            }
            return null;
        }

        private void answer(Map<String, String> action) {
            String name = action.getOrDefault("Action", "").toLowerCase(Locale.ROOT);
            boolean in = logins.contains(this);
            if (in && mute) {
                return;
            }
            String refusal = refused.getOrDefault(name, in || Set.of("challenge", "login").contains(name) ? null : "Permission denied");
            running |= name.equals("coreshowchannels") && refusal != null;
            if (refusal != null) {
                respond(action, "Error", "Message: " + refusal + "\r\n");
                return;
            }
            switch (name) {
                case "challenge" -> {
                    expected = Integer.toString(100_000_000 + connections.size());
                    respond(action, "Success", "Challenge: " + expected + "\r\n");
                }
                case "login" -> login(action);
                case "ping" -> respond(action, "Success", "Ping: Pong\r\nTimestamp: 1795402270.985642\r\n");
                case "status" -> list(action, "Status", "StatusComplete", status);
                case "coreshowchannels" -> {
                    list(action, "CoreShowChannel", "CoreShowChannelsComplete", channels);
                    running = true;
                    thread("fake-ami-script", () -> {
                        try {
                            script.accept(this);
                        } catch (UncheckedIOException closed) {
                            // The script goes on until the client closes.
                        }
                    });
                }
                case "logoff" -> {
                    respond(action, "Goodbye", "Message: Thanks for all the fish.\r\n");
                    close();
                }
                default -> respond(action, "Error", "Message: Invalid/unknown command\r\n");
            }
        }

        private void login(Map<String, String> action) {
            String key = !action.containsKey("Key") ? secret : Unchecked.get(() -> HexFormat.of().formatHex(MessageDigest.getInstance("MD5")
                    .digest((expected + secret).getBytes(StandardCharsets.UTF_8))));
            boolean right = user.equals(action.get("Username")) && key.equals(action.getOrDefault("Key", action.get("Secret")));
            if (!right) {
                wrong.incrementAndGet();
                respond(action, "Error", "Message: Authentication failed\r\n");
                close();
                return;
            }
            respond(action, "Success", "Message: Authentication accepted\r\n");
            logins.add(this);
            send("Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n");
        }

        private void list(Map<String, String> action, String item, String end, List<String> items) {
            String id = "ActionID: " + action.get("ActionID") + "\r\n";
            respond(action, "Success", "EventList: start\r\nMessage: " + item + " list will follow\r\n");
            for (String fields : items) {
                send("Event: " + item + "\r\n" + id + fields.strip().replaceAll("\\R", "\r\n") + "\r\n\r\n");
            }
            send("Event: " + end + "\r\n" + id + "EventList: Complete\r\nListItems: " + items.size() + "\r\n\r\n");
        }

        private void respond(Map<String, String> action, String response, String fields) {
            String id = action.containsKey("ActionID") ? "ActionID: " + action.get("ActionID") + "\r\n" : "";
            send("Response: " + response + "\r\n" + id + fields + "\r\n");
        }
    }
}
