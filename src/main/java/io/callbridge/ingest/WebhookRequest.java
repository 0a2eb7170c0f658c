package io.callbridge.ingest;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.Charset;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * A webhook request whose body has arrived, or why it has not. Its bytes are gathered while they come in, so that a slow
 * sender holds no thread; the body is taken raw, since the server's form parser would lose which byte was wrong.
 */
final class WebhookRequest {

    private static final int LARGEST = 64 * 1024;
    private static final int READ_SECONDS = 10;
    private static final byte[] NOTHING = {};

    private final String pbx;
    private final HttpServerRequest request;
    private final String query;
    private final LongConsumer answered;
    private final Buffer body = Buffer.buffer();
    private BadRequestException refusal;
    private boolean complete;

    private WebhookRequest(String pbx, HttpServerRequest request, String query, LongConsumer answered) {
        this.pbx = pbx;
        this.request = request;
        this.query = query;
        this.answered = answered;
    }

    /**
     * Goes on with the route as soon as the body is there.
     *
     * @param query {@code null}: there is none
     * @param answered is told, when the answer has left, since when the request was complete, by {@link System#nanoTime}
     */
    static void receive(String pbx, RoutingContext routing, String query, LongConsumer answered) {
        HttpServerRequest http = routing.request();
        WebhookRequest request = new WebhookRequest(pbx, http, query, answered);
        boolean withBody = http.headers().contains(HttpHeaders.CONTENT_LENGTH) || http.headers().contains(HttpHeaders.TRANSFER_ENCODING);
        long patience = withBody ? routing.vertx().setTimer(READ_SECONDS * 1000L, late -> request.complete(routing,
                new BadRequestException("body: did not arrive within " + READ_SECONDS + " s"))) : -1;
        http.exceptionHandler(broken -> request.complete(routing, new BadRequestException("body: the connection broke off")));
        http.handler(chunk -> {
            if (request.body.length() + chunk.length() > LARGEST) {
                request.complete(routing, BadRequestException.tooLarge("body:"));
            } else if (!request.complete) {
                request.body.appendBuffer(chunk);
            }
        });
        http.endHandler(end -> {
            routing.vertx().cancelTimer(patience);
            request.complete(routing, null);
        });
        http.resume();
    }

    private void complete(RoutingContext routing, BadRequestException reason) {
        if (complete) {
            return;
        }
        complete = true;
        refusal = reason;
        long begin = System.nanoTime();
        routing.addEndHandler(sent -> answered.accept(begin));
        if (reason != null) {
            // What is left of the body would be taken for the next request.
            routing.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        }
        routing.vertx().getOrCreateContext().putLocal(WebhookRequest.class.getName(), this);
        routing.next();
    }

    /** The request that is being routed. */
    static WebhookRequest current() {
        Context context = Vertx.currentContext();
        WebhookRequest request = context == null ? null : context.getLocal(WebhookRequest.class.getName());
        if (request == null) {
            throw new IllegalStateException("this is no request that SecretGate let pass");
        }
        return request;
    }

    String pbx() {
        return pbx;
    }

    /**
     * @param charset of what is not UTF-8
     * @throws BadRequestException if query or body cannot be read, or the body is over 64 KiB
     */
    Map<String, String> fields(Charset charset) {
        if (refusal != null) {
            throw refusal;
        }
        return EventFields.read(query, request.getHeader(HttpHeaders.CONTENT_TYPE),
                body.length() == 0 ? NOTHING : body.getBytes(), charset);
    }
}
