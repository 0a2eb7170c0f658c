package io.callbridge.admin;

import io.callbridge.platform.LoginSettings;
import io.callbridge.platform.Settings;
import io.quarkus.oidc.OIDCException;
import io.quarkus.oidc.runtime.TenantConfigBean;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.AuthenticationRedirectException;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.vertx.http.runtime.security.ChallengeData;
import io.quarkus.vertx.http.runtime.security.HttpAuthenticator;
import io.quarkus.vertx.http.runtime.security.QuarkusHttpUser;
import io.smallrye.mutiny.TimeoutException;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.Cookie;
import io.vertx.core.http.CookieSameSite;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.regex.Pattern;
import org.eclipse.microprofile.jwt.JsonWebToken;
import org.jboss.logging.Logger;

/**
 * Login at the OpenID Connect provider of {@code callbridge.admin.oidc.url}, for people with a browser (authorization code flow,
 * then a session in a cookie) and programs with a token of the provider. Quarkus does it, but only where it is asked here.
 *
 * <p>{@code GET /api/login/start?to=/} begins it and ends at that page.
 */
@ApplicationScoped
public class Login {

    /** Before {@link AdminGate}: who logs in is nobody yet. */
    private static final int ORDER = AdminGate.ORDER - 10;
    private static final String SESSION = "q_session";
    private static final List<String> NO_USERS = List.of(AdminGate.TOKEN, AdminGate.DEMO, "loopback");
    /** A path of this server: {@code //host} would be another one, and a browser takes a backslash for a slash. */
    private static final Pattern LOCAL = Pattern.compile("/(?!/)[A-Za-z0-9/._~!$&'()*+,;=:@%?#-]*");
    /** Of a browser with a provider that says nothing. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Logger LOG = Logger.getLogger(Login.class);

    private final Settings settings;
    private final HttpAuthenticator authenticator;
    private final TenantConfigBean tenants;

    public Login(Settings settings, HttpAuthenticator authenticator, TenantConfigBean tenants) {
        this.settings = settings;
        this.authenticator = authenticator;
        this.tenants = tenants;
    }

    /** Whether there is a provider. */
    boolean possible() {
        return settings.login().isPresent();
    }

    void register(@Observes Router router) {
        router.get("/api/login/start").order(ORDER).handler(this::start);
    }

    /** Quarkus has asked the provider by now, and will again when somebody logs in. */
    void begin(@Observes StartupEvent started) {
        if (!tenants.getDefaultTenant().ready()) {
            LOG.warnf("Nobody can log in: the provider at callbridge.%s does not answer as one should; it is asked again by the next login",
                    LoginSettings.URL);
        }
    }

    /**
     * Lets through whoever has logged in and may administer, under his name. All others get 401, and 403 if they have logged in.
     *
     * @param own whether no page of another site asks in his name
     */
    void check(RoutingContext routing, boolean own, Consumer<String> pass, IntConsumer refuse) {
        identify(routing, identity -> {
            if (identity.isAnonymous()) {
                refuse.accept(401);
            } else if (!own) {
                refuse.accept(403);
            } else {
                name(identity).ifPresentOrElse(pass, () -> refuse.accept(403));
            }
        }, failure -> refuse.accept(unavailable(failure) ? 503 : 401));
    }

    /** The provider sends the browser back here too, with a code. */
    private void start(RoutingContext routing) {
        if (!possible()) {
            routing.next();
            return;
        }
        routing.response().putHeader("Cache-Control", "no-store");
        identify(routing, identity -> {
            if (identity.isAnonymous()) {
                challenge(routing);
            } else if (name(identity).isEmpty()) {
                forget(routing);
                AdminGate.answer(routing, 403, "This user may not administer Callbridge.");
            } else {
                String to = routing.queryParams().get("to");
                // Seen from /api/login/start, whatever a proxy has in front of that.
                redirect(routing, 302, "../.." + (to != null && LOCAL.matcher(to).matches() ? to : "/"));
            }
        }, failure -> {
            if (failure instanceof AuthenticationRedirectException onward) {
                redirect(routing, onward.getCode(), onward.getRedirectUri());
            } else if (failure instanceof AuthenticationFailedException) {
                challenge(routing);
            } else {
                failed(routing, failure);
            }
        });
    }

    private void challenge(RoutingContext routing) {
        subscribe(authenticator.getChallenge(routing), (ChallengeData challenge) -> {
            routing.response().setStatusCode(challenge.status).putHeader(challenge.headerName, challenge.headerContent).end();
        }, failure -> failed(routing, failure));
    }

    /** Ends the session, not the provider's own. It is nowhere but in these cookies. */
    static void forget(RoutingContext routing) {
        String path = RequestOrigin.prefix(routing.request());
        routing.request().cookies().stream().map(Cookie::getName).filter(name -> name.startsWith(SESSION)).distinct().toList()
                .forEach(name -> routing.response().addCookie(Cookie.cookie(name, "").setPath(path.isEmpty() ? "/" : path).setMaxAge(0).setHttpOnly(true)
                        .setSameSite(CookieSameSite.LAX)));
    }

    /** The name of somebody who may administer. */
    private Optional<String> name(SecurityIdentity identity) {
        LoginSettings who = settings.login().orElseThrow();
        Object name = identity.getPrincipal() instanceof JsonWebToken claims ? claims.getClaim(who.nameClaim()) : null;
        // An address that nobody has checked is whatever the user has written.
        boolean checked = !who.nameClaim().equals("email") || !Boolean.FALSE.equals(claim(identity, "email_verified"));
        if (!(name instanceof String text) || text.isBlank() || !checked || NO_USERS.contains(text) || !text.equals(printable(text))) {
            LOG.warnf("A login was refused: the token has no usable %s", who.nameClaim());
            return Optional.empty();
        }
        if (who.users().contains(text) || who.role() != null && identity.hasRole(who.role())) {
            return Optional.of(text);
        }
        LOG.warnf("The login of %s was refused: neither callbridge.admin.oidc.users nor .role allows it", text);
        return Optional.empty();
    }

    private static Object claim(SecurityIdentity identity, String claim) {
        return ((JsonWebToken) identity.getPrincipal()).getClaim(claim);
    }

    /** Nothing happens, in particular no request to the provider, before somebody asks who it is. */
    private void identify(RoutingContext routing, Consumer<SecurityIdentity> then, Consumer<Throwable> otherwise) {
        // Would answer by itself, with a redirect to the provider.
        routing.remove(QuarkusHttpUser.AUTH_FAILURE_HANDLER);
        subscribe(QuarkusHttpUser.getSecurityIdentity(routing, authenticator.getIdentityProviderManager()), then, otherwise);
    }

    private static <T> void subscribe(Uni<T> uni, Consumer<T> then, Consumer<Throwable> otherwise) {
        uni.ifNoItem().after(PATIENCE).fail().subscribe().with(then, otherwise);
    }

    private static void failed(RoutingContext routing, Throwable failure) {
        LOG.warnf("A login has failed: %s", line(failure));
        if (unavailable(failure)) {
            AdminGate.answer(routing, 503, "The provider that knows the users cannot be reached.");
        } else {
            AdminGate.answer(routing, 401, "The login has failed; the log of Callbridge says why.");
        }
    }

    private static boolean unavailable(Throwable failure) {
        return failure instanceof OIDCException || failure instanceof TimeoutException;
    }

    private static void redirect(RoutingContext routing, int status, String to) {
        routing.response().setStatusCode(status).putHeader("Location", to).end();
    }

    /** What a provider or a user says may be anything. */
    private static String line(Throwable failure) {
        return printable(failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage()).strip();
    }

    private static String printable(String text) {
        return text.replaceAll("[\\p{Cntrl}\\p{Cf}\\u2028\\u2029]+", " ");
    }
}
