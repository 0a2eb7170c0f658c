package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The house rules of the route files: names, and what a visual designer keeps when it saves a file. */
class RoutesLintTest {

    private static final Path ROUTES = Path.of("routes");
    private static final Pattern FILE = Pattern.compile("(ingest|process|deliver|ops|shared)-[a-z0-9]+(-[a-z0-9]+)*\\.camel\\.yaml");
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{\\??(callbridge\\.[^}:]+)");
    private static final int LONGEST = 110;

    private static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(ROUTES)) {
            return files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
        }
    }

    @TestFactory
    Stream<DynamicTest> everyRouteFileKeepsTheRules() throws IOException {
        assertFalse(files().isEmpty());
        return files().stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file)));
    }

    @Test
    void routeIdsAreUnique() throws IOException {
        List<String> ids = new ArrayList<>();
        for (Path file : files()) {
            routes(file).forEach(route -> ids.add((String) route.get("id")));
        }
        assertEquals(new TreeSet<>(ids).size(), ids.size(), ids.toString());
    }

    @Test
    void everyPlaceholderHasItsLineInTheSettings() throws IOException {
        String settings = Files.readString(Path.of("application.properties"));
        Set<String> missing = new TreeSet<>();
        for (Path file : files()) {
            Matcher matcher = PLACEHOLDER.matcher(Files.readString(file));
            while (matcher.find()) {
                if (!Pattern.compile("(?m)^#?" + Pattern.quote(matcher.group(1)) + "=").matcher(settings).find()) {
                    missing.add(matcher.group(1));
                }
            }
        }
        assertEquals(Set.of(), missing);
    }

    private static void check(Path file) throws IOException {
        String name = file.getFileName().toString();
        String text = Files.readString(file);
        assertTrue(FILE.matcher(name).matches(), "name is <stage>-<subject>.camel.yaml");
        assertTrue(text.lines().count() <= LONGEST || name.startsWith("shared-"), "at most " + LONGEST + " lines");
        assertFalse(text.contains("\t"), "no tabs");
        assertFalse(Pattern.compile("(?m)^\\s*(groovy|joor|csimple|script):").matcher(text).find(), "no scripts");
        assertFalse(text.contains("#class:"), "no #class:");
        assertFalse(Pattern.compile("(?m): [&*][a-z]").matcher(text).find(), "no anchors");
        assertFalse(Pattern.compile("(?m)^\\s+uri: \"?[^\"\\n]*\\?").matcher(text).find(), "options go under parameters");
        assertFalse(Pattern.compile("(?m)^\\s*-? ?[a-z]+-[a-z-]+:( |$)").matcher(text.replaceAll("(?m)^\\s*(name|ref|id): .*$", ""))
                .find(), "step names are camelCase");
        String stem = name.replace(".camel.yaml", "");
        String stage = stem.substring(0, stem.indexOf('-'));
        for (Map<?, ?> route : routes(file)) {
            String id = (String) route.get("id");
            assertTrue(id.equals(stem) || id.startsWith(stem + "-"), "route id " + id + " is the file's stem, or one more word");
            assertEquals(stage, route.get("group"), "group of " + id);
            assertTrue(String.valueOf(route.get("description")).length() > 10, "description of " + id);
            Map<?, ?> from = (Map<?, ?>) route.get("from");
            String uri = (String) from.get("uri");
            if (uri.startsWith("direct:")) {
                assertEquals("direct:" + id, uri, "a channel is named after the route that consumes it");
            }
            if (uri.startsWith("platform-http:") || uri.startsWith("netty:")) {
                Map<?, ?> first = (Map<?, ?>) ((List<?>) from.get("steps")).get(0);
                assertEquals("Camel*", ((Map<?, ?>) first.get("removeHeaders")).get("pattern"), "control headers from outside go first");
            }
        }
    }

    @SuppressWarnings("unchecked")
    private static List<Map<String, Object>> routes(Path file) throws IOException {
        List<Map<String, Object>> entries = (List<Map<String, Object>>) new Load(LoadSettings.builder().build())
                .loadFromString(Files.readString(file));
        return entries.stream().filter(entry -> entry.containsKey("route")).map(entry -> (Map<String, Object>) entry.get("route"))
                .toList();
    }
}
