package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.crm.CrmEffect.Kind;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VtigerStandInTest {

    private static final String OUTSIDE = "79000000010";

    private final VtigerStandIn crm = new VtigerStandIn();
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @BeforeEach
    void fill() {
        crm.user("19x5", "101");
        crm.user("19x6", "102");
    }

    @AfterEach
    void close() {
        crm.close();
    }

    @Test
    void aCallFromAUsersExtensionIsOutgoingToItsName() throws Exception {
        assertTrue(start("a", "101", OUTSIDE, "SIP/101-00000001").body().contains("<Number>SIP/" + OUTSIDE + "@trunk</Number>"));
        assertEquals(List.of(), crm.ringing());
        post("Hangup", "callUUID", "a", "causetxt", "User busy");
        assertEquals(List.of(new CrmEffect(Kind.CALL, "a", "19x5", OUTSIDE, "out", "busy", null, 1795770000L, null)), crm.effects());

        start("b", OUTSIDE, "", "SIP/102-00000002");
        post("Hangup", "callUUID", "b", "causetxt", "Normal Clearing");
        assertEquals("19x6", crm.effects().get(1).user());
        assertEquals("out", crm.effects().get(1).direction());
    }

    @ParameterizedTest
    @CsvSource({"Normal Clearing, ANSWER, completed, CALL", "Normal Clearing, , completed, CALL", "Normal Clearing, NO ANSWER, no-answer, MISSED",
            "User busy, BUSY, busy, MISSED", "Call Rejected, , busy, MISSED", "User alerting, , User alerting, MISSED",
            "normal clearing, , normal clearing, MISSED"})
    void theTextOfAHangupDecides(String text, String cause, String status, Kind kind) throws Exception {
        start("a", OUTSIDE, "", "SIP/trunk-1");
        List<String> parameters = new ArrayList<>(List.of("callUUID", "a", "causetxt", text));
        if (cause != null) {
            parameters.addAll(List.of("HangupCause", cause));
        }
        post("Hangup", parameters.toArray(new String[0]));
        assertEquals(kind, crm.effects().get(2).kind());
        assertEquals(status, crm.effects().get(2).status());
    }

    @Test
    void aHangupWithoutATextAndAnUnknownCallAreIgnored() throws Exception {
        start("a", OUTSIDE, "", "SIP/trunk-1");
        post("Hangup", "callUUID", "a", "causetxt", "null");
        post("Hangup", "callUUID", "b", "causetxt", "Normal Clearing");
        end("b", "65", "61");
        post("DialAnswer", "callUUID", "b", "callerid1", OUTSIDE, "callerid2", "102");
        assertEquals(200, post("Record", "callUUID", "b", "recordinglink", "https://pbx.example/r/1.mp3").statusCode());
        assertEquals(List.of(Kind.CARD), kinds());
        assertEquals(5, crm.ignored().size());
    }

    @Test
    void aWrongSignatureIsAnsweredWith200() throws Exception {
        String query = "?callstatus=StartApp&callUUID=a&callerIdNumber=1&StartTime=2026-11-27%2012:00:00";
        for (String signature : List.of("", "&vtigersignature=other")) {
            HttpResponse<String> answer = send("GET", query + signature, "");
            assertEquals(200, answer.statusCode());
            assertTrue(answer.headers().firstValue("Content-Type").orElseThrow().startsWith("text/xml"));
            assertTrue(answer.body().endsWith("<Response><Authentication>Failure</Authentication></Response>"), answer.body());
        }
        assertEquals(List.of(), crm.effects());
        send("GET", query + "&vtigersignature=" + VtigerStandIn.SIGNATURE, "");
        assertEquals(List.of(Kind.CARD), kinds());
        assertEquals(404, client.send(HttpRequest.newBuilder(URI.create(crm.origin() + "/callbacks/PBXManager.php")).build(),
                HttpResponse.BodyHandlers.ofString()).statusCode());
    }

    @ParameterizedTest
    @ValueSource(strings = {"StartApp callUUID=a callerIdNumber=1 starttime=2026-11-27+12:00:00", "StartApp callUUID=a callerIdNumber=1",
            "StartApp callUUID=a callerIdNumber=1 StartTime=1795770000", "startapp callUUID=a", "DialAnswer callUUID=a callerId1=1 callerid2=101",
            "EndCall callUUID=a starttime=2026-11-27+12:00:00 endtime=2026-11-27+12:00:00 duration=1", "Record callUUID=a recordingLink=https://a",
            "EndCall callUUID=a starttime=2026-11-27+12:00:00 endtime=2026-11-27+12:00:00 duration=1 billableseconds=1.5",
            "Hangup callUUID=a causetxt=a+text+longer+than+its+column", "Hangup callUUID=a HangupCause=NO+ANSWER", "Answered callUUID=a"})
    void whatItCannotUseIsNoted(String request) throws Exception {
        start("a", OUTSIDE, "", "SIP/trunk-1");
        assertEquals(List.of(), crm.ignored());
        String[] parts = request.split(" ");
        String body = "vtigersignature=" + VtigerStandIn.SIGNATURE + "&callstatus=" + String.join("&", parts);
        assertEquals(200, send("POST", "", body).statusCode());
        assertTrue(!crm.ignored().isEmpty());
    }

    private List<Kind> kinds() {
        return crm.effects().stream().map(CrmEffect::kind).toList();
    }

    private HttpResponse<String> start(String uuid, String number, String name, String channel) throws Exception {
        return post("StartApp", "callUUID", uuid, "callerIdNumber", number, "callerIdName", name, "channel", channel, "StartTime",
                "2026-11-27 12:00:00");
    }

    private void end(String uuid, String duration, String billed) throws Exception {
        post("EndCall", "callUUID", uuid, "starttime", "2026-11-27 12:00:05", "endtime", "2026-11-27 12:01:10", "duration", duration,
                "billableseconds", billed);
    }

    private HttpResponse<String> post(String status, String... parameters) throws Exception {
        StringBuilder body = new StringBuilder("vtigersignature=" + VtigerStandIn.SIGNATURE + "&callstatus=" + status);
        for (int i = 0; i < parameters.length; i += 2) {
            body.append('&').append(parameters[i]).append('=').append(URLEncoder.encode(parameters[i + 1], StandardCharsets.UTF_8));
        }
        return send("POST", "", body.toString());
    }

    private HttpResponse<String> send(String method, String query, String body) throws Exception {
        return client.send(HttpRequest.newBuilder(URI.create(crm.origin() + "/modules/PBXManager/callbacks/PBXManager.php" + query))
                .header("Content-Type", "application/x-www-form-urlencoded").method(method, HttpRequest.BodyPublishers.ofString(body)).build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
