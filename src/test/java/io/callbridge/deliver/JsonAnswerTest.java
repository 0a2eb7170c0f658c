package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
    void anEmptyListMayBeAnEmptyObject() {
        assertEquals(Map.of("result", Map.of("result", Map.of(), "list", List.of(1)), "error", ""),
                answers.read("{\"result\":{\"result\":[],\"list\":[1]},\"error\":\"\"}"));
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", " ", "[]", "true", "<html>502", "{\"a\":"})
    void whatIsNoObjectIsAnError(String text) {
        String said = String.valueOf(answers.read(text).get("error_description"));
        assertEquals(text == null || text.isBlank() ? "no JSON: " : "no JSON: " + text, said);
        assertEquals(1, answers.read(text).size());
    }

    @Test
    void aLongPageIsCut() {
        assertTrue(String.valueOf(answers.read("<html>".repeat(1000)).get("error_description")).length() < 600);
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
        assertEquals("{\"100\":\"6\",\"101\":\"7\"}", answers.add(template, "{\"100\":\"6\"}", list, exchange));
        assertEquals("{}", answers.add(template, "{}", Map.of(), exchange));
    }
}
