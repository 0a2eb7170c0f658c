package io.callbridge.support;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Free ports below the range that systems use for outgoing connections: a port that is closed for a while (CRM down,
 * process killed) must still be free when it is opened again, and must not be met by a connection to itself. So each process
 * that runs tests has a range of its own, and goes through it in a circle.
 */
public final class Ports {

    private static final int EACH = 1_000;
    private static final int RANGES = 22;
    private static final AtomicInteger NEXT = new AtomicInteger();
    /** Who listens on the first port of a range has it for as long as he lives: nobody connects to it. */
    private static final ServerSocket RANGE = Stream.iterate(31_000, first -> first - EACH).limit(RANGES).map(Ports::listen)
            .filter(Objects::nonNull).findFirst().orElseThrow(() -> new IllegalStateException(RANGES + " processes run tests already"));

    private Ports() {
    }

    public static int free() {
        return Stream.generate(() -> RANGE.getLocalPort() + 1 + Math.floorMod(NEXT.getAndIncrement(), EACH - 1)).limit(EACH)
                .filter(Ports::isFree).findFirst().orElseThrow(() -> new IllegalStateException("no free port from " + RANGE));
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = listen(port)) {
            return socket != null;
        } catch (IOException e) {
            return false;
        }
    }

    private static ServerSocket listen(int port) {
        try {
            return new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
        } catch (IOException taken) {
            return null;
        }
    }
}
