package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.admin.RefusedException;
import io.callbridge.store.StoreException;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each call of the range is folded again, one after the other; the answer says what came of it. */
class OpsReprocessRouteTest {

    private static final Map<String, Object> REQUEST = Map.of("CamelHttpRawQuery", "from=2026-03-04", "CamelHttpMethod", "GET",
            "Cookie", "session=1");
    private static final Map<String, Object> FIRST = Map.of("pbx", "main", "callId", "c1");
    private static final Map<String, Object> SECOND = Map.of("pbx", "main", "callId", "c2");

    private final RouteHarness routes = RouteHarness.of("ops-reprocess", "shared-refusal").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @Test
    void itIsAskedForByPost() {
        PlatformHttpEndpoint source = routes.source("ops-reprocess", PlatformHttpEndpoint.class);
        assertEquals("/api/calls/reprocess", source.getPath());
        assertEquals("POST", source.getHttpMethodRestrict());
    }

    @Test
    void everyCallIsFoldedAndTheRunIsAnswered() {
        routes.on("reprocess.calls", exchange -> List.of(FIRST, SECOND).iterator()).on("reprocessRequest.answer", exchange -> "{}");
        Exchange answer = ask();
        assertEquals(List.of("reprocessRequest.read", "reprocess.calls", "direct:process-reprocess", "direct:process-reprocess",
                "reprocessRequest.answer"), routes.asked());
        assertEquals("from=2026-03-04", routes.steps().get(0).variables().get("asked"));
        assertEquals(FIRST, routes.steps().get(2).body());
        assertEquals(SECOND, routes.steps().get(3).body());
        assertEquals("{}", answer.getMessage().getBody());
        assertEquals(Map.of("Content-Type", "application/json"), answer.getMessage().getHeaders());
    }

    @Test
    void aRequestThatCannotBeReadIsRefused() {
        routes.fail("reprocessRequest.read", RefusedException.bad("query parameter from is missing"));
        Exchange answer = ask();
        assertEquals(List.of("reprocessRequest.read"), routes.asked());
        assertEquals("query parameter from is missing", answer.getMessage().getBody());
        assertEquals(Map.of("CamelHttpResponseCode", 400, "Content-Type", "text/plain"), answer.getMessage().getHeaders());
    }

    @Test
    void aStoreThatDoesNotAnswerEndsTheRun() {
        routes.fail("reprocess.calls", new StoreException("the disk is gone", null));
        assertEquals("503", ask().getMessage().getHeader("CamelHttpResponseCode"));
    }

    private Exchange ask() {
        return routes.ask("ops-reprocess", null, REQUEST);
    }
}
