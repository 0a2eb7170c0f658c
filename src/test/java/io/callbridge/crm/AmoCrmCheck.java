package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The check of one element of a body, with the errors as amoCRM writes them: {@code code}, {@code path}, {@code detail}. Which
 * codes it has beyond NotNullable and NotSupportedChoice is not verified.
 */
final class AmoCrmCheck {

    /** Later than any call, earlier than milliseconds. */
    private static final long LAST_SECOND = 4_102_444_800L;

    private final JsonNode element;
    private final String path;
    private final List<Map<String, String>> errors;

    AmoCrmCheck(JsonNode element) {
        this(element, "", new ArrayList<>());
    }

    private AmoCrmCheck(JsonNode element, String path, List<Map<String, String>> errors) {
        this.element = element;
        this.path = path;
        this.errors = errors;
        if (!element.isObject()) {
            add("", "InvalidType", "This value should be of type object.");
        }
    }

    /** Refuses other members than these. */
    AmoCrmCheck only(String... names) {
        element.fieldNames().forEachRemaining(name -> {
            if (!Set.of(names).contains(name)) {
                add(name, "NotExpected", "This field was not expected.");
            }
        });
        return this;
    }

    AmoCrmCheck required(String... names) {
        for (String name : names) {
            if (!element.has(name)) {
                add(name, "FieldMissing", "This field is missing.");
            }
        }
        return this;
    }

    AmoCrmCheck text(String... names) {
        return type("string", JsonNode::isTextual, names);
    }

    AmoCrmCheck whole(String... names) {
        return type("int", JsonNode::isIntegralNumber, names);
    }

    AmoCrmCheck bool(String... names) {
        return type("bool", JsonNode::isBoolean, names);
    }

    AmoCrmCheck wholeOrText(String... names) {
        return type("int|string", node -> node.isIntegralNumber() || node.isTextual(), names);
    }

    /** Seconds since 1970. */
    AmoCrmCheck time(String... names) {
        whole(names);
        for (String name : names) {
            choice(name, node -> !node.isIntegralNumber() || node.longValue() >= 0 && node.longValue() < LAST_SECOND);
        }
        return this;
    }

    AmoCrmCheck notEmpty(String... names) {
        for (String name : names) {
            choice(name, node -> !node.isTextual() || !node.textValue().isBlank());
        }
        return this;
    }

    AmoCrmCheck choice(String name, Predicate<JsonNode> allowed) {
        if (element.has(name) && !element.get(name).isNull() && !allowed.test(element.get(name))) {
            add(name, "NotSupportedChoice", "The value you selected is not a valid choice.");
        }
        return this;
    }

    /** The check of a member that is an object; the member is required if {@link #required} says so. */
    AmoCrmCheck inner(String name) {
        return new AmoCrmCheck(element.has(name) ? element.get(name) : StandIn.JSON.createObjectNode(), path + name + '.', errors);
    }

    /** The checks of the elements of a member that is an array. */
    List<AmoCrmCheck> each(String name) {
        type("array", JsonNode::isArray, name);
        List<AmoCrmCheck> all = new ArrayList<>();
        for (JsonNode one : element.path(name)) {
            all.add(new AmoCrmCheck(one, path + name + '.' + all.size() + '.', errors));
        }
        return all;
    }

    boolean passed() {
        return errors.isEmpty();
    }

    /** @param index stands for a request_id that was not given */
    Map<String, Object> report(int index) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("request_id", element.path("request_id").asText(String.valueOf(index)));
        one.put("errors", errors);
        return one;
    }

    /** What may be left out must not be null. Seen in amocrm-api-php, issue 383 and pull 595. */
    private AmoCrmCheck type(String type, Predicate<JsonNode> allowed, String... names) {
        for (String name : names) {
            JsonNode value = element.get(name);
            if (value != null && value.isNull()) {
                add(name, "NotNullable", "This value should not be null.");
            } else if (value != null && !allowed.test(value)) {
                add(name, "InvalidType", "This value should be of type " + type + ".");
            }
        }
        return this;
    }

    private void add(String name, String code, String detail) {
        Map<String, String> error = new LinkedHashMap<>();
        error.put("code", code);
        error.put("path", path + name);
        error.put("detail", detail);
        errors.add(error);
    }
}
