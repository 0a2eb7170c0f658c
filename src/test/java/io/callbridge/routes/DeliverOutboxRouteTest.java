package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One delivery goes to its CRM, and exactly one thing is recorded about it. */
class DeliverOutboxRouteTest {

    private final RouteHarness routes = RouteHarness.of("deliver-outbox").channel("deliver-rest-call").channel("deliver-acme-call").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"rest", "acme"})
    void aDeliveryGoesToItsCrmAndIsDelivered(String crm) {
        Map<String, Object> delivery = delivery(crm);
        routes.send("deliver-outbox", delivery);
        assertEquals(List.of("direct:deliver-" + crm + "-call", "deliveryResult.delivered"), routes.asked());
        assertEquals(delivery, routes.step("direct:deliver-" + crm + "-call").body());
    }

    /** The status is part of the explanation of a call. */
    @Test
    void theAnswersStatusIsThereToBeRecorded() {
        routes.on("direct:deliver-rest-call", exchange -> {
            exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, 204);
            return null;
        }).send("deliver-outbox", delivery("rest"));
        assertEquals(204, routes.step("deliveryResult.delivered").headers().get(Exchange.HTTP_RESPONSE_CODE));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource({
        "400, deadLetter",
        "503, retryLater",
    })
    void aRefusalIsRecordedInsteadOfTheDelivery(int status, String recorded) {
        HttpOperationFailedException refusal = new HttpOperationFailedException("http://crm.example", status, "", null, null, "no");
        routes.fail("direct:deliver-rest-call", refusal);
        Exchange exchange = routes.send("deliver-outbox", delivery("rest"));
        assertEquals(List.of("direct:deliver-rest-call", "deliveryResult." + recorded), routes.asked());
        assertEquals(refusal, routes.step("deliveryResult." + recorded).cause());
        assertNull(exchange.getException());
    }

    @Test
    void noAnswerIsTriedAgain() {
        routes.fail("direct:deliver-rest-call", new IOException("connection refused")).send("deliver-outbox", delivery("rest"));
        assertEquals(List.of("direct:deliver-rest-call", "deliveryResult.retryLater"), routes.asked());
    }

    private static Map<String, Object> delivery(String crm) {
        return Map.of("crm", crm, "operation", "call", "id", "71101-a1", "number", "+79000000010", "reason", "", "answeredBy", "");
    }
}
