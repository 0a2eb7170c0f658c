package io.callbridge.crm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** How many requests a CRM takes within any window of a length, and how many came. */
final class SlidingLimit {

    private final long window;
    private final List<Long> arrived = new ArrayList<>();
    private final List<Long> taken = new ArrayList<>();
    private int most;
    private int refused;

    SlidingLimit(Duration window, int most) {
        this.window = window.toNanos();
        this.most = most;
    }

    /** From now on so many; refused ones do not count. */
    synchronized void most(int requests) {
        most = requests;
    }

    synchronized int most() {
        return most;
    }

    synchronized boolean take(long nanos) {
        arrived.add(nanos);
        if (left(nanos) <= 0) {
            refused++;
            return false;
        }
        taken.add(nanos);
        return true;
    }

    synchronized int left(long nanos) {
        return most - (int) taken.stream().filter(t -> nanos - t < window).count();
    }

    synchronized int refused() {
        return refused;
    }

    /** The fullest window so far, refused requests too. */
    synchronized int fullest() {
        List<Long> sorted = arrived.stream().sorted().toList();
        int fullest = 0;
        int first = 0;
        for (int last = 0; last < sorted.size(); last++) {
            while (sorted.get(last) - sorted.get(first) >= window) {
                first++;
            }
            fullest = Math.max(fullest, last - first + 1);
        }
        return fullest;
    }
}
