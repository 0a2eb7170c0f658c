package io.callbridge.bench;

import java.util.Arrays;

/** Times of one kind, in nanoseconds, and what is said about them in milliseconds. */
final class Latencies {

    private final long[] sorted;

    Latencies(long[] nanos) {
        if (nanos.length == 0) {
            throw new AssertionError("nothing was measured");
        }
        sorted = nanos.clone();
        Arrays.sort(sorted);
    }

    double medianMs() {
        return percentileMs(50);
    }

    double p99Ms() {
        return percentileMs(99);
    }

    /** The smallest time that this many percent of all do not exceed (nearest rank). */
    private double percentileMs(int percent) {
        int rank = (int) Math.ceil(sorted.length * percent / 100.0);
        return sorted[rank - 1] / 1e6;
    }
}
