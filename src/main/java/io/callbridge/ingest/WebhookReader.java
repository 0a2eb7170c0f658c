package io.callbridge.ingest;

import io.callbridge.platform.Settings;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.jboss.logging.Logger;

/**
 * Reads a webhook request (contract section 2). The body is taken raw from the server: its form parser would lose which
 * byte was wrong, and would look at a body before the secret.
 */
@ApplicationScoped
@Named("webhookReader")
@RegisterForReflection
public class WebhookReader {

    private static final Logger LOG = Logger.getLogger(WebhookReader.class);
    private static final int LARGEST = 64 * 1024;
    private static final int READ_SECONDS = 10;

    private final Settings settings;
    private final MeterRegistry meters;

    public WebhookReader(Settings settings, MeterRegistry meters) {
        this.settings = settings;
        this.meters = meters;
    }

    /**
     * @return {@code kind}: {@code event}, {@code interactive} (the PBX waits for XML), {@code ignored} (another event
     *         family, or ids missing: counted and logged); and for an event {@code pbx} and {@code fields}
     * @throws BadRequestException if the request cannot be read
     * @throws TooLargeException if the body is over 64 KiB
     */
    public Map<String, Object> read(@Body HttpServerRequest request, @Header(Exchange.HTTP_PATH) String path,
            @Header(Exchange.HTTP_RAW_QUERY) String query) {
        Map<String, Object> answer = new HashMap<>();
        Optional<String> pbx = settings.pbxWithSecret(secret(path));
        if (pbx.isEmpty()) {
            throw new IllegalStateException("SecretGate lets no unknown secret pass");
        }
        Map<String, String> fields;
        try {
            fields = EventFields.read(query, request.getHeader("Content-Type"), body(request));
        } catch (BadRequestException | TooLargeException e) {
            count(pbx.get(), "none", "refused");
            LOG.warnf("PBX %s sent a request that cannot be read: %s", pbx.get(), e.getMessage());
            throw e;
        }
        String type = fields.getOrDefault("EventType", "").strip();
        String ignored = EventReader.ignored(fields);
        if ("call_interactive".equalsIgnoreCase(type)) {
            count(pbx.get(), "call_interactive", "other-family");
            answer.put("kind", "interactive");
        } else if (ignored != null) {
            count(pbx.get(), "other", ignored);
            LOG.infof("PBX %s sent an event to ignore (%s)", pbx.get(), ignored);
            answer.put("kind", "ignored");
        } else {
            count(pbx.get(), type.toLowerCase(java.util.Locale.ROOT), "accepted");
            answer.put("kind", "event");
            answer.put("pbx", pbx.get());
            answer.put("fields", fields);
        }
        return answer;
    }

    /** Whether a path names the webhook of a configured PBX. */
    boolean known(String path) {
        boolean known = settings.pbxWithSecret(secret(path)).isPresent();
        if (!known) {
            count("unknown", "none", "wrong-secret");
        }
        return known;
    }

    private static String secret(String path) {
        String[] parts = path == null ? new String[0] : path.split("/", -1);
        if (parts.length != 4 || !parts[1].equals("pbx") || !parts[3].equals("events")) {
            return "";
        }
        try {
            return URLDecoder.decode(parts[2].replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException brokenEncoding) {
            return "";
        }
    }

    private static byte[] body(HttpServerRequest request) {
        CompletableFuture<byte[]> whole = new CompletableFuture<>();
        Buffer buffer = Buffer.buffer();
        request.exceptionHandler(whole::completeExceptionally);
        request.handler(chunk -> {
            if (buffer.length() + chunk.length() > LARGEST) {
                whole.completeExceptionally(new TooLargeException("body: over 64 KiB"));
            } else {
                buffer.appendBuffer(chunk);
            }
        });
        request.endHandler(end -> whole.complete(buffer.getBytes()));
        request.resume();
        try {
            return whole.get(READ_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TooLargeException tooLarge) {
                throw tooLarge;
            }
            throw new BadRequestException("body: the connection broke off");
        } catch (TimeoutException e) {
            throw new BadRequestException("body: did not arrive within " + READ_SECONDS + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BadRequestException("body: Callbridge is shutting down");
        }
    }

    private void count(String pbx, String type, String result) {
        meters.counter("callbridge.events", "pbx", pbx, "type", type, "result", result).increment();
    }
}
