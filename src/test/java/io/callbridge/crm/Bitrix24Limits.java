package io.callbridge.crm;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a cloud portal of Bitrix24 endures. Bitrix24 documentation, page "REST API Limits". All clients of a test come from one
 * address, so there is one bucket.
 */
final class Bitrix24Limits {

    private static final long BASKET_SECONDS = 60;
    private static final long BASKETS_SECONDS = 10 * BASKET_SECONDS;

    private final Map<String, Double> costs = new HashMap<>();
    private final Map<String, TreeMap<Long, Double>> baskets = new HashMap<>();
    private double most = 50;
    private double perSecond = 2;
    private double operatingMost = Double.POSITIVE_INFINITY;
    private double level;
    private double leaked;
    private double highest;
    private int refused;

    void bucket(double most, double perSecond) {
        this.most = most;
        this.perSecond = perSecond;
    }

    void operating(double seconds) {
        operatingMost = seconds;
    }

    void cost(String method, double seconds) {
        costs.put(method.toLowerCase(), seconds);
    }

    /**
     * The counter falls all the time, and a request that would lift it above the threshold is refused. That refused requests
     * do not count themselves is not verified.
     */
    void admit(double now) {
        level = Math.max(0, level - Math.max(0, now - leaked) * perSecond);
        leaked = now;
        if (level + 1 > most) {
            refused++;
            throw new Bitrix24Error(503, "QUERY_LIMIT_EXCEEDED", "Too many requests");
        }
        level++;
        highest = Math.max(highest, level);
    }

    /** Execution time is summed per method and per application or webhook over ten baskets of a minute each. */
    void begin(String method, String client, double now) {
        if (operating(method, client, now) > operatingMost) {
            throw new Bitrix24Error(429, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit");
        }
        of(method, client, now).merge((long) (now / BASKET_SECONDS), costs.getOrDefault(method.toLowerCase(), 0.0), Double::sum);
    }

    double operating(String method, String client, double now) {
        return of(method, client, now).values().stream().mapToDouble(Double::doubleValue).sum();
    }

    /** When the oldest basket is emptied. */
    long resetAt(String method, String client, double now) {
        TreeMap<Long, Double> used = of(method, client, now);
        return (used.isEmpty() ? (long) (now / BASKET_SECONDS) : used.firstKey()) * BASKET_SECONDS + BASKETS_SECONDS;
    }

    double highest() {
        return highest;
    }

    int refused() {
        return refused;
    }

    private TreeMap<Long, Double> of(String method, String client, double now) {
        TreeMap<Long, Double> used = baskets.computeIfAbsent(client + ' ' + method.toLowerCase(), key -> new TreeMap<>());
        used.headMap((long) ((now - BASKETS_SECONDS) / BASKET_SECONDS), true).clear();
        return used;
    }
}
