package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.callbridge.crm.AmoCrmContacts.Client;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.LongSupplier;

/** The calls of an amoCRM account, and what else a telephony tells it: notifications, incoming leads, tasks. */
final class AmoCrmCalls {

    static final int ACCOUNT = 28_805_383;
    private static final int ANSWERED = 4;

    /** A stored call: a note at an entity. @param entityType contacts, companies or leads */
    record Stored(long id, String entityType, long entityId, JsonNode call, long createdAt) {

        String uniq() {
            return call.path("uniq").asText(null);
        }
    }

    private final AmoCrmContacts contacts;
    private final LongSupplier clock;
    private final LongSupplier ids;
    private final List<Stored> calls = new ArrayList<>();
    private final List<JsonNode> unsorted = new ArrayList<>();
    private final List<JsonNode> tasks = new ArrayList<>();
    private final List<CrmEffect> effects = new ArrayList<>();
    /** Where the effect of a note is. */
    private final Map<Long, Integer> effectOf = new LinkedHashMap<>();

    AmoCrmCalls(AmoCrmContacts contacts, LongSupplier clock, LongSupplier ids) {
        this.contacts = contacts;
        this.clock = clock;
        this.ids = ids;
    }

    /**
     * amoCRM documentation, calls-api: a call whose number nobody has is not stored; the others of the body are. Issue 52 of
     * amocrm-api-php shows the answer if none was stored; the status and the detail of its error are not verified. The same uniq
     * twice is two calls: nothing says that it is not.
     */
    StandIn.Reply add(JsonNode body) {
        List<Map<String, Object>> added = new ArrayList<>();
        List<Map<String, Object>> errors = new ArrayList<>();
        List<JsonNode> elements = AmoCrmStandIn.elements(body, this::checkCall);
        for (int i = 0; i < elements.size(); i++) {
            JsonNode call = elements.get(i);
            Client client = contacts.find(call.get("phone").textValue());
            if (client == null) {
                Map<String, Object> error = new LinkedHashMap<>();
                error.put("title", "Entity not found");
                error.put("status", 404);
                error.put("detail", "Entity not found");
                error.put("request_id", call.path("request_id").asText(String.valueOf(i)));
                errors.add(error);
                continue;
            }
            boolean lead = client.leads().size() == 1;
            Stored stored = store(lead ? "leads" : client.type(), lead ? client.leads().get(0) : client.id(), call);
            Map<String, Object> one = AmoCrmStandIn.added(stored.id(), call, i);
            one.put("entity_id", stored.entityId());
            one.put("entity_type", stored.entityType().equals("companies") ? "company" : lead ? "lead" : "contact");
            one.put("account_id", ACCOUNT);
            one.put("_embedded", Map.of("entity", Map.of("id", stored.entityId())));
            added.add(one);
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("_total_items", added.size());
        answer.put("errors", errors);
        answer.put("_embedded", Map.of("calls", added));
        return AmoCrmProblem.hal(added.isEmpty() ? 400 : 200, answer);
    }

    /** amoCRM documentation, events-and-notes: the type and the params, which are taken as a whole here. That those of a call can be changed is assumed. */
    StandIn.Reply change(String type, long id, long note, JsonNode body) {
        Stored before = calls.stream().filter(one -> one.id() == note && one.entityType().equals(type) && one.entityId() == id).findFirst()
                .orElseThrow(() -> new AmoCrmProblem(404, "Not Found", "Entity not found"));
        AmoCrmCheck check = new AmoCrmCheck(body).only("note_type", "params").required("note_type", "params").text("note_type")
                .choice("note_type", kind -> kind.asText().equals(noteType(before)));
        checkFields(check.inner("params").only("uniq", "duration", "source", "link", "phone", "call_result", "call_status",
                "call_responsible"));
        refuseUnless(check);
        ObjectNode call = body.get("params").deepCopy();
        List.of("direction", "responsible_user_id", "created_by", "created_at").stream().filter(before.call()::has)
                .forEach(name -> call.set(name, before.call().get(name)));
        calls.set(calls.indexOf(before), new Stored(note, type, id, call, before.createdAt()));
        effects.set(effectOf.get(note), effect(call));
        return AmoCrmProblem.hal(200, Map.of("id", note, "entity_id", id, "updated_at", clock.getAsLong()));
    }

    /** amoCRM documentation, unsorted-api: what was not sorted out yet, without the uniq of its call. */
    StandIn.Reply unsorted(StandIn.Request request, String origin) {
        AmoCrmQuery query = new AmoCrmQuery(request.query(), "filter\\[category](\\[[0-9]*])?|order\\[(created_at|updated_at)]");
        List<JsonNode> found = new ArrayList<>();
        unsorted.forEach(lead -> {
            ObjectNode shown = lead.deepCopy();
            ((ObjectNode) shown.get("metadata")).remove("uniq");
            found.add(0, shown.put("category", "sip"));
        });
        return query.page("unsorted", found, origin + request.path(), Map.of());
    }

    /** amoCRM documentation, tasks-api; the newest first. */
    StandIn.Reply tasks(StandIn.Request request, String origin) {
        AmoCrmQuery query = new AmoCrmQuery(request.query(), "filter\\[task_type]|order\\[(created_at|complete_till|id)]");
        String type = query.get("filter[task_type]");
        List<JsonNode> found = new ArrayList<>();
        tasks.stream().filter(task -> type == null || type.equals(task.path("task_type_id").asText())).forEach(task -> found.add(0, task));
        return query.page("tasks", found, origin + request.path(), Map.of());
    }

    /** @param id {@code null}: the notes of all entities of the type */
    StandIn.Reply notes(String type, Long id, StandIn.Request request, String origin) {
        AmoCrmQuery query = new AmoCrmQuery(request.query(),
                "filter\\[note_type](\\[[0-9]*])?|filter\\[updated_at]\\[(from|to)]|order\\[(id|updated_at)]");
        List<String> types = query.values("filter[note_type]");
        List<?> found = calls.stream()
                .filter(call -> call.entityType().equals(type) && (id == null || call.entityId() == id))
                .filter(call -> types.isEmpty() || types.contains(noteType(call)))
                .filter(call -> within(call, query.get("filter[updated_at][from]"), query.get("filter[updated_at][to]")))
                .sorted(query.order(Stored::id, Stored::createdAt)).map(this::view).toList();
        return query.page("notes", found, origin + request.path(), Map.of());
    }

    /**
     * amoCRM documentation, telephony/call_event: a notification for these users, or for everybody; 202 and no body described.
     * There is no way to take it back. That an unknown user is refused is the stand-in's.
     */
    StandIn.Reply notify(JsonNode body) {
        AmoCrmCheck check = new AmoCrmCheck(body).only("add").required("add");
        check.each("add").forEach(one -> one.only("type", "phone_number", "users").required("type", "phone_number")
                .text("type", "phone_number").notEmpty("phone_number").choice("type", type -> type.asText().equals("phone_call"))
                .choice("users", users -> users(users).stream().allMatch(contacts::employs)));
        refuseUnless(check);
        for (JsonNode event : body.get("add")) {
            List<String> users = event.has("users") ? users(event.get("users")).stream().map(JsonNode::asText).toList()
                    : contacts.users().stream().map(String::valueOf).toList();
            users.forEach(user -> effects.add(new CrmEffect(CrmEffect.Kind.CARD, null, user,
                    CrmEffect.digits(event.get("phone_number").asText()), null, null, null, null, null)));
        }
        return StandIn.Reply.empty(202);
    }

    /** Seen in public clients; {@code from} and {@code phone} show swapped afterwards, see amocrm-api-php, issue 441. */
    StandIn.Reply addUnsorted(JsonNode body) {
        List<Map<String, Object>> added = new ArrayList<>();
        for (JsonNode element : AmoCrmStandIn.elements(body, AmoCrmCalls::checkUnsorted)) {
            JsonNode given = element.get("metadata");
            ObjectNode shown = given.deepCopy();
            shown.set("from", given.get("phone"));
            shown.set("phone", given.get("from"));
            unsorted.add(element.<ObjectNode>deepCopy().set("metadata", shown));
            if (given.path("is_call_event_needed").asBoolean(true)) {
                effects.add(new CrmEffect(given.get("duration").asLong() > 0 ? CrmEffect.Kind.CALL : CrmEffect.Kind.MISSED,
                        given.get("uniq").asText(), null, CrmEffect.digits(given.get("from").asText()), "in", null,
                        given.get("duration").asLong(), given.get("called_at").asLong(), given.path("link").asText(null)));
            }
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("uid", UUID.randomUUID().toString());
            one.put("account_id", ACCOUNT);
            one.put("request_id", element.path("request_id").asText(String.valueOf(added.size())));
            added.add(one);
        }
        return AmoCrmProblem.hal(200, Map.of("_total_items", added.size(), "_embedded", Map.of("unsorted", added)));
    }

    /** General knowledge of amoCRM's tasks-api; Kommo documentation, "Add tasks". */
    StandIn.Reply addTasks(JsonNode body) {
        List<Map<String, Object>> added = new ArrayList<>();
        for (JsonNode task : AmoCrmStandIn.elements(body, this::checkTask)) {
            tasks.add(task);
            Client client = contacts.clients().stream()
                    .filter(one -> one.id() == task.path("entity_id").asLong() || one.leads().contains(task.path("entity_id").asLong()))
                    .findFirst().orElse(null);
            effects.add(new CrmEffect(CrmEffect.Kind.TASK, null, task.path("responsible_user_id").asText(null),
                    client == null || client.phones().isEmpty() ? null : CrmEffect.digits(client.phones().get(0)), null, null, null,
                    null, null));
            added.add(AmoCrmStandIn.added(ids.getAsLong(), task, added.size()));
        }
        return AmoCrmProblem.hal(200, Map.of("_embedded", Map.of("tasks", added)));
    }

    List<Stored> stored() {
        return List.copyOf(calls);
    }

    List<JsonNode> unsorted() {
        return List.copyOf(unsorted);
    }

    List<JsonNode> tasks() {
        return List.copyOf(tasks);
    }

    List<CrmEffect> effects() {
        return List.copyOf(effects);
    }

    private Stored store(String type, long id, JsonNode call) {
        long now = call.path("created_at").asLong(clock.getAsLong());
        Stored stored = new Stored(ids.getAsLong(), type, id, call, now);
        calls.add(stored);
        effectOf.put(stored.id(), effects.size());
        effects.add(effect(call));
        return stored;
    }

    private static CrmEffect effect(JsonNode call) {
        boolean inbound = call.get("direction").asText().equals("inbound");
        long seconds = call.get("duration").asLong();
        boolean answered = call.has("call_status") ? call.get("call_status").asInt() == ANSWERED : seconds > 0;
        JsonNode user = call.has("call_responsible") ? call.get("call_responsible") : call.path("responsible_user_id");
        return new CrmEffect(inbound && !answered ? CrmEffect.Kind.MISSED : CrmEffect.Kind.CALL, call.path("uniq").asText(null), user.asText(null),
                CrmEffect.digits(call.get("phone").asText()), inbound ? "in" : "out", call.path("call_status").asText(null), seconds,
                call.has("created_at") ? call.get("created_at").asLong() : null, call.path("link").asText(null));
    }

    private void checkCall(AmoCrmCheck check) {
        checkFields(check.only("direction", "duration", "source", "phone", "uniq", "link", "call_result", "call_status",
                "call_responsible", "responsible_user_id", "created_by", "updated_by", "created_at", "updated_at", "request_id")
                .required("direction").text("direction").choice("direction",
                        direction -> List.of("inbound", "outbound").contains(direction.asText())));
        checkAuthors(check);
    }

    private void checkFields(AmoCrmCheck check) {
        check.required("duration", "source", "phone").text("source", "phone", "uniq", "link", "call_result")
                .notEmpty("source", "phone").whole("duration", "call_status").wholeOrText("call_responsible")
                .choice("duration", seconds -> seconds.asLong() >= 0)
                .choice("call_status", status -> status.asLong() >= 1 && status.asLong() <= 7)
                .choice("call_responsible", user -> user.isTextual() || contacts.employs(user));
    }

    /** That only employees may be named is the stand-in's; 0 is the robot. */
    private void checkAuthors(AmoCrmCheck check) {
        check.whole("responsible_user_id", "created_by", "updated_by").time("created_at", "updated_at").text("request_id")
                .choice("responsible_user_id", contacts::employs)
                .choice("created_by", user -> user.asLong() == 0 || contacts.employs(user))
                .choice("updated_by", user -> user.asLong() == 0 || contacts.employs(user));
    }

    private void checkTask(AmoCrmCheck check) {
        check.only("text", "complete_till", "entity_id", "entity_type", "task_type_id", "duration", "responsible_user_id", "created_by",
                "updated_by", "created_at", "updated_at", "request_id").required("text", "complete_till").text("text", "entity_type")
                .notEmpty("text").time("complete_till").whole("entity_id", "task_type_id", "duration")
                .choice("entity_type", type -> List.of("leads", "contacts", "companies").contains(type.asText()))
                .choice("entity_id", id -> List.of("leads", "contacts", "companies").stream()
                        .anyMatch(type -> contacts.knows(type, id.asLong())));
        checkAuthors(check);
    }

    private static void checkUnsorted(AmoCrmCheck check) {
        check.only("source_uid", "source_name", "pipeline_id", "created_at", "request_id", "_embedded", "metadata")
                .required("source_uid", "source_name", "metadata").text("source_uid", "source_name", "request_id")
                .notEmpty("source_uid", "source_name").whole("pipeline_id").time("created_at");
        check.inner("metadata").only("uniq", "from", "phone", "called_at", "duration", "link", "service_code", "is_call_event_needed")
                .required("uniq", "from", "phone", "called_at", "duration", "service_code").text("uniq", "link", "service_code")
                .wholeOrText("from", "phone").time("called_at").whole("duration").bool("is_call_event_needed");
    }

    private static void refuseUnless(AmoCrmCheck check) {
        if (!check.passed()) {
            throw AmoCrmProblem.validation(List.of(check.report(0)));
        }
    }

    /** Several or one, as numbers or texts. amoCRM documentation, telephony/call_event. */
    private static List<JsonNode> users(JsonNode users) {
        List<JsonNode> all = new ArrayList<>();
        if (users.isContainerNode()) {
            users.forEach(all::add);
        } else {
            all.add(users);
        }
        return all;
    }

    private static String noteType(Stored call) {
        return call.call().get("direction").asText().equals("inbound") ? "call_in" : "call_out";
    }

    private static boolean within(Stored call, String from, String to) {
        return (from == null || call.createdAt() >= Long.parseLong(from)) && (to == null || call.createdAt() <= Long.parseLong(to));
    }

    private Map<String, Object> view(Stored stored) {
        Map<String, Object> params = new LinkedHashMap<>();
        for (String name : List.of("uniq", "duration", "source", "link", "phone", "call_result", "call_status", "call_responsible")) {
            if (stored.call().has(name)) {
                params.put(name, stored.call().get(name));
            }
        }
        Map<String, Object> note = new LinkedHashMap<>();
        note.put("id", stored.id());
        note.put("entity_id", stored.entityId());
        note.put("created_at", stored.createdAt());
        note.put("updated_at", stored.createdAt());
        note.put("responsible_user_id", stored.call().path("responsible_user_id").asLong());
        note.put("note_type", noteType(stored));
        note.put("params", params);
        note.put("account_id", ACCOUNT);
        return note;
    }
}
