package io.callbridge.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/** The load: several connections with a thread each, which share one list of requests. Every answer must be 200. */
final class LoadClient implements AutoCloseable {

    /** Until all threads are there. */
    private static final long LEAD_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /**
     * What became of a list of requests; all times on the clock of {@link System#nanoTime()}, by place in the list.
     *
     * @param due when the request should have left
     */
    record Load(long[] due, long[] sent, long[] answered) {

        private Load(int requests) {
            this(new long[requests], new long[requests], new long[requests]);
        }

        /** Answers per second, from the first request to the last answer. */
        double perSecond() {
            return sent.length * 1e9 / (Arrays.stream(answered).max().orElseThrow() - Arrays.stream(sent).min().orElseThrow());
        }

        /** From the moment a request was due: waiting for a connection that is still busy counts. */
        Latencies latencies() {
            return new Latencies(IntStream.range(0, due.length).mapToLong(i -> answered[i] - due[i]).toArray());
        }
    }

    private final List<KeptConnection> connections = new ArrayList<>();

    LoadClient(int port, int count) {
        try {
            for (int i = 0; i < count; i++) {
                connections.add(new KeptConnection(port));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("no connection to port " + port, e);
        }
    }

    /** Sends as fast as the answers come. */
    Load flood(List<byte[]> requests) {
        return run(requests, 0);
    }

    /** Sends at a fixed rate, whether or not the answers keep up. */
    Load pace(List<byte[]> requests, double perSecond) {
        return run(requests, 1e9 / perSecond);
    }

    private Load run(List<byte[]> requests, double nanosBetween) {
        Load load = new Load(requests.size());
        AtomicInteger next = new AtomicInteger();
        long begin = System.nanoTime() + LEAD_NANOS;
        AtOnce.run(connections.stream().<Callable<Void>>map(connection -> () -> {
            for (int i = next.getAndIncrement(); i < requests.size(); i = next.getAndIncrement()) {
                load.due[i] = begin + (long) (i * nanosBetween);
                waitUntil(load.due[i]);
                load.sent[i] = System.nanoTime();
                connection.exchange(requests.get(i));
                load.answered[i] = System.nanoTime();
            }
            return null;
        }).toList());
        return load;
    }

    private static void waitUntil(long nanos) {
        for (long left = nanos - System.nanoTime(); left > 0; left = nanos - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    @Override
    public void close() {
        for (KeptConnection connection : connections) {
            connection.close();
        }
    }
}
