package io.callbridge;

import static io.callbridge.support.BridgeProcess.lines;
import static io.callbridge.support.BridgeProcess.words;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.RawHttp;
import io.callbridge.support.RestContract;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The webhook stands on the internet. Whatever is sent to it, the answer is the contract's, nothing wrong reaches the CRM,
 * and the next call works. All tests share one process on purpose: damage that one request does shows at the next.
 */
@Tag("native")
class BadInputIT {

    private static final String FORM = "application/x-www-form-urlencoded";
    private static final String JSON = "application/json";
    private static final int LARGEST = 64 * 1024;
    private static final Set<Integer> UNSUPPORTED = Set.of(200, 400, 415);
    private static final Set<String> FORBIDDEN = new HashSet<>();
    /** What an earlier test has failed with already. */
    private static final Set<String> TOLD = new HashSet<>();

    @AutoClose
    private static FakeCrm crm;
    @AutoClose
    private static BridgeProcess bridge;

    @BeforeAll
    static void start() {
        crm = new FakeCrm();
        bridge = BridgeProcess.builder().crm(crm).start();
    }

    @TestFactory
    Stream<DynamicTest> whatCannotBeReadIsRefusedWithOneLineThatNamesTheReason() {
        return Stream.of(
                unreadable("broken percent-encoding of an id in the query", "SubCallID .*percent",
                        c -> RawHttp.request("GET", path() + "?" + with(c, "SubCallID", "") + "&SubCallID=71101-%zz")),
                unreadable("percent-encoding of an id cut off at the end", "CallID .*percent",
                        c -> post(with(c, "CallID", "") + "&CallID=%4")),
                unreadable("bytes of an id that are not UTF-8, percent-encoded", "CallID .*UTF-8",
                        c -> post(with(c, "CallID", "") + "&CallID=%FF%FE")),
                unreadable("bytes of an id that are not UTF-8, raw", "SubCallID .*UTF-8", c -> RawHttp.request("POST", path(), FORM,
                        RawHttp.join(RawHttp.bytes(with(c, "SubCallID", "") + "&SubCallID=71101-"), new byte[] {(byte) 0xff}))),
                unreadable("a type of event that is not UTF-8", "EventType .*UTF-8",
                        c -> post("EventType=%C0%80&" + with(c, "EventType", null))),
                unreadable("an id in JSON that is not UTF-8", "SubCallID .*UTF-8", c -> RawHttp.request("POST", path(), JSON,
                        Webhook.json(changed(c, "SubCallID", "\u0418")).getBytes(Charset.forName("windows-1251")))),
                unreadable("binary body", "text", c -> RawHttp.request("POST", path(), FORM, binary())),
                unreadable("binary JSON", "JSON", c -> RawHttp.request("POST", path(), JSON, binary())),
                unreadable("a NUL in an id", "SubCallID .*control", c -> post(with(c, "SubCallID", c.legId() + "\0"))),
                unreadable("a NUL in an id in JSON", "SubCallID .*control",
                        c -> json(Webhook.json(changed(c, "SubCallID", c.legId() + "\0")))),
                unreadable("JSON cut in half", "JSON", c -> json(json(c).substring(0, json(c).length() / 2))),
                unreadable("JSON without quotes", "JSON", c -> json(json(c).replace("\"", ""))),
                unreadable("a form that claims to be JSON", "JSON", c -> json(form(c))),
                unreadable("a JSON array", "JSON", c -> json("[" + json(c) + "]")),
                unreadable("a JSON text", "JSON", c -> json("\"dial-in\"")),
                unreadable("JSON null", "JSON", c -> json("null")),
                unreadable("nested JSON", "JSON", c -> json(json(c).replace("\"CALLING\"", "{\"is\":\"CALLING\"}"))),
                unreadable("JSON nested a thousand times", "JSON", c -> json("{\"a\":".repeat(1000) + "1" + "}".repeat(1000))),
                unreadable("two JSON objects", "JSON", c -> json(json(c) + json(c))),
                unreadable("a multipart body", "content type|multipart|form", c -> RawHttp.request("POST", path(),
                        "multipart/form-data; boundary=b", multipart(c))));
    }

    @TestFactory
    Stream<DynamicTest> whatIsTooLargeIsRefused() {
        Consumer<RawHttp.Answer> nothingMore = answer -> { };
        return Stream.of(
                refused("a body of 64 KiB and one byte", 413, nothingMore, c -> post(filled(form(c), LARGEST + 1))),
                refused("JSON of 70 KB", 413, nothingMore, c -> json(filled(json(c), 70_000))),
                refused("a body of 1 MB", 413, nothingMore, c -> post(filled(form(c), 1_000_000))),
                refused("a body of 1 MB in chunks", 413, nothingMore, c -> chunked(filled(form(c), 1_000_000))),
                refused("a body of 70 KB in chunks", 413, nothingMore, c -> chunked(filled(form(c), 70_000))));
    }

    /** Nobody may find out whether he is near: not from the status, not from a header, not from the body. */
    @TestFactory
    Stream<DynamicTest> aWrongSecretIsAnsweredLikeAnUnknownPath() {
        String secret = bridge.secret();
        return Stream.of("/pbx/wrong-secret-of-the-tests/events", "/pbx/" + secret.substring(1) + "/events",
                "/pbx/" + secret + "x/events", "/pbx/" + secret.toUpperCase(Locale.ROOT) + "/events",
                "/pbx/" + secret + "%2F/events", "/pbx/" + secret + "%00/events", "/pbx/%zz/events", "/pbx/%20/events",
                "/pbx//events", "/pbx/" + "x".repeat(3000) + "/events").flatMap(path -> Stream.of(
                        like404(path, "GET", c -> RawHttp.request("GET", path + "?" + form(c))),
                        like404(path, "POST", c -> RawHttp.request("POST", path, FORM, RawHttp.bytes(form(c)))),
                        like404(path, "POST of broken JSON", c -> RawHttp.request("POST", path, JSON, RawHttp.bytes("{"))),
                        like404(path, "POST of 70 KB", c -> RawHttp.request("POST", path, FORM, RawHttp.bytes("x".repeat(70_000)))),
                        like404(path, "DELETE", c -> RawHttp.request("DELETE", path))));
    }

    @TestFactory
    Stream<DynamicTest> whatIsNoEventForUsIsAcknowledgedAndDropped() {
        return Stream.of(
                dropped("no CallID", c -> post(with(c, "CallID", null))),
                dropped("empty CallID", c -> post(with(c, "CallID", ""))),
                dropped("blank CallID", c -> post(with(c, "CallID", "   "))),
                dropped("no SubCallID", c -> post(with(c, "SubCallID", null))),
                dropped("no EventType", c -> post(with(c, "EventType", null))),
                dropped("unknown EventType", c -> post(with(c, "EventType", "call-teleported"))),
                dropped("EventType of 10 KB", c -> post(with(c, "EventType", "dial-in".repeat(1500)))),
                dropped("EventType in another alphabet", c -> post(with(c, "EventType", "d\u0456al-in"))),
                dropped("lower-case name of the field", c -> post(form(c).replace("EventType=", "event_type="))),
                dropped("empty body", c -> post("")),
                dropped("empty GET", c -> RawHttp.request("GET", path())),
                dropped("nothing but separators", c -> post("&&&==&=&&")),
                dropped("empty JSON object", c -> json("{}")),
                dropped("JSON nulls", c -> json("{\"EventType\":\"dial-in\",\"CallID\":null,\"SubCallID\":null}")));
    }

    /** Odd requests that the contract does not name: any answer but a failure of ours, and nothing wrong at the CRM. */
    @TestFactory
    Stream<DynamicTest> oddRequestsDoNoHarm() {
        return Stream.of(
                odd("method DELETE", Set.of(404, 405), c -> RawHttp.request("DELETE", path() + "?" + form(c))),
                odd("method PUT", Set.of(404, 405), c -> RawHttp.request("PUT", path(), FORM, RawHttp.bytes(form(c)))),
                odd("trailing slash", Set.of(200, 404), c -> RawHttp.request("GET", path() + "/?" + form(c))),
                odd("secret percent-encoded", Set.of(200, 404),
                        c -> RawHttp.request("GET", path().replace("/pbx/w", "/pbx/%77") + "?" + form(c))),
                odd("10,000 fields", c -> post(form(c) + manyFields(10_000))),
                odd("7,000 fields in JSON",
                        c -> json(json(c).replaceFirst("}$", manyFields(7_000).replaceAll("&(\\w+)", ",\"$1\":1") + "}"))),
                odd("duplicate JSON keys", c -> json(json(c).replaceFirst("}$", ",\"CallID\":\"00000000000000000000000000000000\"}"))),
                odd("a JSON number that no machine can hold",
                        c -> json(json(c).replaceFirst("\"EventTime\":\\d+", "\"EventTime\":1e999999999"))),
                odd("unknown content type", UNSUPPORTED,
                        c -> RawHttp.request("POST", path(), "application/x-no-such-type", RawHttp.bytes(form(c)))),
                odd("unknown charset", c -> RawHttp.request("POST", path(), FORM + "; charset=klingon", RawHttp.bytes(form(c)))),
                odd("broken content type", UNSUPPORTED, c -> RawHttp.request("POST", path(), ";;;/=", RawHttp.bytes(form(c)))),
                odd("CallID of 5,000 characters", c -> post(with(c, "CallID", "a".repeat(5000)))),
                odd("SubCallID of 5,000 characters", c -> post(with(c, "SubCallID", "71101-" + "a".repeat(5000)))),
                odd("SubCallID that climbs out of its path", c -> post(with(c, "SubCallID", "71101-/../../missed-calls/1"))),
                odd("SubCallID with a query of its own", c -> post(with(c, "SubCallID", "71101-1?reason=ended#"))),
                odd("SubCallID with a second request in it",
                        c -> post(with(c, "SubCallID", "71101-1 HTTP/1.1\r\nHost: evil.example\r\n\r\n"))),
                odd("SubCallID without extension", c -> post(with(c, "SubCallID", "-"))),
                odd("a placeholder in an id", c -> post(with(c, "SubCallID", "71101-${sysenv:HOME}{{callbridge.crm.rest.token}}"))),
                odd("SQL in an id", c -> post(with(c, "CallID", "x'); DROP TABLE event; --"))),
                odd("header names of Camel as fields",
                        c -> post(form(c) + "&CamelHttpUri=http%3A%2F%2Fevil.example&CamelHttpPath=%2Fevil")),
                odd("header names of Camel as headers", c -> RawHttp.request("POST", path(), FORM
                        + "\r\nCamelHttpUri: http://evil.example\r\nCamelHttpMethod: DELETE", RawHttp.bytes(form(c)))));
    }

    /** Absurd values in the fields of a call that took place: it is registered all the same, and by the contract. */
    @TestFactory
    Stream<DynamicTest> absurdValuesDoNotCostTheCall() {
        return Stream.of(
                absurd("+" + "7".repeat(200), "\u0416".repeat(5_000), "-1741078800000000", "-5000000", "a".repeat(10_000)),
                absurd("\uD83D\uDCDE\uD83D\uDD25", "\uD83C\uDFB5", "0", "9".repeat(30), "71101-rec1"),
                absurd("7 ".repeat(10_000), "x", "9".repeat(30), "half an hour", "x/../y?z#"),
                absurd("\u202E+79000000010", "\u202Egnp.exe", "9".repeat(18), "3e7", "${body}"),
                absurd("+\u0667\u0669\u0660\u0660", "\u0667", "yesterday", "", ""),
                absurd("+7900\r\nX-Evil: 1", "a\r\nb", "\u0661\u0667\u0664\u0661", "0", "a\r\nX-Evil: 1"),
                absurd("<script>\"'&{{callbridge.crm.rest.token}}${body}", "<b>", "1741078800", "1", "<script>"),
                absurd("+", "+", "4000000000000000", "30000000.5", "+"),
                absurd("sip:@@;=", "@", "1741078800.5", "30", "@@@*@@@"));
    }

    /** Some senders put a byte order mark, and what passes their files on another one. */
    @TestFactory
    Stream<DynamicTest> jsonIsReadInItsOwnCharset() {
        return Stream.of("UTF-8 ", "UTF-8 \uFEFF", "UTF-8 \uFEFF\uFEFF", "UTF-16LE \uFEFF", "UTF-16BE \uFEFF\uFEFF", "UTF-16LE charset=utf-16le",
                "windows-1251 charset=Windows-1251", "windows-1251 ", "koi8-r charset=\"koi8-r\"", "UTF-8 charset=klingon").map(how -> {
                    Charset charset = Charset.forName(how.split(" ")[0]);
                    String mark = how.replaceAll("[^\uFEFF]", "");
                    String type = how.contains("charset") ? JSON + "; " + how.split(" ")[1] : JSON;
                    return understoodAs("JSON in " + how, event -> RawHttp.request("POST", path(), type,
                            (mark + Webhook.json(changed(event, "CallerIDName", "\u0418\u0432\u0430\u043d"))).getBytes(charset)));
                });
    }

    /** Also without EventTime, where nothing but its fields tells an event from a repeat. */
    @Test
    void aHangupThatBringsTheRecordingLaterIsNoRepeat() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        call.answered().forEach(event -> assertOk(send(post(Webhook.form(changed(event, "EventTime", null))))));
        crm.awaitCall(call);
        assertOk(send(post(Webhook.form(changed(changed(call.hangup(), "EventTime", null), "RecID", "71101-rec1")))));
        await("the recording").until(() -> "71101-rec1".equals(crm.requests(Kind.CALL, call.legId()).get(
                crm.requests(Kind.CALL, call.legId()).size() - 1).member("recordingId")));
    }

    /** What is acknowledged and does nothing, or may be understood wrongly, is seen by whoever sets the PBX up. */
    @Test
    void theSetUpCheckShowsWhatIsIgnoredAndUnclearAndTheClock() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        assertOk(send(post(with(call, "CallID", null))));
        for (Map<String, String> event : call.answered()) {
            Map<String, String> fields = changed(event, "EventTime", "09:00");
            fields.computeIfPresent("Duration", (same, value) -> "30");
            assertOk(send(post(Webhook.form(fields))));
        }
        crm.awaitCall(call);
        // Its talk may be too short to tell, its times are of long ago.
        bridge.webhook().accept(TestCall.incoming("102", FakeCrm.PETROVA).answered());
        JsonNode pbx = bridge.json("/api/setup").at("/pbxs/0");
        assertEquals("dial-in no-id 09:00", words(pbx, "ignored/0/type ignored/0/reason unclear/1/value"), pbx::toString);
        assertEquals(List.of("Duration", "EventTime"), lines(pbx.path("unclear"), "field"), pbx::toString);
        assertTrue(pbx.path("clockSeconds").asLong() < -3600, pbx::toString);
        assertTrue(bridge.json("/api/status").at("/pbxs/0/clockSeconds").asLong() < -3600);
        assertTrue(bridge.metric("callbridge_pbx_clock_seconds", "pbx=\"main\"") < -3600);
        assertTrue(lines(bridge.call(call.callId()).path("decisions"), "reason").stream()
                .anyMatch(reason -> reason.startsWith("Duration=30 is read as microseconds")));
    }

    @TestFactory
    Stream<DynamicTest> unusualButGoodFormsOfACallAreUnderstood() {
        String odd = "%C8%D0%98%D0%u0418%zz%4%01a%00b%FF%FE%C0%80\uD83D\uDCDE100%";
        return Stream.of(
                // Nobody reads it: EventReaderTest.
                understood("a name that cannot be decoded", event -> Webhook.form(event) + "&CallerIDName=" + odd),
                understoodAs("and in a query", event -> RawHttp.request("GET", path() + "?CallerIDName=" + odd + "&" + Webhook.form(event))),
                understood("a byte order mark before a form", event -> "%EF%BB%BF" + Webhook.form(event)),
                understood("ids and enumerations in upper case", event -> Webhook.form(all(event, (name, value) ->
                        name.matches("CallID|SubCallID|EventType|CallFlow|CallStatus") ? value.toUpperCase(Locale.ROOT) : value))),
                understood("blanks around every value", event -> Webhook.form(all(event, (name, value) ->
                        name.equals("CallerIDNum") ? value + " " : " " + value + "\t"))),
                understood("the first value that is not empty counts",
                        event -> "CallerIDNum=&" + Webhook.form(event) + "&CallerIDNum=%2B79000000020&CallID=other"),
                understoodAs("a body wins over the query", event -> RawHttp.request("POST", path()
                        + "?CallerIDNum=%2B79000000020&SubCallID=71102-0&EventTime=1", FORM, RawHttp.bytes(Webhook.form(event)))),
                understood("a body of exactly 64 KiB", event -> filled(Webhook.form(event), LARGEST)),
                understood("unknown fields in between", event -> "Mood=happy&&=&" + Webhook.form(event) + "&BridgedDuration=7&Tag"));
    }

    @Test
    void theSecretIsNeverPrintedAndInNoMetricAndBadInputPrintsNoStackTrace() {
        Map<Integer, byte[]> refused = Map.of(400, RawHttp.request("GET", path() + "?CallID=%"), 404, RawHttp.request("GET", path() + "//"),
                405, RawHttp.request("DELETE", path()), 413, post("x".repeat(LARGEST + 1)));
        refused.forEach((status, request) -> {
            assertEquals(status, send(request).status());
            assertFalse(send(request).text().isBlank(), "nothing is said with " + status);
        });
        send(post("CallID=%"));
        send(json("{"));
        send(RawHttp.request("POST", "/pbx/" + bridge.secret() + "x/events", FORM, RawHttp.bytes("CallID=%")));
        send(RawHttp.request("GET", "/" + path()));
        send(RawHttp.request("GET", "/proxy" + path() + "//"));
        send(RawHttp.request("GET", path() + "/%zz"));
        String metrics = bridge.get("/q/metrics").body();
        refused.keySet().forEach(status -> assertTrue(metrics.lines().anyMatch(l -> l.contains("status=\"" + status + "\"")
                && l.contains("uri=\"/pbx/{secret}/events\"")), () -> status + " is not in\n" + metrics));
        assertFalse(metrics.contains(bridge.secret()), () -> "the webhook's secret is in\n" + metrics);
        assertNextCallWorks();
        String output = bridge.output();
        assertFalse(output.contains(bridge.secret()), "the webhook's secret is in the output");
        assertFalse(output.contains(FakeCrm.TOKEN), "the CRM's token is in the output");
        assertFalse(output.lines().anyMatch(l -> l.matches("\\s+at [\\w.$/]+\\(.*")), () -> "stack trace" + bridge.tail());
    }

    private static DynamicTest unreadable(String name, String reason, Function<TestCall, byte[]> request) {
        return refused(name, 400, answer -> {
            assertTrue(answer.header("Content-Type") != null && answer.header("Content-Type").startsWith("text/plain"), answer::toString);
            String text = answer.text().stripTrailing();
            assertFalse(text.contains("\n") || text.length() > 300, () -> "not one line: " + answer);
            assertTrue(text.matches("(?i).*(" + reason + ").*"), () -> "does not name '" + reason + "': " + text);
            assertFalse(text.contains(bridge.secret()), "tells the secret");
        }, request);
    }

    private static DynamicTest dropped(String name, Function<TestCall, byte[]> request) {
        return refused(name, 200, BadInputIT::assertOk, request);
    }

    private static DynamicTest refused(String name, int status, Consumer<RawHttp.Answer> more, Function<TestCall, byte[]> request) {
        return DynamicTest.dynamicTest(name, () -> {
            RawHttp.Answer answer = send(request.apply(forbidden()));
            assertEquals(status, answer.status(), answer::toString);
            assertFalse(answer.text().isBlank(), answer::toString);
            more.accept(answer);
            assertNextCallWorks();
        });
    }

    private static DynamicTest like404(String path, String how, Function<TestCall, byte[]> request) {
        String shown = path.replace(bridge.secret(), "{secret}");
        return DynamicTest.dynamicTest(how + " " + (shown.length() > 60 ? shown.substring(0, 60) + "..." : shown), () -> {
            byte[] wrong = request.apply(forbidden());
            RawHttp.Answer answer = send(wrong);
            RawHttp.Answer unknown = send(elsewhere(wrong, path));
            // A path that cannot be decoded is refused by the server itself, wherever it points, and so is what is too large.
            int refused = path.contains("%zz") ? 400 : how.endsWith("KB") ? 413 : 404;
            assertTrue(List.of(404, refused).contains(answer.status()), answer::toString);
            assertEquals(unknown.withoutDate(), answer.withoutDate());
        });
    }

    private static DynamicTest odd(String name, Function<TestCall, byte[]> request) {
        return odd(name, Set.of(200, 400), request);
    }

    private static DynamicTest odd(String name, Set<Integer> allowed, Function<TestCall, byte[]> request) {
        return DynamicTest.dynamicTest(name, () -> {
            TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
            RawHttp.Answer answer = send(request.apply(call));
            assertTrue(allowed.contains(answer.status()), answer::toString);
            if (answer.status() != 200) {
                FORBIDDEN.addAll(List.of(call.legId(), call.callId()));
            }
            assertNextCallWorks();
        });
    }

    private static DynamicTest absurd(String caller, String name, String time, String duration, String recording) {
        return DynamicTest.dynamicTest(caller.length() > 40 ? caller.substring(0, 40) : caller, () -> {
            TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
            for (Map<String, String> event : call.answered()) {
                Map<String, String> fields = new LinkedHashMap<>(event);
                fields.putAll(Map.of("CallerIDNum", caller, "CallerIDName", name, "EventTime", time, "Duration", duration, "RecID", recording,
                        "CalledDID", "@@@*@@@", "CallStatus", "SINGING"));
                assertOk(send(post(Webhook.form(fields))));
            }
            crm.awaitCall(call);
            assertEquals("answered", crm.requests(Kind.CALL, call.legId()).get(0).member("result"));
            assertNextCallWorks();
        });
    }

    private static DynamicTest understood(String name, Function<Map<String, String>, String> form) {
        return understoodAs(name, event -> post(form.apply(event)));
    }

    private static DynamicTest understoodAs(String name, Function<Map<String, String>, byte[]> request) {
        return DynamicTest.dynamicTest(name, () -> {
            TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
            call.answered().forEach(event -> assertOk(send(request.apply(event))));
            assertRegistered(call);
        });
    }

    /** The whole call came through unharmed. */
    private static void assertRegistered(TestCall call) {
        crm.awaitCall(call);
        CrmRequest written = crm.requests(Kind.CALL, call.legId()).get(0);
        assertEquals(List.of(call.callId(), call.caller(), "answered", "30", "2025-03-04T09:00:00.000Z"),
                Stream.of("callId", "number", "result", "talkSeconds", "startedAt").map(written::member).toList());
        assertNothingWrong();
    }

    private static void assertNextCallWorks() {
        TestCall call = TestCall.incoming("102", FakeCrm.PETROVA);
        bridge.webhook().accept(call.answered());
        crm.awaitCall(call);
        assertNothingWrong();
    }

    /** Nothing of a refused event ever, and everything else by the contract. */
    private static void assertNothingWrong() {
        List<CrmRequest> requests = crm.requests();
        List<String> wrong = new ArrayList<>(new RestContract(crm).deviations(requests));
        requests.stream().filter(r -> FORBIDDEN.contains(r.id()) || r.body() != null && FORBIDDEN.contains(r.member("callId")))
                .forEach(r -> wrong.add("of an event that was refused or dropped: " + r));
        wrong.removeIf(w -> !TOLD.add(w));
        assertTrue(wrong.isEmpty(), () -> String.join("\n", wrong) + bridge.tail());
    }

    private static void assertOk(RawHttp.Answer answer) {
        assertEquals(200, answer.status(), answer::toString);
        assertEquals("OK", answer.text().strip());
    }

    /** A call of which nothing may reach the CRM, from now to the end of the class. */
    private static TestCall forbidden() {
        TestCall call = TestCall.incoming("103", FakeCrm.IVANOV);
        FORBIDDEN.addAll(List.of(call.legId(), call.callId()));
        return call;
    }

    private static RawHttp.Answer send(byte[] request) {
        return RawHttp.send(bridge.port(), request);
    }

    private static String path() {
        return bridge.webhook().path();
    }

    private static byte[] post(String body) {
        return RawHttp.request("POST", path(), FORM, RawHttp.bytes(body));
    }

    private static byte[] chunked(String body) {
        return RawHttp.chunked("POST", path(), FORM, RawHttp.bytes(body));
    }

    private static byte[] json(String body) {
        return RawHttp.request("POST", path(), JSON, RawHttp.bytes(body));
    }

    private static String json(TestCall call) {
        return Webhook.json(call.dialIn());
    }

    private static String form(TestCall call) {
        return Webhook.form(call.dialIn());
    }

    /** The form of a dial-in with one field changed, or without it. */
    private static String with(TestCall call, String field, String value) {
        return Webhook.form(changed(call, field, value));
    }

    private static Map<String, String> changed(TestCall call, String field, String value) {
        return changed(call.dialIn(), field, value);
    }

    private static Map<String, String> changed(Map<String, String> event, String field, String value) {
        Map<String, String> fields = new LinkedHashMap<>(event);
        fields.compute(field, (same, old) -> value);
        return fields;
    }

    private static Map<String, String> all(Map<String, String> event, BinaryOperator<String> change) {
        Map<String, String> fields = new LinkedHashMap<>(event);
        fields.replaceAll(change);
        return fields;
    }

    /** A body made longer with fields that mean nothing. */
    private static String filled(String body, int length) {
        if (body.endsWith("}")) {
            String start = body.substring(0, body.length() - 1) + ",\"Filler\":\"";
            return start + "x".repeat(length - start.length() - 2) + "\"}";
        }
        String start = body + "&Filler=";
        return start + "x".repeat(length - start.length());
    }

    private static String manyFields(int count) {
        StringBuilder fields = new StringBuilder();
        IntStream.range(0, count).forEach(i -> fields.append('&').append(Integer.toString(i + 36 * 36, 36)));
        return fields.toString();
    }

    private static byte[] binary() {
        byte[] bytes = new byte[4096];
        new Random(1).nextBytes(bytes);
        bytes[0] = (byte) 0x80;
        return bytes;
    }

    private static byte[] multipart(TestCall call) {
        StringBuilder body = new StringBuilder();
        call.dialIn().forEach((name, value) -> body
                .append("--b\r\nContent-Disposition: form-data; name=\"").append(name).append("\"\r\n\r\n").append(value)
                .append("\r\n"));
        return RawHttp.bytes(body + "--b--\r\n");
    }

    /** The same request to a path that nobody knows, as well-formed as the other one. */
    private static byte[] elsewhere(byte[] request, String path) {
        return RawHttp.bytes(new String(request, StandardCharsets.UTF_8).replaceFirst(
                Pattern.quote(path), path.contains("%zz") ? "/no/%zz/path" : "/no/such/path"));
    }
}
