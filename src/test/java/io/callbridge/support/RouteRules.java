package io.callbridge.support;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * The house rules of the route files: names, what a visual designer keeps when it saves a file, what a native binary can
 * run, and where errors are handled. A finding is one line; its first word names the rule.
 */
public final class RouteRules {

    /** Lines of a route. */
    private static final int LONGEST = 60;
    private static final String SUFFIX = ".camel.yaml";
    private static final String ERRORS = "shared-errors";
    private static final Pattern FILE = Pattern.compile("(ingest|process|deliver|ops|shared)(-[a-z0-9]+)+\\.camel\\.yaml");
    private static final Pattern CAMEL_CASE = Pattern.compile("[a-z][A-Za-z0-9]*");
    private static final Pattern STEP_ID = Pattern.compile("[a-z]+(-[a-z0-9]+)+");
    private static final Pattern SENTENCE_END = Pattern.compile("[.!?]['\")]?(\\s+\\p{Lu}|$)");
    private static final Pattern KEY = Pattern.compile("(?<![\\w.])callbridge\\.[a-z0-9.-]*[a-z0-9](?!\\.?\\{\\{|[a-z0-9.-])");
    private static final Pattern SETTING = Pattern.compile("(?m)^#?(callbridge\\.[^=\\s]+)=");
    /** Saying what a number may be is no use of it. */
    private static final Pattern LIMITS = Pattern.compile("number\\(all, \"[^\"]+\"");
    private static final String CRM = "deliver-(?!outbox)[a-z0-9]+";
    private static final Set<String> CAPABILITIES = Set.of("lookup", "users", "probe", "card", "answer", "card-end", "call", "recording",
            "missed", "task",
            // What Java asks for by the name of the CRM.
            "upload");
    private static final Set<String> INSIDE = Set.of("direct", "seda", "timer");
    /** Keys whose value, or whose expression, is the address of an endpoint. */
    private static final Set<String> ENDPOINTS = Set.of("from", "to", "toD", "wireTap", "enrich", "pollEnrich", "poll",
            "recipientList", "routingSlip", "dynamicRouter", "interceptFrom", "interceptSendToEndpoint", "compensation",
            "completion");
    /** Members of such a step that are no part of the address. */
    private static final Set<String> BESIDES = Set.of("parameters", "description", "note", "id");
    private static final Set<String> SCRIPTS = Set.of("groovy", "joor", "csimple", "java", "js", "javascript", "python", "mvel",
            "ognl", "spel", "datasonnet", "wasm", "language", "script", "scriptLanguage");
    /** Keys that handle an error, or hide one. */
    private static final Set<String> HANDLERS = Set.of("onException", "errorHandler", "errorHandlerRef", "doTry", "doCatch",
            "doFinally", "circuitBreaker", "onFallback", "throwExceptionOnFailure", "exceptionHandler", "bridgeErrorHandler");
    private static final Map<String, Set<String>> HANDLERS_ALLOWED = Map.ofEntries(
            // An answer is judged by its adapter.
            Map.entry("deliver-outbox", Set.of("throwExceptionOnFailure")),
            // A number that the CRM refuses is nobody's; 403 and 404 are no refusal, and one with 200 may be.
            Map.entry("deliver-retailcrm", Set.of("doTry", "doCatch")),
            // Handles nothing: the commit comes however the look ended, and knows what to leave out.
            Map.entry("process-event", Set.of("doTry", "doFinally")));
    private static final Set<String> HTTP_HEADERS = Set.of("Accept", "Accept-Language", "Authorization", "Cache-Control",
            "Content-Disposition", "Content-Language", "Content-Type", "ETag", "If-Match", "If-None-Match", "Last-Modified", "Link",
            "Location", "Retry-After", "User-Agent", "WWW-Authenticate",
            // A vendor's way to take a key.
            "X-API-KEY");

    /** A member of a mapping, or a text in a sequence: the keys that lead there, and the value. */
    private record Item(List<String> path, Object value) {

        String key() {
            return path.get(path.size() - 1);
        }

        String text() {
            return value instanceof Map || value instanceof List ? "" : String.valueOf(value);
        }

        boolean under(String key) {
            return path.subList(0, path.size() - 1).contains(key);
        }

        boolean at(String... keys) {
            return path.size() >= keys.length && path.subList(path.size() - keys.length, path.size()).equals(List.of(keys));
        }

        /** A {@code uri}, the short form of a step that is nothing but its address, or an expression that answers one. */
        boolean endpoint() {
            List<String> step = path.subList(path.lastIndexOf("steps") + 1, path.size());
            return step.stream().noneMatch(BESIDES::contains)
                    && (key().toLowerCase(Locale.ROOT).endsWith("uri") || step.stream().anyMatch(ENDPOINTS::contains));
        }
    }

    private final Map<String, String> texts;
    private final Map<String, List<Map<String, Object>>> files = new LinkedHashMap<>();
    private final Map<String, String> unreadable = new LinkedHashMap<>();
    private final String settings;
    private final String main;
    private final String tests;

    /**
     * @param texts all route files, by name
     * @param settings text of {@code application.properties}
     * @param main Java sources that may use a channel, a step id or a setting
     * @param tests Java sources that may use a step id
     */
    public RouteRules(Map<String, String> texts, String settings, String main, String tests) {
        this.texts = texts;
        this.settings = settings;
        this.main = main;
        this.tests = tests;
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
        List<String> findings = new ArrayList<>(YamlStyle.findings(texts.get(name)));
        if (!FILE.matcher(name).matches()) {
            findings.add("name: not <stage>-<subject>" + SUFFIX);
        }
        Stream.of(texts.get(name).split("(?m)(?=^- )")).filter(entry -> entry.lines().count() > LONGEST)
                .forEach(entry -> findings.add("length: over " + LONGEST + " lines in " + entry.lines().skip(1).findFirst().orElse("")));
        entries(name, stem, findings);
        routes(name).forEach(route -> route(name, stem, route, findings));
        items(name).forEach(item -> item(stem, item, findings));
        Set<String> known = SETTING.matcher(settings).results().map(setting -> setting.group(1)).collect(Collectors.toSet());
        keys(texts.get(name)).filter(key -> !known.contains(key))
                .forEach(key -> findings.add("setting: " + key + " is not in application.properties"));
        return findings.stream().distinct().toList();
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

    private void entries(String name, String stem, List<String> findings) {
        boolean beans = false;
        for (Map<String, Object> entry : files.get(name)) {
            String kind = String.join(" ", entry.keySet());
            if (!Set.of("route", "routeTemplate", "templatedRoute", "routeConfiguration", "beans").contains(kind)) {
                findings.add("kind: " + kind + " at the top; only route, routeTemplate, templatedRoute, routeConfiguration and beans");
            }
            if (kind.equals("routeConfiguration") && !stem.equals(ERRORS)) {
                findings.add("kind: routeConfiguration outside " + ERRORS);
            }
            if (beans && kind.startsWith("route")) {
                findings.add("order: routes before beans");
            }
            beans |= kind.equals("beans");
            if (entry.get(kind) instanceof Map<?, ?> definition) {
                if (!kind.equals("templatedRoute")) {
                    description(definition, findings);
                }
                if (kind.equals("routeTemplate") && !(definition.get("route") instanceof Map<?, ?> route && route.get("id") == null)) {
                    findings.add("template: " + definition.get("id") + " has no route without an id");
                }
            }
        }
    }

    /** The route that is of the file's name, or one of the CRM's capabilities: what is asked for from outside of the file. */
    private static boolean main(String stem, String id) {
        return id.equals(stem) || stem.matches(CRM) && id.startsWith(stem + "-") && CAPABILITIES.contains(id.substring(stem.length() + 1));
    }

    private static void description(Map<?, ?> definition, List<String> findings) {
        String text = String.valueOf(definition.get("description")).strip();
        if (text.length() <= 10 || !text.endsWith(".") || SENTENCE_END.matcher(text).results().count() > 1) {
            findings.add("description: not one sentence for " + definition.get("id"));
        }
    }

    private void route(String name, String stem, Map<?, ?> route, List<String> findings) {
        String id = String.valueOf(route.get("id"));
        String stage = stem.replaceFirst("-.*", "");
        description(route, findings);
        if (!main(stem, id)) {
            helper(name, stem, id, findings);
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

    private void helper(String name, String stem, String id, List<String> findings) {
        String begin = stem.matches(CRM) ? stem : stem.replaceFirst("-.*", "");
        if (!id.startsWith(begin + "-")) {
            findings.add("helper: " + id + " is not " + begin + "-<what it does>");
        }
        Predicate<String> uses = Pattern.compile("(direct|seda):(//)?" + Pattern.quote(id) + "(?![\\w-])").asPredicate();
        boolean used = texts.keySet().stream().flatMap(file -> items(file).stream())
                .anyMatch(item -> item.endpoint() && !item.at("from", "uri") && uses.test(item.text())
                        || (item.at("parameters", "value") || item.at("parameters", "defaultValue")) && item.text().equals(id));
        boolean inside = definitions(name, "route").stream().filter(route -> id.equals(route.get("id")))
                .anyMatch(route -> route.get("from") instanceof Map<?, ?> from && String.valueOf(from.get("uri")).startsWith("direct:"));
        if (inside && !used && !uses.test(main)) {
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
        if (!CAMEL_CASE.matcher(key).matches() && !item.under("parameters") && !item.under("properties")) {
            findings.add("case: " + key + " is not camelCase");
        }
        if (item.endpoint() && item.text().replaceAll("\\$\\{[^}]*}", "").contains("?")) {
            findings.add("options: not under parameters in " + item.text());
        }
        if (key.equals("parameters") && item.value instanceof Map<?, ?> options
                && !List.copyOf(options.keySet()).equals(options.keySet().stream().sorted().toList())) {
            findings.add("alphabet: not followed by " + options.keySet());
        }
        if (SCRIPTS.contains(key) || item.endpoint() && SCRIPTS.contains(item.text().replaceFirst(":.*", ""))) {
            findings.add("script: " + item.path + "; code belongs into a bean");
        }
        if (item.text().contains("#class:")) {
            findings.add("reflection: " + item.text() + "; a named bean needs none");
        }
        if (key.equals("expression")) {
            findings.add("expression: not inline in " + item.path);
        }
        Set<String> allowed = stem.equals(ERRORS) ? Set.of("onException", "errorHandler")
                : HANDLERS_ALLOWED.getOrDefault(stem, Set.of());
        if (HANDLERS.contains(key) && !allowed.contains(key)) {
            findings.add("errors: " + key + " outside " + ERRORS);
        }
        if (key.equals("id") && !item.under("parameters")) {
            id(item, findings);
        }
        if ((item.at("setHeader", "name") || item.at("setHeaders", "headers", "name"))
                && !item.text().matches("(Camel|Callbridge|\\{\\{).*") && !HTTP_HEADERS.contains(item.text())) {
            findings.add("header: " + item.text() + " is neither standard nor Callbridge*; scratch values are variables");
        }
    }

    private void id(Item item, List<String> findings) {
        String id = item.text();
        if (files.keySet().stream().flatMap(name -> items(name).stream()).filter(other -> other.key().equals("id")
                && !other.under("parameters") && other.text().equals(id)).count() > 1) {
            findings.add("unique: " + id + " is there twice");
        }
        if (item.under("steps") && !STEP_ID.matcher(id).matches()) {
            findings.add("step: " + id + " is not verb-noun");
        }
        if (item.under("steps") && !main.contains('"' + id + '"') && !tests.contains('"' + id + '"')) {
            findings.add("step: " + id + " is used by no Java");
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
            if (template.get("route") instanceof Map<?, ?> route) {
                Map<Object, Object> named = new LinkedHashMap<>(route);
                named.put("id", template.get("id"));
                found.add(named);
            }
        }
        return found;
    }

    private List<Map<?, ?>> definitions(String name, String kind) {
        List<Map<?, ?>> found = new ArrayList<>();
        files.get(name).forEach(entry -> {
            if (entry.get(kind) instanceof Map<?, ?> definition) {
                found.add(definition);
            }
        });
        return found;
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
