package io.callbridge.deliver;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.Variable;
import org.apache.camel.http.base.HttpOperationFailedException;

/**
 * One request for what several workers want to send at the same time. The first one sends what is there, nobody waits for
 * company; what comes while he waits for the answer is the next pack, which one of those sends that are in it.
 */
@ApplicationScoped
@Named("crmPack")
@RegisterForReflection
public class CrmPack {

    private final Map<String, Line> lines = new ConcurrentHashMap<>();

    /**
     * Sends JSON in a pack, which is a JSON array; the message gets the pack's answer. The variable {@code packSize} of the
     * pack says how many are in it. A pack of several that is refused is sent again one by one, so that one element cannot take
     * the others with it.
     *
     * @param route of a pack
     * @param most elements in it
     */
    public void send(@Body String element, Exchange exchange, @Variable("crm") String crm, @Variable("lane") String lane,
            @Variable("operation") String operation, String route, int most) throws Exception {
        Part part = new Part(element, new CompletableFuture<>());
        Map<String, Object> about = Map.of("crm", crm, "lane", lane, "operation", operation);
        Line line = lines.computeIfAbsent(crm + " " + route, name -> new Line(exchange.getContext().createProducerTemplate(), route, most));
        Answer answer = line.answer(part, about);
        if (answer.alone) {
            answer = line.ask(List.of(part), about);
        }
        Span own = Span.current();
        if (!answer.sender.equals(own.getSpanContext())) {
            own.addLink(answer.sender);
        }
        if (answer.failure != null) {
            throw answer.failure;
        }
        exchange.getMessage().setBody(answer.body);
        exchange.getMessage().setHeader(Exchange.HTTP_RESPONSE_CODE, answer.status);
    }

    /** How many are to go with the next packs. */
    public int waiting() {
        return lines.values().stream().mapToInt(Line::waiting).sum();
    }

    private static boolean refused(Exception failure) {
        return failure instanceof CrmRefusedException || failure instanceof HttpOperationFailedException http
                && http.getStatusCode() >= 400 && http.getStatusCode() < 500 && http.getStatusCode() != 408 && http.getStatusCode() != 429;
    }

    /** @param turn completes with the answer, or with {@code null}: it is this one's turn to send a pack */
    private record Part(String element, CompletableFuture<Answer> turn) {
    }

    /**
     * @param alone the pack was refused, which says nothing about one of its elements
     * @param sender the delivery in whose trace the request is
     */
    private record Answer(Object body, Integer status, Exception failure, boolean alone, SpanContext sender) {
    }

    private final class Line {

        private final ProducerTemplate template;
        private final String route;
        private final int most;
        private final List<Part> waiting = new ArrayList<>();
        private boolean sending;

        private Line(ProducerTemplate template, String route, int most) {
            this.template = template;
            this.route = route;
            this.most = most;
        }

        private Answer answer(Part part, Map<String, Object> about) {
            Answer answer = first(part) ? null : part.turn.join();
            return answer != null ? answer : lead(part, about);
        }

        private Answer ask(List<Part> pack, Map<String, Object> about) {
            SpanContext sender = Span.current().getSpanContext();
            try {
                Exchange answered = template.send(route, exchange -> {
                    exchange.getMessage().setBody(pack.stream().map(Part::element).collect(Collectors.joining(",", "[", "]")));
                    about.forEach(exchange::setVariable);
                    exchange.setVariable("packSize", pack.size());
                });
                Exception failure = answered.getException();
                return new Answer(answered.getMessage().getBody(), answered.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class),
                        failure, pack.size() > 1 && refused(failure), sender);
            } catch (RuntimeException e) {
                return new Answer(null, null, e, false, sender);
            }
        }

        private synchronized boolean first(Part part) {
            waiting.add(part);
            boolean first = !sending;
            sending = true;
            return first;
        }

        private Answer lead(Part leader, Map<String, Object> about) {
            List<Part> pack = pack();
            // Whatever happens, nobody may wait for ever.
            Answer answer = new Answer(null, null, new IllegalStateException("the pack was not sent"), false, SpanContext.getInvalid());
            try {
                answer = ask(pack, about);
            } finally {
                for (Part part : pack) {
                    if (part != leader) {
                        part.turn.complete(answer);
                    }
                }
                next();
            }
            return answer;
        }

        /** The leader has waited longest and is in it. */
        private synchronized List<Part> pack() {
            List<Part> first = waiting.subList(0, Math.min(most, waiting.size()));
            List<Part> pack = List.copyOf(first);
            first.clear();
            return pack;
        }

        private synchronized int waiting() {
            return waiting.size();
        }

        private synchronized void next() {
            sending = !waiting.isEmpty();
            if (sending) {
                waiting.get(0).turn.complete(null);
            }
        }
    }
}
