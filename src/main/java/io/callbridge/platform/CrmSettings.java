package io.callbridge.platform;

import java.util.HashMap;
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

    /** What an adapter cannot do without. An adapter of an integrator has settings of its own. */
    private static final Map<String, List<String>> NEEDED = Map.of("rest", List.of("url"), "bitrix24", List.of("url"),
            "amocrm", List.of("url", "token"), "retailcrm", List.of("url", "key"), "hubspot", List.of("url", "token"),
            "vtiger", List.of("url", "secret"));

    /**
     * @param config what is right by itself; {@code null}: nothing is set
     * @throws StartException if a key is missing, or does not go with another one
     */
    static CrmSettings read(String crm, BridgeConfig.Crm config, Config all) {
        String key = "crm." + crm + ".";
        needed(key, NEEDED.getOrDefault(crm, List.of()), "callbridge.crm.active names " + crm, all);
        for (String secret : List.of("token", "key", "secret")) {
            // Camel would take it for the name of a setting, find none, and the request would go without.
            if (Settings.text(all, key + secret).matches(".*(\\{\\{|}}).*")) {
                throw new StartException("callbridge." + key + secret + " has {{ or }} in it; allowed: any text without");
            }
        }
        if (crm.equals("bitrix24")) {
            checkBitrix24(key, all);
        }
        if (config == null) {
            return new CrmSettings(0, 1, 0, Map.of(), "first", false);
        }
        Map<String, String> users = new HashMap<>();
        config.users().forEach((user, name) -> name.ifPresent(there -> users.put(user, there)));
        int rate = config.rate().map(Integer::parseInt).orElse(0);
        return new CrmSettings(rate, config.burst().map(Integer::parseInt).orElse(Math.max(1, rate / 10)),
                config.lookupRate().map(Integer::parseInt).orElse(0), users, config.severalEntities().orElse("first"),
                config.missedTask().map(Boolean::parseBoolean).orElse(false));
    }

    private static void needed(String at, List<String> keys, String why, Config all) {
        for (String key : keys) {
            if (Settings.text(all, at + key).isEmpty()) {
                throw new StartException("callbridge." + at + key + " is missing: " + why);
            }
        }
    }

    /** The address of a webhook is a secret. */
    private static void checkBitrix24(String key, Config all) {
        String url = Settings.text(all, key + "url");
        boolean application = !Settings.text(all, key + "client-id").isEmpty();
        if (!url.matches(application ? ".*/rest/?" : ".*/rest/[0-9]+/[^/]+/?")) {
            throw Settings.invalid(key + "url", Settings.masked(url), application
                    ? "https://<portal>/rest, since there is a client-id" : "https://<portal>/rest/<user>/<code>, since there is no client-id");
        }
        needed(key, application ? List.of("client-secret", "refresh-token") : List.of(), "callbridge." + key + "client-id is set", all);
    }

    /** The employee as this CRM names him: by the user of his extension, unless it says otherwise. */
    public String userOf(String user) {
        return users.getOrDefault(user, user);
    }
}
