package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.callbridge.admin.RefusedException;
import io.callbridge.store.StoreException;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A timer's failure ends with it; who asks is told that the store does not answer, and nothing about mistakes of ours. */
class SharedErrorsOpsRouteTest {

    private final FailingRoutes routes = new FailingRoutes("ops-errors", "ops-request-errors");

    @AfterEach
    void stop() {
        routes.close();
    }

    @ParameterizedTest
    @MethodSource("io.callbridge.routes.FailingRoutes#unanswered")
    void theFailureOfATimerEndsThere(Exception failure) {
        assertNull(routes.fail("ops-errors", failure).getException());
        assertEquals(List.of(), routes.asked());
    }

    @Test
    void whoAsksIsToldWhatHeAskedForWrongly() {
        Exception failure = RefusedException.notFound("there is no delivery 7");
        assertNull(routes.fail("ops-request-errors", failure).getException());
        assertEquals(List.of("direct:shared-refusal"), routes.asked());
        assertEquals(Map.of("CamelHttpResponseCode", 404), routes.step("direct:shared-refusal").headers());
        assertSame(failure, routes.step("direct:shared-refusal").cause());
    }

    @Test
    void whoAsksIsToldThatTheStoreDoesNotAnswer() {
        Exception failure = new StoreException("the disk is full", null);
        assertNull(routes.fail("ops-request-errors", failure).getException());
        assertEquals(List.of("direct:shared-refusal"), routes.asked());
        assertEquals(Map.of("CamelHttpResponseCode", "503", "Retry-After", "5"), routes.step("direct:shared-refusal").headers());
        assertSame(failure, routes.step("direct:shared-refusal").cause());
    }

    @ParameterizedTest
    @MethodSource("io.callbridge.routes.FailingRoutes#unanswered")
    void anyOtherFailureIsNoneOfTheirs(Exception failure) {
        Exchange exchange = routes.fail("ops-request-errors", failure);
        assertNull(exchange.getException());
        assertEquals(Map.of("CamelHttpResponseCode", "500"), exchange.getMessage().getHeaders());
        assertNull(exchange.getMessage().getBody());
    }
}
