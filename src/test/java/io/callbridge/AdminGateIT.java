package io.callbridge;

import static io.callbridge.support.BridgeProcess.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.Pages;
import io.callbridge.support.RawHttp;
import io.callbridge.support.RawHttp.Answer;
import io.callbridge.support.SharedBridge;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who may ask the administration API, and as whom he is known to the routes: one of them answers with the name it is given, as
 * an integrator's own could. A browser's requests are written by hand, since no client sends them so.
 */
class AdminGateIT {

    private static final String TOKEN = BridgeProcess.ADMIN_TOKEN;
    private static final String BEARER = "Authorization: Bearer " + TOKEN;
    private static final int AT_LEAST = 14;

    private final BridgeProcess closed = SharedBridge.bridge();

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

    /** Whoever comes by a proxy or a tunnel on this machine comes from here too. */
    @ParameterizedTest
    @ValueSource(strings = {"Accept: */*", "Host: localhost:8080", "Host: 127.0.0.1", "Host: [::1]:8080", "Sec-Fetch-Site: same-origin",
        "Origin: http://localhost:8080", "X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1", "Callbridge-Console: true",
        "Cookie: callbridge=", "Cookie: callbridge=null", "Cookie: callbridge=" + TOKEN})
    void toBeOnThisMachineIsNoProof(String header) {
        for (String line : List.of("GET /api/who", "POST /login", "POST /logout")) {
            assertRefused(401, ask(closed, line, header));
        }
        Answer page = ask(closed, "GET /", header);
        assertEquals(401, page.status());
        assertTrue(page.text().contains("<form>"), "it asks who it is");
    }

    /** What the second one knows is known after a restart, too. */
    @Test
    void aTokenIsMadeAtTheFirstStartAndToldOnceAndAllReplicasHaveIt() {
        BridgeProcess.Builder builder = BridgeProcess.builder().without("callbridge.admin.token").editRoutes(SharedBridge.WHO);
        try (BridgeProcess first = builder.store(StoreKind.POSTGRESQL).start()) {
            String token = token(first);
            assertRefused(401, ask(first, "GET /api/who"));
            assertWho("token", ask(first, "GET /api/who", "Authorization: Bearer " + token));
            try (BridgeProcess second = builder.storeOf(first).start()) {
                assertFalse(second.output().contains("#token="), second::output);
                assertWho("token", ask(second, "GET /api/who", "Authorization: Bearer " + token));
            }
        }
    }

    /** Of the address that was printed, which must have been once. */
    private static String token(BridgeProcess bridge) {
        List<String> found = Pattern.compile("http://[^ ]+:" + bridge.port() + "/#token=([a-z]{32})").matcher(bridge.output()).results()
                .map(address -> address.group(1)).toList();
        assertEquals(1, found.size(), bridge::tail);
        return found.get(0);
    }

    @Test
    void aBrowserGetsASessionForTheToken() {
        String cookie = session();
        assertWho("token", ask(closed, "GET /api/who", cookie));
        assertEquals(200, ask(closed, "GET /", cookie).status());
        assertEquals(200, ask(closed, "GET /console/app.js", cookie).status());
        assertEquals(401, ask(closed, "GET /console/app.js").status());
        // A link on another page.
        assertEquals(200, ask(closed, "GET /", cookie, "Sec-Fetch-Site: cross-site").status());
        // The proxy's name of this machine is not the browser's.
        assertWho("token", ask(closed, "POST /api/who", cookie, "Origin: https://callbridge.example", "Callbridge-Console: true"));
        assertWho("token", ask(closed, "POST /api/who", cookie, "Host: localhost:8080", "Origin: http://LOCALHOST:8080", "Sec-Fetch-Site: same-origin"));
        Answer out = ask(closed, "POST /logout", cookie);
        assertEquals(204, out.status());
        assertTrue(out.header("Set-Cookie").startsWith("callbridge=; Max-Age=0;"), out::toString);
    }

    /** @return its cookie */
    private String session() {
        Answer in = ask(closed, "POST /login", BEARER);
        assertEquals(204, in.status());
        String cookie = in.header("Set-Cookie");
        // Without a path it counts below the folder of "login", which a proxy may have put anywhere.
        assertTrue(cookie.matches("callbridge=[0-9a-f]{64}; HTTPOnly; SameSite=Lax"), cookie);
        return "Cookie: " + cookie.substring(0, cookie.indexOf(';'));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Origin: http://evil.example", "Origin: null", "Origin: ", "Origin: http://localhost:1", "Origin: http://127.0.0.1",
        "Origin: https://localhost", "Origin: http://evil.example\r\nOrigin: http://localhost:8080",
        "Origin: http://localhost:8080\r\nOrigin: http://evil.example", "Origin: http://localhost:8080@evil.example", "Origin: ://",
        "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Sec-Fetch-Site: ", "Sec-Fetch-Site: other"})
    void pagesOfOtherSitesMayNotUseIt(String header) {
        String cookie = session();
        for (String line : List.of("GET /api/who", "POST /api/who", "OPTIONS /api/who", "GET /api/calls", "POST /api/deliveries/retry", "POST /logout")) {
            assertRefused(403, ask(closed, line, "Host: localhost:8080", header, cookie));
        }
    }

    @Test
    void nobodyTellsTheRoutesWhoHeIs() {
        assertWho("token", ask(closed, "GET /api/who", BEARER, "Callbridge-Who: mallory", "callbridge-who: mallory"));
        // Camel puts parameters and fields of a form among the headers.
        for (String name : List.of("Callbridge-Who", "callbridge-who", "%43allbridge-Who", "CALLBRIDGE%2DWHO")) {
            assertEquals(400, ask(closed, "GET /api/who?" + name + "=mallory", BEARER).status(), name);
            assertEquals(400, ask(closed, "GET /api/who?limit=1;" + name + "=mallory&" + name, BEARER).status(), name);
        }
        byte[] form = RawHttp.bytes("Callbridge-Who=mallory");
        for (String type : List.of("application/x-www-form-urlencoded", "Application/X-WWW-Form-URLencoded; charset=utf-8",
                "multipart/form-data; boundary=x")) {
            assertEquals(415, RawHttp.send(closed.port(), RawHttp.request("POST", "/api/who", type + "\r\n" + BEARER, form)).status(), type);
            assertEquals(415, RawHttp.send(closed.port(), RawHttp.chunked("POST", "/api/who", type + "\r\n" + BEARER, form)).status(), type);
        }
        assertWho("token", RawHttp.send(closed.port(), RawHttp.request("POST", "/api/who", "application/x-www-form-urlencoded\r\n" + BEARER,
                new byte[0])));
    }

    @Test
    void theSameCountsForHttp2() throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + closed.port() + "/api/who"))
                .header("Authorization", "Bearer " + TOKEN).header("Callbridge-Who", "mallory");
        HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        assertEquals(HttpClient.Version.HTTP_2, answer.version());
        assertEquals("token", answer.body());
        request.setHeader("Authorization", "Bearer x");
        assertEquals(401, client.send(request.build(), HttpResponse.BodyHandlers.ofString()).statusCode());
    }

    /** Everything that is administration, found in the project's routes, with something in the place of its variables. */
    static Set<String> endpoints() throws IOException {
        // What is no route: it ends when the client does.
        TreeSet<String> lines = new TreeSet<>(List.of("GET /api/live"));
        for (Path file : Pages.below(Path.of("routes")).filter(each -> each.toString().endsWith(".camel.yaml")).toList()) {
            JsonNode yaml = new YAMLMapper().readTree(file.toFile());
            for (JsonNode request : yaml.findParents("routeTemplateRef")) {
                Map<String, String> values = new HashMap<>();
                request.path("parameters").forEach(parameter -> values.put(words(parameter, "name"), words(parameter, "value")));
                if (words(request, "routeTemplateRef").equals("ops-request")) {
                    lines.add(values.get("method") + " /api/" + values.get("path").replaceAll("\\{[^}]+}", "1"));
                }
            }
            for (JsonNode from : yaml.findParents("uri")) {
                String uri = words(from, "uri").replaceAll("[?].*", "");
                if (uri.matches("platform-http:/api/[^{]*(\\{[a-zA-Z]+}.*)?")) {
                    Stream.of(from.at("/parameters/httpMethodRestrict").asText("GET,POST").split(", *"))
                            .forEach(method -> lines.add(method + uri.replace("platform-http:", " ").replaceAll("\\{[^}]+}", "1")));
                }
            }
        }
        assertTrue(lines.size() >= AT_LEAST, lines::toString);
        return lines;
    }

    /** Also behind a reverse proxy on this machine, as nginx is without settings: HTTP/1.0, the upstream's name, no word about who asks. */
    @Test
    void whoHasNoTokenIsRefusedWhateverHeAsksForButWebhookHealthAndMetrics() throws IOException {
        Set<String> lines = endpoints();
        for (String line : lines) {
            for (String header : List.of("Accept: */*", "Authorization: Bearer wrong-token-of-the-tests", "Authorization: Bearer ",
                    "Callbridge-Who: token")) {
                assertRefused(401, ask(closed, line, header));
            }
            for (String method : List.of("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE")) {
                assertEquals(401, ask(closed, method + line.substring(line.indexOf(' '))).status(), line);
            }
        }
        lines.addAll(List.of("GET /", "HEAD /", "POST /login", "GET /login", "POST /logout", "GET /api", "GET /api/", "GET /api/login/start",
                "GET /api/nothing"));
        Pages.below(Path.of("src/main/resources/console")).filter(Files::isRegularFile)
                .forEach(file -> lines.add("GET /console/" + file.getFileName()));
        for (String line : lines) {
            Answer answer = proxied(line);
            assertEquals(401, answer.status(), () -> line + "\n" + answer);
            assertTrue(line.startsWith("HEAD") || !answer.text().isEmpty(), line);
            assertFalse(answer.text().contains("callId") || answer.toString().contains(closed.secret()), answer::toString);
        }
        for (String open : List.of("/pbx/" + closed.secret() + "/events", "/q/health/live", "/q/health/ready", "/q/health/started",
                "/q/metrics")) {
            assertEquals(200, proxied("GET " + open).status(), open);
        }
        assertEquals(404, proxied("GET /pbx/wrong-secret-of-the-tests/events").status());
    }

    private Answer proxied(String line) {
        return RawHttp.send(closed.port(), RawHttp.bytes(line + " HTTP/1.0\r\nHost: 127.0.0.1:" + closed.port()
                + "\r\nConnection: close\r\nContent-Length: 0\r\nUser-Agent: Mozilla/5.0\r\n\r\n"));
    }

    static Answer ask(BridgeProcess bridge, String line, String... headers) {
        String host = Stream.of(headers).anyMatch(header -> header.startsWith("Host:")) ? "" : "Host: 127.0.0.1:" + bridge.port() + "\r\n";
        return RawHttp.send(bridge.port(), RawHttp.bytes(line + " HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n" + host
                + String.join("\r\n", headers) + "\r\n\r\n"));
    }

    private static void assertWho(String name, Answer answer) {
        assertEquals(200, answer.status(), answer::toString);
        assertEquals(name, answer.text());
    }

    static void assertRefused(int status, Answer answer) {
        assertEquals(status, answer.status(), answer::toString);
        // The same for whatever is asked.
        assertTrue(answer.text().startsWith(status == 401 ? "Nobody knows who asks" : "This user may not"), answer::toString);
        assertEquals("text/plain; charset=utf-8", answer.header("Content-Type"));
    }
}
