package io.callbridge.platform;

import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** Pages, styles and scripts from the class path. */
public final class PageFiles {

    /** Nothing from elsewhere, in no frame: data that looked like markup would still do nothing. */
    public static final String RULES = "default-src 'none'; script-src %s; style-src %s; connect-src 'self'; img-src 'self' data:;"
            + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    private static final String FILES_ONLY = RULES.formatted("'self'", "'self'");

    private PageFiles() {
    }

    public static void serve(Router router, String path, String type, String content) {
        router.get(path).handler(request -> answer(request, 200, type, FILES_ONLY, content));
    }

    public static void answer(RoutingContext request, int status, String type, String rules, String content) {
        request.response().setStatusCode(status)
                .putHeader("Content-Type", type + "; charset=utf-8")
                .putHeader("Cache-Control", "no-cache")
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer")
                .putHeader("Content-Security-Policy", rules)
                .end(content);
    }

    /** @param path on the class path */
    public static String text(String path) {
        try (InputStream in = PageFiles.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException(path + " is not on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(path, e);
        }
    }
}
