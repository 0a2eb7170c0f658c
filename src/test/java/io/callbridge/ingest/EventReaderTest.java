package io.callbridge.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers as PBXs send them in a form: the raw plus, which should have been encoded, is a space. */
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

    private static String number(String field) {
        byte[] form = ("EventType=dial-in&CallID=c1&SubCallID=71101-1&" + field).getBytes(StandardCharsets.UTF_8);
        return EventReader.read("main", EventFields.read(null, "application/x-www-form-urlencoded", form, StandardCharsets.UTF_8), Instant.now()).caller();
    }
}
