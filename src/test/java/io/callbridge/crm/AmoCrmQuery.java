package io.callbridge.crm;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.regex.Pattern;

/** The query of a list of amoCRM: repeated parameters, and pages of at most 250. */
final class AmoCrmQuery {

    private static final int MOST = 250;
    private static final int USUAL = 50;

    private final Map<String, List<String>> all = new LinkedHashMap<>();

    /** @param names a regular expression of what may be asked besides the page and its size */
    AmoCrmQuery(String query, String names) {
        for (String pair : query == null || query.isEmpty() ? new String[0] : query.split("&")) {
            int equals = pair.indexOf('=');
            String name = URLDecoder.decode(equals < 0 ? pair : pair.substring(0, equals), StandardCharsets.UTF_8);
            if (!Pattern.matches("page|limit|" + names, name)) {
                throw AmoCrmProblem.badRequest("Stand-in: unknown parameter " + name);
            }
            all.computeIfAbsent(name, key -> new ArrayList<>())
                    .add(equals < 0 ? "" : URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
        }
    }

    /** @return {@code null} if absent */
    String get(String name) {
        return all.containsKey(name) ? all.get(name).get(0) : null;
    }

    /** The values of {@code name}, {@code name[]}, {@code name[0]} and so on. */
    List<String> values(String name) {
        return all.entrySet().stream().filter(one -> one.getKey().replaceFirst("\\[[0-9]*]$", "").equals(name))
                .flatMap(one -> one.getValue().stream()).toList();
    }

    /** A page; the answer is 204 if it is empty. Seen in amocrm-api-php, issue 177, for notes; the same is assumed for others. */
    StandIn.Reply page(String name, List<?> found, String path, Map<String, Object> more) {
        int page = number("page", 1, Integer.MAX_VALUE);
        int limit = number("limit", USUAL, MOST);
        List<?> some = found.stream().skip((page - 1L) * limit).limit(limit).toList();
        if (some.isEmpty()) {
            return StandIn.Reply.empty(204);
        }
        Map<String, Object> links = new LinkedHashMap<>();
        links.put("self", Map.of("href", path + "?page=" + page + "&limit=" + limit));
        if ((long) page * limit < found.size()) {
            links.put("next", Map.of("href", path + "?page=" + (page + 1) + "&limit=" + limit));
        }
        Map<String, Object> body = new LinkedHashMap<>(more);
        body.put("_page", page);
        body.put("_links", links);
        body.put("_embedded", Map.of(name, some));
        return AmoCrmProblem.hal(200, body);
    }

    /** By {@code order[id]} or {@code order[updated_at]}; by the id if nothing is wanted. */
    <T> Comparator<T> order(ToLongFunction<T> id, ToLongFunction<T> updatedAt) {
        String updated = get("order[updated_at]");
        Comparator<T> order = updated == null ? Comparator.comparingLong(id) : Comparator.comparingLong(updatedAt).thenComparingLong(id);
        String direction = updated == null ? get("order[id]") : updated;
        if (direction != null && !List.of("asc", "desc").contains(direction)) {
            throw AmoCrmProblem.badRequest("Stand-in: order " + direction);
        }
        return "desc".equals(direction) ? order.reversed() : order;
    }

    private int number(String name, int absent, int most) {
        String value = get(name);
        if (value != null && (!value.matches("[0-9]{1,9}") || Integer.parseInt(value) < 1 || Integer.parseInt(value) > most)) {
            throw AmoCrmProblem.badRequest("Stand-in: " + name + " is " + value);
        }
        return value == null ? absent : Integer.parseInt(value);
    }
}
