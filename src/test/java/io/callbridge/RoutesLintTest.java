package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.Pages;
import io.callbridge.support.RouteRules;
import io.callbridge.support.TestConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every route file, and every example of the pages, keeps the house rules; every setting is used. */
class RoutesLintTest {

    private static final Pattern ID = Pattern.compile("(?m)^    id: ([a-z0-9-]+)$");

    private final Map<String, String> routes = routes();
    private final RouteRules rules = new RouteRules(routes,
            read(Path.of("application.properties")) + "\n" + read(TestConfig.PACKAGED) + "\n#callbridge.crm.acme.url=\n#callbridge.crm.acme.token=\n",
            // It knows every key, and uses none.
            sources("src/main/java", name -> !name.equals("KeyCheck.java")));

    @TestFactory
    Stream<DynamicTest> everyRouteFileKeepsTheRules() {
        assertFalse(routes.isEmpty());
        return routes.keySet().stream()
                .map(name -> DynamicTest.dynamicTest(name, () -> assertEquals(List.of(), rules.findings(name))));
    }

    @Test
    void everySettingIsUsed() {
        assertEquals(Set.of(), rules.unusedSettings());
    }

    private static Map<String, String> routes() {
        Map<String, String> routes = new TreeMap<>();
        files(Path.of("routes")).filter(file -> file.toString().endsWith(".yaml") && !file.endsWith("kustomization.yaml"))
                .forEach(file -> routes.put(file.getFileName().toString(), read(file)));
        for (String example : Pages.routes()) {
            Matcher id = ID.matcher(example);
            assertTrue(id.find(), example);
            // A CRM of one's own: one file with all it can do.
            routes.put(id.group(1).replaceFirst("^(deliver-acme)-.*", "$1") + ".camel.yaml", example);
        }
        return routes;
    }

    private static String sources(String folder, Predicate<String> wanted) {
        return files(Path.of(folder)).filter(file -> file.toString().endsWith(".java") && wanted.test(file.getFileName().toString()))
                .map(RoutesLintTest::read).collect(Collectors.joining("\n"));
    }

    private static Stream<Path> files(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).toList().stream();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
