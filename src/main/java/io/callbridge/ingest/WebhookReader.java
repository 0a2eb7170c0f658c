package io.callbridge.ingest;

import io.callbridge.platform.Settings;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.Exchange;

/** Reads a webhook request (contract section 2). */
@ApplicationScoped
@Named("webhookReader")
@RegisterForReflection
public class WebhookReader {

    private final Settings settings;
    private final EventKinds kinds;

    public WebhookReader(Settings settings, EventKinds kinds) {
        this.settings = settings;
        this.kinds = kinds;
    }

    /**
     * Sets the variable {@code kind}: see {@link EventKinds#sort}.
     *
     * @return of an event: {@code pbx} and {@code fields}
     * @throws BadRequestException if the request cannot be read
     */
    public Map<String, Object> read(Exchange exchange) {
        WebhookRequest request = WebhookRequest.current();
        String pbx = request.pbx();
        Map<String, String> fields;
        try {
            fields = request.fields(settings.charset(pbx));
        } catch (BadRequestException e) {
            kinds.refused(pbx, e.getMessage());
            throw e;
        }
        return kinds.sort(exchange, pbx, fields);
    }

    /** The configured PBX whose webhook a path names. */
    Optional<String> pbx(String path) {
        Optional<String> pbx = settings.pbxWithSecret(secret(path));
        if (pbx.isEmpty()) {
            kinds.wrongSecret();
        }
        return pbx;
    }

    /** The PBX has its answer. @param begin when its request was complete, by {@link System#nanoTime} */
    void answered(String pbx, long begin) {
        kinds.answered(pbx, "webhook", begin);
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
}
