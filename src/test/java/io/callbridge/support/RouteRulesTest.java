package io.callbridge.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
                description: "Takes a sample."
                routeConfigurationId: sample-errors
                from:
                  uri: platform-http:/sample
                  parameters:
                    useBodyHandler: "{{callbridge.sample.handler}}"
                  steps:
                    - removeHeaders:
                        pattern: Camel*
                    - setHeader:
                        name: CallbridgeSample
                        simple: "${body}"
                    - to:
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
            - routeTemplate:
                id: ingest-sample-kind
                description: "Takes samples of one kind."
                route:
                  group: ingest
                  description: "Takes a sample of it."
                  routeConfigurationId: sample-errors
                  from:
                    uri: netty:tcp://{{kind}}
                    steps:
                      - removeHeaders:
                          pattern: "*"
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

    @ParameterizedTest
    @ValueSource(strings = {FILE, ERRORS})
    void aGoodFileHasNoFindings(String file) {
        assertEquals(List.of(), findings(file, GOOD, GOOD_ERRORS));
    }

    /** The rule that is broken where this becomes that. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            yaml        | - route:\\n              | route:\\n
            yaml        | from:                    | from: {
            yaml        | # Comments               | []
            yaml        | group: ingest            | group: ingest\\n    group: ingest
            length      | constant: OK             | SIXTY LINES
            comment     | constant: OK             | constant: OK # why
            comment     | constant: OK\\n          | `constant: OK\\n# why\\n`
            comment     | steps:                   | steps:\\n        # why
            anchor      | constant: OK             | constant: &ok OK
            tag         | constant: OK             | constant: !!str OK
            tag         | setBody:                 | setBody: !!map
            helper      | ingest-sample-answer     | sample-answer
            helper      | uri: direct:ingest-sample-answer\\n- | uri: direct:ingest-elsewhere\\n-
            unique      | id: ingest-sample-answer | id: ingest-sample
            unique      | - setBody:               | - setBody:\\n            id: sample-errors
            group       | group: ingest            | group: process
            group       | group: ingest            | note: none
            description | Says what was taken.     | Says what was taken
            description | Takes samples of one kind. | Samples.
            description | Takes a sample of it.    | ``
            handler     | sample-errors            | other-errors
            handler     | routeConfigurationId     | note
            from        | uri: platform-http       | url: platform-http
            channel     | uri: direct:ingest-sample-answer\\n      | uri: direct:ingest-answer\\n
            channel     | uri: direct:ingest-sample-answer\\n      | uri: seda:ingest-answer\\n
            outside     | pattern: Camel*          | pattern: CamelHttp*
            outside     | pattern: Camel*          | pattern: Camel*\\n            excludePattern: Camel.*
            outside     | pattern: "*"             | pattern: Foo*
            outside     | uri: direct:ingest-sample-answer\\n      | uri: "{{callbridge.sample.handler}}"\\n
            script      | constant: OK             | groovy: OK
            script      | constant: OK             | language: {language: joor, expression: OK}
            script      | uri: direct:             | uri: language:groovy:
            reflection  | constant: OK             | constant: "#class:io.callbridge.Sample"
            errors      | - setBody:\\n            constant: OK | - doTry: {steps: []}
            errors      | "Says what was taken."   | "Says what was taken."\\n    errorHandler: {noErrorHandler: {}}
            errors      | useBodyHandler:          | exceptionHandler:
            errors      | - routeTemplate:         | - routeConfiguration:
            header      | name: CallbridgeSample   | name: sample
            header      | setHeader:\\n            name: CallbridgeSample | setHeaders:\\n            name: X-Sample
            setting     | constant: OK             | constant: "{{?callbridge.sample.other}}"
            setting     | constant: OK             | constant: "{{callbridge.sample.other:yes}}"
            setting     | constant: OK             | simple: "${properties:callbridge.sample.other:}"
            """)
    void aBadFileIsFound(String rule, String good, String bad) {
        String text = GOOD.replace(good.translateEscapes(), bad.translateEscapes())
                .replace("SIXTY LINES", "constant: >\n" + "              OK\n".repeat(60));
        assertNotEquals(GOOD, text);
        assertFound(rule, findings(FILE, text, GOOD_ERRORS));
    }

    @ParameterizedTest
    @ValueSource(strings = {"monitor-sample.camel.yaml", "ingest-Sample.camel.yaml", "ingest.camel.yaml", "ingest-sample.yaml"})
    void aBadNameIsFound(String name) {
        assertFound("name", new RouteRules(Map.of(name, GOOD, ERRORS, GOOD_ERRORS), SETTINGS, "").findings(name));
    }

    @Test
    void anErrorThatIsCaughtAmongTheErrorRoutesIsFound() {
        assertFound("errors", findings(ERRORS, GOOD, GOOD_ERRORS.replace("errorHandler:\n      noErrorHandler: {}\n", "doTry: {}\n")));
    }

    @Test
    void aSettingThatNobodyUsesIsFound() {
        String settings = SETTINGS + "callbridge.calls.delay=5s\n#callbridge.calls.more=\ncallbridge.calls.most=1\n"
                + "%demo.callbridge.calls.demo=1\n";
        String java = "number(all, \"calls.most\", 1, 9); duration(\"calls.delay\", c.delay());";
        RouteRules rules = new RouteRules(Map.of(FILE, GOOD, ERRORS, GOOD_ERRORS), settings, java);
        assertEquals(Set.of("callbridge.calls.more", "callbridge.calls.most"), rules.unusedSettings());
    }

    private static List<String> findings(String file, String text, String errors) {
        return new RouteRules(Map.of(FILE, text, ERRORS, errors), SETTINGS, "").findings(file);
    }

    private static void assertFound(String rule, List<String> findings) {
        assertTrue(findings.stream().anyMatch(finding -> finding.startsWith(rule + ":")), findings::toString);
    }
}
