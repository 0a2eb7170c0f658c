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
import java.time.ZoneId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every effect as a person finds it in vtiger, which inserts a record for every StartApp and says nothing to what it ignores. */
class DeliverVtigerRouteTest {

    private static final String TALK = "c1 19x5 in completed 61";
    private static final long STARTED = 1795770000;
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

    /**
     * What is told of the legs a and b of an incoming call and the leg o of an outgoing one, the popups after the first step of
     * it, the requests, and the records. A ring group is one popup and one missed call; who answers in it has its record; a
     * second talk, as after a transfer, has its own, and so has a missed call besides a talk; all of it again changes nothing.
     */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            card a, answer a, call a, recording a | 1 | StartApp DialAnswer DialAnswer EndCall Hangup Record | c1 19x5 in completed 61 https://p.example/a?x=1&y=%20
            card a, card b, missed c1  | 1 | StartApp EndCall Hangup | c1 null in no-answer 0
            card a, card b, answer b, call b | 1 | StartApp DialAnswer DialAnswer EndCall Hangup | c1 19x6 in completed 61
            card a, answer a, card b, answer b, call b, call a, recording b | 1 | - | c1 19x5 in completed 61, b 19x6 in completed 61 https://p.example/b?x=1&y=%20
            card a, call a, missed c1  | 1 | - | c1 19x5 in completed 61, missed-c1 null in no-answer 0
            card a, missed c1, call a  | 1 | - | c1 null in no-answer 0, a 19x5 in completed 61
            answer a, call a, card a   | 0 | StartApp DialAnswer EndCall Hangup | c1 19x5 in completed 61
            card a, card a, call a, call a, missed c2, missed c2 | 1 | - | c1 19x5 in completed 61, c2 null in no-answer 0
            card o, answer o, call o   | 0 | StartApp DialAnswer DialAnswer EndCall Hangup | o 19x5 out completed 61
            """)
    void whatIsToldIsInItsRecord(String told, int popups, String words, String records) {
        String[] steps = told.split(", ");
        for (String step : steps) {
            String[] what = step.split(" ");
            delivered(what[0], what[1], what[0].equals("missed") ? missed() : leg(what[0], what[1]));
            if (step.equals(steps[0])) {
                assertEquals(popups, crm.ringing().size());
            }
        }
        if (!words.equals("-")) {
            assertEquals(words, String.join(" ", words()));
        }
        assertEquals(records, records());
        assertEquals(List.of(), crm.ringing());
        assertEquals(List.of(), crm.ignored());
    }

    @ParameterizedTest
    @CsvSource({"busy, busy", "no-answer, no-answer", "cancelled, cancelled", "failed, failed", "unknown, unknown"})
    void anOutgoingCallThatNobodyAnsweredHasItsResult(String result, String status) {
        Map<String, Object> body = leg("call", "o");
        body.putAll(Map.of("result", result, "talkSeconds", 0));
        body.remove("answeredAt");
        delivered("call", "o", body);
        assertEquals("o 19x5 out " + status + " 0", records());
        assertEquals(List.of(), crm.ignored());
    }

    @Test
    void numbersAndTimesAreThoseOfTheCrm() {
        Map<String, Object> hidden = leg("card", "a");
        hidden.remove("number");
        crm.zone(ZoneId.of("Asia/Yekaterinburg"));
        try (AdapterHarness east = adapter(VtigerStandIn.SIGNATURE, Map.of("callbridge.crm.vtiger.time-zone", "Asia/Yekaterinburg"))) {
            east.deliver("card", "a", hidden);
            assertEquals("anonymous", crm.requests().get(0).parameters().get("callerIdNumber"));
            east.deliver("call", "o", leg("call", "o"));
        }
        CrmEffect call = crm.effects().get(crm.effects().size() - 1);
        assertEquals("79000000010 " + STARTED, call.number() + " " + call.startedAt());
        Map<String, String> end = crm.requests().get(crm.requests().size() - 2).parameters();
        assertEquals("65 61 2026-11-27 14:01:05", end.get("duration") + " " + end.get("billableseconds") + " " + end.get("endtime"));
        assertEquals(List.of(), crm.ignored());
    }

    /** The popup is not asked for again, since that would be a second one; the call is, since it could be lost. */
    @Test
    void anAnswerToAPopupThatGetsLostCanLeaveOneMoreRecordAndLosesNothing() {
        crm.lose(1, ANY);
        assertEquals("retryLater", adapter.deliver("card", "a", leg("card", "a")).result());
        delivered("card", "a", leg("card", "a"));
        assertEquals(List.of("StartApp"), words());
        delivered("call", "a", leg("call", "a"));
        assertEquals(List.of("StartApp", "StartApp", "DialAnswer", "EndCall", "Hangup"), words());
        assertEquals(TALK + ", " + TALK, records());
        assertEquals(List.of(), crm.ringing());
        assertEquals(List.of(), crm.ignored());
    }

    @Test
    void aPopupThatNeverCameLosesNothing() {
        crm.down();
        assertEquals("retryLater", adapter.deliver("card", "a", leg("card", "a")).result());
        crm.up();
        delivered("call", "a", leg("call", "a"));
        assertEquals(TALK, records());
    }

    @ParameterizedTest
    @ValueSource(strings = {"DialAnswer", "EndCall", "Hangup"})
    void anyOtherAnswerThatGetsLostChangesNothing(String word) {
        crm.lose(1, request -> word.equals(request.parameters().get("callstatus")));
        assertEquals("retryLater", adapter.deliver("call", "a", leg("call", "a")).result());
        delivered("call", "a", leg("call", "a"));
        assertEquals(TALK, records());
        assertEquals(List.of(), crm.ignored());
        assertEquals(1, words().stream().filter("StartApp"::equals).count());
    }

    /** Whatever the status: the product refuses nothing, and a page is none of its answers. */
    @ParameterizedTest
    @ValueSource(ints = {200, 302, 400, 403, 404, 408, 429, 500, 503})
    void noAnswerIsARefusal(int status) {
        crm.refuse(1, new Reply(status, "text/html", "<!DOCTYPE html><HTML>log in</HTML>", Map.of()), ANY);
        Outcome outcome = adapter.deliver("call", "a", leg("call", "a"));
        assertEquals("retryLater", outcome.result());
        assertInstanceOf(CrmAnswerException.class, outcome.cause());
        delivered("call", "a", leg("call", "a"));
        assertEquals(TALK, records());
    }

    @Test
    void aWrongSecretLosesNothing() {
        try (AdapterHarness wrong = adapter("other", Map.of())) {
            Outcome outcome = wrong.deliver("call", "a", leg("call", "a"));
            assertEquals("retryLater", outcome.result());
            assertTrue(outcome.cause().getMessage().contains("Failure"), outcome.cause()::getMessage);
        }
        assertEquals(1, crm.requests().size());
    }

    @Test
    void anAddressThatWouldBeCutIsRefused() {
        Map<String, Object> body = leg("call", "a");
        delivered("call", "a", body);
        body.put("recordingUrl", "https://pbx.example/" + "x".repeat(180));
        delivered("recording", "a", body);
        body.put("recordingUrl", "https://pbx.example/" + "x".repeat(181));
        assertInstanceOf(CrmRefusedException.class, adapter.deliver("recording", "a", body).cause());
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

    private String records() {
        return crm.effects().stream().filter(effect -> effect.kind() == Kind.CALL || effect.kind() == Kind.MISSED)
                .map(effect -> effect.id() + " " + effect.user() + " " + effect.direction() + " " + effect.status() + " " + effect.seconds()
                        + (effect.recording() == null ? "" : " " + effect.recording())).collect(Collectors.joining(", "));
    }

    private static Map<String, Object> leg(String operation, String id) {
        Map<String, Object> body = new HashMap<>(Map.of("callId", "c1", "direction", id.equals("o") ? "out" : "in", "user", "19x5",
                "extension", id.equals("b") ? "102" : "101", "number", "+79000000010"));
        if (List.of("card", "answer").contains(operation)) {
            body.put("at", "2026-11-27T09:00:00.000Z");
        } else {
            body.putAll(Map.of("result", "answered", "startedAt", "2026-11-27T09:00:00.000Z", "answeredAt", "2026-11-27T09:00:04.100Z", "endedAt",
                    "2026-11-27T09:01:05.200Z", "talkSeconds", 61));
        }
        if (operation.equals("recording")) {
            body.put("recordingUrl", "https://p.example/" + id + "?x=1&y=%20");
        }
        return body;
    }

    private static Map<String, Object> missed() {
        return new HashMap<>(Map.of("number", "+79000000010", "place", Map.of("extension", "880", "type", "queue"),
                "startedAt", "2026-11-27T09:00:00.000Z", "endedAt", "2026-11-27T09:00:40.000Z"));
    }
}
