package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Settings;
import io.callbridge.store.Memory;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Variable;
import org.apache.camel.support.DefaultExchange;
import org.jboss.logging.Logger;

/**
 * The tokens of an application of Bitrix24, which gives a new refresh token with each access token
 * ({@code callbridge.crm.<crm>.refresh-token} is the first one). They are in the store before they are used: who loses a refresh
 * token must install the application anew. One delivery of one replica asks for them; the others wait and read what it stored.
 */
@ApplicationScoped
@Named("crmToken")
@RegisterForReflection
public class OAuthToken {

    private static final Logger LOG = Logger.getLogger(OAuthToken.class);
    /** Timeouts that two requests may take, each of three: to get a connection, to connect, to be answered. */
    private static final int TIMEOUTS = 6;
    private static final long LOOK_MS = 100;
    private static final String CLAIM = "token-claim";

    /** @param used refresh tokens of the settings that are used up: these tokens come from the last of them */
    @RegisterForReflection
    record Tokens(String access, String refresh, List<String> used) {
    }

    private final Memory memory;
    private final Settings settings;
    private final JsonAnswer jsonAnswer;
    private final CrmAnswer crmAnswer = new CrmAnswer();
    private final ObjectMapper json;
    private final String holder = UUID.randomUUID().toString();
    private final Map<String, Tokens> known = new ConcurrentHashMap<>();
    /** CRMs whose tokens the store has not taken yet. */
    private final Set<String> unsaved = ConcurrentHashMap.newKeySet();
    private final Set<String> refused = ConcurrentHashMap.newKeySet();

    public OAuthToken(Memory memory, Settings settings, JsonAnswer jsonAnswer, ObjectMapper json) {
        this.memory = memory;
        this.settings = settings;
        this.jsonAnswer = jsonAnswer;
        this.json = json;
    }

    /** The variable {@code token}: the access token, whether it is still good or not; empty: the CRM is asked as no application. */
    public void access(@Variable("crm") String crm, Exchange exchange) throws Exception {
        exchange.setVariable("token", "");
        if (!setting(crm, ".client-id", exchange).isEmpty()) {
            save(crm, exchange);
            Tokens tokens = known.computeIfAbsent(crm, name -> stored(crm, exchange));
            boolean good = !tokens.access.isEmpty() && !isNew(setting(crm, ".refresh-token", exchange), tokens);
            exchange.setVariable("token", good ? tokens.access : another(crm, "", exchange));
        }
    }

    /** Another access token than the one in the variable {@code token}; the variable {@code renewed} says that it was asked for. */
    public void renew(@Variable("crm") String crm, @Variable("token") String over, Exchange exchange) throws Exception {
        exchange.setVariable("token", another(crm, over, exchange));
        exchange.setVariable("renewed", "true");
    }

    /** The JSON of a request with the token, if there is one. */
    public String inBody(@Variable("request") String request, @Variable("token") String token) {
        return token.isEmpty() ? request : "{\"auth\":\"" + token + "\"," + request.substring(1);
    }

    private synchronized String another(String crm, String over, Exchange exchange) throws Exception {
        // Who asks has so long; then another one may.
        long claimMs = TIMEOUTS * settings.number("deliver.timeout-ms") + 1_000L;
        long end = System.nanoTime() + claimMs * 1_000_000;
        while (!memory.claim(crm, CLAIM, holder, claimMs).join()) {
            if (renewed(crm, over, exchange)) {
                return known.get(crm).access;
            }
            if (System.nanoTime() > end) {
                throw new IllegalStateException("another replica has not got the tokens of CRM " + crm);
            }
            wait(LOOK_MS);
        }
        try {
            if (!renewed(crm, over, exchange)) {
                ask(crm, exchange);
            }
            return known.get(crm).access;
        } finally {
            memory.release(crm, CLAIM, holder).join();
        }
    }

    /** Whether another delivery, or another replica, has stored another token meanwhile. */
    private boolean renewed(String crm, String over, Exchange exchange) throws JsonProcessingException {
        save(crm, exchange);
        Tokens tokens = unsaved.contains(crm) ? known.get(crm) : stored(crm, exchange);
        known.put(crm, tokens);
        return !tokens.access.equals(over) && !isNew(setting(crm, ".refresh-token", exchange), tokens);
    }

    private void ask(String crm, Exchange exchange) throws Exception {
        Tokens before = known.get(crm);
        String configured = setting(crm, ".refresh-token", exchange);
        // One that is new in the settings first: the administrator has installed the application, or has done it anew.
        List<String> candidates = Stream.of(isNew(configured, before) ? configured : "", before.refresh)
                .filter(refresh -> !refresh.isEmpty() && !refused.contains(refresh)).distinct().toList();
        for (String refresh : candidates) {
            Map<?, ?> answer = ask(crm, refresh, exchange);
            if (answer != null) {
                List<String> used = new ArrayList<>(before.used);
                if (refresh.equals(configured)) {
                    used.add(configured);
                }
                // The old one is void already: what the store does not take now is taken along and kept later.
                known.put(crm, new Tokens(answer.get("access_token").toString(), answer.get("refresh_token").toString(), used));
                unsaved.add(crm);
                save(crm, exchange);
                return;
            }
            refused.add(refresh);
        }
        exchange.getMessage().setBody("the OAuth server refuses the refresh token: install the application again and set"
                + " callbridge.crm." + crm + ".refresh-token to the token that it gets");
        crmAnswer.misconfigured(exchange);
    }

    private void save(String crm, Exchange exchange) throws JsonProcessingException {
        if (unsaved.contains(crm)) {
            try {
                memory.keep(crm, "", name(crm, exchange), json.writeValueAsString(known.get(crm))).join();
                unsaved.remove(crm);
            } catch (CompletionException e) {
                LOG.warnf("The tokens of CRM %s are not stored yet: %s", crm, e.getMessage());
            }
        }
    }

    private boolean isNew(String configured, Tokens tokens) {
        return !configured.isEmpty() && !tokens.used.contains(configured) && !refused.contains(configured);
    }

    /** @return {@code null}: this refresh token is not good */
    private Map<?, ?> ask(String crm, String refresh, Exchange exchange) throws Exception {
        Exchange asking = new DefaultExchange(exchange.getContext());
        asking.setVariable("crm", crm);
        asking.getMessage().setHeader(Exchange.HTTP_PATH, "oauth/token/");
        asking.getMessage().setHeader(Exchange.HTTP_QUERY, JsonTemplate.form(json.createObjectNode().put("grant_type", "refresh_token")
                .put("client_id", setting(crm, ".client-id", exchange)).put("client_secret", setting(crm, ".client-secret", exchange))
                .put("refresh_token", refresh)));
        CrmRequests.send(asking, setting(crm, ".oauth-url", exchange) + "?httpMethod=GET&throwExceptionOnFailure=false");
        Map<String, Object> answer = jsonAnswer.read(asking.getMessage().getBody(String.class), asking);
        asking.getMessage().setBody(answer);
        int status = CrmAnswer.status(asking);
        if ("invalid_grant".equals(answer.get("error"))) {
            return null;
        } else if (status == 408 || status == 429 || status >= 500) {
            crmAnswer.later(asking);
        } else if (answer.get("access_token") == null) {
            crmAnswer.misconfigured(asking);
        } else if (answer.get("refresh_token") == null) {
            asking.getMessage().setBody("an access token without a refresh token");
            crmAnswer.misconfigured(asking);
        }
        return answer;
    }

    private Tokens stored(String crm, Exchange exchange) {
        String stored = memory.recall(crm, "", name(crm, exchange));
        try {
            return stored == null ? new Tokens("", "", List.of()) : json.readValue(stored, Tokens.class);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("unreadable tokens of CRM " + crm + " in the store", e);
        }
    }

    /** The tokens of another application are of no use. */
    private static String name(String crm, Exchange exchange) {
        return "token of " + setting(crm, ".client-id", exchange);
    }

    private static String setting(String crm, String key, Exchange exchange) {
        return exchange.getContext().resolvePropertyPlaceholders("{{callbridge.crm." + crm + key + ":}}");
    }
}
