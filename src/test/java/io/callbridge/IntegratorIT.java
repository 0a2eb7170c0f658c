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
import io.callbridge.support.Certificates;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.ExamplePbx;
import io.callbridge.support.FakeCollector;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.FakeOidcProvider;
import io.callbridge.support.Pages;
import io.callbridge.support.Ports;
import io.callbridge.support.Scenario;
import io.callbridge.support.TestCall;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * What an integrator does without a compiler: edits routes and settings, wherever they may stand, and trusts certificates. It counts at
 * the next start; a mistake stops that start with one line that says where it is.
 */
@Tag("native")
class IntegratorIT {

    private static final Duration SOON = Duration.ofSeconds(90);
    private static final String OUTCOME = "process-outcome.camel.yaml";
    private static final String EXTRA = "process-extra.camel.yaml";
    private static final Pattern TRACE = Pattern.compile("^\\s+at [\\w.$/]+\\(|^Caused by:|^Exception in ");
    private static final Pattern COMPLAINT = Pattern.compile("\\b(ERROR|FATAL|SEVERE)\\b|Exception\\b|Callbridge cannot start");
    private static final Pattern LOGGED = Pattern.compile("^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d,\\d{3} ");

    @TempDir
    private Path folder;
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
        WireMockServer acme = new WireMockServer(wireMockConfig().dynamicPort());
        acme.start();
        // It fails, knows the token no more, has moved, and wants somebody to sign in: none of that costs a call.
        List<ResponseDefinitionBuilder> answers = List.of(aResponse().withStatus(500), aResponse().withStatus(401), aResponse().withStatus(403),
                aResponse().withStatus(302).withHeader("Location", acme.baseUrl() + "/login"),
                aResponse().withHeader("Content-Type", "text/html").withBody("<html><title>Sign in</title>"), aResponse().withStatus(201));
        for (int i = 0; i < answers.size(); i++) {
            acme.stubFor(post("/calls").willReturn(answers.get(i)).inScenario("acme").whenScenarioStateIs(i == 0 ? STARTED : "" + i)
                    .willSetStateTo("" + Math.min(i + 1, answers.size() - 1)));
        }
        String branch = "secret-from-the-environment";
        BridgeProcess.Builder builder = builder().editRoutes(IntegratorIT::registerLocalCalls)
                .editRoutes(routes -> Files.writeString(routes.resolve("deliver-acme.camel.yaml"), adapter))
                .setting("callbridge.crm.active", "rest,acme").setting("callbridge.crm.acme.url", acme.baseUrl() + "/calls")
                .setting("callbridge.crm.acme.token", "acme-token").setting("callbridge.crm.acme.users.anna", "7").quickRetries()
                .without("callbridge.crm.rest.token").environment("CALLBRIDGE_CRM_REST_TOKEN", FakeCrm.TOKEN)
                .environment("CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_USER", "anna")
                .environment("CALLBRIDGE_PBX_MAIN_EXTENSIONS_101_ID", ExamplePbx.idOf("101"))
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_SECRET", branch)
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_PREFIX", ExamplePbx.PREFIX)
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_DOMAIN", ExamplePbx.DOMAIN)
                .environment("CALLBRIDGE_PBX_BRANCH_OFFICE_DEFAULT_USER", "anna");
        ExamplePbx.settings().keySet().stream().filter(key -> key.contains(".101.")).forEach(builder::without);
        try (BridgeProcess bridge = builder.start()) {
            TestCall talk = TestCall.incoming("101", FakeCrm.IVANOV);
            bridge.webhook().accept(talk.answered());
            TestCall missed = TestCall.incoming("101", FakeCrm.PETROVA);
            bridge.webhook().accept(missed.missed());
            String call = "{\"key\":\"" + talk.legId() + "\",\"agent\":\"7\",\"phone\":\"" + FakeCrm.IVANOV
                    + "\",\"way\":\"in\",\"outcome\":\"answered\",\"seconds\":30}";
            String none = "{\"key\":\"" + missed.callId() + "\",\"agent\":\"7\",\"phone\":\"" + FakeCrm.PETROVA + "\",\"outcome\":\"missed\"}";
            await("both at the CRM").atMost(SOON).untilAsserted(() -> {
                assertEquals(answers.size() + 1, acme.countRequestsMatching(anyRequestedFor(anyUrl()).build()).getCount());
                for (String body : List.of(call, none)) {
                    acme.verify(moreThanOrExactly(1), postRequestedFor(urlEqualTo("/calls")).withRequestBody(equalTo(body))
                            .withHeader("Authorization", equalTo("Bearer acme-token")));
                }
            });
            await("the other CRM has the missed call").atMost(SOON).until(() -> crm.has(Kind.MISSED, missed.callId()));
            assertRegistered(talk);
            TestCall other = TestCall.incoming("101", FakeCrm.IVANOV);
            bridge.webhook(branch).accept(other.answered());
            assertRegistered(other);
            Scenario local = Scenario.of("S29");
            bridge.webhook().accept(local.events().stream().map(Scenario.Event::fields).toList());
            String id = local.events().get(0).fields().get("CallID");
            await("a local call").atMost(SOON).until(() -> crm.requests(Kind.CALL).stream().anyMatch(written -> written.member("callId").equals(id)));
        } finally {
            acme.stop();
        }
    }

    /** Read, built, and put together: each stops the start in another place. What a setting may be the tests of the configuration know. */
    @TestFactory
    Stream<DynamicTest> mistakesStopTheStartWithOneLine() throws IOException {
        String contents = "the minutes of the last meeting\n".repeat(200);
        Path minutes = Files.writeString(folder.resolve("minutes.txt"), contents);
        String taken = Integer.toString(URI.create(crm.url()).getPort());
        return Stream.of(
                refused("a key that does not exist", builder().editRoutes(extra("- to:\n    urii: log:x")), EXTRA + ":7: ", "urii"),
                refused("a missing bean", builder().editRoutes(extra("- log: one\n- bean:\n    ref: noSuchBean")), EXTRA + ":7: ", "noSuchBean"),
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
            await().atMost(SOON).until(() -> crm.has(Kind.CARD, call.legId()));
            assertEquals("anna", crm.requests(Kind.CARD, call.legId()).get(0).member("user"));
            HttpResponse<String> login = bridge.get("/api/login/start");
            new Socket(InetAddress.getLoopbackAddress(), tcp).close();
            assertTrue(Files.exists(folder.resolve("there.db")), "the store");
            assertTrue(bridge.output().contains("CRM vtiger: "), "the list of CRMs");
            assertEquals(302, login.statusCode());
            assertTrue(login.headers().firstValue("Location").orElse("").startsWith(provider.url()), "the login");
            await("the collector").atMost(SOON).until(() -> !collector.spans().isEmpty());
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
            await("an attempt at the stranger's").atMost(SOON).until(() -> bridge.call(call.callId()).path("deliveries").toString()
                    .contains("certification path"));
            assertEquals(List.of(), stranger.requests());
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

    private static DynamicTest refused(String name, BridgeProcess.Builder builder, String... named) {
        return DynamicTest.dynamicTest(name, () -> assertRefused(builder.startExpectingRefusal(), named));
    }

    /** Not started, and the reason is one line, the only complaint, without a stack trace. */
    private static void assertRefused(Refusal refusal, String... named) {
        assertNotEquals(0, refusal.exitCode(), refusal::output);
        assertFalse(refusal.output().contains("do-not"), refusal::output);
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
        return routes -> Files.writeString(routes.resolve(EXTRA), """
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
        String after = before.replace("${variable.local} == true", "${variable.local} == true && ${variable.direction} == 'never'");
        assertNotEquals(before, after, OUTCOME + " has no branch for local calls");
        Files.writeString(file, after);
    }
}
