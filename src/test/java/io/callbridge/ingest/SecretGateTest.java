package io.callbridge.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.support.RawHttp;
import io.callbridge.support.TestConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The server listens before the routes run and for a while after: to a PBX, that must not look like a wrong secret. */
class SecretGateTest {

    private static final String SECRET = "sixteen-letters-and-more";

    private final DefaultCamelContext context = new DefaultCamelContext();
    private final Vertx vertx = Vertx.vertx();
    private HttpServer server;

    @BeforeEach
    void listen() throws Exception {
        Router router = Router.router(vertx);
        new SecretGate(new WebhookReader(TestConfig.settings(TestConfig.of(Map.of("callbridge.pbx.main.secret", SECRET), Map.of())),
                new EventKinds(new SimpleMeterRegistry())), context).register(router);
        router.route("/pbx/:secret/events").handler(request -> request.response().end("OK"));
        server = vertx.createHttpServer().requestHandler(router).listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
    }

    @AfterEach
    void close() throws Exception {
        context.close();
        vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    @Test
    void theRightSecretIsAskedToComeAgainUntilTheRoutesRunAndWhenTheyNoLongerDo() throws Exception {
        assertComeAgain();
        context.start();
        assertEquals("200 404", ask(SECRET).status() + " " + ask("wrong").status());
        context.stop();
        assertComeAgain();
    }

    private void assertComeAgain() {
        assertEquals(404, ask("wrong").status(), "always an unknown path");
        RawHttp.Answer answer = ask(SECRET);
        assertEquals(503, answer.status(), answer::toString);
        assertEquals("5", answer.header("Retry-After"));
        assertEquals("text/plain", answer.header("Content-Type"));
        assertEquals(1, answer.text().lines().count(), answer::toString);
    }

    private RawHttp.Answer ask(String secret) {
        return RawHttp.send(server.actualPort(), RawHttp.request("GET", "/pbx/" + secret + "/events?EventType=dial-in"));
    }
}
