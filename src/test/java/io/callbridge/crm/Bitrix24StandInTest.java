package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A stand-in that is milder than its vendor would make the adapter's tests pass for nothing. */
class Bitrix24StandInTest {

    private static final Map<String, String> GOOD = Map.of("register", "{'USER_ID': 7, 'PHONE_NUMBER': '+79161234567', 'TYPE': 2,"
            + " 'CALL_START_DATE': '2026-03-07T10:20:30+03:00', 'EXTERNAL_CALL_ID': 'leg-1'}", "finish", "{'CALL_ID': '$', 'USER_ID': 7}",
            "attachRecord", "{'CALL_ID': '$', 'RECORD_URL': 'https://pbx.example/1.mp3?key=1'}", "hide", "{'CALL_ID': '$', 'USER_ID': [7]}",
            "searchCrmEntities", "{'PHONE_NUMBER': '+79161234567'}");

    private final Bitrix24StandIn crm = new Bitrix24StandIn();

    @BeforeEach
    void people() {
        crm.user(7, "101", true);
        crm.user(9, "103", false);
    }

    @AfterEach
    void close() {
        crm.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            register          | 'USER_ID': 7,       |                       | ERROR_CORE: USER_ID or USER_PHONE_INNER should be set
            register          | 7,                  | 9,                    | ERROR_CORE: User is not found or is not active
            register          | 2,                  | 6,                    | ERROR_CORE: Unknown TYPE
            register          | +79161234567        | anonymous             | ERROR_CORE: Unsupported phone number format
            register          | T10                 | " 10"                 | ERROR_CORE: CALL_START_DATE
            register          | EXTERNAL            | INTERNAL              | INVALID_ARGUMENT: Stand-in: unknown parameter INTERNAL_CALL_ID
            register          | 'leg-1'             | 1                     | INVALID_ARGUMENT: Stand-in: EXTERNAL_CALL_ID must not be 1
            register          | 'leg-1'             | null                  | INVALID_ARGUMENT: Stand-in: EXTERNAL_CALL_ID must not be null
            register          | 7,                  | 7, 'SHOW': 2,         | INVALID_ARGUMENT: Stand-in: SHOW must not be 2
            finish            | '$'                 | 12                    | INVALID_ARGUMENT: Stand-in: CALL_ID must not be 12
            finish            | $                   | 12                    | ERROR_CORE: Call is not found (call should be registered
            finish            | 7                   | 9                     | ERROR_CORE: User is not found or is not active
            finish            | 7                   | 7, 'STATUS_CODE': '9' | INVALID_ARGUMENT: Stand-in: STATUS_CODE must not be
            attachRecord      |                     |                       | ": Call is not found in the statistic table"
            searchCrmEntities | +79161234567        |                       | ERROR_CORE: PHONE_NUMBER is empty
            close             |                     |                       | ERROR_METHOD_NOT_FOUND: Method not found!
            """)
    void itRefuses(String method, String good, String bad, String refusal) throws Exception {
        String id = ask("register").at("/result/CALL_ID").asText();
        JsonNode answer = ask(method, id, good == null ? "" : good, bad == null ? "" : bad);
        String said = answer.path("error").asText() + ": " + answer.path("error_description").asText();
        assertTrue(said.startsWith(refusal), answer::toString);
        assertEquals(1, crm.effects().size());
    }

    @Test
    void aCallIsRegisteredForHalfAnHourAndFinishedOnce() throws Exception {
        String id = ask("register").at("/result/CALL_ID").asText();
        assertEquals(id, ask("register", "", "10:20", "10:21").at("/result/CALL_ID").asText());
        ask("register", "", "leg-1", "leg-2");
        ask("register", "", "7,", "7, 'LINE_NUMBER': '3',");
        crm.advance(Duration.ofMinutes(31));
        ask("register");
        assertEquals(3, crm.callIdsOf("leg-1").size());
        assertTrue(ask("hide", id, "", "").get("result").asBoolean());
        assertEquals("304", ask("finish", id, "", "").at("/result/CALL_FAILED_CODE").asText());
        assertEquals("ERROR_CORE", ask("finish", id, "", "").get("error").asText());
        assertEquals("ERROR_CORE", ask("attachRecord", id, "mp3", "ogg").get("error").asText());
        assertTrue(ask("attachRecord", id, "", "").has("result"));
        assertEquals("https://pbx.example/1.mp3?key=1", crm.effects().get(crm.effects().size() - 1).recording());
    }

    @Test
    void theBucketLeaks() throws Exception {
        // Slowly, so that a slow machine does not matter.
        crm.bucket(3, 0.02);
        for (int i = 0; i < 5; i++) {
            ask("searchCrmEntities");
        }
        assertEquals("QUERY_LIMIT_EXCEEDED", ask("searchCrmEntities").get("error").asText());
        assertTrue(crm.highestLevel > 2.5 && crm.highestLevel <= 3);
        assertEquals(3, crm.refusedByLimit);
        crm.advance(Duration.ofSeconds(51));
        assertTrue(ask("searchCrmEntities").has("result"));
    }

    private JsonNode ask(String method) throws Exception {
        return ask(method, "", "", "");
    }

    /** What is good, with one thing that is not. */
    private JsonNode ask(String method, String id, String good, String bad) throws Exception {
        String body = GOOD.getOrDefault(method, "{}").replace(good, bad).replace("$", id).replace('\'', '"');
        return StandIn.JSON.readTree(crm.answer(new StandIn.Request("POST", Bitrix24StandIn.WEBHOOK + "/telephony.externalCall." + method, null,
                Map.of("Content-Type", List.of("application/json")), body.getBytes(StandardCharsets.UTF_8), 0)).body());
    }
}
