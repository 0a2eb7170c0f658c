package io.callbridge.deliver;

import com.google.i18n.phonenumbers.NumberParseException;
import com.google.i18n.phonenumbers.PhoneNumberUtil;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.camel.Variable;

/** A list in a CRM's answer: what of it is meant. */
@ApplicationScoped
@Named("crmList")
@RegisterForReflection
public class CrmList {

    private static final int LAST_DIGITS = 10;
    /** How people write a number, and nothing else. */
    private static final String NUMBER = "[+0-9(][-+0-9 ()./\u00a0]*";

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

    /** The number as it is dialled within its country, without what is dialled in front of it there; of no country, its digits. */
    public String national(String number) {
        PhoneNumberUtil numbers = PhoneNumberUtil.getInstance();
        try {
            return numbers.getNationalSignificantNumber(numbers.parse(number, null));
        } catch (NumberParseException ofNoCountry) {
            return number.replaceAll("[^0-9]", "");
        }
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
