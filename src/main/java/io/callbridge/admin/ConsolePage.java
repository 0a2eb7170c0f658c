package io.callbridge.admin;

import io.callbridge.platform.Demo;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * {@code GET /}: the console, with its style and its scripts, all from the class path. It holds no data: what it shows it asks
 * the administration API for, with the right of whoever looks. Where nobody could be asked who he is, it is closed but in the demo,
 * although the API answers on loopback then too (contract section 4): whoever comes by a tunnel or a port forward is on loopback.
 */
@ApplicationScoped
class ConsolePage {

    private static final List<String> SCRIPTS = List.of("actions", "api", "app", "audit", "call", "calls", "deliveries", "dom", "live", "paged",
            "reprocess", "setup", "timeline", "why", "words", "words-en", "words-ru");

    private final Login login;

    ConsolePage(Login login) {
        this.login = login;
    }

    void register(@Observes Router router) {
        Buffer page = resource("index.html");
        Buffer closed = resource("closed.html");
        // Not earlier: what is wrong with the configuration is said by whoever checks it.
        router.get("/").handler(request -> answer(request, open() ? 200 : 403, "text/html", open() ? page : closed));
        serve(router, "/console/console.css", "text/css", resource("console.css"));
        SCRIPTS.forEach(script -> serve(router, "/console/" + script + ".js", "text/javascript", resource(script + ".js")));
    }

    private boolean open() {
        return login.asks() || Demo.asked();
    }

    private static void serve(Router router, String path, String type, Buffer content) {
        router.get(path).handler(request -> answer(request, 200, type, content));
    }

    private static void answer(RoutingContext request, int status, String type, Buffer content) {
        request.response().setStatusCode(status)
                .putHeader("Content-Type", type + "; charset=utf-8")
                .putHeader("Cache-Control", "no-cache")
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer")
                // Nothing from elsewhere, no inline script, in no frame: data that looked like markup would still do nothing.
                .putHeader("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                        + "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
                .end(content);
    }

    private static Buffer resource(String name) {
        String path = "/console/" + name;
        try (InputStream in = ConsolePage.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException("the console lacks " + path + " on the class path");
            }
            return Buffer.buffer(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(path, e);
        }
    }
}
