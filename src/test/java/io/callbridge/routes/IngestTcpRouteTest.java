package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.ingest.BadRequestException;
import io.callbridge.store.StoreException;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.component.netty.NettyConfiguration;
import org.apache.camel.component.netty.NettyEndpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@code OK} and the number of the event, after it is durable and never before; {@code ERR}, its number and a reason otherwise. */
class IngestTcpRouteTest {

    private final RouteHarness routes = RouteHarness.of("ingest-tcp").setting("callbridge.tcp.port", "6400").start();

    @AfterEach
    void stop() {
        routes.close();
    }

    /** A codec of Camel's would read Java objects; answers in order need one thread for each connection. */
    @Test
    void theServerHasOurHandlersOnlyAndAnswersInOrder() {
        NettyConfiguration server = routes.source("ingest-tcp", NettyEndpoint.class).getConfiguration();
        assertEquals(6400, server.getPort());
        assertEquals("tcp", server.getProtocol());
        assertEquals(1, server.getDecodersAsList().size());
        assertEquals(List.of(), server.getEncodersAsList());
        assertTrue(server.isSync() && server.isUsingExecutorService());
        assertFalse(server.isAllowDefaultCodec() || server.isDisconnect());
    }

    @Test
    void anEventIsStoredAndThenAnsweredWithOk() {
        Exchange answer = read("event");
        assertEquals(List.of("tcpReader", "eventStore.append"), routes.asked());
        assertEquals(Map.of("pbx", "main"), routes.step("eventStore.append").body());
        assertAnswer("OK 7", answer);
    }

    @Test
    void anEventOfNoConcernIsAnsweredWithOk() {
        for (String kind : List.of("ignored", "interactive")) {
            Exchange answer = read(kind);
            assertEquals(List.of("tcpReader"), routes.asked());
            assertAnswer("OK 7", answer);
        }
    }

    @Test
    void whatCannotBeReadIsRefusedWithItsReason() {
        routes.on("tcpReader", exchange -> {
            exchange.setVariable("number", 7L);
            throw new BadRequestException("broken JSON");
        });
        Exchange answer = ask();
        assertEquals(List.of("tcpReader"), routes.asked());
        assertAnswer("ERR 7 broken JSON", answer);
    }

    @Test
    void whatCannotBeStoredIsNotAcknowledged() {
        routes.fail("eventStore.append", new StoreException("the disk is full; send it again", null));
        assertAnswer("ERR 7 the disk is full; send it again", read("event"));
    }

    /** The connection answers it, and says nothing of what it was. */
    @Test
    void anyOtherFailureIsNoAnswer() {
        routes.fail("eventStore.append", new IllegalStateException("broken"));
        assertInstanceOf(IllegalStateException.class, read("event").getException());
    }

    private Exchange read(String kind) {
        routes.on("tcpReader", exchange -> {
            exchange.setVariable("number", 7L);
            exchange.setVariable("kind", kind);
            return Map.of("pbx", "main");
        });
        return ask();
    }

    private Exchange ask() {
        return routes.ask("ingest-tcp", "an event", Map.of("CamelNettyCloseChannelWhenComplete", true));
    }

    private static void assertAnswer(String line, Exchange answer) {
        assertNull(answer.getException());
        assertEquals(line, answer.getMessage().getBody());
        assertEquals(Map.of(), answer.getMessage().getHeaders());
    }
}
