package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.camel.Body;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Expression;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SetBodyDefinition;
import org.apache.camel.model.language.ConstantExpression;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.ExchangeHelper;

/**
 * A CRM's JSON as its documentation shows it, with Camel's Simple language in its texts: {@code {"USER_ID": "${variable.user}"}}.
 * A text that is one expression takes its type; what is empty is left out, and so is an object or a list of which nothing is
 * left. Nothing has to be escaped. A template is text of a route, the constant of a {@code setBody}; any other body may hold what
 * somebody else wrote, such as a caller's name, and is never evaluated.
 */
@ApplicationScoped
@Named("jsonTemplate")
@RegisterForReflection
public class JsonTemplate {

    private final ObjectMapper json;
    /** Of the routes' constants only. */
    private final Map<String, JsonNode> templates = new ConcurrentHashMap<>();
    private final Map<String, Expression> expressions = new ConcurrentHashMap<>();

    public JsonTemplate(ObjectMapper json) {
        this.json = json;
    }

    /** The template in the body as JSON, which the message says it is. */
    public String json(@Body String template, Exchange exchange) throws JsonProcessingException, CrmAnswerException {
        exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/json");
        return json.writeValueAsString(filled(template, exchange));
    }

    /**
     * For a CRM that is asked by methods: the template in the body is one of them with what it is told, <code>{"user.get":
     * {"start": 0}}</code>. Its name becomes the variable {@code method}, what it is told the variable {@code request}, and
     * {@code template} what it was.
     */
    public void method(@Body Object template, Exchange exchange) throws JsonProcessingException, CrmAnswerException {
        JsonNode filled = template instanceof JsonNode already ? already : filled(String.valueOf(template), exchange);
        Map.Entry<String, JsonNode> method = filled.properties().iterator().next();
        exchange.setVariable("template", template);
        exchange.setVariable("method", method.getKey());
        exchange.setVariable("request", json.writeValueAsString(method.getValue()));
    }

    /** The members of the template in the body as an encoded form, as the message says then; an object or a list among them is JSON. */
    public String form(@Body String template, Exchange exchange) throws CrmAnswerException {
        exchange.getMessage().setHeader(Exchange.CONTENT_TYPE, "application/x-www-form-urlencoded");
        return form(filled(template, exchange));
    }

    static String form(JsonNode members) {
        return members.properties().stream()
                .map(member -> encoded(member.getKey()) + "="
                        + encoded(member.getValue().isContainerNode() ? member.getValue().toString() : member.getValue().asText()))
                .collect(Collectors.joining("&"));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    JsonNode filled(String template, Exchange exchange) throws CrmAnswerException {
        if (!templates.containsKey(template)) {
            if (!constants(exchange.getContext()).contains(template)) {
                String wrong = "route " + ExchangeHelper.getAtRouteId(exchange) + ", step "
                        + exchange.getExchangeExtension().getHistoryNodeId() + ": jsonTemplate takes only the constant of a setBody as"
                        + " its template, and the body is none; put values into it as ${variable.name}";
                // Nothing of the body: the log may have it.
                throw new CrmAnswerException(null, wrong, wrong, 0, null);
            }
            templates.put(template, parsed(template));
        }
        JsonNode filled = filled(templates.get(template), exchange);
        return filled.isMissingNode() ? json.createObjectNode() : filled;
    }

    private static Set<String> constants(CamelContext context) {
        Set<String> constants = new HashSet<>();
        Exchange none = new DefaultExchange(context);
        for (RouteDefinition route : ((ModelCamelContext) context).getRouteDefinitions()) {
            Properties parameters = new Properties();
            parameters.putAll(route.getTemplateParameters() == null ? Map.of() : route.getTemplateParameters());
            context.getPropertiesComponent().setLocalProperties(parameters);
            for (SetBodyDefinition step : ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), SetBodyDefinition.class)) {
                if (step.getExpression() instanceof ConstantExpression constant) {
                    constants.add(constant.createExpression(context).evaluate(none, String.class));
                }
            }
        }
        context.getPropertiesComponent().setLocalProperties(null);
        return constants;
    }

    private JsonNode parsed(String template) {
        try {
            return json.readTree(template);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("the template is no JSON: " + e.getMessage(), e);
        }
    }

    /** @return a missing node: nothing is left */
    private JsonNode filled(JsonNode node, Exchange exchange) {
        if (node.isTextual()) {
            return node.asText().contains("${") ? value(node.asText(), exchange) : node;
        }
        if (node instanceof ObjectNode object) {
            ObjectNode filled = json.createObjectNode();
            object.properties().forEach(member -> filled.set(member.getKey(), filled(member.getValue(), exchange)));
            return filled.removeIf(JsonNode::isMissingNode).isEmpty() && !object.isEmpty() ? json.missingNode() : filled;
        }
        if (node instanceof ArrayNode array) {
            ArrayNode filled = json.createArrayNode();
            array.forEach(element -> filled.add(filled(element, exchange)));
            return filled.removeIf(JsonNode::isMissingNode).isEmpty() && !array.isEmpty() ? json.missingNode() : filled;
        }
        return node;
    }

    private JsonNode value(String text, Exchange exchange) {
        Expression expression = expressions.computeIfAbsent(text, simple -> {
            Expression created = exchange.getContext().resolveLanguage("simple").createExpression(simple);
            created.init(exchange.getContext());
            return created;
        });
        Object value = expression.evaluate(exchange, Object.class);
        return value == null || value.equals("") ? json.missingNode() : json.valueToTree(value);
    }
}
