package io.callbridge.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** However the bytes arrive, they are the same events; what is too long is noticed in time. Byte order marks, and what is no event: TcpIT. */
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
        assertThrows(TooLargeException.class, frames::event);
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
}
