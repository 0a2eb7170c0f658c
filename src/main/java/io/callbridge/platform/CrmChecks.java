package io.callbridge.platform;

import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.Config;

/** What the settings of each CRM must be. */
final class CrmChecks {

    /** What an adapter cannot do without. An adapter of an integrator has settings of its own. */
    private static final Map<String, List<String>> NEEDED = Map.of("rest", List.of("url"), "bitrix24", List.of("url"),
            "amocrm", List.of("url", "token"), "retailcrm", List.of("url", "key"), "hubspot", List.of("url", "token"),
            "vtiger", List.of("url", "secret"));
    private static final Pattern BARE_AMOCRM = Pattern.compile("(?i)https?://(www\\.)?(amocrm\\.(ru|com)|kommo\\.com)([:/].*)?");

    private CrmChecks() {
    }

    static void check(String crm, String key, BridgeConfig.Crm config, Config all) {
        for (String needed : NEEDED.getOrDefault(crm, List.of())) {
            String value = Settings.text(all, key + "." + needed);
            if (value.isEmpty()) {
                throw new StartException("callbridge." + key + "." + needed + " is missing: callbridge.crm.active names " + crm);
            }
            if (needed.equals("url")) {
                Settings.checkAddress(key + ".url", value);
            }
        }
        for (String secret : List.of("token", "key", "secret")) {
            // Camel would take it for the name of a setting, find none, and the request would go without.
            if (Settings.text(all, key + "." + secret).matches(".*(\\{\\{|}}).*")) {
                throw new StartException("callbridge." + key + "." + secret + " has {{ or }} in it; allowed: any text without");
            }
        }
        switch (crm) {
            case "bitrix24" -> checkBitrix24(key, config, all);
            case "amocrm" -> checkAmocrm(key, config, all);
            case "hubspot" -> checkHubspot(key, config, all);
            case "retailcrm" -> checkRetailcrm(key, all);
            case "vtiger" -> checkZone(key, all);
            default -> {
                // Nothing but what all have in common.
            }
        }
    }

    /** The address of a webhook is a secret. */
    private static void checkBitrix24(String key, BridgeConfig.Crm config, Config all) {
        checkIds(key, config);
        String url = Settings.text(all, key + ".url");
        String client = Settings.text(all, key + ".client-id");
        boolean application = !client.isEmpty();
        if (!url.matches(application ? ".*/rest/?" : ".*/rest/[0-9]+/[^/]+/?")) {
            throw Settings.invalid(key + ".url", Settings.masked(url), application
                    ? "https://<portal>/rest, since there is a client-id" : "https://<portal>/rest/<user>/<code>, since there is no client-id");
        }
        for (String needed : application ? List.of(".client-secret", ".refresh-token") : List.<String>of()) {
            if (Settings.text(all, key + needed).isEmpty()) {
                throw new StartException("callbridge." + key + needed + " is missing: callbridge." + key + ".client-id is set");
            }
        }
        Settings.checkAddress(key + ".oauth-url", Settings.text(all, key + ".oauth-url"));
        oneOf(key + ".unknown-caller", all, "skip, create");
        oneOf(key + ".line-number", all, "false, true");
        oneOf(key + ".recordings", all, "link, upload");
        String hidden = Settings.text(all, key + ".hidden-number");
        if (!hidden.matches("|skip|\\+?[0-9]{3,15}")) {
            throw Settings.invalid(key + ".hidden-number", hidden, "a number of 3 to 15 digits, skip, nothing");
        }
    }

    private static void oneOf(String key, Config all, String allowed) {
        String value = Settings.text(all, key);
        if (!value.isEmpty() && !List.of(allowed.split(", ")).contains(value)) {
            throw Settings.invalid(key, value, allowed);
        }
    }

    private static void checkAmocrm(String key, BridgeConfig.Crm config, Config all) {
        String url = Settings.text(all, key + ".url");
        if (BARE_AMOCRM.matcher(url).matches()) {
            throw Settings.invalid(key + ".url", url, "the address of the account, such as https://account.amocrm.ru");
        }
        String policy = Settings.text(all, key + ".unknown-caller");
        if (!List.of("skip", "unsorted", "create-contact").contains(policy)) {
            throw Settings.invalid(key + ".unknown-caller", policy, "skip, unsorted, create-contact");
        }
        if (Settings.text(all, key + ".source").isEmpty()) {
            throw Settings.invalid(key + ".source", "", "a name");
        }
        String pipeline = Settings.text(all, key + ".pipeline-id");
        if (!pipeline.isEmpty()) {
            Settings.whole(key + ".pipeline-id", pipeline, 1, Integer.MAX_VALUE);
        }
        Settings.whole(key + ".task-hours", Settings.text(all, key + ".task-hours"), 1, 1_000);
        checkIds(key, config);
    }

    private static void checkHubspot(String key, BridgeConfig.Crm config, Config all) {
        String property = Settings.text(all, key + ".unique-property");
        if (!property.matches("[a-z][a-z0-9_]*")) {
            throw Settings.invalid(key + ".unique-property", property, "the internal name of a property, of small letters, digits and _");
        }
        checkIds(key, config);
    }

    /** Of a CRM whose users are numbers. */
    private static void checkIds(String key, BridgeConfig.Crm config) {
        if (config != null) {
            config.users().forEach((user, id) -> {
                if (!id.matches("[0-9]{1,18}")) {
                    throw Settings.invalid(key + ".users." + user, id, "the number by which the CRM knows its user");
                }
            });
        }
    }

    private static void checkRetailcrm(String key, Config all) {
        checkZone(key, all);
        String hidden = Settings.text(all, key + ".hidden-number");
        if (!hidden.matches("[0-9]+")) {
            throw Settings.invalid(key + ".hidden-number", hidden, "digits");
        }
    }

    /** A name only: what else Java takes for a zone, Camel takes for GMT. */
    private static void checkZone(String key, Config all) {
        String zone = Settings.text(all, key + ".time-zone");
        if (!ZoneId.getAvailableZoneIds().contains(zone)) {
            throw Settings.invalid(key + ".time-zone", zone, "the name of a time zone, such as Europe/Moscow");
        }
    }
}
