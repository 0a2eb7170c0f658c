package io.callbridge.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.RawHttp;
import io.callbridge.support.Unchecked;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The demo CRM against contract section 3, over HTTP and without the rest of the application. */
@Timeout(30)
class DemoCrmTest {

    private static final String CARD = """
            {"callId":"c1","direction":"in","user":"anna","extension":"101","number":"+79000000010",
             "did":"+74950000001","at":"2025-03-04T09:00:00.000Z","entity":{"id":"ivanov","name":"Ivanov"}}""";
    private static final String CALL = """
            {"callId":"c1","direction":"in","result":"answered","user":"anna","extension":"101",
             "number":"+79000000010","startedAt":"2025-03-04T09:00:00.000Z",
             "answeredAt":"2025-03-04T09:00:10.120Z","endedAt":"2025-03-04T09:01:33.731Z","talkSeconds":83}""";
    private static final String MISSED = """
            {"number":"+79000000010","place":{"extension":"880","type":"queue"},"user":"anna",
             "startedAt":"2025-03-04T09:00:00.000Z","endedAt":"2025-03-04T09:00:40.300Z"}""";

    @AutoClose
    private static final Vertx VERTX = Vertx.vertx();

    private int port;

    @BeforeEach
    void freshCrm() {
        Router router = Router.router(VERTX);
        new DemoCrm().mount(router);
        port = serve(router);
    }

    @Test
    void knowsSomeNumbersAndForgetsTheOldestCalls() {
        RawHttp.Answer known = send("GET", "/demo-crm/entities?phone=%2B79000000010", null);
        assertEquals(200, known.status());
        assertEquals(new JsonObject("""
                {"id":"ivanov","type":"contact","name":"Ivanov","url":"http://crm.example/contacts/ivanov",
                 "responsible":"anna"}"""), new JsonObject(known.text()));
        put("/demo-crm/calls/l0", CALL);
        put("/demo-crm/calls/AMI%2F1741078800.12%3Fx", CALL);
        for (int i = 1; i < CrmMemory.KEPT; i++) {
            put("/demo-crm/calls/l" + i, CALL);
        }
        JsonObject state = state();
        assertEquals(CrmMemory.KEPT, state.getJsonArray("calls").size());
        assertEquals("AMI/1741078800.12?x", state.getJsonArray("calls").getJsonObject(0).getString("id"));
        assertEquals(CrmMemory.KEPT + 1, state.getJsonObject("counters").getInteger("calls"));
    }

    @Test
    void aRepeatReplaces() {
        put("/demo-crm/cards/l1", CARD);
        long shownAt = state().getJsonArray("cards").getJsonObject(0).getLong("shownAt");
        put("/demo-crm/cards/l1", CARD);
        put("/demo-crm/calls/l1", CALL);
        put("/demo-crm/calls/l1", CALL.replace("\"talkSeconds\":83", "\"talkSeconds\":84,\"recordingId\":\"r1\""));
        put("/demo-crm/missed-calls/c1", MISSED);
        put("/demo-crm/missed-calls/c1", MISSED.replace("880", "881"));
        String served = new JsonObject(MISSED.replace("880", "881")).put("servedAt", "2025-03-04T09:02:00.000Z").encode();
        put("/demo-crm/missed-calls/c1", served);
        put("/demo-crm/missed-calls/c1", served);

        JsonObject state = state();
        assertEquals(1, state.getJsonArray("cards").size());
        assertEquals(shownAt, state.getJsonArray("cards").getJsonObject(0).getLong("shownAt"));
        assertEquals("r1", only(state, "calls").getString("recordingId"));
        assertEquals("881", only(state, "missedCalls").getJsonObject("place").getString("extension"));
        assertEquals(new JsonObject("{\"cards\":1,\"calls\":1,\"talkSeconds\":84,\"missed\":1,\"served\":1}"),
                state.getJsonObject("counters"));
    }

    @Test
    void refusesWhatIsNotACard() {
        for (String body : List.of("", "{", "[]", "\"text\"", "null", "{}", CARD.replace("\"in\"", "\"up\""),
                CARD.replace("2025-03-04T09:00:00.000Z", "yesterday"), CARD.replace("\"+79000000010\"", "null"))) {
            RawHttp.Answer answer = send("PUT", "/demo-crm/cards/l1", body);
            assertEquals(400, answer.status(), body);
            assertFalse(new JsonObject(answer.text()).getString("error").isBlank());
        }
        assertEquals(413, send("PUT", "/demo-crm/cards/l1", CARD.replace("anna", "a".repeat(64 * 1024))).status());
        assertTrue(state().getJsonArray("cards").isEmpty());
    }

    @ParameterizedTest
    @CsvSource({"PUT, /demo-crm/calls/l1, 400", "PUT, /demo-crm/missed-calls/c1, 400", "DELETE, /demo-crm/cards/l1, 400",
        "DELETE, /demo-crm/cards/l1?reason=bored, 400", "DELETE, /demo-crm/cards/l1?reason=ended&answeredBy=103, 400",
        "DELETE, /demo-crm/calls/l1, 404", "PUT, /demo-crm/cards, 404", "PUT, /demo-crm/notes/1, 404", "GET, /demo-crm/, 404",
        "GET, /demo/other.js, 404", "GET, /demo-crm/entities?phone=%2B79000000999, 404", "GET, /demo-crm/entities, 400"})
    void refusesWhatIsNotInTheContract(String method, String path, int status) {
        assertEquals(status, send(method, path, method.equals("PUT") ? CARD : null).status());
    }

    /** A viewer who left disturbs nobody. */
    @Test
    void theFeedTellsTheStateAndThenTheChanges() {
        put("/demo-crm/cards/l1", CARD);
        try (Feed feed = new Feed(); Feed gone = new Feed()) {
            JsonObject state = feed.next("state");
            gone.next("state");
            gone.close();
            assertEquals("l1", only(state, "cards").getString("id"));
            assertEquals("anna", state.getJsonArray("employees").getJsonObject(0).getString("user"));

            put("/demo-crm/cards/l2", CARD);
            assertEquals("l2", feed.next("card").getJsonObject("entry").getString("id"));
            assertEquals(204, send("DELETE", "/demo-crm/cards/l1?reason=answered-elsewhere&answeredBy=103", null).status());
            assertEquals(new JsonObject("{\"id\":\"l1\",\"reason\":\"answered-elsewhere\",\"answeredBy\":\"103\"}"),
                    feed.next("card-end").getJsonObject("entry"));
            // The second end is none.
            assertEquals(204, send("DELETE", "/demo-crm/cards/l1?reason=unanswered", null).status());
            put("/demo-crm/calls/l2", CALL.replace("anna", "a\\nna"));
            JsonObject call = feed.next("call");
            assertEquals("a\nna", call.getJsonObject("entry").getString("user"));
            assertEquals(1, call.getJsonObject("counters").getInteger("calls"));
            put("/demo-crm/missed-calls/c1", MISSED);
            assertEquals("c1", feed.next("missed-call").getJsonObject("entry").getString("id"));
            assertEquals("l2", only(state(), "cards").getString("id"));
        }
    }

    @Test
    void thePageAndItsPartsComeFromHere() {
        RawHttp.Answer page = send("GET", "/demo", null);
        assertEquals(200, page.status());
        assertEquals("text/html; charset=utf-8", page.header("Content-Type"));
        // Also below the part of a path that a proxy takes off.
        assertTrue(page.text().contains("\"demo/demo.js") && page.text().contains("\"demo/demo.css"));
        assertEquals("../demo", send("GET", "/demo/", null).header("Location"));
        assertEquals(200, send("GET", "/demo/demo.css", null).status());
        RawHttp.Answer script = send("GET", "/demo/demo.js", null);
        assertEquals(200, script.status());
        assertFalse(script.text().contains("innerHTML"), "data must not become markup");
    }

    @Test
    void nothingIsThereOutsideTheDemoProfile() {
        Router router = Router.router(VERTX);
        new DemoCrm().register(router);
        port = serve(router);
        for (String path : List.of("/demo", "/demo/", "/demo/events", "/demo/demo.js", "/demo-crm/entities?phone=%2B79000000010")) {
            assertEquals(404, send("GET", path, null).status(), path);
        }
    }

    private static int serve(Router router) {
        return VERTX.createHttpServer().requestHandler(router).listen(0, "localhost").toCompletionStage().toCompletableFuture().join()
                .actualPort();
    }

    private JsonObject state() {
        try (Feed feed = new Feed()) {
            return feed.next("state");
        }
    }

    private static JsonObject only(JsonObject state, String list) {
        assertEquals(1, state.getJsonArray(list).size());
        return state.getJsonArray(list).getJsonObject(0);
    }

    private void put(String path, String body) {
        RawHttp.Answer answer = send("PUT", path, body);
        assertEquals(204, answer.status(), answer.text());
    }

    private RawHttp.Answer send(String method, String path, String body) {
        return RawHttp.send(port, RawHttp.request(method, path, "application/json", RawHttp.bytes(body == null ? "" : body)));
    }

    /** One viewer of {@code GET /demo/events}. */
    private final class Feed implements AutoCloseable {

        private final BufferedReader lines;

        Feed() {
            URLConnection connection = Unchecked.get(() -> URI.create("http://localhost:" + port + "/demo/events").toURL().openConnection());
            lines = Unchecked.get(() -> new BufferedReader(new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8)));
            assertEquals("text/event-stream; charset=utf-8", connection.getContentType());
        }

        /** The content of the next event, which must be of this kind. */
        JsonObject next(String kind) {
            assertEquals("event: " + kind, lines.lines().filter(line -> line.startsWith("event: ")).findFirst().orElseThrow());
            return new JsonObject(lines.lines().findFirst().orElseThrow().substring("data: ".length()));
        }

        @Override
        public void close() {
            Unchecked.run(lines::close);
        }
    }
}
