package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import java.util.List;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A look that fails is noted, and what cannot be loaded or written is left to who brought it. */
class SharedErrorsProcessRouteTest {

    private final FailingRoutes routes = new FailingRoutes("process-errors", "look-errors");

    @AfterEach
    void stop() {
        routes.close();
    }

    @ParameterizedTest
    @MethodSource("io.callbridge.routes.FailingRoutes#unanswered")
    void aCallThatCannotBeProcessedIsNoted(Exception failure) {
        Exchange exchange = routes.fail("process-errors", failure);
        assertEquals(List.of("fail"), routes.asked());
        assertSame(failure, routes.step("effects.fail").cause());
        assertEquals("the work", routes.step("effects.fail").body());
        assertNull(exchange.getException());
    }

    @Test
    void aLookThatCannotBeginOrEndIsLeftToWhoBroughtIt() {
        Exception failure = new IOException("reset");
        assertSame(failure, routes.fail("look-errors", failure).getException());
        assertEquals(List.of(), routes.asked());
    }
}
