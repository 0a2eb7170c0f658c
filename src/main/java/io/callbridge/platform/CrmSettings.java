package io.callbridge.platform;

import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.config.Config;

/**
 * How an active CRM is asked, and the policies about its calls.
 *
 * @param rate requests that it takes per second, from all replicas together; 0: as many as there are
 * @param burst requests that it takes at once after a pause
 * @param lookupRate look-ups per second; 0: they count as all others do
 * @param users employees, by the user of their extension, as this CRM names them
 * @param severalEntities which of several entities with one number is meant: {@code first}, {@code owner}, {@code most-recent}
 * @param missedTask a missed call is also a task to call back
 */
public record CrmSettings(int rate, int burst, int lookupRate, Map<String, String> users, String severalEntities, boolean missedTask) {

    private static final int MOST = 100_000;

    /** @param config {@code null}: nothing is set */
    static CrmSettings read(String crm, BridgeConfig.Crm config, Config all) {
        String key = "crm." + crm;
        CrmChecks.check(crm, key, config, all);
        if (config == null) {
            return new CrmSettings(0, 1, 0, Map.of(), "first", false);
        }
        int rate = config.rate().map(value -> Settings.whole(key + ".rate", value, 1, MOST)).orElse(0);
        String several = config.severalEntities().orElse("first");
        if (!List.of("first", "owner", "most-recent").contains(several)) {
            throw Settings.invalid(key + ".several-entities", several, "first, owner, most-recent");
        }
        return new CrmSettings(rate, config.burst().map(value -> Settings.whole(key + ".burst", value, 1, MOST)).orElse(Math.max(1, rate / 10)),
                config.lookupRate().map(value -> Settings.whole(key + ".lookup-rate", value, 1, MOST)).orElse(0),
                Map.copyOf(config.users()), several,
                config.missedTask().map(value -> Settings.bool(key + ".missed-task", value)).orElse(false));
    }

    /** The employee as this CRM names him: by the user of his extension, unless it says otherwise. */
    public String userOf(String user) {
        return users.getOrDefault(user, user);
    }
}
