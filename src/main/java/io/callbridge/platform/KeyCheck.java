package io.callbridge.platform;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.eclipse.microprofile.config.Config;

/**
 * Refuses unknown keys under {@code callbridge.}, in properties and in the environment: a key that is misspelt would
 * otherwise do nothing, silently. Known are those below and any key that a loaded route uses, so that an integrator's route
 * can have settings of its own.
 */
final class KeyCheck {

    private static final String PREFIX = "callbridge.";
    private static final List<String> KEYS = List.of(
            "pbx.<pbx>.secret", "pbx.<pbx>.prefix", "pbx.<pbx>.domain", "pbx.<pbx>.country", "pbx.<pbx>.default-user",
            "pbx.<pbx>.extensions.<name>.type", "pbx.<pbx>.extensions.<name>.user", "pbx.<pbx>.extensions.<name>.id",
            "calls.missed-delay", "calls.max-container-wait", "calls.settle-delay", "calls.missed-without-container",
            "calls.suppress-missed-if-answered-leg", "calls.missed-needs-ivr-no", "calls.forwarded-as-outgoing",
            "calls.max-unanswered", "calls.max-talk", "calls.card-ttl",
            "store.url", "store.lease-ms", "admin.token", "crm.active", "crm.rest.url", "crm.rest.token", "crm.<crm>.rate",
            "process.lanes", "process.timer-poll-ms",
            "deliver.parallel", "deliver.poll-ms", "deliver.rest.timeout-ms", "deliver.card.lookup-timeout-ms",
            "deliver.entity-cache.seconds", "deliver.entity-cache.size",
            "deliver.retry.first-delay-ms", "deliver.retry.max-delay-ms", "deliver.retry.give-up-hours",
            "demo.pause-ms");
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{\\??callbridge\\.([^}:]+)");
    /** What Kubernetes puts into the environment of a pod for a Service of our name. */
    private static final Pattern SERVICE_LINK = Pattern.compile("([A-Z0-9_]+_)?(SERVICE_(HOST|PORT).*|PORT(_.*)?)");

    private KeyCheck() {
    }

    static void check(Config config, CamelContext context) {
        check(config, System.getenv(), usedByRoutes(config, context));
    }

    static void check(Config config, Map<String, String> environment, Set<String> usedByRoutes) {
        Set<String> known = new TreeSet<>(KEYS);
        known.addAll(usedByRoutes);
        for (String key : config.getPropertyNames()) {
            if (key.startsWith(PREFIX) && !environment.containsKey(environmentName(key))
                    && known.stream().noneMatch(name -> property(name).matcher(key.substring(PREFIX.length())).matches())) {
                throw unknown(key, config.getConfigValue(key).getValue(), known);
            }
        }
        environment.forEach((variable, value) -> {
            String name = variable.startsWith("CALLBRIDGE_") ? variable.substring("CALLBRIDGE_".length()) : null;
            if (name != null && !SERVICE_LINK.matcher(name).matches()
                    && known.stream().noneMatch(key -> variable(key).matcher(name).matches())) {
                throw unknown(variable, value, known);
            }
        });
    }

    private static StartException unknown(String key, String value, Set<String> known) {
        // A misspelt secret is an unknown key too: values of these groups are never shown.
        boolean secret = key.toLowerCase(Locale.ROOT).matches("callbridge[._](pbx|crm|admin)[._].*");
        String group = key.substring(PREFIX.length()).split("[._]", 2)[0].toLowerCase(Locale.ROOT) + ".";
        List<String> near = known.stream().filter(name -> name.startsWith(group)).map(name -> PREFIX + name).toList();
        return new StartException("unknown key " + key + (secret ? "" : " = '" + value + "'") + "; allowed: "
                + (near.isEmpty() ? "keys that begin with callbridge.pbx, .calls, .store, .crm, .process, .deliver, .admin"
                        : String.join(", ", near)) + ", and keys that a route uses");
    }

    private static Pattern property(String key) {
        return Pattern.compile(key.replace(".", "\\.").replaceAll("<[a-z]+>", "(\"[^\"]+\"|[^.]+)"));
    }

    private static Pattern variable(String key) {
        return Pattern.compile(environmentName(key.replaceAll("<[a-z]+>", "0")).replace("_0_", "_[A-Z0-9_]+_"));
    }

    private static String environmentName(String key) {
        return key.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
    }

    private static Set<String> usedByRoutes(Config config, CamelContext context) {
        Set<String> used = new TreeSet<>();
        for (String location : config.getValue(RoutesLocation.KEY, String.class).split(",")) {
            try {
                for (Resource resource : PluginHelper.getPackageScanResourceResolver(context).findResources(location.strip())) {
                    try (InputStream in = resource.getInputStream()) {
                        Matcher matcher = PLACEHOLDER.matcher(new String(in.readAllBytes(), StandardCharsets.UTF_8));
                        while (matcher.find()) {
                            used.add(matcher.group(1));
                        }
                    }
                }
            } catch (Exception e) {
                throw new StartException("the routes at " + location + " cannot be read: " + e.getMessage(), e);
            }
        }
        return used;
    }
}
