package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RetailCrmStandInTest {

    private static final String GOOD = "{'date':'2026-11-27 12:00:05','type':'in','phone':'79000000010','code':'101','result':'answered',"
            + "'duration':61,'durationWaiting':4,'externalId':'71101-a','recordUrl':'https://pbx.example/r/1.mp3'}";

    private final RetailCrmStandIn crm = new RetailCrmStandIn();
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @BeforeEach
    void fill() {
        crm.limit(1000);
        crm.user(27, "101", "Anna", "Petrova", "anna@crm.example");
        crm.user(28, "102", "Boris", "Orlov", "boris@crm.example");
        crm.customer(7, "Ivan", "Ivanov", 27, "+7 900 000-00-10");
    }

    @AfterEach
    void close() {
        crm.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"'no answer'>'no answered'", "'answered'>'no answered'", "'answered'>'Answered'", "'in'>'incoming'",
            "'duration':61>'duration':'61'", "'duration':61>'duration':-1", "'code':'101'>'code':101", "'code':'101',>", "'code':'101'>'userId':'27'",
            "'externalId'>'external_id'", "'externalId':'71101-a'>'externalId':71101", "2026-11-27 12:00:05>2026-11-27T12:00:05Z",
            "2026-11-27>27.11.2026", "2026-11-27>2026-02-30", "'date':'2026-11-27 12:00:05',>", "'phone':'79000000010',>",
            "'79000000010'>79000000010", "'79000000010'>'anonymous'", "'result':'answered',>", "'recordUrl':'https>'recordUrl':'ftp"})
    void aCallWithAWrongFieldIsRefused(String change) throws Exception {
        String[] fromTo = change.split(">", -1);
        String call = GOOD.replace("'answered'", fromTo[0].equals("'no answer'") ? "'no answer'" : "'answered'");
        assertTrue(call.contains(fromTo[0]), fromTo[0]);
        HttpResponse<String> answer = upload("[" + GOOD.replace("71101-a", "other") + "," + call.replace(fromTo[0], fromTo[1]) + "]");
        assertEquals(400, answer.statusCode());
        assertTrue(StandIn.JSON.readTree(answer.body()).path("errors").fieldNames().next().startsWith("calls[1]."), answer.body());
        assertEquals(List.of(), crm.effects());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{'phone':'79000000010','type':'hangup','codes':['101'],'hangupStatus':'no answer'}",
            "{'phone':'79000000010','type':'in','codes':'101'}", "{'phone':'79000000010','type':'in','codes':[101]}",
            "{'phone':'79000000010','type':'in','userIds':['27']}", "{'phone':'79000000010','type':'in','code':'101'}",
            "{'phone':'79000000010','type':'in'}", "{'phone':'79000000010','codes':['101']}", "{'type':'in','codes':['101']}",
            "{'phone':'79000000010','type':'end','codes':['101']}", "{'phone':79000000010,'type':'in','codes':['101']}", "[]", "{", ""})
    void anEventWithAWrongFieldIsRefused(String event) throws Exception {
        HttpResponse<String> answer = event(event);
        assertEquals(400, answer.statusCode());
        assertEquals("false", StandIn.JSON.readTree(answer.body()).path("success").asText());
        assertEquals(List.of(), crm.effects());
    }

    @Test
    void itTakesAFormAndNoJson() throws Exception {
        assertEquals(400, send("POST", "telephony/calls/upload", "application/json", "{\"calls\":[" + GOOD.replace('\'', '"') + "]}",
                RetailCrmStandIn.KEY).statusCode());
        assertEquals(405, send("GET", "telephony/calls/upload", null, "", RetailCrmStandIn.KEY).statusCode());
        assertEquals(400, upload("[]").statusCode());
        assertEquals(404, send("POST", "telephony/call/upload", null, "", RetailCrmStandIn.KEY).statusCode());
    }

    @Test
    void itWantsItsKey() throws Exception {
        String form = "calls=" + encoded("[" + GOOD + "]");
        String type = "application/x-www-form-urlencoded";
        HttpResponse<String> wrong = send("POST", "telephony/calls/upload", type, form, "other");
        assertEquals(403, wrong.statusCode());
        assertEquals("Wrong \"apiKey\" value.", StandIn.JSON.readTree(wrong.body()).path("errorMsg").asText());
        assertEquals(403, send("POST", "telephony/calls/upload", type, form, null).statusCode());
        assertEquals(200, send("POST", "telephony/calls/upload", type, form + "&apiKey=" + RetailCrmStandIn.KEY, null).statusCode());
        assertEquals(200, send("POST", "telephony/calls/upload?apiKey=" + RetailCrmStandIn.KEY, type, form, null).statusCode());
    }

    @Test
    void aCardIsThatOfWhomItNamesAndHas() throws Exception {
        assertEquals(200, event("{'phone':'79000000010','type':'in','codes':['101','102','109'],'callExternalId':'a'}").statusCode());
        assertEquals(200, event("{'phone':'79000000010','type':'hangup','codes':['102'],'hangupStatus':'no answered'}").statusCode());
        assertEquals(List.of("CARD 101", "CARD 102", "CARD_END 102"), crm.effects().stream().map(card -> card.kind() + " " + card.user()).toList());
    }

    @Test
    void aNumberIsOneAndTheQueryHasNothingElse() throws Exception {
        assertEquals("27", manager("phone=%2B79000000010&details=1").path("manager").path("id").asText());
        assertTrue(manager("phone=89000000010").path("customer").isMissingNode());
        assertTrue(manager("phone=79000000011&details=1").path("customer").isNull());
        assertEquals("false", manager("phone=79000000010&details=yes").path("success").asText());
        assertEquals("false", manager("number=79000000010").path("success").asText());
    }

    @Test
    void moreThanTheRateIsRefused() throws Exception {
        assertEquals(200, upload("[" + GOOD + "]").statusCode());
        crm.limit(0);
        assertEquals(503, upload("[" + GOOD + "]").statusCode());
    }

    private HttpResponse<String> event(String event) throws Exception {
        return send("POST", "telephony/call/event", "application/x-www-form-urlencoded", "event=" + encoded(event), RetailCrmStandIn.KEY);
    }

    private HttpResponse<String> upload(String calls) throws Exception {
        return send("POST", "telephony/calls/upload", "application/x-www-form-urlencoded", "calls=" + encoded(calls), RetailCrmStandIn.KEY);
    }

    private JsonNode manager(String query) throws Exception {
        return StandIn.JSON.readTree(send("GET", "telephony/manager?" + query, null, "", RetailCrmStandIn.KEY).body());
    }

    private static String encoded(String json) {
        return URLEncoder.encode(json.replace('\'', '"'), StandardCharsets.UTF_8);
    }

    private HttpResponse<String> send(String method, String path, String type, String body, String key) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(crm.origin() + "/api/v5/" + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        if (type != null) {
            request.header("Content-Type", type);
        }
        if (key != null) {
            request.header("X-API-KEY", key);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
