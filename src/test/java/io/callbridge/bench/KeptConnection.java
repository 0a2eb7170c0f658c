package io.callbridge.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One kept HTTP/1.1 connection to a server on this machine: a request goes out as the bytes it is, its answer is read to the
 * end. Blocks without a time-out, which would cost system calls; an interrupt closes it.
 */
final class KeptConnection implements AutoCloseable {

    private static final Pattern LENGTH = Pattern.compile("\r\ncontent-length: *(\\d+)");
    private static final String CHUNKED = "\r\ntransfer-encoding: chunked";
    private static final String LAST_CHUNK = "0\r\n\r\n";

    private final SocketChannel channel;
    private final ByteBuffer out = ByteBuffer.allocateDirect(16 * 1024);
    private final ByteBuffer in = ByteBuffer.allocateDirect(16 * 1024);

    KeptConnection(int port) throws IOException {
        channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    /** A request as bytes. */
    static byte[] request(String method, String path, String type, String body) {
        return (method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + type + "\r\nContent-Length: "
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body).getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Sends a request and reads its answer.
     *
     * @throws AssertionError if the answer is not 200
     */
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
        if (head.contains(CHUNKED)) {
            return answer.endsWith(LAST_CHUNK);
        }
        Matcher length = LENGTH.matcher(head);
        return answer.length() >= end + 4 + (length.find() ? Integer.parseInt(length.group(1)) : 0);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
