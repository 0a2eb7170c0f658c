package io.callbridge.admin;

import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
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
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/** Whether every PBX is heard, and every CRM takes what it should. */
@ApplicationScoped
class Status {

    private static final Logger LOG = Logger.getLogger(Status.class);
    private static final int LAST_CALLS = 20;

    private final Settings settings;
    private final Asterisks asterisks;
    private final EventKinds kinds;
    private final CrmGates gates;
    private final CallIndex index;
    private final StoreCounts counts;
    private final Store store;
    private final String version;

    Status(Settings settings, Asterisks asterisks, EventKinds kinds, CrmGates gates, CallIndex index, StoreCounts counts, Store store,
            @ConfigProperty(name = "quarkus.application.version") String version) {
        this.settings = settings;
        this.asterisks = asterisks;
        this.kinds = kinds;
        this.gates = gates;
        this.index = index;
        this.counts = counts;
        this.store = store;
        this.version = version;
    }

    @RegisterForReflection
    record View(String version, String who, boolean demo, @JsonUnwrapped Connections connections) {
    }

    /** Of every PBX and CRM, and of the store. @param at ages are counted from it: the clock of who looks may be another one */
    @RegisterForReflection
    record Connections(Instant at, List<Pbx> pbxs, List<Crm> crms, StoreView store) {
    }

    /** @param kinds how it is heard @param clockSeconds how far its clock is ahead */
    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record Pbx(String pbx, List<String> kinds, Long clockSeconds, Asterisk asterisk, Instant lastEventAt) {
    }

    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record Asterisk(String state, Instant since, String reason) {
    }

    /** Without numbers while the store does not answer. @param state {@code up}, {@code down}, or {@code refused}: it refuses Callbridge itself */
    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record Crm(String crm, String state, Instant since, String reason, Long waiting, Long failing, Long dead, Instant oldestWaitingAt) {
    }

    /** @param since it is away */
    @RegisterForReflection
    @JsonInclude(Include.NON_NULL)
    record StoreView(int waiting, Instant since, String reason) {
    }

    View of(AdminRequest request) {
        request.takes();
        return new View(version, request.who(), Demo.asked(), connections());
    }

    Connections connections() {
        StoreCounts.Counts now = ask(counts::now);
        Instant since = store.outage().since();
        return new Connections(Time.now(), settings.pbxs().stream().sorted().map(this::pbx).toList(),
                settings.crms().stream().map(crm -> crm(crm, now)).toList(),
                new StoreView(store.waiting(), since, since == null ? null : String.valueOf(store.outage().reason())));
    }

    private Pbx pbx(String pbx) {
        List<String> inputs = new ArrayList<>();
        if (settings.secret(pbx) != null) {
            inputs.add("webhook");
            settings.tcpPort().ifPresent(port -> inputs.add("tcp"));
        }
        if (settings.asterisk(pbx).isPresent()) {
            inputs.add("asterisk");
        }
        AmiState asterisk = asterisks.state(pbx);
        // The last one may be silent while the one before it still goes on; an Asterisk speaks of much more than calls.
        List<CallRow> last = ask(() -> index.last(pbx, LAST_CALLS));
        Instant lastEvent = Stream.concat(last == null ? Stream.of() : last.stream().map(call -> Instant.ofEpochMilli(call.lastAt())),
                Stream.ofNullable(asterisk == null ? null : asterisk.lastEvent())).max(Comparator.naturalOrder()).orElse(null);
        return new Pbx(pbx, inputs, kinds.clockSeconds(pbx).stream().mapToObj(Math::round).findFirst().orElse(null),
                asterisk == null ? null : new Asterisk(asterisk.state(), asterisk.since(), asterisk.reason()), lastEvent);
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

    private Crm crm(String crm, StoreCounts.Counts now) {
        long downSince = gates.downSinceMs(crm);
        String refusal = gates.refusal(crm);
        Backlog backlog = now == null ? null : now.backlog(crm);
        return new Crm(crm, refusal != null ? "refused" : downSince > 0 ? "down" : "up", downSince > 0 ? Instant.ofEpochMilli(downSince) : null,
                refusal, backlog == null ? null : backlog.waiting(), backlog == null ? null : backlog.failing(),
                now == null ? null : now.dead().getOrDefault(crm, 0L),
                backlog == null || backlog.waiting() == 0 ? null : Instant.ofEpochMilli(backlog.oldestAt()));
    }
}
