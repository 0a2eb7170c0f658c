package io.callbridge.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.domain.EventReader;
import io.callbridge.support.Pages;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Whatever the console says, it says in both languages. */
class ConsoleWordsTest {

    private static final Path CONSOLE = Path.of("src/main/resources/console");
    private static final Pattern LINE = Pattern.compile("(?m)^  '([^']+)': '((?:[^'\\\\]|\\\\')*)',$");
    private static final Pattern USED = Pattern.compile("(?<![\\w.])t\\('([^']+)'");
    private static final Pattern PLACE = Pattern.compile("\\{\\w+}");
    private static final Pattern RULE = Pattern.compile("(?:constant|simple): \"?(R\\d+)");

    @Test
    void bothLanguagesHaveTheSameTexts() {
        TreeMap<String, String> english = words("en");
        TreeMap<String, String> russian = words("ru");
        assertTrue(english.size() > 200);
        assertEquals(english.keySet(), russian.keySet());
        english.forEach((key, text) -> assertEquals(found(PLACE, 0, text), found(PLACE, 0, russian.get(key)), key));
        Set<String> same = english.keySet().stream().filter(key -> english.get(key).equals(russian.get(key))).collect(Collectors.toSet());
        assertEquals(Set.of("crm", "callId"), same, "translated");
    }

    @Test
    void everyTextThatIsAskedForIsThere() {
        Set<String> missing = found(USED, 1, text(CONSOLE));
        missing.removeAll(words("en").keySet());
        assertEquals(Set.of(), missing);
    }

    /** A proxy may have put it below a part of a path. */
    @Test
    void everythingIsAskedForBesideThePage() {
        assertEquals(Set.of(), found(Pattern.compile("(?<![\\w)])(['\"`])/(?!['\"`#$])\\w[^'\"`]*"), 0,
                text(CONSOLE) + text(Path.of("src/main/resources/demo"))));
    }

    @Test
    void everyRuleOfTheRoutesIsPutInPlainWords() {
        Set<String> rules = found(RULE, 1, text(Path.of("routes")));
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
        return words("en").containsKey(key);
    }

    private static String text(Path folder) {
        return Pages.below(folder).filter(Files::isRegularFile).map(Pages::text).collect(Collectors.joining("\n"));
    }

    private static TreeMap<String, String> words(String language) {
        return LINE.matcher(Pages.text(CONSOLE.resolve("words-" + language + ".js"))).results()
                .collect(Collectors.toMap(line -> line.group(1), line -> line.group(2), (a, b) -> a, TreeMap::new));
    }

    private static Set<String> found(Pattern pattern, int group, String text) {
        return pattern.matcher(text).results().map((MatchResult result) -> result.group(group)).collect(Collectors.toCollection(TreeSet::new));
    }
}
