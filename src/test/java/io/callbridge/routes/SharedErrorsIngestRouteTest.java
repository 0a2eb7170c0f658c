package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.callbridge.ingest.BadRequestException;
import io.callbridge.ingest.TooLargeException;
import io.callbridge.store.StoreException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The sender of an event is told what is wrong with it, or when to come again. */
class SharedErrorsIngestRouteTest {

    private final FailingRoutes routes = new FailingRoutes("ingest-errors");

    @AfterEach
    void stop() {
        routes.close();
    }

    @TestFactory
    Stream<DynamicTest> theSenderOfAnEventIsToldWhatIsWrong() {
        return Map.of(
                new BadRequestException("not text"), Map.<String, Object>of("CamelHttpResponseCode", "400"),
                new TooLargeException("over 64 KiB"), Map.<String, Object>of("CamelHttpResponseCode", "413"),
                new StoreException("the disk is full", null), Map.<String, Object>of("CamelHttpResponseCode", "503", "Retry-After", "5"))
                .entrySet().stream().map(told -> DynamicTest.dynamicTest(told.getKey().getClass().getSimpleName(), () -> {
                    Exchange exchange = routes.fail("ingest-errors", told.getKey());
                    assertEquals(List.of("direct:shared-refusal"), routes.asked());
                    assertEquals(told.getValue(), routes.step("direct:shared-refusal").headers());
                    assertSame(told.getKey(), routes.step("direct:shared-refusal").cause());
                    assertNull(exchange.getException());
                }));
    }

    @Test
    void aMistakeOfOursIsNoneOfTheSenders() {
        Exception failure = new IllegalStateException("broken");
        assertSame(failure, routes.fail("ingest-errors", failure).getException());
        assertEquals(List.of(), routes.asked());
    }
}
