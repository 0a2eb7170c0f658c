package io.callbridge.support;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.CrmRequest.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * Compares what the CRM received for a scenario with what the scenario expects, as the scenarios' description says.
 *
 * @param everything cards, too: they may differ when events overtake each other, calls and missed calls may not
 */
record ScenarioVerdict(Scenario scenario, boolean everything) {

    private record Part(String name, Kind kind) {
    }

    private static final List<Part> PARTS = List.of(new Part("calls", Kind.CALL), new Part("missed", Kind.MISSED),
            new Part("cards", Kind.CARD), new Part("hidden", Kind.CARD_END));
    /** About an expected request, not members of its body. */
    private static final Set<String> DIRECTIVES = Set.of("id", "legId", "optional", "updates");

    private List<Part> parts() {
        return everything ? PARTS : PARTS.subList(0, 2);
    }

    /** The expected requests that have not been made yet; empty when there is nothing left to wait for. */
    List<String> missing(List<CrmRequest> requests) {
        List<String> missing = new ArrayList<>();
        for (Part part : parts()) {
            for (JsonNode expected : scenario.expected(part.name)) {
                if (!expected.path("optional").asBoolean() && made(part, expected, requests).isEmpty()) {
                    missing.add(part.name + ": nothing for " + expected);
                }
            }
        }
        return missing;
    }

    /** Everything that differs; empty if the CRM received exactly what it should. */
    List<String> differences(List<CrmRequest> requests) {
        List<String> differences = missing(requests);
        for (Part part : parts()) {
            for (JsonNode expected : scenario.expected(part.name)) {
                compare(part, expected, made(part, expected, requests), differences);
            }
            requests.stream().filter(r -> r.kind() == part.kind && stream(scenario.expected(part.name))
                    .noneMatch(expected -> id(expected).equals(r.id()))).forEach(r -> differences.add(part.name + ": not expected: " + r));
        }
        return differences;
    }

    private static List<CrmRequest> made(Part part, JsonNode expected, List<CrmRequest> requests) {
        return requests.stream().filter(r -> r.kind() == part.kind && r.id().equals(id(expected))).toList();
    }

    /** A card's is that of its leg. */
    private static String id(JsonNode expected) {
        return expected.path("legId").asText(expected.path("id").asText());
    }

    private static void compare(Part part, JsonNode expected, List<CrmRequest> made, List<String> differences) {
        String where = part.name + " " + id(expected) + ": ";
        boolean updates = expected.path("updates").asBoolean();
        if (made.size() > 1 && !updates) {
            differences.add(where + "written " + made.size() + " times: " + made);
        }
        for (int i = 1; updates && i < made.size(); i++) {
            if (made.get(i).body() != null && made.get(i).body().equals(made.get(i - 1).body())) {
                differences.add(where + "written again without a change: " + made.get(i));
            }
        }
        for (CrmRequest request : made) {
            if (part.kind == Kind.CARD_END) {
                compareEnd(where, expected, request, differences);
            } else if (request.body() == null) {
                differences.add(where + "no JSON body");
            } else {
                expected.fields().forEachRemaining(member -> {
                    JsonNode actual = request.body().get(member.getKey());
                    if (!DIRECTIVES.contains(member.getKey()) && !fits(member.getKey(), member.getValue(), actual)) {
                        differences.add(where + member.getKey() + " is " + actual + ", not " + member.getValue());
                    }
                });
            }
        }
    }

    private static void compareEnd(String where, JsonNode expected, CrmRequest request, List<String> differences) {
        String reason = request.query().get("reason");
        String answeredBy = request.query().get("answeredBy");
        if (expected.has("reason") && stream(expected.get("reason")).noneMatch(r -> r.asText().equals(reason))) {
            differences.add(where + "reason is " + reason + ", not " + expected.get("reason"));
        }
        if (expected.has("answeredBy") && "answered-elsewhere".equals(reason) && !expected.get("answeredBy").asText().equals(answeredBy)) {
            differences.add(where + "answered by " + answeredBy + ", not " + expected.get("answeredBy").asText());
        }
    }

    private static boolean fits(String name, JsonNode expected, JsonNode actual) {
        if (expected.has("oneOf")) {
            return stream(expected.get("oneOf")).anyMatch(allowed -> fits(name, allowed, actual));
        }
        if (expected.isNull() || actual == null) {
            return expected.isNull() && actual == null;
        }
        if (name.equals("entity")) {
            return actual.path("id").equals(expected);
        }
        if (name.equals("did")) {
            return plain(expected).equals(plain(actual));
        }
        return expected.isObject() ? expected.properties().stream().allMatch(m -> fits(m.getKey(), m.getValue(), actual.get(m.getKey())))
                : expected.equals(actual);
    }

    private static String plain(JsonNode number) {
        return number.isTextual() ? number.asText().replaceFirst("^\\+", "") : number.toString();
    }

    private static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }
}
