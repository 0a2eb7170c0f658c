package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.BridgeProcess;
import io.callbridge.support.FakeOidcProvider;
import io.callbridge.support.RawHttp;
import io.callbridge.support.RawHttp.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** Everything that is administration, and that whoever may not administer gets none of it; found in the project's routes. */
class AdminEndpointsIT {

    private static final String TOKEN = BridgeProcess.ADMIN_TOKEN;
    private static final String ROUTE = "platform-http:";
    /** What is no route: it ends when the client does. */
    private static final List<String> OTHERS = List.of("GET /api/live");
    private static final int AT_LEAST = 14;

    private static BridgeProcess closed;
    /** Has a login instead of a token, at a provider that is away. */
    private static BridgeProcess login;

    @BeforeAll
    static void start() {
        closed = BridgeProcess.builder().start();
        try (FakeOidcProvider away = new FakeOidcProvider()) {
            login = BridgeProcess.builder().without("callbridge.admin.token").settings(away.settings("anna")).start();
        }
    }

    @AfterAll
    static void stop() {
        Stream.of(closed, login).filter(bridge -> bridge != null).forEach(BridgeProcess::close);
    }

    @Test
    void allOfThemAreFound() throws IOException {
        assertTrue(endpoints().size() >= AT_LEAST, endpoints()::toString);
    }

    @TestFactory
    Stream<DynamicTest> whoHasNoTokenIsRefused() throws IOException {
        return endpoints().stream().map(line -> DynamicTest.dynamicTest(line, () -> {
            assertRefused(401, closed, line, "");
            assertRefused(401, closed, line, "Authorization: Bearer wrong-token-of-the-tests\r\n");
            assertRefused(401, closed, line, "Authorization: Bearer \r\n");
            assertRefused(401, closed, line, "Callbridge-Who: token\r\n");
            for (String method : List.of("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE")) {
                assertRefused(401, closed, method + line.substring(line.indexOf(' ')), "");
            }
        }));
    }

    @TestFactory
    Stream<DynamicTest> whoHasNotLoggedInIsRefused() throws IOException {
        return endpoints().stream().map(line -> DynamicTest.dynamicTest(line, () -> {
            assertRefused(401, login, line, "");
            assertRefused(401, login, line, "Callbridge-Who: anna\r\n");
            assertRefused(401, login, line, "Cookie: session=x; q_sessio=x\r\n");
        }));
    }

    /** A reverse proxy on this machine, as nginx is without settings: HTTP/1.0, the upstream's name, no word about who asks. */
    @Test
    void behindAProxyThatTellsNothingEverythingButWebhookHealthAndMetricsIsRefused() throws IOException {
        Set<String> lines = new TreeSet<>(endpoints());
        lines.addAll(List.of("GET /", "HEAD /", "POST /login", "GET /login", "POST /logout", "GET /api", "GET /api/", "GET /api/login/start",
                "GET /api/nothing"));
        try (Stream<Path> files = Files.list(Path.of("src/main/resources/console"))) {
            files.forEach(file -> lines.add("GET /console/" + file.getFileName()));
        }
        for (String line : lines) {
            Answer answer = proxied(line);
            assertEquals(401, answer.status(), () -> line + "\n" + answer);
            assertTrue(line.startsWith("HEAD") || !answer.text().isEmpty(), line);
            assertFalse(answer.text().contains("callId") || answer.toString().contains(closed.secret()), answer::toString);
        }
        assertEquals(200, proxied("GET /pbx/" + closed.secret() + "/events").status());
        assertEquals(404, proxied("GET /pbx/wrong-secret-of-the-tests/events").status());
        List.of("live", "ready", "started").forEach(probe -> assertEquals(200, proxied("GET /q/health/" + probe).status(), probe));
        assertEquals(200, proxied("GET /q/metrics").status());
    }

    private static Answer proxied(String line) {
        return RawHttp.send(closed.port(), RawHttp.bytes(line + " HTTP/1.0\r\nHost: 127.0.0.1:" + closed.port()
                + "\r\nConnection: close\r\nContent-Length: 0\r\nUser-Agent: Mozilla/5.0\r\n\r\n"));
    }

    private static void assertRefused(int status, BridgeProcess bridge, String line, String headers) {
        Answer answer = RawHttp.send(bridge.port(), RawHttp.bytes(line + " HTTP/1.1\r\nHost: 127.0.0.1:" + bridge.port()
                + "\r\nConnection: close\r\nContent-Length: 0\r\n" + headers + "\r\n"));
        assertEquals(status, answer.status(), () -> line + "\n" + headers + "\n" + answer);
        assertTrue(line.startsWith("HEAD") || answer.text().startsWith("Nobody knows who asks"), line);
    }

    /** Method and path, with something in the place of its variables. */
    private static TreeSet<String> endpoints() throws IOException {
        TreeSet<String> lines = new TreeSet<>(OTHERS);
        try (Stream<Path> files = Files.list(Path.of("routes"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".camel.yaml")).toList()) {
                collect(new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file)), lines);
            }
        }
        return lines;
    }

    private static void collect(Object node, TreeSet<String> lines) {
        if (node instanceof List<?> list) {
            list.forEach(item -> collect(item, lines));
        } else if (node instanceof Map<?, ?> map) {
            if (String.valueOf(map.get("uri")).startsWith(ROUTE + "/api")) {
                String path = map.get("uri").toString().substring(ROUTE.length()).replaceAll("\\{[^}]+}", "1").replaceAll("\\?.*", "");
                Object methods = map.get("parameters") instanceof Map<?, ?> parameters ? parameters.get("httpMethodRestrict") : null;
                Stream.of(String.valueOf(methods == null ? "GET,POST" : methods).split(",")).forEach(m -> lines.add(m.strip() + " " + path));
            }
            map.values().forEach(value -> collect(value, lines));
        }
    }
}
