package io.callbridge.routes;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.admin.RefusedException;
import io.callbridge.store.StoreException;
import io.callbridge.support.FakeCrm;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.apache.camel.Exchange;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The administration API: which bean answers where, and that nothing of a request goes back. Who may ask is the gate's matter. */
class OpsApiRouteTest {

    private static final Map<String, Object> REQUEST = Map.of("Authorization", "Bearer token", "id", "7", "Callbridge-Who", "token",
            Exchange.HTTP_RAW_QUERY, "a=b", Exchange.HTTP_RESPONSE_CODE, 302, "CamelHttpMethod", "GET", "Cookie", "session=1", "Retry-After", "1");
    private static final String ADDRESS = "/api/calls/reprocess/17";
    private static final Map<String, Object> FIRST = Map.of("pbx", "main", "callId", "c1");
    private static final Map<String, Object> SECOND = Map.of("pbx", "main", "callId", "c2");

    private final RouteHarness routes = RouteHarness.of("ops-api").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    @ParameterizedTest
    @CsvSource({
        "ops-status, GET, /api/status, status.of",
        "ops-setup, GET, /api/setup, setup.of",
        "ops-setup-webhook, POST, /api/setup/pbxs/{pbx}/webhook, setup.webhook",
        "ops-crm-check, POST, /api/setup/crms/{crm}/check, crmCheck.of",
        "ops-calls, GET, /api/calls/{callId}, explanation",
        "ops-calls-list, GET, /api/calls, callList.page",
        "ops-deliveries, GET, /api/deliveries, deliveryList.page",
        "ops-deliveries-one, GET, /api/deliveries/{id}, deliveryList.one",
        "ops-deliveries-retry, POST, /api/deliveries/{id}/retry, deliveryRepair.retry",
        "ops-deliveries-discard, POST, /api/deliveries/{id}/discard, deliveryRepair.discard",
        "ops-deliveries-all, POST, /api/deliveries/retry, deliveryRepair.retryAll",
        "ops-deliveries-discard-all, POST, /api/deliveries/discard, deliveryRepair.discardAll",
        "ops-reprocess-job, GET, /api/calls/reprocess/{job}, reprocessRequest.job",
        "ops-reprocess-stop, DELETE, /api/calls/reprocess/{job}, reprocessRequest.stop",
        "ops-audit, GET, /api/audit, auditList.page"})
    void aBeanAnswersOrRefuses(String route, String method, String path, String step) {
        PlatformHttpEndpoint source = routes.source(route, PlatformHttpEndpoint.class);
        assertEquals(method + " " + path, source.getHttpMethodRestrict() + " " + source.getPath());

        Exchange answer = routes.on(step, exchange -> "{}").ask(route, null, REQUEST);
        assertEquals("{}", answer.getMessage().getBody());
        assertEquals(Map.of("Content-Type", "application/json"), answer.getMessage().getHeaders());
        Map<String, Object> seen = routes.step(step).headers();
        assertNull(seen.get("CamelHttpMethod"), "control headers from outside go first");
        assertEquals("7 token", seen.get("id") + " " + seen.get("Callbridge-Who"));
        if (!route.equals("ops-calls")) {
            assertEquals("a=b", seen.get(Exchange.HTTP_RAW_QUERY));
        }

        assertTold(Map.of("CamelHttpResponseCode", 409, "Content-Type", "text/plain"), "delivery 7 is delivered",
                routes.fail(step, RefusedException.conflict("delivery 7 is delivered")).ask(route, null, REQUEST));
        assertTold(Map.of("CamelHttpResponseCode", "503", "Content-Type", "text/plain", "Retry-After", "5"), "the disk is gone",
                routes.fail(step, new StoreException("the disk is gone", null)).ask(route, null, REQUEST));
        assertTold(Map.of("CamelHttpResponseCode", "500"), null, routes.fail(step, new IllegalStateException("broken")).ask(route, null, REQUEST));
    }

    private static void assertTold(Map<String, Object> headers, String text, Exchange answer) {
        assertEquals(text, answer.getMessage().getBody());
        assertEquals(headers, answer.getMessage().getHeaders());
        assertNull(answer.getException());
    }

    @Test
    void aCallThatWasNeverHeardOfIsNotFound() {
        assertTold(Map.of("CamelHttpResponseCode", "404"), null, routes.ask("ops-calls", null, REQUEST));
    }

    @Test
    void aReprocessRunsByItselfAndItsAddressIsAnswered() {
        PlatformHttpEndpoint source = routes.source("ops-reprocess", PlatformHttpEndpoint.class);
        assertEquals("POST /api/calls/reprocess", source.getHttpMethodRestrict() + " " + source.getPath());
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch finished = new CountDownLatch(1);
        routes.on("reprocessRequest.begin", exchange -> begun(exchange, true)).on("reprocess.calls", exchange -> {
            asked.await();
            return List.of(FIRST, SECOND).iterator();
        }).on("reprocess.finish", exchange -> {
            finished.countDown();
            return null;
        });
        assertTold(Map.of("Content-Type", "application/json", "Location", ADDRESS, "CamelHttpResponseCode", "202"), "{}",
                routes.ask("ops-reprocess", null, REQUEST));
        asked.countDown();
        await("the end").until(() -> finished.getCount() == 0);
        assertEquals(List.of("reprocessRequest.begin", "reprocess.calls", "direct:process-reprocess", "direct:process-reprocess",
                "reprocess.finish"), routes.asked());
        assertEquals("a=b", routes.steps().get(0).headers().get(Exchange.HTTP_RAW_QUERY));
        assertEquals(FIRST, routes.steps().get(2).body());
        assertEquals(SECOND, routes.steps().get(3).body());
    }

    @Test
    void asLongAsOneRunsNoOtherDoes() {
        routes.on("reprocessRequest.begin", exchange -> begun(exchange, false));
        assertTold(Map.of("Content-Type", "text/plain", "Location", ADDRESS, "CamelHttpResponseCode", "409"), "{}",
                routes.ask("ops-reprocess", null, REQUEST));
        assertEquals(List.of("reprocessRequest.begin"), routes.asked());
    }

    @Test
    void aReprocessThatCannotBeReadIsRefusedAndAStoreThatDoesNotAnswerEndsTheRun() {
        assertTold(Map.of("CamelHttpResponseCode", 400, "Content-Type", "text/plain"), "query parameter from is missing",
                routes.fail("reprocessRequest.begin", RefusedException.bad("query parameter from is missing")).ask("ops-reprocess", null, REQUEST));
        assertEquals(List.of("reprocessRequest.begin"), routes.asked());
        routes.on("reprocessRequest.begin", exchange -> begun(exchange, true)).fail("reprocess.calls", new StoreException("the disk is gone", null));
        routes.ask("ops-reprocess", null, REQUEST);
        await("the end").until(() -> routes.asked().contains("reprocess.breakOff"));
        assertEquals("the disk is gone", routes.step("reprocess.breakOff").cause().getMessage());
    }

    private static Object begun(Exchange exchange, boolean begun) {
        exchange.setVariable("begun", begun);
        exchange.setVariable("address", ADDRESS);
        return "{}";
    }

    @Test
    void whatIsAtTheAddressOfACrmIsTold() {
        try (FakeCrm crm = new FakeCrm()) {
            assertEquals(400, assertInstanceOf(HttpOperationFailedException.class, address(crm.url() + "/nothing").getException()).getStatusCode());
            assertEquals("GET", crm.requests().get(0).method());
            crm.on("GET", "/nothing", FakeCrm.Answer.status(200));
            assertEquals(200, address(crm.url() + "/nothing").getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE));
            crm.down();
            assertInstanceOf(IOException.class, address(crm.url() + "/nothing").getException());
        }
    }

    private Exchange address(String address) {
        return routes.send("ops-crm-address", Map.of("address", address));
    }
}
