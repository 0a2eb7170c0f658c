package io.callbridge.ingest;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Optional;
import org.apache.camel.CamelContext;

/**
 * Stands in front of the webhook route. A wrong secret is sent on to a path that nobody serves, and so gets the answer
 * of any unknown path, to the byte; a query that the server itself would refuse without a word gets the reason
 * (contract section 2). Before the routes run and after, the right secret must not look like a wrong one.
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

    private void check(RoutingContext routing) {
        HttpServerRequest request = routing.request();
        Optional<String> pbx = reader.pbx(request.path());
        if (pbx.isEmpty()) {
            // Answered as any path that there is not.
            routing.reroute("/nothing");
            return;
        }
        if (!context.isStarted()) {
            routing.response().setStatusCode(503).putHeader("Retry-After", "5").putHeader("Content-Type", "text/plain")
                    .end("Callbridge is starting or stopping; send the event again");
            return;
        }
        try {
            if (request.query() != null) {
                EventFields.read(request.query(), null, new byte[0]);
            }
            WebhookRequest.receive(pbx.get(), routing, begin -> reader.answered(pbx.get(), begin));
        } catch (BadRequestException e) {
            routing.response().setStatusCode(400).putHeader("Content-Type", "text/plain").end(e.getMessage());
        }
    }
}
