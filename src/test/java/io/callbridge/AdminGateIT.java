package io.callbridge;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Page;
import io.callbridge.platform.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.ConsoleBrowser;
import io.callbridge.support.FakeOidcProvider;
import io.callbridge.support.Pages;
import io.callbridge.support.RawHttp.Answer;
import io.callbridge.support.RawHttp;
import io.callbridge.support.SharedBridge;
import io.callbridge.support.TestCall;
import java.io.IOException;
import java.net.CookieManager;
import java.net.CookiePolicy;
import java.net.HttpCookie;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Who may ask the administration API, and as whom he is known to the routes: one of them answers with the name it is given, as
 * an integrator's own could. A browser's requests are written by hand, since no client sends them so. Behind that the login at a
 * provider, as a browser and as a program; the provider is {@link FakeOidcProvider}.
 */
@Tag("native")
class AdminGateIT {

    private static final String TOKEN = BridgeProcess.ADMIN_TOKEN;
    private static final String START = "/api/login/start";
    private static final String BEARER = "Authorization: Bearer " + TOKEN;
    private static final int AT_LEAST = 14;
    private static final Pattern REQUEST = Pattern.compile("\"((?:GET|POST|DELETE) /api/[^\"]+)\"");

    @AutoClose
    private static FakeOidcProvider provider;
    @AutoClose
    private static BridgeProcess bridge;

    private Browser browser;
    private final BridgeProcess closed = SharedBridge.bridge();

    @BeforeAll
    static void start() {
        provider = new FakeOidcProvider();
        bridge = BridgeProcess.builder().settings(provider.settings("anna", "Борис", "token", "demo")).setting("callbridge.admin.oidc.role", "telephony")
                .setting("quarkus.http.proxy.proxy-address-forwarding", "true").setting("quarkus.http.proxy.enable-forwarded-host", "true")
                .setting("quarkus.http.proxy.enable-forwarded-prefix", "true").editRoutes(SharedBridge.WHO).start();
    }

    @BeforeEach
    void sitDown() {
        browser = new Browser(bridge);
        provider.user("anna", Map.of());
        provider.lifetime(300);
        provider.refuse(null);
    }

    @Test
    void theTokenOpensFromEverywhere() {
        assertWho("token", ask(closed, "GET /api/who", BEARER));
        assertWho("token", ask(bridge, "GET /api/who", BEARER));
        assertWho("token", ask(closed, "GET /api/who", BEARER, "Host: callbridge.example", "X-Forwarded-For: 192.0.2.1"));
        // A page of another site does not know it.
        assertWho("token", ask(closed, "POST /api/who", BEARER, "Origin: https://console.example", "Sec-Fetch-Site: cross-site"));
        assertFalse(closed.output().contains(TOKEN), "the token is in the output");
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
    @ValueSource(strings = {"Accept: */*", "Authorization: Bearer admin-token-of-the-test", "Authorization: Bearer " + TOKEN + "s",
        "Authorization: Bearer", "Authorization: bearer " + TOKEN, "Authorization: " + TOKEN, "Authorization: Basic " + TOKEN,
        "Cookie: token=" + TOKEN, "Callbridge-Who: token", "Host: localhost:8080", "Host: 127.0.0.1", "Host: [::1]:8080",
        "Sec-Fetch-Site: same-origin", "Origin: http://localhost:8080", "X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1",
        "Callbridge-Console: true", "Cookie: callbridge=", "Cookie: callbridge=null", "Cookie: callbridge=" + TOKEN})
    void withATokenNothingElseOpensNotEvenOnThisMachine(String header) {
        for (String line : List.of("GET /api/who", "POST /api/deliveries/retry", "GET /api/nothing", "GET /api", "POST /login", "POST /logout",
                "GET /api/who?token=" + TOKEN + "&access_token=" + TOKEN)) {
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
            // Of the address that was printed, which must have been once.
            List<String> found = Pattern.compile("http://[^ ]+:" + first.port() + "/#token=([a-z]{32})").matcher(first.output()).results()
                    .map(address -> address.group(1)).toList();
            assertEquals(1, found.size(), first::tail);
            String token = found.get(0);
            assertRefused(401, ask(first, "GET /api/who"));
            assertWho("token", ask(first, "GET /api/who", "Authorization: Bearer " + token));
            try (BridgeProcess second = builder.storeOf(first).start()) {
                assertFalse(second.output().contains("#token="), second::output);
                assertWho("token", ask(second, "GET /api/who", "Authorization: Bearer " + token));
            }
        }
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

    /** Everything that is administration, with something in the place of its variables. */
    static Set<String> endpoints() {
        // What is no answer of its own: it ends when the client does.
        TreeSet<String> lines = new TreeSet<>(List.of("GET /api/live"));
        REQUEST.matcher(Pages.text(Path.of("src/main/java/io/callbridge/admin/AdminApi.java"))).results()
                .forEach(request -> lines.add(request.group(1).replaceAll(":[a-zA-Z]+", "1")));
        assertTrue(lines.size() >= AT_LEAST, lines::toString);
        return lines;
    }

    /** Also behind a reverse proxy on this machine, as nginx is without settings: HTTP/1.0, the upstream's name, no word about who asks. */
    @Test
    void whoHasNoTokenIsRefusedWhateverHeAsksForButWebhookHealthAndMetrics() throws IOException {
        Set<String> lines = endpoints();
        for (String line : lines) {
            for (String header : List.of("Accept: */*", "Authorization: Bearer wrong-token-of-the-tests", "Authorization: Bearer ",
                    "Callbridge-Who: token", "Callbridge-Who: anna", "Cookie: session=x; q_sessio=x")) {
                assertRefused(401, ask(closed, line, header));
                // Where there is a login, too.
                assertRefused(401, ask(bridge, line, header));
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

    @Test
    void thereIsNoLoginByDefault() {
        assertEquals(401, closed.get(START, "Accept", "*/*").statusCode());
        String page = closed.get("/", "Accept", "*/*").body();
        assertTrue(page.contains("data-oidc=\"false\""), page);
        assertTrue(closed.output().lines().noneMatch(line -> line.toLowerCase(Locale.ROOT).contains("oidc")
                && !line.contains("Installed features")), closed::output);
    }

    @Test
    void aBrowserLogsInWorksAndLogsOut() {
        Set<String> headers = browser.get("/api/calls").headers().map().keySet();
        assertEquals(401, browser.get("/api/calls").statusCode());
        assertFalse(headers.contains("location") || headers.contains("www-authenticate"), "a page shows its own form");
        assertTrue(browser.get("/").body().contains("data-oidc=\"true\""), () -> browser.get("/").body());

        assertEquals("/calls/1?a=b#c", browser.login("/calls/1?a=b%23c"));
        for (HttpCookie cookie : browser.session()) {
            assertTrue(cookie.isHttpOnly(), cookie::toString);
            assertEquals("/", cookie.getPath());
        }
        assertTrue(browser.cookiesSet.stream().anyMatch(line -> line.startsWith("q_session=")), browser.cookiesSet::toString);
        browser.cookiesSet.stream().filter(line -> line.startsWith("q_session=")).forEach(line ->
                assertTrue(line.contains("SameSite=Lax") && !line.contains("anna"), line));
        assertEquals(200, browser.get("/api/calls").statusCode());
        assertEquals(200, browser.get("/", "Sec-Fetch-Site", "cross-site").statusCode());
        assertEquals("anna", browser.get("/api/who").body());
        assertEquals("anna", browser.get("/api/who", "Callbridge-Who", "boris").body());
        assertEquals(200, browser.post("/api/deliveries/retry", "Origin", "http://127.0.0.1:" + bridge.port(),
                "Sec-Fetch-Site", "same-origin").statusCode());
        assertTrue(browser.get("/api/audit").body().contains("\"who\":\"anna\""), () -> browser.get("/api/audit").body());
        assertTrue(browser.get("/api/status").body().contains("\"who\":\"anna\""), () -> browser.get("/api/status").body());

        assertEquals(204, browser.post("/logout").statusCode());
        assertEquals(List.of(), browser.session());
        assertEquals(401, browser.get("/api/calls").statusCode());
    }

    @Test
    void aPageOfAnotherSiteCannotUseTheSession() {
        browser.login("/");
        for (String header : List.of("Origin https://evil.example", "Origin null", "Sec-Fetch-Site cross-site",
                "Sec-Fetch-Site same-site")) {
            String[] one = header.split(" ");
            for (HttpResponse<String> refused : List.of(browser.post("/api/deliveries/retry", one), browser.post("/logout", one),
                    browser.get("/api/calls", one))) {
                assertEquals(403, refused.statusCode(), header);
                assertTrue(refused.body().startsWith("This user may not"), refused.body());
            }
        }
        assertEquals(200, browser.get("/api/calls").statusCode(), "the session has ended");
    }

    @Test
    void whoIsNotNamedIsRefusedAndMayTryAsSomebodyElse() {
        provider.user("mallory", Map.of("groups", List.of("sales")));
        browser.attempt(START + "?to=/", 403);
        assertEquals(List.of(), browser.session());
        assertEquals(401, browser.get("/api/calls").statusCode());
        assertTrue(bridge.output().contains("The login of mallory was refused"), bridge::tail);
        provider.user("anna", Map.of());
        assertEquals("/", browser.login("/"));
        assertEquals(200, browser.get("/api/calls").statusCode());
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"token", "loopback", "demo", "", "ANNA", "anna\n", "anna\u202e", "anna,boris"})
    void aNameThatIsNotExactlyOneOfThemIsNone(String name) {
        provider.user(name, Map.of("upn", "anna", "groups", name == null ? List.of("telephony") : List.of()));
        browser.attempt(START, 403);
    }

    @Test
    void somebodyLogsInAtTheConsole() {
        try (ConsoleBrowser window = new ConsoleBrowser(bridge.port())) {
            Page page = window.open(null);
            page.navigate("/");
            page.getByText("Log in with your company account").click();
            assertThat(page.locator(".state").first()).isVisible();
            page.getByText("Log out").click();
            assertThat(page.getByText("Log in with your company account")).isVisible();
            provider.user("mallory", Map.of());
            page.getByText("Log in with your company account").click();
            assertThat(page.locator("body")).containsText("may not administer");
        }
    }

    @Test
    void aRoleIsEnoughAndANameMayBeOfAnyAlphabet() {
        Map<String, Map<String, Object>> users = Map.of("clara", Map.of("groups", List.of("sales", "telephony")),
                "dmitri", Map.of("realm_access", Map.of("roles", List.of("telephony"))), "Борис", Map.of());
        users.forEach((name, claims) -> {
            provider.user(name, claims);
            Browser other = new Browser(bridge);
            other.login("/");
            assertEquals(name, other.get("/api/who").body());
        });
    }

    @Test
    void aProgramMaySendATokenOfTheProvider() {
        assertEquals("anna", bearer(provider.token(FakeOidcProvider.CLIENT, "anna", 60)).body());
        assertEquals(403, bearer(provider.token(FakeOidcProvider.CLIENT, "mallory", 60)).statusCode());
        String unsigned = "eyJhbGciOiJub25lIn0." + provider.token(FakeOidcProvider.CLIENT, "anna", 60).split("[.]")[1] + ".";
        for (String wrong : List.of(provider.token("another-application", "anna", 60), provider.token(FakeOidcProvider.CLIENT, "anna", -60),
                provider.forged("anna"), unsigned, "opaque", "a.b.c")) {
            assertEquals(401, bearer(wrong).statusCode(), wrong);
            assertTrue(bearer(wrong).body().startsWith("Nobody knows who asks"), wrong);
        }
    }

    private static HttpResponse<String> bearer(String token) {
        return bridge.get("/api/who", "Authorization", "Bearer " + token);
    }

    @ParameterizedTest
    @ValueSource(strings = {"//evil.example", "/%5Cevil.example", "https://evil.example", "evil.example", "/%0d%0aSet-Cookie:x=y", "javascript:1", ""})
    void theWayBackIsALocalOne(String to) {
        assertEquals("/", browser.login(to));
    }

    @ParameterizedTest
    @ValueSource(strings = {"q_session=x", "q_session=a|b|c", "q_session_other=x", "q_session_chunk_1=x", "q_session_chunk_x=x",
        "q_auth=x", "q_auth_x=y; q_session=z", "q_session_at=x; q_session_rt=y"})
    void cookiesThatNobodyGaveOpenNothing(String cookies) {
        HttpResponse<String> refused = bridge.get("/api/who?code=x&state=x", "Cookie", cookies);
        assertEquals(401, refused.statusCode());
        assertTrue(refused.headers().firstValue("Location").isEmpty(), refused.headers()::toString);
    }

    @Test
    void aCodeCountsOnceAndInTheBrowserThatAskedForIt() {
        String page = browser.redirect(START);
        String back = browser.redirect(page);
        Browser other = new Browser(bridge);
        HttpResponse<String> stolen = other.get(back);
        assertFalse(stolen.headers().allValues("Set-Cookie").toString().contains("q_session"), stolen.headers()::toString);
        assertEquals(401, other.get("/api/who").statusCode());
        assertEquals(302, browser.get(back.replaceAll("state=[^&]*", "state=x")).statusCode(), "no session by another state");
        assertEquals(List.of(), browser.session());
    }

    @Test
    void aLoginThatFailsAtTheProviderIsSaidInOneLine() {
        provider.refuse("access_denied");
        browser.attempt(START, 401);
        assertTrue(bridge.output().lines().anyMatch(line -> line.contains("A login has failed") && line.contains("access_denied")
                && line.contains("second line")), bridge::tail);
        provider.refuse(null);
        browser.login("/");
    }

    @Test
    void aSessionIsRenewedWhileSomebodyWorks() {
        provider.lifetime(5);
        browser.login("/");
        int before = provider.refreshes();
        await("a renewal").until(() -> {
            assertEquals("anna", browser.get("/api/who").body());
            return provider.refreshes() > before;
        });
        assertEquals("anna", browser.get("/api/who").body());
    }

    /** Which has taken a part of the path off, and tells. */
    @Test
    void behindAProxyTheAddressIsTheProxys() {
        String[] headers = {"X-Forwarded-Proto", "https", "X-Forwarded-Host", "callbridge.example", "X-Forwarded-For", "192.0.2.1",
            "X-Forwarded-Prefix", "/cb"};
        String page = browser.get(START, headers).headers().firstValue("Location").orElseThrow();
        assertTrue(page.contains("redirect_uri=https%3A%2F%2Fcallbridge.example%2Fcb%2Fapi%2Flogin%2Fstart"), page);
        // The provider of the tests sends back to where there is no proxy; a browser would keep these for /cb alone.
        assertTrue(browser.cookiesSet.stream().allMatch(cookie -> cookie.contains("Secure") && cookie.contains("Path=/cb")),
                browser.cookiesSet::toString);
    }

    /**
     * As in a container, with settings from the environment and without a token; the name is an address that the provider has checked.
     * It talks nonsense at the start, and says nothing at the next one: calls go on, and who is logged in stays so.
     */
    @Test
    void callsGoOnWithoutTheProviderAndASessionOutlivesARestart() throws IOException {
        String address = "anna@office.example";
        BridgeProcess.Builder builder = BridgeProcess.builder().without("callbridge.admin.token").editRoutes(SharedBridge.WHO);
        try (FakeOidcProvider other = new FakeOidcProvider().speaking("<html>In maintenance</html>")) {
            Map<String, String> settings = new HashMap<>(other.settings(address));
            settings.put("callbridge.admin.oidc.name-claim", "email");
            settings.forEach((key, value) -> builder.environment(key.toUpperCase(Locale.ROOT).replaceAll("[.-]", "_"), value));
            try (BridgeProcess alone = builder.start()) {
                assertTrue(alone.output().contains("Nobody can log in"), alone::output);
                assertEquals(1, alone.output().lines().filter(line -> line.contains("WARN")).count(), alone::output);
                Browser there = new Browser(alone);
                for (String nonsense : new String[] {"<html>In maintenance</html>", "", "[]"}) {
                    other.speaking(nonsense);
                    assertEquals(401, there.get("/api/who").statusCode());
                    assertTrue(there.get(START).statusCode() >= 400, "a login there");
                }
                other.speaking(null);
                other.user("anna", Map.of("email", address, "email_verified", false));
                there.attempt(START, 403);
                other.user("anna", Map.of("email", address, "email_verified", true));
                assertEquals("/", there.login("/"));
                assertEquals(address, there.get("/api/who").body());

                alone.stop();
                other.down();
                try (ServerSocket silent = other.silent()) {
                    alone.restart();
                    TestCall call = TestCall.incoming("101", "+79000000010");
                    alone.webhook().accept(call.answered());
                    assertEquals(401, alone.get("/api/who").statusCode(), "loopback alone opens nothing");
                    assertEquals(503, new Browser(alone).get(START).statusCode());
                    assertFalse(silent.isClosed());
                }
                assertEquals(503, new Browser(alone).get(START).statusCode(), "who is away");
                other.up();
                assertEquals(address, there.get("/api/who").body());
            }
        }
    }

    @Test
    void onlyTheAdministrationKnowsOfTheLogin() {
        for (String path : List.of("/q/health/live", "/q/health/ready", "/q/metrics")) {
            HttpResponse<String> answer = bridge.get(path, "Authorization", "Bearer x", "Cookie", "q_session=x");
            assertEquals("200 []", answer.statusCode() + " " + answer.headers().allValues("Set-Cookie"), path);
        }
        assertEquals(404, bridge.get("/pbx/wrong-secret-of-the-tests/events", "Cookie", "q_session=x").statusCode());
    }

    /** Keeps cookies, and goes where it is sent only step by step. */
    private static final class Browser {

        private final CookieManager cookies = new CookieManager(null, CookiePolicy.ACCEPT_ALL);
        private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).cookieHandler(cookies)
                .connectTimeout(Duration.ofSeconds(20)).build();
        private final List<String> cookiesSet = new ArrayList<>();
        private final String address;

        Browser(BridgeProcess bridge) {
            address = "http://127.0.0.1:" + bridge.port();
        }

        HttpResponse<String> get(String path, String... headers) {
            return send("GET", path, headers);
        }

        HttpResponse<String> post(String path, String... headers) {
            return send("POST", path, headers);
        }

        /** Where a page sends to. */
        String redirect(String path) {
            HttpResponse<String> answer = get(path);
            assertEquals(302, answer.statusCode(), () -> path + " " + answer.body());
            return answer.headers().firstValue("Location").orElseThrow();
        }

        /** @return the page that comes at the end */
        String login(String to) {
            String at = START + "?to=" + to;
            for (int step = 0; step < 4; step++) {
                at = URI.create(address).resolve(at).resolve(redirect(at)).toString();
            }
            return at.substring(address.length());
        }

        /** A login that ends with this status. */
        void attempt(String path, int status) {
            HttpResponse<String> answer = get(path);
            for (int step = 0; step < 3 && answer.statusCode() == 302; step++) {
                answer = get(answer.headers().firstValue("Location").orElseThrow());
            }
            assertEquals(status, answer.statusCode(), answer.body());
        }

        List<HttpCookie> session() {
            return cookies.getCookieStore().getCookies().stream().filter(cookie -> cookie.getName().startsWith("q_session")).toList();
        }

        private HttpResponse<String> send(String method, String path, String... headers) {
            HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(path.startsWith("/") ? address + path : path))
                    .method(method, HttpRequest.BodyPublishers.noBody()).timeout(Duration.ofSeconds(20));
            if (headers.length > 0) {
                request.headers(headers);
            }
            HttpResponse<String> answer = client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString()).join();
            cookiesSet.addAll(answer.headers().allValues("Set-Cookie"));
            return answer;
        }
    }
}
