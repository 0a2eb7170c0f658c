package io.callbridge.asterisk;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** A stream of the manager interface as it was recorded on a real Asterisk, in the chunks in which it was received. */
public record Capture(String name, byte[] bytes, List<Chunk> chunks) {

    public static final Path FOLDER = Path.of("../shared/asterisk/captures");

    private static final String LOGGED_IN = "Authentication accepted\r\n\r\n";

    /** @param millis since the connection was made */
    public record Chunk(int from, int to, long millis) {
    }

    /** @param name relative to the folder, without {@code .ami} */
    public static Capture of(String name) throws IOException {
        byte[] bytes = Files.readAllBytes(FOLDER.resolve(name + ".ami"));
        List<long[]> index = Files.readAllLines(FOLDER.resolve(name + ".ami.idx")).stream().filter(line -> !line.isBlank())
                .map(line -> Stream.of(line.strip().split("\\s+")).mapToLong(word -> (long) Double.parseDouble(word)).toArray()).toList();
        List<Chunk> chunks = new ArrayList<>();
        for (int i = 0; i < index.size(); i++) {
            int to = i + 1 < index.size() ? (int) index.get(i + 1)[0] : bytes.length;
            chunks.add(new Chunk((int) index.get(i)[0], to, index.get(i)[1]));
        }
        return new Capture(name, bytes, chunks);
    }

    /** What came from one time to another, without the login. */
    byte[] received(long from, long to) {
        List<Chunk> part = afterLogin().stream().filter(chunk -> chunk.millis() >= from && chunk.millis() < to).toList();
        return Arrays.copyOfRange(bytes, Math.max(login(), part.get(0).from()), part.get(part.size() - 1).to());
    }

    List<Chunk> afterLogin() {
        return chunks.stream().filter(chunk -> chunk.to() > login()).toList();
    }

    private int login() {
        return new String(bytes, StandardCharsets.ISO_8859_1).indexOf(LOGGED_IN) + LOGGED_IN.length();
    }

    /** Names of all captures that have a truth file. */
    public static List<String> names() throws IOException {
        try (Stream<Path> files = Files.walk(FOLDER)) {
            return files.map(file -> FOLDER.relativize(file).toString()).filter(name -> name.endsWith(".truth.json"))
                    .map(name -> name.substring(0, name.length() - ".truth.json".length())).sorted().toList();
        }
    }

    /** A message and the time at which its last byte came. */
    record Timed(AmiMessage message, long millis) {
    }

    List<Timed> messages() {
        return messages(UnaryOperator.identity());
    }

    /** @param edit of the text of a message, to be read as one or several, or none */
    List<Timed> messages(UnaryOperator<String> edit) {
        List<Timed> messages = new ArrayList<>();
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int chunk = 0;
        for (int at = text.indexOf("\r\n") + 2; at < text.length();) {
            int end = text.indexOf("\r\n\r\n", at);
            end = end < 0 ? text.length() : end + 4;
            while (chunk + 1 < chunks.size() && chunks.get(chunk).to() < end) {
                chunk++;
            }
            long millis = chunks.get(chunk).millis();
            Stream.of(edit.apply(text.substring(at, end)).split("\r\n\r\n")).filter(message -> !message.isBlank())
                    .forEach(message -> messages.add(new Timed(AmiMessage.of(message), millis)));
            at = end;
        }
        return messages;
    }
}
