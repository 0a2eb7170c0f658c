package io.callbridge.start;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.deliver.EffectFacts;
import io.callbridge.platform.Problem;
import io.callbridge.support.Pages;
import io.callbridge.support.TestConfig;
import io.callbridge.support.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Endpoint;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A misspelt variable is told, and one that somebody sets is not; a channel that nobody takes is found at the start, not by the first call. */
class RouteProblemsTest {

    private static final Pattern SET_IN_JAVA = Pattern.compile("(?:facts\\.put|setVariable)\\((?:[^;,]*\\? )?\"(\\w+)\"(?: : \"(\\w+)\")?");
    private static final Path SOURCES = Path.of("src/main/java");
    private static final List<String> PACKAGED = List.of("direct:process-event", "direct:deliver-outbox", "direct:deliver-rest-call",
            "timer:ops-timers");

    private final DefaultCamelContext context = new DefaultCamelContext();

    @Test
    void ourOwnRoutesReadWhatIsSet() {
        RouteVariables variables = new RouteVariables();
        for (Path file : files(Path.of("routes"), ".camel.yaml")) {
            variables.add(file.toString(), Pages.text(file));
        }
        assertEquals(List.of(), variables.problems());
    }

    @Test
    void whatARouteMayUseIsNoMistake() {
        assertEquals(List.of(), problems(Vocabulary.words().stream().map(Vocabulary.Word::route).toArray(String[]::new)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"simple: \"${variable.forwrded} == true\"", "simple: \"${body} == 1 && ${variable:forwrded}\"",
            "simple: \"${variable[forwrded]} == true\"", "simple: \"${variable?.forwrded}\"", "simple: \"${variableAs(forwrded,Boolean)}\"",
            "simple: \"${iif(${variable.local} == true, ${variable.forwrded.length()}, 0)}\"",
            "simple: \"$simple{variable.forwrded[0]} == 1\"",
            "simple: \"${date:variable.forwrded:yyyy} == 2026\"", "variable: forwrded", "variable: {expression: forwrded}",
            "simple: {expression: \"${variable.global:forwrded}\"}"})
    void aNameThatNobodySetsIsToldWithTheNearest(String condition) {
        assertEquals(List.of("routes/process-x.camel.yaml:6: neither a route nor Callbridge sets the variable forwrded;"
                + " the nearest one that is set is forwarded"),
                problems(route("- filter:\n    " + condition + "\n    steps:\n      - stop: {}")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"setVariable: {name: mine, constant: x}", "set-variable: {name: mine, constant: x}",
            "setVariables: {variables: [{name: mine, constant: x}]}", "to: {uri: direct:x, variableReceive: mine}",
            "to: {uri: direct:x, variable-receive: mine}", "setVariable: {name: global:mine, constant: x}",
            "convertVariableTo: {name: local, toName: mine, type: String}", "setVariable: {name: \"route:other:mine\", constant: x}",
            "setVariable: {name: \"m${header.x}\", constant: x}"})
    void aStepOfAnyRouteSetsIt(String step) {
        assertEquals(List.of(), problems(route("- log: \"${variable.mine} ${variable.mine.size()}\""), route("- " + step)));
    }

    /** A broken file hides no mistake of another, and what it would set is none. */
    @Test
    void whatAFileThatIsBrokenWouldSetIsSet() {
        String broken = route("- setVariable:\n    name: mine\n    constant: x") + "\n\t: [";
        assertEquals(List.of(), problems(route("- log: \"${variable.mine}\""), broken));
        assertEquals(1, problems(route("- log: \"${variable.yours}\""), broken).size());
    }

    @Test
    void allThatCallbridgeSetsIsKnown() throws IOException {
        String all = files(SOURCES, ".java").stream().filter(file -> !file.endsWith("RouteVariables.java")).map(Pages::text)
                .collect(Collectors.joining("\n"));
        Set<String> set = SET_IN_JAVA.matcher(all).results().flatMap(found -> Stream.of(found.group(1), found.group(2)))
                .filter(Objects::nonNull).collect(Collectors.toCollection(TreeSet::new));
        assertTrue(set.containsAll(Set.of("forwarded", "number", "address")), set::toString);
        String time = "\"2026-11-30T10:00:00.000Z\"";
        set.addAll(EffectFacts.of(new ObjectMapper().readTree("{\"at\": " + time + ", \"startedAt\": " + time + ", \"answeredAt\": " + time
                + ", \"endedAt\": " + time + ", \"servedAt\": " + time + "}")).keySet());
        Set<String> more = new TreeSet<>(set);
        more.removeAll(RouteVariables.CALLBRIDGE);
        assertEquals(Set.of(), more);
        Set<String> gone = new TreeSet<>(RouteVariables.CALLBRIDGE);
        gone.removeIf(name -> set.contains(name) || all.indexOf("\"" + name + "\"") >= 0);
        assertEquals(Set.of(), gone);
    }

    private static String route(String step) {
        return "- route:\n    from:\n      uri: direct:x\n      steps:\n" + step.indent(8);
    }

    private static List<String> problems(String... files) {
        RouteVariables variables = new RouteVariables();
        Stream.of(files).forEach(text -> variables.add("file:routes/process-x.camel.yaml", text));
        return variables.problems().stream().map(Problem::toString).toList();
    }

    private static List<Path> files(Path folder, String ending) {
        return Pages.below(folder).filter(file -> file.toString().endsWith(ending)).toList();
    }

    /** Java sends to it, or a CRM has no adapter: the channel, the CRM that is active, and who sends. */
    @ParameterizedTest
    @CsvSource({"direct:process-event, rest, Callbridge", "direct:deliver-outbox, rest, Callbridge", "direct:deliver-rest-call, rest, rest",
        "direct:deliver-outbox-call, outbox, callbridge.crm.active", "direct:deliver-rest-lookup-call, rest-lookup, callbridge.crm.active",
        "direct:deliver-abacus-call, abacus, callbridge.crm.active"})
    void aRouteThatIsNeededMayNotBeMissing(String channel, String crm, String sender) {
        Map<String, String> missing = missing(PACKAGED.stream().filter(uri -> !uri.equals(channel)).toList(), List.of(), crm);
        assertEquals(Set.of(channel), missing.keySet());
        assertTrue(missing.get(channel).contains(sender), missing::toString);
    }

    @Test
    void parametersDoNotMakeAnotherChannel() {
        List<String> consumed = Stream.concat(PACKAGED.stream().filter(uri -> !uri.equals("direct:deliver-outbox")),
                Stream.of("direct:deliver-outbox?exchangePattern=InOnly", "direct:ops-own?synchronous=true")).toList();
        assertEquals(Map.of(), missing(consumed, List.of("direct:ops-own", "direct:process-event?block=false"), "rest"));
    }

    @ParameterizedTest
    @CsvSource({"file:routes/deliver-outbox.camel.yaml, true", "file:/a/routes/deliver-rest.camel.yaml, true", "routes/deliver-rest-more.camel.yaml, true",
        "classpath:routes/deliver-bitrix24.camel.yaml, false", "file:deliver-restful.camel.yaml, false", "file:routes/ingest-tcp.camel.yaml, false",
        "file:routes/ingest-asterisk.camel.yaml, true", "file:routes/ingest-webhook.camel.yaml, true", "file:routes/process-own.camel.yaml, true"})
    void onlyWhatIsConfiguredIsLoaded(String file, boolean loaded) {
        assertEquals(loaded, RoutesLocation.loads(file, TestConfig.of(Map.of(), Map.of("CALLBRIDGE_PBX_MAIN_AMI_HOST", "pbx.example"))));
    }

    private Map<String, String> missing(List<String> consumed, List<String> used, String crm) {
        List<Endpoint> begin = consumed.stream().map(context::getEndpoint).toList();
        return MissingRoutes.channels(begin, Stream.concat(begin.stream(), used.stream().map(context::getEndpoint)).toList(), List.of(crm));
    }
}
