package io.callbridge.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.logging.LogRecord;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.Level;
import org.jboss.logmanager.formatters.PatternFormatter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the log shows of a number, and that it shows all the rest. */
class LogMaskTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "+79000000010 | ***10", "79000000010 | ***10", "the caller 79000000010 is unknown | the caller ***10 is unknown",
        "'+79000000010', '+79000000011' | '***10', '***11'", "+7 (900) 000-00-10 | ***10", "8 (900) 000-00-10 called | ***10 called",
        "(900) 000-00-10 | (***10", "8-800-555-35-35 | ***35", "8.900.000.00.10 | ***10", "01.23.45.67.89 | ***89",
        "900.000.00.10 | ***10", "+44 20 7946 0958 | ***58", "+49 (0) 911 1234567 | ***67", "0911-12345678 | ***78", "123-45-67 | ***67",
        "1234567 | ***67", "00 49 911 1234567 | ***67", "8107900000001012345 | ***45", "+7\u00a0900\u00a0000\u201100\u201110 | ***10",
        "tel:+79000000010 | tel:***10", "tel:+7-900-000-00-10;ext=101 | tel:***10;ext=101",
        "sip:79000000010@sip.pbx.example | sip:***10@sip.pbx.example", "<sip:+79000000010@10.0.0.1:5060> | <sip:***10@10.0.0.1:5060>",
        "PJSIP/79000000010-00000a1b | PJSIP/***10-00000a1b", "SIP/trunk-79000000010 | SIP/trunk-***10", "453*79000000010 | 453****10",
        "/entities?phone=%2B79000000010 500 | /entities?phone=***10 500", "phone%3D%2B79000000010 | phone%3D***10",
        "phone%253D79000000010 | phone%253D***10", "q=%2B7%20%28900%29%20000-00-10 | q=***10",
        "{\"number\":\"+79000000010\"} | {\"number\":\"***10\"}", "{\"number\":\"\\u002B79000000010\"} | {\"number\":\"\\u002B***10\"}",
        "number=79000000010&did=74950000001 | number=***10&did=***01", "n79000000010 | n***10",
        "port 5038 (10.0.0.1), 79000000010 | port 5038 (10.0.0.1), ***10", "71101-79000000010 | ***10"})
    void aNumberIsMasked(String text, String shown) {
        String masked = LogMask.mask(text);
        // How much in front of the digits goes with them is of no interest.
        assertEquals(shown.replaceAll("%2B\\*|\\\\u002B", "").replace("****", "***"),
                masked.replaceAll("%2B(?=\\*)|\\\\u002B|\\+(?=\\*)", "").replace("****", "***"));
        assertFalse(masked.matches("(?s).*[0-9]{7}.*"), masked);
    }

    @ParameterizedTest
    @ValueSource(strings = {"call e6bd7bb2622b424392a012e28473f91a of PBX main", "call 92362226224243920125284739112345",
        "71101-e6bd7bb2622b424392a012e28473f91a", "71101-92362226224243920125284739112345", "[71101-1a2b3c4d]",
        "call 1764295205.17, leg 1764295205.1234567", "4be1a670-4be1-a670-4be1-a6704be1a670",
        "exchange 59C2A3BD1F5A6CB-0000000000000003", "io.callbridge.store.Store@1b2c3d4e", "2026-11-28 02:08:25,123 WARN",
        "2026-11-28T02:08:25.123456789Z", "from 02:08:25.123456 on", "arrived at 1764295205123, 1764295205123456",
        "netty:tcp://127.0.0.1:5038 and 192.168.100.200:8080", "http://10.20.30.40:65535/rest",
        "453*101@sip.pbx.example of 099 and 101", "answer 503 after try 12 (10000 ms)",
        "at io.callbridge.store.Store.commit(Store.java:325)", "version 3.31.3, 9.0.21", "5038 connections of 192.168.1.10",
        "100000 calls purged", ""})
    void whatIsNoNumberStays(String text) {
        assertEquals(text, LogMask.mask(text));
    }

    @Test
    void messagesAreMaskedWithTheirParameters() {
        LogMask mask = new LogMask("masked");
        ExtLogRecord record = record("%s calls %s");
        record.setParameters(new Object[] {"+79000000010", "101"});
        assertTrue(mask.isLoggable(record));
        assertEquals("***10 calls 101", record.getFormattedMessage());
        assertTrue(mask.isLoggable(record), "a second handler");
        assertEquals("***10 calls 101", record.getFormattedMessage());
        ExtLogRecord broken = record("100 % of +79000000010");
        mask.isLoggable(broken);
        assertEquals("100 % of ***10", broken.getFormattedMessage());
    }

    @Test
    void messagesOfExceptionsAreMaskedToo() {
        IllegalStateException failure = new IllegalStateException("number 79000000010", new RuntimeException("+7 (900) 000-00-11"));
        failure.addSuppressed(new IllegalArgumentException("79000000012"));
        ExtLogRecord record = record("failed");
        record.setThrown(failure);
        new LogMask("masked").isLoggable(record);
        String shown = new PatternFormatter("%s%e").format(record);
        for (String part : new String[] {"java.lang.IllegalStateException: number ***10", "Caused by: java.lang.RuntimeException: ***11",
            "Suppressed: java.lang.IllegalArgumentException: ***12", "LogMaskTest.java:"}) {
            assertTrue(shown.contains(part), () -> part + " is not in " + shown);
        }
        assertFalse(shown.contains("MaskedThrowable"), shown);
    }

    @Test
    void anExceptionWithoutANumberStaysWhatItIsAndSoDoesAllThatIsToBeShown() {
        RuntimeException first = new RuntimeException("first");
        RuntimeException second = new RuntimeException("second", first);
        first.initCause(second);
        ExtLogRecord record = record("failed");
        record.setThrown(second);
        new LogMask("masked").isLoggable(record);
        assertSame(second, record.getThrown());
        first.addSuppressed(new RuntimeException("79000000010"));
        record.setMessage("+7 (900) 000-00-10");
        assertTrue(new LogMask("full").isLoggable(record));
        assertEquals("+7 (900) 000-00-10", record.getFormattedMessage());
        assertSame(second, record.getThrown());
        new LogMask("masked").isLoggable(record);
        assertFalse(new PatternFormatter("%e").format(record).contains("79000000010"));
    }

    @Test
    void aTextOfManyDigitsAndARecordOfAnotherKindAreMaskedToo() {
        assertEquals("***21", LogMask.mask("1 2 ".repeat(100_000) + "1"));
        LogRecord record = new LogRecord(java.util.logging.Level.INFO, "79000000010");
        new LogMask("masked").isLoggable(record);
        assertEquals("***10", record.getMessage());
        assertTrue(new LogMask("masked").isLoggable(new LogRecord(java.util.logging.Level.INFO, null)));
    }

    private static ExtLogRecord record(String format) {
        return new ExtLogRecord(Level.INFO, format, ExtLogRecord.FormatStyle.PRINTF, LogMaskTest.class.getName());
    }
}
