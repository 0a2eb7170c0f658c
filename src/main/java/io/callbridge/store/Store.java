package io.callbridge.store;

import io.agroal.api.AgroalDataSource;
import io.callbridge.platform.Outage;
import io.callbridge.platform.Settings;
import io.callbridge.platform.StartException;
import io.callbridge.platform.Time;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Metrics;
import io.micrometer.core.instrument.Timer;
import io.quarkus.agroal.DataSource.DataSourceLiteral;
import io.quarkus.flyway.FlywayDataSource.FlywayDataSourceLiteral;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.Instance;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jboss.logging.Logger;

/**
 * The database. Writes go through one writer (SQLite) or a few (PostgreSQL), each of which lets the tasks that wait share
 * one transaction and one fsync. A task's future completes after the commit: what it acknowledges survives kill -9.
 */
@ApplicationScoped
public class Store {

    private static final Logger LOG = Logger.getLogger(Store.class);
    /** So many tasks of a shared transaction may be at fault; with more it is the store. */
    private static final int CULPRITS = 3;
    private static final int DEADLOCKS = 10;

    /** Order of a task that locks rows of many calls, without waiting for any: nothing is locked after them. */
    static final String LAST = "\uffff";
    /** Codes of SQLite that are about the file and its disk, and not about a statement (PERM, BUSY, LOCKED, NOMEM, READONLY and so on). */
    private static final Set<Integer> FILE_IS_AWAY = Set.of(3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26);
    /** Likewise for PostgreSQL, as its states begin: connection, read-only, resources, operator, system. */
    private static final String DATABASE_IS_AWAY = "(?:08|25006|53|57|58|XX).*";
    private static final long PROBE_MS = 1000;
    private static final int YIELDS = 20;
    private static final long YIELD_MS = 25;

    /** Work inside a transaction; must be repeatable, since a transaction that a task has spoiled is run again without it. */
    public interface Work<T> {
        T on(Sql sql) throws SQLException;
    }

    /** @param order within a transaction, so that transactions of several writers lock rows in the same order */
    private record Task<T>(String order, Work<T> work, CompletableFuture<T> done, long sinceNanos) {

        String text() {
            return work instanceof Change change ? change.text : null;
        }
    }

    /** One statement, which goes to the database together with others of the same text. Done with: did it change a row? */
    private record Change(String text, Object[] values) implements Work<Boolean> {

        @Override
        public Boolean on(Sql sql) throws SQLException {
            return sql.update(text, values) > 0;
        }
    }

    private final Instance<AgroalDataSource> dataSources;
    private final Instance<Flyway> schemas;
    private final Settings settings;
    private final Timer commits;
    private final DistributionSummary batches;
    private final Counter failures;
    /** A store that has not got to a write for this long is stuck. */
    private final long stuckNanos;
    private final WriteQueue<Task<?>> queue = new WriteQueue<>();
    private final Deque<Sql> idleReaders = new ConcurrentLinkedDeque<>();
    private final List<Thread> writers = new ArrayList<>();
    private Semaphore readers;
    private DataSource dataSource;
    private Flyway schema;
    private StoreKind kind;
    private Checkpoints checkpoints;
    /** Of SQLite's file. */
    private StoreLock lock;
    private volatile boolean running;
    private final Outage outage = new Outage(LOG, "The store is away", "The store is back");

    @Inject
    public Store(@Any Instance<AgroalDataSource> dataSources, @Any Instance<Flyway> schemas, Settings settings, MeterRegistry meters) {
        this.dataSources = dataSources;
        this.schemas = schemas;
        this.settings = settings;
        // Before the patience of those who wait is over, so that who comes then need not wait at all.
        this.stuckNanos = TimeUnit.MILLISECONDS.toNanos(settings.number("store.patience-ms")) * 2 / 3;
        this.commits = meters.timer("callbridge.store.commit");
        this.batches = meters.summary("callbridge.store.batch");
        this.failures = meters.counter("callbridge.store.failures");
    }

    /** A store on a given database. */
    public Store(DataSource dataSource, Flyway schema, Settings settings) {
        this(null, null, settings, Metrics.globalRegistry);
        this.dataSource = dataSource;
        this.schema = schema;
    }

    /**
     * Creates or upgrades the schema and starts the writers.
     *
     * @throws StartException if the store cannot be used
     */
    public synchronized void open() {
        if (running) {
            return;
        }
        String url = settings.storeUrl();
        kind = StoreKind.of(url);
        try {
            if (kind == StoreKind.SQLITE) {
                Files.createDirectories(settings.storeFile().toAbsolutePath().getParent());
                lock = new StoreLock(settings.storeFile());
            }
            if (dataSource == null) {
                dataSource = dataSources.select(new DataSourceLiteral(kind.dataSource)).get();
                schema = schemas.select(FlywayDataSourceLiteral.of(kind.dataSource)).get();
            }
            schema.migrate();
            Sql sql = transactions();
            touch(sql);
            sql.commit();
            if (kind == StoreKind.SQLITE && LOG.isDebugEnabled()) {
                String forced = sql.first("pragma synchronous", row -> row.getString(1));
                LOG.debugf("SQLite forces commits by synchronous=%s (2 is FULL)", forced);
            }
            sql.close();
        } catch (IOException | SQLException | FlywayException | IllegalStateException e) {
            throw new StartException("callbridge.store.url is '" + Settings.masked(url) + "', which cannot be used: "
                    // Before a port it takes user:password@host for a host, and says that there is none of that name.
                    + rootMessage(e).replace(url, Settings.masked(url)).replaceAll("\\S+@", "***@") + "; needed is " + (kind == StoreKind.SQLITE
                            ? "an SQLite file that can be written, or a folder where it can be made"
                            : "a PostgreSQL database that answers, whose user may create tables and write"), e);
        }
        readers = new Semaphore(kind.readers);
        running = true;
        checkpoints = kind == StoreKind.SQLITE ? new Checkpoints(dataSource) : null;
        for (int i = 0; i < kind.writers; i++) {
            Thread writer = new Thread(this::writeLoop, "store-writer-" + i);
            writer.setDaemon(true);
            writer.start();
            writers.add(writer);
        }
    }

    /** Writes next to nothing, in line with all other writes; fails if the store takes none. */
    public CompletableFuture<Void> probe() {
        return writeAtOnce("", Store::touch);
    }

    private static Void touch(Sql sql) throws SQLException {
        sql.update("update probe set at = ?", Time.millis());
        return null;
    }

    @PreDestroy
    public void close() throws InterruptedException {
        running = false;
        for (Thread writer : writers) {
            writer.join(TimeUnit.SECONDS.toMillis(5));
        }
        failAll(drained(), new StoreException("the store is closed", null));
        if (checkpoints != null) {
            checkpoints.close();
        }
        idleReaders.forEach(Sql::close);
        if (lock != null) {
            lock.close();
        }
    }

    /** Whether it is away at the moment, and since when. */
    public Outage outage() {
        return outage;
    }

    public StoreKind kind() {
        return kind;
    }

    /** Queues a write. The future fails with {@link StoreException} if the store does not take it. */
    public <T> CompletableFuture<T> write(String order, Work<T> work) {
        return write(order, work, false);
    }

    /** Queues a single statement. @return completes after the commit: whether a row was changed */
    public CompletableFuture<Boolean> change(String order, String text, Object... values) {
        return write(order, new Change(text, values));
    }

    /** The same for somebody who waits for it. */
    public CompletableFuture<Boolean> changeAtOnce(String order, String text, Object... values) {
        return writeAtOnce(order, new Change(text, values));
    }

    /** A write for somebody who waits for it: goes before other writes, and is refused at once while the store is stuck. */
    public <T> CompletableFuture<T> writeAtOnce(String order, Work<T> work) {
        Task<?> oldest = queue.oldestUrgent();
        if (oldest != null && System.nanoTime() - oldest.sinceNanos() > stuckNanos) {
            away("a write waits for it for too long");
            return CompletableFuture.failedFuture(new StoreException("the store is stuck", null));
        }
        return write(order, work, true);
    }

    private <T> CompletableFuture<T> write(String order, Work<T> work, boolean urgent) {
        CompletableFuture<T> done = new CompletableFuture<>();
        if (!running || !queue.offer(new Task<>(order, work, done, System.nanoTime()), urgent)) {
            done.completeExceptionally(new StoreException("the store takes no more writes at the moment", null));
        } else if (!running) {
            // It may have come after the writers' last look.
            failAll(drained(), new StoreException("the store is closed", null));
        }
        return done;
    }

    /** A write of somebody who has nothing else to do. @throws StoreException if the store does not take it */
    public <T> T writeAndWait(String order, Work<T> work) {
        try {
            return write(order, work).join();
        } catch (CompletionException e) {
            throw new StoreException(e.getCause().getMessage(), e);
        }
    }

    /** Writes that wait. */
    public int waiting() {
        return queue.size();
    }

    /** How long what somebody waits for has waited for the store; 0: nothing does. */
    double stuckSeconds() {
        Task<?> oldest = queue.oldestUrgent();
        return oldest == null ? 0 : (System.nanoTime() - oldest.sinceNanos()) / 1e9;
    }

    /** Lets the writes that wait go first, for a while: called between the chunks of a long job, which must go on some time. */
    public void yieldToOthers() {
        try {
            for (int i = 0; i < YIELDS && waiting() > 0; i++) {
                Thread.sleep(YIELD_MS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException("Callbridge is shutting down", e);
        }
    }

    /** Reads on a connection of its own, outside of any transaction. */
    public <T> T read(Work<T> work) {
        if (!running) {
            throw new StoreException("the store is not open", null);
        }
        try {
            if (!readers.tryAcquire(5, TimeUnit.SECONDS)) {
                throw new StoreException("the store has no time to read at the moment", null);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException("Callbridge is shutting down", e);
        }
        Sql sql = null;
        try {
            sql = idleReaders.poll();
            if (sql == null) {
                sql = new Sql(dataSource.getConnection());
            }
            T found = work.on(sql);
            idleReaders.push(sql);
            return found;
        } catch (SQLException | RuntimeException e) {
            if (sql != null) {
                sql.close();
            }
            // If it was the connection, the others are no better.
            for (Sql other = idleReaders.poll(); other != null; other = idleReaders.poll()) {
                other.close();
            }
            if (sql == null || isAway(e)) {
                away(rootMessage(e));
            } else if (e instanceof SQLException) {
                LOG.errorf("The store cannot be read: %s", e.getMessage());
            }
            throw e instanceof RuntimeException failure ? failure : new StoreException("the store cannot be read: " + e.getMessage(), e);
        } finally {
            readers.release();
        }
    }

    private void writeLoop() {
        List<Task<?>> batch = new ArrayList<>();
        Sql sql = null;
        while (running || queue.size() > 0) {
            try {
                queue.take(batch);
                if (batch.isEmpty()) {
                    continue;
                }
                if (kind.shared()) {
                    batch.sort(Comparator.comparing(Task::order));
                }
                sql = sql != null ? sql : transactions();
                sql = commit(batch, sql);
            } catch (InterruptedException e) {
                running = false;
            } catch (Throwable e) {
                // Whatever it was, the writer must live: without it nothing is acknowledged any more.
                away(rootMessage(e));
                failures.increment();
                failAll(batch, new StoreException("the store cannot be written: " + rootMessage(e), e));
            } finally {
                batch.clear();
            }
        }
        if (sql != null) {
            sql.close();
        }
    }

    private Sql transactions() throws SQLException {
        Connection connection = dataSource.getConnection();
        connection.setAutoCommit(false);
        return new Sql(connection);
    }

    /** @return the connection to go on with, {@code null} if it is of no more use */
    private Sql commit(List<Task<?>> batch, Sql sql) {
        boolean together = true;
        int culprits = 0;
        int deadlocks = 0;
        while (!batch.isEmpty()) {
            Task<?> current = null;
            try {
                List<Runnable> acknowledgements = new ArrayList<>(batch.size());
                for (int i = 0; i < batch.size();) {
                    int end = together ? endOfSame(batch, i) : i + 1;
                    if (end > i + 1) {
                        acknowledgements.addAll(change(batch.subList(i, end), sql));
                    } else {
                        current = batch.get(i);
                        acknowledgements.add(run(current, sql));
                    }
                    i = end;
                }
                current = null;
                long begin = System.nanoTime();
                sql.commit();
                commits.record(System.nanoTime() - begin, TimeUnit.NANOSECONDS);
                batches.record(batch.size());
                outage.ends();
                acknowledgements.forEach(Runnable::run);
                return sql;
            } catch (SQLException | RuntimeException e) {
                boolean usable = rolledBack(sql);
                if (usable && together) {
                    // Of several that went together nobody knows which one it was.
                    together = false;
                    continue;
                }
                if (usable && e instanceof SQLException conflict && String.valueOf(conflict.getSQLState()).startsWith("40")
                        && ++deadlocks < DEADLOCKS) {
                    continue;
                }
                if (!usable || isAway(e)) {
                    away(e.getMessage());
                } else {
                    LOG.errorf("The store refused a write: %s", e.getMessage());
                }
                failures.increment();
                StoreException failure = new StoreException("the store cannot be written: " + e.getMessage(), e);
                if (!usable || current == null || ++culprits > CULPRITS) {
                    failAll(batch, failure);
                    return usable ? sql : null;
                }
                // One task spoils the shared transaction: only the culprit fails.
                current.done().completeExceptionally(failure);
                batch.remove(current);
            }
        }
        return sql;
    }

    /** Whether it is the whole store, and not what was asked of it. */
    private static boolean isAway(Exception failure) {
        return failure instanceof SQLException sql && (sql.getSQLState() != null ? sql.getSQLState().matches(DATABASE_IS_AWAY)
                : sql.getErrorCode() == 0 || FILE_IS_AWAY.contains(sql.getErrorCode() & 0xff));
    }

    /** Whoever wants something of it fails in silence from now on: it is said here, once. */
    private void away(String reason) {
        if (outage.begins(reason)) {
            askAgain();
        }
    }

    /** Else nobody might notice that it is back. */
    private void askAgain() {
        CompletableFuture.delayedExecutor(PROBE_MS, TimeUnit.MILLISECONDS).execute(() -> {
            if (running && outage.lasts()) {
                if (waiting() == 0) {
                    write("", Store::touch);
                }
                askAgain();
            }
        });
    }

    private static boolean rolledBack(Sql sql) {
        try {
            sql.rollback();
            if (sql.usable()) {
                return true;
            }
        } catch (SQLException broken) {
            LOG.debugf("No rollback: %s", broken.getMessage());
        }
        sql.close();
        return false;
    }

    /** Up to where the tasks are the same statement. */
    private static int endOfSame(List<Task<?>> batch, int begin) {
        String text = batch.get(begin).text();
        int end = begin + 1;
        while (text != null && end < batch.size() && text.equals(batch.get(end).text())) {
            end++;
        }
        return end;
    }

    private static List<Runnable> change(List<Task<?>> same, Sql sql) throws SQLException {
        int[] changed = sql.updateAll(same.get(0).text(), same.stream().map(task -> ((Change) task.work()).values).toList());
        List<Runnable> acknowledgements = new ArrayList<>(changed.length);
        for (int i = 0; i < changed.length; i++) {
            @SuppressWarnings("unchecked")
            CompletableFuture<Boolean> done = (CompletableFuture<Boolean>) same.get(i).done();
            // Negative: a driver that rewrites batches does not know. To look once more at a repeat does no harm.
            boolean did = changed[i] != 0;
            acknowledgements.add(() -> done.complete(did));
        }
        return acknowledgements;
    }

    private static <T> Runnable run(Task<T> task, Sql sql) throws SQLException {
        T result = task.work().on(sql);
        return () -> task.done().complete(result);
    }

    private List<Task<?>> drained() {
        List<Task<?>> left = new ArrayList<>();
        queue.drain(left);
        return left;
    }

    private static void failAll(List<Task<?>> tasks, StoreException failure) {
        tasks.forEach(task -> task.done().completeExceptionally(failure));
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage()).lines().findFirst().orElse(root.getClass().getSimpleName()).strip();
    }
}
