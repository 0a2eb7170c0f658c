package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The body of an effect as the variables of an adapter's route. */
class EffectFactsTest {

    @Test
    void everyMemberIsAFact() throws JsonProcessingException {
        Map<String, Object> facts = EffectFacts.of(new ObjectMapper().readTree("{\"user\":\"7\",\"number\":\"+79000000010\",\"talkSeconds\":30,"
                + "\"startedAt\":\"2025-03-04T09:00:00.500Z\",\"place\":{\"extension\":\"880\",\"type\":\"queue\"},"
                + "\"entity\":{\"id\":12,\"name\":\"Ivanov\",\"nested\":{\"a\":1}}}"));
        assertEquals("7", facts.get("user"));
        assertEquals(30L, facts.get("talkSeconds"));
        assertEquals(1_741_078_800_500L, facts.get("startedAtMillis"));
        assertEquals(1_741_078_800L, facts.get("startedAtSeconds"));
        assertEquals(7L, facts.get("userNumber"));
        assertEquals(12L, facts.get("entityNumber"));
        assertEquals("queue", facts.get("placeType"));
        assertEquals("12", facts.get("entityId"));
        assertEquals("Ivanov", facts.get("entityName"));
    }

    /** A condition must be able to name a fact that is not there. */
    @Test
    void whatIsNotThereIsEmpty() throws JsonProcessingException {
        Map<String, Object> facts = EffectFacts.of(new ObjectMapper().readTree("{}"));
        assertEquals("", facts.get("number"));
        assertEquals("", facts.get("userNumber"));
        assertEquals("", facts.get("entityId"));
        assertEquals("", facts.get("recordingUrl"));
        assertEquals(0L, facts.get("talkSeconds"));
    }
}
