package io.callbridge.asterisk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** However the network cuts what an Asterisk sends, the same messages come out. */
class AmiFramesTest {

    private static final Path CAPTURES = Path.of("../shared/asterisk/captures");
    private static final String HANGUP = "Event: Hangup\r\nUniqueid: 1.2\r\nCause: 16\r\n\r\n";

    private final AmiFrames frames = new AmiFrames();

    @TestFactory
    Stream<DynamicTest> aCaptureGivesTheSameMessagesInWhateverChunks() throws IOException {
        if (!Files.isDirectory(CAPTURES)) {
            return Stream.empty();
        }
        try (Stream<Path> files = Files.walk(CAPTURES)) {
            return files.filter(file -> file.toString().endsWith(".ami")).sorted().toList().stream()
                    .map(file -> DynamicTest.dynamicTest(CAPTURES.relativize(file).toString(), () -> sameInWhateverChunks(file)));
        }
    }

    private static void sameInWhateverChunks(Path file) throws IOException {
        byte[] all = Files.readAllBytes(file);
        Random random = new Random(file.getFileName().toString().hashCode());
        List<String> plain = plain(new String(all, StandardCharsets.UTF_8));
        assertEquals(plain, cut(all, left -> left));
        assertEquals(plain, cut(all, left -> 1));
        assertEquals(plain, cut(all, left -> 1 + random.nextInt(700)));
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
    void theBannerIsALineAndMayComeWithTheFirstAnswer() {
        add("Asterisk Call Manager/5.0.4\r\nResponse: Success\r\nChallenge: 1\r\n\r\n");
        assertEquals("Asterisk Call Manager/5.0.4", frames.line());
        assertEquals("1", frames.next().get("Challenge"));
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

    @Test
    void eventsThatNobodyWantsAreNotRead() {
        add("Event: RTCPSent\r\nX: 1\r\n\r\nEvent: Hangups\r\n\r\nEvent:\r\n\r\n" + HANGUP + "Response: Error\r\n\r\n");
        assertEquals("Hangup", frames.next().event());
        assertEquals("Error", frames.next().get("Response"));
        assertNull(frames.next());
    }

    @Test
    void bytesThatAreNoTextAreReplaced() {
        byte[] bytes = "Event: Hangup\r\nCallerIDName: a?b\r\n\r\n".getBytes(StandardCharsets.UTF_8);
        bytes[30] = (byte) 0xff;
        assertEquals('?', "Event: Hangup\r\nCallerIDName: a?b".charAt(30));
        frames.add(Unpooled.wrappedBuffer(bytes));
        assertEquals("a\ufffdb", frames.next().get("CallerIDName"));
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
        String line = "x: " + "y".repeat(997);
        int taken = 0;
        try {
            while (taken < 10_000) {
                add(line + "\r\n");
                taken++;
                assertNull(frames.next());
            }
        } catch (TooLargeException e) {
            assertTrue(taken < 70, () -> "taken");
            return;
        }
        throw new AssertionError("all was taken");
    }

    private void add(String text) {
        frames.add(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
    }
}
