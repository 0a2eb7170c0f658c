package io.callbridge.support;

import io.callbridge.crm.StandIn;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;

/**
 * An OpenID Connect provider whose user has logged in already: its page sends the browser back at once. It is as strict as a real
 * one about the client, its secret, the address it sends back to, codes, and their proof key (PKCE), and its tokens are signed
 * with a key of its own.
 */
public final class FakeOidcProvider extends StandIn {

    public static final String CLIENT = "callbridge-of-the-tests";
    public static final String SECRET = "client-secret-of-the-tests";

    private static final String KEY_ID = "key-1";

    /** What was asked for when a code was given. */
    private record Grant(Map<String, String> asked, Map<String, Object> user) {
    }

    private final RsaJsonWebKey key = newKey();
    private final Map<String, Grant> codes = new HashMap<>();
    private final Map<String, Map<String, Object>> refreshTokens = new HashMap<>();
    private volatile int refreshes;
    private volatile Map<String, Object> user = Map.of();
    private volatile int seconds = 300;
    private volatile String refusal;
    private volatile String nonsense;

    /** Instead of it, somebody who takes connections and says nothing. */
    public ServerSocket silent() throws IOException {
        return new ServerSocket(URI.create(url()).getPort(), 50, InetAddress.getLoopbackAddress());
    }

    public String url() {
        return origin() + "/office";
    }

    /** From now on it says this when it is asked what it can do; {@code null}: what it can do. */
    public FakeOidcProvider speaking(String instead) {
        nonsense = instead;
        return this;
    }

    /** What a process needs, to let these users in. */
    public Map<String, String> settings(String... users) {
        return Map.of("callbridge.admin.oidc.url", url(), "callbridge.admin.oidc.client-id", CLIENT,
                "callbridge.admin.oidc.client-secret", SECRET, "callbridge.admin.oidc.users", String.join(",", users));
    }

    /** From now on this user sits at the browser. */
    public void user(String name, Map<String, Object> otherClaims) {
        Map<String, Object> claims = new HashMap<>(otherClaims);
        if (name != null) {
            claims.put("preferred_username", name);
        }
        user = claims;
    }

    /** How long tokens count that are made from now on. */
    public void lifetime(int ofTokens) {
        seconds = ofTokens;
    }

    /** From now on the login fails with this error; {@code null}: it does not. */
    public void refuse(String error) {
        refusal = error;
    }

    public int refreshes() {
        return refreshes;
    }

    public String token(String audience, String name, int lifetime) {
        return signed(key, audience, Map.of("preferred_username", name), lifetime);
    }

    /** One that somebody else has signed, with a key of the same name. */
    public String forged(String name) {
        return signed(newKey(), CLIENT, Map.of("preferred_username", name), seconds);
    }

    @Override
    protected Reply answer(Request request) {
        return switch (request.path()) {
            case "/office/.well-known/openid-configuration" -> nonsense != null
                    ? new Reply(200, "application/json", nonsense, Map.of()) : Reply.json(200, Map.of("issuer", url(),
                    "authorization_endpoint", url() + "/authorize", "token_endpoint", url() + "/token", "jwks_uri", url() + "/keys",
                    "response_types_supported", List.of("code"), "subject_types_supported", List.of("public"),
                    "id_token_signing_alg_values_supported", List.of("RS256"), "code_challenge_methods_supported", List.of("S256")));
            case "/office/keys" -> Reply.json(200, Map.of("keys", List.of(key.toParams(JsonWebKey.OutputControlLevel.PUBLIC_ONLY))));
            case "/office/authorize" -> authorize(request.parameters());
            case "/office/token" -> token(request);
            default -> Reply.empty(404);
        };
    }

    private Reply authorize(Map<String, String> asked) {
        String back = asked.getOrDefault("redirect_uri", "");
        if (!CLIENT.equals(asked.get("client_id")) || !"code".equals(asked.get("response_type"))
                || !back.matches("http://127\\.0\\.0\\.1:[0-9]+/api/login/start") || !"S256".equals(asked.get("code_challenge_method"))
                || !asked.getOrDefault("scope", "").contains("openid")) {
            return Reply.json(400, Map.of("error", "invalid_request"));
        }
        String code = UUID.randomUUID().toString();
        codes.put(code, new Grant(asked, user));
        return new Reply(302, null, "", Map.of("Location", back + (refusal == null ? "?code=" + code : "?error=" + refusal
                + "&error_description=" + URLEncoder.encode("first line\r\nsecond line", StandardCharsets.UTF_8))
                + "&state=" + URLEncoder.encode(asked.get("state"), StandardCharsets.UTF_8)));
    }

    private Reply token(Request request) {
        Map<String, String> asked = request.parameters();
        String expected = "Basic " + Base64.getEncoder().encodeToString((CLIENT + ":" + SECRET).getBytes(StandardCharsets.UTF_8));
        if (!expected.equals(request.header("Authorization"))) {
            return Reply.json(401, Map.of("error", "invalid_client"));
        }
        if ("refresh_token".equals(asked.get("grant_type"))) {
            Map<String, Object> owner = refreshTokens.remove(asked.get("refresh_token"));
            refreshes++;
            return owner == null ? Reply.json(400, Map.of("error", "invalid_grant")) : tokens(owner, null);
        }
        Grant grant = codes.remove(asked.get("code"));
        boolean proven = grant != null && grant.asked().get("redirect_uri").equals(asked.get("redirect_uri"))
                && grant.asked().get("code_challenge").equals(challenge(asked.getOrDefault("code_verifier", "")));
        return proven ? tokens(grant.user(), grant.asked().get("nonce")) : Reply.json(400, Map.of("error", "invalid_grant"));
    }

    private Reply tokens(Map<String, Object> owner, String nonce) {
        Map<String, Object> claims = new HashMap<>(owner);
        if (nonce != null) {
            claims.put("nonce", nonce);
        }
        String refresh = UUID.randomUUID().toString();
        refreshTokens.put(refresh, owner);
        return Reply.json(200, Map.of("id_token", signed(key, CLIENT, claims, seconds),
                "access_token", signed(key, "account", owner, seconds), "refresh_token", refresh, "token_type", "Bearer",
                "expires_in", seconds));
    }

    private String signed(RsaJsonWebKey with, String audience, Map<String, Object> owner, int lifetime) {
        Map<String, Object> claims = new HashMap<>(owner);
        long now = Instant.now().getEpochSecond();
        claims.putAll(Map.of("iss", url(), "aud", audience, "sub", "user-4711", "jti", UUID.randomUUID().toString(),
                "iat", Math.min(now, now + 2L * lifetime), "exp", now + lifetime));
        JsonWebSignature token = new JsonWebSignature();
        token.setPayload(JSON.valueToTree(claims).toString());
        token.setKey(with.getPrivateKey());
        token.setKeyIdHeaderValue(KEY_ID);
        token.setAlgorithmHeaderValue(AlgorithmIdentifiers.RSA_USING_SHA256);
        return Unchecked.get(token::getCompactSerialization);
    }

    private static RsaJsonWebKey newKey() {
        RsaJsonWebKey key = Unchecked.get(() -> RsaJwkGenerator.generateJwk(2048));
        key.setKeyId(KEY_ID);
        key.setAlgorithm(AlgorithmIdentifiers.RSA_USING_SHA256);
        key.setUse("sig");
        return key;
    }

    private static String challenge(String verifier) {
        return Unchecked.get(() -> Base64.getUrlEncoder().withoutPadding().encodeToString(MessageDigest.getInstance("SHA-256")
                .digest(verifier.getBytes(StandardCharsets.US_ASCII))));
    }
}
