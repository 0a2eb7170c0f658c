package io.callbridge.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** The one table that a benchmark prints: what was measured, its rival in the same run, the ratio, and what it should be. */
final class BenchTable {

    /** One figure, measured several times: the median counts, the extremes tell how steady the machine was. */
    static final class Runs {

        static final int COUNT = 3;

        private final double[] sorted;

        Runs(double... values) {
            sorted = values.clone();
            Arrays.sort(sorted);
        }

        static Runs of(IntToDoubleFunction run) {
            return new Runs(IntStream.range(0, COUNT).mapToDouble(run).toArray());
        }

        double median() {
            return sorted[sorted.length / 2];
        }

        /** Median and extremes, with so many decimals. */
        String text(int decimals) {
            String number = "%,." + decimals + "f";
            return String.format(Locale.ROOT, sorted.length == 1 ? number : number + " (" + number + "-" + number + ")",
                    median(), sorted[0], sorted[sorted.length - 1]);
        }
    }

    private final List<String> above = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>(List.of(
            List.of("", "what", "measured", "rival or limit", "its value", "ratio", "target", "")));
    private final List<String> below = new ArrayList<>();

    /** A line above the table. */
    void head(String line) {
        above.add(line);
    }

    /** A line below the table: how something was measured, or what was checked. */
    void note(String line) {
        below.add(line);
    }

    /** @param target such as {@code >= 0.70}; {@code -}: none, it is there to read the others by */
    void row(String id, String what, Runs measured, String rival, Runs value, int decimals, String target) {
        row(id, what, measured.text(decimals), rival, value.text(decimals), measured.median() / value.median(), target);
    }

    void row(String id, String what, String measured, String rival, String value, double ratio, String target) {
        double limit = target.equals("-") ? 0 : Double.parseDouble(target.substring(3));
        rows.add(List.of(id, what, measured, rival, value, new Runs(ratio).text(2), target,
                target.equals("-") ? "" : (target.startsWith(">") ? ratio >= limit : ratio <= limit) ? "met" : "not met"));
    }

    void missing(String id, String what, String why) {
        rows.add(List.of(id, what, "not available", "", "", "", "", ""));
        note(id + " not available: " + why);
    }

    @Override
    public String toString() {
        int[] widths = IntStream.range(0, rows.get(0).size())
                .map(column -> rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0)).toArray();
        StringBuilder text = new StringBuilder("\n" + String.join("\n", above) + "\n\n");
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            IntStream.range(0, widths.length).forEach(column -> line.append(String.format("%-" + Math.max(1, widths[column]) + "s  ",
                    row.get(column))));
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text + "\n" + String.join("\n", below) + "\n";
    }
}
