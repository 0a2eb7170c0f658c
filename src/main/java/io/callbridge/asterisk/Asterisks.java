package io.callbridge.asterisk;

import io.callbridge.platform.LeaseClusterService;
import io.callbridge.platform.Settings;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.inject.Singleton;
import java.util.Map;
import java.util.TreeMap;

/** The connections to Asterisks: one for each PBX that has {@code ami.host}. */
@Singleton
public class Asterisks {

    private final Settings settings;
    private final LeaseClusterService leases;
    private final MeterRegistry meters;
    private final Map<String, AmiLink> links = new TreeMap<>();

    public Asterisks(Settings settings, LeaseClusterService leases, MeterRegistry meters) {
        this.settings = settings;
        this.leases = leases;
        this.meters = meters;
    }

    /** The cluster namespace in which one replica is chosen to read the Asterisk of a PBX. */
    static String namespace(String pbx) {
        return "asterisk-" + pbx;
    }

    /** What makes the connections to the Asterisk of a PBX. */
    synchronized AmiPipeline pipeline(String pbx) {
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
