package io.callbridge.ingest;

import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Locale;
import java.util.Map;
import org.apache.camel.Exchange;
import org.jboss.logging.Logger;

/** Tells events that matter from others (rule R3), whichever way they came, and counts both. */
@ApplicationScoped
public class EventKinds {

    private static final Logger LOG = Logger.getLogger(EventKinds.class);

    private final MeterRegistry meters;

    public EventKinds(MeterRegistry meters) {
        this.meters = meters;
    }

    /**
     * Sets the variable {@code kind}: {@code event}, {@code interactive} (a PBX that sent it by webhook waits for XML),
     * {@code ignored} (another event family, or ids missing: counted and logged).
     *
     * @return of an event: {@code pbx} and {@code fields}, as {@link EventStore#append} takes them
     */
    Map<String, Object> sort(Exchange exchange, String pbx, Map<String, String> fields) {
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
        accepted(pbx, type.toLowerCase(Locale.ROOT));
        exchange.setVariable("kind", "event");
        return Map.of("pbx", pbx, "fields", fields);
    }

    /** Counts a call event. */
    public void accepted(String pbx, String type) {
        count(pbx, type, "accepted");
    }

    /** Counts what a PBX has sent and nobody can read. */
    public void refused(String pbx, String reason) {
        count(pbx, "none", "refused");
        LOG.warnf("PBX %s sent what cannot be read: %s", pbx, reason);
    }

    /** Counts somebody who is no PBX of ours. */
    void wrongSecret() {
        count("unknown", "none", "wrong-secret");
    }

    private void count(String pbx, String type, String result) {
        meters.counter("callbridge.events", "pbx", pbx, "type", type, "result", result).increment();
    }
}
