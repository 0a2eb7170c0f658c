package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.routes.RouteHarness;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Pages;
import io.callbridge.support.RawHttp;
import io.callbridge.support.RestContract;
import io.callbridge.support.TestConfig;
import io.callbridge.support.Vocabulary;
import io.smallrye.config.SmallRyeConfig;
import java.io.IOException;
import java.io.StringReader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the README and the pages beside what they describe say can be done as they say: their routes load, their settings are
 * settings, their files are there, their links lead somewhere.
 */
class ReadmeTest {

    private static final Pattern KEY = Pattern.compile("(?<![/.\\w])callbridge\\.[a-z0-9-]+\\.[a-z0-9.-]*[a-z0-9]");
    private static final Pattern SETTING = Pattern.compile("(?m)^#?(callbridge\\.[^=\\s]+)=");
    private static final Pattern ROUTE = Pattern.compile("\\b(?:ingest|process|deliver|ops)-[a-z]+(?:-[a-z]+)*\\b");
    private static final Pattern PATH = Pattern.compile("`([\\w.-]+(?:/[\\w.-]+)*(?:/|\\.(?:yaml|properties|db|md|java|xml)))`");
    private static final Pattern FOLDER = Pattern.compile("folder `([\\w./-]+)`");
    private static final Pattern LINK = Pattern.compile("\\[[^]]+]\\(([^)\\s]+)\\)");
    private static final Pattern CONFIGURATION = Pattern.compile("(?ms)^```properties\\n(.*?)^```$");
    /** With a body in lines of their own. */
    private static final Pattern REQUEST = Pattern.compile("(?m)^    (GET|PUT|DELETE) (\\S+)\\n((?:      .*\\n)*)");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.+)$");
    /** Not ours to bring: the integrator's settings, and what a running Callbridge writes. */
    private static final Set<String> MADE_LATER = Set.of("config/application.properties", "data/callbridge.db", "data/callbridge-inbox.db", "callbridge.db", "callbridge-inbox.db",
            "routes/deliver-acme.camel.yaml");
    /** Tells of settings that are gone. */
    private static final Path CHANGELOG = Path.of("src/main/doc/changelog.md");
    private static final String OWN_CRM = "callbridge.crm.acme.";
    private static final Pattern CAPABILITIES = Pattern.compile("\\| `[a-z0-9]+`[^|]*\\|( (yes|-) \\|)+");
    private static final Pattern LIST = Pattern.compile("(?ms)^- .*?\\n(?=\\n)");
    /** Kinds of words of a route, in the order and by the names of the page. */
    private static final List<String> KINDS = List.of("steps=Steps", "entries=Beside routes", "languages=Languages",
            "functions=Functions of `simple`", "methods=Its methods", "operators=Its operators", "components=Components",
            "formats=Data formats", "beans=Beans", "classes=Classes of `beans`", "exceptions=Exceptions");
    private static final Pattern ROUTE_ID = Pattern.compile("(?m)^    (?:id|routeId): ([a-z0-9-]+)$");
    private static final String PAGES = "io.callbridge.support.Pages#all";

    private final Set<String> routeIds = routeFiles().flatMap(file -> ROUTE_ID.matcher(Pages.text(file)).results()).map(id -> id.group(1))
            .collect(Collectors.toSet());
    private final String settings = Pages.text(Path.of("application.properties"));

    @TestFactory
    Stream<DynamicTest> everyRouteLoadsAndStarts() {
        List<String> blocks = Pages.routes();
        assertFalse(blocks.isEmpty());
        return blocks.stream().map(block -> DynamicTest.dynamicTest(block.lines().skip(1).findFirst().orElse("").strip(), () -> {
            try (RouteHarness routes = RouteHarness.of("deliver-outbox").text(block).setting(OWN_CRM + "url", "http://acme.invalid")
                    .setting(OWN_CRM + "token", "token").start()) {
                assertFalse(routes.running().isEmpty());
            }
        }));
    }

    @ParameterizedTest
    @MethodSource(PAGES)
    void everyPageBeginsWithWhomItIsForAndTheReadmeIsShort(Path page) {
        assertTrue(!page.equals(Pages.README) || Pages.text(page).lines().count() <= 200);
        assertTrue(Pages.text(page).matches("(?s)# [^\\n]+\\n\\nFor [^\\n]+[.]\\n\\n.*"));
    }

    @Test
    void theWholeConfigurationIsOne() throws IOException {
        Matcher block = CONFIGURATION.matcher(Pages.text(Pages.README));
        assertTrue(block.find());
        Properties given = new Properties();
        given.load(new StringReader(block.group(1)));
        Map<String, String> all = given.stringPropertyNames().stream().collect(Collectors.toMap(key -> key, given::getProperty));
        SmallRyeConfig config = TestConfig.of(all, Map.of());
        assertEquals("anna", TestConfig.settings(config).directory("main").byId("71101").user());
    }

    /** A CRM of the contract takes its requests, and answers as it says there. */
    @Test
    void theRequestsOfTheRestContractKeepIt() throws Exception {
        List<MatchResult> requests = REQUEST.matcher(Pages.text(Pages.README)).results().toList();
        assertEquals(List.of("GET /entities", "PUT /cards", "DELETE /cards", "PUT /calls", "PUT /missed-calls"),
                requests.stream().map(request -> request.group(1) + ' ' + request.group(2).replaceFirst("(/[a-z-]+).*", "$1")).toList());
        try (FakeCrm crm = new FakeCrm()) {
            crm.entity(FakeCrm.IVANOV, "17", "Ivanov", "anna");
            URI base = URI.create(crm.url());
            for (MatchResult request : requests) {
                boolean asks = request.group(1).equals("GET");
                RawHttp.Answer answer = RawHttp.send(base.getPort(), RawHttp.request(request.group(1), base.getPath() + request.group(2),
                        "application/json\r\nAuthorization: Bearer " + FakeCrm.TOKEN, RawHttp.bytes(asks ? "" : request.group(3))));
                assertTrue(!asks || JSON.readTree(request.group(3)).equals(JSON.readTree(answer.text())), answer::toString);
            }
            assertEquals(List.of(), new RestContract(crm).deviations(crm.requests()));
        }
    }

    @ParameterizedTest
    @MethodSource(PAGES)
    void everyKeyIsASetting(Path page) {
        Set<String> known = SETTING.matcher(settings).results().map(key -> general(key.group(1))).collect(Collectors.toSet());
        Set<String> named = found(KEY, page).map(ReadmeTest::general).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(!page.equals(Pages.README) || named.contains("callbridge.pbx.<pbx>.extensions.<extension>.user"), named::toString);
        named.removeAll(known);
        named.removeIf(key -> key.startsWith(OWN_CRM) || page.equals(CHANGELOG));
        assertEquals(Set.of(), named);
    }

    @ParameterizedTest
    @MethodSource(PAGES)
    void everyFileAndFolderIsThere(Path page) {
        Set<String> named = Stream.concat(found(PATH, page), found(FOLDER, page)).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(!page.equals(Pages.README) || named.contains("routes/"), named::toString);
        named.removeIf(path -> Files.exists(Path.of(path)) || Files.exists(Path.of("routes", path)) || MADE_LATER.contains(path));
        assertEquals(Set.of(), named);
    }

    /** From one page to the next, and to the headings there. */
    @ParameterizedTest
    @MethodSource(PAGES)
    void everyLinkLeadsSomewhere(Path page) {
        Set<String> links = found(LINK, page).filter(link -> !link.contains("://")).collect(Collectors.toCollection(TreeSet::new));
        links.removeIf(link -> {
            Path to = link.startsWith("#") ? page : page.resolveSibling(link.replaceFirst("#.*", "")).normalize();
            return Files.exists(to) && (!link.contains("#") || found(HEADING, to).map(ReadmeTest::anchor).anyMatch(link.replaceFirst(".*#", "")::equals));
        });
        assertEquals(Set.of(), links);
    }

    @Test
    void everyRouteFileIsInTheListOfThem() {
        String list = Pages.text(Path.of("routes/README.md"));
        assertEquals(List.of(), routeFiles().map(file -> file.getFileName().toString()).filter(name -> !list.contains('`' + name + '`')).toList());
    }

    @Test
    void whatACrmCanDoIsWhatItHasARouteFor() {
        List<String> capabilities = List.of();
        int crms = 0;
        for (String line : Pages.text().lines().filter(row -> row.startsWith("| CRM | lookup |") || CAPABILITIES.matcher(row).matches()).toList()) {
            List<String> cells = List.of(line.substring(1).split("\\|")).stream().map(String::strip).toList();
            if (cells.get(0).equals("CRM")) {
                capabilities = cells;
                continue;
            }
            crms++;
            String crm = cells.get(0).replaceAll("^`([a-z0-9]+)`.*", "$1");
            for (int i = 1; i < capabilities.size(); i++) {
                String route = "deliver-" + crm + "-" + capabilities.get(i);
                assertEquals(cells.get(i).equals("yes"), routeIds.contains(route), route);
            }
        }
        assertEquals(6, crms);
    }

    @Test
    void everyBoxOfTheDiagramIsARouteFileOrARouteInOne() {
        Set<String> boxes = Pages.text(Pages.README).lines().filter(line -> line.contains("──>"))
                .flatMap(line -> ROUTE.matcher(line).results()).map(box -> box.group()).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(boxes.contains("ingest-webhook"), boxes::toString);
        boxes.removeIf(box -> Files.exists(Path.of("routes", box + ".camel.yaml")) || routeIds.contains(box));
        assertEquals(Set.of(), boxes);
    }

    /** What routes/README.md says a route may use is what {@link IntegratorIT} tries: who adds a word adds its route to the vocabulary. */
    @Test
    void thePageListsWhatIsTried() {
        Map<String, List<Vocabulary.Word>> words = Vocabulary.words().stream().collect(Collectors.groupingBy(Vocabulary.Word::kind));
        assertEquals(words.keySet(), KINDS.stream().map(kind -> kind.split("=")[0]).collect(Collectors.toSet()));
        StringBuilder list = new StringBuilder();
        for (String kind : KINDS) {
            List<String> names = words.get(kind.split("=")[0]).stream().flatMap(word -> word.names().stream()).toList();
            assertEquals(Set.copyOf(names).size(), names.size(), kind);
            // Lines of 120 characters at most.
            String item = kind.split("=")[1] + ": " + names.stream().map(name -> '`' + name + '`').collect(Collectors.joining(", "));
            list.append("- ").append(item.replaceAll("(.{1,118})( |$)", "  $1\n").substring(2));
        }
        Matcher listed = LIST.matcher(Pages.section(Path.of("routes/README.md"), "What a route may use"));
        assertTrue(listed.find());
        assertEquals(list.toString(), listed.group());
    }

    /** A file whose name promises what is not in it would try nothing. */
    @Test
    void everyRouteOfTheVocabularyUsesItsWordAndHasAPathOfItsOwn() {
        Vocabulary.words().forEach(word -> word.names().forEach(name ->
                assertTrue(word.route().contains(name.replace("()", "(").replace("'", "''")), () -> word + " is not in its route")));
        assertEquals(Vocabulary.words().size(), Vocabulary.words().stream().map(Vocabulary.Word::path).distinct().count());
    }

    private static Stream<Path> routeFiles() {
        return Pages.below(Path.of("routes")).filter(file -> file.toString().endsWith(".camel.yaml"));
    }

    /** What is between the parentheses of a pattern, or all of it. */
    private static Stream<String> found(Pattern what, Path page) {
        return what.matcher(Pages.text(page)).results().map(one -> one.group(one.groupCount()));
    }

    /** As a forge makes it of a heading. */
    private static String anchor(String heading) {
        return heading.toLowerCase(Locale.ROOT).replaceAll("[^\\w -]", "").replace(' ', '-');
    }

    /** A setting of any PBX and any extension. */
    private static String general(String key) {
        return key.replaceFirst("^callbridge\\.pbx\\.[^.]+\\.", "callbridge.pbx.<pbx>.")
                .replaceFirst("\\.extensions\\.[^.]+\\.", ".extensions.<extension>.");
    }
}
