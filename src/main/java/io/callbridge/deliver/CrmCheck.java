package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.platform.Settings;
import io.callbridge.store.Delivery;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import javax.net.ssl.SSLException;
import org.apache.camel.Exchange;
import org.apache.camel.Handler;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.eclipse.microprofile.config.Config;
import org.jboss.logging.Logger;

/**
 * Tries a CRM for an administrator: does anything answer at its address, does it let Callbridge in, does it find a number. By the
 * very routes that calls take, so that what works here works there; nothing is written at the CRM.
 */
@ApplicationScoped
@Named("crmProbe")
@RegisterForReflection
public class CrmCheck {

    private static final int DETAIL = 300;
    private static final String ADDRESS = "address";
    private static final Logger LOG = Logger.getLogger(CrmCheck.class);

    private final CrmCapabilities capabilities;
    private final ProducerTemplate template;
    private final ObjectMapper json;
    private final Config config;
    private final CrmGates gates;
    private final Settings settings;

    public CrmCheck(CrmCapabilities capabilities, CrmGates gates, ProducerTemplate template, ObjectMapper json, Config config,
            Settings settings) {
        this.settings = settings;
        this.capabilities = capabilities;
        this.gates = gates;
        this.template = template;
        this.json = json;
        this.config = config;
    }

    /**
     * One step of a check, in the order {@code address}, {@code authorisation}, {@code lookup}.
     *
     * @param result {@code ok}, {@code failed}, {@code skipped}
     * @param code what it means, one word for each thing that can be done about it
     * @param status of HTTP, {@code null}: none came
     * @param detail what the CRM said; never an address, which may hold a secret. {@code null}: nothing
     * @param found the entity with the number, {@code null}: none was found, or looked for
     * @param millis how long it took
     */
    public record Step(String step, String result, String code, Integer status, String detail, String found, long millis) {
    }

    /** @param failure also one that the route took for "not found" */
    private record Asked(Exchange exchange, Throwable failure, Integer status, long millis) {

        boolean says(Integer... any) {
            return List.of(any).contains(status == null ? 0 : status);
        }
    }

    /** Tells the administrator at the start what a CRM will refuse: its route {@code deliver-<crm>-probe} fails and says why. */
    @Handler
    public void probe() {
        settings.crms().stream().filter(crm -> capabilities.can(crm, CrmCapabilities.PROBE)).forEach(crm -> {
            Exception failure = ask(crm, CrmCapabilities.PROBE, null).exchange.getException();
            if (failure != null) {
                LOG.errorf("CRM %s does not take calls now: %s", crm, CrmAnswer.said(failure));
            } else {
                LOG.infof("CRM %s answers", crm);
            }
        });
    }

    /** @param number in E.164 */
    public List<Step> check(String crm, String number) {
        Step address = address(crm);
        if (address.result.equals("failed")) {
            return List.of(address, skipped("authorisation", "earlier-failed"), skipped("lookup", "earlier-failed"));
        }
        Asked probe = capabilities.can(crm, CrmCapabilities.PROBE) ? ask(crm, CrmCapabilities.PROBE, number) : null;
        Asked lookup = capabilities.can(crm, CrmCapabilities.LOOKUP) && (probe == null || probe.failure == null)
                ? ask(crm, CrmCapabilities.LOOKUP, number) : null;
        Step authorisation = probe == null && lookup == null ? skipped("authorisation", "no-lookup")
                : authorisation(probe != null ? probe : lookup, probe == null);
        String refusal = gates.refusal(crm);
        if (refusal != null && !authorisation.result.equals("failed")) {
            // What may be read need not be all that is needed: it counts what the CRM says to the deliveries.
            authorisation = new Step("authorisation", "failed", "refuses", null, refusal, null, authorisation.millis);
        }
        return List.of(address, authorisation, authorisation.result.equals("failed") ? skipped("lookup", "earlier-failed")
                : lookup == null ? skipped("lookup", "no-lookup") : lookup(lookup));
    }

    private Step address(String crm) {
        String address = config.getOptionalValue("callbridge.crm." + crm + ".url", String.class).orElse(null);
        if (address == null) {
            return skipped("address", "no-address");
        }
        Asked asked = ask(crm, ADDRESS, address);
        // Whatever it says: what matters is what the routes are told, which ask elsewhere at this address.
        return asked.failure == null || asked.status != null ? ok("address", asked, null) : failed("address", asked);
    }

    /** @param lookup an answer that says nothing about rights is the look-up's matter */
    private static Step authorisation(Asked asked, boolean lookup) {
        if (asked.failure != null && (!lookup || asked.says(401, 403))) {
            return failed("authorisation", asked);
        }
        return asked.failure != null || lookup && asked.says(404) ? skipped("authorisation", "unknown") : ok("authorisation", asked, null);
    }

    private Step lookup(Asked asked) {
        // A route that takes an answer for "nobody has this number" knows its CRM; of any other, 404 says so.
        Exception thrown = asked.exchange.getException();
        if (thrown != null && !(asked.says(404) && thrown instanceof HttpOperationFailedException)) {
            return failed("lookup", asked);
        }
        String answer = thrown == null ? CrmAnswer.body(asked.exchange) : null;
        try {
            JsonNode found = answer == null || answer.isBlank() ? null : json.readTree(answer);
            return found == null && asked.says(404) ? new Step("lookup", "ok", "nobody-or-path", asked.status, null, null, asked.millis)
                    : ok("lookup", asked, found == null ? null : names(found));
        } catch (JsonProcessingException e) {
            String page = CrmAnswer.page(answer);
            return new Step("lookup", "failed", "bad-answer", asked.status, shown(page != null ? page : answer), null, asked.millis);
        }
    }

    private static String names(JsonNode found) {
        return found.isArray() ? StreamSupport.stream(found.spliterator(), false).map(CrmCheck::name).collect(Collectors.joining(", "))
                : name(found);
    }

    private static String name(JsonNode entity) {
        return entity.hasNonNull("name") ? entity.get("name").asText() : entity.path("id").asText();
    }

    /** @param subject the address, or the number */
    private Asked ask(String crm, String operation, String subject) {
        long begin = System.nanoTime();
        boolean address = operation.equals(ADDRESS);
        String body = operation.equals(CrmCapabilities.LOOKUP) ? subject : null;
        Exchange exchange = capabilities.question(crm, Delivery.CALLS, operation, body);
        exchange.setVariable(address ? "address" : "number", subject);
        template.send(address ? "direct:ops-crm-address" : "direct:deliver-" + crm + "-" + operation, exchange);
        Exception thrown = exchange.getException();
        Throwable failure = thrown != null ? thrown : exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
        return new Asked(exchange, failure, failure == null ? CrmAnswer.status(exchange) : CrmAnswer.of(failure, exchange).status,
                (System.nanoTime() - begin) / 1_000_000);
    }

    private static Step skipped(String step, String code) {
        return new Step(step, "skipped", code, null, null, null, 0);
    }

    private static Step ok(String step, Asked asked, String found) {
        return new Step(step, "ok", "ok", asked.status, null, found, asked.millis);
    }

    private static Step failed(String step, Asked asked) {
        return new Step(step, "failed", code(asked.failure, asked.status), asked.status, detail(asked), null, asked.millis);
    }

    private static String code(Throwable failure, Integer status) {
        if (status != null) {
            return switch (status) {
                case 401 -> "unauthorised";
                case 403 -> "forbidden";
                case 404, 405, 410 -> "not-found";
                case 429 -> "too-many";
                default -> status >= 500 ? "server-error" : status >= 300 && status < 400 ? "redirect" : "bad-answer";
            };
        }
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnknownHostException) {
                return "unknown-host";
            } else if (cause instanceof SSLException) {
                return "certificate";
            } else if (cause instanceof ConnectTimeoutException || cause instanceof SocketTimeoutException) {
                return "timeout";
            } else if (cause instanceof SocketException || cause instanceof NoHttpResponseException) {
                return "refused";
            } else if (cause instanceof JsonProcessingException || cause instanceof CrmAnswerException) {
                return "bad-answer";
            }
        }
        return "other";
    }

    /** What is said of a page, or of another address, which may hold a secret; else what the CRM said itself. */
    private static String detail(Asked asked) {
        CrmAnswerException said = CrmAnswer.of(asked.failure, asked.exchange);
        if (said.refusal != null && (asked.status == null || asked.status / 100 < 4)) {
            return said.refusal;
        }
        Throwable root = asked.failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return shown(asked.status != null || asked.failure instanceof JsonProcessingException ? said.answer
                : root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage());
    }

    private static String shown(String text) {
        return text == null || text.isBlank() ? null : text.strip().substring(0, Math.min(DETAIL, text.strip().length()));
    }
}
