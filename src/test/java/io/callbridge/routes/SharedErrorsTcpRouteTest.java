package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.callbridge.ingest.BadRequestException;
import io.callbridge.store.StoreException;
import java.util.List;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The sender of an event over TCP is told what is wrong with it in one line. */
class SharedErrorsTcpRouteTest {

    private final FailingRoutes routes = new FailingRoutes("tcp-errors");

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void theSenderOfAnEventIsToldWhatIsWrong() {
        for (Exception failure : List.of(new BadRequestException("not text"), new StoreException("the disk is full; send it again", null))) {
            Exchange exchange = routes.fail("tcp-errors", failure);
            assertNull(exchange.getException());
            assertEquals("ERR  " + failure.getMessage(), exchange.getMessage().getBody());
        }
    }

    @Test
    void aMistakeOfOursIsNoneOfTheSenders() {
        Exception failure = new IllegalStateException("broken");
        assertSame(failure, routes.fail("tcp-errors", failure).getException());
    }
}
