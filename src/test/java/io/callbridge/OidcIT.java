package io.callbridge;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Page;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.ConsoleBrowser;
import io.callbridge.support.FakeOidcProvider;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Login at a provider, as a browser and as a program; the provider is {@link FakeOidcProvider}. */
@Tag("native")
class OidcIT {

    private static final Duration SOON = Duration.ofSeconds(90);
    private static final String TOKEN = BridgeProcess.ADMIN_TOKEN;
    private static final String START = "/api/login/start";

    @AutoClose
    private static FakeOidcProvider provider;
    @AutoClose
    private static BridgeProcess bridge;

    private Browser browser;

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
    void thereIsNoLoginByDefault() {
        BridgeProcess plain = SharedBridge.bridge();
        assertEquals(401, plain.get(START, "Accept", "*/*").statusCode());
        String page = plain.get("/", "Accept", "*/*").body();
        assertTrue(page.contains("data-oidc=\"false\""), page);
        assertTrue(plain.output().lines().noneMatch(line -> line.toLowerCase(Locale.ROOT).contains("oidc")
                && !line.contains("Installed features")), plain::output);
    }

    @Test
    void whoHasNotLoggedInIsRefusedWhateverHeAsksFor() throws IOException {
        for (String line : AdminGateIT.endpoints()) {
            for (String header : List.of("Accept: */*", "Callbridge-Who: anna", "Cookie: session=x; q_sessio=x")) {
                AdminGateIT.assertRefused(401, AdminGateIT.ask(bridge, line, header));
            }
        }
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
    @ValueSource(strings = {"token", "loopback", "demo", "", "ANNA", "anna\n", "anna\u202e", "anna,boris"})
    void aNameThatIsNotExactlyOneOfThemIsNone(String name) {
        provider.user(name, Map.of());
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
    void aTokenWithoutANameIsNobodys() {
        provider.user(null, Map.of("upn", "anna", "groups", List.of("telephony")));
        browser.attempt(START, 403);
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
    void theTokenOpensBesideTheLogin() {
        assertEquals("token", bridge.get("/api/who", "Authorization", "Bearer " + TOKEN).body());
        assertEquals(401, bridge.get("/api/who", "Authorization", "Bearer " + TOKEN + "x").statusCode());
        assertEquals(401, bridge.get("/api/who", "Accept", "*/*").statusCode(), "loopback alone opens nothing");
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
        await("a renewal").atMost(SOON).until(() -> {
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
                other.close();
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
