package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.callbridge.ingest.BadRequestException;
import io.callbridge.store.StoreException;
import java.io.IOException;
import java.net.ConnectException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who is told what of a failure, and who tries again: one route that does nothing but fail for each error configuration. */
class SharedErrorsRouteTest {

    private static final Map<String, Object> REQUEST = Map.of("Content-Type", "application/json", "Cookie", "session=1",
            Exchange.HTTP_PATH, "/pbx/secret/events", "Authorization", "Bearer token", "Retry-After", "77", Exchange.HTTP_RESPONSE_CODE,
            302);
    private static final Map<String, Exception> FAILURES = Map.of("bad", new BadRequestException("not text"), "large",
            BadRequestException.tooLarge("body:"), "store", new StoreException("the disk is full", null),
            "refused", new ConnectException("refused"), "reset", new IOException("reset"), "ours", new IllegalStateException("broken"));

    @AutoClose
    private static final RouteHarness ROUTES = RouteHarness.of().text(Stream.of("ingest", "tcp", "asterisk", "evaluation", "delivery", "crm-request", "ops").map("""
                    - route:
                        id: fails-%1$s
                        routeConfigurationId: %1$s-errors
                        from:
                          uri: direct:fails-%1$s
                          steps:
                            - to:
                                uri: direct:broken
                    """::formatted).collect(Collectors.joining())).start();

    private Exchange fail(String configuration, Exception failure) {
        return ROUTES.fail("direct:broken", failure).ask("fails-" + configuration, "the work", REQUEST);
    }

    /** Nothing of the request goes back. */
    @ParameterizedTest
    @CsvSource({"ingest, bad, not text, 400", "ingest, large, body: over 64 KiB, 413", "ingest, store, the disk is full, 503",
        "tcp, bad, ERR  not text, ", "tcp, store, ERR  the disk is full, ", "tcp, ours, ERR  Callbridge failed, "})
    void theSenderOfAnEventIsToldInOneLineWhatIsWrong(String configuration, String failure, String line, String status) {
        Exchange exchange = fail(configuration, FAILURES.get(failure));
        assertEquals(line, exchange.getMessage().getBody());
        assertSame(null, exchange.getException());
        if (status != null) {
            exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, String.class));
            assertEquals(status.equals("503") ? Map.of("CamelHttpResponseCode", status, "Content-Type", "text/plain", "Retry-After", "5")
                    : Map.of("CamelHttpResponseCode", status, "Content-Type", "text/plain"), exchange.getMessage().getHeaders());
        }
    }

    /**
     * A mistake of ours is none of the sender's; an evaluation that fails, and a request, are left to who brought them; the others
     * note it, and it never blocks the next.
     */
    @ParameterizedTest
    @CsvSource({"ingest, , ours", "asterisk, , ours", "evaluation, , ours store", "crm-request, , ours reset",
        "delivery, deliveryResult.retryLater, ours refused reset store", "ops, none, ours store reset"})
    void aFailureIsNotedOrLeftToWhoBroughtIt(String configuration, String noted, String failures) {
        for (String name : failures.split(" ")) {
            Exchange exchange = fail(configuration, FAILURES.get(name));
            assertSame(noted == null ? FAILURES.get(name) : null, exchange.getException());
            List<RouteHarness.Step> notes = ROUTES.steps().stream().filter(step -> !step.name().equals("direct:broken")).toList();
            assertEquals(noted == null || noted.equals("none") ? List.of() : List.of(noted), notes.stream().map(RouteHarness.Step::name)
                    .toList());
            notes.forEach(note -> assertSame(FAILURES.get(name), note.cause()));
        }
    }

    /** Nobody sends again what an Asterisk said. */
    @Test
    void whatTheStoreDoesNotTakeOfAnAsteriskIsTriedAgainUntilItDoes() {
        AtomicInteger failures = new AtomicInteger(1);
        Exchange exchange = ROUTES.on("direct:broken", refused -> {
            if (failures.getAndDecrement() > 0) {
                throw FAILURES.get("store");
            }
            return null;
        }).send("fails-asterisk", "a batch");
        assertSame(null, exchange.getException());
        assertEquals(List.of("direct:broken", "direct:broken"), ROUTES.asked());
    }

    @ParameterizedTest
    @CsvSource({"deadLetter, 400 404 409 410 422 499", "retryLater, 401 403 408 429 500 502 503 504 302"})
    void aCrmThatRefusesForGoodIsNotAskedAgain(String recorded, String statuses) {
        for (String status : statuses.split(" ")) {
            fail("delivery", new HttpOperationFailedException("http://crm.example", Integer.parseInt(status), "", null, null, "no"));
            assertEquals("direct:broken deliveryResult." + recorded, String.join(" ", ROUTES.asked()), status);
        }
    }
}
