package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is taken from what a CRM answered: of lists and entities, and whether it refuses Callbridge itself; an effect as facts for a route. */
class AnswersTest {

    private final JsonAnswer list = new JsonAnswer(new ObjectMapper(), null);
    private static final String THREE = "[{'id':'1','responsible':'18','updatedAt':'2026-01-01'},"
            + "{'id':'2','responsible':'8','updatedAt':'2026-03-01'},{'id':'3','responsible':'8','updatedAt':'2026-02-01'}]";

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

    /** A condition must be able to name one that is not there. */
    @ParameterizedTest
    @CsvSource({"user, 7, ''", "number, +79000000010, ''", "talkSeconds, 30, 0", "startedAtMillis, 1741078800500, ", "startedAtSeconds, 1741078800, ",
            "userNumber, 7, ''", "entityNumber, 12, ''", "placeType, queue, ''", "entityId, 12, ''", "entityName, Ivanov, ''", "recordingUrl, '', ''"})
    void everyMemberOfAnEffectIsAFact(String name, String value, String withoutIt) throws JsonProcessingException {
        Map<String, Object> facts = EffectFacts.of(new ObjectMapper().readTree("{\"user\":\"7\",\"number\":\"+79000000010\",\"talkSeconds\":30,"
                + "\"startedAt\":\"2025-03-04T09:00:00.500Z\",\"place\":{\"extension\":\"880\",\"type\":\"queue\"},"
                + "\"entity\":{\"id\":12,\"name\":\"Ivanov\",\"nested\":{\"a\":1}}}"));
        assertEquals(value, facts.get(name).toString());
        assertEquals(name.matches(".*(Seconds|Millis|Number)") && !value.isEmpty(), facts.get(name) instanceof Long);
        if (withoutIt != null) {
            assertEquals(withoutIt, EffectFacts.of(new ObjectMapper().readTree("{}")).get(name).toString());
        }
    }

    /** What is none does not count. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "none", value = {
        "first | 8 | three | 1", "owner | 8 | three | 2", "owner | 18 | three | 1", "owner | 9 | three | 1", "owner | '' | three | 1",
        "most-recent | 7 | three | 2", "first | 7 | {'id':'1','name':null} | 1", "first | 7 | {'name':'nobody'} | none",
        "first | 7 | [] | none", "first | 7 | [{'name':'x'},{'id':'2'}] | 2", "first | 7 | 42 | none"})
    void severalEntities(String policy, String user, String answer, String id) throws JsonProcessingException {
        assertEquals(id, EntityLookup.pick("rest", policy, new ObjectMapper().readTree(answer.replace("three", THREE).replace('\'', '"')), user)
                .map(entity -> entity.get("id").asText()).orElse(null));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', nullValues = "none", value = {
        "<!DOCTYPE html><html><head><title>Sign in</title> | the page 'Sign in' instead of data",
        "`\uFEFF\r\n <html lang=\"en\">` | a page instead of data",
        "`<?xml version=\"1.0\"?>\n<!-- <b> -->\n<!doctype HTML PUBLIC>\n<TITLE dir=ltr>\n Log\n in </TITLE>` | the page 'Log in' instead of data",
        "<head><title></title> | a page instead of data",
        "`` | none",
        "OK | none",
        "{\"html\":\"<html>\"} | none",
        "<Response><Authentication>Failure</Authentication></Response> | none",
        "<htmlish/> | none",
        "none | none"})
    void aPage(String body, String said) {
        assertEquals(said, CrmAnswer.page(body));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "none", value = {
        "401 | none | answer 401, it does not accept the token or password",
        "403 | none | answer 403, the token or password lacks rights",
        "301 | https://crm.example:8443/rest/1/secret | answer 301, it has moved to https://crm.example:8443",
        "307 | https://anna:secret@crm.example/ | answer 307, it has moved to https://crm.example",
        "302 | /login?secret | answer 302, it has moved to another path",
        "308 | h ttp: secret | answer 308, it has moved to another address",
        "304 | none | answer 304, it is elsewhere",
        "400 | none | none", "404 | none | none", "429 | none | none", "500 | none | none", "200 | none | none"})
    void aRefusal(int status, String location, String said) {
        assertEquals(said, CrmAnswer.refusal(status, location));
    }
}
