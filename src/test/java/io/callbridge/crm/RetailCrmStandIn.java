package io.callbridge.crm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.CrmEffect.Kind;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.format.ResolverStyle;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The telephony part of RetailCRM (Simla), API v5. Fields, their types, the spelling of the enums and the shape of the answers
 * are those of the vendor's PHP client (its Telephony models, enums and tests); the key, the dates and the rate from the
 * vendor's help. Not verified, and strict here: the texts and statuses of the errors (400 for a bad field), that an unknown
 * field is one, that an upload is refused as a whole, that an event and a call must name somebody, what a code means that
 * nobody has (no card here, but a call), what a hangup does to a card of somebody it does not name (nothing here), the
 * figures of the rate, that a known externalId is the same call and named so in the answer.
 */
class RetailCrmStandIn extends StandIn {

    static final String KEY = "retail-key-of-the-tests";

    private static final String BASE = "/api/v5/telephony/";
    private static final int PACK = 50;
    private static final int DIGITS_MATCHED = 10;
    private static final ZoneId ZONE = ZoneId.of("Europe/Moscow");
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss")
            .withResolverStyle(ResolverStyle.STRICT);
    private static final String NUMBER = "[+]?[0-9][0-9 ()-]*";
    private static final Predicate<JsonNode> PHONE = value -> value.isTextual() && value.asText().matches(NUMBER);
    private static final Predicate<JsonNode> WHEN = value -> value.isTextual() && date(value.asText()) != null;
    private static final Predicate<JsonNode> LINK = value -> value.isTextual() && value.asText().matches("https?://.+");

    private static final Members EVENT = new Members().must(PHONE, "phone").must(among("in", "out", "hangup"), "type")
            .must(listOf(FILLED), "codes").may(among("answered", "busy", "cancel", "failed", "no answered"), "hangupStatus")
            .may(FILLED, "callExternalId").may(TEXT, "externalPhone", "site");
    private static final Members CALL = new Members().must(WHEN, "date").must(among("in", "out", "hangup"), "type").must(PHONE, "phone")
            .must(among("answered", "busy", "failed", "no answer", "not allowed", "unknown"), "result").may(FILLED, "code", "externalId")
            .may(JsonNode::isInt, "userId").may(COUNT, "duration", "durationWaiting").may(LINK, "recordUrl")
            .may(TEXT, "externalPhone", "site", "clientId").may(JsonNode::isObject, "source");

    private record Customer(int id, String firstName, String lastName, Integer manager, String phone) {
    }

    /** The vendor allows telephony more, how much is not verified. */
    final SlidingLimit limit = new SlidingLimit(Duration.ofSeconds(1), 10);
    private final Map<Integer, String> users = new LinkedHashMap<>();
    private final List<Customer> customers = new ArrayList<>();
    private final List<CrmEffect> cards = new ArrayList<>();
    private final Map<String, CrmEffect> calls = new LinkedHashMap<>();

    /** An employee. @param code the extension */
    void user(int id, String code) {
        look(() -> users.put(id, code));
    }

    /** @param manager the id of an employee; {@code null}: nobody's */
    void customer(int id, String firstName, String lastName, Integer manager, String phone) {
        look(() -> customers.add(new Customer(id, firstName, lastName, manager, phone)));
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
        if (!KEY.equals(request.header("X-API-KEY"))) {
            return error(403, "Wrong \"apiKey\" value.");
        }
        Map<String, String> given = request.parameters();
        return switch (request.method() + " " + request.path()) {
            case "POST " + BASE + "call/event" -> event(read(given.get("event")));
            case "POST " + BASE + "calls/upload" -> upload(read(given.get("calls")));
            case "GET " + BASE + "manager" -> manager(given);
            default -> error(404, "API method not found");
        };
    }

    private Reply event(JsonNode event) {
        if (!EVENT.fit(event)) {
            return invalid(EVENT.wrong(event));
        }
        boolean hangup = text(event, "type").equals("hangup");
        String number = CrmEffect.digits(text(event, "phone"));
        event.path("codes").forEach(code -> {
            if (users.containsValue(code.asText())) {
                cards.add(new CrmEffect(hangup ? Kind.CARD_END : Kind.CARD, text(event, "callExternalId"), code.asText(), number,
                        hangup ? null : text(event, "type"), text(event, "hangupStatus"), null, null, null));
            }
        });
        return Reply.json(200, Map.of("success", true));
    }

    private Reply upload(JsonNode pack) {
        Predicate<JsonNode> named = call -> CALL.fit(call) && (call.has("code") || call.has("userId"));
        if (!listOf(named).test(pack) || pack.size() > PACK) {
            return invalid(CALL.wrong(pack.path(0)));
        }
        List<String> repeated = new ArrayList<>();
        for (JsonNode call : pack) {
            String id = text(call, "externalId");
            if (calls.put(id == null ? "#" + calls.size() : id, effect(call)) != null) {
                repeated.add(id);
            }
        }
        return Reply.json(200, Map.of("success", true, "processedCallsCount", pack.size(), "duplicateCalls", repeated));
    }

    private static CrmEffect effect(JsonNode call) {
        String type = text(call, "type");
        String result = text(call, "result");
        return new CrmEffect(type.equals("in") && !result.equals("answered") ? Kind.MISSED : Kind.CALL, text(call, "externalId"),
                text(call, call.has("code") ? "code" : "userId"), CrmEffect.digits(text(call, "phone")), type, result,
                call.path("duration").asLong(), date(text(call, "date")).atZone(ZONE).toEpochSecond(), text(call, "recordUrl"));
    }

    /** By the last ten digits; how the vendor compares numbers is not verified. An unknown number has a manager of null. */
    private Reply manager(Map<String, String> given) {
        String phone = given.getOrDefault("phone", "");
        String details = given.getOrDefault("details", "0");
        if (!phone.matches(NUMBER) || !details.matches("[01]") || !Set.of("phone", "details").containsAll(given.keySet())) {
            return invalid(Map.of("phone", "This value is not valid."));
        }
        Customer customer = customers.stream().filter(one -> tail(one.phone).equals(tail(phone))).findFirst().orElse(null);
        Map<String, Object> answer = new LinkedHashMap<>(Map.of("success", true));
        answer.put("manager", customer == null || customer.manager == null ? null
                : Map.of("id", customer.manager, "code", users.get(customer.manager)));
        if (details.equals("1")) {
            answer.put("customer", customer == null ? null
                    : Map.of("id", customer.id, "firstName", customer.firstName, "lastName", customer.lastName));
            answer.put("links", customer == null ? Map.of("newCustomerLink", origin() + "/customers/add")
                    : Map.of("customerLink", origin() + "/customers/" + customer.id));
        }
        return Reply.json(200, answer);
    }

    private static String tail(String phone) {
        String digits = CrmEffect.digits(phone);
        return digits.substring(Math.max(0, digits.length() - DIGITS_MATCHED));
    }

    /** A field of a form. */
    private static JsonNode read(String text) {
        try {
            return JSON.readTree(text == null ? "" : text);
        } catch (JsonProcessingException e) {
            return JSON.missingNode();
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
        return object.path(name).asText(null);
    }

    private static Reply invalid(Map<String, String> errors) {
        return Reply.json(400, Map.of("success", false, "errorMsg", "Errors in the entity format", "errors", errors));
    }

    private static Reply error(int status, String message) {
        return Reply.json(status, Map.of("success", false, "errorMsg", message));
    }
}
