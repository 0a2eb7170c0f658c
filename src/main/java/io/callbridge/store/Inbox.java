package io.callbridge.store;

import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import java.io.ByteArrayOutputStream;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jboss.logging.Logger;

/**
 * Makes events durable before anybody is told so: all that wait together become one page, one row, one commit. Then the same events go
 * to who evaluates them; a page goes when all that follows from it is stored. More than can be evaluated stays here, and is read again.
 */
@ApplicationScoped
public class Inbox {

    private static final Logger LOG = Logger.getLogger(Inbox.class);
    private static final int LONGEST_PAGE = 1_000;
    private static final int PAGES = 4;
    private static final int CLAIMED = 50;
    private static final int SWEPT = 10_000;
    private static final int TOLD = 10_000;
    private static final String DELETE = "delete from page where seq = ?";
    private static final long SWEEP_MS = 500;
    /** A page of another replica that is so old was left by one that died, or has too much to do. */
    private static final long LEFT_MS = 3_000;

    /** Who evaluates events. */
    public interface Follower {

        boolean hasRoom();

        void take(Page page);

        /** What is in memory may not be in the store: the database has lost what it had not forced. */
        void forget();
    }

    /** Events that were stored by one commit, and have not led to all that they lead to. */
    public final class Page {

        private final long seq;
        /** Since it is known here: how long Callbridge was down does not count as its delay. */
        private final long since = Time.millis();
        private boolean again;
        /** The database has lost what it had not forced: what followed from a part of it may be among that. */
        private boolean doubtful;
        /** Empty while nobody has room for them. */
        private List<Event> events = List.of();
        private final AtomicInteger undone = new AtomicInteger();

        private Page(long seq, boolean again) {
            this.seq = seq;
            this.again = again;
        }

        private Page with(List<Event> read) {
            events = read;
            undone.set(read.size());
            return this;
        }

        public List<Event> events() {
            return events;
        }

        /** It may have been evaluated before, and what followed was not forced to the disk and is lost. */
        public boolean again() {
            return again;
        }

        /** One of its events cannot be evaluated: its PBX is not configured any more, or it fails again and again. The page stays. */
        public void rest() {
            synchronized (open) {
                open.remove(seq);
                left.remove(seq);
                resting.add(seq);
            }
        }

        /** What one of its events leads to is stored. */
        public void done() {
            if (undone.decrementAndGet() > 0) {
                return;
            }
            synchronized (open) {
                open.remove(seq, this);
                if (doubtful) {
                    leave(new Page(seq, true));
                } else {
                    ended.add(seq);
                }
            }
        }
    }

    private record Append(List<Event> events, CompletableFuture<Void> done) {
    }

    private final Store store;
    private final long mostAgeMs;
    private final Deque<Append> waiting = new ArrayDeque<>();
    private boolean writing;
    private final TreeMap<Long, Page> open = new TreeMap<>();
    /** Of those, what nobody had room for. */
    private final TreeSet<Long> left = new TreeSet<>();
    /** Pages that are done, and in the store. */
    private final TreeSet<Long> ended = new TreeSet<>();
    private final Set<Long> resting = new HashSet<>();
    private Follower follower;
    /** What an earlier process left is known; until then what comes is behind that. */
    private boolean begun;
    /** What comes is behind what is being handed over. */
    private boolean reading;
    /** As the database knows this replica; {@code null}: it does not yet. */
    private String replica;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "store-sweep");
        thread.setDaemon(true);
        return thread;
    });

    public Inbox(Store store, Settings settings, MeterRegistry meters) {
        this.store = store;
        this.mostAgeMs = settings.number("store.max-age-ms");
        meters.gauge("callbridge.inbox.oldest.seconds", this, Inbox::oldestSeconds);
    }

    /**
     * Appends events with one commit: nobody sees a part of them.
     *
     * @return completes after the commit, with {@link StoreException} if they are not durable
     */
    public CompletableFuture<Void> append(List<Event> events) {
        if (events.isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        if (oldestSeconds() * 1000 > mostAgeMs) {
            return CompletableFuture.failedFuture(new StoreException("more came than can be evaluated, for too long", null));
        }
        Append append = new Append(events, new CompletableFuture<>());
        boolean first;
        synchronized (waiting) {
            waiting.add(append);
            first = !writing;
            writing = true;
        }
        if (first) {
            write();
        }
        return append.done;
    }

    /** A page of whatever waits when the writer gets to it; repeatable, so it keeps what it took. */
    private void write() {
        List<Append> taken = new ArrayList<>();
        store.writeAtOnce("inbox", sql -> {
            if (taken.isEmpty()) {
                take(taken);
            }
            return insert(sql, taken.stream().flatMap(append -> append.events.stream()).toList());
        }).whenComplete((page, failure) -> {
            if (taken.isEmpty()) {
                take(taken);
            }
            // Known before anybody is told, who may ask what waits.
            boolean taking = failure == null && known(page);
            boolean more;
            synchronized (waiting) {
                more = !waiting.isEmpty();
                writing = more;
            }
            if (more) {
                write();
            }
            if (failure != null) {
                taken.forEach(append -> append.done.completeExceptionally(failure));
                return;
            }
            taken.forEach(append -> append.done.complete(null));
            if (taking) {
                follower.take(page);
            }
        });
    }

    private void take(List<Append> taken) {
        synchronized (waiting) {
            for (int events = 0; events < LONGEST_PAGE && !waiting.isEmpty();) {
                taken.add(waiting.poll());
                events += taken.get(taken.size() - 1).events.size();
            }
        }
    }

    private Page insert(Sql sql, List<Event> events) throws SQLException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512 * events.size());
        events.forEach(event -> bytes.writeBytes(event.json()));
        long at = events.stream().mapToLong(event -> event.call().arrivedAt().toEpochMilli()).min().orElseThrow();
        long seq = sql.first("insert into page (at, events) values (?, ?) returning seq", row -> row.getLong(1), at, bytes.toByteArray());
        return new Page(seq, false).with(events);
    }

    /** @return whether it is to be evaluated now; else it is read later */
    private boolean known(Page page) {
        synchronized (open) {
            if (knows(page.seq)) {
                // It was found in the store before its commit was told here.
                return false;
            }
            boolean now = begun && !reading && left.isEmpty() && follower.hasRoom();
            if (now) {
                open.put(page.seq, page);
            } else {
                leave(new Page(page.seq, false));
            }
            return now;
        }
    }

    private boolean knows(long seq) {
        return open.containsKey(seq) || ended.contains(seq) || resting.contains(seq);
    }

    /** For when there is room. */
    private void leave(Page page) {
        open.put(page.seq, page);
        left.add(page.seq);
    }

    /**
     * Brings what nobody had room for, oldest first. At the first time also what an earlier process left; in a common database, what other
     * replicas have left for long.
     */
    public void read(Follower evaluating) {
        if (follower == null) {
            follower = evaluating;
            clock.scheduleWithFixedDelay(this::sweep, SWEEP_MS, SWEEP_MS, TimeUnit.MILLISECONDS);
        }
        if (!begun || store.kind().shared()) {
            find();
        }
        for (List<Long> seqs = left(); !seqs.isEmpty() && follower.hasRoom(); seqs = left()) {
            read(seqs).stream().filter(Objects::nonNull).forEach(follower::take);
        }
    }

    /** At the start whatever there is, though another replica may be at it: this one may be the one that died. */
    private void find() {
        if (!begun && store.kind().shared()) {
            // The database knows this replica before it has anything that a crash could take.
            deleteEnded();
        }
        List<Long> found = begun ? claimed() : store.forced().read(sql -> sql.query("select seq from page order by seq", row -> row.getLong(1)));
        synchronized (open) {
            for (long seq : found) {
                if (!knows(seq)) {
                    leave(new Page(seq, true));
                }
            }
            begun = true;
        }
    }

    private List<Long> left() {
        synchronized (open) {
            List<Long> seqs = left.stream().limit(PAGES).toList();
            reading &= !seqs.isEmpty();
            return seqs;
        }
    }

    /** Pages that nobody has ended for long; another replica that looks for such ones leaves them to this one for as long. */
    private List<Long> claimed() {
        long now = Time.millis();
        return store.forced().writeAndWait("inbox", sql -> sql.query("update page set at = ? where seq in (select seq from page where at < ?"
                + " order by seq limit " + CLAIMED + store.kind().claiming + ") returning seq", row -> row.getLong(1), now, now - LEFT_MS));
    }

    private List<Page> read(List<Long> seqs) {
        Set<Long> gone = new HashSet<>(seqs);
        List<Page> pages = store.forced().read(sql -> sql.query("select seq, events from page where seq in " + Sql.in(seqs) + " order by seq",
                row -> page(row.getLong(1), row.getBytes(2), gone), seqs.toArray()));
        synchronized (open) {
            // Another replica has done them.
            open.keySet().removeAll(gone);
            left.removeAll(seqs);
            reading = true;
        }
        return pages;
    }

    /** One that cannot be read must not keep those behind it. */
    private Page page(long seq, byte[] events, Set<Long> gone) {
        gone.remove(seq);
        Page page;
        synchronized (open) {
            page = open.get(seq);
        }
        if (page == null) {
            // It came to rest at the first try of a query that had to be repeated.
            return null;
        }
        try {
            return page.with(Event.page(events));
        } catch (RuntimeException e) {
            LOG.errorf("Page %d of the inbox cannot be read, and stays: %s", seq, e.getMessage());
            page.rest();
            return page;
        }
    }

    /** Durable events that are not evaluated yet, as far as is known here, in order of arrival. */
    public List<Event> events(Predicate<Event> which) {
        return store.forced().read(sql -> sql.query("select seq, events from page order by seq limit " + TOLD, row -> isDone(row.getLong(1))
                ? List.<Event>of() : readable(row.getBytes(2)).stream().filter(which).toList())).stream().flatMap(List::stream).toList();
    }

    /** One that cannot be read was told when it came to rest. */
    private static List<Event> readable(byte[] page) {
        try {
            return Event.page(page);
        } catch (RuntimeException e) {
            return List.of();
        }
    }

    private boolean isDone(long seq) {
        synchronized (open) {
            return ended.contains(seq);
        }
    }

    /** Pages whose events are not all evaluated. */
    public int waiting() {
        synchronized (open) {
            return open.size();
        }
    }

    /** When the oldest of what had no room came; later events are not evaluated yet, either. */
    public long evaluatedUntil() {
        synchronized (open) {
            return !begun ? 0 : left.isEmpty() ? Time.millis() : open.get(left.first()).since;
        }
    }

    /** How long the oldest event has waited for what follows from it; 0: none does. */
    private double oldestSeconds() {
        synchronized (open) {
            return open.isEmpty() ? 0 : Math.max(0, Time.millis() - open.firstEntry().getValue().since) / 1000.0;
        }
    }

    /**
     * Deletes the pages that are done when what follows from them is on the disk: behind a checkpoint of the calls; with PostgreSQL, whose
     * log is in the order of the commits, at once. SQLite's logs are copied into their files here, beside the writers, which else do it
     * within a commit.
     */
    void sweep() {
        try {
            if (store.kind().shared()) {
                deleteEnded();
                return;
            }
            store.forced().checkpoint();
            List<Object[]> done = done();
            if (!done.isEmpty() && store.calls().checkpoint()) {
                store.forced().writeAndWait(Store.LAST, sql -> sql.updateAll(DELETE, done));
                forget(done);
            }
        } catch (Throwable e) {
            // Nothing is lost: pages stay, and what follows from them is the same.
            LOG.logf(StoreException.level(e), "The inbox is not swept, its pages stay: %s", e);
        }
    }

    private List<Object[]> done() {
        synchronized (open) {
            return ended.stream().limit(SWEPT).map(seq -> new Object[] {seq}).toList();
        }
    }

    private void forget(List<Object[]> done) {
        synchronized (open) {
            done.forEach(seq -> ended.remove(seq[0]));
        }
    }

    /**
     * A database that recovers from a crash has lost what was not forced, and empties its unlogged tables: then pages are not deleted but
     * evaluated again. Its log is in the order of the commits: a deletion that is forced comes behind what the pages led to.
     */
    private void deleteEnded() {
        List<Object[]> done = done();
        if (done.isEmpty() && replica != null) {
            return;
        }
        // Another name each time: whether it was inserted is not known if the answer is lost.
        String other = UUID.randomUUID().toString();
        boolean same = store.forced().writeAndWait(Store.LAST, sql -> {
            if (replica == null || sql.update("update alive set at = ? where replica = ?", Time.millis(), replica) == 0) {
                sql.update("insert into alive (replica, at) values (?, ?)", other, Time.millis());
                return false;
            }
            sql.updateAll(DELETE, done);
            return true;
        });
        if (same) {
            forget(done);
        } else if (replica != null) {
            LOG.info("The database has recovered from a crash: what it had not forced is evaluated again");
            // Before anything is: in memory it would be a repeat of what is lost.
            follower.forget();
            synchronized (open) {
                open.forEach((seq, page) -> page.doubtful = !left.contains(seq));
                // At once, for a timer may be due that what they tell stops.
                ended.forEach(seq -> leave(new Page(seq, true)));
                ended.clear();
            }
        }
        replica = same ? replica : other;
    }

    /** Before the store closes. */
    void close(@Observes(notifyObserver = Reception.IF_EXISTS) @Priority(3) ShutdownEvent event) {
        clock.shutdown();
    }
}
