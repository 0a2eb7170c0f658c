package io.callbridge.bench;

import io.vertx.core.AbstractVerticle;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The server below the application, in a process of its own: reads a request and answers OK. What it does is the most that
 * any application on it can reach.
 */
public final class BareHandler implements AutoCloseable {

    private static final String READY = "listening";

    private final Process process;
    private final int port;

    private BareHandler(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /** Starts it with this much heap and waits until it listens. */
    static BareHandler start(String heap) {
        try {
            int port;
            try (ServerSocket free = new ServerSocket(0)) {
                port = free.getLocalPort();
            }
            String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
            Process process = new ProcessBuilder(java, "-Xmx" + heap, "-cp", System.getProperty("java.class.path"),
                    BareHandler.class.getName(), Integer.toString(port)).redirectErrorStream(true).start();
            BufferedReader output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            for (String line = output.readLine(); !READY.equals(line); line = output.readLine()) {
                if (line == null) {
                    throw new IllegalStateException("the bare handler does not start");
                }
            }
            return new BareHandler(process, port);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return port;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    public static void main(String[] args) throws IOException {
        int port = Integer.parseInt(args[0]);
        // As many event loops as the application's server has.
        int loops = 2 * Runtime.getRuntime().availableProcessors();
        Vertx.vertx().deployVerticle(() -> new AbstractVerticle() {
            @Override
            public void start(Promise<Void> started) {
                vertx.createHttpServer().requestHandler(request -> request.body().onSuccess(body -> request.response()
                        .putHeader("Content-Type", "text/plain").end("OK"))).listen(port, "127.0.0.1").<Void>mapEmpty()
                        .onComplete(started);
            }
        }, new DeploymentOptions().setInstances(loops)).onSuccess(id -> System.out.println(READY)).onFailure(e -> {
            e.printStackTrace();
            System.exit(1);
        });
        // Ends with whoever started it, also when that was killed.
        System.in.transferTo(OutputStream.nullOutputStream());
        System.exit(0);
    }
}
