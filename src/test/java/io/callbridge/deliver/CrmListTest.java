package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is taken from a list that a CRM answered. */
class CrmListTest {

    private final CrmList list = new CrmList();

    @ParameterizedTest
    @CsvSource({"+79161234567, +79161234567, true", "8 (916) 123-45-67, +79161234567, true", "9161234567, +79161234567, true",
            "+7 999 161 234 567, +79161234567, true", "+7 999 161 234 567 89, +79161234567, false", "+7 916 123-45-67 8, +79161234567, false", "+4512345678, +4512345678, true",
            "12345678, +4512345678, false", "id 9161234567, +79161234567, false", "'', +79161234567, false"})
    void aNumberIsItsLastTenDigits(String text, String number, boolean has) {
        Map<String, Object> one = Map.of("id", 9161234567L, "fields", List.of(Map.of("values", List.of(Map.of("value", text)))));
        assertEquals(has ? List.of(one) : List.of(), list.withNumber(List.of(one), number));
    }

    @Test
    void theFirstWithAValueIsMeant() {
        Map<String, Object> first = Map.of("id", 1, "params", Map.of("uniq", "a"));
        Map<String, Object> second = Map.of("id", 2, "params", Map.of("uniq", "b"));
        assertEquals(second, list.first(List.of(first, second, Map.of("params", "b")), "params.uniq", "b"));
        assertEquals(first, list.first(List.of(second, first), "id", "1"));
        assertNull(list.first(List.of(first), "params.uniq.x", "a"));
        assertNull(list.first(null, "id", "1"));
        assertEquals(List.of(), list.withNumber(null, "+79161234567"));
    }

    @ParameterizedTest
    @CsvSource({"+79161234567, 9161234567", "+4915112345678, 15112345678", "+390612345678, 0612345678"})
    void aNationalNumberHasNoCountry(String number, String national) throws Exception {
        assertEquals(national, list.national(number));
    }
}
