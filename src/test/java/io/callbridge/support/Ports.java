package io.callbridge.support;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Free ports below the range that systems use for outgoing connections: a port that is closed for a while (CRM down,
 * process killed) must still be free when it is opened again, and must not be met by a connection to itself.
 */
public final class Ports {

    /** Each process that runs tests has ports of its own: it may close one for a while. */
    private static final int EACH = 4_000;
    private static final int FIRST = 20_000 + EACH * (Integer.getInteger("callbridge.test.fork", 1) - 1);
    private static final int LAST = FIRST + EACH;
    private static final int TRIES = 200;

    private Ports() {
    }

    public static int free() {
        for (int i = 0; i < TRIES; i++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, LAST);
            try (ServerSocket socket = new ServerSocket()) {
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                return port;
            } catch (IOException taken) {
                // The next one, then.
            }
        }
        throw new IllegalStateException("no free port between " + FIRST + " and " + LAST);
    }
}
