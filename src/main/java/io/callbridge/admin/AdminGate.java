package io.callbridge.admin;

import io.vertx.core.net.SocketAddress;
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
 * paths there are.
 */
@ApplicationScoped
public class AdminGate {

    /** Set by a proxy: then the loopback address is the proxy's, and says nothing about who asks. */
    private static final List<String> PROXY_HEADERS = List.of("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via");

    private final Optional<String> token;

    public AdminGate(@ConfigProperty(name = "callbridge.admin.token") Optional<String> token) {
        this.token = token.filter(value -> !value.isBlank());
    }

    void register(@Observes Router router) {
        router.route("/api").order(-1_000).handler(this::check);
        router.route("/api/*").order(-1_000).handler(this::check);
    }

    private void check(RoutingContext request) {
        if (token.isEmpty() ? local(request) : authorised(request)) {
            request.next();
        } else {
            request.response().setStatusCode(token.isEmpty() ? 403 : 401).end();
        }
    }

    private boolean authorised(RoutingContext request) {
        byte[] expected = ("Bearer " + token.get()).getBytes(StandardCharsets.UTF_8);
        byte[] given = String.valueOf(request.request().getHeader("Authorization")).getBytes(StandardCharsets.UTF_8);
        return MessageDigest.isEqual(expected, given);
    }

    private static boolean local(RoutingContext request) {
        SocketAddress remote = request.request().remoteAddress();
        String address = remote == null ? null : remote.hostAddress();
        return address != null && (address.startsWith("127.") || address.equals("::1") || address.equals("0:0:0:0:0:0:0:1"))
                && PROXY_HEADERS.stream().noneMatch(name -> request.request().headers().contains(name));
    }
}
