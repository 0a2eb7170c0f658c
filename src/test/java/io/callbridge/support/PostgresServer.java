package io.callbridge.support;

import static org.awaitility.Awaitility.await;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** A PostgreSQL server that brings its own binaries. It keeps its port and its data over {@link #kill()} and {@link #up()}. */
public final class PostgresServer implements AutoCloseable {

    private static final Duration SOON = Duration.ofSeconds(120);
    private static PostgresServer shared;

    private final AtomicInteger databases = new AtomicInteger();
    private final int port = Ports.free();
    private final Path data = Unchecked.get(() -> Files.createTempDirectory("callbridge-postgres-"));
    private EmbeddedPostgres server;

    /** A server for one test that does something to it. */
    public PostgresServer() {
        up();
    }

    /** The one server of the tests that only use it; it ends with them. */
    public static synchronized PostgresServer shared() {
        if (shared == null) {
            shared = new PostgresServer();
            Runtime.getRuntime().addShutdownHook(new Thread(shared::close));
        }
        return shared;
    }

    public String newDatabase() {
        String name = "callbridge" + databases.incrementAndGet();
        Unchecked.run(() -> {
            try (Connection connection = server.getPostgresDatabase().getConnection(); Statement statement = connection.createStatement()) {
                statement.execute("create database " + name);
            }
        });
        return "jdbc:postgresql://127.0.0.1:" + port + "/" + name + "?user=postgres";
    }

    /** Starts on what is there. */
    public void up() {
        // A commit that was acknowledged must survive here as it does in production; the library sets this to off.
        server = Unchecked.get(EmbeddedPostgres.builder().setPort(port).setDataDirectory(data).setCleanDataDirectory(false)
                .setRegisterShutdownHook(false).setServerConfig("synchronous_commit", "on")
                .setPGStartupWait(SOON).setOutputRedirector(ProcessBuilder.Redirect.DISCARD)::start);
    }

    /** Ends all its processes at once, as a power cut does. */
    public void kill() {
        Unchecked.run(() -> {
            ProcessHandle postmaster = ProcessHandle
                    .of(Long.parseLong(Files.readAllLines(data.resolve("postmaster.pid")).get(0).strip())).orElseThrow();
            // Else it would go on to make children for those who connect, and one that is left keeps the next start out.
            new ProcessBuilder("kill", "-STOP", Long.toString(postmaster.pid())).start().waitFor();
            List<ProcessHandle> all = Stream.concat(Stream.of(postmaster), postmaster.descendants()).toList();
            all.forEach(ProcessHandle::destroyForcibly);
            await("the end of PostgreSQL").atMost(SOON).until(() -> all.stream().noneMatch(ProcessHandle::isAlive));
            // Releases what the library holds of the server that is no more.
            server.close();
        });
    }

    @Override
    public void close() {
        Unchecked.run(server::close);
        Unchecked.delete(data);
    }
}
