package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.i18n.phonenumbers.NumberParseException;
import com.google.i18n.phonenumbers.PhoneNumberUtil;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;

/** The JSON that a CRM answered, for routes that read it as {@code ${body[result][ID]}}, and what of a list in it is meant. */
@ApplicationScoped
@Named("jsonAnswer")
@RegisterForReflection
public class JsonAnswer {

    /** Of an answer that is no JSON, a gateway's page say, so much is of interest. */
    private static final int MOST = 500;
    private static final int LAST_DIGITS = 10;
    /** How people write a number, and nothing else. */
    private static final String NUMBER = "[+0-9(][-+0-9 ()./\u00a0]*";
    private static final TypeReference<Map<String, Object>> MAP = new TypeReference<>() {
    };

    private final ObjectMapper json;
    private final JsonTemplate templates;

    public JsonAnswer(ObjectMapper json, JsonTemplate templates) {
        this.json = json;
        this.templates = templates;
    }

    /**
     * The body as a map. What is empty is an empty map: some CRMs write an empty object as a list, and nobody asks an empty list
     * for anything. Of a body that is no JSON object the text is its {@code error_description}.
     *
     * @throws CrmAnswerException it is a page, a login say
     */
    public Map<String, Object> read(@Body String text, Exchange exchange) throws CrmAnswerException {
        CrmAnswer.noPage(exchange, text);
        exchange.setProperty(CrmAnswer.SAID, text);
        try {
            if (text != null && json.readTree(text) instanceof ObjectNode object) {
                return json.convertValue(withoutEmptyLists(object), MAP);
            }
        } catch (JsonProcessingException e) {
            // Its text says more than the place of the error.
        }
        String shown = text == null ? "" : text.strip();
        return new LinkedHashMap<>(Map.of("error_description", "no JSON: " + shown.substring(0, Math.min(MOST, shown.length()))));
    }

    /** The same of a CRM that answers nothing but JSON objects: whatever else came did not come from it, and is tried again. */
    public Map<String, Object> object(@Body String text, Exchange exchange) throws JsonProcessingException {
        exchange.setProperty(CrmAnswer.SAID, text);
        return json.readValue(text, MAP);
    }

    /**
     * A JSON list of what the template in the body makes of each element of the variable {@code list}. Blanks around a text are
     * from names of which a part is missing.
     */
    public String list(@Body String template, @Variable("list") Object list, Exchange exchange)
            throws JsonProcessingException, CrmAnswerException {
        ArrayNode all = json.createArrayNode();
        for (Object element : elements(list)) {
            all.add(stripped(filled(template, element, exchange)));
        }
        return json.writeValueAsString(all);
    }

    /**
     * A JSON object with a member for each element of the variable {@code list} for which the template in the body makes both its
     * {@code name} and its {@code value}.
     */
    public String members(@Body String template, @Variable("list") Object list, Exchange exchange)
            throws JsonProcessingException, CrmAnswerException {
        ObjectNode all = json.createObjectNode();
        for (Object element : elements(list)) {
            JsonNode member = filled(template, element, exchange);
            if (member.has("name") && member.has("value")) {
                all.set(member.get("name").asText(), member.get("value"));
            }
        }
        return json.writeValueAsString(all);
    }

    /**
     * Those with a text that is this number, however it is written: its last ten digits. A CRM that looks for parts of a number
     * answers those of others too.
     *
     * @param list {@code null}: nothing was found
     */
    public List<?> withNumber(Collection<?> list, @Variable("number") String number) {
        return list == null ? List.of() : list.stream().filter(one -> has(one, last(number))).toList();
    }

    /**
     * The first that has a value.
     *
     * @param list {@code null}: nothing was found
     * @param path where, from member to member with a dot between
     * @return {@code null}: none has it
     */
    public Object first(Collection<?> list, String path, String value) {
        return list == null ? null
                : list.stream().filter(one -> value.equals(Objects.toString(at(one, path), null))).findFirst().orElse(null);
    }

    /** The number as it is dialled within its country, without what is dialled in front of it there; of no country, its digits. */
    public String national(String number) {
        PhoneNumberUtil numbers = PhoneNumberUtil.getInstance();
        try {
            return numbers.getNationalSignificantNumber(numbers.parse(number, null));
        } catch (NumberParseException ofNoCountry) {
            return number.replaceAll("[^0-9]", "");
        }
    }

    /** Empty, an absent list has become a map, or nothing. */
    private static List<?> elements(Object list) {
        return list instanceof List<?> elements ? elements : List.of();
    }

    private JsonNode filled(String template, Object element, Exchange exchange) throws CrmAnswerException {
        exchange.getMessage().setBody(element);
        return templates.filled(template, exchange);
    }

    private JsonNode stripped(JsonNode node) {
        if (node instanceof ObjectNode object) {
            object.properties().forEach(member -> {
                if (member.getValue().isTextual()) {
                    member.setValue(json.getNodeFactory().textNode(member.getValue().asText().strip()));
                }
            });
            object.properties().removeIf(member -> member.getValue().isTextual() && member.getValue().asText().isEmpty());
        }
        return node;
    }

    private JsonNode withoutEmptyLists(JsonNode node) {
        if (node instanceof ArrayNode array && array.isEmpty()) {
            return json.createObjectNode();
        }
        if (node instanceof ObjectNode object) {
            object.properties().forEach(member -> member.setValue(withoutEmptyLists(member.getValue())));
        }
        return node;
    }

    private static boolean has(Object node, String digits) {
        if (node instanceof Map<?, ?> map) {
            return map.values().stream().anyMatch(member -> has(member, digits));
        }
        if (node instanceof Collection<?> elements) {
            return elements.stream().anyMatch(element -> has(element, digits));
        }
        return node instanceof String text && text.matches(NUMBER) && last(text).equals(digits);
    }

    private static String last(String number) {
        String digits = number.replaceAll("[^0-9]", "");
        return digits.substring(Math.max(0, digits.length() - LAST_DIGITS));
    }

    /** @return {@code null}: there is none */
    static Object at(Object node, String path) {
        Object there = node;
        for (String name : path.split("\\.")) {
            there = there instanceof Map<?, ?> map ? map.get(name) : null;
        }
        return there;
    }
}
