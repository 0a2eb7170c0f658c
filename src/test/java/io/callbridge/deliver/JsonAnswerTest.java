package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of a CRM's JSON, and of JSON for a CRM with Simple in it. */
class JsonAnswerTest {

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final Exchange exchange = new DefaultExchange(context);
    private final JsonAnswer answers = new JsonAnswer(new ObjectMapper(), new JsonTemplate(new ObjectMapper()));
    private final JsonTemplate template = new JsonTemplate(new ObjectMapper());

    JsonAnswerTest() {
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

    /** As a route has it. */
    private String constant(String text) {
        try {
            context.addRoutes(new RouteBuilder() {
                @Override
                public void configure() {
                    from("direct:constant-" + context.getRoutesSize()).choice().when(constant(true)).setBody(constant(text));
                }
            });
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return text;
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
        constant(text);
        assertEquals(filled, template.json(text, exchange));
        assertEquals(filled, template.json(text, exchange));
    }

    @Test
    void aFormHasAFieldForEachMember() {
        assertEquals("a=O%27Neil+%22Ann%22+%26+S%C3%B6hne+%7B%7D&b=%7B%22c%22%3A42%7D&d=1",
                template.form(constant(
                        "{\"a\": \"${variable.name}\", \"b\": {\"c\": \"${variable.talkSeconds}\"}, \"d\": 1, \"e\": \"${variable.nobody}\"}"), exchange));
    }

    @Test
    void aTemplateThatIsNoJsonIsNamed() {
        String text = constant("{\"a\": ");
        assertThrows(IllegalArgumentException.class, () -> template.json(text, exchange));
    }

    /** A caller may call himself what he likes. */
    @ParameterizedTest
    @ValueSource(strings = {"${variable.secret}", "x, ${variable.secret}", "', ${variable.secret}, '", "$simple{variable.secret}"})
    void whatIsInAValueIsNoTemplate(String name) throws JsonProcessingException {
        exchange.setVariable("secret", "sesame");
        exchange.setVariable("name", name);
        String filled = template.json(constant("{\"N\": \"${variable.name}\", \"T\": \"by ${variable.name}\","
                + " \"I\": \"${iif(${variable.user} == '7', ${variable.name}, ${variable.name})}\"}"), exchange);
        assertFalse(filled.contains("sesame"), filled);
    }

    @Test
    void aBodyThatIsNoConstantOfARouteIsRefusedWithRouteAndStep() throws Exception {
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:deliver-acme-call").routeId("deliver-acme-call").setBody(simple("{\"N\": \"${variable.name}\"}"))
                        .bean(template, "json").id("fill");
            }
        });
        exchange.setVariable("secret", "sesame");
        exchange.setVariable("name", "${variable.secret}");
        Exchange sent = context.createProducerTemplate().send("direct:deliver-acme-call", exchange);
        assertEquals("route deliver-acme-call, step fill: jsonTemplate takes only the constant of a setBody as its template, and the body"
                + " is none; put values into it as ${variable.name}", sent.getException().getMessage());
        assertEquals(sent.getException().getMessage(), Failures.line(sent.getException()), "what the log says of the delivery");
    }
}
