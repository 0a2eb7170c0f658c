package io.callbridge.support;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;

/** The sender's side of the line protocol, on a real socket. */
public final class TcpSender implements AutoCloseable {

    private static final int PATIENCE_MS = 20_000;

    private final Socket socket;
    private final BufferedReader answers;

    private TcpSender(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(PATIENCE_MS);
        answers = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    /** A connection that has said nothing yet. */
    public static TcpSender connect(int port) {
        try {
            Socket socket = new Socket();
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MS);
            return new TcpSender(socket);
        } catch (IOException e) {
            throw new UncheckedIOException("no connection to port " + port, e);
        }
    }

    /** The same over TLS. @throws IOException if the two do not trust each other */
    public static TcpSender connect(int port, SSLContext tls) throws IOException {
        Socket socket = tls.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
        return new TcpSender(socket);
    }

    public TcpSender auth(String secret) {
        return send("AUTH " + secret + "\n");
    }

    public TcpSender send(String text) {
        return send(text.getBytes(StandardCharsets.UTF_8));
    }

    public TcpSender send(byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Says that nothing more comes, and still reads. */
    public TcpSender end() {
        try {
            socket.shutdownOutput();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next line, {@code null} at the end of the connection. */
    public String answer() {
        try {
            return answers.readLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether the connection is gone, ended in order or broken off. */
    public boolean closed() {
        try {
            return answers.readLine() == null;
        } catch (SocketException brokenOff) {
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public List<String> answers(int count) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add(answer());
        }
        return lines;
    }

    /** An event as one line. */
    public static String json(Map<String, String> fields) {
        return Webhook.json(fields) + "\n";
    }

    /** An event as a block of lines, with the empty line that ends it. */
    public static String block(Map<String, String> fields) {
        return fields.entrySet().stream().map(field -> "[" + field.getKey() + "] => " + field.getValue() + "\n")
                .collect(Collectors.joining("", "", "\n"));
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
