package io.callbridge.admin;

import io.vertx.ext.web.RoutingContext;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A request to the administration API. What is wrong with its query is answered with {@code 400} and one line that names the
 * parameter, its value and what is allowed. An empty value is none.
 */
final class AdminRequest {

    private static final int PAGE = 50;
    private static final int LONGEST_PAGE = 500;

    private final RoutingContext routing;
    private final Map<String, String> values = new LinkedHashMap<>();

    AdminRequest(RoutingContext routing) {
        this.routing = routing;
    }

    /** Who asks, as the {@link AdminGate} knows him. */
    String who() {
        return routing.request().getHeader(AdminGate.WHO);
    }

    /** What stands in the path in the place of this name. */
    String path(String name) {
        return routing.pathParam(name);
    }

    /** What a path of ours is for who asks, who may do so through a proxy. */
    String address(String path) {
        return RequestOrigin.prefix(routing.request()) + path;
    }

    /** What was asked for is done there. */
    void location(String address) {
        routing.response().setStatusCode(202).putHeader("Location", address);
    }

    /** Reads the query, in which only these may be. */
    AdminRequest takes(String... known) {
        // As it came: a plus sign in it is one.
        String query = routing.request().query();
        for (String pair : query == null || query.isEmpty() ? new String[0] : query.split("&")) {
            String[] parts = pair.split("=", 2);
            String name = decoded(parts[0]);
            String value = parts.length < 2 ? "" : decoded(parts[1]).strip();
            if (!List.of(known).contains(name)) {
                throw RefusedException.bad("unknown query parameter " + name + "; allowed: "
                        + (known.length == 0 ? "none" : String.join(", ", known)));
            }
            if (values.put(name, value) != null) {
                throw RefusedException.bad("query parameter " + name + " is there twice; allowed: once");
            }
        }
        values.values().removeIf(String::isEmpty);
        return this;
    }

    /** A plus sign stays one: it begins a number, or an offset from UTC, and nothing here has blanks. */
    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw RefusedException.bad("the query has '" + text + "'; allowed: percent-encoding such as %2B");
        }
    }

    /** @return {@code null} if it is not there, as all others */
    String text(String name) {
        return values.get(name);
    }

    String oneOf(String name, Collection<String> allowed) {
        String value = values.get(name);
        if (value != null && !allowed.contains(value)) {
            throw invalid(name, value, String.join(", ", allowed));
        }
        return value;
    }

    /** How many a page has. */
    int limit() {
        Long limit = number("limit", 1, LONGEST_PAGE);
        return limit == null ? PAGE : limit.intValue();
    }

    Long number(String name, long least, long most) {
        String value = values.get(name);
        RefusedException wrong = invalid(name, value, "a whole number from " + least + " to " + most);
        try {
            Long number = value == null ? null : Long.valueOf(value);
            if (number != null && (number < least || number > most)) {
                throw wrong;
            }
            return number;
        } catch (NumberFormatException e) {
            throw wrong;
        }
    }

    /** The begin of a range: an instant, or a date from its begin, in UTC. */
    Instant from(String name) {
        return time(name, 0);
    }

    /** The end of a range, which is no part of it: an instant, or a date to its end. */
    Instant to(String name) {
        return time(name, 1);
    }

    private Instant time(String name, int days) {
        String value = values.get(name);
        try {
            return value == null ? null : value.contains("T") ? OffsetDateTime.parse(value).toInstant()
                    : LocalDate.parse(value).plusDays(days).atStartOfDay(ZoneOffset.UTC).toInstant();
        } catch (DateTimeException e) {
            throw invalid(name, value, "an instant such as 2026-03-04T09:00:00Z, or a date such as 2026-03-04");
        }
    }

    static RefusedException invalid(String name, String value, String allowed) {
        return RefusedException.bad("query parameter " + name + " is '" + value + "'; allowed: " + allowed);
    }
}
