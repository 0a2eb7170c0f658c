package io.callbridge.admin;

import io.vertx.core.http.Cookie;
import io.vertx.core.http.CookieSameSite;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.List;

/**
 * Stands in front of the console and of everything under {@code /api} (contract section 4): whoever may not ask learns nothing, not
 * even which paths there are. Where he comes from is no proof: a proxy on this machine comes from here too. Whoever may ask is named
 * to what is behind by the header {@value #WHO}.
 *
 * <p>{@code POST /login} gives a browser that has the token a session in a cookie, {@code POST /logout} ends it, or that of the
 * {@link Login}.
 */
@ApplicationScoped
public class AdminGate {

    /** Who asks: {@value #TOKEN}, {@value #DEMO}, or a user's name. Never what the client says. */
    static final String WHO = "Callbridge-Who";
    static final String TOKEN = "token";
    static final String DEMO = "demo";
    /** Before all routes, behind Quarkus's own handlers, which know how to find out whose session it is. */
    static final int ORDER = -50;

    private static final String BEARER = "Bearer ";
    /** Without a path: that of the folder in which the browser sees {@code login}. */
    private static final String SESSION = "callbridge";
    private static final List<String> FORMS = List.of("application/x-www-form-urlencoded", "multipart/form-data");

    private final AdminToken token;
    private final Login login;
    private final ConsolePage console;

    public AdminGate(AdminToken token, Login login, ConsolePage console) {
        this.token = token;
        this.login = login;
        this.console = console;
    }

    void register(@Observes Router router) {
        // The files of the console tell nothing about anybody: a link to it may be on any page.
        router.route("/").order(ORDER).handler(routing -> check(routing, true));
        router.route("/console/*").order(ORDER).handler(routing -> check(routing, true));
        for (String path : List.of("/api", "/api/*", "/logout")) {
            router.route(path).order(ORDER).handler(routing -> check(routing, false));
        }
        router.route("/login").order(ORDER).handler(this::begin);
        router.post("/logout").handler(AdminGate::end);
    }

    private void check(RoutingContext routing, boolean anyPage) {
        HttpServerRequest request = routing.request();
        request.headers().remove(WHO);
        boolean own = anyPage || RequestOrigin.ownPage(request);
        if (token.asked() && token.is(bearer(request))) {
            pass(routing, TOKEN);
        } else if (!token.asked() || hasSession(request)) {
            if (own) {
                pass(routing, token.asked() ? TOKEN : DEMO);
            } else {
                refuse(routing, 403);
            }
        } else if (login.possible()) {
            login.check(routing, own, who -> pass(routing, who), status -> refuse(routing, status));
        } else {
            refuse(routing, 401);
        }
    }

    private static String bearer(HttpServerRequest request) {
        String given = request.getHeader("Authorization");
        return given != null && given.startsWith(BEARER) ? given.substring(BEARER.length()) : null;
    }

    private boolean hasSession(HttpServerRequest request) {
        return request.cookies(SESSION).stream().anyMatch(cookie -> token.isSession(cookie.getValue()));
    }

    private static void pass(RoutingContext routing, String who) {
        // A route finds parameters and fields of forms among the headers.
        if (routing.queryParams().contains(WHO)) {
            answer(routing, 400, WHO + " is no parameter");
        } else if (isForm(routing)) {
            answer(routing, 415, "the administration API takes no forms");
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

    private void refuse(RoutingContext routing, int status) {
        if (status == 401 && routing.normalizedPath().equals("/")) {
            console.askWho(routing);
        } else {
            answer(routing, status, switch (status) {
                case 401 -> "Nobody knows who asks: log in at the console, or send Authorization: Bearer with callbridge.admin.token.";
                case 403 -> "This user may not administer Callbridge, or a page of another site asks in his name.";
                default -> "The provider that knows the users cannot be reached.";
            });
        }
    }

    static void answer(RoutingContext routing, int status, String reason) {
        routing.response().setStatusCode(status).putHeader("Content-Type", "text/plain; charset=utf-8").end(reason);
    }

    private void begin(RoutingContext routing) {
        if (!token.asked() || !token.is(bearer(routing.request()))) {
            refuse(routing, 401);
            return;
        }
        routing.response().addCookie(session(token.session()).setSecure(routing.request().isSSL())).setStatusCode(204).end();
    }

    private static void end(RoutingContext routing) {
        routing.response().addCookie(session("").setMaxAge(0));
        Login.forget(routing);
        routing.response().setStatusCode(204).end();
    }

    /** Lax: a link on another page leads to the console, not to the login. What is asked for under /api, {@link RequestOrigin} guards. */
    private static Cookie session(String value) {
        return Cookie.cookie(SESSION, value).setHttpOnly(true).setSameSite(CookieSameSite.LAX);
    }
}
