package io.callbridge.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.CrmRequest.Kind;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A failure that the stand-in only pretends would make a black-box test pass for nothing. */
class FakeCrmTest {

    private final FakeCrm crm = new FakeCrm();
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @AfterEach
    void close() {
        crm.close();
    }

    @Test
    void itKnowsTwoPeopleAndTakesWrites() throws Exception {
        assertTrue(send("GET", "/entities?phone=%2B79000000010", "").body().contains("ivanov"));
        assertEquals(404, send("GET", "/entities?phone=%2B79000000011", "").statusCode());
        assertEquals(404, send("GET", "/entities?phone=+79000000011", "").statusCode());
        assertEquals(200, send("PUT", "/calls/71101-a", "{\"callId\":\"b\"}").statusCode());
        assertEquals(204, send("DELETE", "/cards/71101-a?reason=ended", "").statusCode());
        assertEquals(400, send("PUT", "/call/71101-a", "{}").statusCode());

        assertEquals(List.of(Kind.ENTITY, Kind.ENTITY, Kind.ENTITY, Kind.CALL, Kind.CARD_END, Kind.OTHER),
                crm.requests().stream().map(CrmRequest::kind).toList());
        assertEquals("b", crm.requests(Kind.CALL, "71101-a").get(0).member("callId"));
        assertEquals("ended", crm.requests(Kind.CARD_END).get(0).query().get("reason"));
    }

    @Test
    void itFailsAsOftenAsTold() throws Exception {
        crm.on("PUT", "/calls/.*", FakeCrm.Answer.status(429).retryAfter(7).body("later").times(2));
        HttpResponse<String> first = send("PUT", "/calls/71101-a", "{}");
        assertEquals(429, first.statusCode());
        assertEquals("7", first.headers().firstValue("Retry-After").orElseThrow());
        assertEquals("later", first.body());
        assertEquals(200, send("PUT", "/missed-calls/a", "{}").statusCode());
        assertEquals(429, send("PUT", "/calls/71101-a", "{}").statusCode());
        assertEquals(200, send("PUT", "/calls/71101-a", "{}").statusCode());
    }

    @Test
    void itTakesARequestAndLosesTheAnswer() throws Exception {
        crm.on("PUT", "/calls/.*", FakeCrm.Answer.lost().times(1));
        assertThrows(IOException.class, () -> send("PUT", "/calls/71101-a", "{}"));
        assertTrue(crm.has(Kind.CALL, "71101-a"));
        assertEquals(200, send("PUT", "/calls/71101-a", "{}").statusCode());
    }

    @Test
    void itIsSlow() throws Exception {
        crm.on("GET", "/entities", FakeCrm.Answer.after(Duration.ofMillis(300)));
        long begin = System.nanoTime();
        assertEquals(200, send("GET", "/entities?phone=%2B79000000010", "").statusCode());
        assertTrue(System.nanoTime() - begin >= Duration.ofMillis(300).toNanos());
    }

    @Test
    void itGoesDownAndComesBackOnTheSamePort() throws Exception {
        crm.down();
        assertThrows(ConnectException.class, () -> send("PUT", "/calls/71101-a", "{}"));
        crm.up();
        assertEquals(200, send("PUT", "/calls/71101-a", "{}").statusCode());
    }

    private HttpResponse<String> send(String method, String path, String body) throws Exception {
        return client.send(HttpRequest.newBuilder(URI.create(crm.url() + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString());
    }
}
