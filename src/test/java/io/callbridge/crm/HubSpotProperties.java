package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * What HubSpot's objects can hold. The call's properties and their enums are from the vendor's page about calls; those of the
 * task, the owner's check and the words of the errors other than PROPERTY_DOESNT_EXIST are general knowledge, not verified.
 */
final class HubSpotProperties {

    static final Map<String, Integer> TO_CONTACT = Map.of("calls", 194, "tasks", 204);
    static final Set<String> GIVEN_BY_HUBSPOT = Set.of("hs_object_id", "hs_createdate", "hs_lastmodifieddate");

    private static final String LONGEST_BODY = "(?s).{0,65536}";
    private static final String TEXT = "(?s).*";
    private static final String WHEN = "when";

    /** By type and name: a pattern of the value as text. */
    private static final Map<String, Map<String, String>> PATTERNS = Map.of(
            "contacts", of("firstname", TEXT, "lastname", TEXT, "email", ".+@.+", "phone", TEXT, "mobilephone", TEXT, "company", TEXT,
                    "hubspot_owner_id", "[0-9]+", "hs_searchable_calculated_phone_number", "[0-9]*",
                    "hs_searchable_calculated_mobile_number", "[0-9]*"),
            "calls", of("hs_timestamp", WHEN, "hs_call_direction", "INBOUND|OUTBOUND", "hs_call_duration", "[0-9]+", "hs_call_from_number", TEXT,
                    "hs_call_to_number", TEXT, "hs_call_status",
                    "BUSY|CALLING_CRM_USER|CANCELED|COMPLETED|CONNECTING|FAILED|IN_PROGRESS|NO_ANSWER|QUEUED|RINGING",
                    "hs_call_disposition", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "hs_call_recording_url", "https://[^ ]+",
                    "hs_call_title", TEXT, "hs_call_body", LONGEST_BODY, "hubspot_owner_id", "[0-9]+", "hs_call_callee_object_id", "[0-9]+",
                    "hs_call_callee_object_type", TEXT, "hs_call_callee_object_type_id", TEXT),
            "tasks", of("hs_timestamp", WHEN, "hs_task_subject", TEXT, "hs_task_body", LONGEST_BODY, "hs_task_type", "CALL|EMAIL|TODO",
                    "hs_task_status", "NOT_STARTED|IN_PROGRESS|COMPLETED|WAITING|DEFERRED", "hs_task_priority", "NONE|LOW|MEDIUM|HIGH",
                    "hubspot_owner_id", "[0-9]+"));

    private final Map<String, String> unique = new HashMap<>();

    /** An own property whose value only one object of the type can have ({@code hasUniqueValue}). */
    void unique(String type, String name) {
        unique.put(type, name);
    }

    /** @return {@code null} if none was declared */
    String unique(String type) {
        return unique.get(type);
    }

    static boolean type(String type) {
        return PATTERNS.containsKey(type);
    }

    boolean exists(String type, String name) {
        return PATTERNS.get(type).containsKey(name) || name.equals(unique.get(type)) || GIVEN_BY_HUBSPOT.contains(name);
    }

    /** Puts what is right into the target, as text; an empty text takes the property away. @return what is wrong, by name */
    Map<String, String> take(String type, JsonNode given, Set<String> owners, Map<String, String> target) {
        Map<String, String> errors = new HashMap<>();
        given.fields().forEachRemaining(field -> {
            String name = field.getKey();
            JsonNode value = field.getValue();
            if (!exists(type, name)) {
                errors.put(name, "PROPERTY_DOESNT_EXIST");
            } else if (GIVEN_BY_HUBSPOT.contains(name)) {
                errors.put(name, "READ_ONLY_VALUE");
            } else if (!value.isTextual() && !value.isNumber() && !value.isBoolean()) {
                errors.put(name, "INVALID_VALUE");
            } else if (value.asText().isEmpty()) {
                target.remove(name);
            } else {
                String text = text(PATTERNS.get(type).getOrDefault(name, ".{1,255}"), value.asText());
                if (text == null) {
                    errors.put(name, name.endsWith("duration") ? "INVALID_LONG" : "INVALID_OPTION");
                } else if (name.equals("hubspot_owner_id") && !owners.contains(text)) {
                    errors.put(name, "INVALID_OWNER_ID");
                } else {
                    target.put(name, text);
                }
            }
        });
        return errors;
    }

    /** Milliseconds since 1970 or a time in UTC. @return {@code null} if it is neither */
    static Instant instant(String text) {
        try {
            return text.matches("[0-9]{12,14}") ? Instant.ofEpochMilli(Long.parseLong(text)) : text.endsWith("Z") ? Instant.parse(text) : null;
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    private static String text(String pattern, String value) {
        if (pattern.equals(WHEN)) {
            Instant when = instant(value);
            return when == null ? null : when.toString();
        }
        return value.matches(pattern) ? value : null;
    }

    private static Map<String, String> of(String... pairs) {
        Map<String, String> all = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            all.put(pairs[i], pairs[i + 1]);
        }
        return Map.copyOf(all);
    }
}
