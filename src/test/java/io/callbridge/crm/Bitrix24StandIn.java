package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.callbridge.crm.CrmEffect.Kind;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * A portal of Bitrix24, and its OAuth server, as the Bitrix24 documentation (b24restdocs, August 2026) describes the methods that
 * the adapter asks for; not compared with a live portal. What was only seen in production, by MikoPBX's ModuleBitrix24Integration,
 * is marked with its commit. Beyond the vendor it refuses methods and parameters that nobody described, and values that the vendor
 * would silently cast. HTTPS is not demanded.
 */
final class Bitrix24StandIn extends StandIn {

    static final String CLIENT_ID = "local.application-of-the-tests";
    static final String CLIENT_SECRET = "application-secret-of-the-tests";

    static final String WEBHOOK = "/rest/1/webhook-code-of-the-tests";
    private static final String APPLICATION = "/rest";
    private static final String CALLS = "telephony.externalCall.";
    private static final double WINDOW_SECONDS = 30 * 60;
    private static final int PAGE = 50;
    private static final int TOKEN_SECONDS = 3600;
    private static final Pattern REFERENCE = Pattern.compile("\\$result\\[(\\w+)]\\[(\\w+)]");
    /** Parameters that are numbers, as JSON numbers or as their digits; all others are texts. */
    private static final Map<String, String> NUMBERS = Map.of("USER_ID", "[0-9]+", "TYPE", "[0-9]+", "CRM_CREATE", "[01]", "SHOW", "[01]",
            "CRM_ENTITY_ID", "[0-9]+", "DURATION", "[0-9]+", "start", "-1|[0-9]+");
    private static final Map<String, String> TEXTS = Map.of("CRM_ENTITY_TYPE", "CONTACT|COMPANY|LEAD",
            "STATUS_CODE", "200|304|603|603-S|403|404|486|484|503|480|402|423|OTHER");

    /** A refusal in the words of Bitrix24. */
    private static final class Refusal extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final int status;
        private final String code;

        private Refusal(int status, String code, String description) {
            super(description);
            this.status = status;
            this.code = code;
        }

        /** An error of a method's own logic. */
        private static Refusal core(String description) {
            return new Refusal(400, "ERROR_CORE", description);
        }

        /** What the vendor would cast or ignore. */
        private static Refusal strict(String description) {
            return new Refusal(400, "INVALID_ARGUMENT", "Stand-in: " + description);
        }

        private Map<String, String> body() {
            return Map.of("error", code, "error_description", getMessage());
        }
    }

    private record User(String extension, boolean active) {
    }

    private record Client(String type, long id, String phone, String name, long responsible) {
    }

    /** Of user.get. @param next {@code null}: it is the last one */
    private record Page(List<?> users, Integer next) {
    }

    /**
     * A registered call.
     *
     * @param same two registrations with an equal one are one call: application, user, number, type, line, external id
     * @param shown who sees its card
     */
    private record Call(String id, List<String> same, String phone, String direction, String externalId, long startedAt,
            double registeredAt, Set<Long> shown) {

        private CrmEffect effect(Kind kind, String user, String status, Long seconds, String recording) {
            return new CrmEffect(kind, externalId, user, CrmEffect.digits(phone), direction, status, seconds,
                    status == null ? null : startedAt, recording);
        }
    }

    private final Map<Long, User> users = new TreeMap<>();
    private final List<Client> clients = new ArrayList<>();
    private final Map<String, Call> calls = new LinkedHashMap<>();
    /** By CALL_ID, with the recording that was attached last. */
    private final Map<String, CrmEffect> finished = new HashMap<>();
    private final Map<String, Call> uploads = new HashMap<>();
    private final List<Supplier<CrmEffect>> effects = new ArrayList<>();
    private final Set<String> blocked = new HashSet<>();
    private double shift;
    /** Since 2026 register and finish work for applications only; whether older portals do so is not verified. */
    volatile boolean applicationOnly;
    /** What the server of a RECORD_URL answers: nothing is fetched from it. */
    volatile int recordServerStatus = 200;

    private double most = 50;
    private double leakPerSecond = 2;
    private double level;
    private double leakedAt;
    /** That the bucket had. */
    volatile double highestLevel;
    volatile int refusedByLimit;

    /** Access tokens, and whether they are still good. */
    private final Map<String, Boolean> tokens = new HashMap<>();
    /** The only one that is good. */
    volatile String refreshToken = UUID.randomUUID().toString();
    volatile int refreshes;
    volatile int refusedRefreshes;

    /** The base of an incoming webhook, without a slash at the end. */
    String webhookUrl() {
        return origin() + WEBHOOK;
    }

    /** The base for an application's calls, without a slash at the end. */
    String restUrl() {
        return origin() + APPLICATION;
    }

    /** The application is installed anew: of its tokens the new refresh token alone is good. */
    synchronized void install() {
        expireTokens();
        refreshToken = UUID.randomUUID().toString();
    }

    /** All access tokens are over. */
    synchronized void expireTokens() {
        tokens.replaceAll((token, good) -> false);
    }

    /** Its clock jumps: for the re-registration, the bucket. */
    synchronized void advance(Duration time) {
        shift += time.toSeconds();
    }

    synchronized void user(long id, String extension, boolean active) {
        users.put(id, new User(extension, active));
    }

    void contact(String phone, long id, String name, long responsible) {
        client("CONTACT", phone, id, name, responsible);
    }

    /** @param type CONTACT, COMPANY or LEAD */
    synchronized void client(String type, String phone, long id, String name, long responsible) {
        clients.add(new Client(type, id, phone, name, responsible));
    }

    /** The leaky bucket; at first 50 and 2 as in most plans. */
    synchronized void bucket(double most, double perSecond) {
        this.most = most;
        leakPerSecond = perSecond;
    }

    /** These methods have used up their time, alone and inside a batch. */
    synchronized void block(String... methods) {
        blocked.clear();
        blocked.addAll(List.of(methods));
    }

    /** In the order in which they appeared; a recording that was attached later stands at its call. */
    synchronized List<CrmEffect> effects() {
        return effects.stream().map(Supplier::get).toList();
    }

    /** Registered CALL_IDs of an external id, in order. */
    synchronized List<String> callIdsOf(String externalId) {
        return calls.values().stream().filter(call -> call.externalId.equals(externalId)).map(call -> call.id).toList();
    }

    /** The requests for a method itself, to be used with {@link #lose} and {@link #refuse}. */
    static Predicate<Request> to(String method) {
        return request -> method(request.path()).equals(method);
    }

    @Override
    protected Reply answer(Request request) {
        if (request.path().equals("/oauth/token/")) {
            return refresh(request);
        }
        try {
            admit();
            String method = method(request.path());
            if (method.equals("upload")) {
                return result(upload(request));
            }
            String type = request.header("Content-Type");
            if (!request.method().equals("POST") || type == null || !type.startsWith("application/json")
                    || !(request.json() instanceof ObjectNode params)) {
                throw Refusal.strict("not a JSON object that is posted");
            }
            String client = client(request.path(), params);
            return result(method.equals("batch") ? batch(params, client) : call(method, params, client));
        } catch (Refusal e) {
            return Reply.json(e.status, e.body());
        }
    }

    private static Reply result(Object result) {
        Map<String, Object> body = new HashMap<>(Map.of("result", result instanceof Page page ? page.users : result, "time", Map.of()));
        if (result instanceof Page page && page.next != null) {
            body.put("next", page.next);
        }
        return Reply.json(200, body);
    }

    private static String method(String path) {
        return path.substring(path.lastIndexOf('/') + 1).replaceFirst("\\.json$", "");
    }

    /**
     * The counter falls all the time, and a request that would lift it above the threshold is refused. That refused requests
     * do not count themselves is not verified. All clients of a test come from one address, so there is one bucket.
     */
    private void admit() {
        level = Math.max(0, level - Math.max(0, now() - leakedAt) * leakPerSecond);
        leakedAt = now();
        if (level + 1 > most) {
            refusedByLimit++;
            throw new Refusal(503, "QUERY_LIMIT_EXCEEDED", "Too many requests");
        }
        highestLevel = Math.max(highestLevel, ++level);
    }

    /** Who asks. A token is a parameter: the documentation knows no header for it. */
    private String client(String path, ObjectNode params) {
        String base = path.substring(0, path.lastIndexOf('/'));
        if (base.equals(APPLICATION)) {
            JsonNode token = params.path("auth");
            params.remove("auth");
            if (!tokens.containsKey(token.asText())) {
                throw new Refusal(401, "NO_AUTH_FOUND", "Wrong authorization data");
            }
            if (!tokens.get(token.asText())) {
                throw new Refusal(401, "expired_token", "The access token provided has expired");
            }
        } else if (!base.equals(WEBHOOK)) {
            throw new Refusal(403, "INVALID_CREDENTIALS", "Invalid request credentials");
        }
        return base;
    }

    private Object call(String method, JsonNode params, String client) {
        if (blocked.contains(method)) {
            throw new Refusal(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit");
        }
        if (applicationOnly && Set.of(CALLS + "register", CALLS + "finish").contains(method) && !client.equals(APPLICATION)) {
            throw new Refusal(403, "WRONG_AUTH_TYPE", "Current authorization type is denied for this method");
        }
        return switch (method) {
            case CALLS + "register" -> register(params, client);
            case CALLS + "finish" -> finish(params);
            case CALLS + "hide" -> hide(params);
            case CALLS + "attachRecord" -> attach(params);
            case CALLS + "searchCrmEntities" -> search(params);
            case "user.get" -> users(params);
            default -> throw new Refusal(404, "ERROR_METHOD_NOT_FOUND", "Method not found!");
        };
    }

    /** Bitrix24 documentation, "How to Execute Batch Requests": one request for the bucket, 200 whatever fails inside. */
    private Map<String, Object> batch(JsonNode params, String client) {
        Map<String, JsonNode> results = new LinkedHashMap<>();
        Map<String, Object> errors = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> command : params.path("cmd").properties()) {
            String[] parts = command.getValue().asText().split("\\?", 2);
            ObjectNode given = JSON.createObjectNode();
            // What is referred to and not there becomes an empty text.
            decode(parts[1]).forEach((name, value) -> given.put(name, REFERENCE.matcher(value).replaceAll(reference ->
                    results.getOrDefault(reference.group(1), JSON.missingNode()).path(reference.group(2)).asText())));
            try {
                results.put(command.getKey(), JSON.valueToTree(call(parts[0], given, client)));
            } catch (Refusal e) {
                errors.put(command.getKey(), e.body());
                if (params.path("halt").asInt() == 1) {
                    break;
                }
            }
        }
        // As PHP writes an empty map.
        return Map.of("result", results.isEmpty() ? List.of() : results, "result_error", errors.isEmpty() ? List.of() : errors,
                "result_total", List.of(), "result_next", List.of(), "result_time", List.of());
    }

    /** For 30 minutes the same registration has the same CALL_ID, finished or not; start and entity do not count. */
    private Map<String, Object> register(JsonNode params, String client) {
        only(params, "USER_ID", "PHONE_NUMBER", "TYPE", "CALL_START_DATE", "CRM_CREATE", "CRM_ENTITY_TYPE", "CRM_ENTITY_ID", "SHOW",
                "LINE_NUMBER", "EXTERNAL_CALL_ID");
        long user = user(params);
        String type = params.path("TYPE").asText();
        String phone = params.path("PHONE_NUMBER").asText().replaceAll("[ ()-]", "");
        if (!type.matches("[1-5]")) {
            throw Refusal.core("Unknown TYPE");
        }
        if (!phone.matches("\\+?[0-9]{3,15}")) {
            throw Refusal.core("Unsupported phone number format");
        }
        if (params.has("CRM_ENTITY_TYPE") != params.has("CRM_ENTITY_ID")) {
            throw Refusal.strict("CRM_ENTITY_TYPE and CRM_ENTITY_ID belong together");
        }
        long startedAt = start(params);
        String externalId = params.path("EXTERNAL_CALL_ID").asText();
        List<String> same = List.of(client, Long.toString(user), phone, type, params.path("LINE_NUMBER").asText(), externalId);
        Call call = calls.values().stream().filter(old -> old.same.equals(same) && now() - old.registeredAt < WINDOW_SECONDS).findFirst()
                .orElse(null);
        if (call == null) {
            String id = "externalCall." + UUID.randomUUID().toString().replace("-", "") + '.' + (long) now();
            call = new Call(id, same, phone, type.matches("[23]") ? "in" : "out", externalId, startedAt, now(), new HashSet<>());
            calls.put(id, call);
        }
        if (params.path("SHOW").asInt(1) == 1 && !finished.containsKey(call.id) && call.shown.add(user)) {
            show(Kind.CARD, call, user);
        }
        Map<String, Object> answer = new HashMap<>(Map.of("CALL_ID", call.id, "CRM_CREATED_ENTITIES", List.of()));
        answer.put("CRM_CREATED_LEAD", null);
        if (params.path("CRM_CREATE").asInt() == 1) {
            // A lead that could not be created is a success. Seen in bitrix24-php-sdk, issue 335.
            answer.put("LEAD_CREATION_ERROR", "Lead creation is disabled for local users");
        }
        return answer;
    }

    /** The documentation takes now if there is none; the adapter knows when a call began. */
    private static long start(JsonNode params) {
        try {
            return OffsetDateTime.parse(params.path("CALL_START_DATE").asText()).toEpochSecond();
        } catch (DateTimeParseException e) {
            throw Refusal.core("CALL_START_DATE should be in the ISO-8601 format");
        }
    }

    /** True: the command was sent; false: there is no such call. That a finished call counts as unknown is inferred. */
    private boolean hide(JsonNode params) {
        Call call = calls.get(only(params, "CALL_ID", "USER_ID").path("CALL_ID").asText());
        boolean active = call != null && !finished.containsKey(call.id);
        if (active) {
            params.path("USER_ID").forEach(user -> hide(call, user.asLong()));
        }
        return active;
    }

    /** Only the first finish counts: later ones find no call. Seen by MikoPBX, commit 6a746ed. */
    private Map<String, Object> finish(JsonNode params) {
        only(params, "CALL_ID", "USER_ID", "DURATION", "STATUS_CODE");
        long user = user(params);
        Call call = calls.get(params.path("CALL_ID").asText());
        if (call == null || finished.containsKey(call.id)) {
            throw Refusal.core("Call is not found (call should be registered prior to finishing)");
        }
        // Bitrix24 documentation, telephony.externalCall.finish: the card is hidden by Bitrix24 itself.
        List.copyOf(call.shown).forEach(who -> hide(call, who));
        long seconds = params.path("DURATION").asLong();
        String status = params.path("STATUS_CODE").asText(seconds > 0 ? "200" : "304");
        Kind kind = call.direction.equals("in") && !status.equals("200") ? Kind.MISSED : Kind.CALL;
        finished.put(call.id, call.effect(kind, Long.toString(user), status, seconds, null));
        effects.add(() -> finished.get(call.id));
        // As in the documentation's sample: a date that is an empty object.
        return Map.of("CALL_ID", call.id, "PORTAL_USER_ID", user, "CALL_START_DATE", Map.of(), "CALL_FAILED_CODE", status);
    }

    /** After finish only; a later recording replaces the earlier one, so it may be repeated. Some of its errors have an empty code. */
    private Map<String, Object> attach(JsonNode params) {
        String url = only(params, "CALL_ID", "RECORD_URL", "FILENAME").path("RECORD_URL").asText();
        String name = params.path("FILENAME").asText(url.replaceAll("[?#].*", ""));
        Call call = calls.get(params.path("CALL_ID").asText());
        if (call == null || !finished.containsKey(call.id)) {
            throw new Refusal(400, "", "Call is not found in the statistic table. It looks like it is not finished yet.");
        }
        if (!name.endsWith(".wav") && !name.endsWith(".mp3")) {
            throw Refusal.core("Wrong file extension. Only wav and mp3 are allowed");
        }
        if (url.isEmpty()) {
            String token = UUID.randomUUID().toString();
            uploads.put(token, call);
            return Map.of("uploadUrl", restUrl() + "/upload.json?token=" + token + "&filename=" + name, "fieldName", "file");
        }
        if (recordServerStatus != 200) {
            throw Refusal.core("Server returns HTTP error code " + recordServerStatus);
        }
        return record(call, url);
    }

    /** What goes to uploadUrl. Its answer is not documented; this one is inferred from attachRecord's. */
    private Map<String, Object> upload(Request request) {
        Call call = uploads.get(request.parameters().get("token"));
        String type = request.header("Content-Type");
        if (call == null || type == null || !type.startsWith("multipart/form-data; boundary=")
                || !request.text().contains("name=\"file\"; filename=")) {
            throw Refusal.core("File content is empty.");
        }
        return record(call, request.parameters().get("filename"));
    }

    private Map<String, Object> record(Call call, String recording) {
        finished.computeIfPresent(call.id, (id, is) -> call.effect(is.kind(), is.user(), is.status(), is.seconds(), recording));
        return Map.of("FILE_ID", 9001);
    }

    /** Ids are numbers in one place and texts in another. The vendor's order is not verified; here it is that of their creation. */
    private List<?> search(JsonNode params) {
        String phone = national(only(params, "PHONE_NUMBER").path("PHONE_NUMBER").asText());
        if (phone.isEmpty()) {
            throw Refusal.core("PHONE_NUMBER is empty");
        }
        return clients.stream().filter(client -> national(client.phone).equals(phone)).map(client -> Map.of("CRM_ENTITY_TYPE", client.type,
                "CRM_ENTITY_ID", client.id, "NAME", client.name, "ASSIGNED_BY_ID", client.responsible,
                "ASSIGNED_BY", Map.of("ID", Long.toString(client.responsible), "TIMEMAN_STATUS", "OPENED"))).toList();
    }

    /** Which numbers are the same for the vendor is not verified; here the last ten digits decide. */
    private static String national(String phone) {
        String digits = CrmEffect.digits(phone);
        return digits.substring(Math.max(0, digits.length() - 10));
    }

    /** Bitrix24 documentation, user.get: pages of 50, ids are texts. That {@code start=-1} leaves {@code next} out is inferred. */
    private Page users(JsonNode params) {
        JsonNode filter = params.path("FILTER");
        List<Map<String, Object>> all = users.entrySet().stream().map(user -> Map.<String, Object>of("ID", user.getKey().toString(),
                "ACTIVE", user.getValue().active, "USER_TYPE", "employee", "UF_PHONE_INNER", user.getValue().extension))
                .filter(user -> filter.properties().stream().allMatch(wanted -> {
                    if (!user.containsKey(wanted.getKey())) {
                        throw Refusal.strict("filter by " + wanted.getKey());
                    }
                    return user.get(wanted.getKey()).toString().equals(wanted.getValue().asText());
                })).toList();
        int start = params.path("start").asInt();
        int from = Math.min(Math.max(0, start), all.size());
        int to = Math.min(from + PAGE, all.size());
        return new Page(all.subList(from, to), start < 0 || to == all.size() ? null : to);
    }

    /** Refuses parameters of other names, null, and what is not of the type of the documentation. */
    private static JsonNode only(JsonNode params, String... names) {
        params.properties().forEach(param -> {
            String name = param.getKey();
            if (!List.of(names).contains(name)) {
                throw Refusal.strict("unknown parameter " + name);
            }
            for (JsonNode value : param.getValue().isArray() && name.equals("USER_ID") ? param.getValue() : List.of(param.getValue())) {
                if (!value.isTextual() && !(value.isIntegralNumber() && NUMBERS.containsKey(name))
                        || !value.asText().matches(NUMBERS.getOrDefault(name, TEXTS.getOrDefault(name, ".*")))) {
                    throw Refusal.strict(name + " must not be " + value);
                }
            }
        });
        return params;
    }

    /** The employee that a method is about. */
    private long user(JsonNode params) {
        if (!params.has("USER_ID")) {
            throw Refusal.core("USER_ID or USER_PHONE_INNER should be set");
        }
        long id = params.get("USER_ID").asLong();
        if (!users.containsKey(id) || !users.get(id).active) {
            throw Refusal.core("User is not found or is not active");
        }
        return id;
    }

    private void hide(Call call, long user) {
        if (call.shown.remove(user)) {
            show(Kind.CARD_END, call, user);
        }
    }

    private void show(Kind kind, Call call, long user) {
        effects.add(() -> call.effect(kind, Long.toString(user), null, null, null));
    }

    /**
     * Bitrix24 documentation, settings/oauth: each refresh replaces the refresh token, and an older access token stays good until its
     * own end. The HTTP status of the errors is not verified.
     */
    private Reply refresh(Request request) {
        Map<String, String> given = request.parameters();
        String error = !request.method().equals("GET") || !"refresh_token".equals(given.get("grant_type")) ? "invalid_request"
                : !CLIENT_ID.equals(given.get("client_id")) || !CLIENT_SECRET.equals(given.get("client_secret")) ? "invalid_client"
                : !refreshToken.equals(given.get("refresh_token")) ? "invalid_grant" : null;
        if (error != null) {
            refusedRefreshes++;
            return Reply.json(400, Map.of("error", error, "error_description", "Refused: " + error));
        }
        refreshes++;
        refreshToken = UUID.randomUUID().toString();
        String access = UUID.randomUUID().toString();
        tokens.put(access, true);
        return Reply.json(200, Map.of("access_token", access, "refresh_token", refreshToken, "expires_in", TOKEN_SECONDS,
                "client_endpoint", restUrl() + "/", "scope", "telephony,crm,user", "user_id", 1));
    }

    private double now() {
        return System.currentTimeMillis() / 1000.0 + shift;
    }
}
