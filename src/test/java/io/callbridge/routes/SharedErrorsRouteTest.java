package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.callbridge.ingest.BadRequestException;
import io.callbridge.ingest.TooLargeException;
import io.callbridge.store.StoreException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which failure means what: the error routes, tried on routes that do nothing but fail. */
class SharedErrorsRouteTest {

    private static final String FAILS = """
            - route:
                id: fails-with-%1$s
                routeConfigurationId: %1$s
                from:
                  uri: direct:fails-with-%1$s
                  steps:
                    - to:
                        uri: direct:broken
            """;

    private final RouteHarness routes = RouteHarness.of().text(Stream.of("ingest-errors", "process-errors", "look-errors",
            "delivery-errors", "crm-request-errors").map(FAILS::formatted).reduce("", String::concat)).start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource({
        "400, deadLetter",
        "401, deadLetter",
        "403, deadLetter",
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
        Exception refusal = new HttpOperationFailedException("http://crm.example", status, "", null, null, "no");
        Exchange exchange = fail("delivery-errors", refusal);
        assertEquals(List.of("direct:broken", "deliveryResult." + recorded), routes.asked());
        assertSame(refusal, routes.step("deliveryResult." + recorded).cause());
        assertNull(exchange.getException());
    }

    @ParameterizedTest
    @MethodSource("noAnswers")
    void aCrmThatDoesNotAnswerIsAskedAgain(Exception failure) {
        Exchange exchange = fail("delivery-errors", failure);
        assertEquals(List.of("direct:broken", "deliveryResult.retryLater"), routes.asked());
        assertSame(failure, routes.step("deliveryResult.retryLater").cause());
        assertNull(exchange.getException());
    }

    static Stream<Exception> noAnswers() {
        return Stream.of(new ConnectException("refused"), new SocketTimeoutException("slow"), new IOException("reset"),
                new StoreException("the disk is full", null), new IllegalStateException("a look-up failed"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"crm-request-errors", "look-errors"})
    void aFailureIsLeftToWhoAsked(String configuration) {
        Exception failure = new IOException("reset");
        assertSame(failure, fail(configuration, failure).getException());
        assertEquals(List.of("direct:broken"), routes.asked());
    }

    @ParameterizedTest
    @MethodSource("noAnswers")
    void aCallThatCannotBeProcessedIsNoted(Exception failure) {
        Exchange exchange = fail("process-errors", failure);
        assertEquals(List.of("direct:broken", "fail"), routes.asked());
        assertSame(failure, routes.step("effects.fail").cause());
        assertEquals("the work", routes.step("effects.fail").body());
        assertNull(exchange.getException());
    }

    @TestFactory
    Stream<DynamicTest> theSenderOfAnEventIsToldWhatIsWrong() {
        return Map.of(
                new BadRequestException("not text"), Map.<String, Object>of("CamelHttpResponseCode", "400"),
                new TooLargeException("over 64 KiB"), Map.<String, Object>of("CamelHttpResponseCode", "413"),
                new StoreException("the disk is full", null), Map.<String, Object>of("CamelHttpResponseCode", "503", "Retry-After", "5"))
                .entrySet().stream().map(told -> DynamicTest.dynamicTest(told.getKey().getClass().getSimpleName(), () -> {
                    Exchange exchange = fail("ingest-errors", told.getKey());
                    assertEquals(List.of("direct:broken", "direct:shared-refusal"), routes.asked());
                    assertEquals(told.getValue(), routes.step("direct:shared-refusal").headers());
                    assertSame(told.getKey(), routes.step("direct:shared-refusal").cause());
                    assertNull(exchange.getException());
                }));
    }

    private Exchange fail(String configuration, Exception failure) {
        return routes.fail("direct:broken", failure).send("fails-with-" + configuration, "the work");
    }
}
