package io.callbridge.crm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.format.ResolverStyle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The telephony part of RetailCRM (Simla), API v5. Fields, their types, the spelling of the enums and the shape of the answers
 * are those of the vendor's PHP client (its Telephony models, enums and tests); the key, the dates and the rate from the
 * vendor's help. Not verified, and strict here: the texts and statuses of the errors (400 for a bad field), that an unknown
 * field is one, that an upload is refused as a whole, that an event and a call must name somebody, what a code means that
 * nobody has (no card here, but a call), what a hangup does to a card of somebody it does not name (nothing here), the
 * figures of the rate.
 */
class RetailCrmStandIn extends StandIn {

    static final String KEY = "retail-key-of-the-tests";

    private static final String BASE = "/api/v5/";
    private static final int PACK = 50;
    private static final int DIGITS_MATCHED = 10;
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss").withResolverStyle(ResolverStyle.STRICT);
    private static final ObjectReader STRICT = JSON.readerFor(JsonNode.class).with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final Set<String> TYPES = Set.of("in", "out", "hangup");
    private static final Predicate<JsonNode> TEXT = JsonNode::isTextual;
    private static final Predicate<JsonNode> FILLED = v -> v.isTextual() && !v.asText().isBlank();
    private static final Predicate<JsonNode> NUMBER = v -> v.isTextual() && v.asText().matches("[+]?[0-9][0-9 ()-]*");
    private static final Predicate<JsonNode> COUNT = v -> v.isIntegralNumber() && v.asLong() >= 0;
    private static final Predicate<JsonNode> WHEN = v -> v.isTextual() && date(v.asText()) != null;

    private static final Map<String, Predicate<JsonNode>> EVENT = Map.of("phone", NUMBER, "type", among(TYPES), "codes", listOf(FILLED),
            "userIds", listOf(JsonNode::isInt), "hangupStatus", among(Set.of("answered", "busy", "cancel", "failed", "no answered")),
            "externalPhone", TEXT, "callExternalId", FILLED, "site", TEXT, "webAnalyticsData", JsonNode::isObject);
    private static final Map<String, Predicate<JsonNode>> CALL = call();

    private record User(int id, String code, String firstName, String lastName, String email) {
    }

    private record Customer(int id, String firstName, String lastName, Integer manager, List<String> phones) {
    }

    private final SlidingLimit limit = new SlidingLimit(Duration.ofSeconds(1), 10);
    private final List<User> users = new ArrayList<>();
    private final List<Customer> customers = new ArrayList<>();
    private final List<CrmEffect> cards = new ArrayList<>();
    private final Map<String, CrmEffect> calls = new LinkedHashMap<>();
    private ZoneId zone = ZoneId.of("Europe/Moscow");

    /** An employee. @param code the extension */
    void user(int id, String code, String firstName, String lastName, String email) {
        look(() -> users.add(new User(id, code, firstName, lastName, email)));
    }

    /** @param manager the id of an employee; {@code null}: nobody's */
    void customer(int id, String firstName, String lastName, Integer manager, String... phones) {
        look(() -> customers.add(new Customer(id, firstName, lastName, manager, List.of(phones))));
    }

    /** Requests per second (10 if not told; the vendor allows telephony more, how much is not verified). */
    void limit(int perSecond) {
        limit.most(perSecond);
    }

    /** Where the account is: dates carry no zone. */
    void zone(ZoneId place) {
        look(() -> zone = place);
    }

    /** All cards shown and ended in their order, then the calls. */
    List<CrmEffect> effects() {
        return look(() -> {
            List<CrmEffect> all = new ArrayList<>(cards);
            all.addAll(calls.values());
            return all;
        });
    }

    @Override
    protected Reply answer(Request request) {
        if (!limit.take(request.nanos())) {
            return error(503, "API limit has been exceeded");
        }
        Map<String, String> given = request.parameters();
        String key = given.getOrDefault("apiKey", request.header("X-API-KEY"));
        if (!KEY.equals(key)) {
            return error(403, key == null ? "\"apiKey\" is missing." : "Wrong \"apiKey\" value.");
        }
        return switch (request.path()) {
            case BASE + "telephony/call/event" -> request.method().equals("POST") ? event(given.get("event")) : method();
            case BASE + "telephony/calls/upload" -> request.method().equals("POST") ? upload(given.get("calls")) : method();
            case BASE + "telephony/manager" -> request.method().equals("GET") ? manager(given) : method();
            default -> error(404, "API method not found");
        };
    }

    private Reply event(String text) {
        JsonNode event = read(text);
        if (event == null || !event.isObject()) {
            return error(400, "\"event\" is missing or is no JSON object: a form with one field of JSON is expected");
        }
        Map<String, String> errors = check("event", event, EVENT, List.of("phone", "type"));
        List<String> whom = new ArrayList<>();
        event.path("codes").forEach(c -> whom.add(c.asText()));
        boolean byCode = !whom.isEmpty();
        if (!byCode) {
            event.path("userIds").forEach(u -> whom.add(u.asText()));
        }
        if (whom.isEmpty()) {
            errors.put("event.codes", "Nobody is named.");
        }
        if (!errors.isEmpty()) {
            return invalid(errors);
        }
        String type = event.path("type").asText();
        boolean hangup = type.equals("hangup");
        whom.stream().filter(one -> users.stream().anyMatch(u -> one.equals(byCode ? u.code : "" + u.id)))
                .forEach(one -> cards.add(new CrmEffect(hangup ? CrmEffect.Kind.CARD_END : CrmEffect.Kind.CARD, text(event, "callExternalId"),
                        one, CrmEffect.digits(text(event, "phone")), hangup ? null : type, text(event, "hangupStatus"), null, null, null)));
        return Reply.json(200, Map.of("success", true));
    }

    private Reply upload(String text) {
        JsonNode pack = read(text);
        if (pack == null || !pack.isArray()) {
            return error(400, "\"calls\" is missing or is no JSON array: a form with one field of JSON is expected");
        }
        if (pack.isEmpty() || pack.size() > PACK) {
            return error(400, "\"calls\" has " + pack.size() + " elements, 1 to " + PACK + " are allowed.");
        }
        Map<String, String> errors = new TreeMap<>();
        for (int i = 0; i < pack.size(); i++) {
            String at = "calls[" + i + "]";
            errors.putAll(check(at, pack.get(i), CALL, List.of("date", "type", "phone", "result")));
            if (!pack.get(i).has("code") && !pack.get(i).has("userId")) {
                errors.put(at + ".code", "Nobody is named.");
            }
        }
        if (!errors.isEmpty()) {
            return invalid(errors);
        }
        // That a known externalId is the same call is not verified. That the answer names repeated ones is in the vendor's client;
        // whether as externalIds is not.
        List<String> repeated = new ArrayList<>();
        for (JsonNode call : pack) {
            String id = text(call, "externalId");
            if (calls.put(id == null ? "#" + calls.size() : id, effect(call)) != null) {
                repeated.add(id);
            }
        }
        return Reply.json(200, Map.of("success", true, "processedCallsCount", pack.size(), "duplicateCalls", repeated));
    }

    private CrmEffect effect(JsonNode call) {
        String type = text(call, "type");
        String result = text(call, "result");
        return new CrmEffect(type.equals("in") && !result.equals("answered") ? CrmEffect.Kind.MISSED : CrmEffect.Kind.CALL,
                text(call, "externalId"), call.has("code") ? text(call, "code") : text(call, "userId"), CrmEffect.digits(text(call, "phone")),
                type.equals("hangup") ? null : type, result, call.has("duration") ? call.path("duration").asLong() : null,
                date(text(call, "date")).atZone(zone).toEpochSecond(), text(call, "recordUrl"));
    }

    /** By the last ten digits; how the vendor compares numbers is not verified. An unknown number has a manager of null. */
    private Reply manager(Map<String, String> given) {
        String phone = given.get("phone");
        if (phone == null || !phone.matches("[+]?[0-9][0-9 ()-]*")) {
            return invalid(Map.of("phone", "This value is not valid."));
        }
        for (String flag : List.of("details", "ignoreStatus")) {
            if (!Set.of("0", "1").contains(given.getOrDefault(flag, "0"))) {
                return invalid(Map.of(flag, "This value is not valid."));
            }
        }
        if (!Set.of("apiKey", "phone", "details", "ignoreStatus").containsAll(given.keySet())) {
            return error(400, "This form should not contain extra fields.");
        }
        Customer customer = customers.stream().filter(c -> c.phones.stream().anyMatch(p -> tail(p).equals(tail(phone)))).findFirst()
                .orElse(null);
        User manager = customer == null ? null : users.stream().filter(u -> Objects.equals(u.id, customer.manager)).findFirst().orElse(null);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", true);
        answer.put("manager", manager == null ? null : Map.of("id", manager.id, "firstName", manager.firstName, "lastName", manager.lastName,
                "email", manager.email, "code", manager.code));
        if ("1".equals(given.get("details"))) {
            answer.put("customer", customer == null ? null : Map.of("id", customer.id, "firstName", customer.firstName, "lastName",
                    customer.lastName, "phones", customer.phones.stream().map(p -> Map.of("number", p)).toList()));
            answer.put("links", customer == null ? Map.of("newOrderLink", origin() + "/orders/add?phone=" + CrmEffect.digits(phone),
                    "newCustomerLink", origin() + "/customers/add?phone=" + CrmEffect.digits(phone))
                    : Map.of("newOrderLink", origin() + "/orders/add?customer=" + customer.id, "customerLink",
                            origin() + "/customers/" + customer.id));
        }
        return Reply.json(200, answer);
    }

    private static String tail(String phone) {
        String digits = CrmEffect.digits(phone);
        return digits.substring(Math.max(0, digits.length() - DIGITS_MATCHED));
    }

    private static Map<String, Predicate<JsonNode>> call() {
        Map<String, Predicate<JsonNode>> fields = new HashMap<>(Map.of("date", WHEN, "type", among(TYPES), "phone", NUMBER, "code", FILLED,
                "userId", JsonNode::isInt, "result", among(Set.of("answered", "busy", "failed", "no answer", "not allowed", "unknown"))));
        fields.putAll(Map.of("duration", COUNT, "durationWaiting", COUNT, "externalId", FILLED, "recordUrl",
                v -> v.isTextual() && v.asText().matches("https?://.+"), "externalPhone", TEXT, "source", JsonNode::isObject, "site", TEXT,
                "clientId", TEXT));
        return Map.copyOf(fields);
    }

    private static Predicate<JsonNode> among(Set<String> words) {
        return value -> value.isTextual() && words.contains(value.asText());
    }

    private static Predicate<JsonNode> listOf(Predicate<JsonNode> element) {
        return value -> {
            boolean fits = value.isArray();
            for (JsonNode one : value) {
                fits &= element.test(one);
            }
            return fits;
        };
    }

    private static Map<String, String> check(String at, JsonNode object, Map<String, Predicate<JsonNode>> fields, List<String> required) {
        Map<String, String> errors = new TreeMap<>();
        required.stream().filter(name -> !object.hasNonNull(name)).forEach(name -> errors.put(at + "." + name, "This value should not be blank."));
        object.fields().forEachRemaining(field -> {
            if (!fields.containsKey(field.getKey())) {
                errors.put(at + "." + field.getKey(), "This form should not contain extra fields.");
            } else if (!fields.get(field.getKey()).test(field.getValue())) {
                errors.putIfAbsent(at + "." + field.getKey(), "This value is not valid.");
            }
        });
        return errors;
    }

    private static JsonNode read(String text) {
        try {
            return text == null || text.isBlank() ? null : STRICT.readValue(text);
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    private static LocalDateTime date(String text) {
        try {
            return LocalDateTime.parse(text, DATE);
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    private static String text(JsonNode object, String name) {
        return object.hasNonNull(name) ? object.path(name).asText() : null;
    }

    private static Reply method() {
        return error(405, "Method not allowed");
    }

    private static Reply invalid(Map<String, String> errors) {
        return Reply.json(400, Map.of("success", false, "errorMsg", "Errors in the entity format", "errors", errors));
    }

    private static Reply error(int status, String message) {
        return Reply.json(status, Map.of("success", false, "errorMsg", message));
    }
}
