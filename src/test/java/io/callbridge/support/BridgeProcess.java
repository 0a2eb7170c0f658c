package io.callbridge.support;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.StoreKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * The packaged application as a process of its own, in a folder of its own: what these tests see is what an operator gets.
 * With the system property {@code callbridge.native} it is the native binary, with {@code callbridge.test.image} an image
 * in a {@link Container}. The folder, the port and the store stay the
 * same over restarts, and are gone after {@link #close()}.
 */
public final class BridgeProcess implements AutoCloseable {

    private static final Path PROJECT = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    /** Where a build leaves the native binary, if it made one. */
    public static final Path BINARY = PROJECT.resolve("target/callbridge-0.1.0-SNAPSHOT-runner");
    /** Where a build leaves what runs on a JVM. */
    public static final Path PACKAGE = PROJECT.resolve("target/quarkus-app");

    /** Of every process that is started {@linkplain Builder#without with one}; it is sent by whoever sends no headers of his own. */
    public static final String ADMIN_TOKEN = "admin-token-of-the-tests";

    private static final boolean NATIVE = Boolean.getBoolean("callbridge.native");
    private static final Duration START = Duration.ofSeconds(90);

    static {
        // Whatever a process is waited for: long enough for a busy machine.
        Awaitility.setDefaultTimeout(START);
    }

    private static final Duration STOP = Duration.ofSeconds(30);
    private static final Path JAR = PACKAGE.resolve("quarkus-run.jar");
    private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final int TAIL = 6_000;
    private static final String SYNCHRONOUS = "quarkus.datasource.sqlite.jdbc.additional-jdbc-properties.synchronous";
    private static final String INBOX_SYNCHRONOUS = SYNCHRONOUS.replace("sqlite", "inbox");
    /**
     * Short delays; but a busy machine takes its time, and what happens then is not what most tests are about. What a process has
     * written to its file survives the end of the process, which is tested, also if it does not wait for the disk.
     */
    private static final Map<String, String> FOR_TESTS = Map.of(
            "callbridge.calls.missed-delay", "250ms",
            "callbridge.calls.settle-delay", "250ms",
            "callbridge.store.patience-ms", "15000",
            "callbridge.deliver.card.lookup-timeout-ms", "15000",
            "callbridge.crm.rest.url", "http://127.0.0.1:1/crm",
            SYNCHRONOUS, "OFF", INBOX_SYNCHRONOUS, "OFF");
    private static final String STORE_URL = "callbridge.store.url";
    private static final String TOKEN_KEY = "callbridge.admin.token";
    private static final String TCP_PORT = "callbridge.tcp.port";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(20)).build();

    @FunctionalInterface
    public interface RoutesEdit {

        void edit(Path routes) throws IOException;

        /** Puts something in the place of what must be there, as {@link String#replaceAll} does. */
        static RoutesEdit replacing(String file, String found, String with) {
            return routes -> {
                String text = Pages.text(routes.resolve(file));
                String edited = text.replaceAll(found, with);
                assertNotEquals(text, edited, file);
                Files.writeString(routes.resolve(file), edited);
            };
        }
    }

    public record Refusal(int exitCode, String output) {
    }

    public static final class Builder {

        private final Map<String, String> settings = new LinkedHashMap<>(ExamplePbx.settings());
        private final Map<String, String> environment = new LinkedHashMap<>();
        private final List<RoutesEdit> edits = new ArrayList<>();
        private boolean routesFolder = true;
        private boolean installed;
        private boolean bare;

        private Builder() {
            setting("callbridge.pbx.main.secret", "webhook-secret-of-the-tests").setting(TOKEN_KEY, ADMIN_TOKEN);
            settings.putAll(FOR_TESTS);
        }

        /** With the delays, the patience, the care for the disk and the JVM of an installation: for what is measured. */
        public Builder asInstalled() {
            settings.keySet().removeAll(FOR_TESTS.keySet());
            installed = true;
            return this;
        }

        /** With the care of an installation for the disk: for what is killed. */
        public Builder durable() {
            return without(SYNCHRONOUS).without(INBOX_SYNCHRONOUS);
        }

        /** Without any setting but its own address: who tests where settings come from puts them there. */
        public Builder bare() {
            settings.clear();
            bare = true;
            return this;
        }

        public Builder setting(String key, String value) {
            settings.put(key, value);
            return this;
        }

        public Builder settings(Map<String, String> more) {
            settings.putAll(more);
            return this;
        }

        public Builder without(String key) {
            settings.remove(key);
            return this;
        }

        public Builder environment(String name, String value) {
            environment.put(name, value);
            return this;
        }

        public Builder crm(FakeCrm crm) {
            return setting("callbridge.crm.rest.url", crm.url()).setting("callbridge.crm.rest.token", FakeCrm.TOKEN);
        }

        public Builder tcp() {
            return setting(TCP_PORT, Integer.toString(Ports.free()));
        }

        public Builder quickRetries() {
            return setting("callbridge.deliver.retry.first-delay-ms", "50").setting("callbridge.deliver.poll-ms", "20")
                    .setting("callbridge.deliver.retry.max-delay-ms", "500");
        }

        /** The kind of store: a file in the folder of the process, or a PostgreSQL database of its own. */
        public Builder store(StoreKind kind) {
            return kind == StoreKind.SQLITE ? without(STORE_URL) : setting(STORE_URL, PostgresServer.shared().newDatabase());
        }

        public Builder storeOf(BridgeProcess other) {
            return setting(STORE_URL, other.storeUrl());
        }

        public Builder editRoutes(RoutesEdit edit) {
            edits.add(edit);
            return this;
        }

        /** No folder {@code routes} in the working directory: the packaged routes have to do. */
        public Builder withoutRoutesFolder() {
            routesFolder = false;
            return this;
        }

        public BridgeProcess start() {
            BridgeProcess bridge = new BridgeProcess(this);
            try {
                bridge.launch();
                bridge.awaitReady();
                return bridge;
            } catch (RuntimeException | Error e) {
                bridge.close();
                throw e;
            }
        }

        public Refusal startExpectingRefusal() {
            try (BridgeProcess bridge = new BridgeProcess(this)) {
                bridge.launch();
                assertTrue(bridge.ended(START), () -> "the start was not refused" + bridge.tail());
                return new Refusal(bridge.process.exitValue(), bridge.output());
            }
        }
    }

    /** A command of the packaged application, which ends by itself: of the jar, or the native binary, as whatever is tested. */
    public static final class Command {

        public record Result(int status, List<String> output, List<String> errors) {
        }

        private final Path folder;
        private final Map<String, String> settings = new LinkedHashMap<>();

        /** @param folder the working directory */
        public Command(Path folder) {
            this.folder = folder;
        }

        public Command setting(String key, String value) {
            settings.put(key, value);
            return this;
        }

        public Result run(String... arguments) {
            return Unchecked.get(() -> {
                Path output = Files.createTempFile("callbridge-output-", ".txt");
                Path errors = Files.createTempFile("callbridge-errors-", ".txt");
                Process process = program(folder, false, settings, arguments)
                        .redirectOutput(output.toFile()).redirectError(errors.toFile()).start();
                try {
                    assertTrue(process.waitFor(300, TimeUnit.SECONDS), "the command does not end");
                    return new Result(process.exitValue(), Files.readAllLines(output), Files.readAllLines(errors));
                } finally {
                    process.destroyForcibly();
                    Files.delete(output);
                    Files.delete(errors);
                }
            });
        }
    }

    private final Path folder = Unchecked.get(() -> Files.createTempDirectory("callbridge-it-"));
    private final int port = Ports.free();
    private final Builder with;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private Process process;

    private BridgeProcess(Builder builder) {
        with = builder;
        if (builder.routesFolder) {
            Path routes = folder.resolve("routes");
            Unchecked.run(() -> Files.createDirectories(routes));
            Pages.below(PROJECT.resolve("routes")).filter(Files::isRegularFile)
                    .forEach(file -> Unchecked.run(() -> Files.copy(file, routes.resolve(file.getFileName()))));
            builder.edits.forEach(edit -> Unchecked.run(() -> edit.edit(routes)));
        }
        settings.put("quarkus.http.host", "127.0.0.1");
        settings.put("quarkus.http.port", Integer.toString(port));
        // Libraries that are unpacked there would be left behind by every process that is killed.
        settings.put("java.io.tmpdir", folder.toString());
        if (!builder.bare) {
            settings.put(STORE_URL, "jdbc:sqlite:" + folder.resolve("callbridge.db"));
        }
        settings.putAll(builder.settings);
    }

    public static Builder builder() {
        return new Builder();
    }

    public int port() {
        return port;
    }

    public int tcpPort() {
        return Integer.parseInt(settings.get(TCP_PORT));
    }

    /** The process id; another one after a restart. */
    public long pid() {
        return application().pid();
    }

    /** Lets it stand still ({@code STOP}) and go on ({@code CONT}). */
    public void signal(String name) throws Exception {
        new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start().waitFor();
    }

    /** The database whose commits are acknowledged. */
    public String inboxUrl() {
        return StoreKind.of(storeUrl()).forcedUrl(storeUrl());
    }

    public String storeUrl() {
        return settings.get(STORE_URL);
    }

    public String secret() {
        return settings.get("callbridge.pbx.main.secret");
    }

    public Webhook webhook() {
        return webhook(secret());
    }

    public Webhook webhook(String secret) {
        return new Webhook(port, secret);
    }

    /** Ends the process as a crash does: no signal handler, no shutdown hook. */
    public void kill() {
        application().destroyForcibly();
        mustEnd();
    }

    public void stop() {
        application().destroy();
        mustEnd();
    }

    /** Starts again on the same folder, port and store. */
    public void restart() {
        launch();
        awaitReady();
    }

    public boolean ready() {
        try {
            return get("/q/health/ready").statusCode() == 200;
        } catch (UncheckedIOException notYet) {
            return false;
        }
    }

    /** The sum of a metric over all its series that carry these labels, such as {@code result="dropped"}. */
    public double metric(String name, String... labels) {
        return get("/q/metrics").body().lines()
                .filter(line -> line.matches("\\Q" + name + "\\E[{ ].*") && Stream.of(labels).allMatch(line::contains))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ')))).sum();
    }

    public String output() {
        return Pages.text(log());
    }

    public String tail() {
        String output = output();
        return "\n--- output of the application ---\n"
                + (output.length() > TAIL ? "..." + output.substring(output.length() - TAIL) : output);
    }

    /** Reads from the application, as an administrator unless headers are given. */
    public HttpResponse<String> get(String path, String... headers) {
        return send("GET", path, headers);
    }

    public HttpResponse<String> post(String path, String... headers) {
        return send("POST", path, headers);
    }

    public HttpResponse<String> delete(String path, String... headers) {
        return send("DELETE", path, headers);
    }

    /** Reprocesses to the end. @return the job */
    public JsonNode reprocess(String query) {
        HttpResponse<String> begun = post("/api/calls/reprocess" + query);
        assertEquals(202, begun.statusCode(), () -> "no reprocess: " + begun.body() + tail());
        String address = begun.headers().firstValue("Location").orElseThrow();
        return await("the end of " + address).until(() -> JSON.readTree(get(address).body()),
                job -> !job.path("state").asText().equals("running"));
    }

    private HttpResponse<String> send(String method, String path, String... headers) {
        return send(port, settings.get(TOKEN_KEY), method, path, headers);
    }

    /** @param token sent by whoever sends no headers of his own; {@code null}: none */
    static HttpResponse<String> send(int port, String token, String method, String path, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .method(method, HttpRequest.BodyPublishers.noBody()).timeout(Duration.ofSeconds(60));
        if (headers.length > 0) {
            request.headers(headers);
        } else if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return Unchecked.get(() -> CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString()));
    }

    /** What is told at a path, in JSON. */
    public JsonNode json(String path) {
        return json(get(path));
    }

    /** Of an answer that is no refusal. */
    public JsonNode json(HttpResponse<String> answer) {
        return explanation(answer, this::tail);
    }

    /** Some members as words: {@code "state lastAttempt/status"}. */
    public static String words(JsonNode node, String members) {
        return Stream.of(members.split(" ")).map(member -> node.at("/" + member).asText()).collect(Collectors.joining(" "));
    }

    /** Some members of each in a list. */
    public static List<String> lines(JsonNode list, String members) {
        return StreamSupport.stream(list.spliterator(), false).map(each -> words(each, members)).toList();
    }

    public JsonNode call(String callId) {
        return json("/api/calls/" + callId);
    }

    static JsonNode explanation(HttpResponse<String> answer, Supplier<String> more) {
        assertEquals(200, answer.statusCode(), () -> "no explanation: " + answer.uri() + " " + answer.body() + more.get());
        return Unchecked.get(() -> JSON.readTree(answer.body()));
    }

    /** What is told about the delivery of a registered or missed call, {@code null} if there is nothing yet. */
    public JsonNode delivery(String callId, String id) {
        return StreamSupport.stream(call(callId).path("deliveries").spliterator(), false)
                .filter(delivery -> delivery.path("key").asText().contains(id))
                .filter(delivery -> !delivery.path("operation").asText().contains("card")).findFirst().orElse(null);
    }

    @Override
    public void close() {
        if (process != null) {
            application().destroyForcibly();
            ended(STOP);
        }
        if (!Boolean.getBoolean("callbridge.test.keep")) {
            Unchecked.delete(folder);
        }
    }

    private ProcessHandle application() {
        return Container.IMAGE == null ? process.toHandle() : new Container(folder).application(process);
    }

    private void launch() {
        ProcessBuilder builder = program(folder, with.installed, settings);
        if (Container.IMAGE != null) {
            builder.command(new Container(folder).command(settings, with.environment));
        }
        builder.environment().putAll(with.environment);
        process = Unchecked.get(builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))::start);
    }

    /** How the packaged application is started; run {@code mvn package} first. */
    private static ProcessBuilder program(Path folder, boolean installed, Map<String, String> settings, String... arguments) {
        List<String> command = new ArrayList<>(List.of(NATIVE ? BINARY.toString() : JAVA, installed ? "-Xmx512m" : "-Xmx256m"));
        command.addAll(NATIVE || installed ? List.of() : ClassData.options());
        settings.forEach((key, value) -> command.add("-D" + key + "=" + value));
        command.addAll(NATIVE ? List.of() : List.of("-jar", JAR.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        // Nothing of the machine that runs the tests may change what is tested.
        builder.environment().keySet().removeIf(name -> name.matches("(CALLBRIDGE|QUARKUS)_.*|(JAVA_TOOL|JDK_JAVA)_OPTIONS"));
        return builder;
    }

    private void awaitReady() {
        try {
            await("readiness").pollInterval(Duration.ofMillis(10)).until(() -> {
                assertTrue(process.isAlive(), () -> "the application has ended" + tail());
                return ready();
            });
        } catch (ConditionTimeoutException e) {
            throw new IllegalStateException("the application does not get ready" + tail(), e);
        }
    }

    private void mustEnd() {
        assertTrue(ended(STOP), () -> "the application does not end" + tail());
    }

    private boolean ended(Duration within) {
        return Unchecked.get(() -> process.waitFor(within.toMillis(), TimeUnit.MILLISECONDS));
    }

    private Path log() {
        return folder.resolve("output.log");
    }

    /**
     * The application in a container of podman, limited as a pod is: the system property {@code callbridge.test.image} names the
     * image. It takes root, since the application is another user and its signals come from outside.
     */
    private static final class Container {

        private static final String IMAGE = System.getProperty("callbridge.test.image");
        /** Twice the heap that these processes usually have: the image takes the half of its memory. */
        private static final String MEMORY = "512m";

        private final Path folder;
        private final Path pidFile;

        private Container(Path folder) {
            this.folder = folder;
            pidFile = folder.resolve("container.pid");
        }

        /** The command that starts a container with the folder as its working directory, and ends with the container. */
        private List<String> command(Map<String, String> settings, Map<String, String> environment) {
            Unchecked.run(() -> Files.deleteIfExists(pidFile));
            Unchecked.run(() -> Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx")));
            List<String> command = new ArrayList<>(List.of("podman", "run", "--rm", "--network", "host", "--memory", MEMORY, "--read-only",
                    "--tmpfs", "/tmp:rw,exec,mode=1777", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user",
                    "10001:10001",
                    "--volume", folder + ":" + folder, "--workdir", folder.toString(), "--pidfile", pidFile.toString()));
            // What follows an image's name are arguments of the program, and a JVM would have its settings before that; a variable
            // may have a setting's name as it is.
            settings.forEach((key, value) -> command.addAll(List.of("--env", key + "=" + value)));
            environment.forEach((name, value) -> command.addAll(List.of("--env", name + "=" + value)));
            command.add(IMAGE);
            return command;
        }

        /** The application itself: podman's own process is only its messenger, and does not take it along when it is killed. */
        private ProcessHandle application(Process podman) {
            await("the container").atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20))
                    .until(() -> !podman.isAlive() || Files.exists(pidFile) && Files.size(pidFile) > 0);
            return Unchecked.get(() -> Files.exists(pidFile)
                    ? ProcessHandle.of(Long.parseLong(Files.readString(pidFile).strip())).orElseGet(podman::toHandle) : podman.toHandle());
        }
    }

    /** A JVM that lives for seconds starts with classes that another one has read, and without the compiler that it would never earn. */
    private static final class ClassData {

        private static final List<String> SHORT_LIFE = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");
        private static List<String> options;

        /** Makes the class data of the package if there are none yet, which other processes that run tests may want at the same time. */
        static synchronized List<String> options() {
            if (options == null) {
                Path data = PACKAGE.resolveSibling("callbridge-it.jsa");
                Unchecked.run(() -> {
                    try (FileChannel one = FileChannel.open(PACKAGE.resolveSibling("callbridge-it.lock"), StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE)) {
                        one.lock();
                        if (Files.notExists(data) || Files.getLastModifiedTime(data).compareTo(Files.getLastModifiedTime(JAR)) < 0) {
                            Files.deleteIfExists(data);
                            // Silent: it would say a thousand lines about classes that are loaded but not used. What checks routes loads
                            // most of what a start loads, and ends.
                            new ProcessBuilder(JAVA, SHORT_LIFE.get(0), SHORT_LIFE.get(1), "-XX:ArchiveClassesAtExit=" + data, "-Xlog:disable",
                                    "-Xlog:all=error", "-jar", JAR.toString(), "--check-routes", "routes").redirectErrorStream(true)
                                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor();
                        }
                    }
                });
                options = new ArrayList<>(SHORT_LIFE);
                if (Files.exists(data)) {
                    options.add("-XX:SharedArchiveFile=" + data);
                }
            }
            return options;
        }
    }
}
