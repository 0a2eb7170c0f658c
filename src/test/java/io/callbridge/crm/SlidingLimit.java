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

    synchronized boolean take(long nanos) {
        arrived.add(nanos);
        if (taken.stream().filter(t -> nanos - t < window).count() >= most) {
            refused++;
            return false;
        }
        taken.add(nanos);
        return true;
    }

    synchronized int refused() {
        return refused;
    }

    /** The fullest window so far, refused requests too. */
    synchronized int fullest() {
        return (int) arrived.stream().mapToLong(begin -> arrived.stream().filter(at -> at >= begin && at - begin < window).count()).max()
                .orElse(0);
    }
}
