package io.callbridge.support;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One of the files in {@code src/test/resources/scenarios}: what the PBX sends, and what the CRM must have received. An event has the
 * fields of the first of its leg and of {@code every} too, unless it has others ({@code null}: none), and those that follow from others:
 * {@link #whole}. A card, a call and a missed call have the members of {@code each}, and those that follow from the leg. A card has ended
 * as {@code hidden} says, or with the talk.
 */
public record Scenario(JsonNode file) {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String ONLY = System.getProperty("callbridge.test.scenarios");
    private static final String SEEDS = System.getProperty("callbridge.test.seeds");
    /** 2025-03-04T09:00:00Z in the PBX's microseconds. */
    static final long BEGIN = 1_741_078_800_000_000L;
    /** Of an event itself, not of its leg. */
    private static final Set<String> OWN = Set.of("EventType", "CallStatus", "Duration", "RecID", "Bridged", "EventTime");
    private static final Pattern HEX_ID = Pattern.compile("[0-9a-f]{32}");

    public record Event(double at, Map<String, String> fields, Webhook.Wire wire, Expected answer) {

        @Override
        public String toString() {
            return fields.get("EventType") + " " + fields.get("SubCallID");
        }
    }

    public record Expected(Set<Integer> status, String type, String body) {
    }

    private static Scenario read(String text) {
        JsonNode file = tree(text);
        Map<String, ObjectNode> legs = new HashMap<>();
        file.get("events").forEach(event -> whole(file.path("every"), legs, event.get("at").asDouble(), (ObjectNode) event.get("fields")));
        ObjectNode expect = (ObjectNode) file.get("expect");
        Stream.of("cards", "calls", "missed").flatMap(kind -> expect.path(kind).valueStream())
                .forEach(expected -> fill((ObjectNode) expected, expect.path("each")));
        ArrayNode hidden = expect.putArray("hidden");
        for (JsonNode card : expect.path("cards")) {
            String leg = card.get("legId").asText();
            JsonNode end = ((ObjectNode) card).remove("hidden");
            hidden.addObject().put("legId", leg).setAll((ObjectNode) (end == null ? tree("{\"reason\": [\"ended\"]}") : end));
            fill((ObjectNode) card, ofLeg(leg, legs));
        }
        for (JsonNode call : expect.path("calls")) {
            String leg = call.get("id").asText();
            fill((ObjectNode) call, ofLeg(leg, legs).put("result", "answered")
                    .put("recordingId", legs.get(leg).path("RecID").asText(null)));
        }
        expect.path("missed").forEach(missed -> fill((ObjectNode) missed,
                JSON.createObjectNode().put("id", file.at("/events/0/fields/CallID").asText())));
        return new Scenario(file);
    }

    /** An id that was used again has a {@code ~2} behind it, and so has its call's. */
    private static ObjectNode ofLeg(String id, Map<String, ObjectNode> legs) {
        String extension = id.replaceFirst("-.*", "").substring(2);
        JsonNode first = legs.get(id.replaceFirst("~.*", ""));
        return JSON.createObjectNode().put("extension", extension).put("user", ExamplePbx.userOf(extension))
                .put("direction", first.get("CallFlow").asText())
                .put("callId", first.get("CallID").asText() + id.replaceFirst("[^~]*", ""));
    }

    private static JsonNode tree(String text) {
        return Unchecked.get(() -> JSON.readTree(text));
    }

    private static void whole(JsonNode every, Map<String, ObjectNode> legs, double at, ObjectNode fields) {
        String leg = fields.path("SubCallID").asText(every.path("SubCallID").asText());
        fill(fields, legs.getOrDefault(leg, JSON.createObjectNode()).deepCopy().without(OWN));
        fill(fields, every);
        String type = fields.path("EventType").asText();
        if (type.matches("dial-(in|out)|answer|hangup") && !fields.has("CallStatus")) {
            fields.put("CallStatus", type.startsWith("dial") ? "CALLING" : "ANSWER");
        }
        if (type.equals("hangup") && !fields.has("Duration") && !fields.get("CallStatus").asText().equals("ANSWER")) {
            fields.put("Duration", "0");
        }
        if (!fields.has("EventTime")) {
            fields.put("EventTime", Long.toString(BEGIN + Math.round(at * 1_000_000)));
        }
        String called = fields.path("CalledNumber").asText();
        if (called.startsWith(ExamplePbx.PREFIX + "*") && !fields.has("CalledExtension")) {
            fields.put("CalledExtension", called + "@" + ExamplePbx.DOMAIN);
        }
        ObjectNode first = legs.computeIfAbsent(leg, id -> fields.deepCopy());
        if (fields.has("RecID")) {
            first.set("RecID", fields.get("RecID"));
        }
        fields.properties().removeIf(field -> field.getValue().isNull());
    }

    private static void fill(ObjectNode object, JsonNode members) {
        members.properties().stream().filter(member -> !object.has(member.getKey()))
                .forEach(member -> object.set(member.getKey(), member.getValue()));
    }

    /** All scenarios in the order of their names, unless a failure is looked into with {@code -Dcallbridge.test.scenarios=S15,S20b}. */
    public static List<Scenario> wanted() {
        return all().filter(scenario -> ONLY == null || List.of(ONLY.split(",")).contains(scenario.id())).toList();
    }

    private static Stream<Scenario> all() {
        return Pages.below(Path.of("src/test/resources/scenarios")).filter(file -> file.toString().endsWith(".json")).sorted()
                .map(file -> read(Pages.text(file)));
    }

    /** Fresh ones in every run, unless a failure is to be played again with {@code -Dcallbridge.test.seeds=1,2}. */
    public static long[] seeds() {
        return SEEDS == null ? new Random().longs(2, 0, 1_000_000).toArray() : Stream.of(SEEDS.split(",")).mapToLong(Long::parseLong)
                .toArray();
    }

    public static Scenario of(String id) {
        return all().filter(s -> s.id().equals(id)).findFirst().orElseThrow();
    }

    /** The same scenario as another call: fresh ids in events and expectations. */
    public Scenario asAnotherCall(int number) {
        return new Scenario(tree(HEX_ID.matcher(file.toString()).replaceAll(id -> UUID
                .nameUUIDFromBytes((id.group() + number).getBytes(StandardCharsets.UTF_8)).toString().replace("-", ""))));
    }

    public String id() {
        return file.get("id").asText();
    }

    public String title() {
        return file.get("title").asText();
    }

    /** Full keys. */
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        file.path("settings").fields().forEachRemaining(s -> settings.put(
                s.getKey().startsWith("callbridge.") ? s.getKey() : "callbridge.calls." + s.getKey(), s.getValue().asText()));
        return settings;
    }

    public List<Event> events() {
        List<Event> events = new ArrayList<>();
        for (JsonNode event : file.get("events")) {
            Map<String, String> fields = new LinkedHashMap<>();
            event.get("fields").fields().forEachRemaining(f -> fields.put(f.getKey(), f.getValue().asText()));
            JsonNode answer = event.path("answer");
            Set<Integer> status = new HashSet<>();
            answer.path("status").forEach(s -> status.add(s.asInt()));
            events.add(new Event(event.get("at").asDouble(), fields, wire(event.path("wire"), fields.keySet()),
                    answer.isMissingNode() ? new Expected(Set.of(200), "text/plain", "OK")
                            : new Expected(status, answer.path("type").asText(null), answer.path("body").asText(null))));
        }
        return events;
    }

    /** The expected requests of one kind: {@code cards}, {@code hidden}, {@code calls}, {@code missed}. */
    public JsonNode expected(String kind) {
        return file.get("expect").path(kind);
    }

    /** Legs whose cards must be shown. */
    public Set<String> cards() {
        Set<String> cards = new HashSet<>();
        expected("cards").forEach(card -> {
            if (!card.path("optional").asBoolean()) {
                cards.add(card.get("legId").asText());
            }
        });
        return cards;
    }

    /** The ids of the call and its legs, as they stand in paths. */
    public Set<String> ids() {
        return Stream.concat(events().stream().flatMap(event -> Stream.of("CallID", "SubCallID").map(event.fields()::get)),
                Stream.of("id", "legId").flatMap(id -> file.get("expect").findValuesAsText(id).stream()))
                .filter(id -> id != null && !id.isBlank())
                .map(id -> id.strip().toLowerCase(Locale.ROOT)).collect(Collectors.toSet());
    }

    private static Webhook.Wire wire(JsonNode wire, Set<String> names) {
        return wire.isMissingNode() ? Webhook.Wire.FORM : wire.has("query") ? new Webhook.Wire("POST", names, Set.of(), false)
                : new Webhook.Wire("POST", Set.of(), null, false, !wire.get("secret").asText().equals("wrong"));
    }
}
