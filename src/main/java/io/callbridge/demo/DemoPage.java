package io.callbridge.demo;

import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** {@code GET /demo}: the page that shows the demo CRM, with its style and its script, all from the classpath. */
final class DemoPage {

    void mount(Router router) {
        Buffer page = resource("index.html");
        // What the page asks for is seen from there, whatever a proxy has in front of it.
        router.getWithRegex("/demo/").handler(request -> request.response().setStatusCode(302).putHeader("Location", "../demo").end());
        serve(router, "/demo", "text/html", page);
        serve(router, "/demo/demo.css", "text/css", resource("demo.css"));
        serve(router, "/demo/demo.js", "text/javascript", resource("demo.js"));
    }

    private static void serve(Router router, String path, String type, Buffer content) {
        router.get(path).handler(request -> request.response()
                .putHeader("Content-Type", type + "; charset=utf-8")
                .putHeader("Cache-Control", "no-cache")
                .putHeader("X-Content-Type-Options", "nosniff")
                // Nothing from elsewhere, no inline script: data that looked like markup would still do nothing.
                .putHeader("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "
                        + "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'")
                .end(content));
    }

    private static Buffer resource(String name) {
        String path = "/demo/" + name;
        try (InputStream in = DemoPage.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException("the demo page lacks " + path + " on the classpath");
            }
            return Buffer.buffer(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
