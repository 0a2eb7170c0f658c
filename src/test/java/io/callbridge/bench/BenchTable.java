package io.callbridge.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The one table that the benchmark prints: what was measured, its rival in the same run, the ratio, and what it should be. */
final class BenchTable {

    private static final List<String> HEADS =
            List.of("", "what", "measured", "rival or limit", "its value", "ratio", "target", "");

    private final List<String> above = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();
    private final List<String> below = new ArrayList<>();

    /** A line above the table. */
    void head(String line) {
        above.add(line);
    }

    /** A line below the table: how something was measured, or what was checked. */
    void note(String line) {
        below.add(line);
    }

    /** A ratio that should be at least so much. */
    void atLeast(double target, String id, String what, String measured, String rival, String value, double ratio) {
        row(id, what, measured, rival, value, ratio, ">= " + two(target), ratio >= target);
    }

    /** A ratio that should be at most so much. */
    void atMost(double target, String id, String what, String measured, String rival, String value, double ratio) {
        row(id, what, measured, rival, value, ratio, "<= " + two(target), ratio <= target);
    }

    /** A ratio without a target, to read the others by. */
    void shown(String id, String what, String measured, String rival, String value, double ratio) {
        rows.add(List.of(id, what, measured, rival, value, two(ratio), "-", ""));
    }

    void missing(String id, String what, String why) {
        rows.add(List.of(id, what, "not available", "", "", "", "", ""));
        note(id + " not available: " + why);
    }

    private void row(String id, String what, String measured, String rival, String value, double ratio, String target, boolean met) {
        rows.add(List.of(id, what, measured, rival, value, two(ratio), target, met ? "met" : "not met"));
    }

    private static String two(double number) {
        return String.format(Locale.ROOT, "%.2f", number);
    }

    @Override
    public String toString() {
        List<List<String>> all = new ArrayList<>(rows);
        all.add(0, HEADS);
        StringBuilder text = new StringBuilder("\n");
        above.forEach(line -> text.append(line).append('\n'));
        text.append('\n');
        for (List<String> row : all) {
            for (int column = 0; column < row.size(); column++) {
                int at = column;
                int width = all.stream().mapToInt(r -> r.get(at).length()).max().orElse(0);
                text.append(String.format("%-" + Math.max(1, width) + "s  ", row.get(column)));
            }
            text.setLength(text.toString().stripTrailing().length());
            text.append('\n');
        }
        text.append('\n');
        below.forEach(line -> text.append(line).append('\n'));
        return text.toString();
    }
}
