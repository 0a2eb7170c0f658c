package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.routes.RouteHarness;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the README says can be done as it says: its routes load, its settings are settings, its files are there. */
class ReadmeTest {

    private static final Pattern YAML = Pattern.compile("(?ms)^```yaml\\n(.*?)^```$");
    private static final Pattern KEY = Pattern.compile("(?<![/.\\w])callbridge\\.[a-z0-9-]+\\.[a-z0-9.-]*[a-z0-9]");
    private static final Pattern SETTING = Pattern.compile("(?m)^#?(callbridge\\.[^=\\s]+)=");
    private static final Pattern ROUTE = Pattern.compile("\\b(?:ingest|process|deliver|ops)-[a-z]+(?:-[a-z]+)*\\b");
    private static final Pattern PATH = Pattern.compile("`([\\w.-]+(?:/[\\w.-]+)*(?:/|\\.(?:yaml|properties|db|md|java|xml)))`");
    private static final Pattern FOLDER = Pattern.compile("folder `([\\w./-]+)`");
    /** Not ours to bring: the integrator's settings, and what a running Callbridge writes. */
    private static final Set<String> MADE_LATER = Set.of("config/application.properties", "data/callbridge.db",
            "routes/deliver-acme.camel.yaml");
    private static final String OWN_CRM = "callbridge.crm.acme.";

    private static final Pattern CAPABILITIES = Pattern.compile("\\| `[a-z0-9]+`[^|]*\\|( (yes|-) \\|)+");
    private static final Pattern ROUTE_ID = Pattern.compile("(?m)^    id: ([a-z0-9-]+)$");

    private final Set<String> routeIds = routeIds();
    private final String readme = read("README.md");
    private final String settings = read("application.properties");

    @TestFactory
    Stream<DynamicTest> everyRouteLoadsAndStarts() {
        List<String> blocks = YAML.matcher(readme).results().map(block -> block.group(1)).toList();
        assertFalse(blocks.isEmpty());
        return blocks.stream().map(block -> DynamicTest.dynamicTest(block.lines().skip(1).findFirst().orElse("").strip(), () -> {
            try (RouteHarness routes = RouteHarness.of().text(block).setting(OWN_CRM + "url", "http://acme.invalid")
                    .setting(OWN_CRM + "token", "token").start()) {
                assertFalse(routes.running().isEmpty());
            }
        }));
    }

    @Test
    void everyKeyIsASetting() {
        Set<String> known = SETTING.matcher(settings).results().map(key -> general(key.group(1))).collect(Collectors.toSet());
        Set<String> named = KEY.matcher(readme).results().map(key -> general(key.group())).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(named.contains("callbridge.pbx.<pbx>.extensions.<extension>.user"), named::toString);
        named.removeAll(known);
        named.removeIf(key -> key.startsWith(OWN_CRM));
        assertEquals(Set.of(), named);
    }

    @Test
    void everyFileAndFolderIsThere() {
        Set<String> named = Stream.concat(PATH.matcher(readme).results(), FOLDER.matcher(readme).results())
                .map(path -> path.group(1)).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(named.contains("routes/") && named.contains("application.properties"), named::toString);
        named.removeIf(path -> Files.exists(Path.of(path)) || Files.exists(Path.of("routes", path)) || MADE_LATER.contains(path));
        assertEquals(Set.of(), named);
    }

    @Test
    void whatACrmCanDoIsWhatItHasARouteFor() {
        List<String> capabilities = List.of();
        int crms = 0;
        for (String line : readme.lines().filter(row -> row.startsWith("| CRM | lookup |") || CAPABILITIES.matcher(row).matches()).toList()) {
            List<String> cells = List.of(line.substring(1).split("\\|")).stream().map(String::strip).toList();
            if (cells.get(0).equals("CRM")) {
                capabilities = cells;
                continue;
            }
            crms++;
            String crm = cells.get(0).replaceAll("^`([a-z0-9]+)`.*", "$1");
            for (int i = 1; i < capabilities.size(); i++) {
                String route = "deliver-" + crm + "-" + capabilities.get(i);
                assertEquals(cells.get(i).equals("yes"), routeIds.contains(route), route);
            }
        }
        assertEquals(6, crms);
    }

    private static Set<String> routeIds() {
        try (Stream<Path> files = Files.list(Path.of("routes"))) {
            return files.map(file -> read(file.toString())).flatMap(text -> ROUTE_ID.matcher(text).results()).map(id -> id.group(1))
                    .collect(Collectors.toSet());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void whatCallbridgeWritesIsWhereTheReadmeSays() {
        assertTrue(settings.contains("callbridge.store.url=jdbc:sqlite:data/callbridge.db\n"));
        assertTrue(readme.contains("`data/callbridge.db`"));
    }

    @Test
    void everyBoxOfTheDiagramIsARouteFile() {
        Set<String> boxes = YAML.matcher(readme).replaceAll("").lines().filter(line -> line.startsWith("    "))
                .flatMap(line -> ROUTE.matcher(line).results()).map(box -> box.group()).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(boxes.contains("ingest-webhook"), boxes::toString);
        boxes.removeIf(box -> Files.exists(Path.of("routes", box + ".camel.yaml")));
        assertEquals(Set.of(), boxes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mvn package quarkus:run -DskipTests -Dcallbridge.demo=true", "mvn verify"})
    void theCommandsThatEverythingBeginsWithAreThere(String command) {
        assertTrue(readme.lines().anyMatch(line -> line.equals("    " + command)));
    }

    /** A setting of any PBX and any extension. */
    private static String general(String key) {
        return key.replaceFirst("^callbridge\\.pbx\\.[^.]+\\.", "callbridge.pbx.<pbx>.")
                .replaceFirst("\\.extensions\\.[^.]+\\.", ".extensions.<extension>.");
    }

    private static String read(String file) {
        try {
            return Files.readString(Path.of(file));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
