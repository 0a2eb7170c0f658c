package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.callbridge.platform.Time;
import io.callbridge.store.StoreException;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Named;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.camel.support.MessageHelper;
import org.apache.hc.client5.http.utils.DateUtils;

/**
 * What an answer that is no success means. A route that holds one says it by one of the methods, each of which ends the delivery's try.
 * The log has what an operator needs, and nothing that the CRM has said, which may repeat names and secrets of the call. All of that is
 * kept with the try of the delivery.
 */
@ApplicationScoped
@Named("crmAnswer")
@RegisterForReflection
public class CrmAnswer {

    /** Exchange property: the text of the answer whose members the body has, see {@link JsonAnswer#read}. */
    static final String SAID = "CallbridgeSaid";

    private static final Pattern PAGE = Pattern.compile("[\\s\\uFEFF]*(?:<\\?xml[^>]*>\\s*)?(?:<!--.*?-->\\s*)*"
            + "<(?:!doctype\\s+html|html|head|body|title|meta)\\b", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
    private static final Pattern TITLE = Pattern.compile("<title[^>]*>([^<]{1,200})", Pattern.CASE_INSENSITIVE);

    /** The CRM refused this effect for good: a dead letter. */
    public void refused(Exchange exchange) throws CrmRefusedException {
        throw new CrmRefusedException(status(exchange), said(exchange));
    }

    /** The CRM may take it later; its {@code Retry-After} is honoured. */
    public void later(Exchange exchange) throws CrmAnswerException {
        laterBy(exchange, retryAfter(exchange.getMessage().getHeaders()));
    }

    /** The CRM may take it after this time. */
    public void laterBy(Exchange exchange, long millis) throws CrmAnswerException {
        throw later(status(exchange), said(exchange), millis, refusal(status(exchange), location(exchange)));
    }

    /**
     * The CRM refuses us, not this effect: somebody must put the configuration right, and nothing may be lost until then. A body
     * that the route has set says how; what the CRM said is behind it.
     */
    public void misconfigured(Exchange exchange) throws CrmAnswerException {
        String refusal = refusal(status(exchange), location(exchange));
        String body = said(exchange);
        String said = exchange.getProperty(SAID, body, String.class);
        throw later(status(exchange), body.equals(said) ? said : body + "\n" + said, retryAfter(exchange.getMessage().getHeaders()),
                refusal != null ? refusal : "answer " + status(exchange));
    }

    /** A page where there should be an answer, of a login say, is no success: nobody has done what was asked for. */
    static void noPage(Exchange exchange, String body) throws CrmAnswerException {
        Integer status = status(exchange);
        String page = status != null && status / 100 == 2 ? page(body) : null;
        if (page != null) {
            throw later(status, body, 0, "answer " + status + " with " + page);
        }
    }

    /** What a failure on the way to a CRM means, whoever noticed it. Has a status only if it is that of the request itself. */
    static CrmAnswerException of(Throwable failure, Exchange exchange) {
        if (failure instanceof CrmAnswerException answer) {
            return answer;
        } else if (failure instanceof HttpOperationFailedException http) {
            String body = http.getResponseBody() == null ? "" : http.getResponseBody();
            long asked = http.getResponseHeaders() == null ? 0 : retryAfter(http.getResponseHeaders());
            return later(http.getStatusCode(), moved(http.getStatusCode(), http.getRedirectLocation(), exchange) + body, asked,
                    refusal(http.getStatusCode(), http.getRedirectLocation()));
        }
        String answer = failure instanceof JsonProcessingException ? body(exchange) : String.valueOf(failure);
        String page = failure instanceof JsonProcessingException ? page(answer) : null;
        String refusal = page == null ? null : "an answer with " + page;
        return new CrmAnswerException(null, answer, refusal != null ? refusal : line(failure), 0, refusal);
    }

    private static CrmAnswerException later(Integer status, String answer, long retryAfterMs, String refusal) {
        return new CrmAnswerException(status, answer, refusal != null ? refusal : "answer " + status, retryAfterMs, refusal);
    }

    /** Of a request that is about no call: what the CRM said, too, but not the address, which may hold a secret. */
    static String said(Throwable failure) {
        return failure instanceof HttpOperationFailedException ? line(failure) : failure.getMessage();
    }

    static String line(Throwable failure) {
        if (failure instanceof CrmAnswerException answer) {
            return answer.line;
        } else if (failure instanceof HttpOperationFailedException http) {
            return "answer " + http.getStatusCode();
        } else if (failure instanceof JsonProcessingException) {
            return "an answer that is not the JSON that was expected";
        } else if (failure instanceof StoreException) {
            return failure.getMessage();
        } else if (failure instanceof IOException) {
            // Of the network: who could not be reached, and why.
            return failure.toString();
        } else if ((failure instanceof CompletionException || failure instanceof CamelExecutionException) && failure.getCause() != null) {
            return line(failure.getCause());
        }
        return failure.getClass().getName();
    }

    /**
     * Why the CRM refuses Callbridge itself, whatever it is told: somebody must put right its address, its token or its rights, and
     * until then it takes nothing.
     *
     * @return for the log: without what may be secret; {@code null}: it does not
     */
    static String refusal(Integer status, String location) {
        if (status == null || status != 401 && status != 403 && status / 100 != 3) {
            return null;
        }
        return "answer " + status + switch (status) {
            case 401 -> ", it does not accept the token or password";
            case 403 -> ", the token or password lacks rights";
            default -> location == null ? ", it is elsewhere" : ", it has moved to " + host(location);
        };
    }

    /** The path of an address may be a secret, as with Bitrix24. */
    private static String host(String location) {
        try {
            URI address = URI.create(location);
            return address.getHost() == null ? "another path"
                    : address.getScheme() + "://" + address.getRawAuthority().replaceFirst(".*@", "");
        } catch (IllegalArgumentException unreadable) {
            return "another address";
        }
    }

    /** A line in front of what the CRM answered, with all of where it sends to: what somebody must set. Empty: it does not. */
    private static String moved(Integer status, String location, Exchange exchange) {
        return status == null || status / 100 != 3 || location == null ? ""
                : "moved to " + location + ", set callbridge.crm." + exchange.getVariable("crm", String.class) + ".url\n";
    }

    /** What is said of an HTML page; {@code null}: the text is none. */
    static String page(String text) {
        if (text == null || !PAGE.matcher(text).lookingAt()) {
            return null;
        }
        Matcher title = TITLE.matcher(text);
        String name = title.find() ? title.group(1).replaceAll("[\\s\\p{Cntrl}]+", " ").strip() : "";
        return name.isEmpty() ? "a page instead of data" : "the page '" + name + "' instead of data";
    }

    /** How long a CRM asks to be left alone, in milliseconds: seconds or a date (RFC 9110, section 10.2.3). 0: it does not ask. */
    private static long retryAfter(Map<String, ?> headers) {
        String value = headers.entrySet().stream().filter(header -> header.getKey().equalsIgnoreCase("Retry-After"))
                .map(header -> String.valueOf(header.getValue())).findFirst().orElse("").strip();
        if (value.matches("[0-9]{1,7}")) {
            return Long.parseLong(value) * 1000;
        }
        Instant until = DateUtils.parseStandardDate(value);
        return until == null ? 0 : Math.max(0, Duration.between(Time.now(), until).toMillis());
    }

    static Integer status(Exchange exchange) {
        return exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, Integer.class);
    }

    private static String location(Exchange exchange) {
        return exchange.getMessage().getHeader("Location", String.class);
    }

    /** As it came, as often as it is read: whoever could not read it has left nothing of a stream. */
    static String body(Exchange exchange) {
        MessageHelper.resetStreamCache(exchange.getMessage());
        String text = exchange.getMessage().getBody(String.class);
        exchange.getMessage().setBody(text);
        return text;
    }

    /** As it came. */
    private static String said(Exchange exchange) {
        Message message = exchange.getMessage();
        String body = message.getBody() instanceof Map<?, ?> map ? exchange.getProperty(SAID, map.toString(), String.class)
                : message.getBody(String.class);
        return moved(status(exchange), location(exchange), exchange) + (body == null ? "" : body);
    }
}
