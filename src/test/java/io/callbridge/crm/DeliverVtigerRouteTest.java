package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.crm.StandIn.Reply;
import io.callbridge.routes.AdapterHarness;
import java.time.ZoneId;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every effect as a person finds it in vtiger, which inserts a record for every StartApp and says nothing to what it ignores. */
class DeliverVtigerRouteTest extends Effects {

    private static final String TALK = "c1 19x5 in completed 61";

    private final VtigerStandIn crm = new VtigerStandIn();

    @BeforeEach
    void fill() {
        bridge = adapter(Map.of());
        crm.multiplies = true;
        crm.user("19x5", "101");
        crm.user("19x6", "102");
    }

    @AfterEach
    void close() {
        assertEquals(List.of(), crm.ignored());
        crm.close();
    }

    private AdapterHarness adapter(Map<String, String> more) {
        Map<String, String> settings = new HashMap<>(more);
        settings.put("callbridge.crm.vtiger.url", crm.origin() + "/");
        settings.put("callbridge.crm.vtiger.secret", VtigerStandIn.SIGNATURE);
        return AdapterHarness.of("vtiger", settings, Map.of());
    }

    /**
     * What is told of the legs a and b of an incoming call and the leg o of an outgoing one, the popups after the first step of
     * it, the requests, and the records. A ring group is one popup and one missed call; who answers in it has its record; a
     * second talk, as after a transfer, has its own, and so has a missed call besides a talk; all of it again changes nothing.
     */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            card a, answer a, call a, recording a | 1 | StartApp DialAnswer DialAnswer EndCall Hangup Record | c1 19x5 in completed 61 https://p/a?x=1&y=%20
            card a, card b, missed c1  | 1 | StartApp EndCall Hangup | c1 null in no-answer 0
            card a, card b, answer b, call b | 1 | StartApp DialAnswer DialAnswer EndCall Hangup | c1 19x6 in completed 61
            card a, answer a, card b, answer b, call b, call a, recording b | 1 | - | c1 19x5 in completed 61, b 19x6 in completed 61 https://p/b?x=1&y=%20
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
            boolean missed = what[0].equals("missed");
            delivered(what[0], what[1], missed ? with(missed(KNOWN, ""), "callId", what[1]) : leg(what[0], what[1]));
            if (step.equals(steps[0])) {
                assertEquals(popups, crm.ringing().size());
            }
        }
        if (!words.equals("-")) {
            assertEquals(words, String.join(" ", words()));
        }
        assertEquals(records, records());
        assertEquals(List.of(), crm.ringing());
    }

    @ParameterizedTest
    @ValueSource(strings = {"busy", "no-answer", "cancelled", "failed", "unknown"})
    void anOutgoingCallThatNobodyAnsweredHasItsResult(String result) {
        delivered("call", "o", call("out", result, KNOWN, "19x5", 0));
        assertEquals("o 19x5 out " + result + " 0", records());
    }

    @Test
    void numbersAndTimesAreThoseOfTheCrm() {
        crm.zone = ZoneId.of("Asia/Yekaterinburg");
        AdapterHarness east = adapter(Map.of("callbridge.crm.vtiger.time-zone", "Asia/Yekaterinburg"));
        east.deliver("card", "a", card("", "19x5"));
        east.deliver("call", "o", leg("call", "o"));
        assertEquals("anonymous", crm.requests().get(0).parameters().get("callerIdNumber"));
        assertEquals("79161234567 " + STARTED, crm.effects().get(0).number() + " " + crm.effects().get(0).startedAt());
        Map<String, String> end = crm.requests().get(crm.requests().size() - 2).parameters();
        assertEquals("65 61 2026-11-27 14:01:10", end.get("duration") + " " + end.get("billableseconds") + " " + end.get("endtime"));
    }

    /** The popup is not asked for again, since that would be a second one; the call is, since it could be lost. */
    @Test
    void anAnswerToAPopupThatGetsLostCanLeaveOneMoreRecordAndLosesNothing() {
        crm.lose(1, request -> true);
        again("card", "a", leg("card", "a"));
        delivered("card", "b", leg("card", "b"));
        assertEquals(List.of("StartApp"), words());
        delivered("call", "a", leg("call", "a"));
        assertEquals(List.of("StartApp", "StartApp", "DialAnswer", "EndCall", "Hangup"), words());
        assertEquals(TALK + ", " + TALK, records());
        assertEquals(List.of(), crm.ringing());
    }

    @ParameterizedTest
    @ValueSource(strings = {"DialAnswer", "EndCall", "Hangup"})
    void anyOtherAnswerThatGetsLostChangesNothing(String word) {
        crm.lose(1, request -> word.equals(request.parameters().get("callstatus")));
        again("call", "a", leg("call", "a"));
        assertEquals(TALK, records());
        assertEquals(1, Collections.frequency(words(), "StartApp"));
    }

    /** Whatever the status: the product refuses nothing but who has another secret, and a page is none of its answers. */
    @ParameterizedTest
    @CsvSource({"200, <!DOCTYPE html><HTML>log in</HTML>", "200, <Response><Authentication>Failure</Authentication></Response>", "302, ''",
            "400, ''", "403, ''", "404, ''", "408, ''", "429, ''", "500, ''"})
    void noAnswerIsARefusal(int status, String body) {
        crm.refuse(1, new Reply(status, "text/html", body, Map.of()), request -> true);
        assertEquals(0, later("call", "a", leg("call", "a")));
        assertEquals(1, crm.requests().size());
        delivered("call", "a", leg("call", "a"));
        assertEquals(TALK, records());
    }

    @Test
    void anAddressThatWouldBeCutIsRefused() {
        String address = "https://pbx.example/" + "x".repeat(180);
        delivered("call", "a", leg("call", "a"));
        delivered("recording", "a", with(leg("call", "a"), "recordingUrl", address));
        refused("recording", "a", with(leg("call", "a"), "recordingUrl", address + "x"));
        assertEquals(1, Collections.frequency(words(), "Record"));
    }

    private List<String> words() {
        return crm.requests().stream().map(request -> request.parameters().get("callstatus")).toList();
    }

    private String records() {
        return crm.effects().stream().map(effect -> effect.id() + " " + effect.user() + " " + effect.direction() + " " + effect.status()
                + " " + effect.seconds() + (effect.recording() == null ? "" : " " + effect.recording())).collect(Collectors.joining(", "));
    }

    private static Map<String, Object> leg(String operation, String id) {
        String direction = id.equals("o") ? "out" : "in";
        Map<String, Object> body = with(card(KNOWN, "19x5"), "direction", direction, "extension", id.equals("b") ? "102" : "101");
        if (!List.of("card", "answer").contains(operation)) {
            call(direction, "answered", KNOWN, "19x5", 61).forEach(body::putIfAbsent);
            body.put("answeredAt", "2026-11-27T09:00:09Z");
        }
        return operation.equals("recording") ? with(body, "recordingUrl", "https://p/" + id + "?x=1&y=%20") : body;
    }
}
