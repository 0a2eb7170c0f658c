package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
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
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A stand-in that is milder than its vendor would make the adapter's tests pass for nothing. */
class Bitrix24StandInTest {

    private static final String IN = "'USER_ID':7,'PHONE_NUMBER':'+79161234567','TYPE':2,'EXTERNAL_CALL_ID':'leg-1'";
    private static final String LEG = "'USER_ID':7,'CALL_ID':'%s'";

    private final Bitrix24StandIn crm = new Bitrix24StandIn();
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private int status;

    @BeforeEach
    void people() {
        crm.user(7, "101", true);
        crm.user(8, "102", true);
        crm.user(9, "103", false);
        crm.contact("8 (916) 123-45-67", 797, "Ivanov", 8);
    }

    @AfterEach
    void close() {
        crm.close();
    }

    @Test
    void aRegistrationIsTheSameForHalfAnHour() throws Exception {
        String first = register(IN);
        assertEquals(first, register(IN + ",'CALL_START_DATE':'2026-03-07T10:20:30+03:00','SHOW':0"));
        assertNotEquals(first, register(IN.replace("leg-1", "leg-2")));
        assertNotEquals(first, register(IN.replace("':7", "':8")));
        assertNotEquals(first, register(IN + ",'LINE_NUMBER':'3'"));
        crm.advance(Duration.ofMinutes(31));
        assertNotEquals(first, register(IN));
        assertEquals(4, crm.callIdsOf("leg-1").size());
    }

    @Test
    void registerRefusesWhatItDoesNotUnderstand() throws Exception {
        refused("register", IN.replace("'USER_ID':7,", ""), "ERROR_CORE", "USER_ID or USER_PHONE_INNER should be set");
        refused("register", IN.replace("':7", "':9"), "ERROR_CORE", "User is not found or is not active");
        refused("register", IN.replace("':2", "':6"), "ERROR_CORE", "Unknown TYPE");
        refused("register", IN.replace("+79161234567", "anonymous"), "ERROR_CORE", "Unsupported phone number format");
        refused("register", IN + ",'CALL_START_DATE':'2026-03-07 10:20:30'", "ERROR_CORE", "CALL_START_DATE");
        refused("register", IN + ",'CALL_STARTED':'2026-03-07T10:20:30+03:00'", "INVALID_ARGUMENT", "unknown parameter CALL_STARTED");
        refused("register", IN + ",'LINE_NUMBER':null", "INVALID_ARGUMENT", "is null");
        refused("register", IN.replace("'leg-1'", "1"), "INVALID_ARGUMENT", "must be a string");
        assertTrue(crm.effects().isEmpty());
    }

    @Test
    void onlyTheFirstFinishCounts() throws Exception {
        register(IN);
        refused("finish", "'USER_ID':7,'CALL_ID':12", "INVALID_ARGUMENT", "CALL_ID must be a string");
        refused("finish", "'USER_ID':7,'CALL_ID':'12'", "ERROR_CORE", "Call is not found (call should be registered prior to finishing)");
        refused("finish", leg() + ",'STATUS_CODE':200", "INVALID_ARGUMENT", "STATUS_CODE must be a string");
        refused("finish", leg().replace("':7", "':9"), "ERROR_CORE", "User is not found or is not active");
        assertEquals("304", result("finish", leg()).get("CALL_FAILED_CODE").textValue());
        refused("finish", leg() + ",'DURATION':5", "ERROR_CORE", "Call is not found");
        assertEquals(1, crm.finishesOf("leg-1"));
        assertEquals(Kind.MISSED, crm.effects().get(2).kind());
    }

    @Test
    void aRecordingIsAttachedAfterTheEndAndReplaced() throws Exception {
        register(IN);
        String attach = "'CALL_ID':'" + id() + "'";
        refused("attachRecord", attach, "", "either URL or FILENAME");
        refused("attachRecord", attach + ",'RECORD_URL':'http://pbx.example/1.mp3'", "", "Call is not found in the statistic table");
        result("finish", leg() + ",'DURATION':1");
        refused("attachRecord", attach + ",'FILENAME':''", "ERROR_CORE", "File name is empty");
        refused("attachRecord", attach + ",'FILENAME':'1.ogg'", "ERROR_CORE", "Wrong file extension");
        refused("attachRecord", attach + ",'FILENAME':'1.wav','FILE_CONTENT':''", "ERROR_CORE", "File content is empty");
        refused("attachRecord", attach + ",'FILENAME':'1.wav','FILE_CONTENT':'?'", "ERROR_CORE", "Base64");
        assertTrue(result("attachRecord", attach + ",'FILENAME':'1.wav','FILE_CONTENT':'UklGRg=='").has("FILE_ID"));
        result("attachRecord", attach + ",'RECORD_URL':'http://pbx.example/2.mp3?key=1'");
        assertEquals("http://pbx.example/2.mp3?key=1", crm.effects().get(2).recording());
        crm.recordServerStatus(404);
        refused("attachRecord", attach + ",'RECORD_URL':'http://pbx.example/3.mp3'", "ERROR_CORE", "Server returns HTTP error code 404");
        crm.recordServerStatus(200);
        crm.publicRecordingsOnly(true);
        refused("attachRecord", attach + ",'RECORD_URL':'http://10.0.0.1/3.mp3'", "", "non-public address");
        assertEquals(2, crm.callsOf("leg-1").get(0).recordings());
    }

    @Test
    void aBatchAnswers200WhateverFails() throws Exception {
        JsonNode all = json("batch", "{\"halt\":1,\"cmd\":[\"user.sack\",\"user.get\"]}").get("result");
        assertEquals(200, status);
        assertEquals("ERROR_METHOD_NOT_FOUND", all.at("/result_error/0/error").textValue());
        assertEquals("[]", all.get("result").toString());
        JsonNode nested = json("batch", "{\"cmd\":{\"a\":\"batch\",\"b\":\"user.get\"}}").get("result");
        assertEquals("ERROR_BATCH_METHOD_NOT_ALLOWED", nested.at("/result_error/a/error").textValue());
        assertEquals(3, nested.at("/result/b").size());
        json("batch", "{\"cmd\":[" + "\"user.get\",".repeat(50) + "\"user.get\"]}");
        assertEquals(400, status);
    }

    @Test
    void aRefreshTokenIsGoodOnce() throws Exception {
        String auth = crm.accessToken();
        String refresh = crm.refreshToken();
        JsonNode users = send("POST", crm.restUrl() + "/user.get", "application/json", "{\"auth\":\"" + auth + "\"}");
        assertEquals(3, users.get("result").size());
        crm.advance(Duration.ofHours(1));
        assertEquals("expired_token", send("GET", crm.restUrl() + "/user.get?auth=" + auth, null, "").get("error").textValue());
        assertEquals(401, status);
        assertEquals("NO_AUTH_FOUND", send("GET", crm.restUrl() + "/user.get", null, "").get("error").textValue());
        JsonNode granted = refresh(refresh);
        assertEquals(crm.accessToken(), granted.get("access_token").textValue());
        assertEquals("invalid_grant", refresh(refresh).get("error").textValue());
        assertEquals(1, crm.refreshes());
        assertEquals(1, crm.refusedRefreshes());
        send("POST", crm.restUrl() + "/user.get", "application/x-www-form-urlencoded", "auth=" + crm.accessToken());
        assertEquals(200, status);
        crm.tokenLife(Duration.ofSeconds(30));
        crm.advance(Duration.ofSeconds(31));
        send("GET", crm.restUrl() + "/user.get?auth=" + crm.accessToken(), null, "");
        assertEquals(401, status);
    }

    @Test
    void theBucketLeaks() throws Exception {
        // Slowly, so that a slow machine does not matter.
        crm.bucket(3, 0.02);
        for (int i = 0; i < 5; i++) {
            json("user.get", "{}");
        }
        assertEquals(503, status);
        assertEquals("QUERY_LIMIT_EXCEEDED", json("user.get", "{}").get("error").textValue());
        assertTrue(crm.highestLevel() > 2.5 && crm.highestLevel() <= 3);
        assertEquals(3, crm.refusedByLimit());
        crm.advance(Duration.ofSeconds(51));
        json("user.get", "{}");
        assertEquals(200, status);
        crm.box();
        assertFalse(json("user.get", "{}").get("time").has("operating"));
    }

    @Test
    void aMethodThatWorkedTooLongIsBlockedForAWhile() throws Exception {
        crm.operatingLimit(480);
        crm.cost("user.get", 300);
        assertEquals(300, json("user.get", "{}").at("/time/operating").doubleValue());
        long reset = json("user.get", "{}").at("/time/operating_reset_at").longValue();
        assertEquals("OPERATION_TIME_LIMIT", json("user.get", "{}").get("error").textValue());
        assertEquals(429, status);
        result("searchCrmEntities", "'PHONE_NUMBER':'79161234567'");
        crm.advance(Duration.ofSeconds(reset - System.currentTimeMillis() / 1000 + 1));
        json("user.get", "{}");
        assertEquals(200, status);
    }

    @Test
    void itFailsOnDemandAndKeepsWhatItDid() throws Exception {
        crm.lose(1, Bitrix24StandIn.to("telephony.externalCall.register"));
        assertThrows(IOException.class, () -> register(IN));
        assertEquals(crm.callIdsOf("leg-1").get(0), register(IN));
        assertEquals(List.of("CARD 7"), cards());
    }

    @Test
    void nonsenseIsRefused() throws Exception {
        refused("searchCrmEntities", "", "ERROR_CORE", "PHONE_NUMBER is empty");
        send("GET", crm.restUrl() + "/1/another-code/user.get", null, "");
        assertEquals(403, status);
        json("telephony.externalCall.close", "{}");
        assertEquals(404, status);
        send("POST", crm.webhookUrl() + "/telephony.externalCall.register", "text/plain", json(IN));
        assertEquals(400, status);
        send("PUT", crm.webhookUrl() + "/user.get", "application/json", "{}");
        assertEquals(404, status);
        json("user.get", "[]");
        assertEquals(400, status);
    }

    private String id() {
        return crm.callIdsOf("leg-1").get(0);
    }

    private String leg() {
        return LEG.formatted(id());
    }

    private List<String> cards() {
        return crm.effects().stream().map(effect -> effect.kind() + " " + effect.user()).toList();
    }

    private String register(String members) throws Exception {
        return result("register", members).get("CALL_ID").textValue();
    }

    private JsonNode result(String call, String members) throws Exception {
        JsonNode answer = json("telephony.externalCall." + call, json(members));
        assertEquals(200, status, answer.toString());
        return answer.get("result");
    }

    private void refused(String call, String members, String error, String description) throws Exception {
        JsonNode answer = json("telephony.externalCall." + call, json(members));
        assertEquals(error, answer.path("error").asText("none"), answer.toString());
        assertTrue(answer.path("error_description").asText().contains(description), answer.toString());
        assertTrue(status == 400 || status == 403);
    }

    private JsonNode refresh(String token) throws Exception {
        return send("GET", crm.origin() + "/oauth/token/?grant_type=refresh_token&client_id="
                + URLEncoder.encode(crm.clientId(), StandardCharsets.UTF_8) + "&client_secret=" + crm.clientSecret()
                + "&refresh_token=" + token, null, "");
    }

    private static String json(String members) {
        return "{" + members.replace('\'', '"') + "}";
    }

    private JsonNode json(String method, String body) throws Exception {
        return send("POST", crm.webhookUrl() + "/" + method, "application/json", body);
    }

    private JsonNode send(String method, String url, String type, String body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).method(method, HttpRequest.BodyPublishers.ofString(body));
        if (type != null) {
            request.header("Content-Type", type);
        }
        HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        status = answer.statusCode();
        return StandIn.JSON.readTree(answer.body());
    }
}
