package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * HubSpot's CRM API v3 as far as calls go: contacts, calls, tasks, owners. The call's fields, the search's body and the
 * headers and policies of the limits are from the vendor's pages. From general knowledge, not verified: association types,
 * what a second object with a unique value is answered (400 in a public client's test; 409 can be switched on), the other
 * errors' words and statuses, the rate of searches, that a search does not count for the ten seconds, how far the index lags.
 */
class HubSpotStandIn extends StandIn {

    static final String TOKEN = "hubspot-token-of-the-tests";

    private static final String OBJECTS = "/crm/v3/objects/";
    private static final int MOST_FOUND = 200;
    private static final int MOST_GROUPS = 5;
    private static final int MOST_FILTERS = 6;
    private static final Set<String> UNFINISHED = Set.of("CALLING_CRM_USER", "CONNECTING", "IN_PROGRESS", "QUEUED", "RINGING");
    private static final String INVALID = "VALIDATION_ERROR";

    private record Version(long nanos, Map<String, String> properties) {
    }

    private record Item(String type, String id, List<Version> versions, List<String> contacts) {

        Map<String, String> properties() {
            return versions.get(versions.size() - 1).properties;
        }

        /** What the index has: the last version that is old enough, or nothing. */
        Map<String, String> indexed(long notAfter) {
            return versions.stream().filter(v -> v.nanos - notAfter <= 0).reduce((a, b) -> b).map(Version::properties).orElse(null);
        }
    }

    private record Owner(String id, String email, int userId) {
    }

    private final SlidingLimit rolling = new SlidingLimit(Duration.ofSeconds(10), 100);
    private final SlidingLimit searches = new SlidingLimit(Duration.ofSeconds(1), 5);
    private final HubSpotProperties schema = new HubSpotProperties();
    private final List<Item> items = new ArrayList<>();
    private final Map<String, Owner> owners = new TreeMap<>(Comparator.comparing(Long::valueOf));
    private Duration lag = Duration.ZERO;
    private int conflict = 400;
    private int lastId = 5000;

    /** A user to whom objects can belong. @param id {@code hubspot_owner_id} */
    void owner(String id, String email, int userId) {
        look(() -> owners.put(id, new Owner(id, email, userId)));
    }

    /** A contact that the index has already. */
    void contact(String id, Map<String, String> properties) {
        look(() -> items.add(new Item("contacts", id, List.of(new Version(System.nanoTime() - Duration.ofDays(1).toNanos(), properties)),
                List.of())));
    }

    /** Declares an own property of {@code calls} or {@code tasks} whose value is unique. */
    void unique(String type, String name) {
        look(() -> {
            schema.unique(type, name);
            return null;
        });
    }

    /** How a second object with a unique value is refused: 400 as VALIDATION_ERROR (if not told), 409 as CONFLICT. */
    void conflictStatus(int status) {
        look(() -> conflict = status);
    }

    /** How long a search does not see what was written (not at all, if not told). */
    void indexLag(Duration behind) {
        look(() -> lag = behind);
    }

    /** Requests per ten seconds other than searches (100 if not told). */
    void limit(int perTenSeconds) {
        rolling.most(perTenSeconds);
    }

    /** Searches per second (5 if not told). */
    void searchLimit(int perSecond) {
        searches.most(perSecond);
    }

    int mostPerTenSeconds() {
        return rolling.fullest();
    }

    int mostSearchesPerSecond() {
        return searches.fullest();
    }

    int refusedByLimit() {
        return rolling.refused() + searches.refused();
    }

    /** The contacts of a call or task, by its unique value. */
    List<String> contactsOf(String type, String value) {
        return look(() -> items.stream().filter(i -> i.type.equals(type) && value.equals(i.properties().get(schema.unique(type))))
                .flatMap(i -> i.contacts.stream()).toList());
    }

    /** An outgoing call that nobody answered is a call, one that is not over too. */
    List<CrmEffect> effects() {
        return look(() -> items.stream().filter(i -> !i.type.equals("contacts")).map(this::effect).toList());
    }

    private CrmEffect effect(Item item) {
        Map<String, String> is = item.properties();
        String id = schema.unique(item.type) == null ? null : is.get(schema.unique(item.type));
        Long at = Instant.parse(is.get("hs_timestamp")).getEpochSecond();
        if (item.type.equals("tasks")) {
            return new CrmEffect(CrmEffect.Kind.TASK, id, is.get("hubspot_owner_id"), null, null, is.get("hs_task_status"), null, at, null);
        }
        String status = is.get("hs_call_status");
        boolean in = "INBOUND".equals(is.get("hs_call_direction"));
        boolean missed = in && status != null && !status.equals("COMPLETED") && !UNFINISHED.contains(status);
        return new CrmEffect(missed ? CrmEffect.Kind.MISSED : CrmEffect.Kind.CALL, id, is.get("hubspot_owner_id"),
                CrmEffect.digits(is.get(in ? "hs_call_from_number" : "hs_call_to_number")),
                is.get("hs_call_direction") == null ? null : in ? "in" : "out", status,
                is.get("hs_call_duration") == null ? null : Long.parseLong(is.get("hs_call_duration")) / 1000, at, is.get("hs_call_recording_url"));
    }

    @Override
    protected Reply answer(Request request) {
        if (!("Bearer " + TOKEN).equals(request.header("Authorization"))) {
            return error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.");
        }
        boolean search = request.path().matches(OBJECTS + "[^/]+/search");
        SlidingLimit limit = search ? searches : rolling;
        Reply reply = limit.take(request.nanos()) ? performed(request) : Reply.json(429, Map.of("status", "error", "message",
                "You have reached your " + (search ? "secondly" : "ten_secondly_rolling") + " limit.", "errorType", "RATE_LIMIT", "category",
                "RATE_LIMITS", "policyName", search ? "SECONDLY" : "TEN_SECONDLY_ROLLING", "correlationId", "c-429"));
        return search ? reply : new Reply(reply.status(), reply.type(), reply.body(), Map.of("X-HubSpot-RateLimit-Max", "" + limit.most(),
                "X-HubSpot-RateLimit-Remaining", "" + Math.max(0, limit.left(request.nanos())), "X-HubSpot-RateLimit-Interval-Milliseconds", "10000"));
    }

    private Reply performed(Request request) {
        List<String> path = Stream.of(request.path().replaceFirst("^/crm/v3/", "").split("/"))
                .map(part -> URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8)).toList();
        boolean writes = Set.of("POST", "PATCH").contains(request.method());
        if (writes && !String.valueOf(request.header("Content-Type")).startsWith("application/json")) {
            return error(415, INVALID, "Unsupported media type");
        }
        if (writes && !request.json().isObject()) {
            return error(400, INVALID, "Invalid input JSON");
        }
        if (!request.path().startsWith("/crm/v3/") || path.size() > 3) {
            return error(404, "OBJECT_NOT_FOUND", "resource not found");
        }
        String what = request.method() + " " + path.get(0) + " " + path.size();
        if (path.size() > 1 && !HubSpotProperties.type(path.get(1))) {
            return error(404, "OBJECT_NOT_FOUND", "Unable to infer object type from: " + path.get(1));
        }
        return switch (path.size() == 3 && path.get(2).equals("search") ? what + " search" : what) {
            case "GET properties 3" -> path.get(2).equals(schema.unique(path.get(1))) ? Reply.json(200, Map.of("name", path.get(2), "type", "string",
                    "hasUniqueValue", true)) : error(404, "OBJECT_NOT_FOUND", "Property \"" + path.get(2) + "\" does not exist");
            case "POST objects 2" -> create(path.get(1), request.json());
            case "POST objects 3 search" -> search(path.get(1), request.json());
            case "PATCH objects 3" -> change(path.get(1), path.get(2), request);
            default -> error(405, INVALID, "Method not allowed");
        };
    }

    private Reply create(String type, JsonNode body) {
        if (!fields(body).allMatch(Set.of("properties", "associations")::contains) || !body.path("properties").isObject()) {
            return error(400, INVALID, "Invalid input JSON: properties and associations are expected, and nothing else");
        }
        List<String> contacts = new ArrayList<>();
        for (JsonNode association : body.path("associations")) {
            JsonNode kind = association.path("types").path(0);
            String contact = association.path("to").path("id").asText();
            if (association.path("types").size() != 1 || !kind.path("associationCategory").asText().equals("HUBSPOT_DEFINED")
                    || !kind.path("associationTypeId").isInt()
                    || kind.path("associationTypeId").asInt() != HubSpotProperties.TO_CONTACT.getOrDefault(type, 0)
                    || items.stream().noneMatch(i -> i.type.equals("contacts") && i.id.equals(contact))) {
                return error(400, INVALID, "One or more associations are not valid");
            }
            contacts.add(contact);
        }
        return write(type, null, body.path("properties"), contacts);
    }

    private Reply change(String type, String value, Request request) {
        String property = request.parameters().getOrDefault("idProperty", "hs_object_id");
        if (!property.equals("hs_object_id") && !property.equals(schema.unique(type))) {
            return error(400, INVALID, "Property " + property + " is not a unique property of " + type);
        }
        Item item = items.stream().filter(i -> i.type.equals(type) && value.equals(shown(i).get(property))).findFirst().orElse(null);
        if (item == null) {
            return error(404, "OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric.");
        }
        JsonNode body = request.json();
        if (!fields(body).allMatch("properties"::equals) || !body.path("properties").isObject()) {
            return error(400, INVALID, "Invalid input JSON: properties are expected, and nothing else");
        }
        return write(type, item, body.path("properties"), List.of());
    }

    private Reply write(String type, Item known, JsonNode given, List<String> contacts) {
        Map<String, String> properties = new HashMap<>(known == null ? Map.of() : known.properties());
        Map<String, String> errors = schema.take(type, given, owners.keySet(), properties);
        if (!errors.isEmpty()) {
            List<Map<String, Object>> details = errors.entrySet().stream().map(e -> Map.<String, Object>of("isValid", false, "name", e.getKey(),
                    "error", e.getValue(), "message", e.getValue().equals("PROPERTY_DOESNT_EXIST")
                            ? "Property \"" + e.getKey() + "\" does not exist" : e.getKey() + " was not valid")).toList();
            return error(400, INVALID, "Property values were not valid: " + Reply.json(400, details).body());
        }
        if (!type.equals("contacts") && !properties.containsKey("hs_timestamp")) {
            return error(400, INVALID, "Error creating " + type + ". Some required properties were not set: hs_timestamp");
        }
        String unique = schema.unique(type);
        Item same = items.stream().filter(i -> i != known && i.type.equals(type) && unique != null && properties.containsKey(unique)
                && properties.get(unique).equals(i.properties().get(unique))).findFirst().orElse(null);
        if (same != null) {
            return error(conflict, conflict == 409 ? "CONFLICT" : INVALID, "Cannot set " + unique + ". " + same.id + " already has that value.");
        }
        properties.put("hs_lastmodifieddate", Instant.now().toString());
        properties.putIfAbsent("hs_createdate", properties.get("hs_lastmodifieddate"));
        Item item = known != null ? known : new Item(type, String.valueOf(++lastId), new ArrayList<>(), contacts);
        item.versions.add(new Version(System.nanoTime(), Map.copyOf(properties)));
        if (known == null) {
            items.add(item);
        }
        return Reply.json(known == null ? 201 : 200, shown(item, shown(item), properties.keySet()));
    }

    private Reply search(String type, JsonNode body) {
        JsonNode groups = body.path("filterGroups");
        int limit = body.path("limit").asInt(10);
        if (!fields(body).allMatch(Set.of("filterGroups", "properties", "limit", "sorts", "after", "query")::contains) || !groups.isArray()
                || groups.isEmpty() || groups.size() > MOST_GROUPS || limit < 1 || limit > MOST_FOUND
                || !all(body.path("properties")).allMatch(JsonNode::isTextual)) {
            return error(400, INVALID, "There was a problem with the request.");
        }
        for (JsonNode group : groups) {
            if (group.path("filters").isEmpty() || group.path("filters").size() > MOST_FILTERS || !all(group.path("filters")).allMatch(f ->
                    fields(f).allMatch(Set.of("propertyName", "operator", "value")::contains) && schema.exists(type, f.path("propertyName").asText())
                            && f.path("operator").asText().equals("EQ") && f.path("value").isValueNode() && f.hasNonNull("value"))) {
                return error(400, INVALID, "There was a problem with the request: a filter is not valid");
            }
        }
        long seen = System.nanoTime() - lag.toNanos();
        Comparator<Item> order = Comparator.comparing(i -> Long.valueOf(i.id));
        for (JsonNode sort : body.path("sorts")) {
            Comparator<Item> by = Comparator.comparing(i -> i.indexed(seen).getOrDefault(sort.path("propertyName").asText(), ""));
            order = sort.path("direction").asText().equals("DESCENDING") ? by.reversed() : by;
        }
        List<String> wanted = all(body.path("properties")).map(JsonNode::asText).toList();
        List<Map<String, Object>> found = items.stream().filter(i -> i.type.equals(type) && i.indexed(seen) != null)
                .filter(i -> all(groups).anyMatch(group -> all(group.path("filters")).allMatch(f ->
                        f.path("value").asText().equals(with(i, i.indexed(seen)).get(f.path("propertyName").asText())))))
                .sorted(order).map(i -> shown(i, with(i, i.indexed(seen)), wanted)).toList();
        int from = body.path("after").asInt(0);
        int to = Math.min(found.size(), from + limit);
        Map<String, Object> answer = new LinkedHashMap<>(Map.of("total", found.size(), "results", found.subList(Math.min(from, to), to)));
        if (to < found.size()) {
            answer.put("paging", Map.of("next", Map.of("after", "" + to)));
        }
        return Reply.json(200, answer);
    }

    private static Map<String, String> with(Item item, Map<String, String> properties) {
        Map<String, String> all = new HashMap<>(properties);
        all.put("hs_object_id", item.id);
        return all;
    }

    private static Map<String, String> shown(Item item) {
        return with(item, item.properties());
    }

    /** Only what was asked for, and what HubSpot always tells; a property without a value is null. */
    private static Map<String, Object> shown(Item item, Map<String, String> properties, Iterable<String> wanted) {
        Map<String, String> some = new HashMap<>();
        HubSpotProperties.GIVEN_BY_HUBSPOT.forEach(name -> some.put(name, properties.get(name)));
        wanted.forEach(name -> some.put(name, properties.get(name)));
        some.remove("");
        return Map.of("id", item.id, "properties", some, "createdAt", properties.getOrDefault("hs_createdate", "2026-01-01T00:00:00Z"),
                "updatedAt", properties.getOrDefault("hs_lastmodifieddate", "2026-01-01T00:00:00Z"), "archived", false);
    }

    private static Stream<String> fields(JsonNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names.stream();
    }

    private static Stream<JsonNode> all(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }

    private static Reply error(int status, String category, String message) {
        return Reply.json(status, Map.of("status", "error", "message", message, "correlationId", "c-" + status, "category", category));
    }
}
