package io.callbridge.deliver;

import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Map;
import org.apache.camel.http.base.HttpOperationFailedException;

/** How long a CRM asks to be left alone: {@code Retry-After} in seconds or as a date (RFC 9110, section 10.2.3). */
final class RetryAfter {

    private RetryAfter() {
    }

    /** @return milliseconds from now; 0: the CRM does not ask */
    static long millis(Throwable cause, Instant now) {
        if (cause instanceof LookupException lookup) {
            return lookup.retryAfterMs();
        }
        if (cause instanceof CrmAnswerException answer) {
            return answer.retryAfterMs();
        }
        return cause instanceof HttpOperationFailedException http && http.getResponseHeaders() != null
                ? millis(http.getResponseHeaders(), now) : 0;
    }

    static long millis(Map<String, ?> headers, Instant now) {
        String value = headers.entrySet().stream().filter(header -> header.getKey().equalsIgnoreCase("Retry-After"))
                .map(header -> String.valueOf(header.getValue())).findFirst().orElse("").strip();
        if (value.matches("[0-9]{1,7}")) {
            return Long.parseLong(value) * 1000;
        }
        try {
            return value.isEmpty() ? 0 : Math.max(0, Duration.between(now,
                    ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant()).toMillis());
        } catch (DateTimeParseException unreadable) {
            return 0;
        }
    }
}
