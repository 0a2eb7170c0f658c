package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.Pages;
import io.callbridge.support.TestConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
 * Every route file, and every example of the pages, keeps the rules whose breach an integrator or the native binary would feel: what a
 * visual designer loses when it saves a file, what the binary cannot run, where errors are handled, what comes from outside; and every
 * setting is used. A finding is one line; its first word names the rule.
 */
class RoutesLintTest {

    /** Lines of a route. */
    private static final int LONGEST = 60;
    private static final String SUFFIX = ".camel.yaml";
    private static final String ERRORS = "shared-errors";
    private static final Pattern FILE = Pattern.compile("(ingest|process|deliver|ops|shared)(-[a-z0-9]+)+\\.camel\\.yaml");
    private static final Pattern KEY = Pattern.compile("(?<![\\w.])callbridge\\.[a-z0-9.-]*[a-z0-9](?!\\.?\\{\\{|[a-z0-9.-])");
    private static final Pattern SETTING = Pattern.compile("(?m)^#?(callbridge\\.[^=\\s]+)=");
    private static final Pattern ID = Pattern.compile("(?m)^    id: ([a-z0-9-]+)$");
    private static final String LANGUAGES = "groovy|joor|csimple|java|js|javascript|python|mvel|ognl|spel|datasonnet|wasm|language|script";
    /** Keys that handle an error, or hide one. */
    private static final Set<String> HANDLERS = Set.of("routeConfiguration", "onException", "errorHandler", "errorHandlerRef", "doTry",
            "doCatch", "doFinally", "circuitBreaker", "onFallback", "throwExceptionOnFailure", "exceptionHandler", "bridgeErrorHandler");
    private static final Map<String, Set<String>> HANDLERS_ALLOWED = Map.of(
            ERRORS, Set.of("routeConfiguration", "onException", "errorHandler"),
            // An answer is judged by its adapter.
            "deliver-outbox", Set.of("throwExceptionOnFailure"),
            // A number that the CRM refuses is nobody's; 403 and 404 are no refusal, and one with 200 may be.
            "deliver-retailcrm", Set.of("doTry", "doCatch"),
            // What failed is noted, and the commit comes however the evaluation ended.
            "process-event", Set.of("doTry", "doCatch", "doFinally"), "process-outcome", Set.of("doTry", "doCatch"));
    /** Any other goes along with the next request to a CRM; scratch values are variables. */
    private static final Pattern HEADER = Pattern.compile(
            "(Camel|Callbridge|\\{\\{).*|Accept|Authorization|Content-Type|Location|Retry-After|X-API-KEY");

    @TestFactory
    Stream<DynamicTest> everyRouteFileKeepsTheRules() {
        Map<String, String> routes = routes();
        assertFalse(routes.isEmpty());
        String errors = Pages.text(Path.of("routes", ERRORS + SUFFIX));
        return routes.entrySet().stream().map(file -> DynamicTest.dynamicTest(file.getKey(),
                () -> assertEquals(List.of(), findings(file.getKey(), file.getValue(), errors, settings()))));
    }

    /** A commented PBX is an example. */
    @Test
    void everySettingIsUsed() {
        String yaml = String.join("\n", routes().values());
        // Keys knows every key, and uses none.
        String java = Pages.below(Path.of("src/main/java")).filter(file -> file.toString().endsWith(".java")
                && !file.endsWith("Keys.java")).map(Pages::text).collect(Collectors.joining("\n"));
        Set<String> used = Stream.concat(matches(KEY, yaml), matches(Pattern.compile("\"([a-z0-9.-]+)\""), java))
                .collect(Collectors.toSet());
        Set<String> unused = matches(SETTING, settings()).filter(key -> !key.startsWith("callbridge.pbx.") && !key.contains(".users."))
                .filter(key -> !used.contains(key) && !used.contains(key.replaceFirst("callbridge\\.", "")))
                // Of every CRM: Java puts its name in, or it is a method of BridgeConfig.
                .filter(key -> !java.contains('"' + key.replaceFirst("callbridge\\.crm\\.[^.]+", "") + '"'))
                .filter(key -> !used.contains(key.replaceFirst("callbridge\\.crm\\.[^.]+\\.", "")))
                .filter(key -> !java.contains(" " + Pattern.compile("-(.)").matcher(key.replaceFirst("callbridge\\.crm\\.[^.]+\\.", ""))
                        .replaceAll(letter -> letter.group(1).toUpperCase(Locale.ROOT)) + "();"))
                .filter(key -> !Pages.text(TestConfig.PACKAGED).contains("${" + key + "}"))
                // What a route template puts together.
                .filter(key -> !yaml.matches("(?s).*name: secret,?\\s*(defaultV|v)alue: " + key.replaceFirst(".*\\.", "") + "\\b.*"))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(Set.of(), unused);
    }

    /** The rule that is broken where this becomes that. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            yaml        | process-event  | - route:\\n             | route:\\n
            yaml        | process-event  | from:                   | from: {
            length      | ingest-webhook | constant: OK            | SIXTY LINES
            comment     | ingest-webhook | constant: OK            | constant: OK # why
            anchor      | ingest-webhook | constant: OK            | constant: &ok OK
            tag         | ingest-webhook | constant: OK            | constant: !!str OK
            group       | ingest-webhook | group: ingest           | group: process
            description | ops-housekeeping | Asks the CRMs which user has which extension, where they can say it. | Asks.
            handler     | ops-housekeeping | ops-errors            | other-errors
            handler     | ingest-webhook | routeConfigurationId    | note
            channel     | process-event  | uri: direct:process-event\\n | uri: seda:process\\n
            outside     | ingest-tcp     | pattern: Camel*         | pattern: Camel.*
            script      | ingest-webhook | constant: OK            | groovy: OK
            script      | process-event  | uri: direct:            | uri: language:groovy:
            reflection  | ingest-webhook | constant: OK            | constant: "#class:io.callbridge.Sample"
            errors      | ingest-webhook | group: ingest           | group: ingest\\n    errorHandler: {noErrorHandler: {}}
            header      | ingest-webhook | name: Content-Type      | name: sample
            setting     | ingest-webhook | constant: OK            | constant: "{{?callbridge.sample.other}}"
            """)
    void aBadFileIsFound(String rule, String stem, String good, String bad) {
        String file = Pages.text(Path.of("routes", stem + SUFFIX));
        String text = file.replace(good.translateEscapes(), bad.translateEscapes())
                .replace("SIXTY LINES", "constant: >\n" + "                      OK\n".repeat(60));
        assertNotEquals(file, text);
        List<String> findings = findings(stem + SUFFIX, text, Pages.text(Path.of("routes", ERRORS + SUFFIX)), settings());
        assertTrue(findings.stream().anyMatch(finding -> finding.startsWith(rule + ":")), findings::toString);
        assertTrue(findings("Webhook" + SUFFIX, file, "", "").get(0).startsWith("name:"));
    }

    /** What is wrong with a file. */
    private static List<String> findings(String name, String text, String errors, String settings) {
        List<String> findings = new ArrayList<>();
        if (!FILE.matcher(name).matches()) {
            findings.add("name: not <stage>-<subject>" + SUFFIX);
        }
        Object entries;
        try {
            entries = new Load(LoadSettings.builder().build()).loadFromString(text);
            designer(text, findings);
        } catch (YamlEngineException e) {
            return List.of("yaml: " + e.getMessage());
        }
        if (!(entries instanceof List<?> definitions) || !definitions.stream().allMatch(Map.class::isInstance)) {
            return List.of("yaml: no list of routes");
        }
        Stream.of(text.split("(?m)(?=^- )")).filter(entry -> entry.lines().count() > LONGEST)
                .forEach(entry -> findings.add("length: over " + LONGEST + " lines in " + entry.lines().skip(1).findFirst().orElse("")));
        String stem = name.replace(SUFFIX, "");
        Set<String> handlers = matches(ID, errors).collect(Collectors.toSet());
        for (Object definition : definitions) {
            ((Map<?, ?>) definition).forEach((kind, content) -> {
                if (content instanceof Map<?, ?> map && Set.of("route", "routeTemplate").contains(kind)) {
                    route(stem, String.valueOf(map.get("id")), map.get("route") instanceof Map<?, ?> route ? route : map, handlers,
                            findings);
                }
            });
        }
        items(stem, "", "", entries, findings);
        Set<String> known = matches(SETTING, settings).collect(Collectors.toSet());
        matches(KEY, text).filter(key -> !known.contains(key)).forEach(key ->
                findings.add("setting: " + key + " is not in application.properties"));
        return findings;
    }

    /** What a visual designer would lose. */
    private static void designer(String text, List<String> findings) {
        boolean content = false;
        for (Event event : new Parse(LoadSettings.builder().setParseComments(true).build()).parseString(text)) {
            String line = " (line " + (event.getStartMark().orElseThrow().getLine() + 1) + ")";
            if (event instanceof CommentEvent comment && comment.getCommentType() != CommentType.BLANK_LINE && content) {
                findings.add("comment: only at the top of the file; a description survives elsewhere" + line);
            }
            content |= event instanceof NodeEvent;
            if (event instanceof AliasEvent || event instanceof NodeEvent node && node.getAnchor().isPresent()) {
                findings.add("anchor: neither anchors nor aliases" + line);
            }
            if (event instanceof ScalarEvent scalar && scalar.getTag().isPresent()
                    || event instanceof CollectionStartEvent start && start.getTag().isPresent()) {
                findings.add("tag: none" + line);
            }
        }
    }

    private static void route(String stem, String id, Map<?, ?> route, Set<String> handlers, List<String> findings) {
        String stage = stem.replaceFirst("-.*", "");
        if (!stage.equals(route.get("group"))) {
            findings.add("group: not " + stage + " on " + id);
        }
        // On every route, not only on those that begin a stage: a route without one has Camel's own handler, which logs a
        // stack trace, and then the caller's handler has the same failure again. Shared routes run inside an error route.
        if (!stage.equals("shared") && !handlers.contains(String.valueOf(route.get("routeConfigurationId")))) {
            findings.add("handler: routeConfigurationId of " + id + " is " + route.get("routeConfigurationId"));
        }
        if (route.get("from") instanceof Map<?, ?> from && from.get("steps") instanceof List<?> steps
                && steps.get(0) instanceof Map<?, ?> first) {
            String uri = String.valueOf(from.get("uri"));
            String scheme = uri.replaceFirst(":.*", "");
            if (Set.of("direct", "seda").contains(scheme) && !uri.contains("{{") && !uri.equals(scheme + ":" + id)) {
                findings.add("channel: " + uri + " is not named after its consumer " + id);
            }
            // What the HTTP server itself sets may stay.
            if (!Set.of("direct", "seda", "timer").contains(scheme) && !(first.get("removeHeaders") instanceof Map<?, ?> strip
                    && List.of("Camel*", "*").contains(strip.get("pattern"))
                    && (strip.get("excludePattern") == null || String.valueOf(strip.get("excludePattern")).startsWith("CamelHttp")))) {
                findings.add("outside: the first step of " + id + " is not removeHeaders with pattern Camel* or *");
            }
        }
    }

    private static void items(String stem, String path, String key, Object value, List<String> findings) {
        if (value instanceof Map<?, ?> map) {
            map.forEach((name, member) -> items(stem, path + "/" + name, String.valueOf(name), member, findings));
        } else if (value instanceof List<?> list) {
            list.forEach(element -> items(stem, path, key, element, findings));
        }
        if (Set.of("route", "routeTemplate", "routeConfiguration").contains(key) && value instanceof Map<?, ?> definition
                && !String.valueOf(definition.get("description")).strip().matches("(?s).{10,}\\.")) {
            findings.add("description: no sentence for " + definition);
        }
        String text = value instanceof Map || value instanceof List ? "" : String.valueOf(value);
        if (key.matches("scriptLanguage|" + LANGUAGES) || text.matches("(" + LANGUAGES + "):\\S+")) {
            findings.add("script: " + path + "; code belongs into a bean");
        }
        if (text.contains("#class:")) {
            findings.add("reflection: " + text + "; a named bean needs none");
        }
        if (HANDLERS.contains(key) && !HANDLERS_ALLOWED.getOrDefault(stem, Set.of()).contains(key)) {
            findings.add("errors: " + key + " outside " + ERRORS);
        }
        if (path.matches(".*/setHeaders?/(.*/)?name") && !HEADER.matcher(text).matches()) {
            findings.add("header: " + text + " is neither standard nor Callbridge*; scratch values are variables");
        }
    }

    private static Stream<String> matches(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(found -> found.group(found.groupCount()));
    }

    private static Map<String, String> routes() {
        Map<String, String> routes = new TreeMap<>();
        for (Path file : Pages.below(Path.of("routes")).filter(file -> file.toString().matches(".*(?<!kustomization)\\.ya?ml")).toList()) {
            routes.put(file.getFileName().toString(), Pages.text(file));
        }
        for (String example : Pages.routes()) {
            Matcher id = ID.matcher(example);
            assertTrue(id.find(), example);
            // A CRM of one's own: one file with all it can do.
            routes.put(id.group(1).replaceFirst("^(deliver-acme)-.*", "$1") + SUFFIX, example);
        }
        return routes;
    }

    private static String settings() {
        return Pages.text(Path.of("application.properties")) + "\n"
                + String.join("\n", TestConfig.packaged().stringPropertyNames().stream().map(key -> key + "=").toList())
                + "\n#callbridge.crm.acme.url=\n#callbridge.crm.acme.token=\n";
    }
}
