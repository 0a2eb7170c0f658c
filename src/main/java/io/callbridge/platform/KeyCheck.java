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
 * otherwise do nothing, silently. Known are {@link Keys} and any key that a loaded route uses, so that an integrator's route
 * can have settings of its own.
 */
public final class KeyCheck {

    private static final String PREFIX = Keys.PREFIX;
    /** So many letters are mistyped. */
    private static final int SLIP = 3;
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
        Set<String> known = Keys.names().collect(Collectors.toCollection(TreeSet::new));
        routes.stream().flatMap(KeyCheck::usedBy).forEach(known::add);
        Set<String> given = StreamSupport.stream(config.getPropertyNames().spliterator(), false).filter(KeyCheck::isVariable)
                .collect(Collectors.toSet());
        Set<String> words = given.stream().map(KeyCheck::words).collect(Collectors.toSet());
        Set<String> variables = known.stream().filter(key -> !key.contains("<")).map(key -> variable(PREFIX + key))
                .collect(Collectors.toSet());
        for (String key : config.getPropertyNames()) {
            if (key.startsWith(PREFIX)) {
                if (Keys.knows(key) || known.contains(key.substring(PREFIX.length()))) {
                    variables.add(variable(key));
                    if (config.getConfigValue(key).hasProblems()) {
                        problems.add(Keys.unreadable(key));
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

    private static boolean isServiceLink(String variable, String value) {
        return SERVICE_LINK.matcher(variable).matches() || variable.endsWith("_PORT") && SERVICE_ADDRESS.matcher(value).matches();
    }

    private static StartException unknown(String key, String value, Set<String> known) {
        // A misspelt secret, or address of a store, is an unknown key too.
        boolean shown = !NOT_SHOWN.matcher(key.toLowerCase(Locale.ROOT)).matches();
        String group = key.substring(PREFIX.length()).split("[._]", 2)[0].toLowerCase(Locale.ROOT) + ".";
        List<String> near = known.stream().filter(name -> name.startsWith(group)).map(name -> PREFIX + name).toList();
        Stream<String> groups = known.stream().map(name -> PREFIX + name.replaceFirst("\\..*", ".*")).distinct();
        return new StartException("unknown key " + key + (shown ? " = '" + Settings.masked(String.valueOf(value)) + "'" : "") + nearest(key, known)
                + "; allowed: " + (near.isEmpty() ? groups.collect(Collectors.joining(", ")) : String.join(", ", near))
                + ", and keys that a route uses");
    }

    /** Of all keys, with the names of PBXs and the like that the given one has, or of all variables without such names, one that differs by a slip. */
    private static String nearest(String key, Set<String> known) {
        String[] given = key.split("\\.");
        String nearest = Problem.nearest(key, known.stream().filter(name -> !isVariable(key) || !name.contains("<")).map(name -> {
            String[] words = (PREFIX + name).split("\\.");
            for (int i = 0; i < words.length && i < given.length; i++) {
                words[i] = words[i].startsWith("<") ? given[i] : words[i];
            }
            return isVariable(key) ? variable(PREFIX + name) : String.join(".", words);
        }).filter(name -> !name.equals(key)).toList());
        return Problem.distance(key, nearest) > SLIP ? "" : "; the nearest one is " + nearest;
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
        return Keys.names().filter(key -> key.startsWith(above)).map(key -> variable(key.substring(above.length())))
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
                .filter(key -> Keys.names().noneMatch(known -> known.startsWith(key.substring(0, key.lastIndexOf('.') + 1))));
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
