package io.callbridge;

import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.wireMockConfig;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.tomakehurst.wiremock.WireMockServer;
import io.callbridge.crm.StandIn.Reply;
import io.callbridge.crm.StandIn;
import io.callbridge.support.BridgeProcess.Command.Result;
import io.callbridge.support.BridgeProcess.Command;
import io.callbridge.support.BridgeProcess.Refusal;
import io.callbridge.support.BridgeProcess.RoutesEdit;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.Certificates;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.ExamplePbx;
import io.callbridge.support.FakeCollector;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.FakeOidcProvider;
import io.callbridge.support.Pages;
import io.callbridge.support.Ports;
import io.callbridge.support.Scenario;
import io.callbridge.support.TestCall;
import io.callbridge.support.Vocabulary;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What an integrator does without a compiler: edits routes and settings, wherever they may stand, and trusts certificates. It counts at
 * the next start; a mistake stops that start with one line that says where it is, and {@code --check-routes} tells him the first mistake
 * of each route with file and line before he rolls out, and starts nothing.
 */
@Tag("native")
class IntegratorIT {

    private static final String OUTCOME = "process-outcome.camel.yaml";
    /** The condition of the branch that drops local calls never holds any more. */
    private static final RoutesEdit LOCAL_CALLS_TOO = RoutesEdit.replacing(OUTCOME, "(\\$\\{variable.)local} == true",
            "$0 && $1direction} == 'never'");
    private static final String EXTRA = "process-extra.camel.yaml";
    private static final Pattern TRACE = Pattern.compile("^\\s+at [\\w.$/]+\\(|^Caused by:|^Exception in ");
    private static final Pattern COMPLAINT = Pattern.compile("\\b(ERROR|FATAL|SEVERE)\\b|Exception\\b|Callbridge cannot start");
    private static final Pattern LOGGED = Pattern.compile("^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d,\\d{3} ");

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
    @AutoClose
    private final FakeCrm crm = new FakeCrm();
    @AutoClose
    private final FakeCollector collector = new FakeCollector();
    @AutoClose
    private final FakeOidcProvider provider = new FakeOidcProvider();
    private final int tcp = Ports.free();

    /**
     * A decision edited in place, the file of an adapter that routes/README.md shows, as it stands there, and settings from the environment,
     * as in a container: nothing on the command line that is worth protecting, and no file.
     */
    @Test
    void whatIsEditedAddedAndSetCountsWithoutABuild() throws IOException {
        String adapter = Pages.routes().stream().filter(file -> file.contains("id: deliver-acme-")).findFirst().orElseThrow();
        List<Reply> answers = new ArrayList<>();
        StandIn acme = new StandIn() {
            @Override
            protected Reply answer(Request request) {
                return answers.size() > 1 ? answers.remove(0) : answers.get(0);
            }
        };
        // It fails, knows the token no more, has moved, and wants somebody to sign in: none of that costs a call.
        answers.addAll(List.of(Reply.empty(500), Reply.empty(401), Reply.empty(403),
                new Reply(302, null, "", Map.of("Location", acme.origin() + "/login")),
                new Reply(200, "text/html", "<html><title>Sign in</title>", Map.of()), Reply.empty(201)));
        int wanted = answers.size() + 1;
        String branch = "secret-from-the-environment";
        BridgeProcess.Builder builder = builder().editRoutes(LOCAL_CALLS_TOO)
                .editRoutes(routes -> Files.writeString(routes.resolve("deliver-acme.camel.yaml"), adapter))
                .setting("callbridge.crm.active", "rest,acme").setting("callbridge.crm.acme.url", acme.origin() + "/calls")
                .setting("callbridge.crm.acme.token", "acme-token").setting("callbridge.crm.acme.users.anna", "7").quickRetries()
                .without("callbridge.crm.rest.token").environment("CALLBRIDGE_CRM_REST_TOKEN", FakeCrm.TOKEN)
                .environment("CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_USER", "anna")
                .environment("CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_ID", ExamplePbx.idOf("101"))
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_SECRET", branch)
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_PREFIX", ExamplePbx.PREFIX)
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_DOMAIN", ExamplePbx.DOMAIN)
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_DEFAULT_USER", "anna");
        ExamplePbx.settings().keySet().stream().filter(key -> key.contains(".101.")).forEach(builder::without);
        try (acme; BridgeProcess bridge = builder.start()) {
            TestCall talk = TestCall.incoming("101", FakeCrm.IVANOV);
            bridge.webhook().accept(talk.answered());
            TestCall missed = TestCall.incoming("101", FakeCrm.PETROVA);
            bridge.webhook().accept(missed.missed());
            String call = "{\"key\":\"" + talk.legId() + "\",\"agent\":\"7\",\"phone\":\"" + FakeCrm.IVANOV
                    + "\",\"way\":\"in\",\"outcome\":\"answered\",\"seconds\":30}";
            String none = "{\"key\":\"" + missed.callId() + "\",\"agent\":\"7\",\"phone\":\"" + FakeCrm.PETROVA + "\",\"outcome\":\"missed\"}";
            await("both at the CRM").untilAsserted(() -> {
                assertEquals(wanted, acme.requests().size());
                assertTrue(acme.requests().stream().map(StandIn.Request::text).toList().containsAll(List.of(call, none)));
                acme.requests().forEach(request -> assertEquals("POST /calls Bearer acme-token",
                        request.method() + " " + request.path() + " " + request.header("Authorization")));
            });
            await("the other CRM has the missed call").until(() -> crm.has(Kind.MISSED, missed.callId()));
            assertRegistered(talk);
            TestCall other = TestCall.incoming("101", FakeCrm.IVANOV);
            bridge.webhook(branch).accept(other.answered());
            assertRegistered(other);
            Scenario local = Scenario.of("S29");
            bridge.webhook().accept(local.events().stream().map(Scenario.Event::fields).toList());
            String id = local.events().get(0).fields().get("CallID");
            await("a local call").until(() -> crm.requests(Kind.CALL).stream().anyMatch(written -> written.member("callId").equals(id)));
        }
    }

    /** Read, built, and put together: each stops the start in another place. What a setting may be the tests of the configuration know. */
    @TestFactory
    Stream<DynamicTest> mistakesStopTheStartWithOneLine() throws IOException {
        String contents = "the minutes of the last meeting\n".repeat(200);
        Path minutes = Files.writeString(folder.resolve("minutes.txt"), contents);
        String taken = Integer.toString(URI.create(crm.url()).getPort());
        return Stream.of(
                refused("a key that does not exist", builder().editRoutes(extra("- to:\n    urii: log:x")), EXTRA + ":8: ", "urii"),
                refused("a missing bean", builder().editRoutes(extra("- log: one\n- bean: {ref: noSuchBean}")), EXTRA + ":8: ", "noSuchBean"),
                refused("an expression that cannot be read", builder().editRoutes(extra("- log: \"${body\"")), EXTRA, "${body"),
                refused("a route id that is there twice", builder().editRoutes(
                        routes -> Files.copy(routes.resolve(OUTCOME), routes.resolve("process-outcome-copy.camel.yaml"))), "process-outcome"),
                refused("a missing file", builder().editRoutes(routes -> Files.delete(routes.resolve("process-event.camel.yaml"))),
                        "direct:process-event"),
                refused("in the environment", builder().without("callbridge.calls.missed-delay").environment("CALLBRIDGE_CALLS_MISSED_DELAY", "soon"),
                        "callbridge.calls.missed-delay", "soon"),
                refused("a misspelt variable", builder().environment("CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_USR", "anna"),
                        "CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_USR"),
                refused("a reference to what is not there", url("${nowhere}"), "callbridge.store.url", "${...}"),
                refused("a store that cannot be created", url("jdbc:sqlite:" + minutes + "/callbridge.db"),
                        "callbridge.store.url", "minutes.txt"),
                refused("a store that is no database", url("jdbc:sqlite:" + minutes), "callbridge.store.url", "minutes.txt"),
                DynamicTest.dynamicTest("which is left alone", () -> assertEquals(contents, Files.readString(minutes))),
                refused("a database that is away", url("jdbc:postgresql://anna:do-not@127.0.0.1:1/calls?password=do-not"),
                        "callbridge.store.url", "127.0.0.1"),
                refused("a port that is taken", builder().setting("callbridge.tcp.port", taken),
                        "callbridge.tcp.port is '" + taken + "'; allowed: "));
    }

    private BridgeProcess.Builder url(String ofStore) {
        return builder().setting("callbridge.store.url", ofStore);
    }

    /** As in a container, which has no folder with routes either. */
    @Test
    void everySettingCountsFromTheEnvironment() throws IOException {
        BridgeProcess.Builder builder = BridgeProcess.builder().bare().withoutRoutesFolder();
        places().forEach(part -> variables(part).forEach(builder::environment));
        assertEverySettingCounts(builder);
    }

    @Test
    void everySettingCountsFromEveryFileThatQuarkusReads() throws IOException {
        List<Map<String, String>> places = places();
        assertEverySettingCounts(BridgeProcess.builder().bare().editRoutes(routes -> {
            Path beside = routes.getParent();
            write(beside.resolve("config/application.properties"), places.get(0));
            write(beside.resolve(".env"), variables(places.get(1)));
            write(folder.resolve("conf.d/bridge.properties"), places.get(2));
            write(folder.resolve("conf.d/login.properties"), places.get(3));
        }).environment("QUARKUS_CONFIG_LOCATIONS",
                folder.resolve("conf.d") + "," + write(folder.resolve("more.properties"), places.get(4))));
    }

    /** A key of each kind; those by -D are what all other tests start with. */
    private List<Map<String, String>> places() {
        return List.of(
                Map.of("callbridge.store.url", "jdbc:sqlite:" + folder.resolve("there.db"), "callbridge.tcp.port", Integer.toString(tcp)),
                Map.of("callbridge.crm.active", "rest,vtiger", "callbridge.crm.rest.url", crm.url(),
                        "callbridge.crm.rest.token", FakeCrm.TOKEN, "callbridge.crm.vtiger.url", "http://127.0.0.1:1/",
                        "callbridge.crm.vtiger.secret", "s"),
                Map.of("callbridge.pbx.main.secret", "secret-of-every-place", "callbridge.pbx.main.prefix", "453",
                        "callbridge.pbx.main.extensions.101.user", "anna", "callbridge.pbx.main.extensions.101.id", "71101"),
                provider.settings("anna"), Map.of("callbridge.tracing.endpoint", collector.url()));
    }

    private static Map<String, String> variables(Map<String, String> settings) {
        return settings.entrySet().stream().collect(Collectors.toMap(
                setting -> setting.getKey().toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_"), Map.Entry::getValue));
    }

    private static Path write(Path file, Map<String, String> settings) throws IOException {
        Files.createDirectories(file.getParent());
        return Files.write(file, settings.entrySet().stream().map(Map.Entry::toString).toList());
    }

    private void assertEverySettingCounts(BridgeProcess.Builder builder) throws IOException {
        try (BridgeProcess bridge = builder.start()) {
            TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
            assertEquals(200, bridge.webhook("secret-of-every-place").send(call.dialIn()).statusCode(), bridge::tail);
            await().until(() -> crm.has(Kind.CARD, call.legId()));
            assertEquals("anna", crm.requests(Kind.CARD, call.legId()).get(0).member("user"));
            HttpResponse<String> login = bridge.get("/api/login/start");
            new Socket(InetAddress.getLoopbackAddress(), tcp).close();
            assertTrue(Files.exists(folder.resolve("there.db")), "the store");
            assertTrue(bridge.output().contains("CRM vtiger: "), "the list of CRMs");
            assertEquals(302, login.statusCode());
            assertTrue(login.headers().firstValue("Location").orElse("").startsWith(provider.url()), "the login");
            await("the collector").until(() -> !collector.spans().isEmpty());
            assertFalse(bridge.output().contains("health down"), "probes during the start are logged");
        }
    }

    /** CRMs on the premises, with certificates that no public authority has signed. */
    @Test
    void onlyACrmWhoseAuthorityIsKnownGetsCalls() throws Exception {
        String[] known = Certificates.in(folder, "known");
        Certificates.in(folder, "unknown");
        try (FakeCrm trusted = new FakeCrm(Certificates.context(folder, "known", "known"));
                FakeCrm stranger = new FakeCrm(Certificates.context(folder, "unknown", "unknown"));
                BridgeProcess bridge = BridgeProcess.builder().crm(trusted).quickRetries().setting("callbridge.crm.tls-ca", known[0])
                        .setting("callbridge.crm.active", "rest,vtiger").setting("callbridge.crm.vtiger.url", stranger.url())
                        .setting("callbridge.crm.vtiger.secret", "secret-of-the-tests").start()) {
            TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
            bridge.webhook().accept(call.answered());
            trusted.awaitCall(call);
            await("an attempt at the stranger's").until(() -> bridge.call(call.callId()).path("deliveries").toString()
                    .contains("certification path"));
            assertEquals(List.of(), stranger.requests());
        }
    }

    /** Everything that routes/README.md says a route may use, each in a route of its own. */
    @Test
    void whatARouteMayUseWorks() {
        WireMockServer stranger = new WireMockServer(wireMockConfig().dynamicPort().dynamicHttpsPort());
        stranger.start();
        try (BridgeProcess bridge = BridgeProcess.builder().setting("vocabulary.netty.port", Integer.toString(Ports.free()))
                .setting("vocabulary.https.port", Integer.toString(stranger.httpsPort())).editRoutes(routes -> {
                    for (Vocabulary.Word word : Vocabulary.words()) {
                        Files.writeString(routes.resolve(word.file()), word.route());
                    }
                }).start()) {
            assertAll(Vocabulary.words().stream().map(word -> () -> {
                HttpResponse<String> answer = bridge.get(word.path() + "?number=7");
                assertEquals("200 " + word.answer(), answer.statusCode() + " " + answer.body(), () -> word + bridge.tail());
            }));
            // What its answer does not show.
            assertTrue(bridge.output().contains("the step log speaks"), bridge::tail);
            assertTrue(bridge.output().contains("Body: the component log speaks"), bridge::tail);
        } finally {
            stranger.stop();
        }
    }

    private BridgeProcess.Builder builder() {
        return BridgeProcess.builder().crm(crm);
    }

    private void assertRegistered(TestCall call) {
        crm.awaitCall(call);
        CrmRequest written = crm.requests(Kind.CALL, call.legId()).get(0);
        assertEquals("anna", written.member("user"));
        assertEquals("Bearer " + FakeCrm.TOKEN, written.header("Authorization"));
    }

    /** Not started, and the reason is one line after the log, the only complaint, without a stack trace. */
    private static DynamicTest refused(String name, BridgeProcess.Builder builder, String... named) {
        return DynamicTest.dynamicTest(name, () -> {
            Refusal refusal = builder.startExpectingRefusal();
            assertNotEquals(0, refusal.exitCode(), refusal::output);
            assertFalse(refusal.output().contains("do-not"), refusal::output);
            List<String> lines = refusal.output().lines().toList();
            assertFalse(lines.stream().anyMatch(line -> TRACE.matcher(line).find()), () -> "a stack trace:\n" + refusal.output());
            List<String> said = lines.subList(1 + IntStream.range(0, lines.size()).filter(i -> LOGGED.matcher(lines.get(i)).find()).max()
                    .orElse(-1), lines.size());
            assertEquals(1, said.size(), () -> "not one line:\n" + refusal.output());
            assertEquals(said, lines.stream().filter(line -> COMPLAINT.matcher(line).find()).toList(), refusal::output);
            Stream.of(named).forEach(one -> assertTrue(said.get(0).contains(one), () -> "does not name '" + one + "': " + said));
        });
    }

    /** Adds a route of its own with these steps. */
    private static RoutesEdit extra(String steps) {
        return new Mistake(EXTRA, steps, 0)::in;
    }

    @BeforeEach
    void copyRoutes() throws IOException {
        routes = Files.createDirectory(folder.resolve("edited"));
        for (Path file : Pages.below(Path.of("routes")).filter(Files::isRegularFile).toList()) {
            Files.copy(file, routes.resolve(file.getFileName()));
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
