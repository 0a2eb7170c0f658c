package io.callbridge.admin;

import io.callbridge.platform.Demo;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;

/**
 * {@code GET /}: the console, with its style and its scripts, all from the class path. It holds no data: what it shows it asks
 * the administration API for, with the right of whoever looks. Who is not known yet gets a page instead that asks him, which is
 * all in one: he could have nothing else.
 */
@ApplicationScoped
class ConsolePage {

    private static final List<String> SCRIPTS = List.of("actions", "api", "app", "audit", "call", "calls", "deliveries", "dom", "live", "paged",
            "reprocess", "setup", "timeline", "why", "words", "words-en", "words-ru");
    /** Nothing from elsewhere, in no frame: data that looked like markup would still do nothing. */
    private static final String RULES = "default-src 'none'; script-src %s; style-src %s; connect-src 'self'; img-src 'self' data:;"
            + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    private static final String FILES_ONLY = RULES.formatted("'self'", "'self'");

    private final Login login;
    private final String question;
    private final String questionRules;

    ConsolePage(Login login) {
        this.login = login;
        String style = text("console.css");
        String script = text("login.js");
        question = text("login.html").replace("{{style}}", style).replace("{{script}}", script);
        questionRules = RULES.formatted(hash(script), hash(style));
    }

    void register(@Observes Router router) {
        String page = text("index.html").replace("{{demo}}", Boolean.toString(Demo.asked()));
        router.get("/").handler(request -> answer(request, 200, "text/html", FILES_ONLY, page));
        serve(router, "/console/console.css", "text/css", text("console.css"));
        SCRIPTS.forEach(script -> serve(router, "/console/" + script + ".js", "text/javascript", text(script + ".js")));
    }

    void askWho(RoutingContext request) {
        answer(request, 401, "text/html", questionRules, question.replace("{{oidc}}", Boolean.toString(login.possible())));
    }

    private static void serve(Router router, String path, String type, String content) {
        router.get(path).handler(request -> answer(request, 200, type, FILES_ONLY, content));
    }

    private static void answer(RoutingContext request, int status, String type, String rules, String content) {
        request.response().setStatusCode(status)
                .putHeader("Content-Type", type + "; charset=utf-8")
                .putHeader("Cache-Control", "no-cache")
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer")
                .putHeader("Content-Security-Policy", rules)
                .end(content);
    }

    /** The name of a script or style that is part of the page. */
    private static String hash(String content) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8));
            return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
        } catch (NoSuchAlgorithmException everyJvmHasIt) {
            throw new IllegalStateException(everyJvmHasIt);
        }
    }

    private static String text(String name) {
        String path = "/console/" + name;
        try (InputStream in = ConsolePage.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException("the console lacks " + path + " on the class path");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(path, e);
        }
    }
}
