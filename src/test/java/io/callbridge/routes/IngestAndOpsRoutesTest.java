package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.store.StoreException;
import java.util.Map;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What comes from outside or by itself: which bean it goes to, what is answered, and that nothing of a request goes back. */
class IngestAndOpsRoutesTest {

    private static final Map<String, Object> REQUEST = Map.of("Authorization", "Bearer token", "id", "7", "Callbridge-Who", "token",
            Exchange.HTTP_RAW_QUERY, "a=b", Exchange.HTTP_RESPONSE_CODE, 302, "CamelHttpMethod", "GET", "Cookie", "session=1",
            "Retry-After", "1");

    @AutoClose
    private static final RouteHarness ROUTES = RouteHarness.of("ingest-webhook", "ingest-tcp", "ops-housekeeping").start();

    /** {@code OK} after an event is durable and never before. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ingest-webhook | event       | webhookReader eventStore.append | OK          | Content-Type=text/plain
            ingest-webhook | ignored     | webhookReader                   | OK          | Content-Type=text/plain
            ingest-webhook | interactive | webhookReader                   | <Response/> | Content-Type=application/xml
            ingest-tcp     | event       | tcpReader eventStore.append     | OK 7        | Cookie=session=1
            ingest-tcp     | interactive | tcpReader                       | OK 7        | Cookie=session=1
            """)
    void anEventIsStoredAndThenAnswered(String route, String kind, String asked, String body, String header) {
        String reader = asked.replaceFirst(" .*", "");
        ROUTES.on("eventStore.append", exchange -> null).on(reader, exchange -> {
            exchange.setVariable("kind", kind);
            exchange.setVariable("number", 7);
            return Map.of("pbx", "main");
        });
        Map<String, Object> request = route.equals("ingest-tcp") ? Map.of("CamelNettyCloseChannelWhenComplete", true, "Cookie",
                "session=1") : REQUEST;
        Exchange answer = ROUTES.ask(route, "an event", request);
        assertEquals(asked, String.join(" ", ROUTES.asked()));
        assertEquals(body, answer.getMessage().getBody());
        assertEquals("{" + header + "}", answer.getMessage().getHeaders().toString());
        assertEquals(route.equals("ingest-tcp") ? 1 : 0, ROUTES.step(reader).headers().size(), "no header of a sender is read");
        if (kind.equals("event")) {
            assertEquals(Map.of("pbx", "main"), ROUTES.step("eventStore.append").body());
            ROUTES.fail("eventStore.append", new IllegalStateException("a mistake of ours"));
            Exchange failed = ROUTES.ask(route, "an event", request);
            if (route.equals("ingest-tcp")) {
                assertEquals("ERR 7 Callbridge failed", failed.getMessage().getBody());
            } else {
                assertInstanceOf(IllegalStateException.class, failed.getException());
            }
        }
    }

    /** A store that does not answer ends one time only. */
    @ParameterizedTest
    @CsvSource({"ops-timers, recovery.timers", "ops-recover, recovery.events", "ops-purge, retention", "ops-crm-users, crmUsers.refresh",
        "ops-crm-probe, crmProbe"})
    void aTimerAsksItsBean(String route, String step) {
        ROUTES.send(route, null);
        assertEquals(step, String.join(" ", ROUTES.asked()));
        assertNull(ROUTES.fail(step, new StoreException("the disk is full", null)).send(route, null).getException());
        assertEquals(step.equals("crmProbe"), ROUTES.source(route).contains("repeatCount"), "comes once");
    }
}
