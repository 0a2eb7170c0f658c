package io.callbridge.store;

import io.callbridge.platform.Settings;
import io.callbridge.platform.StartException;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jboss.logging.Logger;

/**
 * The database. Readers take a connection of their own; all writes go through one writer, which lets the tasks that wait
 * share one commit and one fsync. A task's future completes after the commit: what it acknowledges survives kill -9.
 */
@ApplicationScoped
public class Store {

    private static final Logger LOG = Logger.getLogger(Store.class);
    private static final int QUEUE = 20_000;
    private static final int BATCH = 512;

    /** Work on a connection inside a transaction; must be repeatable, since a failed batch is run again one by one. */
    public interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    private record Task<T>(Work<T> work, CompletableFuture<T> done) {
    }

    private final DataSource dataSource;
    private final Flyway flyway;
    private final Settings settings;
    private final BlockingQueue<Task<?>> queue = new LinkedBlockingQueue<>(QUEUE);
    private volatile boolean running;
    private volatile Thread writer;

    /** {@code Instance}: with a URL that is wrong there is neither, which Quarkus would say before {@link Settings} can. */
    @Inject
    public Store(Instance<DataSource> dataSource, Instance<Flyway> flyway, Settings settings) {
        this(dataSource.get(), flyway.get(), settings);
    }

    public Store(DataSource dataSource, Flyway flyway, Settings settings) {
        this.dataSource = dataSource;
        this.flyway = flyway;
        this.settings = settings;
    }

    /**
     * Creates or upgrades the schema and starts the writer.
     *
     * @throws StartException if the store cannot be used
     */
    public synchronized void open() {
        if (running) {
            return;
        }
        String url = settings.storeUrl();
        try {
            Files.createDirectories(settings.storeFile().toAbsolutePath().getParent());
            flyway.migrate();
            try (Connection connection = dataSource.getConnection()) {
                touch(connection);
            }
        } catch (IOException | SQLException | FlywayException | IllegalStateException e) {
            throw new StartException("callbridge.store.url is '" + Settings.masked(url) + "', which cannot be used: "
                    + rootMessage(e).replace(url, Settings.masked(url)) + "; needed is an SQLite file that can be written, or a folder"
                    + " where it can be made", e);
        }
        running = true;
        writer = new Thread(this::writeLoop, "store-writer");
        writer.setDaemon(true);
        writer.start();
    }

    /** Writes next to nothing, in line with all other writes; fails if the store takes none. */
    public CompletableFuture<Void> probe() {
        return write(Store::touch);
    }

    private static Void touch(Connection connection) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement("update probe set at = ?")) {
            update.setLong(1, System.currentTimeMillis());
            update.executeUpdate();
            return null;
        }
    }

    @PreDestroy
    void close() throws InterruptedException {
        running = false;
        if (writer != null) {
            writer.join(TimeUnit.SECONDS.toMillis(10));
        }
    }

    /** Queues a write. The future fails with {@link StoreException} if the store does not take it. */
    public <T> CompletableFuture<T> write(Work<T> work) {
        CompletableFuture<T> done = new CompletableFuture<>();
        if (!running || !queue.offer(new Task<>(work, done))) {
            done.completeExceptionally(new StoreException("the store takes no more writes at the moment", null));
        }
        return done;
    }

    /** Reads on a connection of its own. */
    public <T> T read(Work<T> work) {
        if (writer == null) {
            throw new StoreException("the store is not open yet", null);
        }
        try (Connection connection = dataSource.getConnection()) {
            return work.on(connection);
        } catch (SQLException e) {
            throw new StoreException("the store cannot be read: " + e.getMessage(), e);
        }
    }

    private void writeLoop() {
        List<Task<?>> batch = new ArrayList<>(BATCH);
        while (running || !queue.isEmpty()) {
            try {
                Task<?> first = queue.poll(200, TimeUnit.MILLISECONDS);
                if (first == null) {
                    continue;
                }
                batch.add(first);
                queue.drainTo(batch, BATCH - 1);
                commit(batch);
            } catch (InterruptedException e) {
                running = false;
            } catch (Throwable e) {
                // Whatever it was, the writer must live: without it nothing is acknowledged any more.
                LOG.error("The store's writer failed", e);
                batch.forEach(task -> task.done().completeExceptionally(new StoreException("the store's writer failed: " + e, e)));
            } finally {
                batch.clear();
            }
        }
    }

    private void commit(List<Task<?>> batch) {
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
            List<Runnable> acknowledgements = new ArrayList<>(batch.size());
            try {
                for (Task<?> task : batch) {
                    acknowledgements.add(run(task, connection));
                }
                connection.commit();
            } catch (SQLException | RuntimeException e) {
                connection.rollback();
                if (batch.size() == 1) {
                    throw e;
                }
                // One task spoils the shared transaction: each on its own, so that only the culprit fails.
                batch.forEach(task -> commit(List.of(task)));
                return;
            }
            acknowledgements.forEach(Runnable::run);
        } catch (SQLException | RuntimeException e) {
            LOG.errorf("The store refused a write: %s", e.getMessage());
            batch.forEach(task -> task.done().completeExceptionally(
                    new StoreException("the store cannot be written: " + e.getMessage(), e)));
        }
    }

    private static <T> Runnable run(Task<T> task, Connection connection) throws SQLException {
        T result = task.work().on(connection);
        return () -> task.done().complete(result);
    }

    /** Question marks for a list in SQL. */
    static String places(Collection<?> values) {
        return String.join(", ", Collections.nCopies(values.size(), "?"));
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage()).lines().findFirst().orElse(root.getClass().getSimpleName()).strip();
    }
}
