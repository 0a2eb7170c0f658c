package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

    /** As a route has it. */
    static String constant(DefaultCamelContext context, String text) {
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
        constant(context, text);
        assertEquals(filled, template.json(text, exchange));
        assertEquals(filled, template.json(text, exchange));
    }

    @Test
    void aFormHasAFieldForEachMember() {
        assertEquals("a=O%27Neil+%22Ann%22+%26+S%C3%B6hne+%7B%7D&b=%7B%22c%22%3A42%7D&d=1",
                template.form(constant(context,
                        "{\"a\": \"${variable.name}\", \"b\": {\"c\": \"${variable.talkSeconds}\"}, \"d\": 1, \"e\": \"${variable.nobody}\"}"), exchange));
    }

    @Test
    void aTemplateThatIsNoJsonIsNamed() {
        String text = constant(context, "{\"a\": ");
        assertThrows(IllegalArgumentException.class, () -> template.json(text, exchange));
    }

    /** A caller may call himself what he likes. */
    @ParameterizedTest
    @ValueSource(strings = {"${variable.secret}", "x, ${variable.secret}", "', ${variable.secret}, '", "$simple{variable.secret}"})
    void whatIsInAValueIsNoTemplate(String name) throws JsonProcessingException {
        exchange.setVariable("secret", "sesame");
        exchange.setVariable("name", name);
        String filled = template.json(constant(context, "{\"N\": \"${variable.name}\", \"T\": \"by ${variable.name}\","
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
