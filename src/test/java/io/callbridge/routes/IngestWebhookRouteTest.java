package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.ingest.BadRequestException;
import io.callbridge.ingest.TooLargeException;
import io.callbridge.store.StoreException;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The PBX hears {@code OK} after its event is durable and never before; it never hears its own headers again. */
class IngestWebhookRouteTest {

    private static final Map<String, Object> REQUEST = Map.of(Exchange.HTTP_PATH, "/pbx/secret/events", Exchange.HTTP_RAW_QUERY,
            "EventType=hangup", Exchange.HTTP_RESPONSE_CODE, 500, "CamelHttpMethod", "POST", "Content-Type", "application/json",
            "Cookie", "session=1");

    private final RouteHarness routes = RouteHarness.of("ingest-webhook").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void thePbxMayUseGetAndPost() {
        PlatformHttpEndpoint source = routes.source("ingest-webhook", PlatformHttpEndpoint.class);
        assertEquals("/pbx/{secret}/events", source.getPath());
        assertEquals("GET,POST", source.getHttpMethodRestrict());
        assertFalse(source.isUseBodyHandler(), "the reader needs the bytes of the body");
    }

    @Test
    void theRouteSeesNoHeaderOfTheSender() {
        read("ignored");
        assertEquals(Map.of(), routes.step("webhookReader").headers());
    }

    @Test
    void anEventIsStoredAndThenAnsweredWithOk() {
        Exchange answer = read("event");
        assertEquals(List.of("webhookReader", "eventStore.append"), routes.asked());
        assertEquals(Map.of("pbx", "main"), routes.step("eventStore.append").body());
        assertAnswer(answer, "OK", Map.of("Content-Type", "text/plain"));
    }

    @Test
    void anEventOfNoConcernIsAnsweredWithOk() {
        Exchange answer = read("ignored");
        assertEquals(List.of("webhookReader"), routes.asked());
        assertAnswer(answer, "OK", Map.of("Content-Type", "text/plain"));
    }

    @Test
    void aPbxThatWaitsForInstructionsGetsNone() {
        Exchange answer = read("interactive");
        assertEquals(List.of("webhookReader"), routes.asked());
        assertAnswer(answer, "<Response/>", Map.of("Content-Type", "application/xml"));
    }

    @Test
    void whatCannotBeReadIsRefusedWithItsReason() {
        routes.fail("webhookReader", new BadRequestException("query: not text in UTF-8"));
        Exchange answer = ask();
        assertEquals(List.of("webhookReader"), routes.asked());
        assertAnswer(answer, "query: not text in UTF-8", Map.of("CamelHttpResponseCode", "400", "Content-Type", "text/plain"));
    }

    @Test
    void whatIsTooLargeIsRefused() {
        routes.fail("webhookReader", new TooLargeException("body: over 64 KiB"));
        assertAnswer(ask(), "body: over 64 KiB", Map.of("CamelHttpResponseCode", "413", "Content-Type", "text/plain"));
    }

    @Test
    void aRefusalEchoesNoHeader() {
        routes.fail("webhookReader", new BadRequestException("query: not text in UTF-8"));
        Exchange answer = routes.ask("ingest-webhook", "a body", Map.of("Retry-After", "999", Exchange.HTTP_PATH, "/pbx/secret/events"));
        assertAnswer(answer, "query: not text in UTF-8", Map.of("CamelHttpResponseCode", "400", "Content-Type", "text/plain"));
    }

    /** Nothing was acknowledged: the PBX may try again, and is told when. */
    @Test
    void whatCannotBeStoredIsNotAcknowledged() {
        routes.fail("eventStore.append", new StoreException("the disk is full", null));
        assertAnswer(read("event"), "the disk is full",
                Map.of("CamelHttpResponseCode", "503", "Content-Type", "text/plain", "Retry-After", "5"));
    }

    /** A mistake of ours is left to the server, which answers 500 and says nothing. */
    @Test
    void anyOtherFailureIsNoAnswer() {
        routes.fail("eventStore.append", new IllegalStateException("broken"));
        assertInstanceOf(IllegalStateException.class, read("event").getException());
    }

    private Exchange read(String kind) {
        routes.on("webhookReader", exchange -> {
            exchange.setVariable("kind", kind);
            return Map.of("pbx", "main");
        });
        return ask();
    }

    private Exchange ask() {
        return routes.ask("ingest-webhook", "a body", REQUEST);
    }

    private static void assertAnswer(Exchange answer, String body, Map<String, Object> headers) {
        assertNull(answer.getException());
        assertEquals(body, answer.getMessage().getBody());
        assertEquals(headers, answer.getMessage().getHeaders());
    }
}
