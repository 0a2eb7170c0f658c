package io.callbridge.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.admin.StoreCounts.Backlog;
import io.callbridge.asterisk.AmiState;
import io.callbridge.asterisk.Asterisks;
import io.callbridge.deliver.CrmGates;
import io.callbridge.ingest.EventKinds;
import io.callbridge.platform.Demo;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.callbridge.store.CallRow;
import io.callbridge.store.Store;
import io.callbridge.store.StoreException;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.camel.Exchange;
import org.apache.camel.Header;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/** Whether every PBX is heard, and every CRM takes what it should. */
@ApplicationScoped
@Named("status")
@RegisterForReflection
public class Status {

    private static final Logger LOG = Logger.getLogger(Status.class);
    private static final int LAST_CALLS = 20;

    private final Settings settings;
    private final Asterisks asterisks;
    private final EventKinds kinds;
    private final CrmGates gates;
    private final CallIndex index;
    private final StoreCounts counts;
    private final Store store;
    private final ObjectMapper json;
    private final String version;

    public Status(Settings settings, Asterisks asterisks, EventKinds kinds, CrmGates gates, CallIndex index, StoreCounts counts, Store store,
            ObjectMapper json, @ConfigProperty(name = "quarkus.application.version") String version) {
        this.settings = settings;
        this.asterisks = asterisks;
        this.kinds = kinds;
        this.gates = gates;
        this.index = index;
        this.counts = counts;
        this.store = store;
        this.json = json;
        this.version = version;
    }

    /** @return JSON */
    public String of(@Header(Exchange.HTTP_RAW_QUERY) String query, @Header(AdminGate.WHO) String who) throws JsonProcessingException {
        new Parameters(query);
        Map<String, Object> status = new LinkedHashMap<>();
        status.put("version", version);
        status.put("who", who);
        status.put("demo", Demo.asked());
        status.putAll(connections());
        return json.writeValueAsString(status);
    }

    /** Of every PBX and CRM, and of the store. */
    Map<String, Object> connections() {
        StoreCounts.Counts now = ask(counts::now);
        Map<String, Object> connections = new LinkedHashMap<>();
        // Ages are counted from it: the clock of who looks may be another one.
        connections.put("at", Time.now().toString());
        connections.put("pbxs", settings.pbxs().stream().sorted().map(this::pbx).toList());
        connections.put("crms", settings.crms().stream().map(crm -> crm(crm, now)).toList());
        connections.put("store", store());
        return connections;
    }

    private Map<String, Object> store() {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("waiting", store.waiting());
        Instant since = store.outage().since();
        if (since != null) {
            view.put("since", since.toString());
            view.put("reason", String.valueOf(store.outage().reason()));
        }
        return view;
    }

    private Map<String, Object> pbx(String pbx) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("pbx", pbx);
        List<String> inputs = new ArrayList<>();
        if (settings.secret(pbx) != null) {
            inputs.add("webhook");
            settings.tcpPort().ifPresent(port -> inputs.add("tcp"));
        }
        AmiState asterisk = asterisks.state(pbx);
        // The last one may be silent while the one before it still goes on.
        List<CallRow> last = ask(() -> index.last(pbx, LAST_CALLS));
        Instant lastEvent = last == null ? null : last.stream().map(CallRow::lastAt).max(Long::compare).map(Instant::ofEpochMilli).orElse(null);
        if (settings.asterisk(pbx).isPresent()) {
            inputs.add("asterisk");
        }
        view.put("kinds", inputs);
        kinds.clockSeconds(pbx).ifPresent(ahead -> view.put("clockSeconds", Math.round(ahead)));
        if (asterisk != null) {
            Map<String, Object> connection = new LinkedHashMap<>();
            connection.put("state", asterisk.state());
            connection.put("since", asterisk.since().toString());
            if (asterisk.reason() != null) {
                connection.put("reason", asterisk.reason());
            }
            view.put("asterisk", connection);
            // An Asterisk speaks of much more than calls.
            lastEvent = lastEvent == null || asterisk.lastEvent() != null && asterisk.lastEvent().isAfter(lastEvent)
                    ? asterisk.lastEvent() : lastEvent;
        }
        if (lastEvent != null) {
            view.put("lastEventAt", lastEvent.toString());
        }
        return view;
    }

    /** @return {@code null} too: it cannot be had now, which is no reason to be silent about all else */
    private <T> T ask(Supplier<T> stored) {
        try {
            return store.outage().lasts() ? null : stored.get();
        } catch (StoreException e) {
            LOG.debugf("The status lacks what is stored: %s", e.getMessage());
            return null;
        }
    }

    private Map<String, Object> crm(String crm, StoreCounts.Counts now) {
        Map<String, Object> view = new LinkedHashMap<>();
        long downSince = gates.downSinceMs(crm);
        view.put("crm", crm);
        String refusal = gates.refusal(crm);
        view.put("state", refusal != null ? "refused" : downSince > 0 ? "down" : "up");
        if (downSince > 0) {
            view.put("since", DeliveryView.time(downSince));
        }
        if (refusal != null) {
            view.put("reason", refusal);
        }
        if (now == null) {
            return view;
        }
        Backlog backlog = now.backlog(crm);
        view.put("waiting", backlog.waiting());
        view.put("failing", backlog.failing());
        view.put("dead", now.dead().getOrDefault(crm, 0L));
        if (backlog.waiting() > 0) {
            view.put("oldestWaitingAt", DeliveryView.time(backlog.oldestAt()));
        }
        return view;
    }
}
