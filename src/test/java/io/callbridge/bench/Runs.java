package io.callbridge.bench;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** One figure, measured several times: the median counts, the extremes tell how steady the machine was. */
final class Runs {

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
        return String.format(Locale.ROOT, number + " (" + number + "-" + number + ")", median(), sorted[0],
                sorted[sorted.length - 1]);
    }
}
