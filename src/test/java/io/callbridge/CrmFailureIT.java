package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.RestContract;
import io.callbridge.support.TestCall;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** CRMs are down, slow, busy and wrong. A card may be lost by that; a call may not, and none may come twice. */
@ParameterizedClass(name = "{0}")
@EnumSource(StoreKind.class)
class CrmFailureIT {

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration QUIET = Duration.ofMillis(1500);
    private static final Duration LOOK_UP_TIMEOUT = Duration.ofMillis(300);
    private static final Duration CARD_TTL = Duration.ofSeconds(1);
    private static final int KEPT_OF_AN_ANSWER = 2048;

    @Parameter
    private StoreKind store;
    private FakeCrm crm;
    private BridgeProcess bridge;
    private final AtomicInteger callers = new AtomicInteger();

    @BeforeEach
    void startCrm() {
        crm = new FakeCrm();
    }

    @AfterEach
    void stop() {
        if (bridge != null) {
            bridge.close();
        }
        crm.close();
    }

    @Test
    void everythingButOutdatedCardsArrivesWhenTheCrmIsBack() {
        start(BridgeProcess.builder().setting("callbridge.calls.card-ttl", CARD_TTL.toMillis() + "ms"));
        crm.down();
        List<TestCall> calls = IntStream.range(1, 6).mapToObj(i -> TestCall.incoming("10" + i, "+7900000050" + i)).toList();
        TestCall missed = TestCall.incoming("101", FakeCrm.PETROVA);
        calls.forEach(c -> bridge.webhook().accept(c.answered()));
        bridge.webhook().accept(missed.missed());
        awaitElapsed("the end of the cards' time", CARD_TTL.multipliedBy(2));
        assertTrue(crm.requests().isEmpty(), "the CRM was not down");

        crm.up();

        calls.forEach(c -> awaitThat("registration of " + c, () -> crm.has(Kind.CALL, c.legId())));
        awaitThat("missed call", () -> crm.has(Kind.MISSED, missed.callId()));
        awaitQuiet();
        assertEquals(List.of(), crm.requests(Kind.CARD), "cards nobody wants to see any more");
        assertEquals(calls.size(), crm.requests(Kind.CALL).size(), "one registration each");
        assertEquals(1, crm.requests(Kind.MISSED).size(), "one missed call");
        assertContract(true);
    }

    @Test
    void aCardIsShownLateIfTheCrmIsBackWithinItsTime() {
        start(BridgeProcess.builder().setting("callbridge.calls.card-ttl", "20s"));
        crm.down();
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.dialIn()));
        awaitElapsed("a few tries", Duration.ofMillis(500));
        crm.up();
        awaitThat("the card", () -> crm.has(Kind.CARD, call.legId()));
        bridge.webhook().accept(List.of(call.answer(), call.hangup()));
        awaitThat("the registration", () -> crm.has(Kind.CALL, call.legId()));
        awaitQuiet();
        assertEquals(1, crm.requests(Kind.CARD).size());
        assertEquals(1, crm.requests(Kind.CARD_END).size());
        // However old it is: the look-up has its time from the try.
        assertContract(true);
    }

    /** 408, 429 and 5xx mean "later"; without a wish of the CRM, each wait is longer than the one before. */
    @TestFactory
    Stream<DynamicTest> aRegistrationIsRepeatedUntilTheCrmTakesIt() {
        start(BridgeProcess.builder());
        int failures = 4;
        List<Duration> first = new ArrayList<>();
        List<Duration> last = new ArrayList<>();
        Stream<DynamicTest> repeats = IntStream.of(408, 429, 500, 502, 503, 504).mapToObj(status -> DynamicTest.dynamicTest(
                status + ", then 200", () -> {
                    TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
                    crm.on("PUT", "/calls/" + call.legId(), Answer.status(status).times(failures));
                    bridge.webhook().accept(call.answered());
                    awaitThat("success", () -> crm.has(Kind.CALL, call.legId()));
                    awaitQuiet();

                    List<CrmRequest> tries = crm.requests(Kind.CALL, call.legId());
                    assertEquals(failures + 1, tries.size(), () -> "tries: " + tries);
                    assertSameBodies(tries);
                    first.add(tries.get(1).since(tries.get(0).nanos()));
                    last.add(tries.get(failures).since(tries.get(failures - 1).nanos()));
                    awaitThat("attempts in the explanation", () -> attempts(call).size() == failures + 1);
                }));
        // Of one call it says nothing: the machine may have halted.
        return Stream.concat(repeats, Stream.of(DynamicTest.dynamicTest("each wait is longer", () ->
                assertTrue(median(first).compareTo(median(last)) < 0, () -> "waited " + first + ", at last " + last))));
    }

    @Test
    void retryAfterIsHonoured() {
        start(BridgeProcess.builder());
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        crm.on("PUT", "/calls/.*", Answer.status(429).retryAfter(2).times(1));
        bridge.webhook().accept(call.answered());
        awaitThat("success", () -> crm.has(Kind.CALL, call.legId()));
        List<CrmRequest> tries = crm.requests(Kind.CALL, call.legId());
        assertEquals(2, tries.size(), () -> "tries: " + tries);
        Duration waited = tries.get(1).since(tries.get(0).nanos());
        assertTrue(waited.compareTo(Duration.ofMillis(1900)) > 0, "waited only " + waited);
        assertTrue(waited.compareTo(Duration.ofSeconds(20)) < 0, "waited " + waited + " instead of 2 s");
    }

    @Test
    void aMissedCallIsRepeatedToo() {
        start(BridgeProcess.builder());
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        crm.on("PUT", "/missed-calls/.*", Answer.status(503).times(2));
        bridge.webhook().accept(call.missed());
        awaitThat("success", () -> crm.has(Kind.MISSED, call.callId()));
        awaitQuiet();
        List<CrmRequest> tries = crm.requests(Kind.MISSED, call.callId());
        assertEquals(3, tries.size(), () -> "tries: " + tries);
        assertSameBodies(tries);
    }

    /** A request that the CRM calls wrong will be wrong the next time: a person has to look at it. */
    @TestFactory
    Stream<DynamicTest> aRefusedRegistrationIsNotRepeatedButShownAsDead() {
        start(BridgeProcess.builder());
        return IntStream.of(400, 404, 409, 422).mapToObj(status -> DynamicTest.dynamicTest("answer " + status,
                () -> {
                    TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
                    String answer = "number is not acceptable " + "x".repeat(2 * KEPT_OF_AN_ANSWER);
                    crm.on("PUT", "/calls/" + call.legId(), Answer.status(status).body(answer));
                    bridge.webhook().accept(call.answered());
                    awaitThat("state dead", () -> "dead".equals(deliveryState(call)));
                    awaitQuiet();

                    assertEquals(1, crm.requests(Kind.CALL, call.legId()).size(), "tries");
                    JsonNode attempts = attempts(call);
                    assertEquals(1, attempts.size(), "attempts in the explanation");
                    assertEquals(status, attempts.get(0).path("status").asInt());
                    String kept = attempts.get(0).path("answer").asText();
                    assertTrue(kept.startsWith("number is not acceptable"), "the CRM's words are kept, not: " + kept);
                    assertTrue(kept.length() <= KEPT_OF_AN_ANSWER, "kept " + kept.length() + " characters");
                    assertNextCallWorks();
                }));
    }

    private record Refusal(String name, Answer answer, int status, String kept, String reason) {
    }

    /** Its token, its rights or its address are wrong: nothing that is sent can be right until somebody has mended that. */
    @TestFactory
    Stream<DynamicTest> aCrmThatRefusesCallbridgeItselfGetsEverythingWhenThatIsPutRight() {
        // A call waits for its card for so long.
        start(BridgeProcess.builder().setting("callbridge.calls.card-ttl", "2s"));
        String page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>" + "x".repeat(2 * KEPT_OF_AN_ANSWER) + "</body></html>";
        String elsewhere = "https://elsewhere.example/api/calls";
        return Stream.of(
                new Refusal("401", Answer.status(401).body("{\"error\": \"token\"}"), 401, "{\"error\": \"token\"}", "answer 401"),
                new Refusal("403", Answer.status(403).body("no rights"), 403, "no rights", "answer 403"),
                new Refusal("301", Answer.status(301).header("Location", elsewhere), 301,
                        "moved to " + elsewhere + ", set callbridge.crm.rest.url", "https://elsewhere.example"),
                new Refusal("307", Answer.status(307).header("Location", elsewhere).header("Content-Type", "text/plain"), 307,
                        "moved to " + elsewhere, "https://elsewhere.example"),
                new Refusal("a page", Answer.status(200).body(page).header("Content-Type", "text/html"), 200,
                        page.substring(0, KEPT_OF_AN_ANSWER), "'Sign in'"),
                new Refusal("a page to look-ups only", null, 0, "look-up failed: answer 200: " + page.substring(0, 100), "'Sign in'"))
                .map(refusal -> DynamicTest.dynamicTest(refusal.name, () -> {
                    long said = saidRefusals();
                    if (refusal.answer == null) {
                        crm.on("GET", ".*", Answer.status(200).body(page));
                    } else {
                        crm.on("PUT", ".*", refusal.answer);
                        crm.on("DELETE", ".*", refusal.answer);
                    }
                    List<TestCall> calls = IntStream.range(0, 5).mapToObj(i -> TestCall.incoming("10" + (i + 1), freshCaller())).toList();
                    int before = crm.requests().size();
                    calls.forEach(call -> bridge.webhook().accept(call.answered()));
                    TestCall missed = TestCall.incoming("101", freshCaller());
                    bridge.webhook().accept(missed.missed());
                    awaitThat("the state of the CRM", () -> "refused".equals(rest().path("state").asText()));
                    assertTrue(rest().path("reason").asText().contains(refusal.reason), () -> rest().toString());
                    assertTrue(bridge.post("/api/setup/crms/rest/check").body().contains("\"ok\":false"), "what the check says");
                    awaitThat("a try", () -> calls.stream().anyMatch(call -> tries(call) > 0));

                    TestCall tried = calls.stream().filter(call -> tries(call) > 0).findFirst().orElseThrow();
                    assertEquals("pending", deliveryState(tried));
                    JsonNode attempt = attempts(tried).get(0);
                    assertEquals(refusal.status, attempt.path("status").asInt(), attempt::toString);
                    assertTrue(attempt.path("answer").asText().startsWith(refusal.kept), attempt::toString);
                    assertEquals(said + 1, saidRefusals(), () -> "said once" + bridge.tail());

                    crm.behave();
                    calls.forEach(call -> awaitThat("registration of " + call, () -> crm.has(Kind.CALL, call.legId())));
                    awaitThat("missed call", () -> crm.has(Kind.MISSED, missed.callId()));
                    awaitThat("the CRM that is back", () -> "up".equals(rest().path("state").asText()));
                    assertEquals(0, json("/api/deliveries?state=dead").path("deliveries").size(), "dead letters");
                    assertTrue(crm.requests().size() > before);
                }));
    }

    private JsonNode rest() {
        return json("/api/status").path("crms").get(0);
    }

    private long saidRefusals() {
        return bridge.output().lines().filter(line -> line.contains("ERROR") && line.contains("CRM rest refuses Callbridge itself")).count();
    }

    private String freshCaller() {
        return "+790000" + (20_000 + callers.incrementAndGet());
    }

    /** Nobody knows what a CRM means that calls a look-up wrong, or does not let us in: not that it knows nobody. */
    @TestFactory
    Stream<DynamicTest> onlyA404OfALookUpMeansNobody() {
        start(BridgeProcess.builder());
        return IntStream.of(400, 401, 403, 405, 422).mapToObj(status -> DynamicTest.dynamicTest("answer " + status, () -> {
            TestCall call = TestCall.incoming("101", freshCaller());
            crm.entity(call.caller(), "known" + status, "Known", "anna");
            crm.on("GET", "/entities", Answer.status(status).body("what do you want?"));
            bridge.webhook().accept(call.answered());
            awaitThat("a try", () -> tries(call) > 0);
            assertEquals("look-up failed: answer " + status + ": what do you want?", attempts(call).get(0).path("answer").asText());
            crm.behave();
            awaitThat("the registration", () -> crm.has(Kind.CALL, call.legId()));
            assertEquals(crm.entityOf(call.caller()), crm.requests(Kind.CALL, call.legId()).get(0).body().get("entity"));
        }));
    }

    /** RFC 8259 forbids the mark, and JSON is UTF-8 whatever the header says. */
    @TestFactory
    Stream<DynamicTest> aByteOrderMarkOrAWrongCharsetHidesNobody() {
        start(BridgeProcess.builder());
        return Stream.of("\uFEFF", "\uFEFF\uFEFF", "").map(marks -> DynamicTest.dynamicTest(marks.length() + " marks", () -> {
            TestCall call = TestCall.incoming("101", freshCaller());
            crm.on("GET", "/entities", Answer.status(200).body(marks + "{\"id\": \"i1\", \"name\": \"Иванов\"}")
                    .header("Content-Type", "application/json; charset=ISO-8859-1"));
            bridge.webhook().accept(call.answered());
            awaitThat("the registration", () -> crm.has(Kind.CALL, call.legId()));
            assertEquals("Иванов", crm.requests(Kind.CALL, call.legId()).get(0).body().path("entity").path("name").asText());
        }));
    }

    /** Nobody can do anything about a card that was refused, and its end would only be refused, too. */
    @Test
    void aRefusedCardIsOver() {
        start(BridgeProcess.builder());
        crm.on("PUT", "/cards/.*", Answer.status(422).body("no such employee"));
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.dialIn()));
        awaitThat("the card", () -> !crm.requests(Kind.CARD, call.legId()).isEmpty());
        bridge.webhook().accept(List.of(call.answer(), call.hangup()));
        awaitThat("the registration", () -> crm.has(Kind.CALL, call.legId()));
        crm.behave();
        crm.on("DELETE", "/cards/.*", Answer.status(404));
        TestCall shown = TestCall.incoming("102", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(shown.dialIn()));
        awaitThat("the next card", () -> crm.has(Kind.CARD, shown.legId()));
        bridge.webhook().accept(List.of(shown.answer(), shown.hangup()));
        awaitThat("the next registration", () -> crm.has(Kind.CALL, shown.legId()));
        awaitQuiet();

        assertEquals(List.of("card dropped", "card-end dropped", "call delivered"), deliveries(call));
        assertEquals(List.of("card delivered", "card-end dropped", "call delivered"), deliveries(shown));
        assertEquals(1, crm.requests(Kind.CARD, call.legId()).size(), "tries of the card");
        assertEquals(0, crm.requests(Kind.CARD_END, call.legId()).size(), "the end of a card that was not shown");
        assertEquals(0, json("/api/deliveries?state=dead").path("deliveries").size(), "dead letters");
    }

    private List<String> deliveries(TestCall call) {
        List<String> states = new ArrayList<>();
        bridge.call(call.callId()).path("deliveries").forEach(each -> states.add(each.path("operation").asText() + " " + each.path("state").asText()));
        return states;
    }

    /** A CRM has a client under the number that he had when he was new to it. */
    @Test
    void aNumberThatIsNoLongerValidIsLookedUpInEachOfItsForms() {
        start(BridgeProcess.builder());
        crm.entity("+525512345678", "maria", "Maria", "anna");
        TestCall call = TestCall.incoming("101", "+52 1 55 1234 5678");
        bridge.webhook().accept(call.answered());
        awaitThat("the registration", () -> crm.has(Kind.CALL, call.legId()));
        assertEquals(crm.entityOf("+525512345678"), crm.requests(Kind.CALL, call.legId()).get(0).body().get("entity"));
        assertEquals(List.of("+5215512345678", "+525512345678"), crm.requests(Kind.ENTITY).stream().map(r -> r.query().get("phone")).distinct().toList());

        for (String unread : List.of("8916123456", "anonymous")) {
            TestCall nobody = TestCall.incoming("101", unread);
            bridge.webhook().accept(nobody.answered());
            awaitThat("the registration", () -> crm.has(Kind.CALL, nobody.legId()));
            String decisions = bridge.call(nobody.callId()).path("decisions").toString();
            assertTrue(decisions.contains(unread.equals("anonymous") ? "there is no number to look up" : unread + " is not looked up"), decisions);
        }
    }

    /** The CRM has it, but the bridge cannot know: it says the same again, and nothing else. */
    @Test
    void aLostAnswerIsRepairedByTheSameRequest() {
        start(BridgeProcess.builder());
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall missed = TestCall.incoming("102", FakeCrm.PETROVA);
        crm.on("PUT", "/calls/.*", Answer.lost().times(1));
        crm.on("PUT", "/missed-calls/.*", Answer.lost().times(1));
        bridge.webhook().accept(call.answered());
        bridge.webhook().accept(missed.missed());
        awaitThat("both again", () -> crm.requests(Kind.CALL, call.legId()).size() == 2
                && crm.requests(Kind.MISSED, missed.callId()).size() == 2);
        awaitQuiet();

        assertEquals(2, crm.requests(Kind.CALL).size(), "requests for the call");
        assertEquals(2, crm.requests(Kind.MISSED).size(), "requests for the missed call");
        assertSameBodies(crm.requests(Kind.CALL));
        assertSameBodies(crm.requests(Kind.MISSED));
        assertTrue(crm.requests(Kind.CARD, call.legId()).size() <= 1, "the card was not concerned");
        assertContract(true);
    }

    @Test
    void aCrmThatRefusesOneCallStillGetsTheOthers() {
        start(BridgeProcess.builder());
        TestCall stuck = TestCall.incoming("101", FakeCrm.IVANOV);
        crm.on("PUT", "/calls/" + stuck.legId(), Answer.status(500));
        bridge.webhook().accept(stuck.answered());
        awaitThat("a failure", () -> !crm.requests(Kind.CALL, stuck.legId()).isEmpty());
        assertNextCallWorks();
        crm.behave();
        awaitThat("the stuck one", () -> crm.has(Kind.CALL, stuck.legId()));
    }

    @Test
    void theWebhookAnswersAtOnceWhateverTheCrmDoes() {
        Duration longer = Duration.ofSeconds(30);
        start(BridgeProcess.builder().setting("callbridge.deliver.timeout-ms", Long.toString(longer.multipliedBy(2).toMillis())));
        crm.on("PUT", ".*", Answer.after(longer));
        crm.on("GET", ".*", Answer.after(longer));
        List<Duration> waits = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            long begin = System.nanoTime();
            bridge.webhook().accept(List.of(TestCall.incoming("101", "+790000004" + (10 + i)).dialIn()));
            waits.add(Duration.ofNanos(System.nanoTime() - begin));
        }
        assertTrue(median(waits).compareTo(Duration.ofSeconds(1)) < 0, () -> "the PBX waited " + waits + bridge.tail());
        assertTrue(Collections.max(waits).compareTo(longer.dividedBy(2)) < 0, () -> "the PBX waited " + waits + bridge.tail());
    }

    @Test
    void aSlowLookUpDelaysTheCardNoLongerThanAllowedAndIsInTheRegistration() {
        Duration lookUp = Duration.ofSeconds(8);
        start(BridgeProcess.builder().setting("callbridge.deliver.card.lookup-timeout-ms", Long.toString(LOOK_UP_TIMEOUT.toMillis()))
                .setting("callbridge.deliver.timeout-ms", Long.toString(lookUp.multipliedBy(3).toMillis())));
        // The first call of a fresh virtual machine takes its time.
        assertNextCallWorks();
        crm.on("GET", "/entities", Answer.after(lookUp));
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        long rung = System.nanoTime();
        bridge.webhook().accept(List.of(call.dialIn()));
        awaitThat("the card", () -> crm.has(Kind.CARD, call.legId()));
        bridge.webhook().accept(List.of(call.answer(), call.hangup()));
        awaitThat("the registration", () -> crm.has(Kind.CALL, call.legId()));

        CrmRequest card = crm.requests(Kind.CARD, call.legId()).get(0);
        assertNull(card.body().get("entity"), "the look-up had not been answered");
        assertTrue(card.since(rung).compareTo(lookUp.minusSeconds(2)) < 0, "the card took " + card.since(rung));
        assertEquals(crm.entityOf(FakeCrm.IVANOV), crm.requests(Kind.CALL, call.legId()).get(0).body().get("entity"));
        assertContract(false);
    }

    @Test
    void aFailedLookUpCostsTheCardItsEntityButIsNotTakenForAnswer() {
        start(BridgeProcess.builder());
        crm.on("GET", "/entities", Answer.status(500));
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.dialIn()));
        awaitThat("the card", () -> crm.has(Kind.CARD, call.legId()));
        assertFalse(crm.requests(Kind.CARD, call.legId()).get(0).body().has("entity"));

        crm.behave();
        bridge.webhook().accept(List.of(call.answer(), call.hangup()));

        awaitThat("the registration", () -> crm.has(Kind.CALL, call.legId()));
        assertEquals(crm.entityOf(FakeCrm.IVANOV), crm.requests(Kind.CALL, call.legId()).get(0).body().get("entity"),
                "'failed' must not be remembered as 'not found'");
        assertContract(false);
    }

    /** Five phones ring at once: the CRM is asked once, and "nobody" is an answer too. */
    @TestFactory
    Stream<DynamicTest> oneCallerIsLookedUpOnce() {
        start(BridgeProcess.builder());
        return Stream.of(FakeCrm.IVANOV, "+79000000333").map(caller -> DynamicTest.dynamicTest(
                crm.entityOf(caller) == null ? "unknown caller" : "known caller", () -> {
                    TestCall first = TestCall.incoming("101", caller);
                    List<TestCall> legs = new ArrayList<>(List.of(first));
                    List.of("102", "103", "104", "105").forEach(e -> legs.add(first.alsoRinging(e)));
                    legs.parallelStream().forEach(l -> bridge.webhook().accept(List.of(l.dialIn())));
                    legs.forEach(l -> awaitThat("card of " + l, () -> crm.has(Kind.CARD, l.legId())));
                    bridge.webhook().accept(List.of(first.answer()));
                    legs.subList(1, legs.size()).forEach(l -> bridge.webhook().accept(List.of(l.givenUp())));
                    bridge.webhook().accept(List.of(first.hangup()));
                    awaitThat("the registration", () -> crm.has(Kind.CALL, first.legId()));

                    List<CrmRequest> lookUps = crm.requests(Kind.ENTITY).stream()
                            .filter(r -> caller.equals(r.query().get("phone"))).toList();
                    assertEquals(1, lookUps.size(), () -> "look-ups: " + lookUps);
                    assertContract(true);
                }));
    }

    private static Duration median(List<Duration> some) {
        return some.stream().sorted().toList().get(some.size() / 2);
    }

    private void start(BridgeProcess.Builder builder) {
        bridge = builder.store(store).crm(crm).quickRetries().start();
    }

    private void assertNextCallWorks() {
        TestCall call = TestCall.incoming("105", FakeCrm.PETROVA);
        bridge.webhook().accept(call.answered());
        awaitThat("the next call", () -> crm.has(Kind.CALL, call.legId()));
    }

    private void assertContract(boolean cardsNameTheCaller) {
        List<String> deviations = new RestContract(crm, cardsNameTheCaller).deviations(crm.requests());
        assertTrue(deviations.isEmpty(), () -> String.join("\n", deviations) + bridge.tail());
    }

    private static void assertSameBodies(List<CrmRequest> requests) {
        for (CrmRequest request : requests) {
            assertEquals(requests.get(0).body(), request.body(), "a repeat is the same request");
        }
    }

    /** The state of the registration of a call, {@code null} if there is none yet. */
    private String deliveryState(TestCall call) {
        JsonNode delivery = bridge.delivery(call.callId(), call.legId());
        return delivery == null ? null : delivery.path("state").asText();
    }

    private JsonNode json(String path) {
        try {
            return new ObjectMapper().readTree(bridge.get(path).body());
        } catch (JsonProcessingException e) {
            throw new AssertionError(path, e);
        }
    }

    private int tries(TestCall call) {
        JsonNode delivery = bridge.delivery(call.callId(), call.legId());
        return delivery == null ? 0 : delivery.path("attempts").size();
    }

    private JsonNode attempts(TestCall call) {
        JsonNode delivery = bridge.delivery(call.callId(), call.legId());
        assertTrue(delivery != null, () -> "no delivery of " + call + bridge.tail());
        return delivery.path("attempts");
    }

    private void awaitElapsed(String what, Duration time) {
        long begin = System.nanoTime();
        awaitThat(what, () -> System.nanoTime() - begin > time.toNanos());
    }

    private void awaitThat(String what, Callable<Boolean> condition) {
        try {
            await(what).atMost(SOON).pollInterval(Duration.ofMillis(50)).until(condition);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("did not happen: " + what + "\n--- received ---\n" + crm.requests() + bridge.tail(), e);
        }
    }

    private void awaitQuiet() {
        long begin = System.nanoTime();
        awaitThat("quiet", () -> {
            long last = crm.requests().stream().mapToLong(CrmRequest::nanos).reduce(begin, Math::max);
            return System.nanoTime() - last > QUIET.toNanos();
        });
    }
}
