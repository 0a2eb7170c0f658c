package io.callbridge.deliver;

import io.callbridge.platform.Tracing;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.component.http.HttpClientConfigurer;
import org.apache.camel.component.http.HttpComponent;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;

/**
 * Makes a span of each HTTP request that belongs to a trace, and tells its server of it by the header {@code traceparent}.
 * Of the address only host and port are kept: the rest has tokens of some CRMs, and numbers.
 */
@ApplicationScoped
public class CrmRequests implements HttpClientConfigurer {

    private final Tracing tracing;

    public CrmRequests(Tracing tracing) {
        this.tracing = tracing;
    }

    /** While there are traces. */
    public void follow(CamelContext context) {
        if (tracing.on()) {
            List.of("http", "https").forEach(scheme -> context.getComponent(scheme, HttpComponent.class).setHttpClientConfigurer(this));
        }
    }

    @Override
    public void configureHttpClient(HttpClientBuilder client) {
        client.addExecInterceptorFirst("tracing", this::traced);
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
