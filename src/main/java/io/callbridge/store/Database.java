package io.callbridge.store;

import io.callbridge.platform.Outage;
import io.callbridge.platform.StoreKind;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jboss.logging.Logger;

/**
 * Writes and reads of one database. A writer lets the tasks that wait share one transaction; a task's future completes after the
 * commit.
 */
public final class Database {

    private static final Logger LOG = Logger.getLogger(Store.class);
    private static final int LONGEST_QUEUE = 50_000;
    private static final int BATCH = 512;
    /** So often a transaction is repeated that others have spoiled. */
    private static final int CONFLICTS = 10;
    /** Codes of SQLite that are about the file and its disk, and not about a statement (PERM, BUSY, LOCKED, NOMEM, READONLY and so on). */
    private static final Set<Integer> FILE_IS_AWAY = Set.of(3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26);
    /** Likewise for PostgreSQL, as its states begin: connection, read-only, resources, operator, system. */
    private static final String DATABASE_IS_AWAY = "(?:08|25006|53|57|58|XX).*";
    private static final Duration QUIET = Duration.ofSeconds(1);

    /** @param work {@code null}: only wakes a writer */
    private record Task<T>(String order, Work<T> work, CompletableFuture<T> done, long sinceNanos) {

        void run(Sql sql, List<Runnable> acknowledgements) throws SQLException {
            T result = work.on(sql);
            acknowledgements.add(() -> done.complete(result));
        }

        boolean isSameAs(Task<?> other) {
            return work instanceof Change change && other.work instanceof Change another && change.text.equals(another.text);
        }
    }

    /** Work inside a transaction; must be repeatable, since a transaction that a task has spoiled is run again without it. */
    public interface Work<T> {
        T on(Sql sql) throws SQLException;
    }

    /** One statement, which goes to the database together with others of the same text. Done with: did it change a row? */
    private record Change(String text, Object[] values, CompletableFuture<Boolean> done) implements Work<Boolean> {

        @Override
        public Boolean on(Sql sql) throws SQLException {
            return sql.update(text, values) > 0;
        }
    }

    private final DataSource dataSource;
    private final StoreKind kind;
    private final boolean forced;
    private final Outage outage;
    private final Timer commits;
    private final DistributionSummary batches;
    private final Counter failures;
    private final LinkedBlockingQueue<Task<?>> queue = new LinkedBlockingQueue<>(LONGEST_QUEUE);
    private final List<Thread> writers = new ArrayList<>();
    /** Those that nobody reads with; the last one that somebody did first, so that few are connected. */
    private final BlockingDeque<Sql> readers = new LinkedBlockingDeque<>();
    private volatile boolean running = true;
    /** While that lasts somebody must ask whether it is back. */
    private volatile boolean away;

    /** @param forced a commit is on the disk before its tasks are done; else it may be lost by a power cut, together with all later ones */
    Database(DataSource dataSource, StoreKind kind, boolean forced, Outage outage, MeterRegistry meters) {
        this.dataSource = dataSource;
        this.kind = kind;
        this.forced = forced;
        this.outage = outage;
        String name = forced ? "inbox" : "calls";
        this.commits = meters.timer("callbridge.store.commit", "of", name);
        this.batches = meters.summary("callbridge.store.batch", "of", name);
        this.failures = meters.counter("callbridge.store.failures");
        for (int i = 0; i < kind.readers; i++) {
            readers.add(new Sql(dataSource::getConnection));
        }
        for (int i = 0; i < kind.writers; i++) {
            Thread writer = new Thread(this::writeLoop, "store-" + name + "-" + i);
            writer.setDaemon(true);
            writer.start();
            writers.add(writer);
        }
    }

    void close() throws InterruptedException {
        running = false;
        wake();
        for (Thread writer : writers) {
            writer.join(TimeUnit.SECONDS.toMillis(5));
        }
        failAll();
        readers.forEach(Sql::close);
    }

    /** Nobody waits for a writer that waits for work; who ends wakes the next. */
    private void wake() {
        queue.offer(new Task<>("", null, new CompletableFuture<>(), System.nanoTime()));
    }

    /**
     * Queues a write. The future fails with {@link StoreException} if the store does not take it.
     *
     * @param order within a transaction, so that transactions of several writers lock rows in the same order
     */
    public <T> CompletableFuture<T> write(String order, Work<T> work) {
        return write(order, work, new CompletableFuture<>());
    }

    private <T> CompletableFuture<T> write(String order, Work<T> work, CompletableFuture<T> done) {
        if (!running || !queue.offer(new Task<>(order, work, done, System.nanoTime()))) {
            done.completeExceptionally(new StoreException("the store takes no more writes at the moment", null));
        } else if (!running) {
            // It may have come after the writers' last look.
            failAll();
        }
        return done;
    }

    /** A single statement. @return completes after the commit: whether a row was changed */
    public CompletableFuture<Boolean> change(String order, String text, Object... values) {
        CompletableFuture<Boolean> done = new CompletableFuture<>();
        return write(order, new Change(text, values, done), done);
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

    /** How long a write has waited; 0: none does. */
    double stuckSeconds() {
        Task<?> oldest = queue.peek();
        return oldest == null ? 0 : (System.nanoTime() - oldest.sinceNanos()) / 1e9;
    }

    /** Reads on a connection of its own, outside of any transaction. */
    public <T> T read(Work<T> work) {
        if (!running) {
            throw new StoreException("the store is not open", null);
        }
        Sql sql;
        try {
            sql = readers.poll(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException("Callbridge is shutting down", e);
        }
        if (sql == null) {
            throw new StoreException("the store has no time to read at the moment", null);
        }
        try {
            return read(sql, work);
        } finally {
            readers.push(sql);
        }
    }

    private <T> T read(Sql sql, Work<T> work) {
        boolean used = sql.connected();
        try {
            return work.on(sql);
        } catch (SQLException e) {
            boolean gone = !sql.connected() || isAway(e);
            sql.close();
            if (used && gone) {
                // The database may have been away while nobody asked.
                return read(sql, work);
            } else if (gone) {
                away(rootMessage(e));
            } else {
                LOG.errorf("The store cannot be read: %s", e.getMessage());
            }
            throw new StoreException("the store cannot be read: " + e.getMessage(), e);
        }
    }

    /** Copies SQLite's write-ahead log into the database. @return whether all that was committed before is on the disk now */
    boolean checkpoint() {
        return read(sql -> sql.first("pragma wal_checkpoint(passive)", row -> row.getInt(1) == 0 && row.getInt(2) == row.getInt(3)));
    }

    private void writeLoop() {
        List<Task<?>> batch = new ArrayList<>();
        Sql sql = new Sql(this::transactions);
        while (running || !queue.isEmpty()) {
            try {
                Task<?> first = queue.poll(QUIET.toMillis(), TimeUnit.MILLISECONDS);
                if (first == null && away) {
                    away = outage.lasts();
                    write("", Store::touch);
                } else if (first != null) {
                    batch.add(first);
                    queue.drainTo(batch, BATCH);
                    batch.removeIf(task -> task.work == null);
                    if (kind.shared()) {
                        batch.sort(Comparator.comparing(Task::order));
                    }
                    if (!batch.isEmpty()) {
                        // Else not even a commit: Quarkus may have closed the connections already.
                        commit(batch, sql);
                    }
                }
            } catch (InterruptedException e) {
                running = false;
            } catch (Throwable e) {
                // Whatever it was, the writer must live: without it nothing is acknowledged any more.
                sql.rollback();
                failed(batch, e, true);
            } finally {
                batch.clear();
            }
        }
        wake();
        sql.close();
    }

    private Connection transactions() throws SQLException {
        Connection connection = dataSource.getConnection();
        try (Statement statement = connection.createStatement()) {
            if (kind.shared()) {
                statement.execute("set synchronous_commit = " + (forced ? "on" : "off"));
            }
            connection.setAutoCommit(false);
            return connection;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    private void commit(List<Task<?>> batch, Sql sql) {
        for (int conflicts = 0;; conflicts++) {
            try {
                List<Runnable> acknowledgements = new ArrayList<>(batch.size());
                for (int i = 0; i < batch.size();) {
                    i = run(batch, i, sql, acknowledgements);
                }
                long begin = System.nanoTime();
                sql.commit();
                commits.record(System.nanoTime() - begin, TimeUnit.NANOSECONDS);
                batches.record(batch.size());
                // On a disk that is almost full a small commit finds room where a larger one did not.
                outage.endsAfter(QUIET);
                acknowledgements.forEach(Runnable::run);
                return;
            } catch (SQLException | RuntimeException e) {
                boolean gone = !sql.rollback() || isAway(e);
                boolean again = !gone && isConflict(e) && conflicts < (batch.size() > 1 ? 1 : CONFLICTS);
                if (!again && !gone && batch.size() > 1) {
                    // One task has spoiled the transaction of all: only that one fails.
                    batch.forEach(task -> commit(List.of(task), sql));
                    return;
                } else if (!again) {
                    failed(batch, e, gone);
                    return;
                }
            }
        }
    }

    /** Of several that are the same statement all. @return behind the last one */
    private static int run(List<Task<?>> batch, int begin, Sql sql, List<Runnable> acknowledgements) throws SQLException {
        int end = begin + 1;
        while (end < batch.size() && batch.get(begin).isSameAs(batch.get(end))) {
            end++;
        }
        if (end == begin + 1) {
            batch.get(begin).run(sql, acknowledgements);
            return end;
        }
        List<Change> same = batch.subList(begin, end).stream().map(task -> (Change) task.work()).toList();
        int[] changed = sql.updateAll(same.get(0).text, same.stream().map(Change::values).toList());
        for (int i = 0; i < changed.length; i++) {
            CompletableFuture<Boolean> done = same.get(i).done;
            // Negative: a driver that rewrites batches does not know.
            boolean did = changed[i] != 0;
            acknowledgements.add(() -> done.complete(did));
        }
        return end;
    }

    private void failed(List<Task<?>> tasks, Throwable e, boolean gone) {
        if (gone) {
            away(rootMessage(e));
        } else {
            LOG.errorf("The store refused a write: %s", rootMessage(e));
        }
        failures.increment();
        StoreException failure = new StoreException("the store cannot be written: " + rootMessage(e), e);
        tasks.forEach(task -> task.done.completeExceptionally(failure));
    }

    private static boolean isConflict(Exception failure) {
        return failure instanceof SQLException sql && String.valueOf(sql.getSQLState()).startsWith("40");
    }

    /** Whether it is the whole store, and not what was asked of it. */
    private static boolean isAway(Exception failure) {
        return failure instanceof SQLException sql && (sql.getSQLState() != null ? sql.getSQLState().matches(DATABASE_IS_AWAY)
                : sql.getErrorCode() == 0 || FILE_IS_AWAY.contains(sql.getErrorCode() & 0xff));
    }

    /** Whoever wants something of it fails in silence from now on: it is said here, once. */
    void away(String reason) {
        outage.begins(reason);
        away = true;
    }

    private void failAll() {
        for (Task<?> task = queue.poll(); task != null; task = queue.poll()) {
            task.done.completeExceptionally(new StoreException("the store is closed", null));
        }
    }

    static String rootMessage(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage()).lines().findFirst().orElse(root.getClass().getSimpleName()).strip();
    }
}
