package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.callbridge.crm.CrmEffect.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * An account of amoCRM (Kommo), as its documentation (calls-api, telephony/call_event, unsorted-api, tasks-api, events-and-notes,
 * limitations) and public clients describe it; not compared with a live account. Beyond the vendor it refuses members and
 * parameters that nobody described, and users whom nobody employs.
 */
final class AmoCrmStandIn extends StandIn {

    static final String TOKEN = "amocrm-token-of-the-tests";
    private static final int ANSWERED = 4;
    private static final int LAST_DIGITS = 10;
    /** No limit of a batch was found; 50 is a guess. */
    private static final int MOST_ELEMENTS = 50;
    private static final int MOST_ON_A_PAGE = 250;
    /** Later than any call, earlier than milliseconds. */
    private static final long LAST_SECOND = 4_102_444_800L;
    private static final Predicate<JsonNode> TIME = value -> COUNT.test(value) && value.asLong() < LAST_SECOND;
    private static final Set<String> PARAMS = Set.of("uniq", "duration", "source", "link", "phone", "call_result", "call_status",
            "call_responsible");

    /** With its active leads. @param type contacts or companies */
    record Client(String type, long id, String name, long responsible, List<String> phones, List<Long> leads) {

        boolean has(String phone) {
            return phones.stream().anyMatch(own -> last(own).equals(last(phone)));
        }

        private static String last(String phone) {
            String digits = CrmEffect.digits(phone);
            return digits.substring(Math.max(0, digits.length() - LAST_DIGITS));
        }
    }

    /** A call: a note at an entity. @param type contacts, companies or leads */
    record Stored(long id, String type, long entity, ObjectNode call) {

        String noteType() {
            return call.get("direction").asText().equals("inbound") ? "call_in" : "call_out";
        }
    }

    final SlidingLimit limit = new SlidingLimit(Duration.ofSeconds(1), 7);
    private final Set<Long> users = new TreeSet<>();
    private final List<Client> clients = new ArrayList<>();
    private final List<CrmEffect> cards = new ArrayList<>();
    private final List<Stored> calls = new ArrayList<>();
    private final List<ObjectNode> unsorted = new ArrayList<>();
    private final List<JsonNode> tasks = new ArrayList<>();
    private long lastId = 40_000_000;

    private final Members notification = new Members().must(among("phone_call"), "type").must(FILLED, "phone_number")
            .may(listOf(this::employs), "users");
    private final Members call = call().must(among("inbound", "outbound"), "direction").may(this::employs, "responsible_user_id")
            .may(user -> user.asLong() == 0 || employs(user), "created_by", "updated_by").may(TIME, "created_at", "updated_at");
    private final Members note = new Members().must(TEXT, "note_type").must(call()::fit, "params");
    private final Members task = new Members().must(FILLED, "text").must(TIME, "complete_till").may(COUNT, "task_type_id", "duration")
            .may(id -> Set.of("leads", "contacts", "companies").stream().anyMatch(type -> knows(type, id.asLong())), "entity_id")
            .may(among("leads", "contacts", "companies"), "entity_type").may(this::employs, "responsible_user_id");
    private final Members field = new Members().must(among("PHONE"), "field_code").must(listOf(new Members().must(FILLED, "value")
            .may(among("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER"), "enum_code")::fit), "values");
    private final Members contact = new Members().must(FILLED, "name").may(this::employs, "responsible_user_id")
            .may(listOf(field::fit), "custom_fields_values");
    private final Members metadata = new Members().must(FILLED, "uniq", "from", "phone", "service_code").must(TIME, "called_at")
            .must(COUNT, "duration").may(TEXT, "link").may(JsonNode::isBoolean, "is_call_event_needed");
    private final Members lead = new Members().must(FILLED, "source_uid", "source_name").may(COUNT, "pipeline_id").may(TIME, "created_at")
            .may(new Members().may(listOf(contact::fit), "contacts")::fit, "_embedded").must(metadata::fit, "metadata");

    private Members call() {
        return new Members().must(COUNT, "duration").must(FILLED, "source", "phone").may(TEXT, "uniq", "link", "call_result")
                .may(status -> status.isIntegralNumber() && status.asInt() >= 1 && status.asInt() <= 7, "call_status")
                .may(user -> user.isTextual() || employs(user), "call_responsible");
    }

    void user(long id) {
        look(() -> users.add(id));
    }

    void contact(String phone, long id, String name, long responsible) {
        client("contacts", phone, id, name, responsible);
    }

    void client(String type, String phone, long id, String name, long responsible) {
        look(() -> clients.add(new Client(type, id, name, responsible, List.of(phone), new ArrayList<>())));
    }

    /** An active lead: a call lands in it if it is the only one. */
    void lead(long client, long id) {
        look(() -> clients.stream().filter(one -> one.id == client).findFirst().orElseThrow().leads.add(id));
    }

    /** Contacts and companies, created ones too. */
    List<Client> clients() {
        return look(() -> List.copyOf(clients));
    }

    List<JsonNode> tasks() {
        return look(() -> List.copyOf(tasks));
    }

    List<Stored> callsOf(String uniq) {
        return look(() -> calls.stream().filter(one -> uniq.equals(one.call.path("uniq").asText())).toList());
    }

    /** The cards, the calls, the incoming leads. A card has no id: the CRM is told none. */
    List<CrmEffect> effects() {
        return look(() -> {
            List<CrmEffect> all = new ArrayList<>(cards);
            calls.forEach(one -> all.add(effect(one.call)));
            unsorted.stream().map(one -> one.get("metadata")).filter(about -> about.path("is_call_event_needed").asBoolean(true))
                    .forEach(about -> all.add(effectOfLead(about)));
            return all;
        });
    }

    private static CrmEffect effectOfLead(JsonNode about) {
        long seconds = about.get("duration").asLong();
        return new CrmEffect(seconds > 0 ? Kind.CALL : Kind.MISSED, about.get("uniq").asText(), null,
                CrmEffect.digits(about.get("from").asText()), "in", null, seconds, about.get("called_at").asLong(),
                about.path("link").asText(null));
    }

    private static CrmEffect effect(JsonNode call) {
        boolean inbound = call.get("direction").asText().equals("inbound");
        long seconds = call.get("duration").asLong();
        boolean answered = call.has("call_status") ? call.get("call_status").asInt() == ANSWERED : seconds > 0;
        return new CrmEffect(inbound && !answered ? Kind.MISSED : Kind.CALL, call.path("uniq").asText(null),
                (call.has("call_responsible") ? call.get("call_responsible") : call.path("responsible_user_id")).asText(null),
                CrmEffect.digits(call.get("phone").asText()), inbound ? "in" : "out", call.path("call_status").asText(null), seconds,
                call.path("created_at").asLong(), call.path("link").asText(null));
    }

    @Override
    protected Reply answer(Request request) {
        if (!limit.take(request.nanos())) {
            return problem(429, "Too many requests");
        }
        if (!("Bearer " + TOKEN).equals(request.header("Authorization"))) {
            return problem(401, "Authorization failed");
        }
        if (!request.method().equals("GET") && (!String.valueOf(request.header("Content-Type")).startsWith("application/json")
                || !request.json().isContainerNode())) {
            return problem(400, "Stand-in: the body must be JSON and say so");
        }
        String[] path = request.path().split("/");
        String what = request.path().replaceAll("/(contacts|companies|leads)(?=/.*notes)", "/*").replaceAll("/[0-9]+(?=/|$)", "/#");
        return switch (request.method() + ' ' + what) {
            case "GET /api/v4/account" -> hal(200, Map.of("id", 28_805_383, "name", "Test"));
            case "POST /api/v2/events/" -> notified(request.json());
            case "POST /api/v4/calls" -> add(request, "calls", call, this::called);
            case "PATCH /api/v4/*/#/notes/#" -> change(path[3], Long.parseLong(path[4]), Long.parseLong(path[6]), request.json());
            case "GET /api/v4/*/notes" -> notes(path[3], request);
            case "POST /api/v4/leads/unsorted/sip" -> add(request, "unsorted", lead, one -> Map.of("uid", "u-" + keep(unsorted, one)));
            case "GET /api/v4/leads/unsorted" -> page(request, "unsorted", inOrder(request, unsorted).stream()
                    .map(one -> one.deepCopy().without("metadata")).toList(), "filter[category][]", "order[created_at]");
            case "POST /api/v4/tasks" -> add(request, "tasks", task, one -> Map.of("id", keep(tasks, one)));
            case "GET /api/v4/tasks" -> page(request, "tasks", inOrder(request, tasks).stream()
                    .filter(one -> one.path("task_type_id").asText().equals(request.parameters().get("filter[task_type]"))).toList(),
                    "filter[task_type]", "order[created_at]");
            case "POST /api/v4/contacts" -> add(request, "contacts", contact, this::created);
            case "GET /api/v4/contacts" -> page(request, "contacts", found(request.parameters().getOrDefault("query", "")), "query");
            default -> problem(404, "Stand-in: nobody described this");
        };
    }

    /** Of a body that is a list all elements are taken or none; only a call whose number nobody has is left out alone. */
    private Reply add(Request request, String name, Members members, Function<ObjectNode, Map<String, Object>> taken) {
        JsonNode body = request.json();
        if (!body.isArray() || body.isEmpty() || body.size() > MOST_ELEMENTS) {
            return problem(400, "Stand-in: the body must be an array of 1 to " + MOST_ELEMENTS + " elements");
        }
        Map<String, String> wrong = new LinkedHashMap<>();
        body.forEach(element -> wrong.putAll(members.wrong(element)));
        if (!wrong.isEmpty()) {
            return invalid(wrong);
        }
        List<Map<String, Object>> added = new ArrayList<>();
        List<Map<String, Object>> errors = new ArrayList<>();
        for (JsonNode element : body) {
            Map<String, Object> one = taken.apply((ObjectNode) element);
            (one.containsKey("title") ? errors : added).add(one);
        }
        return hal(added.isEmpty() ? 400 : 200, Map.of("_total_items", added.size(), "errors", errors, "_embedded", Map.of(name, added)));
    }

    private <T> long keep(List<? super T> all, T one) {
        all.add(one);
        return ++lastId;
    }

    /**
     * To the only lead of who has the number, else to the first of them, which is not documented; without anybody it is not stored.
     * Issue 52 of amocrm-api-php shows that answer; status and detail of its error are not verified. The same uniq twice is two
     * calls: nothing says that it is not.
     */
    private Map<String, Object> called(ObjectNode given) {
        Client client = clients.stream().filter(one -> one.has(given.get("phone").asText())).findFirst().orElse(null);
        if (client == null) {
            return Map.of("title", "Entity not found", "status", 404, "detail", "Entity not found");
        }
        boolean atLead = client.leads.size() == 1;
        Stored stored = new Stored(++lastId, atLead ? "leads" : client.type, atLead ? client.leads.get(0) : client.id, given);
        calls.add(stored);
        return Map.of("id", stored.id, "entity_id", stored.entity, "entity_type",
                Map.of("companies", "company", "leads", "lead", "contacts", "contact").get(stored.type));
    }

    /** The params are taken as a whole here; that those of a call can be changed is assumed. */
    private Reply change(String type, long entity, long id, JsonNode body) {
        Stored before = calls.stream().filter(one -> one.id == id && one.type.equals(type) && one.entity == entity).findFirst()
                .orElse(null);
        if (before == null) {
            return problem(404, "Entity not found");
        }
        Map<String, String> wrong = note.wrong(body);
        if (!wrong.isEmpty() || !body.get("note_type").asText().equals(before.noteType())) {
            return invalid(wrong);
        }
        ObjectNode call = before.call.deepCopy().without(PARAMS);
        calls.set(calls.indexOf(before), new Stored(id, type, entity, call.setAll((ObjectNode) body.get("params"))));
        return hal(200, Map.of("id", id, "entity_id", entity));
    }

    private Reply notes(String type, Request request) {
        Map<String, String> query = request.parameters();
        long from = Long.parseLong(query.getOrDefault("filter[updated_at][from]", "0"));
        List<?> found = calls.stream().filter(one -> one.type.equals(type) && one.noteType().equals(query.get("filter[note_type]"))
                && one.call.path("created_at").asLong() >= from).map(one -> Map.of("id", one.id, "entity_id", one.entity, "note_type",
                        one.noteType(), "params", one.call.deepCopy().retain(PARAMS))).toList();
        return page(request, "notes", found, "filter[note_type]", "filter[updated_at][from]", "order[updated_at]");
    }

    /** For these users, or for everybody; 202 and no body is described. There is no way to take it back. */
    private Reply notified(JsonNode body) {
        Map<String, String> wrong = new Members().must(listOf(notification::fit), "add").wrong(body);
        if (!wrong.isEmpty()) {
            return invalid(wrong);
        }
        for (JsonNode event : body.get("add")) {
            List<String> whom = event.has("users") ? event.get("users").valueStream().map(JsonNode::asText).toList()
                    : users.stream().map(String::valueOf).toList();
            String number = CrmEffect.digits(event.get("phone_number").asText());
            whom.forEach(user -> cards.add(new CrmEffect(Kind.CARD, null, user, number, null, null, null, null, null)));
        }
        return Reply.empty(202);
    }

    /** Not idempotent: the same contact twice is two contacts. */
    private Map<String, Object> created(ObjectNode given) {
        List<String> phones = given.path("custom_fields_values").findValuesAsText("value");
        clients.add(new Client("contacts", ++lastId, given.get("name").asText(), given.path("responsible_user_id").asLong(), phones,
                new ArrayList<>()));
        return Map.of("id", lastId);
    }

    /** The query is found anywhere in a number or a name, so the answer may hold others. iqtek tries several forms in turn. */
    private List<?> found(String query) {
        return clients.stream().filter(one -> one.type.equals("contacts") && (one.name.contains(query)
                || one.phones.stream().anyMatch(own -> CrmEffect.digits(own).contains(query))))
                .map(one -> Map.of("id", one.id, "name", one.name, "responsible_user_id", one.responsible,
                        "updated_at", System.currentTimeMillis() / 1000, "custom_fields_values", List.of(Map.of("field_code", "PHONE",
                                "values", one.phones.stream().map(own -> Map.of("value", own)).toList())))).toList();
    }

    private static <T> List<T> inOrder(Request request, List<T> all) {
        List<T> some = new ArrayList<>(all);
        if ("desc".equals(request.parameters().get("order[created_at]"))) {
            Collections.reverse(some);
        }
        return some;
    }

    /** An empty one is answered with 204: seen in amocrm-api-php, issue 177, for notes; the same is assumed for others. */
    private Reply page(Request request, String name, List<?> found, String... known) {
        Map<String, String> query = request.parameters();
        int page = Integer.parseInt(query.getOrDefault("page", "1"));
        int size = Integer.parseInt(query.getOrDefault("limit", "50"));
        boolean strange = query.keySet().stream().anyMatch(asked -> !asked.matches("page|limit") && !Set.of(known).contains(asked));
        if (strange || size > MOST_ON_A_PAGE) {
            return problem(400, "Stand-in: nobody described " + query);
        }
        List<?> some = found.stream().skip((page - 1L) * size).limit(size).toList();
        if (some.isEmpty()) {
            return Reply.empty(204);
        }
        Map<String, Object> links = (long) page * size < found.size() ? Map.of("next", Map.of("href", "?page=" + (page + 1))) : Map.of();
        return hal(200, Map.of("_page", page, "_links", links, "_embedded", Map.of(name, some)));
    }

    private boolean employs(JsonNode user) {
        return user.isIntegralNumber() && users.contains(user.asLong());
    }

    private boolean knows(String type, long id) {
        return clients.stream().anyMatch(one -> type.equals("leads") ? one.leads.contains(id) : one.type.equals(type) && one.id == id);
    }

    /** Kommo documentation, "Add calls"; which codes there are beyond NotNullable and NotSupportedChoice is not verified. */
    private static Reply invalid(Map<String, String> wrong) {
        List<?> errors = wrong.entrySet().stream().map(one -> Map.of("code", one.getValue(), "path", one.getKey())).toList();
        return problem(400, "Request validation failed", Map.of("validation-errors", List.of(Map.of("request_id", "0", "errors", errors))));
    }

    private static Reply problem(int status, String detail) {
        return problem(status, detail, Map.of());
    }

    private static Reply problem(int status, String detail, Map<String, Object> more) {
        Map<String, Object> body = new LinkedHashMap<>(more);
        body.putAll(Map.of("title", "Stand-in", "type", "https://httpstatus.es/" + status, "status", status, "detail", detail));
        return hal(status, body);
    }

    private static Reply hal(int status, Object body) {
        String type = status < 400 ? "application/hal+json" : "application/problem+json";
        return new Reply(status, type, Reply.json(status, body).body(), Map.of());
    }
}
