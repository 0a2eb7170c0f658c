package io.callbridge.ingest;

import io.callbridge.platform.Settings;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.jboss.logging.Logger;

/** Reads a webhook request (contract section 2). */
@ApplicationScoped
@Named("webhookReader")
@RegisterForReflection
public class WebhookReader {

    private static final Logger LOG = Logger.getLogger(WebhookReader.class);

    private final Settings settings;
    private final MeterRegistry meters;

    public WebhookReader(Settings settings, MeterRegistry meters) {
        this.settings = settings;
        this.meters = meters;
    }

    /**
     * Sets the variable {@code kind}: {@code event}, {@code interactive} (the PBX waits for XML), {@code ignored} (another
     * event family, or ids missing: counted and logged).
     *
     * @return of an event: {@code pbx} and {@code fields}
     * @throws BadRequestException if the request cannot be read
     * @throws TooLargeException if the body is over 64 KiB
     */
    public Map<String, Object> read(Exchange exchange) {
        WebhookRequest request = WebhookRequest.current();
        String pbx = request.pbx();
        Map<String, String> fields;
        try {
            fields = request.fields();
        } catch (BadRequestException | TooLargeException e) {
            count(pbx, "none", "refused");
            LOG.warnf("PBX %s sent a request that cannot be read: %s", pbx, e.getMessage());
            throw e;
        }
        String type = fields.getOrDefault("EventType", "").strip();
        String ignored = EventReader.ignored(fields);
        if ("call_interactive".equalsIgnoreCase(type)) {
            count(pbx, "call_interactive", "other-family");
            exchange.setVariable("kind", "interactive");
            return Map.of();
        }
        if (ignored != null) {
            count(pbx, "other", ignored);
            LOG.infof("PBX %s sent an event to ignore (%s)", pbx, ignored);
            exchange.setVariable("kind", "ignored");
            return Map.of();
        }
        count(pbx, type.toLowerCase(Locale.ROOT), "accepted");
        exchange.setVariable("kind", "event");
        return Map.of("pbx", pbx, "fields", fields);
    }

    /** The configured PBX whose webhook a path names. */
    Optional<String> pbx(String path) {
        Optional<String> pbx = settings.pbxWithSecret(secret(path));
        if (pbx.isEmpty()) {
            count("unknown", "none", "wrong-secret");
        }
        return pbx;
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

    private void count(String pbx, String type, String result) {
        meters.counter("callbridge.events", "pbx", pbx, "type", type, "result", result).increment();
    }
}
