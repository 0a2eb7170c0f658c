package io.callbridge.store;

import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.util.concurrent.DefaultThreadFactory;
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
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
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
    private static final long SWEEP_MS = 500;
    /** A page of another replica that is so old was left by one that died, or has too much to do. */
    private static final long LEFT_MS = 3_000;
    private static final long GONE_MS = 86_400_000;

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
        private final boolean again;
        /** Empty while nobody has room for them. */
        private List<Event> events = List.of();
        private int undone;

        private Page(long seq, boolean again) {
            this.seq = seq;
            this.again = again;
        }

        private Page with(List<Event> read) {
            events = read;
            undone = read.size();
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
            end(resting);
        }

        /** What one of its events leads to is stored. */
        public void done() {
            synchronized (open) {
                undone--;
                if (undone <= 0) {
                    end(ended);
                }
            }
        }

        /** Unless it is to be evaluated again: then this does not count. */
        private void end(Set<Long> those) {
            synchronized (open) {
                if (open.remove(seq, this)) {
                    left.remove(seq);
                    those.add(seq);
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
    /** Of those, what nobody had room for; what comes is behind that. */
    private final TreeSet<Long> left = new TreeSet<>();
    /** Pages that are done, and in the store. */
    private final Set<Long> ended = new HashSet<>();
    private final Set<Long> resting = new HashSet<>();
    private Follower follower;
    /** What an earlier process left is known; until then what comes is behind that. */
    private boolean begun;
    /** As the database knows this replica; {@code null}: it does not yet. */
    private String replica;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("store-sweep", true));

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
            take(taken);
            return insert(sql, taken.stream().flatMap(append -> append.events.stream()).toList());
        }).whenComplete((page, failure) -> {
            take(taken);
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
        if (!taken.isEmpty()) {
            return;
        }
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
            boolean now = begun && left.isEmpty() && follower.hasRoom();
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
        List<Long> seqs = left();
        while (!seqs.isEmpty() && follower.hasRoom()) {
            handOver(seqs);
            seqs = left();
        }
    }

    private List<Long> left() {
        synchronized (open) {
            return left.stream().limit(PAGES).toList();
        }
    }

    private void handOver(List<Long> seqs) {
        Map<Long, byte[]> found = new HashMap<>();
        store.forced().read(sql -> sql.query("select seq, events from page where seq in " + Sql.in(seqs),
                row -> found.put(row.getLong(1), row.getBytes(2)), seqs.toArray()));
        seqs.forEach(seq -> handOver(seq, found.get(seq)));
    }

    private void handOver(long seq, byte[] bytes) {
        List<Event> events = bytes == null ? List.of() : events(bytes);
        Page page;
        synchronized (open) {
            page = open.get(seq).with(events);
        }
        if (bytes == null) {
            // Another replica has done it.
            page.done();
        } else if (events.isEmpty()) {
            LOG.errorf("Page %d of the inbox cannot be read, and stays", seq);
            page.rest();
        } else {
            follower.take(page);
            synchronized (open) {
                if (open.get(seq) == page) {
                    left.remove(seq);
                }
            }
        }
    }

    /** None if they cannot be read, which must not keep those behind them. */
    private static List<Event> events(byte[] page) {
        try {
            return Event.page(page);
        } catch (RuntimeException unreadable) {
            return List.of();
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

    /** Pages that nobody has ended for long; another replica that looks for such ones leaves them to this one for as long. */
    private List<Long> claimed() {
        long now = Time.millis();
        return store.forced().writeAndWait("inbox", sql -> sql.query("update page set at = ? where seq in (select seq from page where at < ?"
                + " order by seq limit " + CLAIMED + store.kind().claiming + ") returning seq", row -> row.getLong(1), now, now - LEFT_MS));
    }

    /** Durable events that are not evaluated yet, as far as is known here, in order of arrival. */
    public List<Event> events(Predicate<Event> which) {
        return store.forced().read(sql -> sql.query("select seq, events from page order by seq limit " + TOLD, row -> isDone(row.getLong(1))
                ? List.<Event>of() : events(row.getBytes(2)).stream().filter(which).toList())).stream().flatMap(List::stream).toList();
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

    void sweep() {
        try {
            if (!store.kind().shared()) {
                // Beside the writers, who else copy their log into the file within a commit.
                store.forced().checkpoint();
            }
            deleteEnded();
        } catch (Throwable e) {
            // Nothing is lost: pages stay, and what follows from them is the same.
            LOG.logf(StoreException.level(e), "The inbox is not swept, its pages stay: %s", e);
        }
    }

    /**
     * Deletes the pages that are done when what follows from them is on the disk: with SQLite behind a checkpoint of the calls. PostgreSQL's
     * log is in the order of the commits: a deletion that is forced comes behind what the pages led to. But if it recovers from a crash it
     * has lost what was not forced, and empties its unlogged tables: then pages are not deleted but evaluated again.
     */
    private void deleteEnded() {
        List<Object[]> done;
        synchronized (open) {
            done = ended.stream().limit(SWEPT).map(seq -> new Object[] {seq}).toList();
        }
        boolean shared = store.kind().shared();
        if (shared ? done.isEmpty() && replica != null : done.isEmpty() || !store.calls().checkpoint()) {
            return;
        }
        // Another name each time: whether it was inserted is not known if the answer is lost.
        String other = UUID.randomUUID().toString();
        boolean same = store.forced().writeAndWait(Store.LAST, sql -> {
            if (shared && (replica == null || sql.update("update alive set at = ? where replica = ?", Time.millis(), replica) == 0)) {
                // Of a replica that only slept for so long: it takes that for a crash, and what is evaluated again changes nothing.
                sql.update("delete from alive where at < ?", Time.millis() - GONE_MS);
                sql.update("insert into alive (replica, at) values (?, ?)", other, Time.millis());
                return false;
            }
            sql.updateAll("delete from page where seq = ?", done);
            return true;
        });
        if (!same && replica != null) {
            LOG.info("The database has recovered from a crash: what it had not forced is evaluated again");
            // Before anything is: in memory it would be a repeat of what is lost.
            follower.forget();
        }
        synchronized (open) {
            if (same) {
                done.forEach(seq -> ended.remove(seq[0]));
            } else if (replica != null) {
                // At once, for a timer may be due that what they tell stops.
                ended.addAll(open.keySet());
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
