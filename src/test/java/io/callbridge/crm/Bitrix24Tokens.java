package io.callbridge.crm;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;

/**
 * The OAuth side of Bitrix24. Bitrix24 documentation, settings/oauth: an access token lives 3600 s, a refresh token 180 days,
 * and each refresh replaces the refresh token. The HTTP status of its errors is not verified.
 */
final class Bitrix24Tokens {

    static final String CLIENT_ID = "local.application-of-the-tests";
    static final String CLIENT_SECRET = "application-secret-of-the-tests";
    private static final double REFRESH_SECONDS = 180 * 86_400.0;

    private final Map<String, Double> ends = new HashMap<>();
    private double seconds = 3600;
    private String access;
    private String refresh;
    private double refreshEnds;
    private int refreshes;
    private int refused;

    Bitrix24Tokens(double now) {
        issue(now);
    }

    void life(double seconds, double now) {
        this.seconds = seconds;
        ends.replaceAll((token, end) -> Math.min(end, now + seconds));
    }

    void expire() {
        ends.replaceAll((token, end) -> 0.0);
    }

    /** An older access token stays good until its own end. */
    void check(String token, double now) {
        if (token == null || !ends.containsKey(token)) {
            throw new Bitrix24Error(401, "NO_AUTH_FOUND", "Wrong authorization data");
        }
        if (ends.get(token) <= now) {
            throw new Bitrix24Error(401, "expired_token", "The access token provided has expired");
        }
    }

    StandIn.Reply answer(StandIn.Request request, String origin, double now) {
        Map<String, String> given = request.parameters();
        String grant = given.getOrDefault("grant_type", "");
        if (!request.method().equals("GET") || !grant.equals("refresh_token") || !given.containsKey("refresh_token")) {
            return refuse("invalid_request", "Invalid request");
        }
        if (!CLIENT_ID.equals(given.get("client_id")) || !CLIENT_SECRET.equals(given.get("client_secret"))) {
            return refuse("invalid_client", "Invalid client");
        }
        if (!refresh.equals(given.get("refresh_token")) || refreshEnds <= now) {
            return refuse("invalid_grant", "Invalid grant");
        }
        refreshes++;
        issue(now);
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("access_token", access);
        body.put("expires", (long) (now + seconds));
        body.put("expires_in", (long) seconds);
        body.put("scope", "telephony,crm,user");
        body.put("domain", "oauth.bitrix.info");
        body.put("server_endpoint", origin + "/rest/");
        body.put("status", "L");
        body.put("client_endpoint", origin + "/rest/");
        body.put("member_id", "a223c6b3710f85df22e9377d6c4f7553");
        body.put("user_id", 1);
        body.put("refresh_token", refresh);
        return StandIn.Reply.json(200, body);
    }

    String access() {
        return access;
    }

    String refresh() {
        return refresh;
    }

    int refreshes() {
        return refreshes;
    }

    int refused() {
        return refused;
    }

    private void issue(double now) {
        access = UUID.randomUUID().toString().replace("-", "");
        refresh = UUID.randomUUID().toString().replace("-", "");
        ends.put(access, now + seconds);
        refreshEnds = now + REFRESH_SECONDS;
    }

    private StandIn.Reply refuse(String error, String description) {
        refused++;
        return StandIn.Reply.json(400, Map.of("error", error, "error_description", description));
    }
}
