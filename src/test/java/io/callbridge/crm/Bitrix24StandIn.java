package io.callbridge.crm;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.crm.Bitrix24Directory.Page;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * A portal of Bitrix24, and its OAuth server, as the Bitrix24 documentation (b24restdocs, August 2026) describes them; not
 * compared with a live portal. Beyond the vendor it refuses parameters and methods that nobody described. HTTPS is not demanded.
 */
final class Bitrix24StandIn extends StandIn {

    static final String CODE = "webhook-code-of-the-tests";
    private static final String WEBHOOK = "webhook";
    private static final String APPLICATION = "application";
    private static final int MOST_COMMANDS = 50;

    private final Bitrix24Directory directory = new Bitrix24Directory();
    private final Bitrix24Calls calls = new Bitrix24Calls(directory);
    private final Bitrix24Limits limits = new Bitrix24Limits();
    private double shift;
    private final Bitrix24Tokens tokens = new Bitrix24Tokens(now());
    private boolean applicationOnly;
    private boolean box;

    /** The base of an incoming webhook, without a slash at the end. */
    String webhookUrl() {
        return origin() + "/rest/1/" + CODE;
    }

    /** The base for an application's calls, without a slash at the end. */
    String restUrl() {
        return origin() + "/rest";
    }

    String clientId() {
        return Bitrix24Tokens.CLIENT_ID;
    }

    String clientSecret() {
        return Bitrix24Tokens.CLIENT_SECRET;
    }

    /** The newest access token. */
    String accessToken() {
        return look(tokens::access);
    }

    /** The only refresh token that is good. */
    String refreshToken() {
        return look(tokens::refresh);
    }

    /** Refreshes that were granted. */
    int refreshes() {
        return look(tokens::refreshes);
    }

    int refusedRefreshes() {
        return look(tokens::refused);
    }

    /** How long access tokens live from now on, those that were issued too. */
    void tokenLife(Duration life) {
        set(() -> tokens.life(seconds(life), now()));
    }

    /** All access tokens are over. */
    void expireTokens() {
        set(tokens::expire);
    }

    /** Its clock jumps: for the tokens, the re-registration, the limits. */
    void advance(Duration time) {
        set(() -> shift += seconds(time));
    }

    void user(long id, String extension, boolean active) {
        set(() -> directory.put(new Bitrix24Directory.User(id, extension, active)));
    }

    /** From now on nobody works here. */
    void clearUsers() {
        set(directory::clearUsers);
    }

    void contact(String phone, long id, String name, long responsibleUserId) {
        entity("CONTACT", phone, id, name, responsibleUserId);
    }

    /** @param type CONTACT, COMPANY or LEAD */
    void entity(String type, String phone, long id, String name, long responsibleUserId) {
        set(() -> directory.put(new Bitrix24Directory.Entity(type, id, phone, name, responsibleUserId)));
    }

    /** All clients, created leads too. */
    List<Bitrix24Directory.Entity> entities() {
        return look(directory::entities);
    }

    /** Since 2026 register and finish work for applications only; whether older portals do so is not verified. */
    void applicationOnly(boolean only) {
        set(() -> applicationOnly = only);
    }

    /** Leads cannot be created. */
    void leadsFail(boolean fail) {
        set(() -> calls.leadsFail = fail);
    }

    /** What the server of a RECORD_URL answers. */
    void recordServerStatus(int status) {
        set(() -> calls.recordServerStatus = status);
    }

    /** A RECORD_URL in a local network is refused, as the newest documentation says. */
    void publicRecordingsOnly(boolean only) {
        set(() -> calls.publicRecordingsOnly = only);
    }

    /** The leaky bucket; at first 50 and 2 as in most plans. */
    void bucket(double most, double perSecond) {
        set(() -> limits.bucket(most, perSecond));
    }

    /** The self-hosted edition: no limit of requests, no {@code operating}. */
    void box() {
        set(() -> {
            box = true;
            limits.bucket(Double.POSITIVE_INFINITY, 0);
        });
    }

    /** How long a method may execute in ten minutes; at first without end. The documentation's example is 480 s. */
    void operatingLimit(double seconds) {
        set(() -> limits.operating(seconds));
    }

    /** What one call of a method adds to its execution time. */
    void cost(String method, double seconds) {
        set(() -> limits.cost(method, seconds));
    }

    /** The highest level that the bucket had. */
    double highestLevel() {
        return look(limits::highest);
    }

    /** Requests that the bucket refused. */
    int refusedByLimit() {
        return look(limits::refused);
    }

    /** In the order in which they appeared; a recording that was attached later stands at its call. */
    List<CrmEffect> effects() {
        return look(calls::effects);
    }

    /** The calls that were registered with an external id, in order. */
    List<Bitrix24Calls.Call> callsOf(String externalId) {
        return look(() -> calls.calls(externalId));
    }

    /** Registered CALL_IDs of an external id, in order. */
    List<String> callIdsOf(String externalId) {
        return callsOf(externalId).stream().map(call -> call.callId).toList();
    }

    /** How many finishes of an external id counted. */
    int finishesOf(String externalId) {
        return look(() -> calls.finishes(externalId));
    }

    /** The requests for a method itself, to be used with {@link #slow}, {@link #lose} and {@link #refuse}. */
    static Predicate<Request> to(String method) {
        return request -> method(request.path()).equalsIgnoreCase(method);
    }

    @Override
    protected Reply answer(Request request) {
        double begin = now();
        if (request.path().equals("/oauth/token/")) {
            return tokens.answer(request, origin(), begin);
        }
        try {
            limits.admit(begin);
            String[] parts = request.path().split("/", -1);
            String method = method(request.path());
            if (!parts[1].equals("rest") || parts.length != 3 && parts.length != 5
                    || !List.of("GET", "POST").contains(request.method())) {
                throw notFound();
            }
            if (parts.length == 3 && method.equals("upload")) {
                return Reply.json(200, envelope(calls.upload(request), time(begin, method, APPLICATION)));
            }
            Bitrix24Params params = Bitrix24Params.of(request);
            String client = parts.length == 5 ? WEBHOOK : APPLICATION;
            if (client.equals(WEBHOOK) && !(parts[2].equals("1") && parts[3].equals(CODE))) {
                throw new Bitrix24Error(403, "INVALID_CREDENTIALS", "Invalid request credentials");
            }
            if (client.equals(APPLICATION)) {
                // A parameter only: the documentation knows no header for it.
                tokens.check(params.take("auth"), begin);
            }
            Object result = method.equalsIgnoreCase("batch") ? batch(params, client) : call(method, params, client);
            return Reply.json(200, envelope(result, time(begin, method, client)));
        } catch (Bitrix24Error e) {
            return Reply.json(e.status, error(e));
        } catch (IllegalArgumentException e) {
            return Reply.json(400, error(Bitrix24Error.strict("badly encoded: " + e.getMessage())));
        }
    }

    private Object call(String method, Bitrix24Params params, String client) {
        double now = now();
        limits.begin(method, client, now);
        return switch (method.toLowerCase()) {
            case "telephony.externalcall.register" -> calls.register(params, forApplication(client), now);
            case "telephony.externalcall.finish" -> calls.finish(params, forApplication(client).equals(APPLICATION), now);
            case "telephony.externalcall.show" -> calls.show(params);
            case "telephony.externalcall.hide" -> calls.hide(params);
            case "telephony.externalcall.attachrecord" -> calls.attach(params, origin());
            case "telephony.externalcall.searchcrmentities" -> directory.search(params);
            case "user.get" -> directory.users(params);
            default -> throw notFound();
        };
    }

    /** Bitrix24 documentation, "How to Execute Batch Requests": one request for the bucket, 200 whatever fails inside. */
    private Map<String, Object> batch(Bitrix24Params params, String client) {
        JsonNode commands = params.only("halt", "cmd").get("cmd");
        boolean halt = List.of("1", "true").contains(params.get("halt").asText("0"));
        if (!commands.isContainerNode()) {
            throw Bitrix24Error.strict("cmd must be an array or an object");
        }
        if (commands.size() > MOST_COMMANDS) {
            throw new Bitrix24Error(400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded");
        }
        Map<String, JsonNode> results = new LinkedHashMap<>();
        Map<String, Object> errors = new LinkedHashMap<>();
        Map<String, Object> totals = new LinkedHashMap<>();
        Map<String, Object> nexts = new LinkedHashMap<>();
        Map<String, Object> times = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> command : named(commands).entrySet()) {
            String key = command.getKey();
            String[] parts = command.getValue().asText().split("\\?", 2);
            double begin = now();
            try {
                if (parts[0].equalsIgnoreCase("batch")) {
                    throw new Bitrix24Error(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage");
                }
                Object result = call(parts[0], Bitrix24Params.ofCommand(parts.length < 2 ? "" : parts[1], results), client);
                if (result instanceof Page page) {
                    putUnlessNull(totals, key, page.total());
                    putUnlessNull(nexts, key, page.next());
                    result = page.result();
                }
                results.put(key, JSON.valueToTree(result));
                times.put(key, time(begin, parts[0], client));
            } catch (Bitrix24Error e) {
                errors.put(key, error(e));
                if (halt) {
                    break;
                }
            }
        }
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("result", php(results));
        all.put("result_error", php(errors));
        all.put("result_total", php(totals));
        all.put("result_next", php(nexts));
        all.put("result_time", php(times));
        return all;
    }

    private String forApplication(String client) {
        if (applicationOnly && !client.equals(APPLICATION)) {
            throw new Bitrix24Error(403, "WRONG_AUTH_TYPE", "Current authorization type is denied for this method");
        }
        return client;
    }

    private Map<String, Object> time(double begin, String method, String client) {
        double end = now();
        Map<String, Object> time = new LinkedHashMap<>();
        time.put("start", decimal(begin));
        time.put("finish", decimal(end));
        time.put("duration", decimal(end - begin));
        time.put("processing", decimal(end - begin));
        time.put("date_start", date(begin));
        time.put("date_finish", date(end));
        if (!box) {
            time.put("operating_reset_at", limits.resetAt(method, client, end));
            time.put("operating", decimal(limits.operating(method, client, end)));
        }
        return time;
    }

    private double now() {
        return System.currentTimeMillis() / 1000.0 + shift;
    }

    private void set(Runnable change) {
        look(() -> {
            change.run();
            return null;
        });
    }

    private static Map<String, Object> envelope(Object result, Map<String, Object> time) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("result", result instanceof Page page ? page.result() : result);
        if (result instanceof Page page) {
            putUnlessNull(body, "next", page.next());
            putUnlessNull(body, "total", page.total());
        }
        body.put("time", time);
        return body;
    }

    private static Map<String, Object> error(Bitrix24Error e) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("error", e.code);
        body.put("error_description", e.getMessage());
        return body;
    }

    private static Bitrix24Error notFound() {
        return new Bitrix24Error(404, "ERROR_METHOD_NOT_FOUND", "Method not found!");
    }

    private static String method(String path) {
        return path.substring(path.lastIndexOf('/') + 1).replaceFirst("\\.json$", "");
    }

    private static Map<String, JsonNode> named(JsonNode commands) {
        Map<String, JsonNode> all = new LinkedHashMap<>();
        commands.fields().forEachRemaining(command -> all.put(command.getKey(), command.getValue()));
        for (int i = 0; commands.isArray() && i < commands.size(); i++) {
            all.put(String.valueOf(i), commands.get(i));
        }
        return all;
    }

    /** As PHP writes an array: a list if the keys count from 0, so an empty one is {@code []}. */
    private static Object php(Map<String, ?> map) {
        List<Object> list = new ArrayList<>();
        for (int i = 0; map.containsKey(String.valueOf(i)); i++) {
            list.add(map.get(String.valueOf(i)));
        }
        return list.size() == map.size() ? list : map;
    }

    private static void putUnlessNull(Map<String, Object> map, String key, Object value) {
        if (value != null) {
            map.put(key, value);
        }
    }

    private static String date(double seconds) {
        return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(Instant.ofEpochSecond((long) seconds).atOffset(ZoneOffset.ofHours(3)));
    }

    /** Without an exponent. */
    private static BigDecimal decimal(double seconds) {
        return BigDecimal.valueOf(seconds).setScale(3, RoundingMode.HALF_UP);
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }
}
