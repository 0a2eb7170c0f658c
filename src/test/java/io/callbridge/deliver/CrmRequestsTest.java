package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonParseException;
import com.sun.net.httpserver.HttpServer;
import io.callbridge.platform.Tracing;
import io.callbridge.support.TestConfig;
import io.opentelemetry.api.OpenTelemetry;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a route gets of an answer, be it one that somebody has written for a CRM of his own. */
class CrmRequestsTest {

    private static final String JSON = "{\"name\":\"Иванов\"}";

    private final DefaultCamelContext camel = new DefaultCamelContext();
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
        new CrmRequests(new Tracing(OpenTelemetry.noop(), TestConfig.settings(TestConfig.of(Map.of(), Map.of())))).follow(camel);
        camel.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:text").to("http://127.0.0.1:" + crm.getAddress().getPort());
                from("direct:map").to("direct:text").unmarshal().json();
            }
        });
        camel.start();
    }

    @AfterEach
    void stop() {
        camel.stop();
        crm.stop(0);
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
        bytes.write(("\uFEFF".repeat(marks) + JSON).getBytes(Charset.forName(charset)));
        body = bytes.toByteArray();
        type = named;
        assertEquals(JSON, camel.createProducerTemplate().requestBody("direct:text", null, String.class));
        assertEquals(Map.of("name", "Иванов"), camel.createProducerTemplate().requestBody("direct:map", (Object) null));
    }

    @ParameterizedTest
    @CsvSource({"text/html; charset=windows-1251, <html>Вход", "text/plain; charset=windows-1251, Принято", "audio/mpeg, {"})
    void anythingElseStaysAsItCame(String named, String text) {
        type = named;
        body = text.getBytes(named.contains("1251") ? Charset.forName("windows-1251") : StandardCharsets.UTF_8);
        assertEquals(text, camel.createProducerTemplate().requestBody("direct:text", null, String.class));
    }

    /** Whoever could not read it has left nothing of it, and yet it is kept as it came. */
    @ParameterizedTest
    @CsvSource({"direct:text", "direct:map"})
    void aPageCanBeReadAgain(String route) {
        type = "text/plain";
        body = "<!DOCTYPE html><title>Sign in</title>".getBytes(StandardCharsets.UTF_8);
        Exchange answered = camel.createProducerTemplate().send(route, exchange -> exchange.getMessage().setBody(null));
        Throwable failure = new JsonParseException(null, "unexpected '<'");
        for (int i = 0; i < 2; i++) {
            assertEquals("<!DOCTYPE html><title>Sign in</title>", Failures.answer(failure, answered));
            assertEquals("an answer with the page 'Sign in' instead of data", Failures.refusal(failure, answered));
        }
    }
}
