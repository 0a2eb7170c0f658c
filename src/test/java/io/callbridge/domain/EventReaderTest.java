package io.callbridge.domain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.callbridge.ingest.EventFields;
import io.callbridge.ingest.EventKinds;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Values as PBXs write them: numbers of a form, where the raw plus, which should have been encoded, is a space; times in any unit;
 * a name in the charset in which it was written, as far as it can be read, whatever damage it has taken on its way.
 */
class EventReaderTest {

    private static final String FORM = "application/x-www-form-urlencoded";
    private static final Charset RUSSIAN = Charset.forName("windows-1251");
    private static final String IVAN = "\u0418\u0432\u0430\u043d";
    private static final Instant NOW = Instant.parse("2025-03-04T09:00:00Z");

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final EventKinds kinds = new EventKinds(meters);

    @ParameterizedTest
    @CsvSource({"+79000000010, +79000000010", "+7+900+000-00-10, +7 900 000-00-10", "+7+(900)+000.00.10, +7 (900) 000.00.10",
            "%2B7+900+0000010, +7 900 0000010", "79000000010, 79000000010", "7+900+000-00-10, 7 900 000-00-10", "+101, 101",
            "+1-0-1, 1-0-1", "+900000, 900000", "+9000000, +9000000", "+453*1012345, 453*1012345", "+-79000000010, -79000000010",
            "+7900000001x, 7900000001x"})
    void aLostPlusIsGivenBackToANumberAndToNothingElse(String sent, String read) {
        assertEquals(read, number("CallerIDNum=" + sent));
    }

    @Test
    void aTextThatIsLongerThanAnyNumberIsNone() {
        assertEquals("7".repeat(200), number("CallerIDNum=" + "7".repeat(200)));
        assertNull(number("CallerIDNum=" + "7".repeat(201)));
        assertNull(number("CallerIDNum=+7" + "+7".repeat(10_000)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1741078800250000", "1741078800250", "1741078800.25", "1741078800.250000", "2025-03-04T09:00:00.25Z",
            "2025-03-04T12:00:00.250+03:00", "2025-03-04T12:00:00.250 03:00", "2025-03-04 04:00:00.250-0500", "2025-03-04t09:00:00.250z",
            "20250304T120000.25+03", " 1741078800250 "})
    void aTimeIsReadInAnyUnit(String sent) {
        assertEquals(Instant.parse("2025-03-04T09:00:00.250Z"), time(sent));
        assertEquals(Map.of(), EventReader.unclear(Map.of("EventTime", sent)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"yesterday", "0", "-1741078800", "17410788002500000", "999999999999999999", "9999999999999999999999", "1.7e9",
            "2025-03-04T09:00:00", "2025-03-04 09:00", "04.03.2025 09:00:00", "09:00:00", "2525-03-04T09:00:00Z", "1741078800,25"})
    void aTimeThatMayMeanSomethingElseIsNoneAndIsReported(String sent) {
        assertNull(time(sent));
        assertEquals(Map.of("EventTime", sent), EventReader.unclear(Map.of("EventTime", sent, "Duration", "60")));
        assertEquals(Map.of("Duration", "00:01:00"), EventReader.unclear(Map.of("EventTime", " ", "Duration", "00:01:00")));
    }

    private static Instant time(String sent) {
        return EventReader.read("main", Map.of("EventType", "hangup", "CallID", "c1", "SubCallID", "71101-1", "EventTime", sent), Instant.now()).time();
    }

    private static String number(String field) {
        byte[] form = ("EventType=dial-in&CallID=c1&SubCallID=71101-1&" + field).getBytes(StandardCharsets.UTF_8);
        return EventReader.read("main", EventFields.read(null, FORM, form, StandardCharsets.UTF_8), Instant.now()).caller();
    }

    /** ~ stands for what cannot be read. */
    @ParameterizedTest
    @CsvSource({"%D0%98%D0%B2%D0%B0%D0%BD, \u0418\u0432\u0430\u043d", "%C8%E2%E0%ED, \u0418\u0432\u0430\u043d", "%CF%B8%F2%F0, \u041f\u0451\u0442\u0440",
            "%D0%98%D0%B2%D0%B0%D0, \u0418\u0432\u0430~", "%D0%98%D0%B2%FF%D0%B0, \u0418\u0432~\u0430", "%D0%98%D0%B2%D0%B0%F0%9F%93, \u0418\u0432\u0430~",
            "%EF%BF%BD, ~", "100%, 100%", "%u0418, %u0418", "5%+off, 5% off", "%zz%4, %zz%4", "a%01b%00, a~b~", "%98, ~", "%0D%0Ax%09, '\r\nx\t'",
            "\uD83D\uDCDE%20%D0%98, \uD83D\uDCDE \u0418", "%F0%9F%93%9E\uD83D\uDCDE, \uD83D\uDCDE\uD83D\uDCDE", "%EF%BB%BF%EF%BB%BFIvan, Ivan"})
    void aNameInAForm(String sent, String name) {
        String read = name.replace('~', '\uFFFD');
        String form = "CallerIDName=" + sent + "&CallID=1";
        assertEquals(read, EventFields.read(null, FORM, form.getBytes(StandardCharsets.UTF_8), RUSSIAN).get("CallerIDName"));
        assertEquals(read, EventFields.read(asTheServerSeesIt(form), null, new byte[0], RUSSIAN).get("CallerIDName"));
    }

    @Test
    void whatIsNotUtf8IsInTheCharsetThatTheSenderSaysElseInThePbxs() {
        byte[] koi8 = ("CallerIDName=" + IVAN).getBytes(Charset.forName("koi8-r"));
        assertEquals(IVAN, EventFields.read(null, FORM + "; charset=KOI8-R", koi8, RUSSIAN).get("CallerIDName"));
        assertEquals(IVAN, EventFields.read(null, FORM + "; charset=klingon", ("CallerIDName=" + IVAN).getBytes(RUSSIAN), RUSSIAN).get("CallerIDName"));
        assertEquals("Jos\u00e9", EventFields.read("CallerIDName=Jos%E9", null, new byte[0], Charset.forName("windows-1252")).get("CallerIDName"));
    }

    @Test
    void jsonThatIsDamagedInOnePlaceIsReadInAllOthers() {
        String json = asTheServerSeesIt("{\"CallID\":\"\u00e9\",\"Good\":\"" + IVAN + "\",\"Mood\":\"\u0001\\ud83d\",")
                + "\"CallerIDName\":\"\u00c8\u00e2\"}";
        assertEquals(Map.of("CallID", "\u00e9", "Good", IVAN, "Mood", "\uFFFD\uFFFD", "CallerIDName", "\u0418\u0432"),
                EventFields.read(null, "application/json", json.getBytes(StandardCharsets.ISO_8859_1), RUSSIAN));
    }

    @Test
    void aBlockIsReadLineByLine() {
        String block = "[CallerIDName] => \u00c8\u00e2\u0085\n" + asTheServerSeesIt("[Good] => " + IVAN + "\n[Mood] => \u0001");
        assertEquals(Map.of("CallerIDName", "\u0418\u0432\u2026", "Good", IVAN, "Mood", "\uFFFD"), EventFields.block(block, RUSSIAN));
    }

    /** A character for each byte. */
    private static String asTheServerSeesIt(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    /** Some events come late, after an outage say. */
    @Test
    void theClockIsTheMiddleOfTheLastHundredDifferences() {
        assertEquals(OptionalDouble.empty(), kinds.clockSeconds("main"));
        accept(-10_800);
        assertEquals(-10_800, kinds.clockSeconds("main").orElseThrow());
        IntStream.range(0, 60).forEach(i -> accept(7_200.5));
        IntStream.range(0, 40).forEach(i -> accept(-4_000));
        assertEquals(7_200.5, kinds.clockSeconds("main").orElseThrow());
        IntStream.range(0, 20).forEach(i -> accept(0));
        assertEquals(0, kinds.clockSeconds("main").orElseThrow());
        assertEquals(121, meters.get("callbridge.events").tags("pbx", "main", "type", "hangup", "result", "accepted").counter().count());
    }

    private void accept(double ahead) {
        kinds.accepted(EventReader.read("main", Map.of("EventType", "hangup", "CallID", "c1", "SubCallID", "71101-1", "EventTime",
                NOW.plusMillis(Math.round(ahead * 1000)).toString()), NOW));
    }
}
