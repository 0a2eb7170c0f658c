package io.callbridge.crm;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HubSpotStandInTest {

    private static final String PROPERTIES = "'hs_timestamp':'2026-11-27T09:00:05Z','hs_call_direction':'INBOUND','hs_call_duration':61000,"
            + "'hs_call_from_number':'+79000000010','hs_call_to_number':'+74950000001','hs_call_status':'COMPLETED','hubspot_owner_id':'301',"
            + "'hs_call_title':'Call','hs_call_recording_url':'https://pbx.example/r/1.mp3','callbridge_id':'71101-a'";
    private static final String TO_IVANOV = "'associations':[{'to':{'id':'51'},'types':[{'associationCategory':'HUBSPOT_DEFINED',"
            + "'associationTypeId':194}]}]";
    private static final String GOOD = "{'properties':{" + PROPERTIES + "}," + TO_IVANOV + "}";
    private static final String CALLS = "objects/calls";

    private final HubSpotStandIn crm = new HubSpotStandIn();
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @BeforeEach
    void fill() {
        crm.searchLimit(1000);
        crm.owner("301", "anna@crm.example", 9001);
        crm.owner("302", "boris@crm.example", 9002);
        crm.owner("1000", "vera@crm.example", 9003);
        crm.contact("51", Map.of("firstname", "Ivan", "phone", "+79000000010", "hubspot_owner_id", "301"));
        crm.contact("52", Map.of("firstname", "Petra", "phone", "+7 900 000-00-20", "mobilephone", "+79000000010"));
        crm.unique("calls", "callbridge_id");
    }

    @AfterEach
    void close() {
        crm.close();
    }

    @Test
    void aCallIsCreatedAndItsValuesAreTexts() throws Exception {
        HttpResponse<String> created = send("POST", CALLS, GOOD);
        assertEquals(201, created.statusCode());
        JsonNode object = StandIn.JSON.readTree(created.body());
        assertEquals("\"61000\"", object.path("properties").path("hs_call_duration").toString());
        assertTrue(object.hasNonNull("createdAt") && object.hasNonNull("updatedAt") && object.has("archived"));
        assertEquals("100 99 10000", List.of("Max", "Remaining", "Interval-Milliseconds").stream()
                .map(h -> created.headers().firstValue("X-HubSpot-RateLimit-" + h).orElseThrow()).reduce((a, b) -> a + " " + b).orElseThrow());
        assertEquals(List.of(new CrmEffect(Kind.CALL, "71101-a", "301", "79000000010", "in", "COMPLETED", 61L, 1795770005L,
                "https://pbx.example/r/1.mp3")), crm.effects());
        assertEquals(List.of("51"), crm.contactsOf("calls", "71101-a"));
    }

    @ParameterizedTest
    @CsvSource({"INBOUND, NO_ANSWER, MISSED, 79000000010", "INBOUND, BUSY, MISSED, 79000000010", "INBOUND, IN_PROGRESS, CALL, 79000000010",
            "OUTBOUND, NO_ANSWER, CALL, 74950000001", "OUTBOUND, COMPLETED, CALL, 74950000001"})
    void whatTheStatusMeans(String direction, String status, Kind kind, String number) throws Exception {
        send("POST", CALLS, GOOD.replace("INBOUND", direction).replace("COMPLETED", status).replace("'2026-11-27T09:00:05Z'", "1795770005000"));
        CrmEffect effect = crm.effects().get(0);
        assertEquals(List.of(kind, number, status, 1795770005L), List.of(effect.kind(), effect.number(), effect.status(), effect.startedAt()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"'hs_call_title'>'hs_call_subject'", "'callbridge_id'>'other_id'", "'hs_timestamp':'2026-11-27T09:00:05Z',>",
            "'2026-11-27T09:00:05Z'>'2026-11-27T12:00:05'", "'2026-11-27T09:00:05Z'>1795770005", "61000>61.5", "61000>'61s'", "61000>[61000]",
            "'COMPLETED'>'MISSED'", "'COMPLETED'>'completed'", "'INBOUND'>'IN'", "'301'>'303'", "'301'>'anna'", "'https:>'http:",
            "HUBSPOT_DEFINED>USER_DEFINED", "194>182", "194>'194'", "'id':'51'>'id':'59'", "'associations'>'associate'", "'properties'>'property'"})
    void aWrongCallIsRefused(String change) throws Exception {
        String[] fromTo = change.split(">", -1);
        assertTrue(GOOD.contains(fromTo[0]), fromTo[0]);
        HttpResponse<String> answer = send("POST", CALLS, GOOD.replace(fromTo[0], fromTo[1]));
        assertEquals(400, answer.statusCode());
        JsonNode error = StandIn.JSON.readTree(answer.body());
        assertEquals("error VALIDATION_ERROR true", error.path("status").asText() + " " + error.path("category").asText() + " "
                + error.hasNonNull("correlationId"));
        assertEquals(fromTo[1].matches(".*(subject|other_id).*"), error.path("message").asText().contains("PROPERTY_DOESNT_EXIST"));
        assertEquals(List.of(), crm.effects());
    }

    @Test
    void aUniqueValueIsTakenOnce() throws Exception {
        send("POST", CALLS, GOOD);
        HttpResponse<String> second = send("POST", CALLS, GOOD);
        assertEquals(400, second.statusCode());
        assertTrue(second.body().contains("VALIDATION_ERROR") && second.body().contains("already has that value"), second.body());
        crm.conflictStatus(409);
        assertEquals("CONFLICT", StandIn.JSON.readTree(send("POST", CALLS, GOOD).body()).path("category").asText());
        send("POST", CALLS, GOOD.replace("71101-a", "b"));
        assertEquals(409, send("PATCH", CALLS + "/b?idProperty=callbridge_id", "{'properties':{'callbridge_id':'71101-a'}}").statusCode());
        assertEquals(2, crm.effects().size());
    }

    @Test
    void itIsChangedByItsUniqueValue() throws Exception {
        String id = StandIn.JSON.readTree(send("POST", CALLS, GOOD.replace("71101-a", "a/1 +")).body()).path("id").asText();
        String path = CALLS + "/a%2F1%20+?idProperty=callbridge_id";
        assertEquals(200, send("PATCH", path, "{'properties':{'hs_call_status':'BUSY'}}").statusCode());
        assertEquals(200, send("PATCH", CALLS + "/" + id, "{'properties':{'hs_call_duration':'5000','hs_call_recording_url':''}}").statusCode());
        CrmEffect effect = crm.effects().get(0);
        assertEquals("MISSED 5 null", effect.kind() + " " + effect.seconds() + " " + effect.recording());

        assertEquals(404, send("PATCH", CALLS + "/b?idProperty=callbridge_id", "{'properties':{}}").statusCode());
        assertEquals(404, send("PATCH", CALLS + "/a%2F1%20+", "{'properties':{}}").statusCode());
        assertEquals(400, send("PATCH", CALLS + "/Call?idProperty=hs_call_title", "{'properties':{}}").statusCode());
        assertEquals(400, send("PATCH", path, "{'properties':{}," + TO_IVANOV + "}").statusCode());
        assertEquals(200, send("GET", "properties/calls/callbridge_id", "").statusCode());
        assertEquals(404, send("GET", "properties/tasks/callbridge_id", "").statusCode());
    }

    @Test
    void groupsAreAlternativesOfExactTexts() throws Exception {
        assertEquals(List.of("51"), found("contacts", "{'filterGroups':[" + group("phone", "+79000000010") + "]}"));
        assertEquals(List.of(), found("contacts", "{'filterGroups':[" + group("phone", "79000000010") + "]}"));
        assertEquals(List.of("51", "52"), found("contacts", "{'filterGroups':[" + group("phone", "+79000000010") + ","
                + group("mobilephone", "+79000000010") + "]}"));
        assertEquals(List.of("52", "51"), found("contacts", "{'filterGroups':[" + group("phone", "+79000000010") + ","
                + group("mobilephone", "+79000000010") + "],'sorts':[{'propertyName':'firstname','direction':'DESCENDING'}]}"));
        assertEquals(List.of(), found("contacts", "{'filterGroups':[{'filters':[" + filter("phone", "+79000000010") + ","
                + filter("firstname", "Petra") + "]}]}"));
        JsonNode first = StandIn.JSON.readTree(send("POST", "objects/contacts/search", "{'filterGroups':[" + group("phone", "+79000000010") + ","
                + group("mobilephone", "+79000000010") + "],'limit':1,'properties':['firstname','hubspot_owner_id']}").body());
        assertEquals("2 1 Ivan 301", first.path("total") + " " + first.path("results").size() + " "
                + first.path("results").path(0).path("properties").path("firstname").asText() + " "
                + first.path("results").path(0).path("properties").path("hubspot_owner_id").asText());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{'filterGroups':[]}", "{'filters':[]}", "{'filterGroups':[{'filters':[]}]}",
            "{'filterGroups':[{'filters':[{'property':'phone','operator':'EQ','value':'1'}]}]}",
            "{'filterGroups':[{'filters':[{'propertyName':'phone','operator':'eq','value':'1'}]}]}",
            "{'filterGroups':[{'filters':[{'propertyName':'phone','operator':'EQ'}]}]}",
            "{'filterGroups':[{'filters':[{'propertyName':'telephone','operator':'EQ','value':'1'}]}]}",
            "{'filterGroups':[{'filters':[{'propertyName':'phone','operator':'EQ','value':'1'}]}],'limit':201}", "[]", "{"})
    void aWrongSearchIsRefused(String body) throws Exception {
        assertEquals(400, send("POST", "objects/contacts/search", body).statusCode());
    }

    @Test
    void theIndexLagsBehind() throws Exception {
        String search = "{'filterGroups':[" + group("callbridge_id", "71101-a") + "]}";
        crm.indexLag(Duration.ofHours(1));
        send("POST", CALLS, GOOD);
        assertEquals(List.of(), found("calls", search));
        crm.indexLag(Duration.ofMillis(50));
        await().atMost(Duration.ofSeconds(10)).until(() -> found("calls", search).size() == 1);
    }

    @Test
    void aTaskIsCreated() throws Exception {
        String task = "{'properties':{'hs_timestamp':'1795770005000','hs_task_subject':'Call back','hs_task_type':'CALL',"
                + "'hs_task_status':'NOT_STARTED','hubspot_owner_id':301}," + TO_IVANOV.replace("194", "204") + "}";
        assertEquals(201, send("POST", "objects/tasks", task).statusCode());
        assertEquals(400, send("POST", "objects/tasks", task.replace("204", "194")).statusCode());
        assertEquals(400, send("POST", "objects/tasks", task.replace("NOT_STARTED", "OPEN")).statusCode());
        assertEquals(List.of(new CrmEffect(Kind.TASK, null, "301", null, null, "NOT_STARTED", null, 1795770005L, null)), crm.effects());
    }

    @Test
    void itWantsItsTokenAndJson() throws Exception {
        for (String authorization : new String[] {"Bearer other", HubSpotStandIn.TOKEN, null}) {
            HttpResponse<String> answer = send("POST", CALLS, GOOD, authorization, "application/json");
            assertEquals(401, answer.statusCode());
            assertEquals("error", StandIn.JSON.readTree(answer.body()).path("status").asText());
        }
        assertEquals(415, send("POST", CALLS, GOOD, "Bearer " + HubSpotStandIn.TOKEN, "text/plain").statusCode());
        assertEquals(404, send("POST", "objects/phonecalls", GOOD).statusCode());
        assertEquals(404, send("POST", "../v1/objects/calls", GOOD).statusCode());
        assertEquals(405, send("PUT", CALLS + "/1", GOOD).statusCode());
        assertEquals(List.of(), crm.effects());
    }

    @Test
    void searchesHaveTheirOwnLimitWithoutHeaders() throws Exception {
        String search = "{'filterGroups':[" + group("phone", "+79000000010") + "]}";
        assertTrue(send("POST", "objects/contacts/search", search).headers().firstValue("X-HubSpot-RateLimit-Max").isEmpty());
        crm.searchLimit(0);
        HttpResponse<String> refused = send("POST", "objects/contacts/search", search);
        assertEquals("429 RATE_LIMITS SECONDLY", refused.statusCode() + " " + policy(refused));
        assertEquals(201, send("POST", CALLS, GOOD).statusCode());

        crm.limit(0);
        HttpResponse<String> second = send("POST", CALLS, GOOD.replace("71101-a", "b"));
        assertEquals("429 RATE_LIMITS TEN_SECONDLY_ROLLING", second.statusCode() + " " + policy(second));
        assertEquals("0", second.headers().firstValue("X-HubSpot-RateLimit-Remaining").orElseThrow());
        assertEquals(2, crm.refusedByLimit());
        assertEquals(2, crm.mostPerTenSeconds());
        assertTrue(crm.mostSearchesPerSecond() >= 1);
        assertEquals(1, crm.effects().size());
    }

    private static String policy(HttpResponse<String> answer) throws Exception {
        JsonNode body = StandIn.JSON.readTree(answer.body());
        return body.path("category").asText() + " " + body.path("policyName").asText();
    }

    private static String group(String property, String value) {
        return "{'filters':[" + filter(property, value) + "]}";
    }

    private static String filter(String property, String value) {
        return "{'propertyName':'" + property + "','operator':'EQ','value':'" + value + "'}";
    }

    private List<String> found(String type, String body) throws Exception {
        HttpResponse<String> answer = send("POST", "objects/" + type + "/search", body);
        assertEquals(200, answer.statusCode(), answer.body());
        JsonNode results = StandIn.JSON.readTree(answer.body()).path("results");
        return StreamSupport.stream(results.spliterator(), false).map(r -> r.path("id").asText()).toList();
    }

    private HttpResponse<String> send(String method, String path, String body) throws Exception {
        return send(method, path, body, "Bearer " + HubSpotStandIn.TOKEN, "application/json");
    }

    private HttpResponse<String> send(String method, String path, String body, String authorization, String type) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(crm.origin() + "/crm/v3/" + path)).header("Content-Type", type)
                .method(method, HttpRequest.BodyPublishers.ofString(body.replace('\'', '"')));
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
