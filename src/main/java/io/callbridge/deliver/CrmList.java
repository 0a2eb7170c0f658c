package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.i18n.phonenumbers.NumberParseException;
import com.google.i18n.phonenumbers.PhoneNumberUtil;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;

/** A list in a CRM's answer, read from its JSON: what of it is meant, and the same in the words of {@link EntityLookup}. */
@ApplicationScoped
@Named("crmList")
@RegisterForReflection
public class CrmList {

    private static final int LAST_DIGITS = 10;
    /** How people write a number, and nothing else. */
    private static final String NUMBER = "[+0-9(][-+0-9 ()./\u00a0]*";

    private final JsonTemplate templates;
    private final ObjectMapper json;

    public CrmList(JsonTemplate templates, ObjectMapper json) {
        this.templates = templates;
        this.json = json;
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
        return list == null ? null : list.stream().filter(one -> value.equals(at(one, path))).findFirst().orElse(null);
    }

    /** The number as it is dialled within its country, without what is dialled in front of it there. */
    public String national(String number) throws NumberParseException {
        PhoneNumberUtil numbers = PhoneNumberUtil.getInstance();
        return numbers.getNationalSignificantNumber(numbers.parse(number, null));
    }

    /**
     * JSON of the variable {@code list}: the template in the body for each of it, as the variable {@code one}. Blanks around a
     * text are from names of which a part is missing.
     */
    public String json(@Body String template, @Variable("list") Collection<?> list, Exchange exchange) throws JsonProcessingException {
        ArrayNode all = json.createArrayNode();
        for (Object one : list) {
            exchange.setVariable("one", one);
            ObjectNode filled = (ObjectNode) json.readTree(templates.json(template, exchange));
            filled.properties().forEach(member -> {
                if (member.getValue().isTextual()) {
                    member.setValue(json.getNodeFactory().textNode(member.getValue().asText().strip()));
                }
            });
            filled.properties().removeIf(member -> member.getValue().isTextual() && member.getValue().asText().isEmpty());
            all.add(filled);
        }
        return all.isEmpty() ? "" : json.writeValueAsString(all);
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

    private static String at(Object node, String path) {
        Object there = node;
        for (String name : path.split("\\.")) {
            there = there instanceof Map<?, ?> map ? map.get(name) : null;
        }
        return Objects.toString(there, null);
    }
}
