package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An account of amoCRM (Kommo), as its documentation (calls-api, telephony/call_event, limitations) and public clients describe
 * it; not compared with a live account. Beyond the vendor it refuses members and parameters that nobody described.
 */
final class AmoCrmStandIn extends StandIn {

    static final String TOKEN = "amocrm-token-of-the-tests";
    /** No limit of a batch was found; 50 is a guess. */
    private static final int MOST_ELEMENTS = 50;
    private static final double SECOND = 1e9;
    private static final Pattern NOTES = Pattern.compile("/api/v4/(contacts|companies|leads)/(?:([0-9]+)/)?notes(?:/([0-9]+))?");

    private final AmoCrmContacts contacts = new AmoCrmContacts(this::now, this::nextId);
    private final AmoCrmCalls calls = new AmoCrmCalls(contacts, this::now, this::nextId);
    private final Deque<Double> taken = new ArrayDeque<>();
    private String token = TOKEN;
    private int perSecond = 7;
    private int patience = 20;
    private int refused;
    private double shift;
    private long lastId = 40_000_000;

    String token() {
        return look(() -> token);
    }

    /** Another token is good from now on. */
    void token(String good) {
        set(() -> token = good);
    }

    void user(long id, String name, String email) {
        set(() -> contacts.user(id, name, email));
    }

    void contact(String phone, long id, String name, long responsibleUserId) {
        set(() -> contacts.client("contacts", id, phone, name, responsibleUserId));
    }

    void company(String phone, long id, String name, long responsibleUserId) {
        set(() -> contacts.client("companies", id, phone, name, responsibleUserId));
    }

    /** An active lead of a contact or company: a call lands in it if it is the only one. */
    void lead(long contactId, long id) {
        set(() -> contacts.lead(contactId, id));
    }

    /** Contacts and companies, created ones too. */
    List<AmoCrmContacts.Client> clients() {
        return look(contacts::clients);
    }

    /** Requests per second, at first 7. */
    void limit(int requests) {
        set(() -> perSecond = requests);
    }

    /** After so many refusals the address is shut out: 403. That the sequence is 429, then 403 is not verified. */
    void patience(int refusals) {
        set(() -> patience = refusals);
    }

    /** The address is let in again. */
    void forgive() {
        set(() -> refused = 0);
    }

    /** Its clock jumps. */
    void advance(Duration time) {
        set(() -> shift += time.toNanos());
    }

    /** The most requests that arrived within a second, refused ones too. */
    int mostPerSecond() {
        List<Long> times = requests().stream().map(Request::nanos).sorted().toList();
        int most = 0;
        int first = 0;
        for (int last = 0; last < times.size(); last++) {
            while (times.get(last) - times.get(first) >= SECOND) {
                first++;
            }
            most = Math.max(most, last - first + 1);
        }
        return most;
    }

    /** Requests that were refused with 429 or 403 since the last {@link #forgive}. */
    int refusedByLimit() {
        return look(() -> refused);
    }

    /** In the order in which they were made. A card has no id: the CRM is told none. */
    List<CrmEffect> effects() {
        return look(calls::effects);
    }

    /** The calls as they were stored, with the place. */
    List<AmoCrmCalls.Stored> callsOf(String uniq) {
        return look(() -> calls.stored().stream().filter(call -> uniq.equals(call.uniq())).toList());
    }

    /** Incoming leads of type sip as a person sees them: {@code from} and {@code phone} swapped. */
    List<JsonNode> unsorted() {
        return look(calls::unsorted);
    }

    List<JsonNode> tasks() {
        return look(calls::tasks);
    }

    /** The requests of a method to a path, to be used with {@link #slow}, {@link #lose} and {@link #refuse}. */
    static Predicate<Request> to(String method, String path) {
        return request -> request.method().equals(method) && request.path().equals(path);
    }

    @Override
    protected Reply answer(Request request) {
        try {
            admit(request.nanos() + shift);
            if (!("Bearer " + token).equals(request.header("Authorization"))) {
                throw new AmoCrmProblem(401, "Unauthorized", "Authorization failed");
            }
            Matcher notes = NOTES.matcher(request.path());
            if (notes.matches() && notes.group(3) != null) {
                return change(notes.group(1), notes.group(2), Long.parseLong(notes.group(3)), request);
            }
            if (notes.matches()) {
                return notes(notes.group(1), notes.group(2) == null ? null : Long.valueOf(notes.group(2)), request);
            }
            return switch (request.method() + ' ' + request.path()) {
                case "POST /api/v4/calls" -> calls.add(body(request));
                case "POST /api/v2/events/" -> calls.notify(body(request));
                case "POST /api/v4/leads/unsorted/sip" -> calls.addUnsorted(body(request));
                case "GET /api/v4/leads/unsorted" -> calls.unsorted(request, origin());
                case "GET /api/v4/tasks" -> calls.tasks(request, origin());
                case "GET /api/v4/account" -> AmoCrmProblem.hal(200, Map.of("id", AmoCrmCalls.ACCOUNT, "name", "Test"));
                case "POST /api/v4/tasks" -> calls.addTasks(body(request));
                case "POST /api/v4/contacts" -> contacts.create(body(request));
                case "GET /api/v4/contacts" -> contacts.find(request, origin());
                default -> throw new AmoCrmProblem(404, "Not Found", "Stand-in: nobody described this");
            };
        } catch (AmoCrmProblem e) {
            return e.reply();
        } catch (IllegalArgumentException e) {
            return AmoCrmProblem.badRequest("Stand-in: badly encoded: " + e.getMessage()).reply();
        }
    }

    /** The elements of a body that must be an array; refuses all of them if one is bad. */
    static List<JsonNode> elements(JsonNode body, Consumer<AmoCrmCheck> rules) {
        if (!body.isArray() || body.isEmpty() || body.size() > MOST_ELEMENTS) {
            throw AmoCrmProblem.badRequest("Stand-in: the body must be an array of 1 to " + MOST_ELEMENTS + " elements");
        }
        List<JsonNode> all = new ArrayList<>();
        List<Object> reports = new ArrayList<>();
        for (JsonNode element : body) {
            AmoCrmCheck check = new AmoCrmCheck(element);
            rules.accept(check);
            if (!check.passed()) {
                reports.add(check.report(all.size()));
            }
            all.add(element);
        }
        if (!reports.isEmpty()) {
            throw AmoCrmProblem.validation(reports);
        }
        return all;
    }

    /** What is answered for an added element: its request_id, or its place in the body if it had none. */
    static Map<String, Object> added(long id, JsonNode element, int index) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("id", id);
        one.put("request_id", element.path("request_id").asText(String.valueOf(index)));
        return one;
    }

    private Reply notes(String type, Long id, Request request) {
        if (id != null && !contacts.knows(type, id)) {
            throw new AmoCrmProblem(404, "Not Found", "Entity not found");
        }
        return switch (request.method()) {
            case "GET" -> calls.notes(type, id, request, origin());
            default -> throw new AmoCrmProblem(405, "Method Not Allowed", "Stand-in: nobody described this");
        };
    }

    /** amoCRM documentation, events-and-notes: one note of one entity. */
    private Reply change(String type, String id, long note, Request request) {
        if (!request.method().equals("PATCH") || id == null || !contacts.knows(type, Long.parseLong(id))) {
            throw new AmoCrmProblem(404, "Not Found", "Entity not found");
        }
        return calls.change(type, Long.parseLong(id), note, body(request));
    }

    /** A sliding second; that refused requests do not count themselves is not verified. */
    private void admit(double nanos) {
        if (refused >= patience) {
            refused++;
            throw new AmoCrmProblem(403, "Forbidden", "The address is blocked");
        }
        while (!taken.isEmpty() && nanos - taken.peekFirst() >= SECOND) {
            taken.pollFirst();
        }
        if (taken.size() >= perSecond) {
            refused++;
            throw new AmoCrmProblem(429, "Too Many Requests", "Too many requests");
        }
        taken.addLast(nanos);
    }

    private long now() {
        return (long) (System.currentTimeMillis() / 1000.0 + shift / SECOND);
    }

    private long nextId() {
        return ++lastId;
    }

    private void set(Runnable change) {
        look(() -> {
            change.run();
            return null;
        });
    }

    private static JsonNode body(Request request) {
        String type = request.header("Content-Type");
        if (type == null || !type.startsWith("application/json") || !request.json().isContainerNode()) {
            throw AmoCrmProblem.badRequest("Stand-in: the body must be JSON and say so");
        }
        return request.json();
    }
}
