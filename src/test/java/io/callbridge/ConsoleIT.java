package io.callbridge;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.WaitForSelectorState;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.ConsoleBrowser;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Scenario;
import io.callbridge.support.SharedBridge;
import io.callbridge.support.TestCall;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerResponse;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The console in a real browser: what an administrator, an operator and a manager see and do there. */
class ConsoleIT {

    private static final Duration SOON = Duration.ofSeconds(90);
    private static final int PAGE = 50;
    private static final int HEIGHT = 900;
    private static final String TOKEN = BridgeProcess.ADMIN_TOKEN;
    private static final String DARK = "rgb(15, 17, 23)";
    private static final String HOSTILE = "<img src=x onerror=\"document.title='broken in'\"><script>alert(1)</script>\u202Egnp.exe";

    private static FakeCrm crm;
    private static BridgeProcess bridge;
    private static ConsoleBrowser browser;

    @BeforeAll
    static void start() {
        crm = SharedBridge.crm();
        bridge = SharedBridge.bridge();
        browser = new ConsoleBrowser(bridge.port());
    }

    @BeforeEach
    void nothingToDo() {
        SharedBridge.tidy(bridge);
    }

    @AfterEach
    void nothingToComplainOf() {
        browser.closeWindows();
        assertEquals(List.of(), browser.errors());
    }

    @Test
    @Tag("native")
    void aCallIsSeenWhileItHappens() {
        Page page = show("live");
        assertThat(state(page, "PBX main")).hasCount(1);
        assertThat(state(page, "CRM rest")).containsText("takes calls");

        TestCall call = TestCall.incoming("101", FakeCrm.PETROVA);
        Locator card = page.locator(".call:has(a[href='#/calls/" + call.callId() + "/main'])");
        bridge.webhook().accept(List.of(call.dialIn()));
        assertThat(card).containsText(FakeCrm.PETROVA);
        says(card.locator("li"), "rings", "101 anna");
        // The PBX's clock is a year slow.
        assertThat(card.locator("li .clock")).hasText(Pattern.compile("00:[0-5]\\d"));
        String before = card.locator("li .clock").textContent();
        card.locator("a").focus();
        assertThat(card.locator("li .clock")).not().hasText(before);
        assertThat(card.locator("a")).isFocused();
        assertThat(state(page, "PBX main")).containsText(Pattern.compile("last event \\d+ seconds? ago"));
        bridge.webhook().accept(List.of(call.answer()));
        assertThat(card.locator("li")).containsText("talks");
        assertThat(card.locator("a")).isFocused();
        bridge.webhook().accept(List.of(call.hangup()));
        assertThat(card).hasCount(0);
    }

    @Test
    void aCrmThatIsDownIsSeen() {
        Page page = show("live");
        crm.down();
        for (int i = 0; i < 4; i++) {
            bridge.webhook().accept(TestCall.incoming("101", FakeCrm.IVANOV).answered());
        }
        says(state(page, "CRM rest"), "down since", "waiting");
        crm.up();
        says(state(page, "CRM rest"), "takes calls");
    }

    @Test
    void aPageThatHearsNothingSaysSo() throws Exception {
        Page page = show("live");
        Locator note = page.locator("p.trouble");
        assertThat(page.locator(".state").first()).isVisible();
        assertThat(note).isHidden();
        // A process that stands still keeps its connections, as one that has vanished seems to.
        bridge.signal("STOP");
        try {
            assertThat(note).isVisible();
        } finally {
            bridge.signal("CONT");
        }
        assertThat(note).isHidden();
    }

    @Test
    void callsAreFound() {
        TestCall call = answered("102", "+79000000077");
        Page page = show("calls");
        Locator rows = page.locator("tbody tr");
        search(page, Map.of("number", "8 (900) 000-00-77"));
        assertThat(rows).hasCount(1);
        says(rows, "boris", "answered");
        assertThat(rows.locator("a")).hasAttribute("href", "#/calls/" + call.callId() + "/main");
        search(page, Map.of("number", "+79000000077", "user", "boris", "extension", "102"));
        assertThat(rows).hasCount(1);
        search(page, Map.of("user", "anna", "extension", ""));
        assertThat(rows).hasCount(0);
        page.getByLabel("Outcome").selectOption("missed");
        search(page, Map.of("user", "boris"));
        says(page.locator(".empty"), "No call is like that");
        page.getByLabel("Outcome").selectOption("");
        search(page, Map.of("number", "", "user", "", "from", "2020-01-01", "to", "2020-01-02"));
        says(page.locator(".empty"), "No call is like that");
    }

    @Test
    @Tag("native")
    void anAnsweredCallIsShownWithItsCourseAndWhyItIsThere() {
        TestCall call = answered("101", FakeCrm.IVANOV);
        Page page = show("calls/" + call.callId());
        says(page.locator(".verdicts"), "It is in rest: registered call of anna");
        assertThat(page.locator(".timeline svg rect.ring")).hasCount(1);
        assertThat(page.locator(".timeline svg rect.talk")).hasCount(1);
        says(page.locator("main"), "101 anna", "R23");
        Locator event = page.locator("details").filter(having("hangup"));
        event.locator("summary").click();
        assertThat(event).containsText("SubCallID");
        assertThat(page.locator("details").filter(having("registered call"))).containsText("HTTP 20");
    }

    @Test
    void everyWhyHasAnAnswer() {
        TestCall missed = TestCall.incoming("103", "+79000000066");
        bridge.webhook().accept(missed.missed());
        awaitOutcome(missed.callId(), "missed");
        Page page = show("why");
        ask(page, "Number", "+7 900 000-00-66");
        says(page.locator(".verdicts"), "missed call", "rest");

        String local = played("S29", "local");
        show(page, "why");
        ask(page, "CallID", local);
        says(page.locator(".verdicts"), "must not be");

        TestCall unmapped = answered("777", FakeCrm.IVANOV);
        show(page, "calls/" + unmapped.callId());
        says(page.locator(".verdicts"), "It was answered, and is in no CRM", "map it to a user of the CRM",
                "R52: extension 777 is mapped to no user");

        show(page, "why");
        ask(page, "CallID", "never-heard-of");
        says(page.locator(".verdict"), "never heard");
        assertComplainsOnlyOf("404");
    }

    private static void ask(Page page, String label, String text) {
        page.getByLabel(label).fill(text);
        press(page, "Ask");
    }

    /** What would take two CRMs, three days or an outage to see. */
    @Test
    void whatBecameOfADeliveryIsSaid() {
        Page page = show("why");
        String rest = "[{crm: 'rest', capabilities: ['call']}]";
        """
                delivered | {status: 200} | good It is in rest: registered call of anna
                delivered | {answer: 'nobody has it'} | warn It is not in rest: registered call of anna was not sent: nobody has it
                pending | | warn It is on its way to rest: registered call, not tried yet
                pending | {status: 503} | warn It is not in rest yet: registered call. Tries: 1, last answer: HTTP 503
                dead | {status: 422} | bad It is not in rest: registered call was refused for good (tries: 1), with HTTP 422
                dead | {status: 503} | bad It is not in rest: registered call was tried until the time was up
                dead | {} | bad It is not in rest: registered call was tried until the time was up (tries: 1), the last time with no answer
                discarded | {status: 503} | bad It is not in rest: registered call was given up by an administrator
                """.lines().map(line -> line.split(" *[|] *"))
                .forEach(row -> assertVerdicts(page, delivered(row[0], row[1]), rest, row[2]));
        String down = "[{crm: 'rest', capabilities: ['call'], downSince: '2026-11-01T12:00:00Z'}]";
        assertVerdicts(page, delivered("pending", ""), down,
                "warn It is on its way to rest: registered call. rest takes nothing since 01/11/2026, 15:00:00");
        // It answers, and what it says is what has to be mended.
        assertVerdicts(page, delivered("pending", "{status: 401}"), down, "warn It is not in rest yet: registered call. Tries: 1, last answer: HTTP 401");
        assertVerdicts(page, delivered("pending", ""), "[]", "warn It is not in rest: registered call. rest is not active any more");
        assertVerdicts(page, delivered("delivered", "{}"), "[{crm: 'rest', capabilities: ['call']}, {crm: 'second', capabilities: ['call']},"
                + " {crm: 'third', capabilities: ['card']}]", "good It is in rest: registered call",
                "warn It is not in second: when it was decided, second was not set up",
                "good It is not in third, which does not take this: registered call.");
        String unanswered = "{deliveries: [], events: [], outcome: 'unanswered', decisions: [{topic: 'missed', rule: 'R46'}";
        assertVerdicts(page, unanswered + "]", rest, "warn It is not in the CRM: nobody answered it, and no active CRM takes missed calls");
        assertVerdicts(page, unanswered + ", {topic: 'call', rule: 'R52'}]", rest, "good It is not in the CRM, because nobody answered it");
        // An Asterisk's caller comes on a line of his own, which is answered when he reaches somebody: that is nobody's talk.
        String legs = "legs: [{legId: 'line', extension: 'provider', type: 'trunk', party: '+7', direction: 'in', local: false,"
                + " startedAt: '2026-01-01T00:00:00Z', answeredAt: '2026-01-01T00:00:05Z', endedAt: '2026-01-01T00:00:30Z', result: 'answered'},"
                + " {legId: 'leg-1', extension: '101', type: 'phone', party: '+7', direction: 'in', local: false,"
                + " startedAt: '2026-01-01T00:00:02Z', answeredAt: '2026-01-01T00:00:05Z', endedAt: '2026-01-01T00:00:30Z', result: 'answered'}]";
        String decisions = "decisions: [{topic: 'call', rule: 'R52', legId: 'leg-1'}, {topic: 'call', rule: 'R24', legId: 'line'}]";
        assertVerdicts(page, delivered("delivered", "{}").replace("decisions: []", decisions + ", " + legs), rest, "good It is in rest: registered call");
        assertEquals("R52", page.evaluate("async () => (await import('/console/why.js')).verdicts({outcome: 'answered', deliveries: [],"
                + " events: [], crms: [], " + decisions + ", " + legs + "})[0].because.rule"));
    }

    private static String delivered(String state, String attempt) {
        return "{outcome: 'answered', events: [], decisions: [], deliveries: [{crm: 'rest', operation: 'call', key: 'leg-1', request: {user: 'anna'},"
                + " state: '" + state + "', attempts: [" + attempt + "]}]";
    }

    /** How the verdicts on a call begin, without the isolating marks around what is somebody else's. */
    private static void assertVerdicts(Page page, String call, String crms, String... begins) {
        String all = (String) page.evaluate("async () => (await import('/console/why.js')).verdicts(" + call + ", crms: " + crms
                + "}).map(({kind, text}) => `${kind} ${text}`).join('\\n')");
        List<String> texts = all.replaceAll("[\u2068\u2069]", "").lines().toList();
        assertEquals(begins.length, texts.size(), texts::toString);
        for (int i = 0; i < begins.length; i++) {
            assertTrue(texts.get(i).startsWith(begins[i]), texts.get(i) + " is not " + begins[i]);
        }
    }

    @Test
    void aLegWithoutAnEndDoesNotTalkForEverAndAContainerOfWhichOnlyThatIsKnownIsDrawn() {
        Page page = show("why");
        assertThat(page.locator("main form")).isVisible();
        String timeline = "(await import('/console/timeline.js')).timeline([{legId: 'a', direction: 'in', party: '+7', extension: ";
        String legs = (String) page.evaluate("async () => " + timeline + "'101',"
                + " startedAt: '2026-01-01T00:00:00Z', answeredAt: '2026-01-01T00:00:05Z', result: 'unknown'},"
                + " {legId: 'b', extension: '102', party: '+7', direction: 'in', startedAt: '2026-01-01T00:00:00Z',"
                + " endedAt: '2026-01-01T00:00:06Z', result: 'cancelled'}], '2026-01-01T00:03:00Z').textContent");
        assertTrue(legs.contains("rang 00:05 · answered") || legs.contains("rang 00:05 · its end was never reported"), legs);
        assertFalse(legs.contains("talked"), legs);
        // The PBX's clock is three minutes slow.
        String rings = (String) page.evaluate("async () => " + timeline + "'101', startedAt: new Date(Date.now() - 185000).toISOString()}],"
                + " new Date(Date.now() - 5000)).textContent");
        assertTrue(rings.matches("(?s).*rang 00:0[56].*"), rings);
        page.evaluate("async () => document.querySelector('main').replaceChildren(" + timeline
                + "'880', type: 'queue', party: 'hidden', startedAt: '2026-01-01T00:00:00Z', endedAt: '2026-01-01T00:00:00Z',"
                + " result: 'no-answer'}], '2026-01-01T00:00:00Z'))");
        assertThat(page.locator("svg rect.held")).hasAttribute("x", "150");
        assertThat(page.locator(".legs li")).containsText("queue — hidden number");
    }

    @Test
    void whoTookItATransferAForwardingAndAQueueAreDrawn() {
        Page page = show("calls/" + takenByOneOfTwo().callId());
        assertDrawn(page, "answered elsewhere", "102 boris", 2, 1);
        show(page, "calls/" + played("S25", "answered"));
        assertDrawn(page, "after a transfer", "102 boris", 3, 3);
        show(page, "calls/" + played("S27", "answered"));
        assertDrawn(page, "forwarded by a rule", "101 anna", 3, 1);
        show(page, "calls/" + played("S16", "answered"));
        assertDrawn(page, "IVR or queue", "880", 3, 1);
        show(page, "%");
        assertThat(page.locator("h1")).hasText("Live");
        show(page, "toString");
        assertThat(page.locator("h1")).hasText("Live");
    }

    private static void assertDrawn(Page page, String mark, String of, int legs, int talks) {
        assertThat(page.locator(".timeline .legend")).containsText(mark);
        assertThat(page.locator(".timeline svg g")).hasCount(legs);
        assertThat(page.locator(".timeline svg rect.talk")).hasCount(talks);
        assertThat(page.locator(".legs li").filter(having(of)).filter(having(mark.equals("IVR or queue") ? "queue" : mark))).not().hasCount(0);
    }

    @Test
    void aDeadLetterIsRetriedAndReachesTheCrm() {
        TestCall dead = deadLetter("101");
        Page page = show("calls/" + dead.callId());
        says(page.locator(".verdicts"), "refused for good", "HTTP 422: no such employee");
        crm.behave();
        Locator delivery = page.locator("details").filter(having("registered call"));
        delivery.getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName("Retry")).click();
        await("the registration").until(() -> crm.requests(Kind.CALL, dead.legId()).size() == 2);
        says(page.locator(".told"), "On the way: 1");
        // The page shows by itself what the CRM has answered.
        says(page.locator(".verdicts"), "It is in rest");
    }

    @Test
    @Tag("native")
    void manyDeliveriesAreGivenUpOrSentAgainTogether() {
        List<TestCall> calls = List.of(deadLetter("101"), deadLetter("102"), deadLetter("103"));
        Page page = show("deliveries/dead");
        Locator rows = page.locator("tbody tr");
        assertThat(rows).hasCount(3);
        rows.first().locator("input").check();
        press(page, "Discard the chosen ones", "No");
        assertThat(rows).hasCount(3);
        press(page, "Discard the chosen ones", "Yes");
        assertThat(rows).hasCount(2);
        page.getByLabel("all on this page").check();
        press(page, "Retry the chosen ones");
        await("dead again").until(() -> calls.stream().filter(call -> crm.requests(Kind.CALL, call.legId()).size() == 2).count() == 2
                && count("dead") == 2);
        show(page, "deliveries/dead/rest");
        press(page, "Discard all of these", "Yes");
        assertThat(page.locator(".empty")).hasCount(1);
        assertEquals(0, count("dead"));
        crm.behave();
        show(page, "deliveries/discarded");
        press(page, "Retry all of these", "Yes");
        calls.forEach(crm::awaitCall);
    }

    @Test
    void aListThatGrowsKeepsWhatWasChosenAndHasNothingTwice() {
        crm.on("PUT", "/calls/.*", Answer.status(422));
        for (int i = 0; i < PAGE + 3; i++) {
            bridge.webhook().accept(TestCall.incoming("101", FakeCrm.IVANOV).answered());
        }
        await("the dead letters").until(() -> count("dead") == PAGE + 3);
        Page page = show("deliveries/dead");
        Locator rows = page.locator("tbody tr");
        assertThat(rows).hasCount(PAGE);
        rows.nth(1).locator("input").check();
        List<String> asked = new ArrayList<>();
        page.onRequest(request -> asked.add(request.url()));
        // Both on the same button: a second press of the mouse may meet what has taken its place.
        page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Show more")).evaluate("more => { more.click(); more.click(); }");
        assertThat(rows).hasCount(PAGE + 3);
        assertEquals(1, asked.size(), asked::toString);
        assertThat(rows.nth(PAGE).locator("input")).isFocused();
        assertThat(rows.nth(1).locator("input")).isChecked();
        assertThat(page.locator("tbody input:checked")).hasCount(1);
        press(page, "Discard the chosen ones", "Yes");
        await("one").until(() -> count("discarded") > 0 && count("dead") == PAGE + 2);
    }

    @Test
    void oneThatWasChangedMeanwhileDoesNotKeepTheOthersFromBeingDone() {
        TestCall first = deadLetter("101");
        deadLetter("102");
        deadLetter("103");
        Page page = show("deliveries/dead");
        assertThat(page.locator("tbody tr")).hasCount(3);
        String id = bridge.delivery(first.callId(), first.legId()).path("id").asText();
        assertEquals(200, bridge.post("/api/deliveries/" + id + "/discard").statusCode());
        page.getByLabel("all on this page").check();
        press(page, "Discard the chosen ones", "Yes");
        says(page.locator(".told"), "2 of 3 were done", "is discarded");
        assertThat(page.locator(".empty")).hasCount(1);
        assertComplainsOnlyOf("409");
    }

    @Test
    void aPeriodIsReprocessedAfterItWasShownWhatWouldHappen() throws SQLException {
        TestCall lost = answered("101", FakeCrm.IVANOV);
        OperatorIT.forget(bridge, lost);
        Page page = show("reprocess");
        page.getByLabel("From day").fill("2020-01-01");
        press(page, "Show what would happen");
        assertThat(page.locator("tbody tr").filter(having(lost.callId().substring(0, 12)))).containsText("missing");
        assertEquals(1, crm.requests(Kind.CALL, lost.legId()).size(), "a dry run sends nothing");
        page.getByLabel("From day").fill("2098-01-01");
        press(page, "Do it", "Yes");
        await("the registration").until(() -> crm.requests(Kind.CALL, lost.legId()).size() == 2);
        assertThat(page.locator("h2")).containsText("What was done");
    }

    @Test
    @Tag("native")
    void theSetUpSaysWhatToPasteAndWhatIsWrong() {
        TestCall call = answered("777", FakeCrm.IVANOV);
        String address = "http://127.0.0.1:" + bridge.port() + "/pbx/";
        Page page = show("setup");
        Locator pbx = page.locator(".panel").filter(having("PBX main"));
        assertThat(pbx.getByLabel("Webhook address")).hasValue(address + "***/events");
        press(page, "Show");
        assertThat(pbx.getByLabel("Webhook address")).hasValue(address + bridge.secret() + "/events");
        assertTrue(bridge.get("/api/audit?limit=1").body().contains("show-webhook"), () -> bridge.get("/api/audit?limit=1").body());
        page.context().grantPermissions(List.of("clipboard-read", "clipboard-write"));
        press(page, "Copy");
        says(page.locator(".told"), "Copied");
        assertEquals(address + bridge.secret() + "/events", page.evaluate("navigator.clipboard.readText()"));
        assertThat(pbx.getByRole(AriaRole.CELL, new Locator.GetByRoleOptions().setName("777").setExact(true)).first()).isVisible();
        assertThat(pbx.locator("tr").filter(having("SubCallID"))).containsText(call.legId());

        Locator rest = page.locator(".panel").filter(having("CRM rest"));
        rest.locator("input").fill(FakeCrm.IVANOV);
        press(page, "Test this CRM");
        assertThat(rest.locator("li.ok")).hasCount(3);
        assertThat(rest).containsText("Found:");
        crm.on("GET", "/entities.*", Answer.status(401));
        press(page, "Test this CRM");
        assertThat(rest.locator("li.failed")).containsText("does not accept the token");
        crm.down();
        press(page, "Test this CRM");
        assertThat(rest.locator("li.failed")).containsText("Nothing takes connections at callbridge.crm.rest.url");
        crm.up();
        show(page, "audit");
        says(page.locator("tbody tr").first(), "holder of the administration token", "CRM rest");
    }

    @Test
    void whoHasNoTokenIsAskedForIt() {
        Page page = browser.open(null);
        page.navigate("/#/calls");
        for (String wrong : List.of("a-wrong-one", "фвьшт")) {
            page.getByLabel("Administration token").fill(wrong);
            press(page, "Enter");
            says(page.locator(".trouble"), "does not accept this");
        }
        page.getByLabel("Administration token").fill(" " + TOKEN + " ");
        press(page, "Enter");
        assertThat(page.locator("h1")).hasText("Calls");
        page.reload();
        press(page, "Log out");
        assertThat(page.getByLabel("Administration token")).hasCount(1);
        assertComplainsOnlyOf("401");
    }

    /** The address that the first start tells, and a session that ends meanwhile. */
    @Test
    void anAddressWithTheTokenOpensTheConsoleAndTheTokenIsGone() {
        Page page = browser.open(null);
        openWithToken(page);
        page.goBack();
        assertFalse(page.url().contains("token"), page.url());
        // Where the page is open already, the browser only says that the part behind # is another.
        page.navigate("/#/calls");
        openWithToken(page);
        page.context().clearCookies();
        page.reload();
        assertThat(page.getByLabel("Administration token")).hasCount(1);
        openWithToken(page);
        page.context().clearCookies();
        page.navigate("/#/calls");
        assertThat(page.getByLabel("Administration token")).hasCount(1);
        assertComplainsOnlyOf("401");
    }

    private static void openWithToken(Page page) {
        page.navigate("/#token=" + TOKEN);
        assertThat(state(page, "PBX main")).hasCount(1);
        assertFalse(page.url().contains("token"), page.url());
    }

    /** A proxy that takes off a part of the path, says nothing about it, and has another name than Callbridge. */
    @Test
    void theConsoleIsBelowAPartOfAPath() {
        Vertx vertx = Vertx.vertx();
        HttpServer proxy = proxy(vertx, "/cb");
        try (ConsoleBrowser window = new ConsoleBrowser(proxy.actualPort())) {
            Page page = window.open(null);
            page.navigate("/cb/#token=" + TOKEN);
            assertThat(state(page, "PBX main")).hasCount(1);
            page.navigate("/cb/#/setup");
            press(page, "Show");
            assertThat(page.getByLabel("Webhook address")).hasValue("http://127.0.0.1:" + proxy.actualPort() + "/cb/pbx/" + bridge.secret() + "/events");
            press(page, "Test this CRM");
            assertThat(page.locator("li.ok").first()).isVisible();
            press(page, "Log out");
            assertThat(page.getByLabel("Administration token")).hasCount(1);
            assertTrue(window.errors().stream().allMatch(error -> error.contains("401")), "the browser tells of refusals");
        } finally {
            vertx.close();
        }
    }

    private static HttpServer proxy(Vertx vertx, String prefix) {
        HttpClient client = vertx.createHttpClient();
        return vertx.createHttpServer().requestHandler(asked -> asked.body()
                .compose(body -> client.request(asked.method(), bridge.port(), "127.0.0.1", asked.uri().substring(prefix.length()))
                        .compose(request -> {
                            asked.headers().remove("host").remove("connection").remove("content-length");
                            request.headers().addAll(asked.headers());
                            return request.send(body);
                        }))
                .onSuccess(answer -> {
                    HttpServerResponse response = asked.response().setStatusCode(answer.statusCode());
                    response.headers().addAll(answer.headers());
                    // As it comes: a feed has no end.
                    response.setChunked(answer.headers().contains("Transfer-Encoding"));
                    answer.pipeTo(response);
                })).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void bothLanguagesAndThemes() {
        Page page = show("calls");
        assertEquals("rgb(244, 245, 248)", ground(page));
        press(page, "Русский");
        assertThat(page.locator("button[name=language]")).isFocused();
        assertThat(page.locator("html")).hasAttribute("lang", "ru");
        press(page, "Тема: системная", "Тема: светлая");
        assertEquals(DARK, ground(page));
        page.reload();
        assertThat(page.locator("h1")).hasText("Звонки");
        assertEquals(DARK, ground(page), "both are kept");
        press(page, "English");
        assertThat(page.locator("h1")).hasText("Calls");
        Page russian = browser.open(TOKEN, "ru-RU", ColorScheme.DARK, 1280, 900);
        russian.navigate("/");
        assertThat(russian.locator("h1")).hasText("Сейчас");
        assertEquals(DARK, ground(russian));
    }

    @Test
    void storedTextIsShownHarmlessly() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        Map<String, String> dialIn = new HashMap<>(call.dialIn());
        dialIn.put("CallerIDName", HOSTILE);
        dialIn.put(HOSTILE, "x");
        crm.on("PUT", "/calls/.*", Answer.status(422).body(HOSTILE));
        bridge.webhook().accept(List.of(dialIn, call.answer(), call.hangup()));
        await("the dead letter").until(() -> count("dead") > 0);
        Page page = show("calls/" + call.callId());
        page.locator("details").filter(having("dial-in")).locator("summary").click();
        assertThat(page.locator("main")).containsText("<script>alert(1)</script>");
        assertThat(page.locator("main img, main script")).hasCount(0);
        assertFalse(page.title().contains("broken in"));
        assertThat(page.locator(".fields bdi").filter(having("<img")).first()).isVisible();
        show(page, "deliveries/dead");
        assertThat(page.locator("tbody")).containsText("onerror");
        assertThat(page.locator("main img, main script")).hasCount(0);
        show(page, "setup");
        assertThat(page.locator("main img, main script")).hasCount(0);
        bridge.post("/api/deliveries/discard");
    }

    @Test
    void theKeyboardIsEnough() {
        Page page = show("live");
        assertThat(page.locator(".state").first()).isVisible();
        page.keyboard().press("Tab");
        assertThat(page.locator(".skip")).isFocused();
        page.keyboard().press("Enter");
        assertThat(page.locator("h1")).isFocused();
        page.getByRole(AriaRole.LINK, new Page.GetByRoleOptions().setName("Calls").setExact(true)).focus();
        page.keyboard().press("Enter");
        assertThat(page.locator("h1")).hasText("Calls");
        assertThat(page.locator("h1")).isFocused();
        page.keyboard().press("Tab");
        assertThat(page.getByText("Refresh")).isFocused();
        page.keyboard().press("Tab");
        assertThat(page.getByLabel("Number")).isFocused();
        page.keyboard().type("+70000000000");
        page.keyboard().press("Enter");
        assertThat(page.locator(".empty")).hasCount(1);
    }

    /** In both themes and languages; each page in every width. */
    @ParameterizedTest
    @CsvSource({"phone, 390, dark, ru-RU", "desktop, 1280, light, en-GB"})
    void everyPageIsAccessibleInEverySizeAndTheme(String device, int width, String theme, String language) {
        TestCall queue = takenByOneOfTwo();
        TestCall dead = deadLetter("103");
        TestCall ringing = TestCall.incoming("102", FakeCrm.PETROVA);
        bridge.webhook().accept(List.of(ringing.dialIn()));
        bridge.post("/api/setup/crms/rest/check");
        Page page = browser.open(TOKEN, language, ColorScheme.valueOf(theme.toUpperCase()), width, HEIGHT);
        page.navigate("/");
        for (String hash : List.of("live", "calls", "calls/" + queue.callId(), "calls/" + dead.callId(), "why", "deliveries/dead", "deliveries/delivered", "reprocess",
                "setup", "audit")) {
            page.navigate("/#/" + hash);
            page.locator(".wait").waitFor(new Locator.WaitForOptions().setState(WaitForSelectorState.HIDDEN));
            if (hash.equals("live")) {
                page.locator(".call").first().waitFor();
            } else if (hash.equals("reprocess")) {
                page.locator("input[name=from]").fill("2020-01-01");
                page.locator("form button").click();
                page.locator(".counts").waitFor();
            } else if (hash.equals("setup")) {
                page.locator("form button").click();
                page.locator(".steps li").first().waitFor();
            }
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
            for (int each : new int[] {360, 390, 1280, width}) {
                page.setViewportSize(each, HEIGHT);
                assertFits(page, hash);
            }
            ConsoleBrowser.assertAccessible(page);
            String name = hash.replace(queue.callId(), "answered").replace(dead.callId(), "dead").replace('/', '-');
            ConsoleBrowser.picture(page, name + "-" + device + "-" + theme);
            if (hash.equals("deliveries/dead")) {
                page.locator("tbody input").first().check();
                page.locator("button.quiet", new Page.LocatorOptions().setHasText(Pattern.compile("Discard the|Не доставлять выб"))).click();
                page.locator("dialog").waitFor();
                ConsoleBrowser.assertAccessible(page);
                ConsoleBrowser.picture(page, "dialog-" + device + "-" + theme);
            }
        }
        Page stranger = browser.open(null, language, ColorScheme.valueOf(theme.toUpperCase()), width, HEIGHT);
        stranger.navigate("/");
        stranger.locator("input[name=token]").waitFor();
        assertFits(stranger, "login");
        ConsoleBrowser.assertAccessible(stranger);
        ConsoleBrowser.picture(stranger, "login-" + device + "-" + theme);
        assertComplainsOnlyOf("401");
        bridge.webhook().accept(List.of(ringing.givenUp()));
        bridge.post("/api/deliveries/discard");
    }

    /** What somebody sees who has just started it by the first command of the README, on a port of his own. */
    @Test
    void theDemoSaysWhereItIsAsksNobodyWhoHeIsAndTellsItsOwnCrm() {
        try (BridgeProcess demo = BridgeProcess.builder().bare().setting("callbridge.demo", "true")
                .setting("callbridge.demo.pause-ms", "100").start();
                ConsoleBrowser window = new ConsoleBrowser(demo.port())) {
            String address = "http://127.0.0.1:" + demo.port();
            await().until(() -> demo.output().contains("This is a demo"));
            String end = demo.output().replaceFirst("(?s).*This is a demo", "");
            assertTrue(end.contains("open " + address + "/"), demo::tail);
            assertFalse(end.contains(" route ") || end.contains("Installed features"), demo::tail);
            assertTimeoutPreemptively(SOON, () -> {
                try (InputStream events = URI.create(address + "/demo/events").toURL().openStream()) {
                    assertTrue(new BufferedReader(new InputStreamReader(events)).lines().anyMatch("event: card"::equals), "no card");
                }
            });
            for (String line : List.of("GET /api/calls", "GET /")) {
                assertEquals(200, AdminGateIT.ask(demo, line, "Host: callbridge.example", "X-Forwarded-For: 192.0.2.1").status(), line);
            }
            AdminGateIT.assertRefused(403, AdminGateIT.ask(demo, "GET /api/calls", "Host: 127.0.0.1", "Origin: http://evil.example"));
            assertFalse(demo.output().contains("#token="), demo::output);

            Page page = window.open(null);
            page.navigate("/");
            Locator link = page.locator(".call a").first();
            link.waitFor(new Locator.WaitForOptions().setTimeout(SOON.toMillis()));
            String call = link.getAttribute("href");
            assertThat(page.locator(".call:has(a[href='" + call + "'])")).hasCount(0,
                    new LocatorAssertions.HasCountOptions().setTimeout(2 * SOON.toMillis()));
            page.navigate("/" + call);
            assertThat(page.locator(".verdicts li")).not().hasCount(0);
            assertEquals(List.of(), window.errors());
        }
    }

    private static void assertFits(Page page, String hash) {
        assertEquals(0, ((Number) page.evaluate("Math.max(0, document.documentElement.scrollWidth - innerWidth)")).intValue(),
                "wider than the screen: " + hash);
    }

    private static TestCall answered(String extension, String caller) {
        TestCall call = TestCall.incoming(extension, caller);
        bridge.webhook().accept(call.answered());
        awaitRegistration(call);
        return call;
    }

    /** Also of one whom nobody knows, who has none. */
    private static void awaitRegistration(TestCall call) {
        awaitOutcome(call.callId(), "answered");
        await("the registration").until(() -> {
            String told = bridge.get("/api/calls/" + call.callId()).body();
            return !told.contains("\"state\":\"pending\"")
                    && (told.contains("\"operation\":\"call\"") || told.contains("is mapped to no user"));
        });
    }

    private static TestCall takenByOneOfTwo() {
        TestCall taken = TestCall.incoming("101", "+79000000055");
        TestCall other = taken.alsoRinging("102");
        bridge.webhook().accept(List.of(taken.dialIn(), other.dialIn(), taken.answer(), other.givenUp(), taken.hangup()));
        awaitRegistration(taken);
        return taken;
    }

    /** @return the id of a call of a scenario, when it has ended so */
    private static String played(String scenario, String outcome) {
        List<Map<String, String>> events = Scenario.of(scenario).asAnotherCall(3).events().stream().map(Scenario.Event::fields).toList();
        bridge.webhook().accept(events);
        awaitOutcome(events.get(0).get("CallID"), outcome);
        return events.get(0).get("CallID");
    }

    private static TestCall deadLetter(String extension) {
        crm.on("PUT", "/calls/.*", Answer.status(422).body("no such employee"));
        TestCall call = TestCall.incoming(extension, FakeCrm.IVANOV);
        bridge.webhook().accept(call.answered());
        await("the dead letter").until(() -> bridge.get("/api/calls/" + call.callId()).body().contains("\"state\":\"dead\""));
        return call;
    }

    private static int count(String state) {
        return bridge.get("/api/deliveries?limit=500&state=" + state).body().split("\"createdAt\"", -1).length - 1;
    }

    private static void awaitOutcome(String callId, String outcome) {
        await(outcome).until(() -> bridge.get("/api/calls/" + callId).body().contains("\"outcome\":\"" + outcome + "\""));
    }

    private static Page show(String hash) {
        Page page = browser.open(TOKEN);
        page.navigate("/#/" + hash);
        return page;
    }

    private static void show(Page page, String hash) {
        page.navigate("/#/" + hash);
        page.reload();
    }

    private static void search(Page page, Map<String, String> values) {
        values.forEach((name, value) -> page.locator("input[name=" + name + "]").fill(value));
        press(page, "Search");
    }

    private static void press(Page page, String... names) {
        for (String name : names) {
            page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true)).click();
        }
    }

    private static Locator state(Page page, String of) {
        return page.locator(".state").filter(having(of));
    }

    private static void says(Locator where, String... texts) {
        for (String text : texts) {
            assertThat(where).containsText(text);
        }
    }

    /** As it does of every answer that is a refusal. */
    private static void assertComplainsOnlyOf(String status) {
        List<String> errors = browser.errors();
        assertTrue(!errors.isEmpty() && errors.stream().allMatch(error -> error.contains(status)), errors::toString);
    }

    private static Locator.FilterOptions having(String text) {
        return new Locator.FilterOptions().setHasText(text);
    }

    private static String ground(Page page) {
        return (String) page.evaluate("getComputedStyle(document.body).backgroundColor");
    }
}
