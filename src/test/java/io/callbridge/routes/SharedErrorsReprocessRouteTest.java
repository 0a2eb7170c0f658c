package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.callbridge.process.StaleLookException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A call that cannot be folded again is counted; one that only changed meanwhile is tried for a while. */
class SharedErrorsReprocessRouteTest {

    private final FailingRoutes routes = new FailingRoutes("reprocess-errors");

    @AfterEach
    void stop() {
        routes.close();
    }

    @ParameterizedTest
    @MethodSource("io.callbridge.routes.FailingRoutes#unanswered")
    void aFailureIsCountedAndEndsThere(Exception failure) {
        assertNull(routes.fail("reprocess-errors", failure).getException());
        assertEquals(List.of("reprocess.fail"), routes.asked());
        assertSame(failure, routes.step("reprocess.fail").cause());
    }

    @Test
    void aCallThatNeverComesToRestIsCountedInTheEnd() {
        assertNull(routes.fail("reprocess-errors", new StaleLookException("c1")).getException());
        assertEquals(List.of("reprocess.fail"), routes.asked());
    }
}
