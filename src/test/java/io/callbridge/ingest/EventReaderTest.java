package io.callbridge.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Values as PBXs write them: numbers of a form, where the raw plus, which should have been encoded, is a space; times in any unit. */
class EventReaderTest {

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
    }

    @Test
    void aDurationThatIsNoNumberIsReported() {
        assertEquals(Map.of("Duration", "00:01:00"), EventReader.unclear(Map.of("EventTime", "", "Duration", "00:01:00")));
        assertEquals(Map.of(), EventReader.unclear(Map.of("EventTime", " ", "Duration", "")));
    }

    private static Instant time(String sent) {
        return EventReader.read("main", Map.of("EventType", "hangup", "CallID", "c1", "SubCallID", "71101-1", "EventTime", sent), Instant.now()).time();
    }

    private static String number(String field) {
        byte[] form = ("EventType=dial-in&CallID=c1&SubCallID=71101-1&" + field).getBytes(StandardCharsets.UTF_8);
        return EventReader.read("main", EventFields.read(null, "application/x-www-form-urlencoded", form, StandardCharsets.UTF_8), Instant.now()).caller();
    }
}
