package io.callbridge.ingest;

import io.vertx.core.Future;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.platform.http.PlatformHttpComponent;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.component.platform.http.spi.PlatformHttpConsumer;
import org.apache.camel.component.platform.http.spi.PlatformHttpEngine;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpConsumer;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpRouter;
import org.apache.camel.support.MessageHelper;

/**
 * Runs a route of platform-http on the event loop that read the request, at the port of all others. The component itself gives each
 * request to a worker, which waits until the route is over: with commits to wait for, that costs most of the machine. A route of
 * this engine must not block; a bean that waits answers a CompletionStage.
 */
@ApplicationScoped
@Named("webhookEngine")
public class WebhookEngine implements PlatformHttpEngine {

    @Override
    public PlatformHttpConsumer createConsumer(PlatformHttpEndpoint endpoint, Processor route) {
        int port = ((PlatformHttpComponent) endpoint.getComponent()).getEngine().getServerPort();
        return new Consumer(endpoint, route, VertxPlatformHttpRouter.getRouterNameFromPort(port));
    }

    private static final class Consumer extends VertxPlatformHttpConsumer {

        private Consumer(PlatformHttpEndpoint endpoint, Processor route, String router) {
            super(endpoint, route, List.of(), router);
        }

        @Override
        protected void handleRequest(RoutingContext routing) {
            if (isSuspended()) {
                super.handleRequest(routing);
                return;
            }
            Exchange exchange = createExchange(false);
            exchange.setPattern(ExchangePattern.InOut);
            processHttpRequest(exchange, routing).onSuccess(read -> route(exchange, routing)).onFailure(routing::fail);
        }

        /** The component pauses the request for whoever reads its body, which HTTP/2 takes ill when it is read already. */
        @Override
        protected Future<Void> populateCamelMessage(RoutingContext routing, Exchange exchange, Message message) {
            try {
                return super.populateCamelMessage(routing, exchange, message);
            } catch (IllegalStateException e) {
                if (routing.request().isEnded()) {
                    return Future.succeededFuture();
                }
                throw e;
            }
        }

        private void route(Exchange exchange, RoutingContext routing) {
            try {
                createUoW(exchange);
            } catch (Exception e) {
                routing.fail(e);
                return;
            }
            getAsyncProcessor().process(exchange, inThisThread -> {
                try {
                    if (!routing.request().isEnded()) {
                        // What nobody has read of the body would stand before the next request.
                        routing.request().resume();
                    }
                    answer(exchange, routing.response());
                } finally {
                    doneUoW(exchange);
                    releaseExchange(exchange, false);
                }
            });
        }

        /** The component's own way to answer is for its package only. */
        private void answer(Exchange exchange, HttpServerResponse response) {
            if (exchange.getException() != null) {
                // The log has it.
                response.setStatusCode(500).end();
                return;
            }
            Message answer = exchange.getMessage();
            response.setStatusCode(answer.getHeader(Exchange.HTTP_RESPONSE_CODE, 200, Integer.class));
            answer.getHeaders().forEach((name, value) -> {
                if (!getEndpoint().getHeaderFilterStrategy().applyFilterToCamelHeaders(name, value, exchange)) {
                    response.putHeader(name, String.valueOf(value));
                }
            });
            // The filter takes it away, and the length of the request.
            Optional.ofNullable(MessageHelper.getContentType(answer)).ifPresent(type -> response.putHeader("Content-Type", type));
            response.end(Objects.requireNonNullElse(answer.getBody(String.class), ""));
        }
    }
}
