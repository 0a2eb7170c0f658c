package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.crm.CrmEffect.Kind;
import io.callbridge.crm.StandIn.Reply;
import io.callbridge.crm.StandIn.Request;
import io.callbridge.deliver.CrmAnswerException;
import io.callbridge.deliver.CrmRefusedException;
import io.callbridge.routes.AdapterHarness;
import io.callbridge.routes.AdapterHarness.Outcome;
import java.time.Instant;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every effect as a person finds it in vtiger, which inserts a record for every StartApp and says nothing to what it ignores. */
class DeliverVtigerRouteTest {

    private static final String CALL = "c1";
    private static final String ANNA = "71101-a1";
    private static final String BORIS = "71102-b1";
    private static final long STARTED = Instant.parse("2026-11-27T09:00:00Z").getEpochSecond();
    private static final Predicate<Request> ANY = request -> true;

    private final VtigerStandIn crm = new VtigerStandIn();
    private final AdapterHarness adapter = adapter(VtigerStandIn.SIGNATURE, Map.of());

    @BeforeEach
    void fill() {
        crm.multiplies(true);
        crm.user("19x5", "101");
        crm.user("19x6", "102");
    }

    @AfterEach
    void close() {
        adapter.close();
        crm.close();
    }

    private AdapterHarness adapter(String secret, Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(Map.of("callbridge.crm.vtiger.url", crm.origin() + "/", "callbridge.crm.vtiger.secret", secret,
                "callbridge.deliver.timeout-ms", "5000"));
        settings.putAll(more);
        return AdapterHarness.of("vtiger", settings, Map.of());
    }

    @Test
    void whatItCanDo() {
        assertEquals(List.of("card", "answer", "call", "recording", "missed"), List.of("lookup", "users", "probe", "card", "answer", "card-end",
                "call", "recording", "missed", "task").stream().filter(adapter::can).toList());
    }

    @Test
    void theWholeLifeOfACallIsOneRecord() {
        delivered("card", ANNA, leg(Map.of()));
        assertEquals(List.of(new CrmEffect(Kind.CARD, CALL, null, "79000000010", "in", null, null, null, null)), crm.ringing());
        delivered("answer", ANNA, leg(Map.of("at", "2026-11-27T09:00:04.000Z")));
        assertEquals(List.of(), crm.ringing());
        assertEquals("19x5", crm.effects().get(0).user());
        delivered("call", ANNA, call(Map.of()));
        delivered("recording", ANNA, call(Map.of("recordingUrl", "https://pbx.example/r/1.mp3?a=1&b=%20")));
        assertEquals(List.of(talk(CALL, "19x5", "https://pbx.example/r/1.mp3?a=1&b=%20")), registered());
        assertEquals(List.of("StartApp", "DialAnswer", "DialAnswer", "EndCall", "Hangup", "Record"), words());
        assertEquals(List.of(), crm.ignored());
        assertEquals("65", crm.requests().get(3).parameters().get("duration"));
    }

    @Test
    void aRingGroupIsOnePopupAndOneMissedCall() {
        for (String phone : List.of(ANNA, BORIS)) {
            delivered("card", phone, leg(Map.of()));
        }
        assertEquals(1, crm.ringing().size());
        delivered("missed", CALL, missed(Map.of()));
        assertEquals(List.of(new CrmEffect(Kind.MISSED, CALL, null, "79000000010", "in", "no-answer", 0L, STARTED, null)), registered());
        assertEquals(List.of("StartApp", "EndCall", "Hangup"), words());
        assertEquals(List.of(), crm.ringing());
        assertEquals(List.of(), crm.ignored());
    }

    @Test
    void whoAnswersInAGroupHasTheRecord() {
        delivered("card", ANNA, leg(Map.of()));
        delivered("card", BORIS, leg(Map.of("extension", "102")));
        delivered("answer", BORIS, leg(Map.of("extension", "102")));
        delivered("call", BORIS, call(Map.of("extension", "102")));
        assertEquals(List.of(talk(CALL, "19x6", null)), registered());
        assertEquals(List.of(), crm.ignored());
    }

    @Test
    void aSecondTalkHasItsOwnRecordWithItsOwnRecording() {
        delivered("card", ANNA, leg(Map.of()));
        delivered("answer", ANNA, leg(Map.of()));
        delivered("card", BORIS, leg(Map.of("extension", "102")));
        delivered("answer", BORIS, leg(Map.of("extension", "102")));
        delivered("call", BORIS, call(Map.of("extension", "102")));
        delivered("call", ANNA, call(Map.of()));
        delivered("recording", BORIS, call(Map.of("extension", "102", "recordingUrl", "https://pbx.example/r/2.mp3")));
        delivered("recording", ANNA, call(Map.of("recordingUrl", "https://pbx.example/r/1.mp3")));
        assertEquals(List.of(talk(CALL, "19x5", "https://pbx.example/r/1.mp3"), talk(BORIS, "19x6", "https://pbx.example/r/2.mp3")), registered());
        assertEquals(List.of(), crm.ignored());
    }

    /** A transfer into a queue that nobody answers, and somebody who answers although the call counts as missed. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aMissedCallAndATalkOfOneCallAreTwoRecords(boolean talkFirst) {
        delivered("card", ANNA, leg(Map.of()));
        if (talkFirst) {
            delivered("call", ANNA, call(Map.of()));
        }
        delivered("missed", CALL, missed(Map.of()));
        if (!talkFirst) {
            delivered("call", ANNA, call(Map.of()));
        }
        assertEquals(List.of(talkFirst ? CALL + " completed" : CALL + " no-answer", talkFirst ? "missed-c1 no-answer" : ANNA + " completed"),
                registered().stream().map(effect -> effect.id() + " " + effect.status()).toList());
        assertEquals(List.of(), crm.ignored());
    }

    @Test
    void aCallWithoutACardIsCompleteAndAskedForOnce() {
        delivered("answer", ANNA, leg(Map.of()));
        assertEquals(List.of(), words());
        delivered("call", ANNA, call(Map.of()));
        assertEquals(List.of(talk(CALL, "19x5", null)), registered());
        delivered("card", ANNA, leg(Map.of()));
        assertEquals(List.of("StartApp", "DialAnswer", "EndCall", "Hangup"), words());
        assertEquals(List.of(), crm.ignored());
    }

    @ParameterizedTest
    @CsvSource({"answered, completed", "busy, busy", "no-answer, no-answer", "cancelled, cancelled", "failed, failed", "unknown, unknown"})
    void anOutgoingCallHasItsResult(String result, String status) {
        Map<String, Object> body = call(Map.of("direction", "out", "result", result));
        if (!result.equals("answered")) {
            body.remove("answeredAt");
            body.put("talkSeconds", 0);
        }
        delivered("card", ANNA, leg(Map.of("direction", "out")));
        assertEquals(List.of(), crm.ringing());
        delivered("call", ANNA, body);
        assertEquals(List.of(new CrmEffect(Kind.CALL, ANNA, "19x5", "79000000010", "out", status, result.equals("answered") ? 61L : 0L, STARTED, null)),
                registered());
        assertEquals(List.of(), crm.ignored());
    }

    @Test
    void anOutgoingCallThatIsAnsweredKeepsItsEmployee() {
        delivered("card", ANNA, leg(Map.of("direction", "out")));
        delivered("answer", ANNA, leg(Map.of("direction", "out")));
        delivered("call", ANNA, call(Map.of("direction", "out")));
        assertEquals("19x5 completed", registered().get(0).user() + " " + registered().get(0).status());
        assertEquals(List.of(), crm.ignored());
    }

    @Test
    void aHiddenCallerIsAnonymous() {
        Map<String, Object> hidden = leg(Map.of());
        hidden.remove("number");
        delivered("card", ANNA, hidden);
        assertEquals("anonymous", crm.requests().get(0).parameters().get("callerIdNumber"));
        assertEquals(List.of(), crm.ignored());
    }

    @Test
    void theTimesAreThoseOfTheServer() {
        crm.zone(ZoneId.of("Asia/Yekaterinburg"));
        try (AdapterHarness east = adapter(VtigerStandIn.SIGNATURE, Map.of("callbridge.crm.vtiger.time-zone", "Asia/Yekaterinburg"))) {
            assertEquals("delivered", east.deliver("call", ANNA, call(Map.of())).result());
        }
        assertEquals(STARTED, registered().get(0).startedAt());
    }

    @Test
    void allOfItAgainChangesNothing() {
        delivered("card", ANNA, leg(Map.of()));
        delivered("card", ANNA, leg(Map.of()));
        delivered("call", ANNA, call(Map.of("result", "unknown", "talkSeconds", 0)));
        delivered("call", ANNA, call(Map.of()));
        delivered("call", ANNA, call(Map.of()));
        assertEquals(List.of(talk(CALL, "19x5", null)), registered());
        delivered("missed", "c2", missed(Map.of()));
        delivered("missed", "c2", missed(Map.of("servedAt", "2026-11-27T09:10:00.000Z")));
        assertEquals(2, registered().size());
        assertEquals(List.of(), crm.ignored());
    }

    /** The popup is not asked for again, since that would be a second one; the call is, since it could be lost. */
    @Test
    void anAnswerToAPopupThatGetsLostCanLeaveOneMoreRecordAndLosesNothing() {
        crm.lose(1, ANY);
        assertEquals("retryLater", adapter.deliver("card", ANNA, leg(Map.of())).result());
        delivered("card", ANNA, leg(Map.of()));
        assertEquals(List.of("StartApp"), words());
        delivered("call", ANNA, call(Map.of()));
        assertEquals(List.of("StartApp", "StartApp", "DialAnswer", "EndCall", "Hangup"), words());
        assertEquals(List.of(talk(CALL, "19x5", null), talk(CALL, "19x5", null)), registered());
        assertEquals(List.of(), crm.ringing());
        assertEquals(List.of(), crm.ignored());
    }

    @Test
    void aPopupThatNeverCameLosesNothing() {
        crm.down();
        assertEquals("retryLater", adapter.deliver("card", ANNA, leg(Map.of())).result());
        crm.up();
        delivered("call", ANNA, call(Map.of()));
        assertEquals(List.of(talk(CALL, "19x5", null)), registered());
    }

    @ParameterizedTest
    @ValueSource(strings = {"DialAnswer", "EndCall", "Hangup"})
    void anyOtherAnswerThatGetsLostChangesNothing(String word) {
        crm.lose(1, request -> word.equals(request.parameters().get("callstatus")));
        assertEquals("retryLater", adapter.deliver("call", ANNA, call(Map.of())).result());
        delivered("call", ANNA, call(Map.of()));
        assertEquals(List.of(talk(CALL, "19x5", null)), registered());
        assertEquals(List.of(), crm.ignored());
        assertEquals(1, words().stream().filter("StartApp"::equals).count());
    }

    @Test
    void aWrongSecretLosesNothing() {
        try (AdapterHarness wrong = adapter("other", Map.of())) {
            Outcome outcome = wrong.deliver("call", ANNA, call(Map.of()));
            assertEquals("retryLater", outcome.result());
            assertInstanceOf(CrmAnswerException.class, outcome.cause());
            assertTrue(outcome.cause().getMessage().contains("Failure"), outcome.cause()::getMessage);
        }
        assertEquals(1, crm.requests().size());
        assertEquals(List.of(), crm.effects());
    }

    @ParameterizedTest
    @ValueSource(ints = {302, 400, 403, 404, 408, 429, 500, 503})
    void noStatusIsARefusal(int status) {
        crm.refuse(1, Reply.empty(status), ANY);
        assertEquals("retryLater", adapter.deliver("call", ANNA, call(Map.of())).result());
        delivered("call", ANNA, call(Map.of()));
        assertEquals(List.of(talk(CALL, "19x5", null)), registered());
    }

    @Test
    void aPageIsNoAnswer() {
        crm.refuse(1, new Reply(200, "text/html", "<!DOCTYPE html><HTML>log in</HTML>", Map.of()), ANY);
        assertEquals("retryLater", adapter.deliver("call", ANNA, call(Map.of())).result());
    }

    @Test
    void anAddressThatWouldBeCutIsRefused() {
        delivered("call", ANNA, call(Map.of()));
        delivered("recording", ANNA, call(Map.of("recordingUrl", "https://pbx.example/" + "x".repeat(180))));
        Outcome outcome = adapter.deliver("recording", ANNA, call(Map.of("recordingUrl", "https://pbx.example/" + "x".repeat(181))));
        assertEquals("deadLetter", outcome.result());
        assertInstanceOf(CrmRefusedException.class, outcome.cause());
        assertEquals(1, words().stream().filter("Record"::equals).count());
        assertEquals(List.of(), crm.ignored());
    }

    private void delivered(String operation, String id, Map<String, Object> body) {
        Outcome outcome = adapter.deliver(operation, id, body);
        assertEquals("delivered", outcome.result(), () -> "" + outcome.cause());
    }

    private List<String> words() {
        return crm.requests().stream().map(request -> request.parameters().get("callstatus")).toList();
    }

    private List<CrmEffect> registered() {
        return crm.effects().stream().filter(effect -> effect.kind() == Kind.CALL || effect.kind() == Kind.MISSED).toList();
    }

    private static CrmEffect talk(String id, String user, String recording) {
        return new CrmEffect(Kind.CALL, id, user, "79000000010", "in", "completed", 61L, STARTED, recording);
    }

    private static Map<String, Object> leg(Map<String, Object> more) {
        Map<String, Object> body = new HashMap<>(Map.of("callId", CALL, "direction", "in", "user", "19x5", "extension", "101", "number",
                "+79000000010", "at", "2026-11-27T09:00:00.000Z"));
        body.putAll(more);
        return body;
    }

    private static Map<String, Object> call(Map<String, Object> more) {
        Map<String, Object> body = leg(Map.of("result", "answered", "startedAt", "2026-11-27T09:00:00.000Z", "answeredAt", "2026-11-27T09:00:04.100Z",
                "endedAt", "2026-11-27T09:01:05.200Z", "talkSeconds", 61));
        body.remove("at");
        body.putAll(more);
        return body;
    }

    private static Map<String, Object> missed(Map<String, Object> more) {
        Map<String, Object> body = new HashMap<>(Map.of("number", "+79000000010", "place", Map.of("extension", "880", "type", "queue"),
                "startedAt", "2026-11-27T09:00:00.000Z", "endedAt", "2026-11-27T09:00:40.000Z"));
        body.putAll(more);
        return body;
    }
}
