package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.TestCall;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A CRM that is away for long, on PostgreSQL, where a delivery is taken before it is sent: what it must know arrives when it can take
 * it, in order, and not all at once.
 */
class CrmOutageIT extends FailingCrm {

    /** A day at a ten thousandth of its length: retries are half a second apart at most. */
    private static final Duration CARD_TTL = Duration.ofSeconds(2);

    @BeforeAll
    void start() {
        start(BridgeProcess.builder().store(StoreKind.POSTGRESQL).setting("callbridge.calls.card-ttl", CARD_TTL.toMillis() + "ms")
                .setting("callbridge.deliver.timeout-ms", "1000"));
    }

    /** The end of a card is not worth a call: it is tried for a while, and again later, but not in the way of others. */
    @Test
    void aCrmThatCannotEndCardsGetsTheCallsNevertheless() {
        List<TestCall> calls = calls(6);
        crm.on("DELETE", "/cards/" + calls.get(0).legId(), Answer.after(Duration.ofHours(1)));
        crm.on("DELETE", ".*", Answer.status(500));
        calls.forEach(call -> bridge.webhook().accept(List.of(call.dialIn(), call.answer())));
        calls.forEach(call -> awaitThat("card of " + call, () -> crm.has(Kind.CARD, call.legId())));
        calls.forEach(call -> bridge.webhook().accept(List.of(call.hangup())));
        calls.forEach(this::awaitRegistration);
        assertTrue(calls.stream().noneMatch(call -> crm.has(Kind.CARD_END, call.legId())), "no card has ended");

        crm.behave();
        calls.forEach(call -> awaitThat("end of the card of " + call, () -> crm.has(Kind.CARD_END, call.legId())));
        calls.forEach(call -> assertSameBodies(crm.requests(Kind.CALL, call.legId())));
    }

    @Test
    void afterADayOfOutageEverythingButTheCardsArrivesInOrder() {
        int many = 60;
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
        awaitRegistration(shown);
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
}
