package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.support.TestConfig;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which of several entities with one number is taken. */
class EntityPolicyTest {

    private static final String THREE = "[{'id':'1','responsible':'7','updatedAt':'2026-01-01'},"
            + "{'id':'2','responsible':'8','updatedAt':'2026-03-01'},{'id':'3','responsible':'8','updatedAt':'2026-02-01'}]";

    @ParameterizedTest
    @CsvSource(nullValues = "none", value = {
        "first, 8, 1", "owner, 8, 2", "owner, 7, 1", "owner, 9, 1", "owner, '', 1", "most-recent, 7, 2"})
    void severalEntities(String policy, String user, String id) throws JsonProcessingException {
        assertEquals(id, picked(policy, THREE, user));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "none", value = {
        "{'id':'1','name':null} | 1", "{'name':'nobody'} | none", "[] | none", "[{'name':'x'},{'id':'2'}] | 2", "42 | none"})
    void whatIsNoEntityDoesNotCount(String answer, String id) throws JsonProcessingException {
        assertEquals(id, picked("first", answer, "7"));
    }

    private static String picked(String policy, String answer, String user) throws JsonProcessingException {
        EntityPolicy entities = new EntityPolicy(TestConfig.settings(TestConfig.of(Map.of("callbridge.crm.rest.several-entities", policy), Map.of())));
        return entities.pick("rest", new ObjectMapper().readTree(answer.replace('\'', '"')), user).map(entity -> entity.get("id").asText())
                .orElse(null);
    }
}
