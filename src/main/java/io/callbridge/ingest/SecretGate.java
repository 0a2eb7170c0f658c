package io.callbridge.ingest;

import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

/**
 * Stands in front of the webhook route. A wrong secret falls through to the answer that the server gives for any unknown
 * path, to the byte; and a query that the server itself cannot read is told so (contract section 2).
 */
@ApplicationScoped
public class SecretGate {

    private final WebhookReader reader;

    public SecretGate(WebhookReader reader) {
        this.reader = reader;
    }

    void register(@Observes Router router) {
        router.route("/pbx/:secret/events").order(-1_000).handler(this::check).failureHandler(SecretGate::refuse);
    }

    private void check(RoutingContext request) {
        if (reader.known(request.normalizedPath())) {
            request.next();
        } else {
            request.fail(404);
        }
    }

    private static void refuse(RoutingContext request) {
        if (request.statusCode() == 400 && !request.response().ended()) {
            request.response().setStatusCode(400).putHeader("Content-Type", "text/plain")
                    .end("query: broken percent-encoding; allowed: % and two hex digits");
        } else {
            request.next();
        }
    }
}
