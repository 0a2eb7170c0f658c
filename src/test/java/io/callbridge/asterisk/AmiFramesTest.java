package io.callbridge.asterisk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.callbridge.ingest.TooLargeException;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** However the network cuts what an Asterisk sends, the same messages come out. */
class AmiFramesTest {

    private static final String HANGUP = "Event: Hangup\r\nUniqueid: 1.2\r\nCause: 16\r\n\r\n";

    private final AmiFrames frames = new AmiFrames();

    @Test
    void aCaptureGivesTheSameMessagesInWhateverChunks() throws IOException {
        try (Stream<Path> files = Files.walk(Capture.FOLDER)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".ami")).toList()) {
                byte[] all = Files.readAllBytes(file);
                Random random = new Random(all.length);
                List<String> plain = plain(new String(all, StandardCharsets.UTF_8));
                assertEquals(plain, cut(all, left -> left), file::toString);
                assertEquals(plain, cut(all, left -> 1), file::toString);
                assertEquals(plain, cut(all, left -> 1 + random.nextInt(700)), file::toString);
            }
        }
    }

    private static List<String> cut(byte[] all, IntUnaryOperator chunk) {
        AmiFrames frames = new AmiFrames();
        List<String> found = new ArrayList<>();
        String banner = null;
        for (int at = 0; at < all.length;) {
            int until = Math.min(all.length, at + chunk.applyAsInt(all.length - at));
            frames.add(Unpooled.wrappedBuffer(all, at, until - at));
            at = until;
            banner = banner == null ? frames.line() : banner;
            for (AmiMessage next = banner == null ? null : frames.next(); next != null; next = frames.next()) {
                found.add(next.toString());
            }
        }
        return found;
    }

    /** The same by other means: all at once, as text. */
    private static List<String> plain(String text) {
        return Arrays.stream(text.substring(text.indexOf('\n') + 1).replaceFirst("(?s)(.*\\r\\n\\r\\n).*", "$1").split("(\\r\\n){2,}"))
                .filter(block -> !block.isBlank()).map(block -> AmiMessage.of(block.strip()))
                .filter(message -> message.event().isEmpty() || AsteriskReader.EVENTS.contains(message.event())
                        || message.event().equals(AmiFrames.BOOTED) || message.event().equals(AmiFrames.SHUTDOWN))
                .map(AmiMessage::toString).toList();
    }

    @Test
    void behindTheBannerEventsThatNobodyWantsAreNotReadAndBytesThatAreNoTextAreReplaced() {
        add("Asterisk Call Manager/5.0.4\r\nEvent: RTCPSent\r\nX: 1\r\n\r\nEvent: Hangups\r\n\r\nEvent:\r\n\r\n" + HANGUP
                + "Response: Error\r\n\r\nEvent: Hangup\r\nCallerIDName: a");
        frames.add(Unpooled.wrappedBuffer(new byte[] {(byte) 0xff, 'b', '\r', '\n', '\r', '\n'}));
        assertEquals("Asterisk Call Manager/5.0.4", frames.line());
        assertEquals("Hangup", frames.next().event());
        assertEquals("Error", frames.next().get("Response"));
        assertEquals("a\ufffdb", frames.next().get("CallerIDName"));
        assertNull(frames.next());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Event: Hangup\nUniqueid: 1.2\n\n", "event: Hangup\r\nUNIQUEID:1.2\r\n\r\n", "\r\n\r\n\nEvent:Hangup\nUniqueid: 1.2\n\r\n",
            "Event: Hangup\r\nUniqueid: 1.2\r\nUniqueid: 3\r\nno field\r\n: none\r\n\r\n"})
    void lineEndsEmptyLinesAndRepeatedKeysDoNotMatter(String text) {
        add(text + HANGUP);
        for (int i = 0; i < 2; i++) {
            AmiMessage message = frames.next();
            assertEquals("Hangup", message.event());
            assertEquals("1.2", message.get("Uniqueid"));
        }
        assertNull(frames.next());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1000, 70_000})
    void aMessageOver64KiBIsRefusedAndOneOf64KiBIsNot(int chunk) {
        String begin = "Event: Hangup\r\nA: ";
        String most = begin + "x".repeat(AmiFrames.LARGEST - begin.length() - 1);
        add(most + "\r\n\r\n");
        assertEquals("Hangup", frames.next().event());
        assertThrows(TooLargeException.class, () -> {
            for (String text = most + "xx\r\n\r\n" + HANGUP; !text.isEmpty(); text = text.substring(Math.min(text.length(), chunk))) {
                add(text.substring(0, Math.min(text.length(), chunk)));
                frames.next();
            }
        });
    }

    @Test
    void noEndAtAllIsRefusedBeforeItFillsTheMemory() {
        assertThrows(TooLargeException.class, () -> {
            for (int taken = 0; taken < 70; taken++) {
                add("x: " + "y".repeat(997) + "\r\n");
                assertNull(frames.next());
            }
        });
    }

    private void add(String text) {
        frames.add(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
    }
}
