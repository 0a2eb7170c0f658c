package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import io.callbridge.platform.Tracing;
import io.callbridge.support.TestConfig;
import io.opentelemetry.api.OpenTelemetry;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a route gets of an answer, be it one that somebody has written for a CRM of his own, and of JSON for a CRM with Simple in it. */
class JsonAnswerTest {

    private static final String IVANOV = "{\"name\":\"Иванов\"}";

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final Exchange exchange = new DefaultExchange(context);
    private final JsonAnswer answers = new JsonAnswer(new ObjectMapper(), new JsonTemplate(new ObjectMapper()));
    private final JsonTemplate template = new JsonTemplate(new ObjectMapper());

    private HttpServer crm;
    private byte[] body;
    private String type;

    @BeforeEach
    void start() throws Exception {
        crm = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        crm.createContext("/", exchange -> {
            if (type != null) {
                exchange.getResponseHeaders().set("Content-Type", type);
            }
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        crm.start();
        new CrmRequests(new Tracing(OpenTelemetry.noop(), TestConfig.settings(TestConfig.of(Map.of(), Map.of())))).follow(context);
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:text").to("http://127.0.0.1:" + crm.getAddress().getPort());
                from("direct:map").to("direct:text").unmarshal().json();
            }
        });
        context.start();
        exchange.setVariable("name", "O'Neil \"Ann\" & Söhne {}");
        exchange.setVariable("user", "7");
        exchange.setVariable("talkSeconds", 42L);
        exchange.setVariable("nobody", "");
    }

    @AfterEach
    void stop() {
        context.stop();
        crm.stop(0);
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
        assertEquals(page, refusal.answer);
        assertEquals("answer 200 with the page 'Sign in' instead of data", refusal.refusal);
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
        assertDoesNotThrow(() -> context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:constant-" + context.getRoutesSize()).choice().when(constant(true)).setBody(constant(text));
            }
        }));
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
    void aTemplateIsFilled(String text, String filled) throws Exception {
        constant(text);
        assertEquals(filled, template.json(text, exchange));
        assertEquals(filled, template.json(text, exchange));
    }

    /** A caller may call himself what he likes. */
    @ParameterizedTest
    @ValueSource(strings = {"${variable.secret}", "x, ${variable.secret}", "', ${variable.secret}, '", "$simple{variable.secret}"})
    void whatIsInAValueIsNoTemplate(String name) throws Exception {
        exchange.setVariable("secret", "sesame");
        exchange.setVariable("name", name);
        String filled = template.json(constant("{\"N\": \"${variable.name}\", \"T\": \"by ${variable.name}\","
                + " \"I\": \"${iif(${variable.user} == '7', ${variable.name}, ${variable.name})}\"}"), exchange);
        assertFalse(filled.contains("sesame"), filled);
    }

    @Test
    void aBodyThatIsNoJsonOrNoConstantOfARouteIsRefusedWithRouteAndStep() throws Exception {
        String text = constant("{\"a\":");
        assertThrows(IllegalArgumentException.class, () -> template.json(text, exchange));
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
        assertEquals(sent.getException().getMessage(), CrmAnswer.line(sent.getException()), "what the log says of the delivery");
    }

    @ParameterizedTest
    @CsvSource(nullValues = "none", delimiter = '|', value = {
        "0 | UTF-8        | application/json",
        "1 | UTF-8        | application/json",
        "2 | UTF-8        | application/json; charset=utf-8",
        "1 | UTF-8        | text/html",
        "2 | UTF-8        | none",
        "0 | UTF-8        | application/json; charset=ISO-8859-1",
        "1 | UTF-8        | application/hal+json; charset=windows-1251",
        "0 | windows-1251 | application/json; charset=windows-1251",
        "1 | UTF-16LE     | application/json; charset=UTF-16LE",
        "1 | UTF-16BE     | application/json",
        "0 | UTF-16LE     | text/plain; charset=UTF-16LE"})
    void jsonIsReadWhateverStandsBeforeItAndWhateverItIsSaidToBe(int marks, String charset, String named) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(("\uFEFF".repeat(marks) + IVANOV).getBytes(Charset.forName(charset)));
        body = bytes.toByteArray();
        type = named;
        assertEquals(IVANOV, context.createProducerTemplate().requestBody("direct:text", null, String.class));
        assertEquals(Map.of("name", "Иванов"), context.createProducerTemplate().requestBody("direct:map", (Object) null));
    }

    @ParameterizedTest
    @CsvSource({"text/html; charset=windows-1251, <html>Вход", "text/plain; charset=windows-1251, Принято", "audio/mpeg, {"})
    void anythingElseStaysAsItCame(String named, String text) {
        type = named;
        body = text.getBytes(named.contains("1251") ? Charset.forName("windows-1251") : StandardCharsets.UTF_8);
        assertEquals(text, context.createProducerTemplate().requestBody("direct:text", null, String.class));
    }

    /** Whoever could not read it has left nothing of it, and yet it is kept as it came. */
    @ParameterizedTest
    @CsvSource({"direct:text", "direct:map"})
    void aPageCanBeReadAgain(String route) {
        type = "text/plain";
        body = "<!DOCTYPE html><title>Sign in</title>".getBytes(StandardCharsets.UTF_8);
        Exchange answered = context.createProducerTemplate().send(route, exchange -> exchange.getMessage().setBody(null));
        Throwable failure = new JsonParseException(null, "unexpected '<'");
        for (int i = 0; i < 2; i++) {
            assertEquals("<!DOCTYPE html><title>Sign in</title>", CrmAnswer.of(failure, answered).answer);
            assertEquals("an answer with the page 'Sign in' instead of data", CrmAnswer.of(failure, answered).refusal);
            assertEquals(CrmAnswer.of(failure, answered).refusal, CrmAnswer.of(failure, answered).line, "as the log says it");
        }
    }
}
