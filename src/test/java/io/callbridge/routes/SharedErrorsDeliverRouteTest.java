package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.callbridge.store.StoreException;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Which CRM is asked again, and which refused for good. */
class SharedErrorsDeliverRouteTest {

    private final FailingRoutes routes = new FailingRoutes("delivery-errors", "crm-request-errors");

    @AfterEach
    void stop() {
        routes.close();
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource({
        "400, deadLetter",
        "401, retryLater",
        "403, retryLater",
        "404, deadLetter",
        "408, retryLater",
        "409, deadLetter",
        "410, deadLetter",
        "422, deadLetter",
        "429, retryLater",
        "499, deadLetter",
        "500, retryLater",
        "502, retryLater",
        "503, retryLater",
        "504, retryLater",
        "302, retryLater",
    })
    void aCrmThatRefusesForGoodIsNotAskedAgain(int status, String recorded) {
        assertRecorded(recorded, new HttpOperationFailedException("http://crm.example", status, "", null, null, "no"));
    }

    @ParameterizedTest
    @MethodSource("noAnswers")
    void aCrmThatDoesNotAnswerIsAskedAgain(Exception failure) {
        assertRecorded("retryLater", failure);
    }

    static Stream<Exception> noAnswers() {
        return Stream.concat(FailingRoutes.unanswered(), Stream.of(new StoreException("the disk is full", null)));
    }

    @Test
    void aRequestThatFailsIsLeftToWhoMadeIt() {
        Exception failure = new IOException("reset");
        assertSame(failure, routes.fail("crm-request-errors", failure).getException());
        assertEquals(List.of(), routes.asked());
    }

    private void assertRecorded(String recorded, Exception failure) {
        Exchange exchange = routes.fail("delivery-errors", failure);
        assertEquals(List.of("deliveryResult." + recorded), routes.asked());
        assertSame(failure, routes.step("deliveryResult." + recorded).cause());
        assertNull(exchange.getException());
    }
}
