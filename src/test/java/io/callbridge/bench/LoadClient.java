package io.callbridge.bench;

import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The load: several connections with a thread each, which share one list of requests. Every answer must be 200. */
final class LoadClient implements AutoCloseable {

    /** Until all threads are there. */
    private static final long LEAD_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int LONGEST_SECONDS = 120;

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

    /** One kept HTTP/1.1 connection to a server on this machine: a request goes out as the bytes it is, its answer is read to the end. */
    static final class Connection {

        private final Socket socket;
        private final InputStream in;

        private Connection(int port) throws IOException {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setTcpNoDelay(true);
            in = new BufferedInputStream(socket.getInputStream());
        }

        /** Sends a request and reads its answer, which must be 200. */
        void exchange(byte[] request) throws IOException {
            socket.getOutputStream().write(request);
            String status = line();
            if (!status.startsWith("http/1.1 200 ")) {
                throw new AssertionError("not acknowledged: " + status);
            }
            int length = 0;
            boolean chunked = false;
            for (String line = line(); !line.isEmpty(); line = line()) {
                length = line.startsWith("content-length:") ? Integer.parseInt(line.substring(15).strip()) : length;
                chunked |= line.equals("transfer-encoding: chunked");
            }
            in.skipNBytes(length);
            while (chunked && length >= 0) {
                length = Integer.parseInt(line(), 16) - 1;
                in.skipNBytes(length + 3);
            }
        }

        private String line() throws IOException {
            StringBuilder line = new StringBuilder();
            for (int letter = in.read(); letter != '\n'; letter = in.read()) {
                if (letter < 0) {
                    throw new EOFException("the server closed the connection instead of answering");
                }
                line.append((char) letter);
            }
            return line.toString().strip().toLowerCase(Locale.ROOT);
        }
    }

    /** Events of calls as requests, ready to be sent: what the load generator does not do while it is measured. */
    record EventRequests(String path) {

        /** Calls that ring at the same time: of so many all dial-ins go out, then all answers, then all hangups. */
        private static final int AT_ONCE = 100;
        private static final List<String> EXTENSIONS = List.of("101", "102", "103", "104", "105", "111");
        private static final AtomicInteger CALLERS = new AtomicInteger();

        /** Calls to the mapped phones, of a caller each that the bridge has not seen before. */
        static List<TestCall> calls(int count) {
            return Stream.generate(() -> {
                int caller = CALLERS.getAndIncrement();
                return TestCall.incoming(EXTENSIONS.get(caller % EXTENSIONS.size()), String.format("+7900%07d", caller));
            }).limit(count).toList();
        }

        byte[] of(Map<String, String> event) {
            return request("POST", path, "application/x-www-form-urlencoded", Webhook.form(event));
        }

        /** The three events of each answered call, in an order in which they could come. */
        List<byte[]> answered(List<TestCall> calls) {
            List<byte[]> requests = new ArrayList<>(3 * calls.size());
            for (int from = 0; from < calls.size(); from += AT_ONCE) {
                List<TestCall> ringing = calls.subList(from, Math.min(calls.size(), from + AT_ONCE));
                requests.addAll(dialIns(ringing));
                ringing.forEach(call -> requests.add(of(call.answer())));
                ringing.forEach(call -> requests.add(of(call.hangup())));
            }
            return requests;
        }

        List<byte[]> dialIns(List<TestCall> calls) {
            return calls.stream().map(call -> of(call.dialIn())).toList();
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
            connection.socket.close();
        }
    }
}
