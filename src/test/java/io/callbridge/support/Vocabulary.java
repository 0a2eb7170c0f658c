package io.callbridge.support;

import io.callbridge.platform.RouteVocabulary;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What routes/README.md says a route may use, with a route file for each in {@code src/test/resources/vocabulary}. Those of
 * exceptions and of the parts of {@code simple} are alike, and made here.
 */
public final class Vocabulary {

    private static final Path FOLDER = Path.of("src/test/resources/vocabulary");
    private static final String ANSWER = "# Answers: ";
    private static final String SUFFIX = ".camel.yaml";

    /**
     * A thing with a route that shows it.
     *
     * @param kind a folder or table of the vocabulary, or {@code exceptions}
     * @param names as routes write it, and what is only used together with it
     * @param path where it is asked for
     */
    public record Word(String kind, List<String> names, String path, String answer, String route) {

        /** The name of a file of its own in a folder of routes. */
        public String file() {
            return path.substring(1).replaceAll("[^A-Za-z0-9]+", "-") + SUFFIX;
        }

        @Override
        public String toString() {
            return kind + " " + String.join("+", names);
        }
    }

    private Vocabulary() {
    }

    public static List<Word> words() {
        List<Word> words = new ArrayList<>(files());
        exceptions().forEach(exception -> words.add(exception(exception)));
        words.addAll(table("functions", "value.yaml"));
        words.addAll(table("methods", "value.yaml"));
        words.addAll(table("operators", "condition.yaml"));
        return words;
    }

    /** Those of others are registered by {@link RouteVocabulary}, our own where they are. */
    public static List<Class<?>> exceptions() {
        return Stream.concat(Stream.of(RouteVocabulary.class.getAnnotation(RegisterForReflection.class).targets()),
                OwnClasses.all().filter(type -> type.isAnnotationPresent(RegisterForReflection.class)))
                .filter(Throwable.class::isAssignableFrom).toList();
    }

    private static List<Word> files() {
        try (Stream<Path> files = Files.walk(FOLDER)) {
            return files.filter(file -> file.toString().endsWith(SUFFIX)).sorted().map(file -> {
                String kind = file.getParent().getFileName().toString();
                List<String> names = List.of(file.getFileName().toString().replace(SUFFIX, "").split("\\+"));
                String route = read(file);
                return new Word(kind, names, "/vocabulary/" + kind + "/" + names.get(0),
                        route.lines().findFirst().orElse("").replace(ANSWER, ""), route);
            }).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Camel makes those that a text is enough for; the others are only named here. */
    private static Word exception(Class<?> type) {
        boolean made = Stream.of(type.getConstructors()).anyMatch(one -> List.of(one.getParameterTypes()).equals(List.of(String.class)));
        String path = "/vocabulary/exceptions/" + type.getName();
        return new Word("exceptions", List.of(type.getName()), path, made ? "caught" : "not thrown", read(FOLDER.resolve("exception.yaml"))
                .replace("PATH", path).replace("THROWN", made ? type.getName() : "java.io.IOException").replace("NAME", type.getName()));
    }

    private static List<Word> table(String kind, String routeFile) {
        List<Word> words = new ArrayList<>();
        String route = read(FOLDER.resolve(routeFile));
        for (String line : read(FOLDER.resolve(kind + ".txt")).lines().skip(1).toList()) {
            List<String> cells = Stream.of(line.split("(?<!\\\\)\\|", -1)).map(cell -> cell.strip().replace("\\|", "|")).toList();
            String path = "/vocabulary/" + kind + "/" + words.size();
            words.add(new Word(kind, List.of(cells.get(0)), path, cells.get(2), route.replace("PATH", path)
                    .replace("EXPRESSION", cells.get(1).replace("'", "''"))));
        }
        return words;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
