package io.callbridge.deliver;

import io.callbridge.platform.Settings;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.HashMap;
import java.util.Map;

/** The gate of each active CRM. */
@ApplicationScoped
public class CrmGates {

    private final Map<String, CrmGate> gates = new HashMap<>();

    public CrmGates(Settings settings, MeterRegistry meters) {
        for (String crm : settings.crms()) {
            CrmGate gate = new CrmGate(settings.number("deliver.retry.first-delay-ms"),
                    settings.number("deliver.retry.max-delay-ms"));
            gates.put(crm, gate);
            meters.gauge("callbridge.crm.down", Tags.of("crm", crm), gate,
                    g -> g.down() ? 1 : 0);
        }
    }

    /** Since when a CRM has given no answer, in milliseconds since 1970; 0: it answers, or was not asked. */
    public long downSinceMs(String crm) {
        return of(crm).downSinceMs();
    }

    /** Why a CRM refuses Callbridge itself; {@code null}: it does not. */
    public String refusal(String crm) {
        return of(crm).refusal();
    }

    CrmGate of(String crm) {
        return gates.get(crm);
    }
}
