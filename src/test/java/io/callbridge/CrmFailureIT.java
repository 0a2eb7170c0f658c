package io.callbridge;

import static io.callbridge.support.BridgeProcess.lines;
import static io.callbridge.support.BridgeProcess.words;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.callbridge.platform.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.RestContract;
import io.callbridge.support.TestCall;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** CRMs are down, slow, busy and wrong. A card may be lost by that; a call may not, and none may come twice. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CrmFailureIT {

    private static final int KEPT_OF_AN_ANSWER = 2048;
    private static final Duration LOOK_UP = Duration.ofMillis(1000);
    private static final Duration TIMEOUT = Duration.ofSeconds(3);
    private static final Duration LONG = Duration.ofHours(1);

    @AutoClose
    private FakeCrm crm = new FakeCrm();
    private final AtomicInteger callers = new AtomicInteger();
    @AutoClose
    private BridgeProcess bridge;
    /** What the CRM has answered with a page, which looks as if it had taken it. */
    private final Set<String> pages = new HashSet<>();

    @BeforeAll
    void start() {
        bridge = BridgeProcess.builder().crm(crm).quickRetries()
                .setting("callbridge.deliver.card.lookup-timeout-ms", Long.toString(LOOK_UP.toMillis()))
                .setting("callbridge.deliver.timeout-ms", Long.toString(TIMEOUT.toMillis())).start();
    }

    @BeforeEach
    void behave() {
        crm.behave();
        // Its first request may be one that the test before has left.
        TestCall call = incoming("104");
        bridge.webhook().accept(call.answered());
        crm.awaitCall(call);
        awaitState("up");
    }

    /** What the CRM has confirmed is not sent again, whatever went wrong before; and each time it is sent it is the same. */
    @AfterAll
    void nothingCameTwice() {
        crm.behave();
        crm.awaitQuiet();
        List<CrmRequest> effects = Stream.concat(crm.requests(Kind.CALL).stream(), crm.requests(Kind.MISSED).stream()).toList();
        for (String path : effects.stream().map(CrmRequest::path).filter(path -> !pages.contains(path)).distinct().toList()) {
            List<CrmRequest> tries = effects.stream().filter(request -> request.path().equals(path)).toList();
            assertSameBodies(tries);
            assertTrue(tries.stream().limit(tries.size() - 1).noneMatch(CrmFailureIT::confirmed), () -> "confirmed, and again: " + tries);
        }
        crm.requests(Kind.ENTITY).forEach(request -> assertFalse(bridge.output().contains(request.query().get("phone").substring(1))));
        // But who asks whether it is there follows none, and the one number of another form has the person of that form.
        assertContract(crm.requests().stream()
                .filter(request -> request.kind() != Kind.OTHER && !String.valueOf(request.member("number")).startsWith("+52")).toList());
    }

    private static void assertSameBodies(List<CrmRequest> tries) {
        tries.forEach(each -> assertEquals(tries.get(0).body(), each.body(), "a repeat is the same request"));
    }

    private void assertContract(List<CrmRequest> requests) {
        List<String> deviations = new RestContract(crm, false).deviations(requests);
        assertTrue(deviations.isEmpty(), () -> String.join("\n", deviations) + bridge.tail());
    }

    private static boolean confirmed(CrmRequest request) {
        return request.answered() != CrmRequest.LOST && request.effective() && request.took().compareTo(TIMEOUT.dividedBy(2)) < 0;
    }

    /** What is wrong with the CRM for a while. */
    static List<Named<Consumer<CrmFailureIT>>> faults() {
        return List.of(
                Named.of("connections are refused", it -> it.crm.down()),
                Named.of("no answer in time", it -> it.all(Answer.after(LONG))),
                Named.of("500", it -> it.all(Answer.status(500))),
                Named.of("429 with Retry-After", it -> it.all(Answer.status(429).retryAfter(1))),
                Named.of("429 with Retry-After to look-ups only", it -> it.crm.on("GET", ".*", Answer.status(429).retryAfter(1))),
                Named.of("look-ups answer something that is no JSON",
                        it -> it.crm.on("GET", ".*", Answer.status(200).body("{\"id\": oops"))),
                Named.of("connections closed after the effect", it -> it.all(Answer.lost())),
                Named.of("something that is not HTTP", it -> it.crm.babble("\u0000\u0001\u00ff what do you want?\n\n")),
                Named.of("HTTP whose body breaks off", it -> it.crm.babble("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        + "Content-Length: 4000\r\n\r\n{\"id\":\"iva")),
                Named.of("HTTP whose body is no chunks",
                        it -> it.crm.babble("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}")));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void whateverIsWrongForAWhileEveryCallArrivesAndEveryCardEnds(Consumer<CrmFailureIT> begin) {
        TestCall shown = incoming("101");
        bridge.webhook().accept(List.of(shown.dialIn(), shown.answer()));
        awaitThat("the card", () -> crm.has(Kind.CARD, shown.legId()));

        begin.accept(this);
        TestCall call = incoming("102");
        crm.entity(call.caller(), "known", "Known", "anna");
        TestCall missed = incoming("103");
        bridge.webhook().accept(List.of(shown.hangup()));
        bridge.webhook().accept(call.answered());
        bridge.webhook().accept(missed.missed());
        awaitState("down");
        crm.behave();
        crm.up();

        awaitThat("all of it", () -> crm.has(Kind.CALL, shown.legId()) && crm.has(Kind.CARD_END, shown.legId())
                && crm.has(Kind.CALL, call.legId()) && crm.has(Kind.MISSED, missed.callId())
                && Stream.of(call, missed).allMatch(leg -> !crm.has(Kind.CARD, leg.legId()) || crm.has(Kind.CARD_END, leg.legId())));
    }

    /** And however old the card is, the look-up has its time from the try. */
    @Test
    void aCardIsShownLateIfTheCrmIsBackWithinItsTime() {
        TestCall call = incoming("101");
        crm.entity(call.caller(), "late", "Late", "anna");
        crm.down();
        bridge.webhook().accept(List.of(call.dialIn()));
        awaitState("down");
        crm.up();
        awaitThat("the card", () -> crm.has(Kind.CARD, call.legId()));
        bridge.webhook().accept(List.of(call.answer(), call.hangup()));
        crm.awaitCall(call);
        assertEquals(1, crm.requests(Kind.CARD, call.legId()).size());
        assertEquals(1, crm.requests(Kind.CARD_END, call.legId()).size());
        assertEquals(List.of(), new RestContract(crm).deviations(crm.requests(List.of(call.legId()))));
    }

    /** Without a wish of the CRM, each wait is longer than the one before; which statuses mean "later" is decided in a route. */
    @Test
    void aRegistrationIsRepeatedUntilTheCrmTakesIt() {
        TestCall call = incoming("101");
        crm.on("PUT", "/calls/.*", Answer.status(503).times(4));
        bridge.webhook().accept(call.answered());
        crm.awaitCall(call);
        List<CrmRequest> tries = crm.requests(Kind.CALL, call.legId());
        assertEquals(5, tries.size(), () -> "tries: " + tries);
        Duration last = tries.get(4).since(tries.get(3).nanos());
        assertTrue(last.toMillis() > 150, () -> "waited only " + last + " at last");
        awaitThat("attempts in the explanation", () -> attempts(call).size() == 5);
    }

    private record Refusal(Answer answer, int status, String kept, String reason) {
    }

    static List<Refusal> refusals() {
        String page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>" + "x".repeat(2 * KEPT_OF_AN_ANSWER);
        String elsewhere = "https://elsewhere.example/api/calls";
        return List.of(
                new Refusal(Answer.status(401).body("{\"error\": \"token\"}"), 401, "{\"error\": \"token\"}", "answer 401"),
                new Refusal(Answer.status(301).header("Location", elsewhere), 301,
                        "moved to " + elsewhere + ", set callbridge.crm.rest.url", "https://elsewhere.example"),
                new Refusal(Answer.status(200).body(page).header("Content-Type", "text/html"), 200,
                        page.substring(0, KEPT_OF_AN_ANSWER), "'Sign in'"),
                // To look-ups only.
                new Refusal(Answer.status(200).body(page), 0,
                        "look-up failed: answer 200: " + page.substring(0, 100), "'Sign in'"));
    }

    /** Its token, its rights or its address are wrong: nothing that is sent can be right until somebody has mended that. */
    @ParameterizedTest
    @MethodSource("refusals")
    void aCrmThatRefusesCallbridgeItselfGetsEverythingWhenThatIsPutRight(Refusal refusal) {
        long said = saidRefusals();
        if (refusal.status == 0) {
            crm.on("GET", ".*", refusal.answer);
        } else {
            crm.on("PUT", ".*", refusal.answer);
            crm.on("DELETE", ".*", refusal.answer);
        }
        List<TestCall> calls = calls(5);
        // Late for a card, which a registration would wait for.
        calls.forEach(call -> bridge.webhook().accept(List.of(call.hangup(), call.answer(), call.dialIn())));
        TestCall missed = incoming("101");
        bridge.webhook().accept(missed.missed());
        awaitState("refused");
        assertTrue(words(bridge.json("/api/status"), "crms/0/reason").contains(refusal.reason), () -> bridge.get("/api/status").body());
        assertTrue(bridge.post("/api/setup/crms/rest/check").body().contains("\"ok\":false"), "what the check says");
        awaitThat("a try", () -> calls.stream().anyMatch(call -> !attempts(call).isEmpty()));

        TestCall tried = calls.stream().filter(call -> !attempts(call).isEmpty()).findFirst().orElseThrow();
        assertEquals(List.of("call pending"), deliveries(tried));
        String attempt = words(attempts(tried), "0/status 0/answer");
        assertTrue(attempt.startsWith((refusal.status == 0 ? "" : refusal.status) + " " + refusal.kept)
                && attempt.length() < KEPT_OF_AN_ANSWER + 50, attempt);
        assertEquals(said + 1, saidRefusals(), () -> "said once" + bridge.tail());

        crm.behave();
        if (refusal.status == 200) {
            crm.requests().stream().filter(CrmRequest::effective).map(CrmRequest::path).forEach(pages::add);
        }
        calls.forEach(call -> awaitThat("registration of " + call, () -> deliveries(call).equals(List.of("call delivered"))));
        awaitThat("missed call", () -> deliveries(missed).contains("missed delivered"));
        awaitState("up");
    }

    private long saidRefusals() {
        return bridge.output().lines().filter(line -> line.matches(".*ERROR.*CRM rest refuses Callbridge itself.*")).count();
    }

    /** Nobody knows what a CRM means that calls a look-up wrong, or does not let us in: not that it knows nobody. */
    @ParameterizedTest
    @ValueSource(ints = {400, 403, 405, 422})
    void onlyA404OfALookUpMeansNobody(int status) {
        TestCall call = incoming("101");
        crm.entity(call.caller(), "known" + status, "Known", "anna");
        crm.on("GET", "/entities", Answer.status(status).body("what do you want?"));
        bridge.webhook().accept(call.answered());
        awaitThat("a try", () -> !attempts(call).isEmpty());
        assertEquals("look-up failed: answer " + status + ": what do you want?", words(attempts(call), "0/answer"));
        crm.behave();
        crm.awaitCall(call);
    }

    /** Nobody can do anything about a card that was refused, and its end would only be refused, too. */
    @Test
    void aRefusedCardIsOver() {
        crm.on("PUT", "/cards/.*", Answer.status(422).body("no such employee"));
        TestCall call = incoming("101");
        bridge.webhook().accept(List.of(call.dialIn()));
        awaitThat("the card", () -> !crm.requests(Kind.CARD, call.legId()).isEmpty());
        bridge.webhook().accept(List.of(call.answer(), call.hangup()));
        crm.awaitCall(call);
        crm.behave();
        crm.on("DELETE", "/cards/.*", Answer.status(404));
        TestCall shown = incoming("102");
        bridge.webhook().accept(List.of(shown.dialIn()));
        awaitThat("the next card", () -> crm.has(Kind.CARD, shown.legId()));
        bridge.webhook().accept(List.of(shown.answer(), shown.hangup()));
        crm.awaitCall(shown);

        awaitThat("all results", () -> Stream.of(call, shown).noneMatch(each -> deliveries(each).toString().contains("pending")));
        assertEquals(List.of("card dropped", "card-end dropped", "call delivered"), deliveries(call));
        assertEquals(List.of("card delivered", "card-end dropped", "call delivered"), deliveries(shown));
        assertEquals(1, crm.requests(Kind.CARD, call.legId()).size(), "tries of the card");
        assertEquals(0, crm.requests(Kind.CARD_END, call.legId()).size(), "the end of a card that was not shown");
    }

    /** A CRM has a client under the number that he had when he was new to it. */
    @Test
    void aNumberThatIsNoLongerValidIsLookedUpInEachOfItsForms() {
        crm.entity("+525512345678", "maria", "Maria", "anna");
        TestCall call = TestCall.incoming("101", "+52 1 55 1234 5678");
        bridge.webhook().accept(call.answered());
        crm.awaitCall(call);
        assertEquals(crm.entityOf("+525512345678"), crm.requests(Kind.CALL, call.legId()).get(0).body().get("entity"));
        assertEquals(List.of("+5215512345678", "+525512345678"), crm.requests(Kind.ENTITY).stream().map(r -> r.query().get("phone"))
                .filter(phone -> phone.startsWith("+52")).distinct().toList());

        Map.of("8916123456", "8916123456 is not looked up", "anonymous", "no number to look up").forEach((unread, said) -> {
            TestCall nobody = TestCall.incoming("101", unread);
            bridge.webhook().accept(nobody.answered());
            crm.awaitCall(nobody);
            String decisions = bridge.call(nobody.callId()).path("decisions").toString();
            assertTrue(decisions.contains(said), decisions);
        });
    }

    /** One bad employee, one bad number: a CRM may fail for many calls and take all the others. */
    @Test
    void callsThatTheCrmFailsForDoNotHoldBackTheOthers() {
        List<TestCall> bad = calls(50);
        crm.on("PUT", "/calls/(" + String.join("|", bad.stream().map(TestCall::legId).toList()) + ")", Answer.status(500));
        bad.parallelStream().forEach(call -> bridge.webhook().accept(call.answered()));
        awaitThat("failures", () -> crm.requests(Kind.CALL).stream().filter(request -> request.answered() == 500).count() >= 10);
        for (int i = 0; i < 5; i++) {
            TestCall good = incoming("105");
            bridge.webhook().accept(good.answered());
            crm.awaitCall(good);
        }
        assertFalse(bad.stream().anyMatch(call -> crm.has(Kind.CALL, call.legId())), "the CRM did not fail");
        crm.behave();
        bad.forEach(crm::awaitCall);
    }

    @Test
    void theWebhookAnswersAtOnceWhateverTheCrmDoes() {
        all(Answer.after(LONG));
        List<Duration> waits = new ArrayList<>();
        calls(20).forEach(call -> {
            long begin = System.nanoTime();
            bridge.webhook().accept(List.of(call.dialIn()));
            waits.add(Duration.ofNanos(System.nanoTime() - begin));
        });
        Collections.sort(waits);
        assertTrue(waits.get(10).compareTo(LOOK_UP) < 0 && waits.get(19).toSeconds() < 15, () -> "the PBX waited " + waits + bridge.tail());
    }

    /** The card goes without; the registration has it, as the contract is held to at the end: "failed" is not "not found". */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aLookUpThatIsSlowOrFailsCostsTheCardItsEntityButIsInTheRegistration(boolean slow) {
        TestCall call = incoming("101");
        crm.entity(call.caller(), "known", "Known", "anna");
        crm.on("GET", "/entities", slow ? Answer.after(LONG) : Answer.status(500));
        bridge.webhook().accept(List.of(call.dialIn()));
        awaitThat("the card, though nobody knows yet who calls", () -> crm.has(Kind.CARD, call.legId()));
        assertNull(crm.requests(Kind.CARD, call.legId()).get(0).body().get("entity"));
        crm.behave();
        bridge.webhook().accept(List.of(call.answer(), call.hangup()));
        crm.awaitCall(call);
    }

    /** Five phones ring at once: the CRM is asked once, and "nobody" is an answer too. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void oneCallerIsLookedUpOnce(boolean known) {
        TestCall first = incoming("101");
        if (known) {
            crm.entity(first.caller(), "known", "Known", "anna");
        }
        List<TestCall> legs = IntStream.range(1, 6).mapToObj(i -> i == 1 ? first : first.alsoRinging("10" + i)).toList();
        legs.parallelStream().forEach(leg -> bridge.webhook().accept(List.of(leg.dialIn())));
        legs.forEach(leg -> awaitThat("card of " + leg, () -> crm.has(Kind.CARD, leg.legId())));
        bridge.webhook().accept(List.of(first.answer(), first.hangup()));
        crm.awaitCall(first);
        assertEquals(1, crm.requests(Kind.ENTITY).stream().filter(request -> first.caller().equals(request.query().get("phone"))).count());
    }

    /**
     * On PostgreSQL, where a delivery is taken before it is sent. A day at a ten thousandth of its length: retries are half a second apart
     * at most.
     */
    @Test
    void afterALongOutageEverythingButTheCardsArrivesInOrder() {
        BridgeProcess other = bridge;
        FakeCrm its = crm;
        try (FakeCrm away = new FakeCrm(); BridgeProcess waiting = BridgeProcess.builder().crm(away).quickRetries()
                .store(StoreKind.POSTGRESQL).setting("callbridge.calls.card-ttl", "2s")
                .setting("callbridge.deliver.timeout-ms", "1000").start()) {
            bridge = waiting;
            crm = away;
            aCrmThatCannotEndCardsGetsTheCallsNevertheless();
            aDayOfOutage(60);
        } finally {
            bridge = other;
            crm = its;
        }
    }

    /** The end of a card is not worth a call: it is tried for a while, and again later, but not in the way of others. */
    private void aCrmThatCannotEndCardsGetsTheCallsNevertheless() {
        List<TestCall> calls = calls(6);
        crm.on("DELETE", "/cards/" + calls.get(0).legId(), Answer.after(Duration.ofHours(1)));
        crm.on("DELETE", ".*", Answer.status(500));
        calls.forEach(call -> bridge.webhook().accept(List.of(call.dialIn(), call.answer())));
        calls.forEach(call -> awaitThat("card of " + call, () -> crm.has(Kind.CARD, call.legId())));
        calls.forEach(call -> bridge.webhook().accept(List.of(call.hangup())));
        calls.forEach(crm::awaitCall);
        assertTrue(calls.stream().noneMatch(call -> crm.has(Kind.CARD_END, call.legId())), "no card has ended");

        crm.behave();
        calls.forEach(call -> awaitThat("end of the card of " + call, () -> crm.has(Kind.CARD_END, call.legId())));
        calls.forEach(call -> assertSameBodies(crm.requests(Kind.CALL, call.legId())));
    }

    private void aDayOfOutage(int many) {
        TestCall shown = incoming("101");
        bridge.webhook().accept(List.of(shown.dialIn()));
        awaitThat("a card", () -> crm.has(Kind.CARD, shown.legId()));
        crm.down();
        bridge.webhook().accept(List.of(shown.answer(), shown.hangup()));
        List<TestCall> calls = calls(many);
        List<TestCall> transferred = calls.stream().map(call -> call.alsoRinging("104")).toList();
        List<TestCall> missed = calls(many);
        Stream.of(calls, transferred).forEach(legs -> legs.parallelStream().forEach(leg -> bridge.webhook().accept(leg.answered())));
        missed.parallelStream().forEach(call -> bridge.webhook().accept(call.missed()));
        Stream.of(calls, missed).flatMap(List::stream)
                .forEach(call -> awaitThat("the end of the time of its cards", () -> !deliveries(call).contains("card pending")));
        all(Answer.status(503));
        crm.up();
        assertSeldomAsked(3 * many);
        crm.behave();

        awaitThat("all registrations and missed calls", () -> calls.stream().allMatch(leg -> crm.has(Kind.CALL, leg.legId()))
                && transferred.stream().allMatch(leg -> crm.has(Kind.CALL, leg.legId()))
                && missed.stream().allMatch(call -> crm.has(Kind.MISSED, call.callId())));
        awaitThat("the end of the card that was shown", () -> crm.has(Kind.CARD_END, shown.legId()));
        crm.awaitCall(shown);
        crm.awaitQuiet();
        assertEquals(1, crm.requests(Kind.CARD, shown.legId()).size());
        List<String> written = crm.requests(Kind.CALL).stream().filter(CrmRequest::effective).map(CrmRequest::id).toList();
        assertEquals(written.size(), written.stream().distinct().count(), "registrations");
        for (int i = 0; i < many; i++) {
            TestCall first = calls.get(i);
            TestCall second = transferred.get(i);
            assertTrue(written.indexOf(first.legId()) < written.indexOf(second.legId()), () -> "not in order: " + first + ", " + second);
        }
        assertTrue(Stream.of(calls, transferred, missed).flatMap(List::stream).noneMatch(leg -> crm.has(Kind.CARD, leg.legId())),
                "cards nobody wants to see any more");
        // A leg that was over before anybody looked at it has no card at all.
        long dropped = Stream.of(calls, missed).flatMap(List::stream).flatMap(call -> deliveries(call).stream())
                .filter("card dropped"::equals).count();
        assertTrue(dropped > 0, "no cards at all");
        assertEquals(dropped, bridge.metric("callbridge_deliveries_total", "operation=\"card\"", "result=\"dropped\""), "cards dropped");
        assertContract(crm.requests(Stream.of(calls, transferred, missed).flatMap(List::stream)
                .flatMap(leg -> Stream.of(leg.legId(), leg.callId())).toList()));
    }

    private void assertSeldomAsked(int waiting) {
        awaitThat("a request", () -> crm.requests().stream().anyMatch(request -> request.answered() == 503));
        int before = crm.requests().size();
        long begin = System.nanoTime();
        awaitThat("a look at how often it is asked whether it is back",
                () -> System.nanoTime() - begin > 2_000_000_000L && crm.requests().size() > before + 3);
        int asked = crm.requests().size() - before;
        Duration watched = Duration.ofNanos(System.nanoTime() - begin);
        assertTrue(asked <= 5 * watched.toSeconds() + 5, () -> "asked " + asked + " times in " + watched + ", " + waiting + " are waiting");
    }

    /** A call with a number that was not looked up before. */
    private TestCall incoming(String extension) {
        return TestCall.incoming(extension, "+790000" + (20_000 + callers.incrementAndGet()));
    }

    private List<TestCall> calls(int number) {
        return IntStream.range(0, number).mapToObj(i -> incoming("10" + (1 + i % 3))).toList();
    }

    private void all(Answer answer) {
        Stream.of("GET", "PUT", "DELETE").forEach(method -> crm.on(method, ".*", answer));
    }

    /** Of failures that it saw, or of answers. */
    private void awaitState(String state) {
        awaitThat("the state " + state, () -> state.equals(words(bridge.json("/api/status"), "crms/0/state")));
    }

    /** Each delivery of a call with its state. */
    private List<String> deliveries(TestCall call) {
        return lines(bridge.call(call.callId()).path("deliveries"), "operation state");
    }

    /** The tries of a registration. */
    private JsonNode attempts(TestCall call) {
        JsonNode delivery = bridge.delivery(call.callId(), call.legId());
        return delivery == null ? MissingNode.getInstance() : delivery.path("attempts");
    }

    private void awaitThat(String what, Callable<Boolean> condition) {
        try {
            await(what).pollInterval(Duration.ofMillis(25)).until(condition);
        } catch (ConditionTimeoutException e) {
            List<CrmRequest> received = crm.requests();
            throw new AssertionError("did not happen: " + what + "\n--- received last ---\n"
                    + received.subList(Math.max(0, received.size() - 30), received.size()) + bridge.tail(), e);
        }
    }
}
