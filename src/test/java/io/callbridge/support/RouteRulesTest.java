package io.callbridge.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every rule finds what breaks it: a file without findings has one as soon as one thing in it is changed. */
class RouteRulesTest {

    private static final String FILE = "ingest-sample.camel.yaml";
    private static final String ERRORS = "shared-errors.camel.yaml";
    private static final String GOOD = """
            # Comments at the top stay there.
            - route:
                id: ingest-sample
                group: ingest
                description: "Takes a sample (64 KiB, no more); the answer comes at once."
                routeConfigurationId: sample-errors
                from:
                  uri: platform-http:/sample
                  parameters:
                    httpMethodRestrict: POST
                    useBodyHandler: "{{callbridge.sample.handler}}"
                  steps:
                    - removeHeaders:
                        pattern: Camel*
                    - setHeader:
                        name: CallbridgeSample
                        simple: "${body}"
                    - to:
                        id: answer-sample
                        uri: direct:ingest-sample-answer
            - route:
                id: ingest-sample-answer
                group: ingest
                description: "Says what was taken."
                routeConfigurationId: sample-errors
                from:
                  uri: direct:ingest-sample-answer
                  steps:
                    - setBody:
                        constant: OK
            - beans:
                - name: sample
                  type: io.callbridge.Sample
            """;
    private static final String GOOD_ERRORS = """
            - routeConfiguration:
                id: sample-errors
                description: "A sample that fails is left to who brought it."
                errorHandler:
                  noErrorHandler: {}
            """;
    private static final String SETTINGS = """
            callbridge.sample.handler=false
            #callbridge.pbx.main.secret=
            """;
    private static final String TEST = "weaveById(\"answer-sample\"); weaveById(\"answer\")";
    private static final String OK = "- setBody:\n            constant: OK\n";
    private static final String ANSWER = "- to:\n            id: answer-sample\n            uri: direct:ingest-sample-answer\n";

    /** A change of the good file, and the rule that it breaks. */
    private record Bad(String rule, String text) {

        @Override
        public String toString() {
            return rule + ": " + text.lines().filter(line -> GOOD.lines().noneMatch(line::equals)).map(String::strip).limit(3)
                    .toList();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {FILE, ERRORS})
    void aGoodFileHasNoFindings(String file) {
        assertEquals(List.of(), rules(Map.of(FILE, GOOD, ERRORS, GOOD_ERRORS)).findings(file));
    }

    @ParameterizedTest
    @MethodSource
    void aBadFileIsFound(Bad bad) {
        assertFound(bad.rule, rules(Map.of(FILE, bad.text, ERRORS, GOOD_ERRORS)).findings(FILE));
    }

    static Stream<Bad> aBadFileIsFound() {
        return Stream.of(
                new Bad("yaml", "route:\n  id: ingest-sample\n"),
                new Bad("yaml", "- route: {\n"),
                new Bad("yaml", ""),
                bad("yaml", "    group: ingest\n", "    group: ingest\n    group: ingest\n"),
                bad("length", "constant: OK\n", "constant: |\n" + "              OK\n".repeat(80)),
                bad("tabs", "constant: OK", "constant: \"O\tK\""),
                bad("anchor", "constant: OK", "constant: &ok OK"),
                bad("tag", "constant: OK", "constant: !!str OK"),
                bad("indent", OK, "- setBody:\n              constant: OK\n"),
                bad("indent", OK, "-   setBody:\n              constant: OK\n"),
                bad("indent", "      steps:\n        " + OK, "      steps:\n      - setBody:\n          constant: OK\n"),
                bad("kind", "- beans:\n", "- rest:\n    path: /sample\n- beans:\n"),
                bad("kind", "- beans:\n", GOOD_ERRORS + "- beans:\n"),
                bad("order", "# Comments at the top stay there.\n",
                        "- beans:\n    - name: first\n      type: io.callbridge.Sample\n"),
                bad("helper", "ingest-sample-answer", "sample-answer"),
                bad("helper", "            uri: direct:ingest-sample-answer\n", "            uri: direct:ingest-elsewhere\n"),
                bad("unique", "id: ingest-sample-answer", "id: ingest-sample"),
                bad("unique", "id: answer-sample", "id: sample-errors"),
                bad("group", "    group: ingest\n", "    group: process\n"),
                bad("group", "    group: ingest\n", ""),
                bad("description", "    description: \"Says what was taken.\"\n", ""),
                bad("description", "Says what was taken.", "Says what was taken"),
                bad("description", "Says what was taken.", "Says what. It was taken."),
                bad("description", "Says what was taken.", "An answer."),
                bad("handler", "    routeConfigurationId: sample-errors\n", ""),
                bad("handler", "sample-errors", "other-errors"),
                bad("from", "    from:\n      uri: direct:ingest-sample-answer\n      steps:\n        " + OK,
                        "    from: direct:ingest-sample-answer\n"),
                bad("channel", "      uri: direct:ingest-sample-answer\n      steps", "      uri: direct:ingest-answer\n      steps"),
                bad("channel", "      uri: direct:ingest-sample-answer\n      steps", "      uri: seda:ingest-answer\n      steps"),
                bad("outside", "        - removeHeaders:\n            pattern: Camel*\n", ""),
                bad("outside", "pattern: Camel*", "pattern: CamelHttp*"),
                bad("outside", "pattern: Camel*", "pattern: Camel*\n            excludePattern: Camel.*"),
                bad("outside", "direct:ingest-sample-answer\n      steps", "netty:tcp://0.0.0.0:5038\n      steps"),
                bad("outside", "direct:ingest-sample-answer\n      steps", "\"{{callbridge.sample.handler}}\"\n      steps"),
                bad("case", "- setBody:", "- set-body:"),
                bad("case", "removeHeaders", "RemoveHeaders"),
                bad("options", "platform-http:/sample", "platform-http:/sample?httpMethodRestrict=GET"),
                bad("options", ANSWER, "- to: \"direct:ingest-sample-answer?block=false\"\n"),
                bad("options", ANSWER, "- to: {uri: \"direct:ingest-sample-answer?block=false\"}\n"),
                bad("options", ANSWER, "- toD:\n            uri: >-\n              direct:${body}\n              ?block=false\n"),
                bad("options", ANSWER, "- wireTap: direct:ingest-sample-answer?block=false\n"),
                bad("options", ANSWER, "- enrich:\n            constant: direct:ingest-sample-answer?block=false\n"),
                bad("options", ANSWER, "- recipientList:\n            simple: \"direct:${body}?block=false\"\n"),
                bad("alphabet", "        httpMethodRestrict: POST\n        useBodyHandler: \"{{callbridge.sample.handler}}\"\n",
                        "        useBodyHandler: \"{{callbridge.sample.handler}}\"\n        httpMethodRestrict: POST\n"),
                bad("script", "constant: OK", "groovy: OK"),
                bad("script", "constant: OK", "csimple: OK"),
                bad("script", "constant: OK", "language:\n              language: joor\n              expression: OK"),
                bad("script", OK, "- script:\n            simple: \"${body}\"\n"),
                bad("script", OK, "- to: language:groovy:body\n"),
                bad("script", "      type: io.callbridge.Sample\n", "      type: io.callbridge.Sample\n      script: new Sample()\n"),
                bad("reflection", "constant: OK", "constant: \"#class:io.callbridge.Sample\""),
                bad("expression", "constant: OK", "constant:\n              expression: OK"),
                bad("expression", "constant: OK", "expression:\n              constant: OK"),
                bad("errors", OK, "- doTry:\n            steps:\n              - setBody:\n                  constant: OK\n"),
                bad("errors", "    group: ingest\n", "    group: ingest\n    errorHandler:\n      noErrorHandler: {}\n"),
                bad("errors", "httpMethodRestrict: POST\n", "exceptionHandler: quiet\n        httpMethodRestrict: POST\n"),
                bad("step", "id: answer-sample", "id: answer"),
                bad("step", "id: answer-sample", "id: answer-nobody"),
                bad("header", "name: CallbridgeSample", "name: sample"),
                bad("header", OK, "- setHeaders:\n            headers:\n"
                        + "              - name: X-Sample\n                constant: OK\n"),
                bad("setting", "constant: OK", "constant: \"{{callbridge.sample.other}}\""),
                bad("setting", "constant: OK", "constant: \"{{?callbridge.sample.other}}\""),
                bad("setting", "constant: OK", "constant: \"{{callbridge.sample.other:yes}}\""),
                bad("setting", "constant: OK", "simple: \"${properties:callbridge.sample.other:}\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"monitor-sample.camel.yaml", "ingest-Sample.camel.yaml", "ingest.camel.yaml", "ingest-sample.yaml"})
    void aBadNameIsFound(String name) {
        assertFound("name", rules(Map.of(name, GOOD, ERRORS, GOOD_ERRORS)).findings(name));
    }

    /** The route of a template keeps the rules of any other. */
    @ParameterizedTest
    @CsvSource({"group, '      group: ingest\n', ''", "handler, sample-errors, other-errors", "outside, pattern: Camel*, pattern: Foo*",
            "description, Says what was taken., Says what was taken",
            "template, '    route:\n', '    route:\n      id: ingest-sample\n'"})
    void aBadTemplateIsFound(String rule, String good, String bad) {
        String template = """
                - routeTemplate:
                    id: ingest-sample
                    description: "Takes samples of one kind."
                    parameters:
                      - name: kind
                    route:
                      group: ingest
                      description: "Says what was taken."
                      routeConfigurationId: sample-errors
                      from:
                        uri: netty:tcp://{{kind}}
                        steps:
                          - removeHeaders:
                              pattern: Camel*
                """;
        assertEquals(List.of(), rules(Map.of(FILE, template, ERRORS, GOOD_ERRORS)).findings(FILE));
        String changed = template.replace(good.translateEscapes(), bad == null ? "" : bad.translateEscapes());
        assertNotEquals(template, changed);
        assertFound(rule, rules(Map.of(FILE, changed, ERRORS, GOOD_ERRORS)).findings(FILE));
    }

    /** Behind every line, and below it. */
    @TestFactory
    Stream<DynamicTest> aCommentBelowTheTopIsFound() {
        List<String> lines = GOOD.lines().toList();
        List<String> comments = List.of(" # why", "\n# why", "\n            # why");
        return IntStream.range(1, lines.size()).boxed().flatMap(line -> comments.stream().map(why -> {
            String text = Stream.of(lines.subList(0, line), List.of(lines.get(line) + why), lines.subList(line + 1, lines.size()))
                    .flatMap(List::stream).collect(Collectors.joining("\n", "", "\n"));
            return DynamicTest.dynamicTest(lines.get(line).strip() + why.replace("\n", " / "),
                    () -> assertFound("comment", rules(Map.of(FILE, text, ERRORS, GOOD_ERRORS)).findings(FILE)));
        }));
    }

    @Test
    void anErrorThatIsCaughtAmongTheErrorRoutesIsFound() {
        String caught = GOOD_ERRORS.replace("errorHandler:\n      noErrorHandler: {}\n", "doTry:\n      steps: []\n");
        assertFound("errors", rules(Map.of(ERRORS, caught)).findings(ERRORS));
    }

    @Test
    void aSettingThatNobodyUsesIsFound() {
        String settings = SETTINGS + "callbridge.calls.delay=5s\n#callbridge.calls.more=\ncallbridge.calls.most=1\n"
                + "%demo.callbridge.calls.demo=1\n";
        String java = "number(all, \"calls.most\", 1, 9); duration(\"calls.delay\", c.delay());";
        RouteRules rules = new RouteRules(Map.of(FILE, GOOD, ERRORS, GOOD_ERRORS), settings, java, TEST);
        assertEquals(Set.of("callbridge.calls.more", "callbridge.calls.most"), rules.unusedSettings());
    }

    private static RouteRules rules(Map<String, String> files) {
        return new RouteRules(files, SETTINGS, "", TEST);
    }

    private static Bad bad(String rule, String good, String bad) {
        String text = GOOD.replace(good, bad);
        assertNotEquals(GOOD, text, good);
        return new Bad(rule, text);
    }

    private static void assertFound(String rule, List<String> findings) {
        assertTrue(findings.stream().anyMatch(finding -> finding.startsWith(rule + ":")), findings::toString);
    }
}
