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
 * of any unknown path, to the byte. Before the routes run and after, the right secret must not look like a wrong one.
 */
@ApplicationScoped
public class SecretGate {

    private static final String QUERY = "callbridge-query";

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
        if (request.query() != null) {
            // The server would refuse a percent sign that stands for itself, and knows the query as UTF-8 only.
            routing.put(QUERY, request.query());
            routing.reroute(request.path());
            return;
        }
        WebhookRequest.receive(pbx.get(), routing, routing.get(QUERY), begin -> reader.answered(pbx.get(), begin));
    }
}
