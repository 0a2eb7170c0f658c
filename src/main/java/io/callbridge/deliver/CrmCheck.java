package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.store.Delivery;
import jakarta.enterprise.context.ApplicationScoped;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import javax.net.ssl.SSLException;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.eclipse.microprofile.config.Config;

/**
 * Tries a CRM for an administrator: does anything answer at its address, does it let Callbridge in, does it find a number. By the
 * very routes that calls take, so that what works here works there; nothing is written at the CRM.
 */
@ApplicationScoped
public class CrmCheck {

    private static final int DETAIL = 300;
    private static final String ROUTE = "direct:ops-crm-address";

    private final CrmCapabilities capabilities;
    private final ProducerTemplate template;
    private final ObjectMapper json;
    private final Config config;
    private final CrmGates gates;

    public CrmCheck(CrmCapabilities capabilities, CrmGates gates, ProducerTemplate template, ObjectMapper json, Config config) {
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

    private record Asked(Exchange exchange, long millis) {

        /** Also one that the route took for "not found". */
        Throwable failure() {
            Exception thrown = exchange.getException();
            return thrown != null ? thrown : exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
        }
    }

    /** @param number in E.164 */
    public List<Step> check(String crm, String number) {
        List<Step> steps = new ArrayList<>();
        steps.add(address(crm));
        if (steps.get(0).result.equals("failed")) {
            steps.add(skipped("authorisation", "earlier-failed"));
            steps.add(skipped("lookup", "earlier-failed"));
            return steps;
        }
        boolean probes = capabilities.can(crm, CrmCapabilities.PROBE);
        boolean looks = capabilities.can(crm, CrmCapabilities.LOOKUP);
        Asked probe = probes ? ask("direct:deliver-" + crm + "-" + CrmCapabilities.PROBE, crm, CrmCapabilities.PROBE, number) : null;
        Asked lookup = looks && (probe == null || probe.failure() == null)
                ? ask("direct:deliver-" + crm + "-" + CrmCapabilities.LOOKUP, crm, CrmCapabilities.LOOKUP, number) : null;
        steps.add(asDelivered(crm, probe != null ? authorisation(probe, false) : lookup != null ? authorisation(lookup, true)
                : skipped("authorisation", "no-lookup")));
        steps.add(steps.get(1).result.equals("failed") ? skipped("lookup", "earlier-failed")
                : lookup == null ? skipped("lookup", "no-lookup") : lookup(lookup));
        return steps;
    }

    private Step address(String crm) {
        String address = config.getOptionalValue("callbridge.crm." + crm + ".url", String.class).orElse(null);
        if (address == null) {
            return skipped("address", "no-address");
        }
        Asked asked = ask(ROUTE, crm, "address", address);
        Throwable failure = asked.failure();
        Integer status = failure == null ? status(asked) : Failures.status(failure);
        // Whatever it says: what matters is what the routes are told, which ask elsewhere at this address.
        return failure == null || status != null ? new Step("address", "ok", "ok", status, null, null, asked.millis)
                : failed("address", failure, asked);
    }

    /** What may be read need not be all that is needed: it counts what the CRM says to the deliveries. */
    private Step asDelivered(String crm, Step asked) {
        String refusal = gates.refusal(crm);
        return refusal == null || asked.result.equals("failed") ? asked
                : new Step("authorisation", "failed", "refuses", null, refusal, null, asked.millis);
    }

    /** @param lookup an answer that says nothing about rights is the look-up's matter */
    private static Step authorisation(Asked asked, boolean lookup) {
        Throwable failure = asked.failure();
        Integer status = failure == null ? status(asked) : Failures.status(failure);
        boolean refused = failure != null && (!lookup || status != null && (status == 401 || status == 403));
        if (failure != null && !refused || lookup && status != null && status == 404) {
            return skipped("authorisation", "unknown");
        }
        return refused ? failed("authorisation", failure, asked)
                : new Step("authorisation", "ok", "ok", status, null, null, asked.millis);
    }

    private Step lookup(Asked asked) {
        // A route that takes an answer for "nobody has this number" knows its CRM; of any other, 404 says so.
        Throwable failure = asked.exchange.getException();
        Integer said = asked.failure() == null ? status(asked) : Failures.status(asked.failure());
        boolean nobody = said != null && said == 404;
        if (failure != null && !(nobody && failure instanceof HttpOperationFailedException)) {
            return failed("lookup", failure, asked);
        }
        String answer = failure == null ? Failures.body(asked.exchange) : null;
        try {
            JsonNode found = answer == null || answer.isBlank() ? null : json.readTree(answer);
            if (found == null && nobody) {
                return new Step("lookup", "ok", "nobody-or-path", said, null, null, asked.millis);
            }
            return new Step("lookup", "ok", "ok", status(asked), null, found == null ? null : names(found), asked.millis);
        } catch (JsonProcessingException e) {
            return new Step("lookup", "failed", "bad-answer", status(asked), shown(Failures.page(answer) != null ? Failures.page(answer) : answer),
                    null, asked.millis);
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
    private Asked ask(String route, String crm, String operation, String subject) {
        long begin = System.nanoTime();
        Exchange exchange = template.send(route, message -> {
            message.getMessage().setBody(operation.equals(CrmCapabilities.LOOKUP) ? subject : null);
            message.setVariable("crm", crm);
            message.setVariable("lane", Delivery.CALLS);
            message.setVariable("operation", operation);
            message.setVariable(operation.equals("address") ? "address" : "number", subject);
        });
        return new Asked(exchange, (System.nanoTime() - begin) / 1_000_000);
    }

    private static Step skipped(String step, String code) {
        return new Step(step, "skipped", code, null, null, null, 0);
    }

    private static Step failed(String step, Throwable failure, Asked asked) {
        Integer status = Failures.status(failure);
        return new Step(step, "failed", code(failure, status), status, detail(failure, asked), null, asked.millis);
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
    private static String detail(Throwable failure, Asked asked) {
        Integer status = Failures.status(failure);
        String refusal = Failures.refusal(failure, asked.exchange);
        if (refusal != null && (status == null || status / 100 < 4)) {
            return refusal;
        }
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return shown(status != null || failure instanceof JsonProcessingException ? Failures.answer(failure, asked.exchange)
                : root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage());
    }

    private static String shown(String text) {
        return text == null || text.isBlank() ? null : text.strip().substring(0, Math.min(DETAIL, text.strip().length()));
    }

    private static Integer status(Asked asked) {
        return asked.exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
    }
}
