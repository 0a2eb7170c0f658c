package io.callbridge.support;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;

/**
 * HTTP by hand. A proper client refuses to send what the tests of bad input are about, and hides differences in the bytes
 * of an answer.
 */
public final class RawHttp {

    private static final int TIMEOUT_MILLIS = 20_000;
    private static final int CHUNK = 8_192;

    /** An answer, byte for byte. */
    public record Answer(int status, List<String> head, byte[] body) {

        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        public String header(String name) {
            return head.stream().filter(h -> h.toLowerCase(Locale.ROOT).startsWith(name.toLowerCase(Locale.ROOT) + ":"))
                    .map(h -> h.substring(name.length() + 1).strip()).findFirst().orElse(null);
        }

        /** Everything but the time of day, for comparison. */
        public String withoutDate() {
            return String.join("\n", head.stream().filter(h -> !h.toLowerCase(Locale.ROOT).startsWith("date:")).toList())
                    + "\n\n" + text();
        }

        @Override
        public String toString() {
            return String.join("\n", head) + "\n\n" + text();
        }
    }

    private RawHttp() {
    }

    public static byte[] request(String method, String target) {
        return bytes(head(method, target, null) + "\r\n");
    }

    /** A request with a body whose length is announced. */
    public static byte[] request(String method, String target, String type, byte[] body) {
        return join(bytes(head(method, target, type) + "Content-Length: " + body.length + "\r\n\r\n"), body);
    }

    /** A request with a body in chunks, which says its length only at the end. */
    public static byte[] chunked(String method, String target, String type, byte[] body) {
        byte[] request = bytes(head(method, target, type) + "Transfer-Encoding: chunked\r\n\r\n");
        for (int from = 0; from < body.length; from += CHUNK) {
            byte[] chunk = Arrays.copyOfRange(body, from, Math.min(body.length, from + CHUNK));
            request = join(request, bytes(Integer.toHexString(chunk.length) + "\r\n"), chunk, bytes("\r\n"));
        }
        return join(request, bytes("0\r\n\r\n"));
    }

    public static Answer send(int port, byte[] request) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            // A server that has seen enough answers before the request is written: write and read at the same time.
            CompletableFuture<Void> writing = CompletableFuture.runAsync(() -> write(socket, request));
            Answer answer = read(socket.getInputStream());
            writing.cancel(true);
            return answer;
        } catch (IOException e) {
            throw new IllegalStateException("no answer to " + new String(request, 0, Math.min(200, request.length),
                    StandardCharsets.ISO_8859_1), e);
        }
    }

    public static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    public static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private static String head(String method, String target, String type) {
        return method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                + (type == null ? "" : "Content-Type: " + type + "\r\n");
    }

    private static void write(Socket socket, byte[] request) {
        try {
            socket.getOutputStream().write(request);
        } catch (IOException serverHasSeenEnough) {
            // The answer tells.
        }
    }

    private static Answer read(InputStream in) throws IOException {
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        byte[] buffer = new byte[CHUNK];
        try {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                received.write(buffer, 0, n);
            }
        } catch (IOException reset) {
            // A connection cut with bytes of the request under way: what came before it counts.
            if (received.size() == 0) {
                throw reset;
            }
        }
        return parse(received.toByteArray());
    }

    private static Answer parse(byte[] all) throws IOException {
        String text = new String(all, StandardCharsets.ISO_8859_1);
        int end = text.indexOf("\r\n\r\n");
        if (end < 0 || !text.matches("(?s)HTTP/1\\.[01] .*")) {
            throw new IOException("no HTTP answer: '" + text + "'");
        }
        List<String> head = List.of(text.substring(0, end).split("\r\n"));
        Answer answer = new Answer(Integer.parseInt(head.get(0).substring(9, 12)), head, Arrays.copyOfRange(all, end + 4, all.length));
        return "chunked".equalsIgnoreCase(answer.header("Transfer-Encoding"))
                ? new Answer(answer.status, head, unchunk(text.substring(end + 4))) : answer;
    }

    private static byte[] unchunk(String chunks) {
        int line = chunks.indexOf("\r\n");
        int size = Integer.parseInt(chunks.substring(0, line).strip(), 16);
        return size == 0 ? new byte[0] : join(chunks.substring(line + 2, line + 2 + size).getBytes(StandardCharsets.ISO_8859_1),
                unchunk(chunks.substring(line + 2 + size + 2)));
    }
}
