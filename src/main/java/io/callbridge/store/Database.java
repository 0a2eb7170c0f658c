package io.callbridge.store;

import io.callbridge.platform.Outage;
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
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
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
    private static final int DEADLOCKS = 10;
    /** So many tasks of a batch that fails may be at fault; with more it is the store. */
    private static final int CULPRITS = 3;
    /** Codes of SQLite that are about the file and its disk, and not about a statement (PERM, BUSY, LOCKED, NOMEM, READONLY and so on). */
    private static final Set<Integer> FILE_IS_AWAY = Set.of(3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26);
    /** Likewise for PostgreSQL, as its states begin: connection, read-only, resources, operator, system. */
    private static final String DATABASE_IS_AWAY = "(?:08|25006|53|57|58|XX).*";
    private static final Duration QUIET = Duration.ofSeconds(1);

    private static final Work<Void> NOTHING = sql -> null;

    private record Task<T>(String order, Work<T> work, CompletableFuture<T> done, long sinceNanos) {

        String text() {
            return work instanceof Change change ? change.text : null;
        }

        void run(Sql sql, List<Runnable> acknowledgements) throws SQLException {
            T result = work.on(sql);
            acknowledgements.add(() -> done.complete(result));
        }
    }

    /** Work inside a transaction; must be repeatable, since a transaction that a task has spoiled is run again without it. */
    public interface Work<T> {
        T on(Sql sql) throws SQLException;
    }

    /** One statement, which goes to the database together with others of the same text. Done with: did it change a row? */
    private record Change(String text, Object[] values) implements Work<Boolean> {

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
    private final Deque<Sql> idleReaders = new ConcurrentLinkedDeque<>();
    private final List<Thread> writers = new ArrayList<>();
    private final Semaphore readers;
    private volatile boolean running = true;

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
        this.readers = new Semaphore(kind.readers);
        for (int i = 0; i < kind.writers; i++) {
            Thread writer = new Thread(this::writeLoop, "store-" + name + "-" + i);
            writer.setDaemon(true);
            writer.start();
            writers.add(writer);
        }
    }

    void close() throws InterruptedException {
        running = false;
        // Nobody waits for a writer that waits for work.
        writers.forEach(writer -> queue.offer(new Task<>("", NOTHING, new CompletableFuture<>(), System.nanoTime())));
        for (Thread writer : writers) {
            writer.join(TimeUnit.SECONDS.toMillis(5));
        }
        failAll(drained(), new StoreException("the store is closed", null));
        idleReaders.forEach(Sql::close);
    }

    /**
     * Queues a write. The future fails with {@link StoreException} if the store does not take it.
     *
     * @param order within a transaction, so that transactions of several writers lock rows in the same order
     */
    public <T> CompletableFuture<T> write(String order, Work<T> work) {
        CompletableFuture<T> done = new CompletableFuture<>();
        if (!running || !queue.offer(new Task<>(order, work, done, System.nanoTime()))) {
            done.completeExceptionally(new StoreException("the store takes no more writes at the moment", null));
        } else if (!running) {
            // It may have come after the writers' last look.
            failAll(drained(), new StoreException("the store is closed", null));
        }
        return done;
    }

    /** A single statement. @return completes after the commit: whether a row was changed */
    public CompletableFuture<Boolean> change(String order, String text, Object... values) {
        return write(order, new Change(text, values));
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
        try {
            if (!readers.tryAcquire(5, TimeUnit.SECONDS)) {
                throw new StoreException("the store has no time to read at the moment", null);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException("Callbridge is shutting down", e);
        }
        try {
            return read(work, false);
        } finally {
            readers.release();
        }
    }

    private <T> T read(Work<T> work, boolean again) {
        Sql idle = idleReaders.poll();
        Sql sql = idle;
        try {
            sql = sql != null ? sql : new Sql(dataSource.getConnection());
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
            if (idle != null && !again && isAway(e)) {
                // The database may have been away while nobody asked.
                return read(work, true);
            }
            if (sql == null || isAway(e)) {
                away(rootMessage(e));
            } else if (e instanceof SQLException) {
                LOG.errorf("The store cannot be read: %s", e.getMessage());
            }
            throw e instanceof RuntimeException failure ? failure : new StoreException("the store cannot be read: " + e.getMessage(), e);
        }
    }

    /** Copies SQLite's write-ahead log into the database. @return whether all that was committed before is on the disk now */
    boolean checkpoint() {
        return read(sql -> sql.first("pragma wal_checkpoint(passive)", row -> row.getInt(1) == 0 && row.getInt(2) == row.getInt(3)));
    }

    private void writeLoop() {
        List<Task<?>> batch = new ArrayList<>();
        Sql sql = null;
        while (running || !queue.isEmpty()) {
            try {
                Task<?> first = queue.poll(200, TimeUnit.MILLISECONDS);
                if (first == null || first.work() == NOTHING) {
                    // Without a connection: Quarkus may have closed their pool already.
                    continue;
                }
                batch.add(first);
                queue.drainTo(batch, BATCH);
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
        if (kind.shared()) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("set synchronous_commit = " + (forced ? "on" : "off"));
            }
        }
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
                        current.run(sql, acknowledgements);
                    }
                    i = end;
                }
                current = null;
                long begin = System.nanoTime();
                sql.commit();
                commits.record(System.nanoTime() - begin, TimeUnit.NANOSECONDS);
                batches.record(batch.size());
                // On a disk that is almost full a small commit finds room where a larger one did not.
                outage.endsAfter(QUIET);
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
    void away(String reason) {
        if (outage.begins(reason)) {
            askAgain();
        }
    }

    /** Else nobody might notice that it is back. */
    private void askAgain() {
        CompletableFuture.delayedExecutor(QUIET.toMillis(), TimeUnit.MILLISECONDS).execute(() -> {
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
            // Negative: a driver that rewrites batches does not know.
            boolean did = changed[i] != 0;
            acknowledgements.add(() -> done.complete(did));
        }
        return acknowledgements;
    }

    private List<Task<?>> drained() {
        List<Task<?>> left = new ArrayList<>();
        queue.drainTo(left);
        return left;
    }

    private static void failAll(List<Task<?>> tasks, StoreException failure) {
        tasks.forEach(task -> task.done().completeExceptionally(failure));
    }

    static String rootMessage(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        return String.valueOf(root.getMessage()).lines().findFirst().orElse(root.getClass().getSimpleName()).strip();
    }
}
