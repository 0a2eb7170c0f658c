package io.callbridge.asterisk;

import io.callbridge.platform.AmiSettings;
import io.callbridge.platform.Settings;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.inject.Singleton;
import java.util.Map;
import java.util.TreeMap;
import org.apache.camel.CamelContext;

/** The connections to Asterisks: one for each PBX that has {@code ami.host}. */
@Singleton
public class Asterisks {

    private static final String TEMPLATE = "ingest-asterisk";

    private final Settings settings;
    private final LeaseClusterService leases;
    private final MeterRegistry meters;
    private final Map<String, AmiLink> links = new TreeMap<>();

    public Asterisks(Settings settings, LeaseClusterService leases, MeterRegistry meters) {
        this.settings = settings;
        this.leases = leases;
        this.meters = meters;
    }

    /** Makes a route {@code ingest-asterisk-<pbx>} of the template {@code ingest-asterisk} for each of them. */
    public void addRoutes(CamelContext context) {
        for (String pbx : settings.asterisks()) {
            AmiSettings target = settings.asterisk(pbx).orElseThrow();
            context.getRegistry().bind(namespace(pbx), pipeline(pbx));
            String host = target.host().contains(":") ? "[" + target.host() + "]" : target.host();
            try {
                context.addRouteFromTemplate(TEMPLATE + "-" + pbx, TEMPLATE, Map.of("pbx", pbx, "address", host + ":" + target.port()));
            } catch (Exception e) {
                throw new IllegalStateException("PBX " + pbx + ": " + e.getMessage(), e);
            }
        }
    }

    /** The cluster namespace in which one replica is chosen to read the Asterisk of a PBX. */
    private static String namespace(String pbx) {
        return "asterisk-" + pbx;
    }

    /** What makes the connections to the Asterisk of a PBX. */
    private synchronized AmiPipeline pipeline(String pbx) {
        return new AmiPipeline(links.computeIfAbsent(pbx, name -> new AmiLink(name, settings.asterisk(name).orElseThrow(), settings,
                () -> leases.isLeader(namespace(name)), () -> leases.trouble(namespace(name)), meters)));
    }

    synchronized AmiLink link(String pbx) {
        return links.get(pbx);
    }

    /** The connection to the Asterisk of a PBX; {@code null}: it has none. */
    public synchronized AmiState state(String pbx) {
        return links.containsKey(pbx) ? links.get(pbx).now() : null;
    }

    /** For an operator: the state of each connection, by PBX. */
    public synchronized Map<String, String> states() {
        Map<String, String> states = new TreeMap<>();
        links.forEach((pbx, link) -> states.put(pbx, link.state()));
        return states;
    }
}
