package io.callbridge.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.platform.Settings;
import io.callbridge.store.StoreException;
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
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * However the bytes arrive, they are the same events; what is too long is noticed in time. Answers come in order, and no more is kept
 * for somebody who sends too much than is allowed; an event is read, sorted and counted like one that came by webhook. What a sender
 * sees who is a stranger, silent, one too many, or has ended, byte order marks, and what is no event: TcpIT.
 */
class TcpTest {

    private static final String SECRET = "sixteen-letters-and-more";
    private static final String EVENT = "{\"EventType\":\"Dial-In\",\"CallID\":\"c1\",\"SubCallID\":\"71101-a1\"}";
    private static final String STREAM = """
            {"EventType": "dial-in", "CallerIDName": "\u0418\u0432\u0430\u043d"}

            [EventType] => answer
            [CallerIDName] => \u0418\u0432\u0430\u043d
              [CalledDID] =>

            nonsense
            {"EventType": "hangup"}
            {}
            [EventType] => hangup
            {"swallowed": "by the block"}

            [1, 2]

            """;
    private static final List<String> EVENTS = List.of("{\"EventType\": \"dial-in\", \"CallerIDName\": \"\u0418\u0432\u0430\u043d\"}",
            "[EventType] => answer\n[CallerIDName] => \u0418\u0432\u0430\u043d\n  [CalledDID] =>\n", "nonsense",
            "{\"EventType\": \"hangup\"}", "{}", "[EventType] => hangup\n{\"swallowed\": \"by the block\"}\n", "[1, 2]");

    private final DefaultCamelContext camel = new DefaultCamelContext();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final EventKinds kinds = new EventKinds(meters);
    private final Settings settings = TestConfig.settings(TestConfig.of(Map.of("callbridge.pbx.main.secret", SECRET,
            "callbridge.tcp.max-silence-ms", "5000"), Map.of()));
    private final TcpFrames frames = new TcpFrames(Unpooled.buffer());
    private final TcpConnections connections = new TcpConnections(settings, kinds, camel);
    private final TcpReader reader = new TcpReader(settings, kinds, camel);
    private final Exchange exchange = new DefaultExchange(camel);
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
    void whatWaitsGoesTogetherAndIsAnsweredInOrder() {
        send("AUTH " + SECRET + "\nfirst\nsecond\nthird\n" + "x".repeat(TcpFrames.LARGEST + 1));
        assertNull(answer(), "AUTH itself is not answered");
        assertRouted(1, "first", "second", "third");
        channel.writeOutbound("ERR 3 because");
        channel.writeOutbound("OK 2");
        assertNull(answer());
        channel.writeOutbound("OK 1");
        assertEquals("OK 1\nOK 2\nERR 3 because\n", answer() + answer() + answer());
        assertCutOff("ERR 4 a line is over 64 KiB");
        assertEquals(1, meters.get("callbridge.events").tags("pbx", "main", "result", "refused").counter().count());
    }

    @Test
    void soManyEventsAreOnTheirWayAndNoMore() {
        send("AUTH " + SECRET + "\n" + "a\n".repeat(TcpConnection.MOST + 2));
        assertRouted(1, Collections.nCopies(TcpConnection.MOST, "a").toArray(String[]::new));
        channel.writeOutbound("OK 2");
        assertRouted(1);
        channel.writeOutbound("OK 1");
        assertRouted(TcpConnection.MOST + 1, "a", "a");
    }

    @Test
    void whoSendsTooMuchIsNotReadAnyMoreUntilThereIsRoom() {
        send("AUTH " + SECRET + "\n");
        String line = "x".repeat(999) + "\n";
        for (int i = 0; i < 2 * 66; i++) {
            assertTrue(channel.config().isAutoRead(), "after " + i);
            send(line);
        }
        assertFalse(channel.config().isAutoRead());
        assertRouted(1, Collections.nCopies(66, line.strip()).toArray(String[]::new));
        channel.writeOutbound("OK 1");
        assertTrue(channel.config().isAutoRead());
    }

    @Test
    void anAnswerIsOneLineAndAMistakeOfOursIsAnsweredToo() {
        send("AUTH " + SECRET + "\na\nb\n");
        channel.writeOutbound("ERR 1 first\r\nOK 2");
        assertEquals("ERR 1 first OK 2\n", answer());
        channel.releaseInbound();
        assertThrows(ClosedChannelException.class, () -> channel.writeOutbound(new IllegalStateException("private")));
        assertCutOff("ERR 2 Callbridge failed");
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
        send("AUTH " + SECRET + "\n" + "a".repeat(TcpFrames.LARGEST) + "\nb\nc\n");
        assertRouted(1, "a".repeat(TcpFrames.LARGEST));
        channel.writeOneOutbound("OK 1");
        assertRouted(2);
        stuck.get(0).setSuccess();
        assertRouted(2, "b", "c");
        channel.writeOneOutbound("OK 2");
        channel.writeOneOutbound("OK 3");
        silence();
        stuck.forEach(ChannelPromise::trySuccess);
        assertRouted(4);
        pass(2_000);
        assertFalse(channel.isOpen());
    }

    @Test
    void whenCallbridgeStopsWhatIsNotAnsweredMayBeSentAgain() {
        send("AUTH " + SECRET + "\na\nb\n");
        channel.writeOutbound("OK 2");
        camel.stop();
        channel.close();
        assertEquals("ERR 1 Callbridge is stopping; send it again\nOK 2\n", answer() + answer());
    }

    private void assertRouted(long first, String... texts) {
        for (int i = 0; i < texts.length; i++) {
            assertEquals(new TcpEvent("main", first + i, texts[i]), channel.readInbound());
        }
        assertNull(channel.readInbound());
    }

    private void send(String text) {
        channel.writeInbound(Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Netty's own handler looks at the real clock. */
    private void silence() {
        channel.pipeline().fireUserEventTriggered(IdleStateEvent.ALL_IDLE_STATE_EVENT);
        channel.runPendingTasks();
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

    @Test
    void aStreamIsTheSameInWhateverChunksAndWithWhateverLineEnds() {
        for (String stream : List.of(STREAM, STREAM.replace("\n", "\r\n"))) {
            byte[] all = stream.getBytes(StandardCharsets.UTF_8);
            for (int seed = 0; seed < 12; seed++) {
                Random random = new Random(seed);
                List<String> found = new ArrayList<>();
                for (int at = 0; at < all.length;) {
                    int end = seed == 0 ? all.length : Math.min(all.length, at + 1 + (seed == 1 ? 0 : random.nextInt(60)));
                    frames.add(Unpooled.wrappedBuffer(all, at, end - at));
                    for (String event = frames.event(); event != null; event = frames.event()) {
                        found.add(new String(event.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
                    }
                    at = end;
                }
                assertEquals(EVENTS, found);
                assertFalse(frames.unfinished());
            }
        }
    }

    @Test
    void anEventThatIsNotCompleteIsNone() {
        add("[EventType] => answer\n[CallID] => 1\n");
        assertNull(frames.event());
        assertTrue(frames.unfinished());
        add("\n");
        assertEquals("[EventType] => answer\n[CallID] => 1\n", frames.event());
        assertFalse(frames.unfinished());
    }

    /** Also before its end, or the memory would be the sender's. */
    @ParameterizedTest
    @CsvSource({"'', '', '\n'", "'[EventType] => answer\n[Filler] => ', '\n', '\n'", "'', '', ''"})
    void aLineOrBlockOf64KiBIsTakenAndOneByteMoreIsNot(String begin, String lineEnd, String end) {
        String longest = begin + "x".repeat(TcpFrames.LARGEST - begin.length() - lineEnd.length()) + lineEnd;
        for (int i = 0; i < 3; i++) {
            add(longest + "\n");
            assertEquals(longest, frames.event());
        }
        add(begin + "x" + longest.substring(begin.length()) + end);
        assertThrows(BadRequestException.class, frames::event);
    }

    @Test
    void theFieldsOfABlock() {
        assertEquals(Map.of("EventType", "answer", "CallerIDNum", "79000000010", "CalledNumber", "453*101", "CalledDID", "", "Note",
                "a => [b]"), new TcpEvent("main", 1, "[EventType] => answer\n[CallerIDNum] =>  79000000010\n  [CalledNumber]=>453*101 \n"
                        + "[CalledDID] =>\n[Note] => a => [b]\n[EventType] => repeated\n").fields(StandardCharsets.UTF_8));
    }

    private void add(String text) {
        frames.add(Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8)));
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
