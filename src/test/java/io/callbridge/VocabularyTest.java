package io.callbridge;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.Pages;
import io.callbridge.support.Vocabulary;
import io.callbridge.support.Vocabulary.Word;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What routes/README.md says a route may use is what {@link VocabularyIT} tries, no more and no less. */
class VocabularyTest {

    private static final Path PAGE = Path.of("routes/README.md");
    private static final Pattern LIST = Pattern.compile("(?ms)^- .*?\\n(?=\\n)");
    /** Kinds of words, in the order and by the names of the page. */
    private static final List<Entry<String, String>> KINDS = List.of(entry("steps", "Steps"), entry("entries", "Beside routes"),
            entry("languages", "Languages"), entry("functions", "Functions of `simple`"), entry("methods", "Its methods"),
            entry("operators", "Its operators"), entry("components", "Components"), entry("formats", "Data formats"), entry("beans", "Beans"),
            entry("classes", "Classes of `beans`"), entry("exceptions", "Exceptions"));

    private final Map<String, List<Word>> words = Vocabulary.words().stream().collect(Collectors.groupingBy(Word::kind));

    /** Who adds a word adds its route to the vocabulary, and puts what is expected here into the page. */
    @Test
    void thePageListsWhatIsTried() {
        assertEquals(KINDS.stream().map(Entry::getKey).collect(Collectors.toSet()), words.keySet());
        String list = KINDS.stream().map(kind -> item(kind.getValue() + ": " + names(kind.getKey()).stream().map(name -> '`' + name + '`')
                .collect(Collectors.joining(", ")))).collect(Collectors.joining());
        Matcher listed = LIST.matcher(Pages.section(PAGE, "What a route may use"));
        assertTrue(listed.find());
        assertEquals(list, listed.group());
    }

    @Test
    void noWordIsThereTwice() {
        words.keySet().forEach(kind -> assertEquals(Set.copyOf(names(kind)).size(), names(kind).size(), kind));
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

    private List<String> names(String kind) {
        return words.get(kind).stream().flatMap(word -> word.names().stream()).toList();
    }

    /** Lines of 120 characters at most. */
    private static String item(String text) {
        return "- " + text.replaceAll("(.{1,118})( |$)", "  $1\n").substring(2);
    }
}
