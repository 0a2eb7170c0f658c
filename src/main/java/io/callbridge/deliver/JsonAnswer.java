package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;

/** The JSON that a CRM answered, for routes that read it as {@code ${body[result][ID]}}. */
@ApplicationScoped
@Named("jsonAnswer")
@RegisterForReflection
public class JsonAnswer {

    /** Of an answer that is no JSON, a gateway's page say, so much is of interest. */
    private static final int MOST = 500;
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
    public String list(@Body String template, @Variable("list") Object list, Exchange exchange) throws JsonProcessingException {
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
    public String members(@Body String template, @Variable("list") Object list, Exchange exchange) throws JsonProcessingException {
        ObjectNode all = json.createObjectNode();
        for (Object element : elements(list)) {
            JsonNode member = filled(template, element, exchange);
            if (member.has("name") && member.has("value")) {
                all.set(member.get("name").asText(), member.get("value"));
            }
        }
        return json.writeValueAsString(all);
    }

    /** Empty, an absent list has become a map, or nothing. */
    private static List<?> elements(Object list) {
        return list instanceof List<?> elements ? elements : List.of();
    }

    private JsonNode filled(String template, Object element, Exchange exchange) {
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
}
