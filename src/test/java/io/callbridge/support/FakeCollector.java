package io.callbridge.support;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.callbridge.crm.StandIn;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** An OpenTelemetry collector that takes traces by OTLP (HTTP with protobuf) and reads what these tests ask for. */
public final class FakeCollector extends StandIn {

    /**
     * @param parent span id; empty: this span begins its trace
     * @param attributes as text, a list as its elements behind commas
     */
    public record Seen(String trace, String id, String parent, String name, Map<String, String> attributes, boolean error) {

        public String get(String attribute) {
            return attributes.get(attribute);
        }
    }

    private final List<Seen> spans = new CopyOnWriteArrayList<>();

    public String url() {
        return origin();
    }

    public List<Seen> spans() {
        return List.copyOf(spans);
    }

    public List<Seen> spans(String name) {
        return spans().stream().filter(span -> span.name.equals(name)).toList();
    }

    /** Everything that came, headers too, with one character for each byte: texts can be looked for in it. */
    public String everything() {
        return requests().stream().map(request -> request.path() + " " + request.query() + " " + request.headers() + " "
                + new String(request.body(), StandardCharsets.ISO_8859_1)).collect(Collectors.joining("\n"));
    }

    @Override
    protected Reply answer(Request request) {
        if (request.path().equals("/v1/traces")) {
            // ExportTraceServiceRequest.resource_spans, ResourceSpans.scope_spans, ScopeSpans.spans
            messages(Unchecked.get(() -> UnknownFieldSet.parseFrom(request.body())), 1).flatMap(resource -> messages(resource, 2))
                    .flatMap(scope -> messages(scope, 2)).map(FakeCollector::span).forEach(spans::add);
        }
        return Reply.empty(200);
    }

    private static Seen span(UnknownFieldSet span) {
        Map<String, String> attributes = new TreeMap<>();
        messages(span, 9).forEach(pair -> attributes.put(text(pair, 1), any(messages(pair, 2).findFirst().orElseThrow())));
        return new Seen(hex(span, 1), hex(span, 2), hex(span, 4), text(span, 5), attributes,
                messages(span, 15).anyMatch(status -> status.getField(3).getVarintList().contains(2L)));
    }

    /** AnyValue: a string, a number, or an ArrayValue of them. */
    private static String any(UnknownFieldSet value) {
        return value.asMap().entrySet().stream().map(field -> switch (field.getKey()) {
            case 1 -> text(value, 1);
            case 5 -> messages(value, 5).flatMap(list -> messages(list, 1)).map(FakeCollector::any).collect(Collectors.joining(","));
            default -> Stream.concat(field.getValue().getVarintList().stream(), field.getValue().getFixed64List().stream())
                    .map(String::valueOf).collect(Collectors.joining(","));
        }).collect(Collectors.joining(","));
    }

    private static Stream<UnknownFieldSet> messages(UnknownFieldSet in, int field) {
        return in.getField(field).getLengthDelimitedList().stream().map(bytes -> Unchecked.get(() -> UnknownFieldSet.parseFrom(bytes)));
    }

    private static String text(UnknownFieldSet in, int field) {
        return bytes(in, field, ByteString::toStringUtf8);
    }

    private static String hex(UnknownFieldSet in, int field) {
        return bytes(in, field, bytes -> HexFormat.of().formatHex(bytes.toByteArray()));
    }

    private static String bytes(UnknownFieldSet in, int field, Function<ByteString, String> as) {
        return in.getField(field).getLengthDelimitedList().stream().map(as).findFirst().orElse("");
    }
}
