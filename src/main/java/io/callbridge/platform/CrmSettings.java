package io.callbridge.platform;

import java.time.ZoneId;
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
 * @param parallel requests in parallel, for calls; 0: as for all others
 */
public record CrmSettings(int rate, int burst, int lookupRate, Map<String, String> users, String severalEntities, boolean missedTask,
        int parallel) {

    /** What an adapter cannot do without. An adapter of an integrator has settings of its own. */
    private static final Map<String, List<String>> NEEDED = Map.of("rest", List.of("url"), "bitrix24", List.of("url"),
            "amocrm", List.of("url", "token"), "retailcrm", List.of("url", "key"), "hubspot", List.of("url", "token"),
            "vtiger", List.of("url", "secret"));
    private static final int MOST = 100_000;

    /** @param config {@code null}: nothing is set */
    static CrmSettings read(String crm, BridgeConfig.Crm config, Config all) {
        String key = "crm." + crm;
        for (String needed : NEEDED.getOrDefault(crm, List.of())) {
            String value = Settings.text(all, key + "." + needed);
            if (needed.equals("url")) {
                Settings.checkAddress(key + ".url", value);
            } else if (value.isEmpty()) {
                throw new StartException("callbridge." + key + "." + needed + " is missing: callbridge.crm.active names " + crm);
            }
        }
        String zone = Settings.text(all, key + ".time-zone");
        // A name only: what else Java takes for a zone, Camel takes for GMT.
        if (!zone.isEmpty() && !ZoneId.getAvailableZoneIds().contains(zone)) {
            throw Settings.invalid(key + ".time-zone", zone, "the name of a time zone, such as Europe/Moscow");
        }
        String hidden = Settings.text(all, key + ".hidden-number");
        if (!hidden.matches("[0-9]*")) {
            throw Settings.invalid(key + ".hidden-number", hidden, "digits");
        }
        if (config == null) {
            return new CrmSettings(0, 1, 0, Map.of(), "first", false, 0);
        }
        int rate = config.rate().map(value -> Settings.whole(key + ".rate", value, 1, MOST)).orElse(0);
        String several = config.severalEntities().orElse("first");
        if (!List.of("first", "owner", "most-recent").contains(several)) {
            throw Settings.invalid(key + ".several-entities", several, "first, owner, most-recent");
        }
        return new CrmSettings(rate, config.burst().map(value -> Settings.whole(key + ".burst", value, 1, MOST)).orElse(Math.max(1, rate / 10)),
                config.lookupRate().map(value -> Settings.whole(key + ".lookup-rate", value, 1, MOST)).orElse(0),
                Map.copyOf(config.users()), several,
                config.missedTask().map(value -> Settings.bool(key + ".missed-task", value)).orElse(false),
                config.parallel().map(value -> Settings.whole(key + ".parallel", value, 1, 256)).orElse(0));
    }

    /** The employee as this CRM names him: by the user of his extension, unless it says otherwise. */
    public String userOf(String user) {
        return users.getOrDefault(user, user);
    }
}
