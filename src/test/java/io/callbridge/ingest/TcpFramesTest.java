package io.callbridge.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** However the bytes arrive, they are the same events; what is too long, or no text, is noticed in time. */
class TcpFramesTest {

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

    private final TcpFrames frames = new TcpFrames(Unpooled.buffer());

    @Test
    void theStreamInOnePiece() {
        assertEquals(EVENTS, events(bytes(STREAM), STREAM.length() * 2));
        assertFalse(frames.unfinished());
    }

    @Test
    void theStreamByteByByte() {
        assertEquals(EVENTS, events(bytes(STREAM), 1));
    }

    @Test
    void theStreamWithTheLineEndsOfWindows() {
        assertEquals(EVENTS, events(bytes(STREAM.replace("\n", "\r\n")), 1));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void theStreamInChunksOfAnySize(long seed) {
        Random random = new Random(seed);
        byte[] all = bytes(STREAM);
        List<String> found = new ArrayList<>();
        for (int at = 0; at < all.length;) {
            int end = Math.min(all.length, at + 1 + random.nextInt(60));
            found.addAll(events(Arrays.copyOfRange(all, at, end), all.length));
            at = end;
        }
        assertEquals(EVENTS, found);
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

    @Test
    void aLineOf64KiBIsTakenAndOneByteMoreIsNot() {
        String longest = "x".repeat(TcpFrames.LARGEST);
        add(longest + "\n");
        assertEquals(longest, frames.event());
        add(longest + "x\n");
        assertThrows(TooLargeException.class, frames::event);
    }

    /** Or the memory would be the sender's. */
    @Test
    void aLineThatIsTooLongIsNoticedBeforeItsEnd() {
        add("x".repeat(TcpFrames.LARGEST));
        assertNull(frames.event());
        add("x");
        assertThrows(TooLargeException.class, frames::event);
    }

    @Test
    void aBlockOf64KiBIsTakenAndOneByteMoreIsNot() {
        String start = "[EventType] => answer\n[Filler] => ";
        String longest = start + "x".repeat(TcpFrames.LARGEST - start.length() - 1) + "\n";
        add(longest + "\n");
        assertEquals(longest, frames.event());
        add(start + "x".repeat(TcpFrames.LARGEST - start.length()) + "\n");
        assertThrows(TooLargeException.class, frames::event);
    }

    @Test
    void everyBlockHas64KiBOfItsOwn() {
        String large = "[Filler] => " + "x".repeat(TcpFrames.LARGEST / 2) + "\n";
        for (int i = 0; i < 3; i++) {
            add(large + "\n");
            assertEquals(large, frames.event());
        }
    }

    @Test
    void byteOrderMarksMeanNothing() {
        add("\uFEFFAUTH x\n");
        assertEquals("AUTH x", frames.line());
        add("\uFEFF\uFEFF{}\n\uFEFF[EventType] => answer\n\n");
        assertEquals("{}", frames.event());
        assertEquals("[EventType] => answer\n", frames.event());
    }

    @Test
    void theFieldsOfABlock() {
        assertEquals(Map.of("EventType", "answer", "CallerIDNum", "79000000010", "CalledNumber", "453*101", "CalledDID", "", "Note",
                "a => [b]"), new TcpEvent("main", 1, "[EventType] => answer\n[CallerIDNum] =>  79000000010\n  [CalledNumber]=>453*101 \n"
                        + "[CalledDID] =>\n[Note] => a => [b]\n[EventType] => repeated\n").fields(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @ValueSource(strings = {"nonsense", "[1, 2]", "{", "{} {}", "[EventType] => answer\nnonsense\n", "[EventType] => \u0001\n", "\"text\""})
    void anEventThatCannotBeReadIsRefusedInOneLine(String text) {
        String reason = assertThrows(BadRequestException.class, () -> new TcpEvent("main", 1, text).fields(StandardCharsets.UTF_8)).getMessage();
        assertEquals(1, reason.lines().count(), reason);
    }

    private List<String> events(byte[] bytes, int chunk) {
        List<String> found = new ArrayList<>();
        for (int at = 0; at < bytes.length; at += chunk) {
            frames.add(Unpooled.wrappedBuffer(bytes, at, Math.min(chunk, bytes.length - at)));
            for (String event = frames.event(); event != null; event = frames.event()) {
                found.add(new String(event.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
            }
        }
        return found;
    }

    private void add(String text) {
        frames.add(Unpooled.wrappedBuffer(bytes(text)));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
