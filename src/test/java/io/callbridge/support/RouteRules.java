package io.callbridge.support;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.comments.CommentType;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.CommentEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Rules of the route files whose breach an integrator or the native binary would feel: names, what a visual designer loses when it
 * saves a file, what the binary cannot run, where errors are handled, what comes from outside. A finding is one line; its first word
 * names the rule.
 */
public final class RouteRules {

    /** Lines of a route. */
    private static final int LONGEST = 60;
    private static final String SUFFIX = ".camel.yaml";
    private static final String ERRORS = "shared-errors";
    private static final Pattern FILE = Pattern.compile("(ingest|process|deliver|ops|shared)(-[a-z0-9]+)+\\.camel\\.yaml");
    private static final Pattern KEY = Pattern.compile("(?<![\\w.])callbridge\\.[a-z0-9.-]*[a-z0-9](?!\\.?\\{\\{|[a-z0-9.-])");
    private static final Pattern SETTING = Pattern.compile("(?m)^#?(callbridge\\.[^=\\s]+)=");
    /** Saying what a number may be is no use of it. */
    private static final Pattern LIMITS = Pattern.compile("number\\(all, \"[^\"]+\"");
    private static final String CRM = "deliver-(?!outbox)[a-z0-9]+";
    /** What Java asks for by the name of the CRM. */
    private static final Set<String> CAPABILITIES = Set.of("lookup", "users", "probe", "card", "answer", "card-end", "call", "recording",
            "missed", "task", "upload");
    private static final Set<String> INSIDE = Set.of("direct", "seda", "timer");
    private static final String LANGUAGES = "groovy|joor|csimple|java|js|javascript|python|mvel|ognl|spel|datasonnet|wasm|language|script";
    private static final Pattern SCRIPT = Pattern.compile("scriptLanguage|" + LANGUAGES);
    private static final Pattern SCRIPT_ENDPOINT = Pattern.compile("(" + LANGUAGES + "):\\S+");
    /** Keys that handle an error, or hide one. */
    private static final Set<String> HANDLERS = Set.of("routeConfiguration", "onException", "errorHandler", "errorHandlerRef", "doTry",
            "doCatch", "doFinally", "circuitBreaker", "onFallback", "throwExceptionOnFailure", "exceptionHandler", "bridgeErrorHandler");
    private static final Map<String, Set<String>> HANDLERS_ALLOWED = Map.of(
            ERRORS, Set.of("routeConfiguration", "onException", "errorHandler"),
            // An answer is judged by its adapter.
            "deliver-outbox", Set.of("throwExceptionOnFailure"),
            // A number that the CRM refuses is nobody's; 403 and 404 are no refusal, and one with 200 may be.
            "deliver-retailcrm", Set.of("doTry", "doCatch"),
            // Handles nothing: the commit comes however the look ended, and knows what to leave out.
            "process-event", Set.of("doTry", "doFinally"));
    /** Any other goes along with the next request to a CRM; scratch values are variables. */
    private static final Pattern HEADER = Pattern.compile(
            "(Camel|Callbridge|\\{\\{).*|Accept|Authorization|Content-Type|Location|Retry-After|X-API-KEY");

    /** A member of a mapping, or a text in a sequence: the keys that lead there, and the value. */
    private record Item(List<String> path, Object value) {

        String key() {
            return path.get(path.size() - 1);
        }

        String text() {
            return value instanceof Map || value instanceof List ? "" : String.valueOf(value);
        }

        boolean id() {
            return key().equals("id") && !path.contains("parameters");
        }
    }

    private final Map<String, String> texts;
    private final Map<String, List<Map<String, Object>>> files = new LinkedHashMap<>();
    private final Map<String, String> unreadable = new LinkedHashMap<>();
    private final String settings;
    private final String main;

    /**
     * @param texts all route files, by name
     * @param settings text of {@code application.properties}
     * @param main Java sources that may use a channel or a setting
     */
    public RouteRules(Map<String, String> texts, String settings, String main) {
        this.texts = texts;
        this.settings = settings;
        this.main = main;
        texts.forEach((name, text) -> files.put(name, entries(name, text)));
    }

    @SuppressWarnings("unchecked")
    private List<Map<String, Object>> entries(String name, String text) {
        try {
            if (new Load(LoadSettings.builder().build()).loadFromString(text) instanceof List<?> list && !list.isEmpty()
                    && list.stream().allMatch(Map.class::isInstance)) {
                return (List<Map<String, Object>>) list;
            }
            unreadable.put(name, "yaml: no list of routes");
        } catch (YamlEngineException e) {
            unreadable.put(name, "yaml: " + e.getMessage());
        }
        return List.of();
    }

    /** What is wrong with one file. */
    public List<String> findings(String name) {
        if (unreadable.containsKey(name)) {
            return List.of(unreadable.get(name));
        }
        String stem = name.replace(SUFFIX, "");
        List<String> findings = new ArrayList<>();
        if (!FILE.matcher(name).matches()) {
            findings.add("name: not <stage>-<subject>" + SUFFIX);
        }
        designer(texts.get(name), findings);
        Stream.of(texts.get(name).split("(?m)(?=^- )")).filter(entry -> entry.lines().count() > LONGEST)
                .forEach(entry -> findings.add("length: over " + LONGEST + " lines in " + entry.lines().skip(1).findFirst().orElse("")));
        definitions(name, "routeConfiguration").forEach(configuration -> description(configuration, findings));
        definitions(name, "routeTemplate").forEach(template -> description(template, findings));
        routes(name).forEach(route -> route(stem, route, findings));
        items(name).forEach(item -> item(stem, item, findings));
        Set<String> known = SETTING.matcher(settings).results().map(setting -> setting.group(1)).collect(Collectors.toSet());
        keys(texts.get(name)).filter(key -> !known.contains(key))
                .forEach(key -> findings.add("setting: " + key + " is not in application.properties"));
        return findings;
    }

    /** Settings that neither a route nor Java uses; a commented PBX is an example. */
    public Set<String> unusedSettings() {
        String java = LIMITS.matcher(main).replaceAll("");
        return SETTING.matcher(settings).results().map(setting -> setting.group(1)).filter(key -> !key.startsWith("callbridge.pbx."))
                .filter(key -> texts.values().stream().flatMap(RouteRules::keys).noneMatch(key::equals))
                .filter(key -> !java.contains('"' + key + '"') && !java.contains('"' + key.replaceFirst("callbridge\\.", "") + '"'))
                // Of every CRM: Java puts its name in.
                .filter(key -> !java.contains('"' + key.replaceFirst("callbridge\\.crm\\.[^.]+", "") + '"'))
                .filter(key -> !key.contains(".users."))
                // What a route template puts together.
                .filter(key -> texts.values().stream().noneMatch(text -> text.matches("(?s).*name: secret,?\\s*(defaultV|v)alue: "
                        + key.replaceFirst(".*\\.", "") + "\\b.*")))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** What a visual designer would lose. */
    private static void designer(String text, List<String> findings) {
        boolean content = false;
        for (Event event : new Parse(LoadSettings.builder().setParseComments(true).build()).parseString(text)) {
            int line = event.getStartMark().orElseThrow().getLine() + 1;
            if (event instanceof CommentEvent comment && comment.getCommentType() != CommentType.BLANK_LINE && content) {
                findings.add("comment: only at the top of the file; a description survives elsewhere (line " + line + ")");
            }
            content |= event instanceof NodeEvent;
            if (event instanceof AliasEvent || event instanceof NodeEvent node && node.getAnchor().isPresent()) {
                findings.add("anchor: neither anchors nor aliases (line " + line + ")");
            }
            if (event instanceof ScalarEvent scalar && scalar.getTag().isPresent()
                    || event instanceof CollectionStartEvent start && start.getTag().isPresent()) {
                findings.add("tag: none (line " + line + ")");
            }
        }
    }

    private static void description(Map<?, ?> definition, List<String> findings) {
        if (!String.valueOf(definition.get("description")).strip().matches("(?s).{10,}\\.")) {
            findings.add("description: no sentence for " + definition.get("id"));
        }
    }

    private void route(String stem, Map<?, ?> route, List<String> findings) {
        String id = String.valueOf(route.get("id"));
        String stage = stem.replaceFirst("-.*", "");
        boolean ofCrm = stem.matches(CRM);
        description(route, findings);
        // One that is neither of the file's name nor a capability of its CRM.
        if (!id.equals(stem) && !(ofCrm && id.startsWith(stem + "-") && CAPABILITIES.contains(id.substring(stem.length() + 1)))) {
            helper(id, ofCrm ? stem : stage, findings);
        }
        if (!stage.equals(route.get("group"))) {
            findings.add("group: not " + stage + " on " + id);
        }
        // On every route, not only on those that begin a stage: a route without one has Camel's own handler, which logs a
        // stack trace, and then the caller's handler has the same failure again. Shared routes run inside an error route.
        if (!stage.equals("shared") && files.keySet().stream().flatMap(file -> definitions(file, "routeConfiguration").stream())
                .noneMatch(configuration -> String.valueOf(configuration.get("id")).equals(route.get("routeConfigurationId")))) {
            findings.add("handler: routeConfigurationId of " + id + " is " + route.get("routeConfigurationId"));
        }
        if (route.get("from") instanceof Map<?, ?> from && from.get("uri") instanceof String uri
                && from.get("steps") instanceof List<?> steps && !steps.isEmpty() && steps.get(0) instanceof Map<?, ?> first) {
            String scheme = uri.replaceFirst(":.*", "");
            if (Set.of("direct", "seda").contains(scheme) && !uri.contains("{{") && !uri.equals(scheme + ":" + id)) {
                findings.add("channel: " + uri + " is not named after its consumer " + id);
            }
            if (!INSIDE.contains(scheme) && !stripsControlHeaders(first)) {
                findings.add("outside: the first step of " + id + " is not removeHeaders with pattern Camel* or *");
            }
        } else {
            findings.add("from: no uri or no steps in " + id);
        }
    }

    /** It is named by its id, by its channel, and by who uses it. */
    private void helper(String id, String begin, List<String> findings) {
        if (!id.startsWith(begin + "-")) {
            findings.add("helper: " + id + " is not " + begin + "-<what it does>");
        }
        Pattern named = Pattern.compile("(?<![\\w-])" + Pattern.quote(id) + "(?![\\w-])");
        long times = Stream.concat(texts.values().stream(), Stream.of(main)).flatMap(text -> named.matcher(text).results()).count();
        if (texts.values().stream().anyMatch(text -> text.contains("uri: direct:" + id + "\n")) && times < 3) {
            findings.add("helper: " + id + " is used by nobody");
        }
    }

    /** What the HTTP server itself sets may stay. */
    private static boolean stripsControlHeaders(Map<?, ?> step) {
        return step.get("removeHeaders") instanceof Map<?, ?> strip && List.of("Camel*", "*").contains(strip.get("pattern"))
                && (strip.get("excludePattern") == null || String.valueOf(strip.get("excludePattern")).startsWith("CamelHttp"));
    }

    private void item(String stem, Item item, List<String> findings) {
        String key = item.key();
        String text = item.text();
        if (SCRIPT.matcher(key).matches() || SCRIPT_ENDPOINT.matcher(text).matches()) {
            findings.add("script: " + item.path + "; code belongs into a bean");
        }
        if (text.contains("#class:")) {
            findings.add("reflection: " + text + "; a named bean needs none");
        }
        if (HANDLERS.contains(key) && !HANDLERS_ALLOWED.getOrDefault(stem, Set.of()).contains(key)) {
            findings.add("errors: " + key + " outside " + ERRORS);
        }
        if (item.id() && files.keySet().stream().flatMap(name -> items(name).stream()).filter(Item::id)
                .filter(other -> other.text().equals(text)).count() > 1) {
            findings.add("unique: " + text + " is there twice");
        }
        if (key.equals("name") && (item.path.contains("setHeader") || item.path.contains("setHeaders"))
                && !HEADER.matcher(text).matches()) {
            findings.add("header: " + text + " is neither standard nor Callbridge*; scratch values are variables");
        }
    }

    /** In placeholders and in expressions alike. */
    private static Stream<String> keys(String text) {
        return KEY.matcher(text).results().map(key -> key.group());
    }

    /** Routes, and those of templates under the name of the template. */
    private List<Map<?, ?>> routes(String name) {
        List<Map<?, ?>> found = definitions(name, "route");
        for (Map<?, ?> template : definitions(name, "routeTemplate")) {
            Map<Object, Object> named = new LinkedHashMap<>(template.get("route") instanceof Map<?, ?> route ? route : template);
            named.put("id", template.get("id"));
            found.add(named);
        }
        return found;
    }

    private List<Map<?, ?>> definitions(String name, String kind) {
        return files.get(name).stream().map(entry -> entry.get(kind)).filter(Map.class::isInstance).<Map<?, ?>>map(Map.class::cast)
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private List<Item> items(String name) {
        List<Item> items = new ArrayList<>();
        collect(List.of(), files.get(name), items);
        return items;
    }

    private static void collect(List<String> path, Object value, List<Item> items) {
        if (value instanceof Map<?, ?> map) {
            map.forEach((key, member) -> {
                List<String> there = Stream.concat(path.stream(), Stream.of(String.valueOf(key))).toList();
                items.add(new Item(there, member));
                collect(there, member, items);
            });
        } else if (value instanceof List<?> list) {
            for (Object element : list) {
                if (!(element instanceof Map) && !(element instanceof List)) {
                    items.add(new Item(path, element));
                }
                collect(path, element, items);
            }
        }
    }
}
