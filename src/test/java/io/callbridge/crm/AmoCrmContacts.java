package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/** The employees and the clients of an amoCRM account. */
final class AmoCrmContacts {

    private static final int LAST_DIGITS = 10;

    /** A contact or a company, with its active leads. @param type contacts or companies */
    record Client(String type, long id, String name, long responsible, List<String> phones, List<Long> leads, long updatedAt) {

        boolean has(String phone) {
            return phones.stream().anyMatch(own -> last(own).equals(last(phone)));
        }
    }

    private record User(long id, String name, String email) {
    }

    private final LongSupplier clock;
    private final LongSupplier ids;
    private final Map<Long, User> users = new TreeMap<>();
    private final List<Client> clients = new ArrayList<>();

    AmoCrmContacts(LongSupplier clock, LongSupplier ids) {
        this.clock = clock;
        this.ids = ids;
    }

    void user(long id, String name, String email) {
        users.put(id, new User(id, name, email));
    }

    void client(String type, long id, String phone, String name, long responsible) {
        clients.add(new Client(type, id, name, responsible, List.of(phone), new ArrayList<>(), clock.getAsLong()));
    }

    void lead(long client, long lead) {
        clients.stream().filter(one -> one.id() == client).forEach(one -> one.leads().add(lead));
    }

    List<Client> clients() {
        return List.copyOf(clients);
    }

    List<Long> users() {
        return List.copyOf(users.keySet());
    }

    boolean employs(JsonNode user) {
        return users.containsKey(user.asLong());
    }

    boolean knows(String type, long id) {
        return type.equals("leads") ? clients.stream().anyMatch(one -> one.leads().contains(id))
                : clients.stream().anyMatch(one -> one.type().equals(type) && one.id() == id);
    }

    /** By the last ten digits; the first one of several, which is not documented. amoCRM documentation, calls-api. */
    Client find(String phone) {
        return clients.stream().filter(one -> one.has(phone)).findFirst().orElse(null);
    }

    /** Not idempotent: the same contact twice is two contacts. General knowledge of amoCRM's contacts-api. */
    StandIn.Reply create(JsonNode body) {
        List<Map<String, Object>> created = new ArrayList<>();
        AmoCrmStandIn.elements(body, this::check).forEach(element -> {
            List<String> phones = new ArrayList<>();
            element.path("custom_fields_values").forEach(field -> {
                if (field.path("field_code").asText().equals("PHONE")) {
                    field.path("values").forEach(value -> phones.add(value.path("value").asText()));
                }
            });
            Client client = new Client("contacts", ids.getAsLong(),
                    element.path("name").asText(element.path("first_name").asText()),
                    element.path("responsible_user_id").asLong(users.keySet().stream().findFirst().orElse(0L)), phones,
                    new ArrayList<>(), clock.getAsLong());
            clients.add(client);
            created.add(AmoCrmStandIn.added(client.id(), element, created.size()));
        });
        return AmoCrmProblem.hal(200, Map.of("_embedded", Map.of("contacts", created)));
    }

    /** The query is found anywhere in a number or a name, so the answer may hold others. iqtek tries several forms in turn. */
    StandIn.Reply find(StandIn.Request request, String origin) {
        AmoCrmQuery query = new AmoCrmQuery(request.query(), "query|with|order\\[(id|updated_at)]");
        String wanted = query.get("query");
        String digits = wanted == null ? "" : CrmEffect.digits(wanted);
        boolean leads = query.get("with") != null && List.of(query.get("with").split(",")).contains("leads");
        List<?> found = clients.stream().filter(one -> one.type().equals("contacts"))
                .filter(one -> wanted == null || one.name().toLowerCase().contains(wanted.toLowerCase())
                        || !digits.isEmpty() && one.phones().stream().anyMatch(own -> CrmEffect.digits(own).contains(digits)))
                .sorted(query.order(Client::id, Client::updatedAt)).map(one -> view(one, leads)).toList();
        return query.page("contacts", found, origin + request.path(), Map.of());
    }

    static String last(String phone) {
        String digits = CrmEffect.digits(phone);
        return digits.substring(Math.max(0, digits.length() - LAST_DIGITS));
    }

    private void check(AmoCrmCheck check) {
        check.only("name", "first_name", "last_name", "responsible_user_id", "created_by", "updated_by", "created_at", "updated_at",
                "custom_fields_values", "request_id").text("name", "first_name", "last_name", "request_id")
                .whole("responsible_user_id", "created_by", "updated_by").time("created_at", "updated_at")
                .choice("responsible_user_id", this::employs);
        for (AmoCrmCheck field : check.each("custom_fields_values")) {
            field.only("field_id", "field_code", "values").required("values").text("field_code").whole("field_id");
            for (AmoCrmCheck value : field.each("values")) {
                value.only("value", "enum_code", "enum_id").required("value").text("value", "enum_code").notEmpty("value")
                        .whole("enum_id").choice("enum_code", code -> List.of("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER", "PRIV")
                                .contains(code.asText()));
            }
        }
    }

    private static Map<String, Object> view(Client client, boolean leads) {
        List<Map<String, Object>> values = new ArrayList<>();
        client.phones().forEach(phone -> values.add(Map.of("value", phone, "enum_id", 1, "enum_code", "WORK")));
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("id", client.id());
        one.put("name", client.name());
        one.put("responsible_user_id", client.responsible());
        one.put("updated_at", client.updatedAt());
        // Null, not an empty array, if there are no fields. General knowledge.
        one.put("custom_fields_values", values.isEmpty() ? null
                : List.of(Map.of("field_id", 11, "field_name", "Телефон", "field_code", "PHONE", "field_type", "multitext",
                        "values", values)));
        one.put("_embedded", leads ? Map.of("leads", client.leads().stream().map(id -> Map.of("id", id)).toList()) : Map.of());
        return one;
    }
}
