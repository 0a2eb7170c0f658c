package io.callbridge.support;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;

/** The sender's side of the line protocol, on a real socket. */
public final class TcpSender implements AutoCloseable {

    private static final int PATIENCE_MS = 20_000;

    private final Socket socket;
    private final BufferedReader answers;

    private TcpSender(int port, SocketFactory sockets) throws IOException {
        socket = sockets.createSocket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(PATIENCE_MS);
        answers = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    public static TcpSender connect(int port) {
        return Unchecked.get(() -> new TcpSender(port, SocketFactory.getDefault()));
    }

    /** The same over TLS. @throws IOException if the two do not trust each other */
    public static TcpSender connect(int port, SSLContext tls) throws IOException {
        return new TcpSender(port, tls.getSocketFactory());
    }

    public TcpSender auth(String secret) {
        return send("AUTH " + secret + "\n");
    }

    public TcpSender send(String text) {
        return send(text.getBytes(StandardCharsets.UTF_8));
    }

    public TcpSender send(byte[] bytes) {
        Unchecked.run(() -> {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
        });
        return this;
    }

    /** Says that nothing more comes, and still reads. */
    public TcpSender end() {
        Unchecked.run(socket::shutdownOutput);
        return this;
    }

    /** The next line, {@code null} at the end of the connection. */
    public String answer() {
        return Unchecked.get(answers::readLine);
    }

    /** Whether the connection is gone, ended in order or broken off. */
    public boolean closed() {
        return Unchecked.get(() -> {
            try {
                return answers.readLine() == null;
            } catch (SocketException brokenOff) {
                return true;
            }
        });
    }

    public List<String> answers(int count) {
        return Stream.generate(this::answer).limit(count).collect(Collectors.toList());
    }

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
        Unchecked.run(socket::close);
    }
}
