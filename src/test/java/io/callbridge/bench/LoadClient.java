package io.callbridge.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** The load: several connections with a thread each, which share one list of requests. Every answer must be 200. */
final class LoadClient implements AutoCloseable {

    /** Until all threads are there. */
    private static final long LEAD_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int LONGEST_SECONDS = 120;
    private static final Pattern LENGTH = Pattern.compile("\r\ncontent-length: *(\\d+)");

    /**
     * What became of a list of requests; all times on the clock of {@link System#nanoTime()}, by place in the list.
     *
     * @param due when the request should have left
     */
    record Load(long[] due, long[] sent, long[] answered) {

        /** Answers per second, from the first request to the last answer. */
        double perSecond() {
            return sent.length * 1e9 / (Arrays.stream(answered).max().orElseThrow() - Arrays.stream(sent).min().orElseThrow());
        }

        /** From the moment a request was due: waiting for a connection that is still busy counts. */
        double ms(int percent) {
            return LoadClient.ms(percent, IntStream.range(0, due.length).mapToLong(i -> answered[i] - due[i]).toArray());
        }
    }

    /**
     * One kept HTTP/1.1 connection to a server on this machine: a request goes out as the bytes it is, its answer is read to the
     * end. Blocks without a time-out, which would cost system calls; an interrupt closes it.
     */
    static final class Connection {

        private final SocketChannel channel;
        private final ByteBuffer out = ByteBuffer.allocateDirect(16 * 1024);
        private final ByteBuffer in = ByteBuffer.allocateDirect(16 * 1024);

        private Connection(int port) throws IOException {
            channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }

        /** Sends a request and reads its answer, which must be 200. */
        void exchange(byte[] request) throws IOException {
            out.clear();
            out.put(request).flip();
            while (out.hasRemaining()) {
                channel.write(out);
            }
            in.clear();
            String answer;
            do {
                if (channel.read(in) < 0) {
                    throw new IOException("the server closed the connection instead of answering");
                }
                byte[] soFar = new byte[in.position()];
                in.get(0, soFar);
                answer = new String(soFar, StandardCharsets.ISO_8859_1);
            } while (!whole(answer));
            if (!answer.startsWith("HTTP/1.1 200 ")) {
                throw new AssertionError("not acknowledged: " + answer);
            }
        }

        private static boolean whole(String answer) {
            int end = answer.indexOf("\r\n\r\n");
            if (end < 0) {
                return false;
            }
            String head = answer.substring(0, end).toLowerCase(Locale.ROOT);
            if (head.contains("\r\ntransfer-encoding: chunked")) {
                return answer.endsWith("0\r\n\r\n");
            }
            Matcher length = LENGTH.matcher(head);
            return answer.length() >= end + 4 + (length.find() ? Integer.parseInt(length.group(1)) : 0);
        }
    }

    /** What a thread does with a connection of its own. */
    interface Work {

        void with(Connection connection) throws Exception;
    }

    private final List<Connection> connections = new ArrayList<>();

    LoadClient(int port, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            connections.add(new Connection(port));
        }
    }

    /** A request as bytes. */
    static byte[] request(String method, String path, String type, String body) {
        return (method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + type + "\r\nContent-Length: "
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body).getBytes(StandardCharsets.UTF_8);
    }

    /** The smallest time that this many percent of all do not exceed (nearest rank), in milliseconds. */
    static double ms(int percent, long[] nanos) {
        return Arrays.stream(nanos).sorted().toArray()[(int) Math.ceil(nanos.length * percent / 100.0) - 1] / 1e6;
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
        int count = requests.size();
        Load load = new Load(new long[count], new long[count], new long[count]);
        AtomicInteger next = new AtomicInteger();
        long begin = System.nanoTime() + LEAD_NANOS;
        atOnce(connection -> {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                load.due[i] = begin + (long) (i * nanosBetween);
                for (long left = load.due[i] - System.nanoTime(); left > 0; left = load.due[i] - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                }
                load.sent[i] = System.nanoTime();
                connection.exchange(requests.get(i));
                load.answered[i] = System.nanoTime();
            }
        });
        return load;
    }

    void atOnce(Work work) {
        atOnce(connections.stream().<Callable<Void>>map(connection -> () -> {
            work.with(connection);
            return null;
        }).toList());
    }

    /** A thread each; returns when all is done. @throws AssertionError if a piece of work fails, or is not done in time */
    static void atOnce(List<Callable<Void>> work) {
        ExecutorService threads = Executors.newFixedThreadPool(work.size());
        try {
            for (Future<Void> done : threads.invokeAll(work, LONGEST_SECONDS, TimeUnit.SECONDS)) {
                done.get();
            }
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause().toString(), e.getCause());
        } catch (CancellationException | InterruptedException e) {
            throw new AssertionError("not through after " + LONGEST_SECONDS + " s", e);
        } finally {
            threads.shutdownNow();
        }
    }

    @Override
    public void close() throws IOException {
        for (Connection connection : connections) {
            connection.channel.close();
        }
    }
}
