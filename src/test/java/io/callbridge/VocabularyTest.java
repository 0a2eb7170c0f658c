package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.Pages;
import io.callbridge.support.Vocabulary;
import io.callbridge.support.Vocabulary.Word;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the README says a route may use is what {@link VocabularyIT} tries, no more and no less. */
class VocabularyTest {

    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    private final Map<String, List<Word>> words = Vocabulary.words().stream().collect(Collectors.groupingBy(Word::kind));

    @ParameterizedTest
    @CsvSource({"steps, Steps", "entries, Beside routes", "languages, Languages", "functions, Functions of `simple`", "methods, Its methods",
        "operators, Its operators", "components, Components", "formats, Data formats", "beans, Beans", "classes, Classes of `beans`",
        "exceptions, Exceptions"})
    void theReadmeListsWhatIsTried(String kind, String label) {
        String section = Pages.section(Path.of("routes/README.md"), "What a route may use");
        String list = Arrays.stream(section.split("(?m)^- |\\n\\n")).filter(item -> item.startsWith(label + ": ")).findFirst().orElseThrow();
        List<String> listed = CODE.matcher(list.substring(label.length())).results().map(word -> word.group(1)).toList();
        List<String> tried = words.get(kind).stream().flatMap(word -> word.names().stream()).toList();
        assertEquals(new TreeSet<>(tried), new TreeSet<>(listed));
        assertEquals(tried.size(), listed.size(), "a word is there twice");
    }

    /** A file whose name promises what is not in it would try nothing. */
    @Test
    void everyRouteUsesItsWord() {
        words.values().stream().flatMap(List::stream).forEach(word -> word.names().forEach(name ->
                assertTrue(word.route().contains(name.replace("()", "(").replace("'", "''")), () -> word + " is not in its route")));
    }

    @Test
    void everyPathIsAskedOnce() {
        Map<String, Long> paths = words.values().stream().flatMap(List::stream).collect(Collectors.groupingBy(Word::path, Collectors.counting()));
        paths.values().removeIf(count -> count == 1);
        assertEquals(Map.of(), paths);
    }
}
