package io.callbridge.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.TestConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * One event at a time, each answer before the next event, and nothing kept for somebody who sends too much. What a sender sees who
 * is a stranger, silent, one too many, or has ended, is seen in TcpIT.
 */
class TcpConnectionTest {

    private static final String SECRET = "sixteen-letters-and-more";

    private final DefaultCamelContext camel = new DefaultCamelContext();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final TcpConnections connections = new TcpConnections(TestConfig.settings(TestConfig.of(Map.of("callbridge.pbx.main.secret",
            SECRET, "callbridge.tcp.max-silence-ms", "5000"), Map.of())), new EventKinds(meters), camel);
    private EmbeddedChannel channel;

    @BeforeEach
    void start() {
        camel.disableJMX();
        camel.start();
        channel = new EmbeddedChannel(connections.newChannelHandler());
        channel.freezeTime();
    }

    @AfterEach
    void stop() throws IOException {
        channel.finishAndReleaseAll();
        camel.close();
    }

    @Test
    void theNextEventGoesWhenTheLastOneIsAnswered() {
        send("AUTH " + SECRET + "\nfirst\nsecond\n");
        assertNull(answer(), "AUTH itself is not answered");
        assertEquals(new TcpEvent("main", 1, "first"), channel.readInbound());
        assertNull(channel.readInbound());
        channel.writeOutbound("OK 1");
        assertEquals("OK 1\n", answer());
        assertEquals(new TcpEvent("main", 2, "second"), channel.readInbound());
    }

    @Test
    void whoSendsTooMuchIsNotReadAnyMoreUntilThereIsRoom() {
        send("AUTH " + SECRET + "\n");
        String line = "x".repeat(999) + "\n";
        for (int i = 0; i < 66; i++) {
            assertTrue(channel.config().isAutoRead(), "after " + i);
            send(line);
        }
        send(line);
        assertFalse(channel.config().isAutoRead());
        channel.writeOutbound("OK 1");
        assertTrue(channel.config().isAutoRead());
    }

    @Test
    void anAnswerIsOneLineAndAMistakeOfOursIsAnsweredToo() {
        send("AUTH " + SECRET + "\na\nb\n");
        channel.writeOutbound("ERR 1 first\r\nOK 2");
        assertEquals("ERR 1 first OK 2\n", answer());
        channel.writeOutbound(new IllegalStateException("private"));
        assertEquals("ERR 2 Callbridge failed\n", answer());
    }

    @Test
    void whoWaitsForAnAnswerIsNotSilentAndWhoHasItIs() {
        send("AUTH " + SECRET + "\na\n");
        assertEquals(5_000, channel.pipeline().get(IdleStateHandler.class).getAllIdleTimeInMillis());
        silence();
        assertNull(answer());
        channel.writeOutbound("OK 1");
        assertEquals("OK 1\n", answer());
        silence();
        assertCutOff("ERR 2 silent for 5 s");
    }

    /** His answers would fill the memory. */
    @Test
    void whoDoesNotReadHisAnswersIsNotServedAndThenCutOff() {
        List<ChannelPromise> stuck = new ArrayList<>();
        channel.pipeline().addFirst(new ChannelOutboundHandlerAdapter() {
            @Override
            public void write(ChannelHandlerContext ctx, Object answer, ChannelPromise promise) {
                ReferenceCountUtil.release(answer);
                stuck.add(promise);
            }
        });
        send("AUTH " + SECRET + "\na\nb\nc\n");
        assertEquals(new TcpEvent("main", 1, "a"), channel.readInbound());
        channel.writeOneOutbound("OK 1");
        assertNull(channel.readInbound());
        stuck.get(0).setSuccess();
        assertEquals(new TcpEvent("main", 2, "b"), channel.readInbound());
        channel.writeOneOutbound("OK 2");
        silence();
        stuck.get(1).setSuccess();
        assertNull(channel.readInbound());
        pass(2_000);
        assertFalse(channel.isOpen());
    }

    @Test
    void tooLongALineEndsTheConnection() {
        send("AUTH " + SECRET + "\n" + "x".repeat(TcpFrames.LARGEST + 1));
        assertCutOff("ERR 1 a line is over 64 KiB");
        assertEquals(1, meters.get("callbridge.events").tags("pbx", "main", "result", "refused").counter().count());
    }

    private void send(String text) {
        channel.writeInbound(Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Netty's own handler looks at the real clock. */
    private void silence() {
        channel.pipeline().fireUserEventTriggered(IdleStateEvent.ALL_IDLE_STATE_EVENT);
    }

    private void pass(long ms) {
        channel.advanceTimeBy(ms, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
    }

    /** The reason, nothing after it, and soon the end. */
    private void assertCutOff(String reason) {
        assertEquals(reason + "\n", answer());
        channel.releaseInbound();
        send("AUTH " + SECRET + "\nmore\n");
        assertNull(channel.readInbound());
        assertNull(answer());
        pass(2_000);
        assertFalse(channel.isOpen());
    }

    private String answer() {
        ByteBuf line = channel.readOutbound();
        if (line == null) {
            return null;
        }
        String text = line.toString(StandardCharsets.UTF_8);
        line.release();
        return text;
    }
}
