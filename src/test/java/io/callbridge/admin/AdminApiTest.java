package io.callbridge.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.store.StoreException;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is answered when somebody else's class has an answer, refuses, or fails. */
class AdminApiTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", emptyValue = "", value = {
        "/api/things/7?limit=3 | 200 | application/json | - | [\"7\",\"3\"]",
        "/api/things/7?max=3   | 400 | text/plain       | - | unknown query parameter max; allowed: limit",
        "/api/nothing          | 404 | -                | - | ''",
        "/api/busy             | 409 | text/plain       | - | delivery 7 is delivered",
        "/api/away             | 503 | text/plain       | 5 | the disk is gone",
        "/api/broken           | 500 | -                | - | ''"})
    void whatIsAnswered(String path, int status, String type, String retryAfter, String body) throws Exception {
        Vertx vertx = Vertx.vertx();
        try {
            AdminApi api = new AdminApi(new ObjectMapper());
            Router router = Router.router(vertx);
            api.on(router, "GET /api/things/:id", request -> List.of(request.path("id"), request.takes("limit").text("limit")));
            api.on(router, "GET /api/nothing", request -> null);
            api.on(router, "GET /api/busy", request -> {
                throw RefusedException.conflict("delivery 7 is delivered");
            });
            api.on(router, "GET /api/away", request -> {
                throw new StoreException("the disk is gone", null);
            });
            api.on(router, "GET /api/broken", request -> {
                throw new IllegalStateException("a mistake of ours");
            });
            HttpServer server = vertx.createHttpServer().requestHandler(router).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture().get();
            HttpResponse<String> answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(
                    URI.create("http://127.0.0.1:" + server.actualPort() + path)).build(), HttpResponse.BodyHandlers.ofString());
            assertEquals(status, answer.statusCode());
            assertEquals(type, answer.headers().firstValue("Content-Type").orElse(null));
            assertEquals(retryAfter, answer.headers().firstValue("Retry-After").orElse(null));
            assertEquals(body, answer.body());
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().get();
        }
    }
}
