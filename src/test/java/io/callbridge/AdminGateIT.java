package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.callbridge.support.BridgeProcess;
import io.callbridge.support.RawHttp;
import io.callbridge.support.RawHttp.Answer;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who may ask the administration API, and as whom he is known to the routes: one of them answers with the name it is given, as
 * an integrator's own could. A browser's requests are written by hand, since no client sends them so.
 */
class AdminGateIT {

    private static final String TOKEN = BridgeProcess.ADMIN_TOKEN;
    private static final String BEARER = "Authorization: Bearer " + TOKEN;
    /** A route that says who asks. */
    static final String WHO = """
            - route:
                id: ops-who
                group: ops
                description: "Says who asks."
                routeConfigurationId: ops-request-errors
                from:
                  uri: platform-http:/api/who
                  steps:
                    - setBody:
                        simple: "${header.Callbridge-Who}"
            """;

    /** Has no token. */
    private static BridgeProcess open;
    private static BridgeProcess closed;

    @BeforeAll
    static void start() {
        open = builder().without("callbridge.admin.token").start();
        closed = builder().start();
    }

    @AfterAll
    static void stop() {
        Stream.of(open, closed).filter(bridge -> bridge != null).forEach(BridgeProcess::close);
    }

    private static BridgeProcess.Builder builder() {
        return BridgeProcess.builder().setting("quarkus.http.host", "0.0.0.0")
                .editRoutes(routes -> Files.writeString(routes.resolve("ops-who.camel.yaml"), WHO));
    }

    @Test
    void theTokenOpensFromEverywhere() {
        assertWho("token", ask(closed, "GET /api/who", BEARER));
        assertWho("token", ask(closed, "GET /api/who", BEARER, "Host: callbridge.example", "X-Forwarded-For: 192.0.2.1"));
        // A page of another site does not know it.
        assertWho("token", ask(closed, "POST /api/who", BEARER, "Origin: https://console.example", "Sec-Fetch-Site: cross-site"));
        assertFalse(closed.output().contains(TOKEN), "the token is in the output");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Accept: */*", "Authorization: Bearer admin-token-of-the-test", "Authorization: Bearer " + TOKEN + "s",
        "Authorization: Bearer", "Authorization: bearer " + TOKEN, "Authorization: " + TOKEN, "Authorization: Basic " + TOKEN,
        "Cookie: token=" + TOKEN, "Callbridge-Who: token"})
    void withATokenNothingElseOpensNotEvenOnLoopback(String header) {
        for (String line : List.of("GET /api/who", "POST /api/deliveries/retry", "GET /api/nothing", "GET /api")) {
            assertRefused(401, ask(closed, line, header));
        }
        assertRefused(401, ask(closed, "GET /api/who?token=" + TOKEN + "&access_token=" + TOKEN, header));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api/who/", "//api/who", "/api//who", "/x/../api/who", "/api/./who", "/%61pi/who", "/api%2Fwho", "/API/who",
        "/api;x/who", "/pbx/../api/who", "/demo/..%2fapi/who", "/api/calls", "/api/calls/", "/q/../api/calls"})
    void noWayOfWritingAPathGetsRoundTheGate(String path) {
        Answer answer = ask(closed, "GET " + path);
        assertTrue(List.of(401, 404).contains(answer.status()), answer::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Accept: */*", "Host: localhost:8080", "Host: LOCALHOST", "Host: 127.0.0.1", "Host: 127.1.2.3:80", "Host: [::1]:8080",
        "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: none", "Callbridge-Who: mallory", "CALLBRIDGE-WHO: token",
        "Authorization: Bearer x"})
    void withoutATokenThisMachineMayAsk(String header) {
        assertWho("loopback", ask(open, "GET /api/who", header));
        assertWho("loopback", ask(open, "POST /api/who", header));
    }

    @ParameterizedTest
    @CsvSource({"localhost:8080,http://localhost:8080", "localhost:8080,HTTP://LOCALHOST:8080", "localhost,http://localhost",
        "localhost:80,http://localhost", "[::1]:8080,http://[::1]:8080", "127.0.0.1:8080,http://127.0.0.1:8080"})
    void ownPagesMayAsk(String host, String origin) {
        assertWho("loopback", ask(open, "POST /api/who", "Host: " + host, "Origin: " + origin, "Sec-Fetch-Site: same-origin"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Host: evil.example", "Host: evil.example:8080", "Host: localhost.evil.example", "Host: 127.0.0.1.evil.example",
        "Host: 127.evil.example", "Host: 192.0.2.1:8080", "Host: [2001:db8::1]:8080"})
    void aNameThatSomebodyPointsAtThisMachineIsNotThisMachine(String host) {
        assertRefused(403, ask(open, "GET /api/who", host));
        assertRefused(403, ask(open, "GET /api/who", host, "Origin: http://" + host.substring(6), "Sec-Fetch-Site: same-origin"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Host: localhost@evil.example", "Host: evil.example:127.0.0.1", "Host: "})
    void whatIsNoNameIsNotThisMachine(String host) {
        Answer answer = ask(open, "GET /api/who", host);
        assertTrue(List.of(400, 403).contains(answer.status()), answer::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Origin: http://evil.example", "Origin: null", "Origin: ", "Origin: http://localhost:1", "Origin: http://127.0.0.1",
        "Origin: https://localhost", "Origin: http://evil.example\r\nOrigin: http://localhost:8080",
        "Origin: http://localhost:8080\r\nOrigin: http://evil.example", "Origin: http://localhost:8080@evil.example", "Origin: ://",
        "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Sec-Fetch-Site: ", "Sec-Fetch-Site: other"})
    void pagesOfOtherSitesMayNotAsk(String header) {
        for (String line : List.of("GET /api/who", "POST /api/who", "OPTIONS /api/who", "GET /api/calls", "POST /api/deliveries/retry")) {
            assertRefused(403, ask(open, line, "Host: localhost:8080", header));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1", "X-Real-IP: 127.0.0.1", "Via: 1.1 proxy",
        "x-forwarded-host: localhost", "X-Forwarded-Proto: https"})
    void whatAProxyBringsIsNotOfThisMachine(String header) {
        assertRefused(403, ask(open, "GET /api/who", header));
    }

    @Test
    void anotherMachineMayNotAskWithoutAToken() throws Exception {
        Optional<InetAddress> outside = NetworkInterface.networkInterfaces().flatMap(NetworkInterface::inetAddresses)
                .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress()).findFirst();
        assumeTrue(outside.isPresent(), "this machine is in no network");
        assertRefused(403, RawHttp.send(outside.get(), open.port(), request(open, "GET /api/who", "Host: localhost")));
        assertRefused(401, RawHttp.send(outside.get(), closed.port(), request(closed, "GET /api/who")));
        assertWho("token", RawHttp.send(outside.get(), closed.port(), request(closed, "GET /api/who", BEARER)));
    }

    @Test
    void nobodyTellsTheRoutesWhoHeIs() {
        assertWho("token", ask(closed, "GET /api/who", BEARER, "Callbridge-Who: mallory", "callbridge-who: mallory"));
        // Camel puts parameters and fields of a form among the headers.
        for (String name : List.of("Callbridge-Who", "callbridge-who", "%43allbridge-Who", "CALLBRIDGE%2DWHO")) {
            assertEquals(400, ask(closed, "GET /api/who?" + name + "=mallory", BEARER).status(), name);
            assertEquals(400, ask(open, "GET /api/who?limit=1;" + name + "=mallory&" + name).status(), name);
        }
        byte[] form = RawHttp.bytes("Callbridge-Who=mallory");
        for (String type : List.of("application/x-www-form-urlencoded", "Application/X-WWW-Form-URLencoded; charset=utf-8",
                "multipart/form-data; boundary=x")) {
            assertEquals(415, RawHttp.send(open.port(), RawHttp.request("POST", "/api/who", type, form)).status(), type);
            assertEquals(415, RawHttp.send(open.port(), RawHttp.chunked("POST", "/api/who", type, form)).status(), type);
        }
        assertWho("loopback", RawHttp.send(open.port(), RawHttp.request("POST", "/api/who", "application/x-www-form-urlencoded", new byte[0])));
    }

    @Test
    void theSameCountsForHttp2() throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + open.port() + "/api/who"))
                .header("Callbridge-Who", "mallory");
        HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        assertEquals(HttpClient.Version.HTTP_2, answer.version());
        assertEquals("loopback", answer.body());
        request.header("Origin", "http://evil.example");
        assertEquals(403, client.send(request.build(), HttpResponse.BodyHandlers.ofString()).statusCode());
    }

    @Test
    void theDemoNeedsNoTokenOnThisMachine() {
        try (BridgeProcess demo = BridgeProcess.builder().bare().setting("callbridge.demo", "true").start()) {
            assertEquals(200, demo.get("/api/calls").statusCode());
            assertEquals(200, demo.get("/").statusCode());
            assertRefused(403, ask(demo, "GET /api/calls", "X-Forwarded-For: 192.0.2.1"));
            assertRefused(403, ask(demo, "GET /api/calls", "Origin: http://evil.example"));
        }
    }

    /** Whoever comes by a tunnel or a port forward is on loopback too. */
    @Test
    void withoutAnybodyToAskTheConsoleIsClosedButTheApiAnswersOnThisMachine() {
        assertEquals(403, open.get("/").statusCode());
        assertTrue(open.get("/").body().contains("callbridge.admin.token"), open.get("/").body());
        assertFalse(open.get("/").body().contains("script"), open.get("/").body());
        assertEquals(200, open.get("/api/calls").statusCode());
        assertEquals(200, closed.get("/").statusCode());
    }

    private static Answer ask(BridgeProcess bridge, String line, String... headers) {
        return RawHttp.send(bridge.port(), request(bridge, line, headers));
    }

    private static byte[] request(BridgeProcess bridge, String line, String... headers) {
        boolean host = Stream.of(headers).anyMatch(header -> header.startsWith("Host:"));
        return RawHttp.bytes(line + " HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n"
                + (host ? "" : "Host: 127.0.0.1:" + bridge.port() + "\r\n") + String.join("\r\n", headers) + "\r\n\r\n");
    }

    private static void assertWho(String name, Answer answer) {
        assertEquals(200, answer.status(), answer::toString);
        assertEquals(name, answer.text());
    }

    private static void assertRefused(int status, Answer answer) {
        assertEquals(status, answer.status(), answer::toString);
        assertEquals("", answer.text());
    }
}
