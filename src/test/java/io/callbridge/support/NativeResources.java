package io.callbridge.support;

import java.io.File;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which resources a native binary has, by the settings that say so, and which it needs. */
public final class NativeResources {

    private static final Pattern DEPENDENCY = Pattern.compile("(?s)<dependency>\\s*<groupId>([^<]+)</groupId>"
            + "\\s*<artifactId>([^<]+)</artifactId>(.*?)</dependency>");

    /** Left in Camel's jars by its build. */
    private static final Set<String> BUILD_NOTES = Set.of("component.properties", "pom.xml");

    /** For the cluster; it is not packaged. */
    private static final String MANIFEST = "routes/kustomization.yaml";

    private final List<PathMatcher> included = new ArrayList<>();

    public NativeResources(Path settings) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(settings)) {
            properties.load(reader);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        for (String glob : properties.getProperty("quarkus.native.resources.includes").split(",")) {
            included.add(FileSystems.getDefault().getPathMatcher("glob:" + glob.strip()));
        }
        // The Flyway extension adds what is there.
        properties.stringPropertyNames().stream().filter(key -> key.matches("quarkus\\.flyway\\.\\w+\\.locations"))
                .forEach(key -> included.add(FileSystems.getDefault().getPathMatcher("glob:" + properties.getProperty(key) + "/*.sql")));
    }

    /** Those that no setting includes. */
    public Set<String> missing(Set<String> resources) {
        return resources.stream().filter(resource -> included.stream().noneMatch(glob -> glob.matches(Path.of(resource))))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Our own, but for what the build itself reads. */
    public Set<String> packaged() throws IOException {
        Set<String> all = new TreeSet<>();
        Path own = Path.of("src/main/resources");
        for (Path folder : List.of(own, Path.of("routes"))) {
            try (Stream<Path> files = Files.walk(folder)) {
                files.filter(Files::isRegularFile).map(file -> folder.equals(own) ? own.relativize(file) : file).map(Path::toString)
                        .filter(name -> !name.startsWith("META-INF/") && !name.equals(MANIFEST) && !name.endsWith(".md")).forEach(all::add);
            }
        }
        return all;
    }

    /** Those of libraries that are made for no Quarkus, so that nobody but us says what they read. */
    public Set<String> ofLibraries() throws IOException {
        Set<String> all = new TreeSet<>();
        List<MatchResult> dependencies = DEPENDENCY.matcher(Files.readString(Path.of("pom.xml"))).results()
                .filter(one -> !one.group(3).contains("<scope>")).toList();
        for (MatchResult dependency : dependencies) {
            try (JarFile jar = new JarFile(jar(dependency.group(1), dependency.group(2)))) {
                if (jar.getEntry("META-INF/quarkus-extension.properties") == null) {
                    jar.stream().map(JarEntry::getName).filter(name -> !name.startsWith("META-INF/") && !name.endsWith(".class")
                            && !name.endsWith("/") && !BUILD_NOTES.contains(name)).forEach(all::add);
                }
            }
        }
        return all;
    }

    private static File jar(String group, String artifact) {
        String folder = group.replace('.', File.separatorChar) + File.separator + artifact + File.separator;
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator)).filter(entry -> entry.contains(folder))
                .map(File::new).findFirst().orElseThrow(() -> new IllegalStateException(artifact + " is not on the class path"));
    }
}
