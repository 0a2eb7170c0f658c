package io.callbridge.deliver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.callbridge.store.Delivery;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The body of an effect (contract section 3) as facts for the routes: its members by their names, those of {@code place} and
 * {@code entity} with that word in front ({@code placeType}, {@code entityId}), and every time once more as a number with
 * {@code Millis} or {@code Seconds} behind ({@code startedAtMillis}); {@code userNumber} and {@code entityNumber} are those ids as
 * numbers, if they are; {@code ringSeconds} until somebody answered, or else until the end. A text
 * that is not there is empty.
 */
public final class EffectFacts {

    private static final List<String> TEXTS = List.of("callId", "direction", "user", "extension", "number", "rawNumber", "did", "at",
            "result", "startedAt", "answeredAt", "endedAt", "recordingId", "recordingUrl", "forwardedTo", "servedAt", "reason",
            "answeredBy", "placeExtension", "placeType");
    private static final List<String> ENTITY = List.of("entityId", "entityType", "entityName", "entityUrl", "entityResponsible");
    private static final List<String> TIMES = List.of("at", "startedAt", "answeredAt", "endedAt", "servedAt");

    private EffectFacts() {
    }

    /** All that there may be. */
    public static Set<String> names() {
        Set<String> names = new HashSet<>(List.of("crm", "operation", "lane", "pbx", "key", "id"));
        names.addAll(of(MissingNode.getInstance()).keySet());
        TIMES.forEach(time -> names.addAll(List.of(time + "Millis", time + "Seconds")));
        return names;
    }

    /** What the routes see of a delivery: its row, the id encoded for a path too, and the members of its body. */
    public static Map<String, Object> of(Delivery delivery, JsonNode body) {
        Map<String, Object> facts = of(body);
        facts.putAll(Map.of("crm", delivery.crm(), "operation", delivery.operation(), "lane", delivery.lane(), "pbx", delivery.pbx(),
                "key", delivery.id()));
        facts.put("id", encoded(delivery.id()).replace("+", "%20").replace("%7E", "~"));
        facts.put("answeredBy", encoded(facts.get("answeredBy").toString()));
        return facts;
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    public static Map<String, Object> of(JsonNode body) {
        Map<String, Object> facts = new HashMap<>();
        TEXTS.forEach(name -> facts.put(name, ""));
        facts.put("talkSeconds", body.path("talkSeconds").asLong());
        facts.put("ringSeconds", seconds(body, body.has("answeredAt") ? "answeredAt" : "endedAt"));
        facts.put("totalSeconds", seconds(body, "endedAt"));
        facts.putAll(entity(body));
        add(facts, "", body);
        TIMES.stream().filter(body::has).forEach(time -> {
            Instant instant = Instant.parse(body.get(time).asText());
            facts.put(time + "Millis", instant.toEpochMilli());
            facts.put(time + "Seconds", instant.getEpochSecond());
        });
        return facts;
    }

    private static long seconds(JsonNode body, String until) {
        return body.has("startedAt") && body.has(until)
                ? Duration.between(Instant.parse(body.get("startedAt").asText()), Instant.parse(body.get(until).asText())).toSeconds() : 0;
    }

    /** What a look-up adds. */
    public static Map<String, Object> entity(JsonNode body) {
        Map<String, Object> facts = new HashMap<>();
        ENTITY.forEach(name -> facts.put(name, ""));
        add(facts, "entity", body.path("entity"));
        facts.put("user", body.path("user").asText(""));
        facts.put("userNumber", number(facts.get("user")));
        facts.put("entityNumber", number(facts.get("entityId")));
        return facts;
    }

    private static Object number(Object id) {
        return id.toString().matches("[0-9]{1,18}") ? (Object) Long.valueOf(id.toString()) : "";
    }

    private static void add(Map<String, Object> facts, String before, JsonNode members) {
        members.properties().forEach(member -> {
            String key = member.getKey();
            String name = before.isEmpty() ? key : before + Character.toUpperCase(key.charAt(0)) + key.substring(1);
            if (member.getValue().isTextual() || member.getValue().isNumber() && !before.isEmpty()) {
                facts.put(name, member.getValue().asText());
            } else if (key.equals("place")) {
                add(facts, "place", member.getValue());
            }
        });
    }
}
