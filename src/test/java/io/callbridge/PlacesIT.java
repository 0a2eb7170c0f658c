package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCollector;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.FakeOidcProvider;
import io.callbridge.support.Ports;
import io.callbridge.support.TestCall;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A key of each kind counts from every place where settings may stand; those by -D are what all other tests start with. */
@Tag("native")
class PlacesIT {

    private static final String SECRET = "secret-of-every-place";
    private static final Duration SOON = Duration.ofSeconds(60);

    private final FakeCrm crm = new FakeCrm();
    private final FakeCollector collector = new FakeCollector();
    private final FakeOidcProvider provider = new FakeOidcProvider().up();
    private final int tcp = Ports.free();
    @TempDir
    private Path folder;

    @AfterEach
    void stop() {
        crm.close();
        collector.close();
        provider.close();
    }

    /** As in a container, which has no folder with routes either. */
    @Test
    void theEnvironment() throws IOException {
        BridgeProcess.Builder builder = BridgeProcess.builder().bare().withoutRoutesFolder();
        Stream.of(store(), pbx(), crms(), tracing(), provider.settings("anna")).forEach(part -> variables(part).forEach(builder::environment));
        assertEverySettingCounts(builder);
    }

    @Test
    void everyFileThatQuarkusReads() throws IOException {
        BridgeProcess.Builder builder = BridgeProcess.builder().bare().editRoutes(routes -> {
            Path beside = routes.getParent();
            write(beside.resolve("config/application.properties"), store());
            write(beside.resolve(".env"), variables(crms()));
            write(folder.resolve("conf.d/bridge.properties"), pbx());
            write(folder.resolve("conf.d/login.properties"), provider.settings("anna"));
        }).environment("QUARKUS_CONFIG_LOCATIONS", folder.resolve("conf.d") + "," + write(folder.resolve("more.properties"), tracing()));
        assertEverySettingCounts(builder);
    }

    private Map<String, String> store() {
        return Map.of("callbridge.store.url", "jdbc:sqlite:" + folder.resolve("there.db"), "callbridge.tcp.port", Integer.toString(tcp));
    }

    private Map<String, String> pbx() {
        return Map.of("callbridge.pbx.main.secret", SECRET, "callbridge.pbx.main.prefix", "453",
                "callbridge.pbx.main.extensions.101.user", "anna", "callbridge.pbx.main.extensions.101.id", "71101");
    }

    private Map<String, String> crms() {
        return Map.of("callbridge.crm.active", "rest,vtiger", "callbridge.crm.rest.url", crm.url(), "callbridge.crm.rest.token", FakeCrm.TOKEN,
                "callbridge.crm.vtiger.url", "http://127.0.0.1:1/", "callbridge.crm.vtiger.secret", "s");
    }

    private Map<String, String> tracing() {
        return Map.of("callbridge.tracing.endpoint", collector.url());
    }

    private static Map<String, String> variables(Map<String, String> settings) {
        return settings.entrySet().stream().collect(Collectors.toMap(
                setting -> setting.getKey().toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_"), Map.Entry::getValue));
    }

    private static Path write(Path file, Map<String, String> settings) throws IOException {
        Files.createDirectories(file.getParent());
        return Files.writeString(file, settings.entrySet().stream().map(setting -> setting.getKey() + "=" + setting.getValue() + "\n")
                .collect(Collectors.joining()));
    }

    private void assertEverySettingCounts(BridgeProcess.Builder builder) throws IOException {
        try (BridgeProcess bridge = builder.start()) {
            TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
            assertEquals(200, bridge.webhook(SECRET).send(call.dialIn()).statusCode(), bridge::tail);
            await().atMost(SOON).until(() -> crm.has(CrmRequest.Kind.CARD, call.legId()));
            assertEquals("anna", crm.requests(CrmRequest.Kind.CARD, call.legId()).get(0).member("user"));
            HttpResponse<String> login = bridge.get("/api/login/start");
            new Socket(InetAddress.getLoopbackAddress(), tcp).close();
            assertAll(() -> assertTrue(Files.exists(folder.resolve("there.db")), "the store"),
                    () -> assertTrue(bridge.output().contains("CRM vtiger: "), "the list of CRMs"),
                    () -> assertEquals(HttpURLConnection.HTTP_MOVED_TEMP, login.statusCode(), "the login"),
                    () -> assertTrue(login.headers().firstValue("Location").orElse("").startsWith(provider.url()), "the provider"),
                    () -> await("the collector").atMost(SOON).until(() -> !collector.spans().isEmpty()),
                    () -> assertFalse(bridge.output().contains("health down"), "probes during the start are logged"));
        }
    }
}
