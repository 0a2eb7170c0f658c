package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * HubSpot's CRM API v3 as far as calls go: contacts, calls, tasks. The call's properties and their enums, the search's body and the
 * policies of the limits are from the vendor's pages. From general knowledge, not verified: the task's properties, association
 * types, the owner's check, what a second object with a unique value is answered (400 in a public client's test; 409 can be
 * switched on), the words of the errors other than PROPERTY_DOESNT_EXIST, the rate of searches, that a search does not count for
 * the ten seconds, that the index lags.
 */
class HubSpotStandIn extends StandIn {

    static final String TOKEN = "hubspot-token-of-the-tests";

    private static final String OBJECTS = "/crm/v3/objects/";
    private static final int MOST_FOUND = 200;
    private static final int MOST_GROUPS = 5;
    private static final String INVALID = "VALIDATION_ERROR";
    private static final Map<String, Integer> TO_CONTACT = Map.of("calls", 194, "tasks", 204);
    private static final Predicate<JsonNode> TIME = value -> value.isValueNode() && instant(value.asText()) != null;

    private record Item(String type, String id, Map<String, String> properties, List<String> contacts) {
    }

    final SlidingLimit rolling = new SlidingLimit(Duration.ofSeconds(10), 100);
    final SlidingLimit searches = new SlidingLimit(Duration.ofSeconds(1), 5);
    private final List<Item> items = new ArrayList<>();
    private final Set<String> owners = new HashSet<>();
    /** The own property of calls whose value only one of them can have ({@code hasUniqueValue}). */
    volatile String unique = "callbridge_id";
    /** How a second object with a unique value is refused: 400 as VALIDATION_ERROR, 409 as CONFLICT. */
    volatile int conflict = 400;
    private int indexed = Integer.MAX_VALUE;
    private int lastId = 5000;

    private final Members contacts = new Members().may(TEXT, "firstname", "lastname", "phone", "mobilephone", "hubspot_owner_id",
            "hs_searchable_calculated_phone_number", "hs_searchable_calculated_mobile_number");
    private final Members tasks = new Members().must(TIME, "hs_timestamp").may(TEXT, "hs_task_subject", "hs_task_body")
            .may(among("CALL", "EMAIL", "TODO"), "hs_task_type").may(among("NONE", "LOW", "MEDIUM", "HIGH"), "hs_task_priority")
            .may(among("NOT_STARTED", "IN_PROGRESS", "COMPLETED", "WAITING", "DEFERRED"), "hs_task_status")
            .may(this::owns, "hubspot_owner_id");

    private Members properties(String type) {
        return switch (type) {
            case "contacts" -> contacts;
            case "tasks" -> tasks;
            default -> new Members().must(TIME, "hs_timestamp").may(among("INBOUND", "OUTBOUND"), "hs_call_direction")
                    .may(matching("[0-9]+"), "hs_call_duration").may(matching("https://[^ ]+"), "hs_call_recording_url")
                    .may(among("BUSY", "CALLING_CRM_USER", "CANCELED", "COMPLETED", "CONNECTING", "FAILED", "IN_PROGRESS", "NO_ANSWER",
                            "QUEUED", "RINGING"), "hs_call_status").may(this::owns, "hubspot_owner_id")
                    .may(TEXT, "hs_call_from_number", "hs_call_to_number", "hs_call_title", "hs_call_body")
                   .may(matching(".{1,255}"), unique);
        };
    }

    /** A user to whom objects can belong. */
    void owner(String id) {
        look(() -> owners.add(id));
    }

    /** A contact that the index has already. */
    void contact(String id, Map<String, String> properties) {
        look(() -> items.add(new Item("contacts", id, properties, List.of())));
    }

    /** A search does not see what is written from now on. */
    void indexLags() {
        look(() -> indexed = items.size());
    }

    /** The contacts of a call, by its unique value. */
    List<String> contactsOf(String value) {
        return look(() -> items.stream().filter(item -> value.equals(item.properties.get(unique))).findFirst().orElseThrow().contacts);
    }

    /** An outgoing call that nobody answered is a call, one whose result is not told too. */
    List<CrmEffect> effects() {
        return look(() -> items.stream().filter(item -> !item.type.equals("contacts")).map(this::effect).toList());
    }

    private CrmEffect effect(Item item) {
        Map<String, String> is = item.properties;
        Long at = instant(is.get("hs_timestamp")).getEpochSecond();
        if (item.type.equals("tasks")) {
            return new CrmEffect(Kind.TASK, null, is.get("hubspot_owner_id"), null, null, is.get("hs_task_status"), null, at, null);
        }
        String status = is.get("hs_call_status");
        boolean in = is.get("hs_call_direction").equals("INBOUND");
        return new CrmEffect(in && status != null && !status.equals("COMPLETED") ? Kind.MISSED : Kind.CALL, is.get(unique),
                is.get("hubspot_owner_id"), CrmEffect.digits(is.get(in ? "hs_call_from_number" : "hs_call_to_number")), in ? "in" : "out",
                status, Long.parseLong(is.get("hs_call_duration")) / 1000, at, is.get("hs_call_recording_url"));
    }

    @Override
    protected Reply answer(Request request) {
        if (!("Bearer " + TOKEN).equals(request.header("Authorization"))) {
            return error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.");
        }
        boolean search = request.path().matches(OBJECTS + "[^/]+/search");
        if (!(search ? searches : rolling).take(request.nanos())) {
            return Reply.json(429, Map.of("category", "RATE_LIMITS", "policyName", search ? "SECONDLY" : "TEN_SECONDLY_ROLLING"));
        }
        List<String> path = Stream.of(request.path().replaceFirst("^/crm/v3/", "").split("/"))
                .map(part -> URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8)).toList();
        String type = path.size() > 1 ? path.get(1) : "";
        if (!request.path().startsWith("/crm/v3/") || !Set.of("contacts", "calls", "tasks").contains(type)) {
            return error(404, "OBJECT_NOT_FOUND", "Unable to infer object type from: " + type);
        }
        if (!request.method().equals("GET") && (!String.valueOf(request.header("Content-Type")).startsWith("application/json")
                || !request.json().isObject())) {
            return error(415, INVALID, "JSON is expected");
        }
        return switch (request.method() + " " + path.get(0) + " " + path.size() + (search ? " search" : "")) {
            case "GET properties 3" -> path.get(2).equals(unique) ? Reply.json(200, Map.of("name", unique, "hasUniqueValue", true))
                    : error(404, "OBJECT_NOT_FOUND", "Property \"" + path.get(2) + "\" does not exist");
            case "POST objects 2" -> create(type, request.json());
            case "POST objects 3 search" -> search(type, request.json());
            case "PATCH objects 3" -> change(type, path.get(2), request);
            default -> error(405, INVALID, "Method not allowed");
        };
    }

    private Reply create(String type, JsonNode body) {
        Members kind = new Members().must(among("HUBSPOT_DEFINED"), "associationCategory")
                .must(id -> id.isInt() && id.asInt() == TO_CONTACT.get(type), "associationTypeId");
        List<String> known = items.stream().filter(item -> item.type.equals("contacts")).map(Item::id).toList();
        Members to = new Members().must(among(known.toArray(String[]::new)), "id");
        Members association = new Members().must(to::fit, "to").must(listOf(kind::fit), "types");
        if (!new Members().must(JsonNode::isObject, "properties").may(listOf(association::fit), "associations").fit(body)) {
            return error(400, INVALID, "Invalid input JSON, or an association is not valid");
        }
        return write(type, null, body.path("properties"), body.path("associations").findValuesAsText("id"));
    }

    private Reply change(String type, String value, Request request) {
        if (!unique.equals(request.parameters().get("idProperty"))) {
            return error(400, INVALID, "This is not a unique property of " + type);
        }
        Item item = items.stream().filter(one -> value.equals(one.properties.get(unique))).findFirst().orElse(null);
        if (item == null) {
            return error(404, "OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric.");
        }
        if (!new Members().must(JsonNode::isObject, "properties").fit(request.json())) {
            return error(400, INVALID, "Invalid input JSON: properties are expected, and nothing else");
        }
        return write(type, item, request.json().path("properties"), item.contacts);
    }

    private Reply write(String type, Item known, JsonNode given, List<String> contacts) {
        Map<String, String> errors = properties(type).wrong(given);
        if (!errors.isEmpty()) {
            List<?> details = errors.entrySet().stream().map(e -> Map.of("name", e.getKey(), "error", e.getValue().equals("NotExpected")
                    ? "PROPERTY_DOESNT_EXIST" : e.getKey().equals("hubspot_owner_id") ? "INVALID_OWNER_ID" : e.getValue())).toList();
            return error(400, INVALID, "Property values were not valid: " + Reply.json(400, details).body());
        }
        String value = given.path(unique).asText(null);
        if (value != null && items.stream().anyMatch(item -> item != known && value.equals(item.properties.get(unique)))) {
            return error(conflict, conflict == 409 ? "CONFLICT" : INVALID, unique + ": another one already has that value.");
        }
        Item item = known != null ? known : new Item(type, String.valueOf(++lastId), new HashMap<>(), contacts);
        given.properties().forEach(property -> item.properties.put(property.getKey(), property.getValue().asText()));
        if (known == null) {
            items.add(item);
        }
        return Reply.json(known == null ? 201 : 200, shown(item, item.properties.keySet()));
    }

    /** Groups are alternatives; the filters of a group must all be fulfilled. */
    private Reply search(String type, JsonNode body) {
        Members properties = properties(type);
        Members filter = new Members().must(name -> properties.knows(name.asText()), "propertyName").must(among("EQ"), "operator")
                .must(JsonNode::isValueNode, "value");
        Members group = new Members().must(listOf(filter::fit), "filters");
        Predicate<JsonNode> groups = listOf(group::fit).and(some -> some.size() <= MOST_GROUPS);
        if (!new Members().must(groups, "filterGroups").may(listOf(TEXT), "properties")
                .may(limit -> limit.asInt() > 0 && limit.asInt() <= MOST_FOUND, "limit").fit(body)) {
            return error(400, INVALID, "There was a problem with the request.");
        }
        List<Item> found = items.stream().limit(indexed).filter(item -> item.type.equals(type) && body.get("filterGroups").valueStream()
                .anyMatch(one -> one.get("filters").valueStream().allMatch(wanted ->
                        wanted.get("value").asText().equals(item.properties.get(wanted.get("propertyName").asText()))))).toList();
        List<String> names = body.path("properties").valueStream().map(JsonNode::asText).toList();
        return Reply.json(200, Map.of("total", found.size(), "results", found.stream().limit(body.path("limit").asInt(10))
                .map(item -> shown(item, names)).toList()));
    }

    /** Only what was asked for; a property without a value is null. */
    private static Map<String, Object> shown(Item item, Iterable<String> names) {
        Map<String, String> some = new HashMap<>();
        names.forEach(name -> some.put(name, item.properties.get(name)));
        return Map.of("id", item.id, "properties", some, "updatedAt", "2026-01-01T00:00:00Z");
    }

    private boolean owns(JsonNode id) {
        return owners.contains(id.asText());
    }

    private static Predicate<JsonNode> matching(String pattern) {
        return value -> value.isValueNode() && value.asText().matches(pattern);
    }

    /** Milliseconds since 1970 or a time in UTC. @return {@code null} if it is neither */
    private static Instant instant(String text) {
        try {
            return text.matches("[0-9]{12,14}") ? Instant.ofEpochMilli(Long.parseLong(text)) : Instant.parse(text);
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    private static Reply error(int status, String category, String message) {
        return Reply.json(status, Map.of("status", "error", "message", message, "correlationId", "c-" + status, "category", category));
    }
}
