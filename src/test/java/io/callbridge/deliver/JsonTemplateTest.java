package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What becomes of a CRM's JSON with Simple in it. */
class JsonTemplateTest {

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final Exchange exchange = new DefaultExchange(context);
    private final JsonTemplate template = new JsonTemplate(new ObjectMapper());

    JsonTemplateTest() {
        context.start();
        exchange.setVariable("name", "O'Neil \"Ann\" & Söhne {}");
        exchange.setVariable("user", "7");
        exchange.setVariable("talkSeconds", 42L);
        exchange.setVariable("nobody", "");
    }

    @AfterEach
    void stop() {
        context.stop();
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', delimiter = '|', value = {
        "{\"A\": 1, \"B\": true, \"C\": \"text\", \"D\": null} | {\"A\":1,\"B\":true,\"C\":\"text\",\"D\":null}",
        "{\"N\": \"${variable.name}\"} | {\"N\":\"O'Neil \\\"Ann\\\" & Söhne {}\"}",
        "{\"S\": \"${variable.talkSeconds}\", \"U\": \"${variable.user}\"} | {\"S\":42,\"U\":\"7\"}",
        "{\"U\": [\"${variableAs(user,Integer)}\"]} | {\"U\":[7]}",
        "{\"T\": \"${variable.user} of ${variable.talkSeconds}\"} | {\"T\":\"7 of 42\"}",
        "{\"A\": \"${variable.nobody}\", \"B\": \"${variable.missing}\", \"C\": 1} | {\"C\":1}",
        "{\"A\": {\"B\": \"${variable.nobody}\"}, \"C\": [\"${variable.nobody}\"], \"D\": {}} | {\"D\":{}}",
        "[{\"A\": \"${variable.user}\"}, {\"A\": \"${variable.nobody}\"}] | [{\"A\":\"7\"}]",
        "{\"A\": \"${variable.nobody}\"} | {}"})
    void aTemplateIsFilled(String text, String filled) throws JsonProcessingException {
        assertEquals(filled, template.json(text, exchange));
        assertEquals(filled, template.json(text, exchange));
    }

    @Test
    void aFormHasAFieldForEachMember() {
        assertEquals("a=O%27Neil+%22Ann%22+%26+S%C3%B6hne+%7B%7D&b=%7B%22c%22%3A42%7D&d=1",
                template.form("{\"a\": \"${variable.name}\", \"b\": {\"c\": \"${variable.talkSeconds}\"}, \"d\": 1, \"e\": \"${variable.nobody}\"}", exchange));
    }

    @Test
    void aTemplateThatIsNoJsonIsNamed() {
        assertThrows(IllegalArgumentException.class, () -> template.json("{\"a\": ", exchange));
    }
}
