package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/** What an object in a request to a stand-in must and may have; nothing else, which is stricter than some vendors are. */
final class Members {

    static final Predicate<JsonNode> TEXT = JsonNode::isTextual;
    static final Predicate<JsonNode> FILLED = value -> value.isTextual() && !value.asText().isBlank();
    static final Predicate<JsonNode> COUNT = value -> value.isIntegralNumber() && value.asLong() >= 0;

    private final Map<String, Predicate<JsonNode>> known = new HashMap<>();
    private final Set<String> needed = new TreeSet<>();

    static Predicate<JsonNode> among(String... words) {
        return value -> value.isTextual() && Set.of(words).contains(value.asText());
    }

    static Predicate<JsonNode> listOf(Predicate<JsonNode> element) {
        return value -> value.isArray() && !value.isEmpty() && value.valueStream().allMatch(element);
    }

    Members must(Predicate<JsonNode> value, String... names) {
        needed.addAll(List.of(names));
        return may(value, names);
    }

    Members may(Predicate<JsonNode> value, String... names) {
        List.of(names).forEach(name -> known.put(name, value));
        return this;
    }

    boolean knows(String name) {
        return known.containsKey(name);
    }

    boolean fit(JsonNode object) {
        return wrong(object).isEmpty();
    }

    /** @return by the member's name */
    Map<String, String> wrong(JsonNode object) {
        Map<String, String> wrong = new TreeMap<>();
        needed.stream().filter(name -> !object.has(name)).forEach(name -> wrong.put(name, "FieldMissing"));
        object.properties().forEach(member -> {
            Predicate<JsonNode> allowed = known.get(member.getKey());
            if (allowed == null) {
                wrong.put(member.getKey(), "NotExpected");
            } else if (member.getValue().isNull()) {
                wrong.put(member.getKey(), "NotNullable");
            } else if (!allowed.test(member.getValue())) {
                wrong.put(member.getKey(), "NotSupportedChoice");
            }
        });
        return wrong;
    }
}
