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
    void itFailsAsOftenAsTold() throws Exception {
        crm.on("PUT", "/calls/.*", FakeCrm.Answer.status(429).retryAfter(7).times(2));
        HttpResponse<String> first = send("/calls/71101-a");
        assertEquals(429, first.statusCode());
        assertEquals("7", first.headers().firstValue("Retry-After").orElseThrow());
        assertEquals(200, send("/missed-calls/a").statusCode());
        assertEquals(429, send("/calls/71101-a").statusCode());
        assertEquals(200, send("/calls/71101-a").statusCode());
    }

    @Test
    void itTakesARequestAndLosesTheAnswer() throws Exception {
        crm.on("PUT", "/calls/.*", FakeCrm.Answer.lost().times(1));
        assertThrows(IOException.class, () -> send("/calls/71101-a"));
        assertTrue(crm.has(Kind.CALL, "71101-a"));
        assertEquals(200, send("/calls/71101-a").statusCode());
    }

    @Test
    void itIsSlow() throws Exception {
        crm.on("PUT", "/calls/.*", FakeCrm.Answer.after(Duration.ofMillis(300)));
        long begin = System.nanoTime();
        assertEquals(200, send("/calls/71101-a").statusCode());
        assertTrue(System.nanoTime() - begin >= Duration.ofMillis(300).toNanos());
    }

    @Test
    void itGoesDownAndComesBackOnTheSamePort() throws Exception {
        crm.down();
        assertThrows(ConnectException.class, () -> send("/calls/71101-a"));
        crm.up();
        assertEquals(200, send("/calls/71101-a").statusCode());
    }

    private HttpResponse<String> send(String path) throws Exception {
        return client.send(HttpRequest.newBuilder(URI.create(crm.url() + path)).PUT(HttpRequest.BodyPublishers.ofString("{}")).build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
