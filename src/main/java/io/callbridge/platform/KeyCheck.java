package io.callbridge.platform;

import io.smallrye.config.SmallRyeConfig;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.eclipse.microprofile.config.Config;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Refuses unknown keys under {@code callbridge.}, in properties and in the environment: a key that is misspelt would
 * otherwise do nothing, silently. Known are those below and any key that a loaded route uses, so that an integrator's route
 * can have settings of its own.
 */
public final class KeyCheck {

    private static final String PREFIX = "callbridge.";
    private static final List<String> KEYS = List.of(
            "pbx.<pbx>.secret", "pbx.<pbx>.prefix", "pbx.<pbx>.domain", "pbx.<pbx>.country", "pbx.<pbx>.outside-prefix", "pbx.<pbx>.charset", "pbx.<pbx>.duration-unit",
            "pbx.<pbx>.default-user",
            "pbx.<pbx>.extensions.<name>.type", "pbx.<pbx>.extensions.<name>.user", "pbx.<pbx>.extensions.<name>.id",
            "pbx.<pbx>.ami.host", "pbx.<pbx>.ami.port", "pbx.<pbx>.ami.username", "pbx.<pbx>.ami.secret",
            "pbx.<pbx>.ami.plain-login", "pbx.<pbx>.ami.tls", "pbx.<pbx>.ami.tls-ca", "pbx.<pbx>.ami.trunks",
            "pbx.<pbx>.ami.inbound-contexts", "pbx.<pbx>.ami.did-variable", "pbx.<pbx>.ami.id-prefix",
            "ami.ping-ms", "ami.answer-ms", "ami.reconnect-first-ms", "ami.reconnect-max-ms", "ami.refused-ms",
            "ami.lease-ms",
            "calls.missed-delay", "calls.max-container-wait", "calls.settle-delay", "calls.missed-without-container",
            "calls.suppress-missed-if-answered-leg", "calls.missed-needs-ivr-no", "calls.forwarded-as-outgoing",
            "calls.max-unanswered", "calls.max-talk", "calls.card-ttl",
            "store.url", "store.retention", "store.purge-period-ms", "store.lease-ms", "store.patience-ms", "store.max-age-ms", "admin.token",
            "admin.oidc.url", "admin.oidc.client-id", "admin.oidc.client-secret", "admin.oidc.users", "admin.oidc.role", "admin.oidc.name-claim",
            "crm.active", "crm.tls-ca", "crm.rest.url", "crm.rest.token", "crm.<crm>.url", "crm.<crm>.rate", "crm.<crm>.burst",
            "crm.<crm>.lookup-rate", "crm.<crm>.users.<user>", "crm.<crm>.several-entities", "crm.<crm>.missed-task",
            "crm.bitrix24.client-id", "crm.bitrix24.client-secret", "crm.bitrix24.refresh-token", "crm.bitrix24.oauth-url",
            "crm.bitrix24.unknown-caller", "crm.bitrix24.hidden-number", "crm.bitrix24.line-number", "crm.bitrix24.recordings",
            "crm.amocrm.token", "crm.amocrm.unknown-caller", "crm.amocrm.pipeline-id", "crm.amocrm.source", "crm.amocrm.task-hours",
            "crm.retailcrm.key", "crm.retailcrm.site", "crm.retailcrm.source", "crm.retailcrm.time-zone", "crm.retailcrm.hidden-number",
            "crm.hubspot.token", "crm.hubspot.unique-property", "crm.vtiger.secret", "crm.vtiger.time-zone",
            "recordings.url-template",
            "tcp.port", "tcp.max-connections", "tcp.max-silence-ms", "tcp.tls.certificate", "tcp.tls.key", "tcp.tls.client-ca",
            "deliver.parallel", "deliver.poll-ms", "deliver.timeout-ms", "deliver.card.lookup-timeout-ms",
            "deliver.entity-cache.seconds", "deliver.entity-cache.size",
            "deliver.retry.first-delay-ms", "deliver.retry.max-delay-ms",
            "log.format", "log.numbers", "tracing.endpoint", "tracing.protocol", "tracing.ratio", "demo", "demo.pause-ms");
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{\\??callbridge\\.([^{}:]+)[}:]");
    /** What Kubernetes puts into the environment of a pod for a Service of our name. */
    private static final Pattern SERVICE_LINK = Pattern.compile(
            ".*_SERVICE_HOST|.*_SERVICE_PORT(_.*)?|.*_PORT_[0-9]+_(TCP|UDP|SCTP)(_.*)?");
    private static final Pattern SERVICE_ADDRESS = Pattern.compile("(tcp|udp|sctp)://.*");
    private static final Pattern NOT_SHOWN = Pattern.compile("callbridge[._](pbx|crm|admin)[._].*|.*(secret|token|password).*");

    private KeyCheck() {
    }

    /** @param routes the texts of all routes */
    public static void check(Config config, Collection<String> routes) {
        problems(config, routes).stream().findFirst().ifPresent(problem -> {
            throw problem;
        });
    }

    /** All that {@link #check} would refuse, one after the other. */
    public static List<StartException> problems(Config all, Collection<String> routes) {
        SmallRyeConfig config = all.unwrap(SmallRyeConfig.class);
        List<StartException> problems = new ArrayList<>();
        Set<String> known = new TreeSet<>(KEYS);
        routes.stream().flatMap(KeyCheck::usedBy).forEach(known::add);
        Set<String> given = StreamSupport.stream(config.getPropertyNames().spliterator(), false).filter(KeyCheck::isVariable)
                .collect(Collectors.toSet());
        Set<String> words = given.stream().map(KeyCheck::words).collect(Collectors.toSet());
        Set<String> variables = known.stream().filter(key -> !key.contains("<")).map(key -> variable(PREFIX + key))
                .collect(Collectors.toSet());
        for (String key : config.getPropertyNames()) {
            if (key.startsWith(PREFIX)) {
                if (known.stream().anyMatch(name -> property(name).matcher(key.substring(PREFIX.length())).matches())) {
                    variables.add(variable(key));
                    if (config.getConfigValue(key).hasProblems()) {
                        problems.add(unreadable(key));
                    }
                } else if (!words.contains(words(variable(key)))) {
                    problems.add(unknown(key, config.getConfigValue(key).getValue(), known));
                }
            }
        }
        given.forEach(variable -> {
            String value = config.getConfigValue(variable).getRawValue();
            if (!variables.contains(variable) && !isServiceLink(variable, value)) {
                problems.add(unknown(variable, value, known));
            }
        });
        return problems;
    }

    /** Such a value would count as none at all. */
    private static StartException unreadable(String key) {
        return new StartException(key + " contains ${...} with a name that has no value; allowed: the name of a setting or of"
                + " an environment variable that is there, or $$ for a dollar sign");
    }

    private static boolean isServiceLink(String variable, String value) {
        return SERVICE_LINK.matcher(variable).matches() || variable.endsWith("_PORT") && SERVICE_ADDRESS.matcher(value).matches();
    }

    private static StartException unknown(String key, String value, Set<String> known) {
        // A misspelt secret, or address of a store, is an unknown key too.
        boolean shown = !NOT_SHOWN.matcher(key.toLowerCase(Locale.ROOT)).matches();
        String group = key.substring(PREFIX.length()).split("[._]", 2)[0].toLowerCase(Locale.ROOT) + ".";
        List<String> near = known.stream().filter(name -> name.startsWith(group)).map(name -> PREFIX + name).toList();
        return new StartException("unknown key " + key + (shown ? " = '" + Settings.masked(value) + "'" : "") + "; allowed: "
                + (near.isEmpty() ? "keys that begin with callbridge.pbx, .tcp, .calls, .store, .crm, .recordings, .deliver"
                        + ", .log, .admin, .tracing"
                        : String.join(", ", near)) + ", and keys that a route uses");
    }

    private static Pattern property(String key) {
        return Pattern.compile(key.replace(".", "\\.").replaceAll("<[a-z]+>", "(\"[^\"]+\"|[^.]+)"));
    }

    /** The environment variable that a key can be set by. */
    static String variable(String key) {
        return key.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_");
    }

    static boolean isVariable(String name) {
        return name.startsWith("CALLBRIDGE_");
    }

    /** The ends of variables that set a key below another one, as alternatives of a pattern. */
    static String variables(String above) {
        return KEYS.stream().filter(key -> key.startsWith(above)).map(key -> variable(key.substring(above.length())))
                .filter(end -> !end.contains("__")).distinct().collect(Collectors.joining("|"));
    }

    /** Of a variable: SmallRye makes up names of keys for it, some with an index, which is two underscores. */
    static String words(String variable) {
        return variable.replaceAll("_+", "_");
    }

    /** The keys that the routes of this text use. */
    static Stream<String> usedBy(String text) {
        Stream<String> secrets = requestSecrets(text).stream()
                // What those that are known take is told above: a token of vtiger is a mistake.
                .filter(key -> KEYS.stream().noneMatch(known -> known.startsWith(key.substring(0, key.lastIndexOf('.') + 1))));
        return Stream.concat(PLACEHOLDER.matcher(text).results().map(found -> found.group(1)), secrets);
    }

    /** What the template of a request to a CRM uses besides the keys of every CRM. */
    private static List<String> requestSecrets(String text) {
        try {
            return new Load(LoadSettings.builder().build()).loadFromString(text) instanceof List<?> entries
                    ? entries.stream().map(KeyCheck::requestSecret).filter(Objects::nonNull).toList() : List.of();
        } catch (YamlEngineException e) {
            // Its loader says so.
            return List.of();
        }
    }

    private static String requestSecret(Object entry) {
        if (entry instanceof Map<?, ?> map && map.get("templatedRoute") instanceof Map<?, ?> route
                && "deliver-request".equals(route.get("routeTemplateRef")) && route.get("parameters") instanceof List<?> parameters) {
            Map<Object, Object> given = new HashMap<>(Map.of("secret", "token"));
            parameters.forEach(one -> {
                if (one instanceof Map<?, ?> parameter) {
                    given.put(parameter.get("name"), parameter.get("value"));
                }
            });
            return "crm." + given.get("crm") + "." + given.get("secret");
        }
        return null;
    }
}
