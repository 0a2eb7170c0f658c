package io.callbridge.support;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.NumericDate;

/**
 * An OpenID Connect provider whose user has logged in already: its page sends the browser back at once. It is as strict as a real
 * one about the client, its secret, the address it sends back to, codes, and their proof key (PKCE), and its tokens are signed
 * with a key of its own.
 */
public final class FakeOidcProvider implements AutoCloseable {

    public static final String CLIENT = "callbridge-of-the-tests";
    public static final String SECRET = "client-secret-of-the-tests";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String KEY_ID = "key-1";

    /** What was asked for when a code was given. */
    private record Grant(Map<String, String> asked, Map<String, Object> user) {
    }

    private final int port = Ports.free();
    private final RsaJsonWebKey key = newKey();
    private final Map<String, Grant> codes = new ConcurrentHashMap<>();
    private final Map<String, Map<String, Object>> refreshTokens = new ConcurrentHashMap<>();
    private final AtomicInteger refreshes = new AtomicInteger();
    private volatile Map<String, Object> user = Map.of();
    private volatile int seconds = 300;
    private volatile String refusal;
    private volatile String nonsense;
    private HttpServer server;

    /** It does not answer before. */
    public FakeOidcProvider up() {
        server = Unchecked.get(() -> HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0));
        server.createContext("/office/.well-known/openid-configuration",
                exchange -> answer(exchange, 200, nonsense != null ? nonsense : Map.of(
                "issuer", url(), "authorization_endpoint", url() + "/authorize", "token_endpoint", url() + "/token",
                "jwks_uri", url() + "/keys", "response_types_supported", List.of("code"), "subject_types_supported", List.of("public"),
                "id_token_signing_alg_values_supported", List.of("RS256"), "code_challenge_methods_supported", List.of("S256"))));
        server.createContext("/office/keys", exchange -> answer(exchange, 200, Map.of("keys",
                List.of(key.toParams(org.jose4j.jwk.JsonWebKey.OutputControlLevel.PUBLIC_ONLY)))));
        server.createContext("/office/authorize", this::authorize);
        server.createContext("/office/token", this::token);
        server.start();
        return this;
    }

    /** Instead of it, somebody who takes connections and says nothing. */
    public ServerSocket silent() throws IOException {
        return new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
    }

    public String url() {
        return "http://127.0.0.1:" + port + "/office";
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
        Map<String, Object> claims = new LinkedHashMap<>(otherClaims);
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
        return refreshes.get();
    }

    public String token(String audience, String name, int lifetime) {
        return signed(key, claims(audience, Map.of("preferred_username", name), lifetime));
    }

    /** One that somebody else has signed, with a key of the same name. */
    public String forged(String name) {
        return signed(newKey(), claims(CLIENT, Map.of("preferred_username", name), seconds));
    }

    @Override
    public void close() {
        if (server != null) {
            server.stop(0);
        }
    }

    private void authorize(HttpExchange exchange) throws IOException {
        Map<String, String> asked = form(exchange.getRequestURI().getRawQuery());
        String back = asked.getOrDefault("redirect_uri", "");
        if (!CLIENT.equals(asked.get("client_id")) || !"code".equals(asked.get("response_type"))
                || !back.matches("http://127\\.0\\.0\\.1:[0-9]+/api/login/start") || !"S256".equals(asked.get("code_challenge_method"))
                || !asked.getOrDefault("scope", "").contains("openid")) {
            answer(exchange, 400, Map.of("error", "invalid_request"));
            return;
        }
        String code = UUID.randomUUID().toString();
        codes.put(code, new Grant(asked, user));
        exchange.getResponseHeaders().set("Location", back + (refusal == null ? "?code=" + code : "?error=" + refusal
                + "&error_description=" + URLEncoder.encode("first line\r\nsecond line", StandardCharsets.UTF_8))
                + "&state=" + URLEncoder.encode(asked.get("state"), StandardCharsets.UTF_8));
        exchange.sendResponseHeaders(302, -1);
        exchange.close();
    }

    private void token(HttpExchange exchange) throws IOException {
        Map<String, String> asked = form(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        String expected = "Basic " + Base64.getEncoder().encodeToString((CLIENT + ":" + SECRET).getBytes(StandardCharsets.UTF_8));
        if (!expected.equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            answer(exchange, 401, Map.of("error", "invalid_client"));
        } else if ("refresh_token".equals(asked.get("grant_type"))) {
            Map<String, Object> owner = refreshTokens.remove(asked.getOrDefault("refresh_token", ""));
            refreshes.incrementAndGet();
            answer(exchange, owner == null ? 400 : 200, owner == null ? Map.of("error", "invalid_grant") : tokens(owner, null));
        } else {
            Grant grant = codes.remove(asked.getOrDefault("code", ""));
            boolean proven = grant != null && grant.asked().get("redirect_uri").equals(asked.get("redirect_uri"))
                    && grant.asked().get("code_challenge").equals(challenge(asked.getOrDefault("code_verifier", "")));
            answer(exchange, proven ? 200 : 400,
                    proven ? tokens(grant.user(), grant.asked().get("nonce")) : Map.of("error", "invalid_grant"));
        }
    }

    private Map<String, Object> tokens(Map<String, Object> owner, String nonce) {
        JwtClaims claims = claims(CLIENT, owner, seconds);
        if (nonce != null) {
            claims.setStringClaim("nonce", nonce);
        }
        String refresh = UUID.randomUUID().toString();
        refreshTokens.put(refresh, owner);
        return Map.of("id_token", signed(key, claims), "access_token", signed(key, claims("account", owner, seconds)),
                "refresh_token", refresh, "token_type", "Bearer", "expires_in", seconds);
    }

    private JwtClaims claims(String audience, Map<String, Object> owner, int lifetime) {
        JwtClaims claims = new JwtClaims();
        claims.setIssuer(url());
        claims.setAudience(audience);
        claims.setSubject("user-4711");
        claims.setGeneratedJwtId();
        NumericDate now = NumericDate.now();
        claims.setIssuedAt(lifetime < 0 ? NumericDate.fromSeconds(now.getValue() + 2L * lifetime) : now);
        claims.setExpirationTime(NumericDate.fromSeconds(now.getValue() + lifetime));
        owner.forEach(claims::setClaim);
        return claims;
    }

    private static String signed(RsaJsonWebKey with, JwtClaims claims) {
        JsonWebSignature token = new JsonWebSignature();
        token.setPayload(claims.toJson());
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

    private static Map<String, String> form(String text) {
        return Arrays.stream(text.split("&")).map(field -> field.split("=", 2)).collect(Collectors.toMap(
                field -> URLDecoder.decode(field[0], StandardCharsets.UTF_8),
                field -> field.length < 2 ? "" : URLDecoder.decode(field[1], StandardCharsets.UTF_8), (first, second) -> second));
    }

    private static void answer(HttpExchange exchange, int status, Object content) throws IOException {
        byte[] body = content instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : JSON.writeValueAsBytes(content);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
