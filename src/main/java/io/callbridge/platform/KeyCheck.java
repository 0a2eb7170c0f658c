package io.callbridge.platform;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.PackageScanResourceResolver;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.eclipse.microprofile.config.Config;

/**
 * Refuses unknown keys under {@code callbridge.}: a key that is misspelt would otherwise do nothing, silently. Known are
 * those of the contract, those that the packaged {@code application.properties} sets, and any key that a loaded route
 * uses, so that an integrator's route can have settings of its own.
 */
final class KeyCheck {

    private static final String NAME = "[^.]+";
    private static final Set<String> PATTERNS = Set.of(
            "pbx." + NAME + ".(secret|prefix|domain|country|default-user)",
            "pbx." + NAME + ".extensions.(\"[^\"]+\"|" + NAME + ").(type|user|id)",
            "calls.(missed-delay|max-container-wait|settle-delay|missed-without-container|suppress-missed-if-answered-leg"
                    + "|missed-needs-ivr-no|forwarded-as-outgoing|max-unanswered|max-talk|card-ttl)",
            "store.url", "crm.active", "crm." + NAME + ".(url|token)", "admin.token",
            "process.lanes", "process.timer-poll-ms", "deliver.(parallel|poll-ms)",
            "deliver.card.lookup-timeout-ms", "deliver.entity-cache.(seconds|size)",
            "deliver.retry.(first-delay-ms|max-delay-ms|give-up-hours)", "deliver.rest.timeout-ms",
            "demo.(enabled|pause-ms)");
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{\\??(callbridge\\.[^}:]+)");

    private KeyCheck() {
    }

    static void check(Config config, CamelContext context) {
        Set<String> used = null;
        for (String key : config.getPropertyNames()) {
            if (!key.startsWith("callbridge.")) {
                continue;
            }
            String name = key.substring("callbridge.".length());
            if (PATTERNS.stream().noneMatch(name::matches)) {
                used = used == null ? usedByRoutes(config, context) : used;
                if (!used.contains(key)) {
                    throw new StartException("unknown key " + key + " = '" + value(config, key) + "'; allowed "
                            + allowed(name));
                }
            }
        }
    }

    private static String value(Config config, String key) {
        return key.contains("secret") || key.contains("token") ? "..." : config.getConfigValue(key).getValue();
    }

    private static String allowed(String name) {
        String stage = name.contains(".") ? name.substring(0, name.indexOf('.')) : name;
        Set<String> near = new TreeSet<>();
        PATTERNS.stream().filter(pattern -> pattern.startsWith(stage)).forEach(near::add);
        Set<String> shown = near.isEmpty() ? new TreeSet<>(PATTERNS) : near;
        return "there: " + String.join(", ", shown).replace(NAME, "<name>").replace("(\"[^\"]+\"|<name>)", "<name>")
                + ", or a key that a route uses";
    }

    private static Set<String> usedByRoutes(Config config, CamelContext context) {
        Set<String> used = new TreeSet<>();
        PackageScanResourceResolver resolver = PluginHelper.getPackageScanResourceResolver(context);
        try {
            for (String location : config.getValue(RoutesLocation.KEY, String.class).split(",")) {
                for (Resource resource : resolver.findResources(location.strip())) {
                    try (InputStream in = resource.getInputStream()) {
                        Matcher matcher = PLACEHOLDER.matcher(new String(in.readAllBytes(), StandardCharsets.UTF_8));
                        while (matcher.find()) {
                            used.add(matcher.group(1));
                        }
                    }
                }
            }
            return used;
        } catch (IOException e) {
            throw new StartException("the routes cannot be read: " + e.getMessage(), e);
        } catch (Exception e) {
            throw new StartException("the routes cannot be found: " + e.getMessage(), e);
        }
    }
}
