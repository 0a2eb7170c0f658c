package io.callbridge.process;

import io.callbridge.store.Document.Decision;
import io.callbridge.store.Event;
import io.callbridge.store.Inbox;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** What waits for the next evaluation of a call. */
final class CallWork {

    /** @param page it lies there until what follows from it is stored; {@code null}: it is stored with another call */
    record Arrived(Event event, Inbox.Page page) {
    }

    final List<Arrived> arrived = new ArrayList<>();
    boolean due;
    final List<Decision> decisions = new ArrayList<>();
    final List<Event> gone = new ArrayList<>();
    /** Legs that are another call's from now on. */
    final Set<String> moved = new HashSet<>();
    /** What is to be done when the evaluation is stored. */
    final List<Runnable> after = new ArrayList<>();
    /** What has to be stored elsewhere before the pages of this evaluation are done. */
    final List<CompletableFuture<Void>> last = new ArrayList<>();
    int tries;
    String goneTo;
    /** The store has something that is not in memory. */
    boolean reload;
    boolean queued;
    /** Legs that the call gets by the evaluation. */
    Set<String> news = Set.of();

    boolean isEmpty() {
        return arrived.isEmpty() && !due && decisions.isEmpty() && gone.isEmpty();
    }

    void add(CallWork other) {
        arrived.addAll(other.arrived);
        due |= other.due;
        decisions.addAll(other.decisions);
        gone.addAll(other.gone);
        moved.addAll(other.moved);
        after.addAll(other.after);
        last.addAll(other.last);
        tries = Math.max(tries, other.tries);
        goneTo = other.goneTo != null ? other.goneTo : goneTo;
        reload |= other.reload;
    }
}
