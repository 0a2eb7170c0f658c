package io.callbridge.support;

import io.callbridge.start.RouteVocabulary;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * What routes/README.md says a route may use, with a route file for each. {@code src/test/resources/vocabulary} has the steps of
 * its route, what stands beside it, and steps behind {@code direct:vocabulary-...}; what is alike in all is put around them here.
 */
public final class Vocabulary {

    private static final Path FOLDER = Path.of("src/test/resources/vocabulary");
    private static final String VALUE = """
            - setBody: {simple: 'EXPRESSION'}
            - convertBodyTo: {type: String}
            """;
    private static final String CONDITION = """
            - choice:
                when:
                  - {simple: 'EXPRESSION', steps: [{setBody: {constant: "true"}}]}
                otherwise: {steps: [{setBody: {constant: "false"}}]}
            """;
    /** Kinds of words that have a file, in the order of the page. */
    public static final List<String> FILES = List.of("steps", "entries", "languages", "components", "formats", "beans", "classes");

    /**
     * A thing with a route that shows it.
     *
     * @param kind a file of the vocabulary, or {@code exceptions}
     * @param names as routes write it, and what is only used together with it
     * @param path where it is asked for
     */
    public record Word(String kind, List<String> names, String path, String answer, String route) {

        /** The name of a file of its own in a folder of routes. */
        public String file() {
            return path.substring(1).replaceAll("[^A-Za-z0-9]+", "-") + ".camel.yaml";
        }

        @Override
        public String toString() {
            return kind + " " + String.join("+", names);
        }
    }

    private Vocabulary() {
    }

    public static List<Word> words() {
        List<Word> words = new ArrayList<>();
        for (String kind : FILES) {
            load(Pages.text(FOLDER.resolve(kind + ".yaml")), Map.class)
                    .forEach((names, shown) -> words.add(word(kind, (String) names, (Map<?, ?>) shown)));
        }
        exceptions().forEach(exception -> words.add(exception(exception)));
        words.addAll(table("functions", VALUE));
        words.addAll(table("methods", VALUE));
        words.addAll(table("operators", CONDITION));
        return words;
    }

    /** Those of others are registered by {@link RouteVocabulary}, our own where they are. */
    public static List<Class<?>> exceptions() {
        return Stream.concat(Stream.of(RouteVocabulary.class.getAnnotation(RegisterForReflection.class).targets()),
                ownClasses().filter(type -> type.isAnnotationPresent(RegisterForReflection.class)))
                .filter(Throwable.class::isAssignableFrom).toList();
    }

    /** Of the application itself, as they were compiled. */
    public static Stream<Class<?>> ownClasses() {
        Path classes = Path.of("target/classes");
        return Pages.below(classes.resolve("io/callbridge")).map(file -> classes.relativize(file).toString())
                .filter(file -> file.endsWith(".class")).sorted().map(file -> Unchecked.get(() -> Class.forName(
                        file.replace(".class", "").replace('/', '.'), false, Vocabulary.class.getClassLoader())));
    }

    private static Word word(String kind, String joined, Map<?, ?> shown) {
        List<String> names = List.of(joined.split("\\+"));
        String path = "/vocabulary/" + kind + "/" + names.get(0);
        List<Object> entries = new ArrayList<>();
        if (shown.get("beside") instanceof List<?> beside) {
            entries.addAll(beside);
        }
        if (shown.get("channels") instanceof Map<?, ?> channels) {
            channels.forEach((name, steps) -> entries.add(route("direct:vocabulary-" + name, null, steps)));
        }
        entries.add(route("platform-http:" + path + "?httpMethodRestrict=GET", shown.get("configuration"), shown.get("steps")));
        return new Word(kind, names, path, (String) shown.get("answers"),
                new Dump(DumpSettings.builder().setWidth(9999).build()).dumpToString(entries));
    }

    private static Map<String, Object> route(String uri, Object configuration, Object steps) {
        Map<String, Object> route = new LinkedHashMap<>();
        route.put("id", uri.replaceAll("^[a-z-]+:/?|[?].*", "").replace('/', '-'));
        if (configuration != null) {
            route.put("routeConfigurationId", configuration);
        }
        route.put("from", Map.of("uri", uri, "steps", steps));
        return Map.of("route", route);
    }

    /** Camel makes those that a text is enough for; the others are only named here. */
    private static Word exception(Class<?> type) {
        boolean made = Stream.of(type.getConstructors()).anyMatch(one -> List.of(one.getParameterTypes()).equals(List.of(String.class)));
        String steps = Pages.text(FOLDER.resolve("exception.yaml")).replace("THROWN", made ? type.getName() : "java.io.IOException")
                .replace("NAME", type.getName());
        return word("exceptions", type.getName(), Map.of("answers", made ? "caught" : "not thrown", "steps", load(steps, List.class)));
    }

    private static List<Word> table(String kind, String last) {
        List<Word> words = new ArrayList<>();
        String given = Pages.text(FOLDER.resolve("given.yaml"));
        for (String line : Pages.text(FOLDER.resolve(kind + ".txt")).lines().skip(1).toList()) {
            List<String> cells = Stream.of(line.split("(?<!\\\\)\\|", -1)).map(cell -> cell.strip().replace("\\|", "|")).toList();
            Word word = word(kind, Integer.toString(words.size()), Map.of("answers", cells.get(2),
                    "steps", load(given + last.replace("EXPRESSION", cells.get(1).replace("'", "''")), List.class)));
            words.add(new Word(kind, List.of(cells.get(0)), word.path(), word.answer(), word.route()));
        }
        return words;
    }

    private static <T> T load(String yaml, Class<T> type) {
        return type.cast(new Load(LoadSettings.builder().build()).loadFromString(yaml));
    }
}
