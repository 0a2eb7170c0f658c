package io.callbridge.ingest;

import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import org.apache.camel.CamelContext;

/**
 * Stands in front of the webhook route. A wrong secret is sent on to a path that nobody serves, and so gets the answer
 * of any unknown path, to the byte; a query that the server itself would refuse without a word gets the reason, and an event
 * that comes while the routes do not run is to be sent again (contract section 2).
 */
@ApplicationScoped
public class SecretGate {

    private final WebhookReader reader;
    private final CamelContext context;

    public SecretGate(WebhookReader reader, CamelContext context) {
        this.reader = reader;
        this.context = context;
    }

    void register(@Observes Router router) {
        router.route("/pbx/*").order(-1_000).handler(this::check);
    }

    private void check(RoutingContext request) {
        if (!reader.known(request.request().path())) {
            request.reroute("/");
            return;
        }
        if (!context.isStarted()) {
            // The server listens before the routes do, and after them: without a word, their path would be an unknown one.
            request.response().setStatusCode(503).putHeader("Retry-After", "5").putHeader("Content-Type", "text/plain")
                    .end("Callbridge is starting or stopping; send it again");
            return;
        }
        try {
            EventFields.read(request.request().query(), null, new byte[0]);
            request.next();
        } catch (BadRequestException e) {
            request.response().setStatusCode(400).putHeader("Content-Type", "text/plain").end(e.getMessage());
        }
    }
}
