package io.callbridge.admin;

import io.callbridge.platform.Demo;
import io.callbridge.platform.PageFiles;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
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

    private final Login login;
    private final String question;
    private final String questionRules;

    ConsolePage(Login login) {
        this.login = login;
        String style = PageFiles.text("/console/console.css");
        String script = PageFiles.text("/console/login.js");
        question = PageFiles.text("/console/login.html").replace("{{style}}", style).replace("{{script}}", script);
        questionRules = PageFiles.RULES.formatted(hash(script), hash(style));
    }

    void register(@Observes Router router) {
        String page = PageFiles.text("/console/index.html").replace("{{demo}}", Boolean.toString(Demo.asked()));
        PageFiles.serve(router, "/", "text/html", page);
        PageFiles.serve(router, "/console/console.css", "text/css", PageFiles.text("/console/console.css"));
        SCRIPTS.stream().map(name -> "/console/" + name + ".js")
                .forEach(script -> PageFiles.serve(router, script, "text/javascript", PageFiles.text(script)));
    }

    void askWho(RoutingContext request) {
        PageFiles.answer(request, 401, "text/html", questionRules, question.replace("{{oidc}}", Boolean.toString(login.possible())));
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
}
