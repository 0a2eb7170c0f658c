package io.callbridge.deliver;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.callbridge.store.StoreException;
import java.io.IOException;
import java.net.URI;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.camel.support.MessageHelper;

/**
 * What a failure on the way to a CRM means, and what is said of it. The log has what an operator needs, and nothing that the CRM
 * has said, which may repeat names and secrets of the call. All of that is kept with the try of the delivery.
 */
final class Failures {

    private static final Pattern PAGE = Pattern.compile("[\\s\\uFEFF]*(?:<\\?xml[^>]*>\\s*)?(?:<!--.*?-->\\s*)*"
            + "<(?:!doctype\\s+html|html|head|body|title|meta)\\b", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
    private static final Pattern TITLE = Pattern.compile("<title[^>]*>([^<]{1,200})", Pattern.CASE_INSENSITIVE);

    private Failures() {
    }

    /** The same for a request that is about no call: what the CRM said then, too, but not the address, which may hold a secret. */
    static String said(Throwable failure) {
        return failure instanceof HttpOperationFailedException ? line(failure) : failure.getMessage();
    }

    static String line(Throwable failure) {
        if (failure instanceof HttpOperationFailedException http) {
            return "answer " + http.getStatusCode();
        } else if (failure instanceof CrmAnswerException answer) {
            return answer.refusal() != null ? answer.refusal() : "answer " + answer.status();
        } else if (failure instanceof LookupException lookup) {
            return lookup.line();
        } else if (failure instanceof JsonProcessingException) {
            return "an answer that is not the JSON that was expected";
        } else if (failure instanceof StoreException || failure instanceof JsonTemplate.NoTemplateException) {
            return failure.getMessage();
        } else if (failure instanceof IOException) {
            // Of the network: who could not be reached, and why.
            return failure.toString();
        } else if ((failure instanceof CompletionException || failure instanceof CamelExecutionException) && failure.getCause() != null) {
            return line(failure.getCause());
        }
        return failure.getClass().getName();
    }

    /** @return of HTTP, {@code null}: none came */
    static Integer status(Throwable failure) {
        return failure instanceof HttpOperationFailedException http ? Integer.valueOf(http.getStatusCode())
                : failure instanceof CrmAnswerException answer ? answer.status() : null;
    }

    /** What the CRM answered, as it came; without an answer, what happened instead. */
    static String answer(Throwable failure, Exchange exchange) {
        if (failure instanceof HttpOperationFailedException http) {
            return moved(http.getStatusCode(), http.getRedirectLocation(), exchange) + (http.getResponseBody() == null ? "" : http.getResponseBody());
        } else if (failure instanceof CrmAnswerException answer) {
            return answer.answer();
        } else if (failure instanceof JsonProcessingException) {
            return body(exchange);
        }
        return failure instanceof LookupException ? failure.getMessage() : String.valueOf(failure);
    }

    /** As it came, as often as it is read: whoever could not read it has left nothing of a stream. */
    static String body(Exchange exchange) {
        MessageHelper.resetStreamCache(exchange.getMessage());
        String text = exchange.getMessage().getBody(String.class);
        exchange.getMessage().setBody(text);
        return text;
    }

    /**
     * Why the CRM refuses Callbridge itself, whatever it is told: somebody must put right its address, its token or its rights, and
     * until then it takes nothing.
     *
     * @return for the log: without what may be secret; {@code null}: it does not
     */
    static String refusal(Throwable failure, Exchange exchange) {
        if (failure instanceof HttpOperationFailedException http) {
            return refusal(http.getStatusCode(), http.getRedirectLocation());
        } else if (failure instanceof CrmAnswerException answer) {
            return answer.refusal();
        } else if (failure instanceof LookupException lookup) {
            return lookup.refusal();
        }
        String page = failure instanceof JsonProcessingException ? page(body(exchange)) : null;
        return page == null ? null : "an answer with " + page;
    }

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

    /** A line in front of what the CRM answered, with all of where it sends to: what somebody must set. Empty: it does not. */
    static String moved(Integer status, String location, Exchange exchange) {
        return status == null || status / 100 != 3 || location == null ? ""
                : "moved to " + location + ", set callbridge.crm." + exchange.getVariable("crm", String.class) + ".url\n";
    }

    /** The path of an address may be a secret, as with Bitrix24. */
    private static String host(String location) {
        try {
            URI address = URI.create(location);
            return address.getHost() == null ? "another path" : address.getScheme() + "://" + address.getRawAuthority().replaceFirst(".*@", "");
        } catch (IllegalArgumentException unreadable) {
            return "another address";
        }
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
}
