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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A key of each kind counts from every place where settings may stand; those by -D are what all other tests start with. */
class PlacesIT {

    private static final String SECRET = "secret-of-every-place";
    private static final Duration SOON = Duration.ofSeconds(60);

    /** Where settings may stand. */
    enum Place {
        CONFIG {
            @Override
            void put(Map<String, String> settings, Path folder, BridgeProcess.Builder builder) throws IOException {
                write(folder.resolve("config/application.properties"), settings);
            }
        },
        ENVIRONMENT {
            @Override
            void put(Map<String, String> settings, Path folder, BridgeProcess.Builder builder) {
                variables(settings).forEach(builder::environment);
            }
        },
        DOT_ENV {
            @Override
            void put(Map<String, String> settings, Path folder, BridgeProcess.Builder builder) throws IOException {
                write(folder.resolve(".env"), variables(settings));
            }
        },
        FILE {
            @Override
            void put(Map<String, String> settings, Path folder, BridgeProcess.Builder builder) throws IOException {
                builder.setting("quarkus.config.locations", write(folder.resolve("bridge.properties"), settings));
            }
        },
        FOLDER_AND_FILE {
            @Override
            void put(Map<String, String> settings, Path folder, BridgeProcess.Builder builder) throws IOException {
                Map<String, String> inFolder = new LinkedHashMap<>(settings);
                Map<String, String> inFile = new LinkedHashMap<>();
                List.of("callbridge.pbx.main.extensions.101.user", "callbridge.tracing.endpoint").forEach(key -> inFile.put(key, inFolder.remove(key)));
                write(folder.resolve("conf.d/bridge.properties"), inFolder);
                builder.environment("QUARKUS_CONFIG_LOCATIONS", folder.resolve("conf.d") + "," + write(folder.resolve("more.properties"), inFile));
            }
        };

        abstract void put(Map<String, String> settings, Path folder, BridgeProcess.Builder builder) throws IOException;

        static Map<String, String> variables(Map<String, String> settings) {
            return settings.entrySet().stream().collect(Collectors.toMap(
                    setting -> setting.getKey().toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_"), Map.Entry::getValue));
        }

        static String write(Path file, Map<String, String> settings) throws IOException {
            Files.createDirectories(file.getParent());
            return Files.writeString(file, settings.entrySet().stream().map(setting -> setting.getKey() + "=" + setting.getValue() + "\n")
                    .collect(Collectors.joining())).toString();
        }
    }

    @ParameterizedTest
    @EnumSource
    void everySettingCounts(Place place, @TempDir Path stores) throws Exception {
        try (FakeCrm crm = new FakeCrm(); FakeCollector collector = new FakeCollector(); FakeOidcProvider provider = new FakeOidcProvider().up()) {
            Path store = stores.resolve("there.db");
            int tcp = Ports.free();
            Map<String, String> settings = new LinkedHashMap<>(provider.settings("anna"));
            settings.put("callbridge.store.url", "jdbc:sqlite:" + store);
            settings.put("callbridge.pbx.main.secret", SECRET);
            settings.put("callbridge.pbx.main.prefix", "453");
            settings.put("callbridge.pbx.main.extensions.101.user", "anna");
            settings.put("callbridge.pbx.main.extensions.101.id", "71101");
            settings.put("callbridge.tcp.port", Integer.toString(tcp));
            settings.put("callbridge.crm.active", "rest,vtiger");
            settings.put("callbridge.crm.rest.url", crm.url());
            settings.put("callbridge.crm.rest.token", FakeCrm.TOKEN);
            settings.put("callbridge.crm.vtiger.url", "http://127.0.0.1:1/");
            settings.put("callbridge.crm.vtiger.secret", "s");
            settings.put("callbridge.tracing.endpoint", collector.url());
            BridgeProcess.Builder builder = BridgeProcess.builder().bare();
            builder.editRoutes(routes -> place.put(settings, routes.getParent(), builder));
            try (BridgeProcess bridge = builder.start()) {
                TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
                assertEquals(200, bridge.webhook(SECRET).send(call.dialIn()).statusCode(), bridge::tail);
                await().atMost(SOON).until(() -> crm.has(CrmRequest.Kind.CARD, call.legId()));
                assertEquals("anna", crm.requests(CrmRequest.Kind.CARD, call.legId()).get(0).member("user"));
                HttpResponse<String> login = bridge.get("/api/login/start");
                new Socket(InetAddress.getLoopbackAddress(), tcp).close();
                assertAll(() -> assertTrue(Files.exists(store), "the store"),
                        () -> assertTrue(bridge.output().contains("CRM vtiger: "), "the list of CRMs"),
                        () -> assertEquals(HttpURLConnection.HTTP_MOVED_TEMP, login.statusCode(), "the login"),
                        () -> assertTrue(login.headers().firstValue("Location").orElse("").startsWith(provider.url()), "the provider"),
                        () -> await("the collector").atMost(SOON).until(() -> !collector.spans().isEmpty()),
                        () -> assertFalse(bridge.output().contains("health down"), "probes during the start are logged"));
            }
        }
    }
}
