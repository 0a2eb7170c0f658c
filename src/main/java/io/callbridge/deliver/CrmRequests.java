package io.callbridge.deliver;

import io.callbridge.platform.Tracing;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.camel.component.http.HttpComponent;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;

/**
 * What every HTTP request of a route goes through, also of a route that somebody has written for a CRM of his own.
 * <p>
 * JSON comes out as what it has to be, UTF-8 without a byte order mark (RFC 8259, section 8.1): some CRMs send the mark, even
 * twice, and some name another charset than the one they use.
 * <p>
 * Each request that belongs to a trace is a span, and its server is told of it by the header {@code traceparent}. Of the address
 * only host and port are kept: the rest has tokens of some CRMs, and numbers.
 */
@ApplicationScoped
public class CrmRequests implements HttpClientConfigurer {

    /** Bytes of an answer that does not say what it is, and may be JSON. */
    private static final int MOST_UNNAMED = 1 << 20;

    private final Tracing tracing;

    public CrmRequests(Tracing tracing) {
        this.tracing = tracing;
    }

    public void follow(CamelContext context) {
        List.of("http", "https").forEach(scheme -> context.getComponent(scheme, HttpComponent.class).setHttpClientConfigurer(this));
    }

    /** Sends what a route has on its way to another one, or to an address, as a step of the route would. */
    static void send(Exchange exchange, String to) throws Exception {
        try (ProducerTemplate template = exchange.getContext().createProducerTemplate()) {
            template.send(to, exchange);
        }
        if (exchange.getException() != null) {
            throw exchange.getException();
        }
    }

    @Override
    public void configureHttpClient(HttpClientBuilder client) {
        client.addExecInterceptorFirst("json", CrmRequests::plainJson);
        if (tracing.on()) {
            client.addExecInterceptorFirst("tracing", this::traced);
        }
    }

    private static ClassicHttpResponse plainJson(ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
            throws IOException, HttpException {
        ClassicHttpResponse response = chain.proceed(request, scope);
        HttpEntity entity = response.getEntity();
        ContentType type = entity == null ? null : ContentType.parseLenient(entity.getContentType());
        if (entity != null && mayBeJson(type, entity.getContentLength())) {
            byte[] body = EntityUtils.toByteArray(entity);
            String text = json(body, type == null ? null : type.getCharset());
            if (text != null) {
                body = text.getBytes(StandardCharsets.UTF_8);
                response.setHeader(HttpHeaders.CONTENT_TYPE, ContentType.APPLICATION_JSON);
                response.removeHeaders(HttpHeaders.CONTENT_LENGTH);
            }
            response.setEntity(new ByteArrayEntity(body, text != null ? ContentType.APPLICATION_JSON : type));
        }
        return response;
    }

    /** A recording is not, and may be large. */
    private static boolean mayBeJson(ContentType type, long length) {
        return type == null ? length >= 0 && length <= MOST_UNNAMED
                : type.getMimeType().contains("json") || type.getMimeType().startsWith("text/");
    }

    /**
     * @param named charset in the answer's header; it counts only for what is no UTF-8
     * @return {@code null}: it is no JSON
     */
    private static String json(byte[] body, Charset named) {
        String text = decoded(body, StandardCharsets.UTF_8);
        if (text == null || text.indexOf('\0') >= 0) {
            text = decoded(body, named != null ? named : StandardCharsets.UTF_16);
        }
        String plain = text == null ? "" : text.replaceFirst("^[\\s\\uFEFF]+", "");
        return plain.startsWith("{") || plain.startsWith("[") ? plain : null;
    }

    private static String decoded(byte[] body, Charset charset) {
        try {
            return charset.newDecoder().decode(ByteBuffer.wrap(body)).toString();
        } catch (CharacterCodingException other) {
            return null;
        }
    }

    private ClassicHttpResponse traced(ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
            throws IOException, HttpException {
        Span current = Span.current();
        if (!current.getSpanContext().isValid()) {
            // Made for no event: who the users of a CRM are, say.
            return chain.proceed(request, scope);
        }
        HttpHost host = scope.route.getTargetHost();
        Span span = tracing.span(request.getMethod(), current).setSpanKind(SpanKind.CLIENT)
                .setAttribute("http.request.method", request.getMethod()).setAttribute("server.address", host.getHostName())
                .setAttribute("server.port", (long) host.getPort()).startSpan();
        try {
            request.setHeader("traceparent", Tracing.traceparent(span));
            ClassicHttpResponse response = chain.proceed(request, scope);
            span.setAttribute(Tracing.STATUS, (long) response.getCode());
            if (response.getCode() >= 400) {
                span.setStatus(StatusCode.ERROR);
            }
            return response;
        } catch (IOException | HttpException | RuntimeException e) {
            span.setStatus(StatusCode.ERROR).setAttribute(Tracing.ERROR, e.getClass().getName());
            throw e;
        } finally {
            span.end();
        }
    }
}
