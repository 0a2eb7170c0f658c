package io.callbridge.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Free ports below the range that systems use for outgoing connections: a port that is closed for a while (CRM down,
 * process killed) must still be free when it is opened again, and must not be met by a connection to itself. So each process
 * that runs tests has a range of its own, and goes through it in a circle.
 */
public final class Ports {

    private static final int FIRST = 10_000;
    private static final int EACH = 1_000;
    private static final int RANGES = 22;
    private static final AtomicInteger NEXT = new AtomicInteger();
    /** Locked for as long as this process lives. */
    private static FileChannel range;
    private static final int BEGIN = begin();

    private Ports() {
    }

    public static int free() {
        for (int i = 0; i < EACH; i++) {
            int port = BEGIN + Math.floorMod(NEXT.getAndIncrement(), EACH);
            try (ServerSocket socket = new ServerSocket()) {
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return port;
            } catch (IOException taken) {
                // The next one, then.
            }
        }
        throw new IllegalStateException("no free port from " + BEGIN + " to " + (BEGIN + EACH));
    }

    private static boolean locked() throws IOException {
        try {
            return range.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            // This process has it: the class is there twice, by the class loader of an application under test, too.
            return false;
        }
    }

    private static int begin() {
        try {
            for (int i = 0; i < RANGES; i++) {
                range = FileChannel.open(Path.of(System.getProperty("java.io.tmpdir"), "callbridge-ports-" + i), StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
                if (locked()) {
                    return FIRST + i * EACH;
                }
                range.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the ports of this process cannot be claimed", e);
        }
        throw new IllegalStateException(RANGES + " processes run tests already");
    }
}
