package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.ZoneId;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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

    @Test
    void aCardIsShownToEveryCodeAndEnded() throws Exception {
        assertEquals("{\"success\":true}", event("{'phone':'79000000010','type':'in','codes':['101','102','109'],'callExternalId':'a'}").body());
        assertEquals(200, event("{'phone':'79000000010','type':'hangup','codes':['102'],'hangupStatus':'no answered'}").statusCode());
        assertEquals(200, event("{'phone':'79000000010','type':'out','userIds':[27]}").statusCode());

        assertEquals(List.of(new CrmEffect(Kind.CARD, "a", "101", "79000000010", "in", null, null, null, null),
                new CrmEffect(Kind.CARD, "a", "102", "79000000010", "in", null, null, null, null),
                new CrmEffect(Kind.CARD_END, null, "102", "79000000010", null, "no answered", null, null, null),
                new CrmEffect(Kind.CARD, null, "27", "79000000010", "out", null, null, null, null)), crm.effects());
    }

    @Test
    void aCallIsKeptInTheTimeOfTheAccount() throws Exception {
        HttpResponse<String> answer = upload("[" + GOOD + "]");
        assertEquals(200, answer.statusCode());
        assertEquals(1, StandIn.JSON.readTree(answer.body()).path("processedCallsCount").asInt());
        CrmEffect moscow = new CrmEffect(Kind.CALL, "71101-a", "101", "79000000010", "in", "answered", 61L, 1795770005L,
                "https://pbx.example/r/1.mp3");
        assertEquals(List.of(moscow), crm.effects());

        crm.zone(ZoneId.of("UTC"));
        upload("[" + GOOD + "]");
        assertEquals(moscow.startedAt() + 3 * 3600, crm.effects().get(0).startedAt());
    }

    @Test
    void whatNobodyAnsweredIsMissedIfItCameIn() throws Exception {
        upload("[" + GOOD.replace("answered", "no answer").replace("'duration':61", "'duration':0") + ","
                + GOOD.replace("answered", "busy").replace("71101-a", "b").replace("'in'", "'out'") + "]");
        assertEquals(List.of(Kind.MISSED, Kind.CALL), crm.effects().stream().map(CrmEffect::kind).toList());
        assertEquals(List.of("no answer", "busy"), crm.effects().stream().map(CrmEffect::status).toList());
    }

    @Test
    void aRepeatedCallIsTheSameAndCounted() throws Exception {
        upload("[" + GOOD + "]");
        JsonNode again = StandIn.JSON.readTree(upload("[" + GOOD.replace("61", "62") + "]").body());
        assertEquals("71101-a", again.path("duplicateCalls").path(0).asText());
        assertEquals(2, crm.uploads("71101-a"));
        assertEquals(List.of(62L), crm.effects().stream().map(CrmEffect::seconds).toList());

        crm.storesRepeatsTwice(true);
        upload("[" + GOOD + "]");
        assertEquals(2, crm.effects().size());
    }

    @Test
    void aPackHasFiftyCalls() throws Exception {
        assertEquals(200, upload(pack(50)).statusCode());
        assertEquals(50, crm.effects().size());
        assertEquals(400, upload(pack(51)).statusCode());
        assertEquals(400, upload("[]").statusCode());
        assertEquals(50, crm.effects().size());
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
    void itKnowsTheManagerOfANumber() throws Exception {
        JsonNode known = manager("phone=%2B79000000010&details=1");
        assertEquals("27 Anna Petrova anna@crm.example 101", known.path("manager").path("id").asText() + " "
                + known.path("manager").path("firstName").asText() + " " + known.path("manager").path("lastName").asText() + " "
                + known.path("manager").path("email").asText() + " " + known.path("manager").path("code").asText());
        assertEquals("7", known.path("customer").path("id").asText());
        assertEquals("+7 900 000-00-10", known.path("customer").path("phones").path(0).path("number").asText());
        assertTrue(known.path("links").path("customerLink").asText().endsWith("/customers/7"));

        assertTrue(manager("phone=89000000010").path("customer").isMissingNode());
        JsonNode unknown = manager("phone=79000000011&details=1");
        assertTrue(unknown.path("manager").isNull() && unknown.path("customer").isNull());
        assertTrue(unknown.path("links").path("newCustomerLink").asText().contains("79000000011"));
        assertEquals("false", manager("phone=79000000010&details=yes").path("success").asText());
        assertEquals("false", manager("number=79000000010").path("success").asText());
    }

    @Test
    void moreThanTheRateIsRefusedAndMeasured() throws Exception {
        assertEquals(200, upload("[" + GOOD + "]").statusCode());
        crm.limit(0);
        assertEquals(503, upload("[" + GOOD + "]").statusCode());
        assertEquals(1, crm.refusedByLimit());
        assertTrue(crm.mostPerSecond() >= 1);
        assertEquals(1, crm.uploads("71101-a"));
    }

    @Test
    void aLostAnswerIsAnUploadAllTheSame() {
        crm.lose(1, r -> r.path().endsWith("upload"));
        assertThrows(IOException.class, () -> upload("[" + GOOD + "]"));
        assertEquals(1, crm.uploads("71101-a"));
    }

    private static String pack(int calls) {
        return IntStream.range(0, calls).mapToObj(i -> GOOD.replace("71101-a", "c" + i)).collect(Collectors.joining(",", "[", "]"));
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
