package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A stand-in that is milder than its vendor would make the adapter's tests pass for nothing. */
class AmoCrmStandInTest {

    private static final String CALLS = "/api/v4/calls";
    private static final String CALL = "{'direction':'inbound','duration':95,'source':'callbridge','phone':'+79161234567',"
            + "'uniq':'leg-1','call_status':4,'request_id':'r1'}";
    private static final String UNKNOWN = CALL.replace("1234567", "0000001").replace("r1", "r2");

    private final AmoCrmStandIn crm = new AmoCrmStandIn();
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private int status;
    private String type;

    @BeforeEach
    void people() {
        // The limit has its own tests.
        crm.limit(1000);
        crm.user(7, "Anna", "anna@example.com");
        crm.user(8, "Boris", "boris@example.com");
        crm.contact("8 (916) 123-45-67", 501, "Ivanov", 7);
    }

    @AfterEach
    void close() {
        crm.close();
    }

    @Test
    void aCallOfNobodyIsNotStored() throws Exception {
        JsonNode answer = post(CALLS, "[" + UNKNOWN + "]");
        assertEquals(400, status);
        assertEquals(0, answer.get("_total_items").intValue());
        assertEquals("Entity not found", answer.at("/errors/0/title").textValue());
        assertTrue(crm.effects().isEmpty());
    }

    @Test
    void whatIsLeftOutMustNotBeNull() throws Exception {
        JsonNode answer = post(CALLS, "[" + CALL + "," + CALL.replace("}", ",'link':null}") + "]");
        assertEquals(400, status);
        assertEquals("application/problem+json", type);
        assertEquals("Request validation failed", answer.get("detail").textValue());
        assertEquals("NotNullable", answer.at("/validation-errors/0/errors/0/code").textValue());
        assertEquals("link", answer.at("/validation-errors/0/errors/0/path").textValue());
        assertTrue(crm.effects().isEmpty());
    }

    @Test
    void aCallWithWrongMembersIsRefused() throws Exception {
        refused(CALLS, CALL.replace("'duration':95,", ""), "FieldMissing", "duration");
        refused(CALLS, CALL.replace("95", "'95'"), "InvalidType", "duration");
        refused(CALLS, CALL.replace("inbound", "in"), "NotSupportedChoice", "direction");
        refused(CALLS, CALL.replace("'call_status':4", "'call_status':8"), "NotSupportedChoice", "call_status");
        refused(CALLS, CALL.replace("uniq", "uuid"), "NotExpected", "uuid");
        refused(CALLS, CALL.replace("}", ",'created_at':1772868030000}"), "NotSupportedChoice", "created_at");
        refused(CALLS, CALL.replace("}", ",'responsible_user_id':99}"), "NotSupportedChoice", "responsible_user_id");
        post(CALLS, CALL);
        assertEquals(400, status);
        send("POST", CALLS, "text/plain", AmoCrmStandIn.TOKEN, "[" + CALL + "]");
        assertEquals(400, status);
        assertTrue(crm.effects().isEmpty());
    }

    @Test
    void theSameUniqTwiceIsTwoCalls() throws Exception {
        post(CALLS, "[" + CALL + "]");
        post(CALLS, "[" + CALL + "]");
        assertEquals(2, crm.callsOf("leg-1").size());
    }

    @Test
    void aCallWhoseAnswerWasLostIsFoundByItsUniq() throws Exception {
        get("/api/v4/contacts/501/notes?filter%5Bnote_type%5D%5B%5D=call_in");
        assertEquals(204, status);
        crm.lose(1, AmoCrmStandIn.to("POST", CALLS));
        assertThrows(IOException.class, () -> post(CALLS, "[" + CALL + "]"));
        JsonNode notes = get("/api/v4/contacts/501/notes?filter%5Bnote_type%5D%5B%5D=call_in&filter%5Bnote_type%5D%5B%5D=call_out");
        assertEquals("leg-1", notes.at("/_embedded/notes/0/params/uniq").textValue());
        get("/api/v4/contacts/501/notes?filter%5Bnote_type%5D%5B%5D=call_out");
        assertEquals(204, status);
        get("/api/v4/contacts/501/notes?filter%5Buniq%5D=leg-1");
        assertEquals(400, status);
    }

    @Test
    void aCardIsShownToTheUsersOrToAll() throws Exception {
        post("/api/v2/events/", "{'add':[{'type':'phone_call','phone_number':'+7 916 123-45-67','users':[8]}]}");
        assertEquals(202, status);
        assertEquals(List.of(new CrmEffect(Kind.CARD, null, "8", "79161234567", null, null, null, null, null)), crm.effects());
        post("/api/v2/events/", "{'add':[{'type':'phone_call','phone_number':'79160000001'}]}");
        assertEquals(3, crm.effects().size());
        post("/api/v2/events/", "{'add':[{'type':'phone_call','phone':'79160000001','users':[8]}]}");
        assertEquals(400, status);
    }

    @Test
    void anIncomingLeadShowsItsNumbersSwapped() throws Exception {
        String lead = "{'source_uid':'u','source_name':'callbridge','metadata':{'uniq':'leg-1','from':'79160000001',"
                + "'phone':'74951234567','called_at':1772868030,'duration':0,'service_code':'callbridge'}}";
        assertEquals(1, post("/api/v4/leads/unsorted/sip", "[" + lead + "]").get("_total_items").intValue());
        assertEquals("74951234567", crm.unsorted().get(0).at("/metadata/from").textValue());
        assertEquals("79160000001", crm.effects().get(0).number());
        refused("/api/v4/leads/unsorted/sip", lead.replace("'uniq':'leg-1',", ""), "FieldMissing", "metadata.uniq");
    }

    @Test
    void aLookUpFindsPartsOfNumbers() throws Exception {
        crm.contact("+7 999 161 234 56 78", 502, "Another", 8);
        JsonNode found = get("/api/v4/contacts?query=916123456").at("/_embedded/contacts");
        assertEquals(2, found.size());
        assertEquals("8 (916) 123-45-67", found.at("/0/custom_fields_values/0/values/0/value").textValue());
        get("/api/v4/contacts?query=79160000001");
        assertEquals(204, status);
    }

    @Test
    void aTaskIsGivenToAUser() throws Exception {
        String task = "{'text':'Call back','complete_till':1772868030,'entity_id':501,'entity_type':'contacts','responsible_user_id':7}";
        assertTrue(post("/api/v4/tasks", "[" + task + "]").at("/_embedded/tasks/0/id").isIntegralNumber());
        assertEquals(List.of(new CrmEffect(Kind.TASK, null, "7", "89161234567", null, null, null, null, null)), crm.effects());
        assertEquals("Call back", crm.tasks().get(0).get("text").textValue());
        refused("/api/v4/tasks", task.replace("1772868030", "'tomorrow'"), "InvalidType", "complete_till");
    }

    @Test
    void withoutTheTokenNothingIsAnswered() throws Exception {
        send("POST", CALLS, "application/json", "another-token", "[" + CALL + "]");
        assertEquals(401, status);
        crm.token("another-token");
        get("/api/v4/account");
        assertEquals(401, status);
        assertTrue(crm.effects().isEmpty());
    }

    @Test
    void thereIsAMostOfRequestsPerSecond() throws Exception {
        // The first connection takes its time.
        get("/api/v4/account");
        crm.advance(Duration.ofSeconds(2));
        crm.limit(3);
        for (int i = 0; i < 5; i++) {
            get("/api/v4/account");
        }
        assertEquals(429, status);
        assertEquals(2, crm.refusedByLimit());
        assertTrue(crm.mostPerSecond() >= 5);
        crm.advance(Duration.ofSeconds(1));
        get("/api/v4/account");
        assertEquals(200, status);
        crm.patience(2);
        get("/api/v4/account");
        assertEquals(403, status);
        crm.forgive();
        get("/api/v4/account");
        assertEquals(200, status);
    }

    private void refused(String path, String element, String code, String where) throws Exception {
        JsonNode answer = post(path, "[" + element + "]");
        assertEquals(400, status);
        JsonNode error = answer.at("/validation-errors/0/errors/0");
        assertEquals(code + " " + where, error.path("code").asText() + " " + error.path("path").asText(), answer.toString());
    }

    private JsonNode post(String path, String body) throws Exception {
        return send("POST", path, "application/json", AmoCrmStandIn.TOKEN, body.replace('\'', '"'));
    }

    private JsonNode get(String path) throws Exception {
        return send("GET", path, "application/json", AmoCrmStandIn.TOKEN, "");
    }

    private JsonNode send(String method, String path, String contentType, String token, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(crm.origin() + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .header("Content-Type", contentType).header("Authorization", "Bearer " + token).build();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        status = answer.statusCode();
        type = answer.headers().firstValue("Content-Type").orElse(null);
        return StandIn.JSON.readTree(answer.body());
    }
}
