package io.callbridge.bench;

import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** The load: several connections with a thread each, which share one list of requests. Every answer must be 200. */
final class LoadClient implements AutoCloseable {

    /** Until all threads are there. */
    private static final long LEAD_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int LONGEST_SECONDS = 120;
    private static final int CONNECTIONS = 64;
    /** Calls that ring at the same time: of so many all dial-ins go out, then all answers, then all hangups. */
    private static final int AT_ONCE = 100;
    private static final List<String> EXTENSIONS = List.of("101", "102", "103", "104", "105", "111");
    private static final AtomicInteger CALLERS = new AtomicInteger();

    /** @param nanos each from the moment its request was due, in order of length: waiting for a connection that is still busy counts */
    record Load(double perSecond, long[] nanos) {

        /** The smallest time that this many percent of all do not exceed (nearest rank), in milliseconds. */
        double ms(int percent) {
            return nanos[(int) Math.ceil(nanos.length * percent / 100.0) - 1] / 1e6;
        }
    }

    /** One kept HTTP/1.1 connection to a server on this machine: a request goes out as the bytes it is, its answer is read to the end. */
    private static final class Connection {

        private final Socket socket;
        private final InputStream in;

        private Connection(int port) throws IOException {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setTcpNoDelay(true);
            in = new BufferedInputStream(socket.getInputStream());
        }

        private void exchange(byte[] request) throws IOException {
            socket.getOutputStream().write(request);
            String status = line();
            if (!status.startsWith("http/1.1 200 ")) {
                throw new IOException("not acknowledged: " + status);
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

    private final List<Connection> connections = new ArrayList<>();

    LoadClient(int port) throws IOException {
        for (int i = 0; i < CONNECTIONS; i++) {
            connections.add(new Connection(port));
        }
    }

    /** Calls to the mapped phones, of a caller each that the bridge has not seen before. */
    static List<TestCall> calls(int count) {
        return Stream.generate(CALLERS::getAndIncrement).limit(count)
                .map(caller -> TestCall.incoming(EXTENSIONS.get(caller % EXTENSIONS.size()), String.format("+7900%07d", caller))).toList();
    }

    /** The three events of each answered call, in an order in which they could come. */
    static List<byte[]> answered(String path, List<TestCall> calls) {
        List<byte[]> requests = new ArrayList<>(3 * calls.size());
        for (int from = 0; from < calls.size(); from += AT_ONCE) {
            List<TestCall> ringing = calls.subList(from, Math.min(calls.size(), from + AT_ONCE));
            requests.addAll(dialIns(path, ringing));
            ringing.forEach(call -> requests.add(post(path, Webhook.form(call.answer()))));
            ringing.forEach(call -> requests.add(post(path, Webhook.form(call.hangup()))));
        }
        return requests;
    }

    static List<byte[]> dialIns(String path, List<TestCall> calls) {
        return calls.stream().map(call -> post(path, Webhook.form(call.dialIn()))).toList();
    }

    /** Ready to be sent: what the load generator does not do while it is measured. */
    private static byte[] post(String path, String form) {
        return ("POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
                + form.length() + "\r\n\r\n" + form).getBytes();
    }

    /** Sends as fast as the answers come. */
    Load flood(List<byte[]> requests) throws Exception {
        return pace(requests, Double.POSITIVE_INFINITY);
    }

    /** Sends at a fixed rate, whether or not the answers keep up. @throws Exception also if that takes too long */
    Load pace(List<byte[]> requests, double perSecond) throws Exception {
        long[] nanos = new long[requests.size()];
        AtomicInteger next = new AtomicInteger();
        long begin = System.nanoTime() + LEAD_NANOS;
        ExecutorService threads = Executors.newFixedThreadPool(CONNECTIONS);
        try {
            for (Future<Void> done : threads.invokeAll(connections.stream().<Callable<Void>>map(connection -> () -> {
                for (int i = next.getAndIncrement(); i < nanos.length; i = next.getAndIncrement()) {
                    long due = begin + (long) (i * 1e9 / perSecond);
                    for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                        LockSupport.parkNanos(left);
                    }
                    connection.exchange(requests.get(i));
                    nanos[i] = System.nanoTime() - due;
                }
                return null;
            }).toList(), LONGEST_SECONDS, TimeUnit.SECONDS)) {
                done.get();
            }
        } finally {
            threads.shutdownNow();
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        Arrays.sort(nanos);
        return new Load(nanos.length / seconds, nanos);
    }

    @Override
    public void close() throws IOException {
        for (Connection connection : connections) {
            connection.socket.close();
        }
    }
}
