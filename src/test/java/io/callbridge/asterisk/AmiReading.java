package io.callbridge.asterisk;

import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;

/** Reads the stream of a busy Asterisk from a socket, as fast as it comes: discards it, or follows its calls. */
public final class AmiReading {

    private static final int BUFFER = 64 * 1024;

    private final byte[] stream;
    private final int times;
    private long events;

    /** @param times so often the capture of twenty calls at a time is sent */
    public AmiReading(int times) throws IOException {
        byte[] all = Capture.of("concurrent").bytes();
        int begin = new String(all, StandardCharsets.ISO_8859_1).indexOf("Event: ");
        stream = Arrays.copyOfRange(all, begin, all.length);
        this.times = times;
    }

    /** Call events that were followed. */
    public long events() {
        return events;
    }

    /** @return MB per second */
    public double discarded() {
        return read((bytes, count) -> { });
    }

    /** @return MB per second */
    public double followed() {
        AmiFrames frames = new AmiFrames();
        AsteriskCalls calls = new AsteriskCalls(new AsteriskDialplan(List.of("trunk*"), List.of("from-trunk"), ""), number -> true);
        calls.take(AmiMessage.of("Event: CoreShowChannelsComplete"), Instant.now());
        return read((bytes, count) -> {
            frames.add(Unpooled.wrappedBuffer(bytes, 0, count));
            Instant now = Instant.now();
            for (AmiMessage message = frames.next(); message != null; message = frames.next()) {
                events += calls.take(message, now).size();
            }
        });
    }

    private interface Taker {
        void take(byte[] bytes, int count);
    }

    private double read(Taker taker) {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread sender = new Thread(() -> send(server), "asterisk");
            sender.start();
            try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                byte[] buffer = new byte[BUFFER];
                InputStream in = socket.getInputStream();
                long begin = System.nanoTime();
                long all = 0;
                for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                    taker.take(buffer, count);
                    all += count;
                }
                return all * 1e3 / (System.nanoTime() - begin);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void send(ServerSocket server) {
        try (Socket socket = server.accept(); OutputStream out = socket.getOutputStream()) {
            for (int i = 0; i < times; i++) {
                out.write(stream);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
