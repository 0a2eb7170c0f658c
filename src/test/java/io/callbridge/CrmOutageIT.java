package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
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
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
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

/** Outages of a CRM, whole ones and odd ones: what it must know arrives when it can take it, in order, and not all at once. */
@ParameterizedClass(name = "{0}")
@EnumSource(StoreKind.class)
class CrmOutageIT {

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration QUIET = Duration.ofMillis(1500);
    private static final Duration CARD_TTL = Duration.ofSeconds(5);
    private static final Duration TIMEOUT = Duration.ofMillis(500);

    @Parameter
    private StoreKind store;
    private FakeCrm crm;
    private BridgeProcess bridge;

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

    /** Something that is wrong with the CRM for a while. */
    private record Fault(String name, Consumer<FakeCrm> begin) {
    }

    private static final List<Fault> FAULTS = List.of(
            new Fault("connections are refused", FakeCrm::down),
            new Fault("no answer in time", crm -> onAll(crm, Answer.after(TIMEOUT.multipliedBy(2)))),
            new Fault("500", crm -> onAll(crm, Answer.status(500))),
            new Fault("429 with Retry-After", crm -> onAll(crm, Answer.status(429).retryAfter(1))),
            new Fault("429 with Retry-After to look-ups only", crm -> crm.on("GET", ".*", Answer.status(429).retryAfter(1))),
            new Fault("look-ups answer something that is no JSON", crm -> crm.on("GET", ".*", Answer.status(200).body("{\"id\": oops"))),
            new Fault("connections closed after the effect", crm -> onAll(crm, Answer.lost())),
            new Fault("something that is not HTTP", crm -> crm.babble("\u0000\u0001\u00ff what do you want?\n\n")),
            new Fault("HTTP whose body breaks off", crm -> crm.babble("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 4000\r\n\r\n{\"id\":\"iva")),
            new Fault("HTTP whose body is no chunks", crm -> crm.babble("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}")));

    private static void onAll(FakeCrm crm, Answer answer) {
        Stream.of("GET", "PUT", "DELETE").forEach(method -> crm.on(method, ".*", answer));
    }

    @TestFactory
    Stream<DynamicTest> whateverIsWrongForAWhileEveryCallArrivesAndEveryCardEnds() {
        start(BridgeProcess.builder().setting("callbridge.deliver.timeout-ms", Long.toString(TIMEOUT.toMillis())));
        return FAULTS.stream().map(fault -> DynamicTest.dynamicTest(fault.name, () -> {
            TestCall shown = TestCall.incoming("101", FakeCrm.IVANOV);
            bridge.webhook().accept(List.of(shown.dialIn(), shown.answer()));
            awaitThat("the card", () -> crm.has(Kind.CARD, shown.legId()));

            fault.begin.accept(crm);
            // A number that no look-up has answered yet.
            TestCall call = TestCall.incoming("102", "+7900000" + (1000 + FAULTS.indexOf(fault)));
            TestCall missed = TestCall.incoming("103", FakeCrm.PETROVA);
            bridge.webhook().accept(List.of(shown.hangup()));
            bridge.webhook().accept(call.answered());
            bridge.webhook().accept(missed.missed());
            awaitElapsed("a few tries", Duration.ofSeconds(2));
            crm.behave();
            crm.down();
            crm.up();

            awaitThat("all of it", () -> crm.has(Kind.CALL, shown.legId()) && crm.has(Kind.CARD_END, shown.legId())
                    && crm.has(Kind.CALL, call.legId()) && crm.has(Kind.MISSED, missed.callId())
                    && Stream.of(call, missed).allMatch(leg -> !crm.has(Kind.CARD, leg.legId()) || crm.has(Kind.CARD_END, leg.legId())));
            awaitQuiet();
            for (TestCall each : List.of(shown, call, missed)) {
                assertTrue(crm.requests(Kind.CARD, each.legId()).isEmpty() || crm.has(Kind.CARD_END, each.legId()),
                        () -> "the card stays: " + each + bridge.tail());
                assertSameBodies(crm.requests(Kind.CALL, each.legId()));
            }
            assertSameBodies(crm.requests(Kind.MISSED, missed.callId()));
            assertContract();
        }));
    }

    /** The end of a card is not worth a call: it is tried for a while, and again later, but not in the way of others. */
    @TestFactory
    Stream<DynamicTest> aCrmThatCannotEndCardsGetsTheCallsNevertheless() {
        start(BridgeProcess.builder().setting("callbridge.deliver.timeout-ms", Long.toString(TIMEOUT.toMillis()))
                .setting("callbridge.calls.card-ttl", CARD_TTL.toMillis() + "ms"));
        return Stream.of(new Fault("500 to DELETE", c -> c.on("DELETE", ".*", Answer.status(500))),
                new Fault("no answer to DELETE", c -> c.on("DELETE", ".*", Answer.after(TIMEOUT.multipliedBy(4))))).map(fault -> DynamicTest
                .dynamicTest(fault.name, () -> {
                    fault.begin.accept(crm);
                    List<TestCall> calls = calls(5);
                    calls.forEach(call -> bridge.webhook().accept(List.of(call.dialIn(), call.answer())));
                    calls.forEach(call -> awaitThat("card of " + call, () -> crm.has(Kind.CARD, call.legId())));
                    calls.forEach(call -> bridge.webhook().accept(List.of(call.hangup())));
                    calls.forEach(call -> awaitThat("registration of " + call, () -> crm.has(Kind.CALL, call.legId())));

                    crm.behave();
                    calls.forEach(call -> awaitThat("end of the card of " + call, () -> crm.has(Kind.CARD_END, call.legId())));
                    calls.forEach(call -> assertSameBodies(crm.requests(Kind.CALL, call.legId())));
                }));
    }

    @Test
    void aCardThatWasShownBeforeALongOutageEndsAfterIt() {
        start(BridgeProcess.builder().setting("callbridge.calls.card-ttl", CARD_TTL.toMillis() + "ms"));
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.dialIn()));
        awaitThat("the card", () -> crm.has(Kind.CARD, call.legId()));
        crm.down();
        bridge.webhook().accept(List.of(call.answer(), call.hangup()));
        awaitElapsed("the end of the card's time", CARD_TTL.multipliedBy(2));
        onAll(crm, Answer.status(503));
        crm.up();
        awaitThat("a few answers 503", () -> crm.requests().stream().filter(r -> r.answered() == 503).count() >= 3);
        crm.behave();

        awaitThat("the end of the card", () -> crm.has(Kind.CARD_END, call.legId()));
        awaitThat("the registration", () -> crm.has(Kind.CALL, call.legId()));
        awaitQuiet();
        assertEquals(1, crm.requests(Kind.CARD).size());
    }

    /** A day at a hundredth of its length: cards live for two seconds, retries are half a second apart at most. */
    @Test
    void afterADayOfOutageEverythingButTheCardsArrivesInOrder() {
        int many = 80;
        start(BridgeProcess.builder().setting("callbridge.calls.card-ttl", "2s"));
        crm.down();
        List<TestCall> calls = calls(many);
        List<TestCall> transferred = calls.stream().map(call -> call.alsoRinging("104")).toList();
        List<TestCall> missed = calls(many);
        calls.forEach(call -> bridge.webhook().accept(call.answered()));
        missed.forEach(call -> bridge.webhook().accept(call.missed()));
        transferred.forEach(leg -> bridge.webhook().accept(leg.answered()));
        awaitElapsed("a long time", Duration.ofSeconds(10));
        onAll(crm, Answer.status(503));
        crm.up();
        awaitThat("a request", () -> !crm.requests().isEmpty());
        int before = crm.requests().size();
        long begin = System.nanoTime();
        awaitElapsed("a look at how often it is asked", Duration.ofSeconds(5));
        awaitThat("somebody asks whether it is back", () -> crm.requests().size() > before);
        int asked = crm.requests().size() - before;
        Duration watched = Duration.ofNanos(System.nanoTime() - begin);
        assertTrue(asked <= 5 * watched.toSeconds(), () -> "asked " + asked + " times in " + watched + ", with "
                + 3 * many + " deliveries waiting");
        crm.behave();

        awaitThat("all registrations and missed calls, within " + SOON, () -> written(Kind.CALL).size() == 2 * many
                && written(Kind.MISSED).size() == many);
        awaitQuiet();
        List<String> written = written(Kind.CALL);
        assertEquals(2 * many, written.size(), "registrations");
        for (int i = 0; i < many; i++) {
            TestCall first = calls.get(i);
            TestCall second = transferred.get(i);
            assertTrue(written.indexOf(first.legId()) < written.indexOf(second.legId()), () -> "not in order: " + first + ", " + second);
        }
        assertEquals(List.of(), crm.requests(Kind.CARD).stream().filter(r -> r.answered() != 503).toList(), "cards nobody wants to see");
        // A leg that was over before anybody looked at it has no card at all.
        long dropped = Stream.of(calls, missed).flatMap(List::stream).mapToLong(this::droppedCards).sum();
        assertTrue(dropped > 0, "no cards at all");
        assertEquals(dropped, bridge.metric("callbridge_deliveries_total", "operation=\"card\"", "result=\"dropped\""), "cards dropped");
        assertContract();
    }

    @Test
    void theRateOfTheCrmIsKeptAndCardsGoFirst() {
        int rate = 20;
        int parallel = 2;
        start(BridgeProcess.builder().setting("callbridge.crm.rest.rate", Integer.toString(rate))
                .setting("callbridge.deliver.parallel", Integer.toString(parallel))
                .setting("callbridge.deliver.card.lookup-timeout-ms", "1000"));
        List<TestCall> calls = calls(100);
        calls.parallelStream().forEach(call -> bridge.webhook().accept(call.answered()));
        awaitThat("some requests", () -> crm.requests().size() > rate);
        TestCall ringing = TestCall.incoming("105", FakeCrm.PETROVA);
        bridge.webhook().accept(List.of(ringing.dialIn()));
        awaitThat("the card", () -> crm.has(Kind.CARD, ringing.legId()));
        long shown = crm.requests(Kind.CARD, ringing.legId()).get(0).nanos();
        assertTrue(crm.requests(Kind.CALL).stream().filter(call -> call.nanos() < shown).count() < calls.size() / 2,
                "the card waited behind the registrations");
        calls.forEach(call -> awaitThat("registration of " + call, () -> crm.has(Kind.CALL, call.legId())));

        // The pace is that of the beginnings: what was under way when the machine halted for a moment may arrive together, also
        // the look-ups that no card waits for any more.
        int underWay = 2 * 2 * parallel + 16;
        assertRate(rate + underWay, Duration.ofSeconds(1));
        assertRate(5 * rate + underWay, Duration.ofSeconds(5));
    }

    private void assertRate(int most, Duration window) {
        List<CrmRequest> requests = crm.requests();
        for (int i = 0; i < requests.size(); i++) {
            long end = requests.get(i).nanos() + window.toNanos();
            long within = requests.stream().skip(i).filter(request -> request.nanos() < end).count();
            assertTrue(within <= most, () -> within + " requests within " + window);
        }
    }

    /** One bad employee, one bad number: a CRM may fail for many calls and take all the others. */
    @Test
    void callsThatTheCrmFailsForDoNotHoldBackTheOthers() {
        // The CRM counts as down, and is asked again after this time at the latest: without the setting, when the test gives up.
        bridge = BridgeProcess.builder().store(store).crm(crm).setting("callbridge.deliver.retry.max-delay-ms", "3000").start();
        List<TestCall> bad = calls(300);
        String ids = String.join("|", bad.stream().map(TestCall::legId).toList());
        crm.on("PUT", "/calls/(" + ids + ")", Answer.status(500));
        bad.parallelStream().forEach(call -> bridge.webhook().accept(call.answered()));
        awaitThat("failures", () -> crm.requests(Kind.CALL).size() >= 10);

        for (int i = 0; i < 5; i++) {
            TestCall good = TestCall.incoming("105", FakeCrm.PETROVA);
            bridge.webhook().accept(good.answered());
            awaitThat("registration " + i + ", " + good, () -> crm.has(Kind.CALL, good.legId()));
        }
        assertFalse(bad.stream().anyMatch(call -> crm.has(Kind.CALL, call.legId())), "the CRM did not fail");
    }

    private static List<TestCall> calls(int number) {
        return IntStream.range(0, number).mapToObj(i -> TestCall.incoming("10" + (1 + i % 3), "+790000" + (10_000 + i))).toList();
    }

    private List<String> written(Kind kind) {
        return crm.requests(kind).stream().filter(CrmRequest::effective).map(CrmRequest::id).toList();
    }

    private long droppedCards(TestCall call) {
        long dropped = 0;
        for (JsonNode delivery : bridge.call(call.callId()).path("deliveries")) {
            if (delivery.path("operation").asText().equals("card")) {
                assertEquals("dropped", delivery.path("state").asText(), () -> "card of " + call);
                dropped++;
            }
        }
        return dropped;
    }

    private void start(BridgeProcess.Builder builder) {
        bridge = builder.store(store).crm(crm).quickRetries().start();
    }

    private static void assertSameBodies(List<CrmRequest> requests) {
        requests.forEach(request -> assertEquals(requests.get(0).body(), request.body(), "a repeat is the same request"));
    }

    private void assertContract() {
        List<String> deviations = new ArrayList<>(new RestContract(crm, false).deviations(crm.requests()));
        assertTrue(deviations.isEmpty(), () -> String.join("\n", deviations) + bridge.tail());
    }

    private void awaitElapsed(String what, Duration time) {
        long begin = System.nanoTime();
        awaitThat(what, () -> System.nanoTime() - begin > time.toNanos());
    }

    private void awaitThat(String what, Callable<Boolean> condition) {
        try {
            await(what).atMost(SOON).pollInterval(Duration.ofMillis(50)).until(condition);
        } catch (ConditionTimeoutException e) {
            List<CrmRequest> received = crm.requests();
            throw new AssertionError("did not happen: " + what + "\n--- received last ---\n"
                    + received.subList(Math.max(0, received.size() - 30), received.size()) + bridge.tail(), e);
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
