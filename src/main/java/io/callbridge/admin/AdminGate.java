package io.callbridge.admin;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Stands in front of everything under {@code /api} (contract section 4): whoever may not ask learns nothing, not even which
 * paths there are. Whoever may, is named to what is behind by the header {@value #WHO}.
 */
@ApplicationScoped
public class AdminGate {

    /** Who asks: {@value #TOKEN}, {@value #LOOPBACK}, or a user's name. Never what the client says. */
    static final String WHO = "Callbridge-Who";
    static final String TOKEN = "token";
    static final String LOOPBACK = "loopback";
    /** Before all routes, behind Quarkus's own handlers, which know how to find out whose session it is. */
    static final int ORDER = -50;

    private static final List<String> FORMS = List.of("application/x-www-form-urlencoded", "multipart/form-data");

    private final Optional<String> token;
    private final Login login;

    public AdminGate(@ConfigProperty(name = "callbridge.admin.token") Optional<String> token, Login login) {
        this.login = login;
        this.token = token.filter(value -> !value.isBlank());
    }

    void register(@Observes Router router) {
        router.route("/api").order(ORDER).handler(this::check);
        router.route("/api/*").order(ORDER).handler(this::check);
    }

    private void check(RoutingContext routing) {
        HttpServerRequest request = routing.request();
        request.headers().remove(WHO);
        if (token.isPresent() && authorised(request)) {
            pass(routing, TOKEN);
        } else if (login.possible()) {
            login.check(routing, who -> pass(routing, who));
        } else if (token.isEmpty() && RequestOrigin.local(request) && RequestOrigin.ownPage(request)) {
            pass(routing, LOOPBACK);
        } else {
            routing.response().setStatusCode(token.isEmpty() ? 403 : 401).end();
        }
    }

    private static void pass(RoutingContext routing, String who) {
        // A route finds parameters and fields of forms among the headers.
        if (routing.queryParams().contains(WHO)) {
            refuse(routing, 400, WHO + " is no parameter");
        } else if (isForm(routing)) {
            refuse(routing, 415, "the administration API takes no forms");
        } else {
            routing.request().headers().set(WHO, who);
            routing.next();
        }
    }

    private static boolean isForm(RoutingContext routing) {
        String type = routing.parsedHeaders().contentType().value();
        return type != null && FORMS.stream().anyMatch(form -> type.regionMatches(true, 0, form, 0, form.length()))
                && !"0".equals(routing.request().getHeader("Content-Length"));
    }

    private static void refuse(RoutingContext routing, int status, String reason) {
        routing.response().setStatusCode(status).putHeader("Content-Type", "text/plain").end(reason);
    }

    private boolean authorised(HttpServerRequest request) {
        byte[] expected = ("Bearer " + token.get()).getBytes(StandardCharsets.UTF_8);
        byte[] given = String.valueOf(request.getHeader("Authorization")).getBytes(StandardCharsets.UTF_8);
        return MessageDigest.isEqual(expected, given);
    }
}
