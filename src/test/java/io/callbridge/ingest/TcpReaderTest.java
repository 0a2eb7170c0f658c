package io.callbridge.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.StoreException;
import io.callbridge.support.TestConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An event over TCP is read, sorted and counted like one that came by webhook. */
class TcpReaderTest {

    private static final String EVENT = "{\"EventType\":\"Dial-In\",\"CallID\":\"c1\",\"SubCallID\":\"71101-a1\"}";

    private final DefaultCamelContext camel = new DefaultCamelContext();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final EventKinds kinds = new EventKinds(meters);
    private final TcpReader reader = new TcpReader(TestConfig.settings(TestConfig.of(Map.of("callbridge.pbx.main.secret",
            "sixteen-letters-and-more"), Map.of())), kinds, camel);
    private final Exchange exchange = new DefaultExchange(camel);

    @BeforeEach
    void start() {
        camel.disableJMX();
        camel.start();
    }

    @AfterEach
    void stop() throws IOException {
        camel.close();
    }

    @Test
    void anEventIsReadIfAllRoutesRunAndNotCountedBeforeTheStoreHasIt() {
        assertEquals(Map.of("pbx", "main", "fields", Map.of("EventType", "Dial-In", "CallID", "c1", "SubCallID", "71101-a1")), read(EVENT));
        assertEquals("event", exchange.getVariable("kind"));
        assertEquals(7L, exchange.getVariable("number"));
        assertEquals(List.of(), meters.getMeters());
        camel.stop();
        assertTrue(assertThrows(StoreException.class, () -> read(EVENT)).getMessage().endsWith("; send it again"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"{\"EventType\":\"voicemail\"}|ignored|other|other-family", "{}|ignored|other|other-family",
            "{\"EventType\":\"hangup\",\"CallID\":\"c1\"}|ignored|other|no-id",
            "{\"EventType\":\"hangup\",\"CallID\":\"c 1\",\"SubCallID\":\"1\"}|ignored|other|absurd-id",
            "{\"EventType\":\"Call_Interactive\"}|interactive|call_interactive|other-family"})
    void whatIsNoEventForUsIsCountedAndShown(String text, String kind, String type, String result) {
        assertEquals(Map.of(), read(text));
        assertEquals(kind, exchange.getVariable("kind"));
        assertCounted(type, result);
        assertEquals(kind.equals("ignored") ? List.of(result) : List.of(), kinds.lastIgnored("main").stream().map(EventKinds.Ignored::reason).toList());
    }

    @Test
    void whatCannotBeReadIsCountedAndKeepsItsNumber() {
        assertThrows(BadRequestException.class, () -> read("{"));
        assertEquals(7L, exchange.getVariable("number"));
        assertNull(exchange.getVariable("kind"));
        assertCounted("none", "refused");
    }

    private Map<String, Object> read(String text) {
        exchange.getMessage().setBody(new TcpEvent("main", 7, text));
        return reader.read(exchange);
    }

    private void assertCounted(String type, String result) {
        assertEquals(1, meters.get("callbridge.events").tags("pbx", "main", "type", type, "result", result).counter().count());
        assertEquals(1, meters.getMeters().size());
    }
}
