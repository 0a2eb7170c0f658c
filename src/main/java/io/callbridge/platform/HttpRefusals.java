package io.callbridge.platform;

import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.vertx.http.runtime.RouteConstants;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Says a word where the server itself refuses a request with a bare status. */
@ApplicationScoped
class HttpRefusals {

    private static final int BEFORE_THE_SERVER = RouteConstants.ROUTE_ORDER_UPLOAD_LIMIT - 1;

    private final MemorySize largest;

    HttpRefusals(@ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize largest) {
        this.largest = largest;
    }

    void register(@Observes Router router) {
        router.route().order(BEFORE_THE_SERVER).handler(this::check);
        router.errorHandler(405, routing -> say(routing, 405, "this path takes no " + routing.request().method()));
        router.errorHandler(413, routing -> say(routing, 413, tooLarge()));
    }

    private void check(RoutingContext routing) {
        HttpServerRequest request = routing.request();
        String length = request.getHeader("Content-Length");
        if (length != null && Long.parseLong(length) > largest.asLongValue()) {
            // What is left of the body would be taken for the next request.
            routing.response().putHeader("Connection", "close");
            say(routing, 413, tooLarge());
        } else {
            routing.next();
        }
    }

    private String tooLarge() {
        return "body: over " + largest.asLongValue() / 1024 + " KiB";
    }

    private static void say(RoutingContext routing, int status, String reason) {
        routing.response().setStatusCode(status).putHeader("Content-Type", "text/plain; charset=utf-8").end(reason);
    }
}
