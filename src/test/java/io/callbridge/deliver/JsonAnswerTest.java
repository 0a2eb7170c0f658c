package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonAnswerTest {

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final Exchange exchange = new DefaultExchange(context);
    private final JsonAnswer answers = new JsonAnswer(new ObjectMapper(), new JsonTemplate(new ObjectMapper()));

    @AfterEach
    void stop() {
        context.stop();
    }

    @Test
    void anEmptyListMayBeAnEmptyObject() throws CrmAnswerException {
        assertEquals(Map.of("result", Map.of("result", Map.of(), "list", List.of(1)), "error", ""),
                answers.read("{\"result\":{\"result\":[],\"list\":[1]},\"error\":\"\"}", exchange));
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", " ", "[]", "true", "<html>502", "{\"a\":"})
    void whatIsNoObjectIsAnError(String text) throws CrmAnswerException {
        String said = String.valueOf(answers.read(text, exchange).get("error_description"));
        assertEquals(text == null || text.isBlank() ? "no JSON: " : "no JSON: " + text, said);
        assertEquals(1, answers.read(text, exchange).size());
    }

    @Test
    void aLongPageIsCut() throws CrmAnswerException {
        assertTrue(String.valueOf(answers.read("<html>".repeat(1000), exchange).get("error_description")).length() < 600);
    }

    /** The page of a gateway that has failed is that of an answer which says so; that of a login has a status of success. */
    @Test
    void aPageIsNoAnswerWhateverItsStatusSays() throws CrmAnswerException {
        String page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>";
        exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, 502);
        assertEquals("no JSON: " + page, answers.read(page, exchange).get("error_description"));
        exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, 200);
        CrmAnswerException refusal = assertThrows(CrmAnswerException.class, () -> answers.read(page, exchange));
        assertEquals(page, refusal.answer());
        assertEquals("answer 200 with the page 'Sign in' instead of data", refusal.refusal());
    }

    private String constant(String text) {
        return JsonTemplateTest.constant(context, text);
    }

    @Test
    void everyElementFillsTheTemplate() throws Exception {
        List<?> list = List.of(Map.of("ID", 7, "NAME", "Ivanov \"I\""), Map.of("ID", "8"));
        assertEquals("[{\"id\":7,\"name\":\"Ivanov \\\"I\\\"\"},{\"id\":\"8\"}]",
                answers.list(constant("{\"id\": \"${body[ID]}\", \"name\": \"${body[NAME]}\"}"), list, exchange));
        assertEquals("[{\"id\":7,\"name\":\"of 7\"},{\"id\":\"8\",\"name\":\"of 8\"}]",
                answers.list(constant("{\"id\": \"${body[ID]}\", \"name\": \" of ${body[ID]}\", \"none\": \" ${body[X]}\"}"), list, exchange));
        assertEquals("[]", answers.list(constant("{\"id\": \"${body[ID]}\"}"), null, exchange));
        assertEquals("[]", answers.list(constant("{\"id\": \"${body[ID]}\"}"), Map.of(), exchange));
    }

    @Test
    void aMemberNeedsANameAndAValue() throws Exception {
        List<?> list = List.of(Map.of("ID", "7", "PHONE", "101"), Map.of("ID", "8"), Map.of("PHONE", "103"), Map.of("ID", "9", "PHONE", ""));
        String template = constant("{\"name\": \"${body[PHONE]}\", \"value\": \"${body[ID]}\"}");
        assertEquals("{\"101\":\"7\"}", answers.members(template, list, exchange));
        assertEquals("{}", answers.members(template, Map.of(), exchange));
    }
}
