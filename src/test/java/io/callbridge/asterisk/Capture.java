package io.callbridge.asterisk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.support.Pages;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** A stream of the manager interface as it was recorded on a real Asterisk, in the chunks in which it was received. */
public record Capture(String name, byte[] bytes, List<Chunk> chunks) {

    public static final Path FOLDER = Path.of("../shared/asterisk/captures");

    private static final String WITHOUT = "no captures at " + FOLDER;
    private static final String LOGGED_IN = "Authentication accepted\r\n\r\n";

    /** @param millis since the connection was made */
    public record Chunk(int from, int to, long millis) {
    }

    /** @param name relative to the folder, without {@code .ami} */
    public static Capture of(String name) throws IOException {
        assumeTrue(areThere(), WITHOUT);
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
    public byte[] received(long from, long to) {
        List<Chunk> part = afterLogin().stream().filter(chunk -> chunk.millis() >= from && chunk.millis() < to).toList();
        return Arrays.copyOfRange(bytes, Math.max(login(), part.get(0).from()), part.get(part.size() - 1).to());
    }

    List<Chunk> afterLogin() {
        return chunks.stream().filter(chunk -> chunk.to() > login()).toList();
    }

    private int login() {
        return new String(bytes, StandardCharsets.ISO_8859_1).indexOf(LOGGED_IN) + LOGGED_IN.length();
    }

    /** They lie beside the checkout, which may be alone. */
    public static boolean areThere() {
        return Files.isDirectory(FOLDER);
    }

    /** Names of all captures that have a truth file. */
    public static List<String> names() {
        assumeTrue(areThere(), WITHOUT);
        return Pages.below(FOLDER).map(file -> FOLDER.relativize(file).toString()).filter(name -> name.endsWith(".truth.json"))
                .map(name -> name.replace(".truth.json", "")).sorted().toList();
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

    /**
     * What really happened during a capture, as the phones and the PBX's own records say, in the terms of contract
     * section 1: a talk begins when the extension is joined with the outside party, and parking ends it.
     */
    static final class Truth {

        /** Where the contract says something else than a channel's own life: seconds since the capture began. */
        private static final Map<String, Double> JOINED = Map.of("xfer_attended_dtmf 102", 9.269, "xfer_attended_refer 102", 5.751,
                "ast22/xfer_attended_refer 102", 5.752, "pickup_group 102", 1.623, "ast16sip/pickup_directed 103", 1.59,
                "park_and_retrieve 102", 3.905);
        private static final ObjectMapper JSON = new ObjectMapper();
        private static final Map<String, Double> PARKED = Map.of("park_and_retrieve 101", 2.279);
        static final double TOLERANCE = 0.3;
        private static final List<String> NEVER_CALLED_ANYBODY = List.of("in_queue_agent_login 101 caller", "in_conference 101 caller");

        /**
         * A leg of an extension.
         *
         * @param outside its other party is outside
         * @param start seconds since the capture began; {@code null}: not compared, since the leg began as another call
         * @param answer {@code null}: not answered
         * @param cardEnd how its card ends, and who took the call; {@code null}: there is none, or it is not compared
         */
        record Leg(String callId, String id, String extension, String direction, boolean outside, String did, Double start, Double answer, double end,
                String cardEnd) {

            boolean registered() {
                return outside && (answer != null || direction.equals("out"));
            }

            /** @param seen what the bridge says about it */
            void assertSeen(Leg seen) {
                assertEquals(timeless(cardEnd), seen.timeless(cardEnd == null ? null : seen.cardEnd));
                assertSame(start, seen.start);
                assertSame(answer, seen.answer);
                assertSame(end, seen.end);
            }

            private Leg timeless(String ended) {
                return new Leg(callId, id, extension, direction, outside, did, null, answer == null ? null : 0.0, 0, ended);
            }

            private void assertSame(Double expected, Double seen) {
                if (expected != null) {
                    assertEquals(expected, seen, TOLERANCE, this::toString);
                }
            }
        }

        private final String name;
        private final String prefix;
        private final JsonNode truth;
        private final double begin;

        private Truth(String name, String prefix, JsonNode truth) {
            this.name = name;
            this.prefix = prefix;
            this.truth = truth;
            this.begin = truth.path("ami_t0").asDouble();
        }

        static Truth of(String name) throws IOException {
            return of(name, "");
        }

        /** @param prefix of its ids */
        static Truth of(String name, String prefix) throws IOException {
            return new Truth(name, prefix, JSON.readTree(Capture.FOLDER.resolve(name + ".truth.json").toFile()));
        }

        List<Leg> legs() {
            List<Leg> legs = new ArrayList<>();
            for (JsonNode leg : truth.path("legs")) {
                String party = leg.path("party").asText();
                String key = name + " " + party;
                boolean caller = leg.path("role").asText().equals("caller");
                if (party.equals("trunk") || NEVER_CALLED_ANYBODY.contains(key + (caller ? " caller" : ""))) {
                    continue;
                }
                String direction = leg.path("direction").asText();
                boolean joined = JOINED.containsKey(key) && (!caller || !name.contains("xfer"));
                boolean out = direction.equals("out");
                Double answer = joined ? JOINED.get(key) : out ? seconds(trunkOf(leg), "answer") : seconds(leg, "answer");
                Double end = PARKED.getOrDefault(key, seconds(leg, "end"));
                legs.add(new Leg(prefix + leg.path(joined ? "linkedid_at_end" : "linkedid").asText(), prefix + leg.path("uniqueid").asText(), party, out || caller && !joined ? "out" : "in",
                        joined || !direction.equals("int"), joined || direction.equals("in") ? did() : null,
                        joined ? null : seconds(leg, "start"), answer, end,
                        joined || !direction.equals("in") || !leg.path("sip_ringing").asBoolean() ? null : cardEnd(leg)));
            }
            return legs;
        }

        /** The phones of a burst have ends and answers within milliseconds, in any order. */
        private String cardEnd(JsonNode rang) {
            if (!rang.path("answer").isNull()) {
                return "ended null";
            }
            return channels()
                    .filter(leg -> leg.path("linkedid_at_end").equals(rang.path("linkedid")) && !leg.path("answer").isNull())
                    .filter(leg -> !leg.path("party").asText().equals("trunk") || leg.path("role").asText().equals("callee"))
                    .filter(leg -> leg.path("answer").asDouble() >= rang.path("start").asDouble()
                            && leg.path("answer").asDouble() <= rang.path("end").asDouble() + 1)
                    .map(leg -> "answered-elsewhere " + (leg.path("party").asText().equals("trunk") ? null : leg.path("party").asText()))
                    .findFirst().orElse("unanswered null");
        }

        private Stream<JsonNode> channels() {
            return StreamSupport.stream(truth.path("legs").spliterator(), false);
        }

        private String did() {
            return channels().filter(leg -> leg.path("direction").asText().equals("in"))
                    .map(leg -> "+" + leg.path("did").asText()).findFirst().orElseThrow();
        }

        /** The leg of the outside party whom an extension called. */
        private JsonNode trunkOf(JsonNode leg) {
            return channels()
                    .filter(other -> other.path("party").asText().equals("trunk") && other.path("linkedid").equals(leg.path("linkedid")))
                    .findFirst().orElseThrow();
        }

        /** CallIDs of calls from outside in which nobody talked to the caller. */
        List<String> missed() {
            if (name.equals("in_conference")) {
                return List.of();
            }
            return channels()
                    .filter(leg -> leg.path("party").asText().equals("trunk") && leg.path("role").asText().equals("caller"))
                    .map(leg -> leg.path("linkedid").asText())
                    .filter(call -> channels().noneMatch(
                            leg -> leg.path("linkedid_at_end").asText().equals(call) && !leg.path("answer").isNull()
                                    && !(leg.path("role").asText().equals("caller") && leg.path("party").asText().equals("trunk"))))
                    .map(prefix::concat).toList();
        }

        /** The recording of a leg has its base name, also if it is without sound. */
        void assertRecording(Leg leg, String recordingId) {
            List<String> names = new ArrayList<>();
            truth.path("recordings").fieldNames().forEachRemaining(file -> names.add(file.substring(file.lastIndexOf('/') + 1)));
            boolean none = leg.answer() == null || !truth.path("expected").path("recording").asBoolean();
            assertTrue(recordingId == null ? none : names.contains(recordingId), () -> leg + ": " + recordingId);
        }

        private Double seconds(JsonNode leg, String field) {
            JsonNode value = leg.path(field);
            return value.isNull() || value.isMissingNode() ? null : (Double) (value.asDouble() - begin);
        }
    }
}
