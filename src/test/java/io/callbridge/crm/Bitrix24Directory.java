package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** The employees and the clients of a Bitrix24 portal. */
final class Bitrix24Directory {

    private static final int PAGE = 50;
    private static final int NATIONAL = 10;

    /** An employee. */
    record User(long id, String extension, boolean active) {
    }

    /** A contact, company or lead. */
    record Entity(String type, long id, String phone, String name, long responsible) {
    }

    /** A page of a list method. */
    record Page(List<?> result, Integer total, Integer next) {
    }

    private final Map<Long, User> users = new TreeMap<>();
    private final List<Entity> entities = new ArrayList<>();
    private long lastLead = 9000;

    void put(User user) {
        users.put(user.id(), user);
    }

    void clearUsers() {
        users.clear();
    }

    void put(Entity entity) {
        entities.add(entity);
    }

    Entity createLead(String phone, long responsible) {
        Entity lead = new Entity("LEAD", ++lastLead, phone, phone, responsible);
        entities.add(lead);
        return lead;
    }

    List<Entity> entities() {
        return List.copyOf(entities);
    }

    boolean employs(long id) {
        return users.containsKey(id) && users.get(id).active();
    }

    /** The employee that a method is about. Bitrix24 documentation, telephony.externalCall.register and .finish. */
    long user(Bitrix24Params params) {
        Long id = params.whole("USER_ID");
        String extension = params.text("USER_PHONE_INNER");
        if (id == null && extension == null) {
            throw Bitrix24Error.core("USER_ID or USER_PHONE_INNER should be set");
        }
        return users.values().stream().filter(User::active)
                .filter(user -> id != null ? user.id() == id : extension.equals(user.extension())).findFirst().map(User::id)
                .orElseThrow(() -> Bitrix24Error.core("User is not found or is not active"));
    }

    /** The vendor's rules are not verified; here the last ten digits decide, and the order is that of their creation. */
    List<Entity> find(String phone) {
        return entities.stream().filter(entity -> national(entity.phone()).equals(national(phone))).toList();
    }

    /** Bitrix24 documentation, telephony.externalCall.searchCrmEntities: ids are numbers in one place and texts in another. */
    List<?> search(Bitrix24Params params) {
        String phone = params.only("PHONE_NUMBER").text("PHONE_NUMBER");
        if (phone == null || phone.isBlank()) {
            throw Bitrix24Error.core("PHONE_NUMBER is empty");
        }
        List<Map<String, Object>> found = new ArrayList<>();
        for (Entity entity : find(phone)) {
            User responsible = users.get(entity.responsible());
            Map<String, Object> assigned = new LinkedHashMap<>();
            assigned.put("ID", String.valueOf(entity.responsible()));
            assigned.put("TIMEMAN_STATUS", "OPENED");
            assigned.put("USER_PHONE_INNER", responsible == null ? null : responsible.extension());
            assigned.put("WORK_PHONE", null);
            assigned.put("PERSONAL_PHONE", null);
            assigned.put("PERSONAL_MOBILE", null);
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("CRM_ENTITY_TYPE", entity.type());
            one.put("CRM_ENTITY_ID", entity.id());
            one.put("ASSIGNED_BY_ID", entity.responsible());
            one.put("NAME", entity.name());
            one.put("ASSIGNED_BY", assigned);
            found.add(one);
        }
        return found;
    }

    /**
     * Bitrix24 documentation, user.get: pages of 50, ids are texts, the activity is a boolean. That {@code start=-1} leaves
     * {@code total} and {@code next} out is inferred.
     */
    Page users(Bitrix24Params params) {
        params.only("FILTER", "filter", "sort", "SORT", "order", "ORDER", "ADMIN_MODE", "start");
        JsonNode filter = params.has("FILTER") ? params.get("FILTER") : params.get("filter");
        List<Map<String, Object>> all = new ArrayList<>();
        for (User user : users.values()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("ID", String.valueOf(user.id()));
            one.put("ACTIVE", user.active());
            one.put("NAME", "Employee");
            one.put("LAST_NAME", String.valueOf(user.id()));
            one.put("EMAIL", "user" + user.id() + "@example.com");
            one.put("UF_DEPARTMENT", List.of(1));
            one.put("UF_PHONE_INNER", user.extension());
            one.put("USER_TYPE", "employee");
            if (fits(one, filter)) {
                all.add(one);
            }
        }
        long start = Objects.requireNonNullElse(params.whole("start"), 0L);
        int from = (int) Math.min(Math.max(start, 0) / PAGE * PAGE, all.size());
        int to = Math.min(from + PAGE, all.size());
        return new Page(all.subList(from, to), start < 0 ? null : all.size(), start < 0 || to == all.size() ? null : to);
    }

    static String national(String phone) {
        String digits = CrmEffect.digits(phone);
        return digits.substring(Math.max(0, digits.length() - NATIONAL));
    }

    private static boolean fits(Map<String, Object> user, JsonNode filter) {
        if (!filter.isMissingNode() && !filter.isObject()) {
            throw Bitrix24Error.strict("FILTER must be an object");
        }
        for (Iterator<Map.Entry<String, JsonNode>> each = filter.fields(); each.hasNext();) {
            Map.Entry<String, JsonNode> wanted = each.next();
            String field = wanted.getKey().replaceFirst("^[=@]", "");
            if (!List.of("ID", "ACTIVE", "UF_PHONE_INNER", "USER_TYPE").contains(field)) {
                throw Bitrix24Error.strict("filter by " + wanted.getKey());
            }
            String value = text(user.get(field));
            if (Bitrix24Params.values(wanted.getValue()).stream().noneMatch(one -> text(one.asText()).equals(value))) {
                return false;
            }
        }
        return true;
    }

    /** The activity may be asked for as true, Y or 1. */
    private static String text(Object value) {
        return switch (String.valueOf(value)) {
            case "true", "Y" -> "1";
            case "false", "N" -> "0";
            default -> String.valueOf(value);
        };
    }
}
