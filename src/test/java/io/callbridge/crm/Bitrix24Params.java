package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The parameters of one Bitrix24 method. In a query, a form and a batch command all values are texts and containers are
 * written {@code FILTER[NAME]=}, {@code USER_ID[0]=}; in a JSON body they have types, and the types of the documentation are
 * demanded there.
 */
final class Bitrix24Params {

    private static final Pattern NAME = Pattern.compile("([^\\[\\]]+)((?:\\[[^\\[\\]]*])*)");
    private static final Pattern INDEX = Pattern.compile("\\[([^\\[\\]]*)]");
    private static final Pattern REFERENCE = Pattern.compile("\\$result((?:\\[[^\\[\\]]*])+)");
    private static final Pattern WHOLE = Pattern.compile("-?[0-9]{1,18}");

    private final ObjectNode node;

    private Bitrix24Params(ObjectNode node) {
        this.node = node;
    }

    /** The query and the body; a body whose type does not say what it is contains no parameters. */
    static Bitrix24Params of(StandIn.Request request) {
        ObjectNode all = StandIn.JSON.createObjectNode();
        decode(request.query(), all);
        String type = request.header("Content-Type");
        if (type != null && type.startsWith("application/json") && !request.text().isBlank()) {
            if (!(request.json() instanceof ObjectNode body)) {
                throw new Bitrix24Error(400, "INVALID_REQUEST", "Stand-in: the body is not a JSON object");
            }
            all.setAll(body);
        } else if (type != null && type.startsWith("application/x-www-form-urlencoded")) {
            decode(request.text(), all);
        }
        return new Bitrix24Params(all);
    }

    /** The parameters of a batch command, with {@code $result[key][FIELD]} replaced; what is not there becomes an empty text. */
    static Bitrix24Params ofCommand(String query, Map<String, JsonNode> results) {
        ObjectNode all = StandIn.JSON.createObjectNode();
        decode(query, all);
        replace(all, results);
        return new Bitrix24Params(all);
    }

    /** Refuses other names than these, and null. */
    Bitrix24Params only(String... names) {
        node.fields().forEachRemaining(member -> {
            if (!Set.of(names).contains(member.getKey())) {
                throw Bitrix24Error.strict("unknown parameter " + member.getKey());
            }
            if (member.getValue().isNull()) {
                throw Bitrix24Error.strict(member.getKey() + " is null, leave it out instead");
            }
        });
        return this;
    }

    /** Takes a parameter out, {@code null} if it is absent or no text. */
    String take(String name) {
        JsonNode value = node.remove(name);
        return value != null && value.isTextual() ? value.textValue() : null;
    }

    boolean has(String name) {
        return node.has(name);
    }

    JsonNode get(String name) {
        return node.path(name);
    }

    /** @return {@code null} if absent */
    String text(String name) {
        JsonNode value = node.get(name);
        if (value != null && !value.isTextual()) {
            throw Bitrix24Error.strict(name + " must be a string");
        }
        return value == null ? null : value.textValue();
    }

    /** @return {@code null} if absent */
    Long whole(String name) {
        return node.has(name) ? whole(name, node.get(name)) : null;
    }

    /** 0 or 1. */
    boolean flag(String name, boolean absent) {
        Long value = whole(name);
        if (value != null && value != 0 && value != 1) {
            throw Bitrix24Error.strict(name + " must be 0 or 1");
        }
        return value == null ? absent : value == 1;
    }

    /** One integer or several; empty if absent. */
    List<Long> wholes(String name) {
        List<Long> all = new ArrayList<>();
        values(node.path(name)).forEach(value -> all.add(whole(name, value)));
        return all;
    }

    /** The elements of a container, whatever its keys; a scalar is its only element. */
    static List<JsonNode> values(JsonNode node) {
        List<JsonNode> all = new ArrayList<>();
        if (node.isContainerNode()) {
            node.forEach(all::add);
        } else if (!node.isMissingNode()) {
            all.add(node);
        }
        return all;
    }

    private static Long whole(String name, JsonNode value) {
        if (value.isIntegralNumber() || value.isTextual() && WHOLE.matcher(value.textValue()).matches()) {
            return value.asLong();
        }
        throw Bitrix24Error.strict(name + " must be an integer");
    }

    private static void decode(String encoded, ObjectNode into) {
        for (String pair : encoded == null || encoded.isEmpty() ? new String[0] : encoded.split("&")) {
            int equals = pair.indexOf('=');
            String name = URLDecoder.decode(equals < 0 ? pair : pair.substring(0, equals), StandardCharsets.UTF_8);
            Matcher parts = NAME.matcher(name);
            if (!parts.matches()) {
                throw Bitrix24Error.strict("the name of the parameter " + name);
            }
            ObjectNode at = into;
            String key = parts.group(1);
            Matcher index = INDEX.matcher(parts.group(2));
            while (index.find()) {
                at = at.get(key) instanceof ObjectNode inner ? inner : at.putObject(key);
                key = index.group(1).isEmpty() ? String.valueOf(at.size()) : index.group(1);
            }
            at.put(key, equals < 0 ? "" : URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
        }
    }

    private static void replace(ObjectNode node, Map<String, JsonNode> results) {
        node.fields().forEachRemaining(member -> {
            if (member.getValue() instanceof ObjectNode inner) {
                replace(inner, results);
            } else {
                member.setValue(node.textNode(REFERENCE.matcher(member.getValue().textValue())
                        .replaceAll(found -> Matcher.quoteReplacement(value(found.group(1), results)))));
            }
        });
    }

    private static String value(String path, Map<String, JsonNode> results) {
        Matcher index = INDEX.matcher(path);
        index.find();
        JsonNode at = results.getOrDefault(index.group(1), StandIn.JSON.missingNode());
        while (index.find()) {
            at = at.isArray() && WHOLE.matcher(index.group(1)).matches() ? at.path(Integer.parseInt(index.group(1)))
                    : at.path(index.group(1));
        }
        return at.asText("");
    }
}
