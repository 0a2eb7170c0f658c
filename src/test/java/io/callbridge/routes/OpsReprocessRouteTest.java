package io.callbridge.routes;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.admin.RefusedException;
import io.callbridge.store.StoreException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Each call of the range is folded again, one after the other, behind the answer. */
class OpsReprocessRouteTest {

    private static final Map<String, Object> REQUEST = Map.of("CamelHttpRawQuery", "from=2026-03-04", "CamelHttpMethod", "GET",
            "Cookie", "session=1");
    private static final String ADDRESS = "/api/calls/reprocess/17";
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
    void theJobRunsByItselfAndItsAddressIsAnswered() {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch finished = new CountDownLatch(1);
        routes.on("reprocessRequest.begin", exchange -> begun(exchange, true)).on("reprocess.calls", exchange -> {
            asked.await();
            return List.of(FIRST, SECOND).iterator();
        }).on("reprocess.finish", exchange -> {
            finished.countDown();
            return null;
        });
        Exchange answer = ask();
        assertEquals("{}", answer.getMessage().getBody());
        assertEquals(Map.of("Content-Type", "application/json", "Location", ADDRESS, "CamelHttpResponseCode", "202"), answer.getMessage().getHeaders());
        asked.countDown();
        await("the end").until(() -> finished.getCount() == 0);
        assertEquals(List.of("reprocessRequest.begin", "reprocess.calls", "direct:process-reprocess", "direct:process-reprocess",
                "reprocess.finish"), routes.asked());
        assertEquals("from=2026-03-04", routes.steps().get(0).variables().get("asked"));
        assertEquals(FIRST, routes.steps().get(2).body());
        assertEquals(SECOND, routes.steps().get(3).body());
    }

    @Test
    void asLongAsOneRunsNoOtherDoes() {
        routes.on("reprocessRequest.begin", exchange -> begun(exchange, false));
        Exchange answer = ask();
        assertEquals(Map.of("Content-Type", "text/plain", "Location", ADDRESS, "CamelHttpResponseCode", "409"), answer.getMessage().getHeaders());
        assertEquals(List.of("reprocessRequest.begin"), routes.asked());
    }

    @Test
    void aRequestThatCannotBeReadIsRefused() {
        routes.fail("reprocessRequest.begin", RefusedException.bad("query parameter from is missing"));
        Exchange answer = ask();
        assertEquals(List.of("reprocessRequest.begin"), routes.asked());
        assertEquals("query parameter from is missing", answer.getMessage().getBody());
        assertEquals(Map.of("CamelHttpResponseCode", 400, "Content-Type", "text/plain"), answer.getMessage().getHeaders());
    }

    @Test
    void aStoreThatDoesNotAnswerEndsTheRun() {
        routes.on("reprocessRequest.begin", exchange -> begun(exchange, true)).fail("reprocess.calls", new StoreException("the disk is gone", null));
        ask();
        await("the end").until(() -> routes.asked().contains("reprocess.breakOff"));
        assertEquals("the disk is gone", routes.step("reprocess.breakOff").cause().getMessage());
    }

    private static Object begun(Exchange exchange, boolean begun) {
        exchange.setVariable("begun", begun);
        exchange.setVariable("address", ADDRESS);
        return "{}";
    }

    private Exchange ask() {
        return routes.ask("ops-reprocess", null, REQUEST);
    }
}
