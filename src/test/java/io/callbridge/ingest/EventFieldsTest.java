package io.callbridge.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A name is read in the charset in which it was written, as far as it can be, whatever damage it has taken on its way. */
class EventFieldsTest {

    private static final String FORM = "application/x-www-form-urlencoded";
    private static final String JSON = "application/json";
    private static final Charset RUSSIAN = Charset.forName("windows-1251");
    private static final String IVAN = "\u0418\u0432\u0430\u043d";

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
                EventFields.read(null, JSON, json.getBytes(StandardCharsets.ISO_8859_1), RUSSIAN));
    }

    @Test
    void aBlockIsReadLineByLine() {
        String block = "[CallerIDName] => \u00c8\u00e2\u0085\n" + asTheServerSeesIt("[Good] => " + IVAN + "\n[Mood] => \u0001");
        assertEquals(Map.of("CallerIDName", "\u0418\u0432\u2026", "Good", IVAN, "Mood", "\uFFFD"), EventFields.block(block, RUSSIAN));
    }

    @ParameterizedTest
    @ValueSource(strings = {"EventType=%FF", "CallID=100%", "CallID=%u0418", "SubCallID=a%01b", "SubCallID=%D0"})
    void whatSaysWhichEventItIsIsNotGuessed(String form) {
        String reason = assertThrows(BadRequestException.class, () -> EventFields.read(form, null, new byte[0], RUSSIAN)).getMessage();
        assertTrue(reason.startsWith(form.split("=")[0] + " cannot be read"), reason);
    }

    /** A character for each byte. */
    private static String asTheServerSeesIt(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }
}
