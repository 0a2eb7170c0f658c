package io.callbridge.support;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is written for people: the README, and the pages beside what they describe. */
public final class Pages {

    public static final Path README = Path.of("README.md");
    private static final Pattern YAML = Pattern.compile("(?ms)^```yaml\\n(.*?)^```$");

    private Pages() {
    }

    public static List<Path> all() {
        return Stream.of(README, Path.of("routes"), Path.of("src/main")).flatMap(Pages::below)
                .filter(file -> file.toString().endsWith(".md")).sorted()
                .toList();
    }

    public static String text(Path page) {
        return Unchecked.get(() -> Files.readString(page));
    }

    public static String text() {
        return all().stream().map(Pages::text).collect(Collectors.joining("\n"));
    }

    /** The route files that they show, as they stand there. */
    public static List<String> routes() {
        return YAML.matcher(text()).results().map(block -> block.group(1)).toList();
    }

    /** What is below a heading, up to the next of its height. */
    public static String section(Path page, String heading) {
        return Pattern.compile("(?ms)^(#+) " + Pattern.quote(heading) + "$\\n(.*?)(?=^\\1 |\\z)").matcher(text(page)).results().findFirst()
                .orElseThrow(() -> new AssertionError(page + " has no heading " + heading)).group(2);
    }

    public static Stream<Path> below(Path place) {
        return Unchecked.get(() -> {
            try (Stream<Path> files = Files.walk(place)) {
                return files.toList().stream();
            }
        });
    }
}
