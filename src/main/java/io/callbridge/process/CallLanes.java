package io.callbridge.process;

import io.callbridge.platform.CallLog;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.process.CallLane.Key;
import io.callbridge.process.CallWork.Arrived;
import io.callbridge.process.ReusedIds.Placed;
import io.callbridge.store.Calls.Due;
import io.callbridge.store.Calls.Stored;
import io.callbridge.store.Calls;
import io.callbridge.store.Document.Decision;
import io.callbridge.store.Event;
import io.callbridge.store.Inbox;
import io.callbridge.store.Memory;
import io.callbridge.store.StoreException;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import jakarta.inject.Named;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jboss.logging.Logger.Level;
import org.jboss.logging.Logger;

/**
 * Evaluates events as they come out of the inbox, a lane per core: a call belongs to one lane, which has it in memory while something
 * happens to it. One evaluation at a time per call; what reaches a call while its last one is being stored is taken together by the next.
 */
@ApplicationScoped
@Named("recovery")
@RegisterForReflection
public class CallLanes implements Inbox.Follower {

    private static final Logger LOG = Logger.getLogger(CallLanes.class);
    /** Events in memory that wait; what is more stays in the inbox. */
    private static final int ROOM = (int) Math.max(1_000, Math.min(20_000, Runtime.getRuntime().maxMemory() / 10 / 4_096));
    private static final int DUE_AT_ONCE = 5_000;
    /** What another replica may be evaluating, too, waits so long. */
    private static final long OTHERS_MS = 7_000;
    private static final long AGAIN_MS = 1_000;
    private static final long LATER_MS = 10_000;
    private static final int TRIES = 3;
    private static final long CLAIMED_MS = 5;
    private static final int STOP_SECONDS = 3;
    private static final int FORGET_SECONDS = 10;

    private final Inbox inbox;
    private final Calls calls;
    private final Evaluator evaluator;
    private final Legs legs;
    private final ReusedIds reused;
    private final Memory memory;
    private final Settings settings;
    private final CallLane[] lanes = new CallLane[CallLane.COUNT];
    private final Map<Key, CallWork> works = new ConcurrentHashMap<>();
    /** Which call gets a leg, by PBX and SubCallID, until that is stored: of two that it came under, the second evaluation must find it there. */
    private final Map<String, Key> claims = new ConcurrentHashMap<>();
    private final AtomicInteger waiting = new AtomicInteger();

    public CallLanes(Inbox inbox, Calls calls, Evaluator evaluator, Legs legs, ReusedIds reused, Memory memory, Settings settings) {
        this.inbox = inbox;
        this.calls = calls;
        this.evaluator = evaluator;
        this.legs = legs;
        this.reused = reused;
        this.memory = memory;
        this.settings = settings;
        for (int i = 0; i < lanes.length; i++) {
            lanes[i] = new CallLane("call-lane-" + i);
        }
    }

    @Override
    public boolean hasRoom() {
        return waiting.get() < ROOM;
    }

    @Override
    public void take(Inbox.Page page) {
        for (Event event : page.events()) {
            if (!settings.knows(event.call().pbx())) {
                page.rest();
                continue;
            }
            waiting.incrementAndGet();
            submit(key(event), work -> work.arrived.add(new Arrived(event, page)));
        }
    }

    @Override
    public void forget() {
        for (CallLane lane : lanes) {
            // Behind an evaluation that has taken a call out, and would put it back.
            CompletableFuture.runAsync(lane::forget, lane.thread).orTimeout(FORGET_SECONDS, TimeUnit.SECONDS).join();
        }
    }

    /** Brings what had no room; at the first time also what was left when Callbridge stopped. */
    public void events() {
        inbox.read(this);
    }

    /** Brings what is to be evaluated again by now. */
    public void timers() {
        // What came before that may tell why nothing is to be done.
        long now = inbox.evaluatedUntil();
        for (Due due : calls.due(settings.pbxs(), now, DUE_AT_ONCE)) {
            Key key = new Key(due.pbx(), due.callId());
            if (!memory.shared() || due.at() <= now - OTHERS_MS || lane(key).has(key)) {
                submit(key, work -> work.due = true);
            }
        }
    }

    /** Whether something of this call is being evaluated, or waits for it. */
    boolean busy(String pbx, String callId) {
        return works.containsKey(new Key(pbx, callId));
    }

    /** Events that wait, or calls that are evaluated. */
    public int busy() {
        return works.size();
    }

    private static Key key(Event event) {
        return new Key(event.call().pbx(), event.call().callId());
    }

    private CallLane lane(Key key) {
        return lanes[Math.floorMod(key.callId().hashCode(), lanes.length)];
    }

    private void submit(Key key, Consumer<CallWork> add) {
        works.compute(key, (same, before) -> {
            CallWork work = before == null ? new CallWork() : before;
            add.accept(work);
            queue(key, work);
            return work;
        });
    }

    private void queue(Key key, CallWork work) {
        if (!work.queued) {
            work.queued = true;
            lane(key).thread.execute(() -> evaluate(key));
        }
    }

    private void evaluate(Key key) {
        try (CallLog log = CallLog.about(key.callId())) {
            // What comes meanwhile waits for the next evaluation.
            CallWork next = new CallWork();
            next.queued = true;
            CallWork taken = works.replace(key, next);
            try {
                evaluate(key, taken);
            } catch (Throwable e) {
                failed(key, taken, e);
            }
        }
    }

    private void evaluate(Key key, CallWork work) {
        CallLane lane = lane(key);
        OpenCall kept = lane.out(key);
        List<Event> fresh = new ArrayList<>(work.arrived.stream().map(Arrived::event).toList());
        // What is due is known to the store: another replica has evaluated it meanwhile.
        boolean old = work.reload || kept != null && memory.shared() && work.due && kept.due().isEmpty();
        OpenCall known = old ? null : kept;
        work.news = fresh.stream().map(event -> event.call().legId()).filter(leg -> known == null || known.leg(leg).isEmpty())
                .map(leg -> key.pbx() + " " + leg).collect(Collectors.toSet());
        work.news.forEach(leg -> claims.putIfAbsent(leg, key));
        if (!work.news.stream().allMatch(leg -> key.equals(claims.get(leg)))) {
            again(key, work, CompletableFuture.delayedExecutor(CLAIMED_MS, TimeUnit.MILLISECONDS));
            return;
        }
        List<Stored> others = known == null ? new ArrayList<>() : null;
        OpenCall open = known == null ? stored(key, work, fresh, others) : known;
        List<String> due = work.due ? open.due() : new ArrayList<>();
        if (!work.gone.isEmpty()) {
            open.document.remove(work.gone);
            due.add(Evaluation.MISSED);
            // What has come for the same legs meanwhile may go after them.
            List<Event> late = open.document.events().stream().filter(event -> work.moved.contains(event.call().legId())).toList();
            open.document.remove(late);
            fresh.addAll(late);
            others = late.isEmpty() ? others : null;
            if (open.document.events().isEmpty() && fresh.isEmpty()) {
                if (open.row == null || calls.remove(open.row, work.goneTo)) {
                    ended(key, work);
                } else {
                    again(key, work, Runnable::run);
                }
                return;
            }
        }
        if (settled(key, work, open, fresh, others)) {
            return;
        }
        fresh.removeIf(event -> !open.document.add(event));
        work.arrived.stream().filter(arrived -> arrived.page() != null && arrived.page().again() && fresh.contains(arrived.event()))
                .forEach(arrived -> open.again.add(arrived.event().call().legId()));
        if (fresh.isEmpty() && due.isEmpty()) {
            // Repeats only.
            lane.in(key, open);
            ended(key, work);
            return;
        }
        Evaluation evaluation = evaluator.begin(open, fresh, due);
        evaluation.decisions.addAll(work.decisions);
        legs.begin(evaluation);
        try {
            evaluator.decide(evaluation);
        } finally {
            legs.end(evaluation);
        }
        evaluator.commit(evaluation).whenComplete((stored, failure) -> {
            if (failure != null) {
                failed(key, work, failure);
            } else if (!stored) {
                again(key, work, Runnable::run);
            } else {
                lane.in(key, open);
                ended(key, work);
            }
        });
    }

    /** @param others gets other calls that have a leg of what came */
    private OpenCall stored(Key key, CallWork work, List<Event> fresh, List<Stored> others) {
        others.addAll(calls.find(key.pbx(), key.callId(), fresh.stream().map(event -> event.call().legId()).distinct().toList()));
        Stored stored = others.stream().filter(each -> each.row().callId().equals(key.callId())).findFirst().orElse(null);
        others.remove(stored);
        OpenCall open = stored == null ? new OpenCall(key.pbx(), key.callId()) : new OpenCall(stored);
        if (stored == null && work.reload) {
            // The CRM may have been told of a leg that it gets from another call.
            calls.deliveries(key.pbx(), key.callId()).forEach(open::put);
        }
        return open;
    }

    /**
     * Takes what is another call's there, and evaluates the rest afterwards ({@link ReusedIds}).
     *
     * @return whether there is any
     */
    private boolean settled(Key key, CallWork work, OpenCall open, List<Event> fresh, List<Stored> others) {
        List<Placed> placed = reused.settle(open, fresh, others);
        if (placed.isEmpty()) {
            return false;
        }
        release(key, work);
        // Before anything goes on elsewhere: the store may not take it.
        for (Placed each : placed) {
            String to = each.event().call().callId();
            if (!each.from().equals(to) && each.before().call().legId().equals(each.event().call().legId())) {
                calls.move(key.pbx(), each.from(), to, List.of(each.event().call().legId()));
            }
        }
        List<CompletableFuture<Void>> moved = new ArrayList<>();
        CallWork rest = new CallWork();
        rest.add(work);
        rest.reload = true;
        for (Placed each : placed) {
            Key from = new Key(key.pbx(), each.from());
            Key to = key(each.event());
            Decision why = new Decision(each.decidedFor(), "ids", "R6", each.reason(), Time.millis());
            Arrived before = rest.arrived.stream().filter(arrived -> arrived.event() == each.before()).findFirst().orElse(null);
            rest.arrived.remove(before);
            if (to.equals(key)) {
                rest.arrived.add(new Arrived(each.event(), before == null ? null : before.page()));
                waiting.addAndGet(before == null ? 1 : 0);
                rest.decisions.add(why);
                if (from.equals(to)) {
                    rest.gone.add(each.before());
                } else {
                    // Stored here, it goes there; what brought it is done when it has gone.
                    CompletableFuture<Void> gone = new CompletableFuture<>();
                    rest.after.add(() -> submit(from, other -> {
                        gone(other, each);
                        other.after.add(() -> gone.complete(null));
                    }));
                    rest.last.add(gone);
                }
                continue;
            }
            CompletableFuture<Void> there = new CompletableFuture<>();
            waiting.addAndGet(before == null ? 1 : 0);
            submit(to, other -> {
                other.arrived.add(new Arrived(each.event(), null));
                other.after.add(() -> there.complete(null));
                other.decisions.add(why);
                other.reload = true;
                if (from.equals(to)) {
                    other.gone.add(each.before());
                }
            });
            if (from.equals(key)) {
                gone(rest, each);
            }
            moved.add(there);
            if (before != null && before.page() != null) {
                rest.after.add(before.page()::done);
            }
        }
        CompletableFuture.allOf(moved.toArray(CompletableFuture[]::new)).thenRun(() -> again(key, rest, Runnable::run));
        return true;
    }

    private static void gone(CallWork work, Placed placed) {
        String legId = placed.before().call().legId();
        work.gone.add(placed.before());
        work.moved.addAll(placed.event().call().legId().equals(legId) ? Set.of(legId) : Set.of());
        work.goneTo = placed.event().call().callId();
        work.reload = true;
    }

    private void release(Key key, CallWork work) {
        work.news.forEach(leg -> claims.remove(leg, key));
    }

    private void ended(Key key, CallWork work) {
        release(key, work);
        waiting.addAndGet(-work.arrived.size());
        try {
            work.after.forEach(Runnable::run);
            CompletableFuture.allOf(work.last.toArray(CompletableFuture[]::new)).thenRun(() -> work.arrived.stream().map(Arrived::page)
                    .filter(Objects::nonNull).forEach(Inbox.Page::done));
        } finally {
            next(key);
        }
    }

    private void next(Key key) {
        works.computeIfPresent(key, (same, next) -> {
            next.queued = false;
            if (next.isEmpty()) {
                return null;
            }
            queue(key, next);
            return next;
        });
    }

    /** Nothing of it is stored. What fails again and again, and not for the store, stays in the inbox and keeps nobody else. */
    private void failed(Key key, CallWork work, Throwable failure) {
        Level level = StoreException.level(failure);
        work.tries += level == Level.DEBUG ? 0 : 1;
        boolean given = work.tries >= TRIES;
        LOG.logf(level, failure, "Call %s could not be processed, it is tried again %s", key.callId(), given ? "at the next start" : "soon");
        if (given) {
            release(key, work);
            waiting.addAndGet(-work.arrived.size());
            work.arrived.stream().map(Arrived::page).filter(Objects::nonNull).forEach(Inbox.Page::rest);
            next(key);
            return;
        }
        again(key, work, CompletableFuture.delayedExecutor(level == Level.DEBUG ? AGAIN_MS : LATER_MS, TimeUnit.MILLISECONDS));
    }

    private void again(Key key, CallWork work, Executor when) {
        release(key, work);
        when.execute(() -> works.computeIfPresent(key, (same, next) -> {
            CallWork both = new CallWork();
            both.add(work);
            both.add(next);
            both.reload = true;
            queue(key, both);
            return both;
        }));
    }

    /** Finishes what has begun; what waits stays in the inbox. Before the store closes. */
    void close(@Observes(notifyObserver = Reception.IF_EXISTS) @Priority(1) ShutdownEvent event) throws InterruptedException {
        for (CallLane lane : lanes) {
            lane.thread.getQueue().clear();
            lane.thread.shutdown();
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
        for (CallLane lane : lanes) {
            lane.thread.awaitTermination(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
    }
}
