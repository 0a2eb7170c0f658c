package io.callbridge.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.ingest.EventReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whatever the console says, it says in both languages. */
class ConsoleWordsTest {

    private static final Path CONSOLE = Path.of("src/main/resources/console");
    private static final Pattern LINE = Pattern.compile("(?m)^  '([^']+)': '((?:[^'\\\\]|\\\\')*)',$");
    private static final Pattern USED = Pattern.compile("(?<![\\w.])t\\('([^']+)'");
    private static final Pattern PLACE = Pattern.compile("\\{\\w+}");
    private static final Pattern RULE = Pattern.compile("(?:constant|simple): \"?(R\\d+)");

    @Test
    void bothLanguagesHaveTheSameTexts() throws IOException {
        TreeMap<String, String> english = words("en");
        TreeMap<String, String> russian = words("ru");
        assertTrue(english.size() > 200);
        assertEquals(english.keySet(), russian.keySet());
        english.forEach((key, text) -> assertEquals(found(PLACE, 0, text), found(PLACE, 0, russian.get(key)), key));
        Set<String> same = english.keySet().stream().filter(key -> english.get(key).equals(russian.get(key))).collect(Collectors.toSet());
        assertEquals(Set.of("crm", "callId"), same, "translated");
    }

    @Test
    void everyTextThatIsAskedForIsThere() throws IOException {
        Set<String> missing = new TreeSet<>();
        try (Stream<Path> scripts = Files.list(CONSOLE)) {
            for (Path script : scripts.filter(path -> path.toString().endsWith(".js")).toList()) {
                missing.addAll(found(USED, 1, Files.readString(script)));
            }
        }
        missing.removeAll(words("en").keySet());
        assertEquals(Set.of(), missing);
    }

    /** A proxy may have put it below a part of a path. */
    @Test
    void everythingIsAskedForBesideThePage() throws IOException {
        try (Stream<Path> files = Stream.concat(Files.list(CONSOLE), Files.list(Path.of("src/main/resources/demo")))) {
            for (Path file : files.toList()) {
                assertEquals(Set.of(), found(Pattern.compile("(?<![\\w)])(['\"`])/(?!['\"`#$])\\w[^'\"`]*"), 0, Files.readString(file)), file::toString);
            }
        }
    }

    @Test
    void everyRuleOfTheRoutesIsPutInPlainWords() throws IOException {
        Set<String> rules = new TreeSet<>();
        try (Stream<Path> routes = Files.list(Path.of("routes"))) {
            for (Path route : routes.toList()) {
                rules.addAll(found(RULE, 1, Files.readString(route)));
            }
        }
        assertTrue(rules.contains("R23"));
        rules.removeIf(rule -> has("rule." + rule));
        assertEquals(Set.of(), rules);
    }

    @Test
    void everyFieldOfAPbxIsPutInPlainWords() {
        // What an Asterisk's events are made into is no field of a PBX.
        Set<String> own = Set.of("AsteriskChannel", "ExtensionType");
        assertEquals(own, EventReader.FIELDS.stream().filter(field -> !has("field." + field)).collect(Collectors.toSet()));
    }

    private static boolean has(String key) {
        try {
            return words("en").containsKey(key);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static TreeMap<String, String> words(String language) throws IOException {
        return LINE.matcher(Files.readString(CONSOLE.resolve("words-" + language + ".js"))).results()
                .collect(Collectors.toMap(line -> line.group(1), line -> line.group(2), (a, b) -> a, TreeMap::new));
    }

    private static Set<String> found(Pattern pattern, int group, String text) {
        return pattern.matcher(text).results().map((MatchResult result) -> result.group(group)).collect(Collectors.toCollection(TreeSet::new));
    }
}
