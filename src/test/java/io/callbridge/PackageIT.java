package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.BridgeCommand;
import io.callbridge.support.BridgeCommand.Result;
import io.callbridge.support.BridgeProcess;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** What configures a bridge beside the sources reaches no package, and a package is no demo, however it was built. */
class PackageIT {

    /** In every setting of the build; {@code .ci/run} builds the binary with such ones too. */
    private static final String MARK = "never-in-a-package";
    private static final int CHUNK = 1 << 20;
    private static final int MINUTES = 10;

    @Test
    void aPackageHasNothingOfWhatIsBesideItsSources(@TempDir Path project, @TempDir Path empty) throws Exception {
        build(project);
        Path built = project.resolve("target/quarkus-app");
        assertEquals(Set.of(), filesWith(MARK, built));
        assertFalse(filesWith("jdbc:sqlite:data/callbridge.db", built).isEmpty(), "what is packaged is not found either");
        Result start = new BridgeCommand(empty).packaged(built).setting("java.io.tmpdir", empty.toString()).setting("quarkus.http.port", "0").run();
        assertEquals(1, start.status(), start::toString);
        assertEquals(List.of("Callbridge cannot start: callbridge.crm.rest.url is missing: callbridge.crm.active names rest"), start.errors());
    }

    @Test
    @EnabledIfSystemProperty(named = "callbridge.native", matches = "true")
    void theBinaryHasNothingOfIt() throws IOException {
        try (InputStream binary = Files.newInputStream(BridgeProcess.BINARY)) {
            assertFalse(has(MARK, binary));
        }
    }

    /** As the first command of the README does it, of what the tests' own build has compiled. */
    private static void build(Path project) throws Exception {
        copy(Path.of("pom.xml"), project.resolve("pom.xml"));
        copy(Path.of("target/classes"), project.resolve("target/classes"));
        String settings = String.join("\n", "callbridge.pbx.main.secret=" + MARK, "callbridge.crm.rest.url=https://" + MARK + ".example",
                "callbridge.store.url=jdbc:postgresql://db.example/callbridge?password=" + MARK, "callbridge.admin.oidc.url=https://id.example",
                "callbridge.admin.oidc.client-id=" + MARK, "callbridge.admin.oidc.client-secret=" + MARK,
                "callbridge.tracing.endpoint=http://" + MARK, "quarkus.datasource.postgresql.password=" + MARK,
                "%prod.callbridge.admin.token=" + MARK, "%demo.callbridge.crm.rest.token=" + MARK, "");
        for (String file : List.of("config/application.properties", "config/application-prod.properties", "config/application-demo.properties",
                "located.properties")) {
            Files.createDirectories(project.resolve(file).getParent());
            Files.writeString(project.resolve(file), settings);
        }
        String variables = settings.lines().filter(line -> !line.startsWith("%"))
                .map(line -> line.replaceFirst("=.*", "").toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_") + line.replaceFirst("[^=]*", "") + "\n")
                .reduce("", String::concat);
        Files.writeString(project.resolve(".env"), variables);
        Files.writeString(project.resolve(".env-demo"), variables);
        ProcessBuilder maven = new ProcessBuilder(Path.of(System.getProperty("callbridge.maven"), "bin", "mvn").toString(), "-o", "-B", "-q",
                "quarkus:build", "-Dmaven.repo.local=" + System.getProperty("callbridge.repository"), "-Dcallbridge.demo=true",
                "-Dquarkus.profile=demo", "-Dcallbridge.pbx.main.extensions.101.user=" + MARK, "-Dquarkus.datasource.postgresql.username=" + MARK)
                .directory(project.toFile()).redirectErrorStream(true).redirectOutput(project.resolve("build.log").toFile());
        variables.lines().forEach(line -> maven.environment().put(line.replaceFirst("=.*", ""), line.replaceFirst("[^=]*=", "")));
        maven.environment().put("QUARKUS_CONFIG_LOCATIONS", project.resolve("located.properties").toString());
        maven.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process build = maven.start();
        if (!build.waitFor(MINUTES, TimeUnit.MINUTES) || build.exitValue() != 0) {
            build.destroyForcibly();
            throw new AssertionError("the build failed:\n" + Files.readString(project.resolve("build.log")));
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path copy = to.resolve(from.relativize(file).toString());
                Files.createDirectories(Files.isDirectory(file) ? copy : copy.getParent());
                if (Files.isRegularFile(file)) {
                    Files.copy(file, copy);
                }
            }
        }
    }

    /** Files, and entries of jars, that have a text in them. */
    private static Set<String> filesWith(String text, Path folder) throws IOException {
        Set<String> found = new TreeSet<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                try (InputStream in = Files.newInputStream(file)) {
                    if (has(text, in)) {
                        found.add(file.toString());
                    }
                }
                if (file.toString().endsWith(".jar")) {
                    addEntriesWith(text, file, found);
                }
            }
        }
        return found;
    }

    private static void addEntriesWith(String text, Path jar, Set<String> found) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            Enumeration<? extends ZipEntry> entries = zip.entries();
            while (entries.hasMoreElements()) {
                ZipEntry entry = entries.nextElement();
                try (InputStream in = zip.getInputStream(entry)) {
                    if (has(text, in)) {
                        found.add(jar + "!" + entry.getName());
                    }
                }
            }
        }
    }

    private static boolean has(String text, InputStream in) throws IOException {
        String end = "";
        for (byte[] chunk = in.readNBytes(CHUNK); chunk.length > 0; chunk = in.readNBytes(CHUNK)) {
            String read = end + new String(chunk, StandardCharsets.ISO_8859_1);
            if (read.contains(text)) {
                return true;
            }
            end = read.substring(Math.max(0, read.length() - text.length()));
        }
        return false;
    }
}
