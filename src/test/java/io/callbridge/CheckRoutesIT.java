package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.BridgeProcess.Command;
import io.callbridge.support.BridgeProcess.Command.Result;
import io.callbridge.support.BridgeProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --check-routes} tells an integrator the first mistake of each route with file and line before he rolls out, and starts nothing. */
@Tag("native")
class CheckRoutesIT {

    /** What each CRM cannot do without. */
    private static final Map<String, String> CRMS = Map.of("bitrix24.url", "https://portal.example/rest/1/code", "amocrm.url",
            "https://account.amocrm.ru", "amocrm.token", "t", "retailcrm.url", "https://account.retailcrm.ru/api/v5", "retailcrm.key", "k",
            "hubspot.token", "t", "vtiger.url", "https://vtiger.example/", "vtiger.secret", "s");

    /**
     * A mistake.
     *
     * @param steps of a route of its own, which begin at line 7; or a whole file, if it begins a list entry itself
     * @param line 0: the problem has none
     * @param said key words of the problem
     */
    private record Mistake(String file, String steps, int line, String... said) {

        void in(Path routes) throws IOException {
            Files.writeString(routes.resolve(file), steps.startsWith("- route") || !steps.startsWith("- ") ? steps
                    : "- route:\n    id: ID\n    group: process\n    from:\n      uri: direct:ID\n      steps:\n"
                            .replace("ID", file.replace(".camel.yaml", "")) + steps.indent(8));
        }

        void assertTold(Result result, Path routes) {
            assertEquals(1, result.status(), result::toString);
            String place = routes.resolve(file) + (line > 0 ? ":" + line : "") + ": ";
            assertTrue(result.output().stream().anyMatch(problem -> problem.startsWith(place) && Stream.of(said).allMatch(problem::contains)),
                    () -> "no problem at " + place + " with " + List.of(said) + ":\n" + String.join("\n", result.output()));
        }
    }

    private static final String TWICE = "- route:\n    id: x-twice\n    group: process\n    from:\n      uri: direct:%s\n      steps:\n        - log: x\n";
    private static final List<Mistake> MISTAKES = List.of(
            new Mistake("process-x-again.camel.yaml", TWICE.formatted("x-again"), 1, "x-twice", "more than once"),
            new Mistake("process-x-twice.camel.yaml", TWICE.formatted("x-twice"), 1, "x-twice", "more than once"),
            new Mistake("process-x-syntax.camel.yaml", "- route: {{{\n\t: [", 2, "found"),
            new Mistake("process-x-empty.camel.yaml", "", 0, "empty", "- route:"),
            new Mistake("process-x-map.camel.yaml", "route:\n  id: x\n", 0, "list", "- route:"),
            new Mistake("process-x-step.camel.yaml", "- teleport:\n    uri: log:x\n- jump: x", 7, "unknown step", "teleport"),
            new Mistake("process-x-key.camel.yaml", "- to:\n    urii: log:x", 8, "unknown key", "urii"),
            new Mistake("process-x-type.camel.yaml", "- log:\n    message:\n      a: b", 9, "map", "key-value"),
            new Mistake("process-x-enum.camel.yaml", "- marshal:\n    json:\n      library: Papyrus", 9, "JsonLibrary", "Papyrus"),
            new Mistake("process-x-setting.camel.yaml", "- log: \"{{callbridge.nope}}\"", 7, "callbridge.nope"),
            new Mistake("process-x-bean.camel.yaml", "- log: one\n- bean:\n    ref: noSuchBean", 8, "noSuchBean"),
            new Mistake("process-x-method.camel.yaml", "- bean:\n    ref: effects\n    method: explane", 7, "effects", "explane", "explain"),
            new Mistake("process-x-template.camel.yaml", "- setBody: {constant: a}\n- setBody: {simple: \"${header.name}\"}\n"
                    + "- bean: {ref: jsonTemplate, method: json}", 9, "jsonTemplate", "constant"),
            new Mistake("process-x-strategy.camel.yaml", "- aggregate: {correlationExpression: {constant: a},"
                    + " aggregationStrategy: noStrategy, completionSize: 2, steps: [{log: x}]}", 7, "noStrategy"),
            new Mistake("process-x-component.camel.yaml", "- to: {uri: \"carrier-pigeon:crm\"}", 7, "carrier-pigeon"),
            new Mistake("process-x-parameter.camel.yaml", "- to:\n    uri: log:x\n    parameters:\n      nonsense: 1", 7, "log", "nonsense"),
            new Mistake("process-x-format.camel.yaml", "- unmarshal:\n    csv: {}", 7, "csv"),
            new Mistake("process-x-language.camel.yaml", "- setBody:\n    language:\n      language: klingon\n      expression: x", 7, "klingon"),
            new Mistake("process-x-simple.camel.yaml", "- filter:\n    simple: \"${body} === maybe (\"\n    steps:\n      - log: x", 7, "==="),
            new Mistake("process-x-variable.camel.yaml", "- setBody:\n    constant: |\n      [\n       ${variable.result}, ${variable.forwrded}]", 10,
                    "forwrded", "forwarded"),
            new Mistake("process-x-variable-when.camel.yaml", """
                    - setVariable: {name: colour, constant: red}
                    - choice:
                        when:
                          - {simple: "${variableAs(color,String)} == 'red'", steps: [{log: x}]}""", 10, "color", "colour"),
            new Mistake("process-x-when.camel.yaml", """
                    - choice:
                        when:
                          - {simple: "${body} == 1", steps: [{log: x}]}
                          - {simple: "${body", steps: [{log: x}]}""", 10, "${body"),
            new Mistake("process-x-catch.camel.yaml", """
                    - doTry:
                        steps:
                          - log: x
                        doCatch:
                          - {exception: [io.callbridge.NoSuchException], steps: [{log: x}]}""", 11, "io.callbridge.NoSuchException"),
            new Mistake("process-x-channel.camel.yaml", "- to:\n    uri: direct:nobody", 7, "direct:nobody", "no route consumes it"),
            new Mistake("process-x-from.camel.yaml", "- route:\n    id: x-from\n    from:\n      uri: pigeon:x\n      steps:\n        - log: x", 4, "pigeon"),
            new Mistake("process-x-shared.camel.yaml",
                    "- route:\n    id: x-shared\n    routeConfigurationId: no-errors\n    from:\n      uri: direct:x\n      steps:\n        - log: x",
                    1, "routeConfigurationId", "no-errors"),
            new Mistake("shared-x-errors.camel.yaml", """
                    - routeConfiguration:
                        id: x-errors
                        onException:
                          - onException:
                              exception: [io.callbridge.NoSuchException]
                              steps: [{log: x}]
                    - route: {id: x-errors, routeConfigurationId: x-errors, from: {uri: direct:x-errors, steps: [{log: x}]}}
                    """, 4, "io.callbridge.NoSuchException"));

    @TempDir
    private Path folder;
    private Path routes;

    @BeforeEach
    void copyRoutes() throws IOException {
        routes = Files.createDirectory(folder.resolve("edited"));
        try (Stream<Path> files = Files.list(Path.of("routes"))) {
            for (Path file : files.toList()) {
                Files.copy(file, routes.resolve(file.getFileName()));
            }
        }
    }

    /** With each adapter that there is, and the settings that each cannot do without. */
    @Test
    void theProjectsOwnRoutesHaveNoProblem() {
        Command command = command().setting("callbridge.crm.active", "rest,bitrix24,amocrm,retailcrm,hubspot,vtiger");
        CRMS.forEach((key, value) -> command.setting("callbridge.crm." + key, value));
        Result result = command.run("--check-routes", routes.toString());
        assertTrue(result.status() == 0 && result.errors().isEmpty() && result.output().size() == 1, result::toString);
        assertTrue(result.output().get(0).matches("[0-9]{2,} files, [0-9]{2,} routes: no problems"), result::toString);
    }

    @Test
    void everyMistakeIsToldAndNoneHidesAnother() throws IOException {
        for (Mistake mistake : MISTAKES) {
            mistake.in(routes);
        }
        Result result = command().run("--check-routes", routes.toString());
        MISTAKES.forEach(mistake -> mistake.assertTold(result, routes));
        assertEquals(MISTAKES.size() + 1, result.output().size(), () -> "not one line for each:\n" + String.join("\n", result.output()));
        List<String> places = result.output().subList(0, MISTAKES.size()).stream().map(problem -> problem.replaceFirst(": .*", "")).toList();
        assertEquals(places.stream().sorted().toList(), places, "not in the order of the files");
        assertTrue(result.output().get(MISTAKES.size()).startsWith(MISTAKES.size() + " problems in "), result::toString);
    }

    /** A file that is broken is the only problem of the others that need it; one that is missing is one of those. */
    @Test
    void whatIsBrokenMissingOrSetWronglyIsTold() throws IOException {
        Path errors = routes.resolve("shared-errors.camel.yaml");
        Files.writeString(errors, Files.readString(errors).replaceFirst("onException:", "onExeption:"));
        Path rest = routes.resolve("deliver-rest.camel.yaml");
        Files.writeString(rest, Files.readString(rest) + "\n\t: [");
        Files.delete(routes.resolve("process-event.camel.yaml"));
        Result result = command().setting("callbridge.calls.missd-delay", "1s").setting("callbridge.crm.active", "rest,abacus,hubspot")
                .setting("callbridge.calls.settle-delay", "soon").run("--check-routes", routes.toString());
        assertEquals(1, result.status());
        for (String said : List.of("deliver-rest.camel.yaml:[0-9]+: .*", "shared-errors.camel.yaml:[0-9]+: .*onExeption.*",
                "direct:process-event,.*", "abacus.*direct:deliver-abacus-call.*", "callbridge.calls.missd-delay.*",
                "callbridge.calls.settle-delay is 'soon'; allowed: a duration.*", "callbridge.crm.hubspot.token.*")) {
            assertTrue(result.output().stream().anyMatch(line -> line.matches(".*" + said)), () -> said + " is not in " + result);
        }
        assertEquals(8, result.output().size(), () -> String.join("\n", result.output()));
    }

    @Test
    void aBrokenFileOfACrmThatIsNotActiveIsToldAndKeepsNobodyFromStarting() throws IOException {
        Mistake mistake = new Mistake("deliver-hubspot.camel.yaml", "- route: {{{", 1, "found");
        mistake.in(routes);
        Result result = command().run("--check-routes", routes.toString());
        mistake.assertTold(result, routes);
        assertEquals(2, result.output().size(), result::toString);
        try (BridgeProcess bridge = BridgeProcess.builder().editRoutes(mistake::in).start()) {
            List<String> started = bridge.output().lines().filter(line -> line.contains("] route ")).toList();
            assertTrue(started.stream().anyMatch(line -> line.contains(" deliver-rest-call ")), bridge::tail);
            assertEquals(List.of(), started.stream().filter(line ->
                    line.matches(".* route (deliver-(amocrm|bitrix24|hubspot|retailcrm|vtiger)|ingest-(tcp|asterisk)).*")).toList());
        }
    }

    @Test
    void whatIsUsedMayNotBeInAFileThatIsNotLoaded() throws IOException {
        Path tcp = routes.resolve("ingest-tcp.camel.yaml");
        Files.writeString(tcp, Files.readString(tcp) + "- route:\n    id: own\n    from:\n      uri: direct:own\n      steps:\n        - log: x\n");
        Mistake mistake = new Mistake("process-x-own.camel.yaml", "- to:\n    uri: direct:own", 7, "direct:own", "no route consumes it");
        mistake.in(routes);
        Result result = command().run("--check-routes", routes.toString());
        mistake.assertTold(result, routes);
        assertEquals(2, result.output().size(), result::toString);
        assertEquals(0, command().setting("callbridge.tcp.port", "6400").run("--check-routes", routes.toString()).status());
    }

    @Test
    void nothingIsStartedOrWritten() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Result result = new Command(folder).setting("quarkus.http.host", "127.0.0.1")
                    .setting("quarkus.http.port", Integer.toString(taken.getLocalPort()))
                    .setting("callbridge.store.url", "jdbc:sqlite:" + folder.resolve("data/callbridge.db"))
                    .setting("callbridge.tcp.port", Integer.toString(taken.getLocalPort()))
                    .setting("java.io.tmpdir", folder.toString()).setting("callbridge.demo", "true")
                    .setting("callbridge.pbx.demo.ami.host", "127.0.0.1")
                    .setting("callbridge.pbx.demo.ami.port", Integer.toString(taken.getLocalPort()))
                    .setting("callbridge.pbx.demo.ami.username", "u").setting("callbridge.pbx.demo.ami.secret", "s")
                    .setting("callbridge.pbx.demo.ami.trunks", "t").run("--check-routes");
            assertEquals(0, result.status(), () -> "the packaged routes: " + result);
            taken.setSoTimeout(1);
            assertThrows(SocketTimeoutException.class, taken::accept, "somebody was called");
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(routes), left.toList());
        }
    }

    @Test
    void withoutAFolderThatOfAStartIsCheckedAndWithoutRoutesThereIsAProblem() throws IOException {
        Path own = Files.createDirectory(folder.resolve("routes"));
        Files.writeString(own.resolve("process-own.camel.yaml"), "- rout:\n    id: x\n");
        Result result = command().run("--check-routes");
        assertEquals(1, result.status());
        assertTrue(result.output().stream().anyMatch(line -> line.startsWith("routes/process-own.camel.yaml:1: unknown step rout")),
                result::toString);
        for (String without : List.of("nowhere", ".")) {
            result = command().run("--check-routes", without);
            assertEquals(1, result.status());
            assertTrue(result.output().get(0).contains(without) && result.output().get(0).contains("<stage>-<subject>.camel.yaml"), result::toString);
            assertEquals("1 problem in 0 files", result.output().get(1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--chek-routes routes", "--check-routes routes more"})
    void anythingElseIsAnsweredWithItsUsage(String arguments) {
        Result result = command().run(arguments.split(" "));
        assertEquals(2, result.status(), result::toString);
        assertEquals(List.of("usage: callbridge [--check-routes [DIR]]"), result.errors());
    }

    private Command command() {
        return new Command(folder).setting("java.io.tmpdir", folder.toString()).setting("callbridge.crm.rest.url", "https://crm.example/");
    }
}
