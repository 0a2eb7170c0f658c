package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.callbridge.ingest.BadRequestException;
import io.callbridge.ingest.TooLargeException;
import io.callbridge.process.StaleLookException;
import io.callbridge.store.StoreException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is told what of a failure, and who tries again: one route that does nothing but fail for each error configuration. */
class SharedErrorsRouteTest {

    private static final Map<String, Object> REQUEST = Map.of("Content-Type", "application/json", "Cookie", "session=1",
            Exchange.HTTP_PATH, "/pbx/secret/events", "Authorization", "Bearer token", "Retry-After", "77", Exchange.HTTP_RESPONSE_CODE, 302);

    private final RouteHarness routes = RouteHarness.of().text(Stream.of("ingest", "tcp", "asterisk", "look", "process", "reprocess", "delivery",
            "crm-request", "ops").map("""
                    - route:
                        id: fails-%1$s
                        routeConfigurationId: %1$s-errors
                        from:
                          uri: direct:fails-%1$s
                          steps:
                            - to:
                                uri: direct:broken
                    """::formatted).collect(Collectors.joining())).start();

    @AfterEach
    void stop() {
        routes.close();
    }

    private Exchange fail(String configuration, Exception failure) {
        return routes.fail("direct:broken", failure).send("fails-" + configuration, exchange -> {
            exchange.getMessage().setBody("the work");
            exchange.getMessage().setHeaders(new HashMap<>(REQUEST));
        });
    }

    private List<String> asked() {
        return routes.asked().stream().filter(name -> !name.equals("direct:broken")).toList();
    }

    /** What goes wrong when no answer came that would say why. */
    static Stream<Exception> unanswered() {
        return Stream.of(new ConnectException("refused"), new SocketTimeoutException("slow"), new IOException("reset"),
                new IllegalStateException("a look-up failed"), new StoreException("the disk is full", null));
    }

    /** Nothing of the request goes back. */
    @Test
    void theSenderOfAnEventIsToldInOneLineWhatIsWrong() {
        Map.of(new BadRequestException("not text"), Map.<String, Object>of("CamelHttpResponseCode", "400", "Content-Type", "text/plain"),
                new TooLargeException("over 64 KiB"), Map.<String, Object>of("CamelHttpResponseCode", "413", "Content-Type", "text/plain"),
                new StoreException("the disk is full", null), Map.<String, Object>of("CamelHttpResponseCode", "503", "Retry-After", "5",
                        "Content-Type", "text/plain")).forEach((failure, told) -> {
                            Exchange exchange = fail("ingest", failure);
                            assertEquals(told, exchange.getMessage().getHeaders());
                            assertEquals(failure.getMessage(), exchange.getMessage().getBody());
                            assertNull(exchange.getException());
                        });
        for (Exception failure : List.of(new BadRequestException("not text"), new StoreException("the disk is full; send it again", null))) {
            Exchange exchange = fail("tcp", failure);
            assertNull(exchange.getException());
            assertEquals("ERR  " + failure.getMessage(), exchange.getMessage().getBody());
        }
    }

    /** A mistake of ours is none of the sender's; a look that cannot begin or end, and a request, are left to who brought them. */
    @ParameterizedTest
    @ValueSource(strings = {"ingest", "tcp", "asterisk", "look", "crm-request"})
    void whatNobodyHandlesIsLeftToWhoBroughtIt(String configuration) {
        Exception failure = new IllegalStateException("broken");
        assertSame(failure, fail(configuration, failure).getException());
        assertEquals(List.of(), asked());
    }

    /** Nobody sends again what an Asterisk said. */
    @Test
    void whatTheStoreDoesNotTakeOfAnAsteriskIsTriedAgainUntilItDoes() {
        AtomicInteger failures = new AtomicInteger(2);
        Exchange exchange = routes.on("direct:broken", refused -> {
            if (failures.getAndDecrement() > 0) {
                throw new StoreException("the disk is full", null);
            }
            return null;
        }).send("fails-asterisk", "a batch");
        assertNull(exchange.getException());
        assertEquals(List.of("direct:broken", "direct:broken", "direct:broken"), routes.asked());
    }

    @ParameterizedTest
    @MethodSource("unanswered")
    void aCallThatCannotBeProcessedIsNoted(Exception failure) {
        assertNull(fail("process", failure).getException());
        assertEquals(List.of("fail"), asked());
        assertSame(failure, routes.step("effects.fail").cause());
        assertEquals("the work", routes.step("effects.fail").body());
    }

    /** One that only changed meanwhile is tried for a while, and counted in the end. */
    @Test
    void aCallThatCannotBeFoldedAgainIsCounted() {
        for (Exception failure : List.of(new IOException("reset"), new StoreException("the disk is full", null), new StaleLookException("c1"))) {
            assertNull(fail("reprocess", failure).getException());
            assertEquals(List.of("reprocess.fail"), asked());
            assertSame(failure, routes.step("reprocess.fail").cause());
        }
    }

    @ParameterizedTest
    @MethodSource("unanswered")
    void theFailureOfATimerEndsThereAndACrmThatDoesNotAnswerIsAskedAgain(Exception failure) {
        assertNull(fail("ops", failure).getException());
        assertEquals(List.of(), asked());
        assertRecorded("retryLater", failure);
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource({"400, deadLetter", "401, retryLater", "403, retryLater", "404, deadLetter", "408, retryLater", "409, deadLetter", "410, deadLetter",
        "422, deadLetter", "429, retryLater", "499, deadLetter", "500, retryLater", "502, retryLater", "503, retryLater", "504, retryLater",
        "302, retryLater"})
    void aCrmThatRefusesForGoodIsNotAskedAgain(int status, String recorded) {
        assertRecorded(recorded, new HttpOperationFailedException("http://crm.example", status, "", null, null, "no"));
    }

    private void assertRecorded(String recorded, Exception failure) {
        assertNull(fail("delivery", failure).getException());
        assertEquals(List.of("deliveryResult." + recorded), asked());
        assertSame(failure, routes.step("deliveryResult." + recorded).cause());
    }
}
