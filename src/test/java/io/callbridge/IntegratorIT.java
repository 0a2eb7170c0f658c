package io.callbridge;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.anyRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.moreThanOrExactly;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.postRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.urlEqualTo;
import static com.github.tomakehurst.wiremock.stubbing.Scenario.STARTED;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.wireMockConfig;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.BridgeProcess.Refusal;
import io.callbridge.support.BridgeProcess.RoutesEdit;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.ExamplePbx;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Pages;
import io.callbridge.support.Scenario;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * What an integrator does without a compiler: edits routes and settings beside the packaged application. An edit counts at
 * the next start; a mistake stops that start with one line that says where it is.
 */
class IntegratorIT {

    private static final Duration SOON = Duration.ofSeconds(90);
    private static final String OUTCOME = "process-outcome.camel.yaml";
    private static final Pattern IS_LOCAL = Pattern.compile("(['\"]?)\\$\\{variable\\.local\\}( == '?true'?)?");
    private static final Pattern TRACE = Pattern.compile("^\\s+at [\\w.$/]+\\(|^Caused by:|^Exception in ");
    private static final Pattern COMPLAINT = Pattern.compile("\\b(ERROR|FATAL|SEVERE)\\b|Exception\\b|Callbridge cannot start");
    private static final Pattern LOGGED = Pattern.compile("^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d,\\d{3} ");

    @TempDir
    private Path scratch;
    private FakeCrm crm;

    @BeforeEach
    void startCrm() {
        crm = new FakeCrm();
    }

    @AfterEach
    void stopCrm() {
        crm.close();
    }

    @Test
    void anEditedDecisionCountsWithoutABuild() {
        Scenario local = Scenario.of("S29");
        try (BridgeProcess bridge = builder().editRoutes(IntegratorIT::registerLocalCalls).start()) {
            bridge.webhook().accept(local.events().stream().map(Scenario.Event::fields).toList());
            await("registration of a local call").atMost(SOON).until(() -> !crm.requests(Kind.CALL).isEmpty());
            CrmRequest written = crm.requests(Kind.CALL).get(0);
            assertTrue(local.ids().contains(written.id()), written::toString);
            assertEquals(local.events().get(0).fields().get("CallID"), written.member("callId"));
        }
    }

    @Test
    void thePackagedRoutesServeWhereNoFolderIs() {
        try (BridgeProcess bridge = builder().withoutRoutesFolder().start()) {
            assertCallWorks(bridge);
        }
    }

    /** The file that routes/README.md shows, as it stands there. */
    @Test
    void aCrmOfOnesOwnIsOneFile() throws IOException {
        String adapter = Pages.routes().stream().filter(file -> file.contains("id: deliver-acme-")).findFirst().orElseThrow();
        WireMockServer acme = new WireMockServer(wireMockConfig().dynamicPort());
        acme.start();
        // It fails, knows the token no more, has moved, and wants somebody to sign in: none of that costs a call.
        List<ResponseDefinitionBuilder> answers = List.of(aResponse().withStatus(500), aResponse().withStatus(401), aResponse().withStatus(403),
                aResponse().withStatus(302).withHeader("Location", acme.baseUrl() + "/login"),
                aResponse().withStatus(200).withHeader("Content-Type", "text/html").withBody("<html><title>Sign in</title>"));
        for (int i = 0; i < answers.size(); i++) {
            acme.stubFor(post("/calls").willReturn(answers.get(i)).inScenario("acme")
                    .whenScenarioStateIs(i == 0 ? STARTED : Integer.toString(i)).willSetStateTo(Integer.toString(i + 1)));
        }
        acme.stubFor(post("/calls").willReturn(aResponse().withStatus(201)).inScenario("acme").whenScenarioStateIs(Integer.toString(answers.size())));
        try (BridgeProcess bridge = builder().editRoutes(routes -> Files.writeString(routes.resolve("deliver-acme.camel.yaml"), adapter))
                .setting("callbridge.crm.active", "rest,acme").setting("callbridge.crm.acme.url", acme.baseUrl() + "/calls")
                .setting("callbridge.crm.acme.token", "acme-token").setting("callbridge.crm.acme.users.anna", "7").quickRetries().start()) {
            TestCall talk = TestCall.incoming("101", FakeCrm.IVANOV);
            bridge.webhook().accept(talk.answered());
            TestCall missed = TestCall.incoming("101", FakeCrm.PETROVA);
            bridge.webhook().accept(missed.missed());
            String call = "{\"key\":\"" + talk.legId() + "\",\"agent\":\"7\",\"phone\":\"" + FakeCrm.IVANOV
                    + "\",\"way\":\"in\",\"outcome\":\"answered\",\"seconds\":30}";
            String none = "{\"key\":\"" + missed.callId() + "\",\"agent\":\"7\",\"phone\":\"" + FakeCrm.PETROVA + "\",\"outcome\":\"missed\"}";
            await("both at the CRM").atMost(SOON).untilAsserted(() -> {
                assertEquals(answers.size() + 2, acme.countRequestsMatching(anyRequestedFor(anyUrl()).build()).getCount());
                for (String body : List.of(call, none)) {
                    acme.verify(moreThanOrExactly(1), postRequestedFor(urlEqualTo("/calls")).withRequestBody(equalTo(body))
                            .withHeader("Authorization", equalTo("Bearer acme-token")));
                }
            });
            await("the other CRM has them too").atMost(SOON).until(() -> crm.has(Kind.CALL, talk.legId()) && crm.has(Kind.MISSED, missed.callId()));
        } finally {
            acme.stop();
        }
    }

    /** As in a container: nothing on the command line that is worth protecting, and no file. */
    @Test
    void settingsFromTheEnvironmentCount() {
        String secret = "secret-from-the-environment";
        BridgeProcess.Builder builder = builder().without("callbridge.crm.rest.token")
                .environment("CALLBRIDGE_CRM_REST_TOKEN", FakeCrm.TOKEN)
                .environment("CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_USER", "anna")
                .environment("CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_ID", ExamplePbx.idOf("101"))
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_SECRET", secret)
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_PREFIX", ExamplePbx.PREFIX)
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_DOMAIN", ExamplePbx.DOMAIN)
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_DEFAULT_USER", "anna");
        ExamplePbx.settings().keySet().stream().filter(key -> key.contains(".101.")).forEach(builder::without);
        try (BridgeProcess bridge = builder.start()) {
            assertCallWorks(bridge);
            assertCallWorks(bridge.webhook(secret));
        }
    }

    @Test
    void aBrokenRouteIsRefusedWithFileLineAndKey() {
        int[] line = new int[1];
        Refusal refusal = builder().editRoutes(routes -> {
            List<String> lines = Files.readAllLines(routes.resolve(OUTCOME));
            while (!lines.get(line[0]).strip().startsWith("uri:")) {
                line[0]++;
            }
            lines.set(line[0], lines.get(line[0]).replace("uri:", "urii:"));
            Files.write(routes.resolve(OUTCOME), lines);
        }).startExpectingRefusal();
        assertRefused(refusal, OUTCOME, "urii");
        String said = complaint(refusal);
        assertTrue(Pattern.compile("\\b" + (line[0] + 1) + "\\b").matcher(said).find(),
                () -> "does not name line " + (line[0] + 1) + ": " + said);
    }

    @TestFactory
    Stream<DynamicTest> mistakesInRoutesStopTheStartWithOneLine() {
        return Stream.of(
                badRoutes("a folder without routes", IntegratorIT::deleteAll, "routes"),
                badRoutes("a missing bean", extra("""
                        - bean:
                            ref: noSuchBean
                        """), "noSuchBean"),
                badRoutes("a setting that does not exist", extra("""
                        - setBody:
                            constant: "{{callbridge.nope}}"
                        """), "callbridge.nope"),
                badRoutes("a step that does not exist", extra("""
                        - teleport:
                            uri: direct:process-event
                        """), "teleport", "process-extra.camel.yaml"),
                badRoutes("a component that is not there", extra("""
                        - to:
                            uri: carrier-pigeon:crm
                        """), "carrier-pigeon"),
                badRoutes("an expression that cannot be read", extra("""
                        - filter:
                            simple: "${variable.local} === maybe ("
                            steps:
                              - setBody:
                                  constant: never
                        """), "process-extra"),
                badRoutes("a route id that is there twice",
                        r -> Files.copy(r.resolve(OUTCOME), r.resolve("process-outcome-copy.camel.yaml")),
                        "process-outcome"),
                badRoutes("a file that is no YAML",
                        r -> Files.writeString(r.resolve("process-extra.camel.yaml"), "- route: {{{\n\t: ["),
                        "process-extra.camel.yaml"),
                badRoutes("an empty file", r -> Files.writeString(r.resolve(OUTCOME), ""), "process-outcome"),
                badRoutes("a missing file", r -> Files.delete(r.resolve(OUTCOME)), "process-outcome"),
                badRoutes("a missing file that no route sends to",
                        r -> Files.delete(r.resolve("process-event.camel.yaml")), "direct:process-event"),
                badRoutes("a missing file that no other route of its stage sends to",
                        r -> Files.delete(r.resolve("deliver-outbox.camel.yaml")), "direct:deliver-outbox"));
    }

    @TestFactory
    Stream<DynamicTest> mistakesInSettingsStopTheStartWithOneLine() {
        return Stream.of(
                badSetting("an unknown key", "callbridge.calls.missd-delay", "1s"),
                badSetting("an unknown key of a PBX", "callbridge.pbx.main.extensions.101.usr", "anna"),
                badSetting("an unknown part", "callbridge.telepathy", "true"),
                badSetting("a delay that is none", "callbridge.calls.missed-delay", "soon", "soon"),
                badSetting("a retention that keeps nothing", "callbridge.store.retention", "30s", "30s"),
                badSetting("a negative delay", "callbridge.calls.settle-delay", "-1s", "-1s"),
                badSetting("a switch that is none", "callbridge.calls.forwarded-as-outgoing", "perhaps", "perhaps"),
                badSetting("a country that is none", "callbridge.pbx.main.country", "XX1", "XX1"),
                badSetting("an unknown type of extension", "callbridge.pbx.main.extensions.101.type", "telephone",
                        "telephone", "phone", "ivr", "queue", "fax"),
                badSetting("a CRM that does not exist", "callbridge.crm.active", "abacus", "abacus"),
                badSetting("a CRM that is a route but no adapter", "callbridge.crm.active", "outbox", "deliver-outbox-call"),
                badSetting("no CRM", "callbridge.crm.active", "", "''", "rest"),
                badSetting("a delay that is empty", "callbridge.calls.missed-delay", "", "''", "5s"),
                badSetting("a number that is none", "callbridge.demo.pause-ms", "abc", "'abc'", "whole number"),
                badSetting("a store that is empty", "callbridge.store.url", "", "''", "jdbc:sqlite:<file>"),
                badSetting("a store in memory", "callbridge.store.url", "jdbc:sqlite::memory:", "jdbc:sqlite:<file>"),
                badSetting("a reference to what is not there", "callbridge.store.url", "${nowhere}", "${...}"),
                badSetting("a secret that refers to what is not there", "callbridge.pbx.main.secret", "sixteen-${letters}",
                        "${...}"),
                badSetting("an address of the CRM that is none", "callbridge.crm.rest.url", "not an address",
                        "not an address"),
                badSetting("an unknown kind of store", "callbridge.store.url", "jdbc:abacus:beads", "abacus"));
    }

    @Test
    void aMistakeInTheEnvironmentIsRefusedToo() {
        assertRefused(builder().without("callbridge.calls.missed-delay")
                .environment("CALLBRIDGE_CALLS_MISSED_DELAY", "soon").startExpectingRefusal(), "missed", "soon");
    }

    @Test
    void aMisspeltVariableIsRefused() {
        assertRefused(builder().environment("CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_USR", "anna").startExpectingRefusal(),
                "CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_USR");
    }

    @Test
    void aPasswordInTheUrlOfAStoreIsNotPrinted() {
        Refusal refusal = builder().setting("callbridge.store.url", "jdbc:postgresql://anna:do-not@db.example/calls?password=do-not")
                .startExpectingRefusal();
        assertRefused(refusal, "callbridge.store.url", "db.example");
        assertFalse(refusal.output().contains("do-not"), refusal::output);
    }

    @Test
    void aSecretThatIsTooShortIsRefusedWithoutBeingPrinted() {
        String secret = "fifteen-letters";
        assertEquals(15, secret.length());
        Refusal refusal = builder().setting("callbridge.pbx.main.secret", secret).startExpectingRefusal();
        assertRefused(refusal, "callbridge.pbx.main.secret", "16");
        assertFalse(refusal.output().contains(secret), refusal::output);
    }

    @Test
    void aStoreThatCannotBeCreatedIsRefused() throws IOException {
        Path file = Files.writeString(scratch.resolve("not-a-folder"), "a file");
        assertRefused(builder().setting("callbridge.store.url", "jdbc:sqlite:" + file.resolve("callbridge.db"))
                .startExpectingRefusal(), "callbridge.store.url", "not-a-folder");
    }

    @Test
    void aStoreThatIsNoDatabaseIsRefusedAndLeftAlone() throws IOException {
        String contents = "the minutes of the last meeting\n".repeat(200);
        Path file = Files.writeString(scratch.resolve("minutes.txt"), contents);
        assertRefused(builder().setting("callbridge.store.url", "jdbc:sqlite:" + file).startExpectingRefusal(),
                "callbridge.store.url", "minutes.txt");
        assertEquals(contents, Files.readString(file), "the file was changed");
    }

    private BridgeProcess.Builder builder() {
        return BridgeProcess.builder().crm(crm);
    }

    private void assertCallWorks(BridgeProcess bridge) {
        assertCallWorks(bridge.webhook());
    }

    private void assertCallWorks(Webhook webhook) {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        webhook.accept(call.answered());
        await("registration").atMost(SOON).until(() -> crm.has(Kind.CALL, call.legId()));
        CrmRequest written = crm.requests(Kind.CALL, call.legId()).get(0);
        assertEquals("anna", written.member("user"));
        assertEquals("Bearer " + FakeCrm.TOKEN, written.header("Authorization"));
    }

    private DynamicTest badRoutes(String name, RoutesEdit edit, String... named) {
        return DynamicTest.dynamicTest(name, () -> assertRefused(builder().editRoutes(edit).startExpectingRefusal(), named));
    }

    private DynamicTest badSetting(String name, String key, String value, String... named) {
        return DynamicTest.dynamicTest(name, () -> {
            Refusal refusal = builder().setting(key, value).startExpectingRefusal();
            assertRefused(refusal, Stream.concat(Stream.of(key), Stream.of(named)).toArray(String[]::new));
        });
    }

    /** Not started, and the reason is one line, the only complaint, without a stack trace. */
    private static void assertRefused(Refusal refusal, String... named) {
        assertNotEquals(0, refusal.exitCode(), refusal::output);
        assertFalse(refusal.output().lines().anyMatch(l -> TRACE.matcher(l).find()),
                () -> "a stack trace:\n" + refusal.output());
        String said = complaint(refusal);
        for (String name : named) {
            assertTrue(said.contains(name), () -> "does not name '" + name + "': " + said);
        }
    }

    /** The one line that complains: all that is said after the log. */
    private static String complaint(Refusal refusal) {
        List<String> lines = refusal.output().lines().toList();
        List<String> said = lines.subList(1 + IntStream.range(0, lines.size()).filter(i -> LOGGED.matcher(lines.get(i)).find()).max()
                .orElse(-1), lines.size());
        List<String> complaints = lines.stream().filter(l -> COMPLAINT.matcher(l).find()).toList();
        assertEquals(1, said.size(), () -> "not one line:\n" + refusal.output());
        assertEquals(said, complaints, refusal::output);
        return said.get(0);
    }

    /** Adds a route of its own with these steps. */
    private static RoutesEdit extra(String steps) {
        return routes -> Files.writeString(routes.resolve("process-extra.camel.yaml"), """
                - route:
                    id: process-extra
                    from:
                      uri: direct:process-extra
                      steps:
                """ + steps.indent(8));
    }

    /** The condition of the branch that drops local calls never holds any more. */
    private static void registerLocalCalls(Path routes) throws IOException {
        Path file = routes.resolve(OUTCOME);
        String before = Files.readString(file);
        String after = IS_LOCAL.matcher(before).replaceAll(found -> {
            String quote = found.group(1).equals("'") ? "\"" : "'";
            return found.group(1) + "\\${variable.local} == " + quote + "never" + quote;
        });
        assertNotEquals(before, after, OUTCOME + " has no branch for local calls");
        Files.writeString(file, after);
    }

    private static void deleteAll(Path routes) throws IOException {
        try (Stream<Path> files = Files.list(routes)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }
}
