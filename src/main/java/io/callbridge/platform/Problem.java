package io.callbridge.platform;

import java.util.Collection;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.apache.camel.LineNumberAware;
import org.apache.camel.language.simple.types.SimpleIllegalSyntaxException;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;

/**
 * What is wrong with a route or a setting, in one line.
 *
 * @param file {@code null} for a setting
 * @param line counted from 1; 0: nobody knows
 */
public record Problem(String file, int line, String text) implements Comparable<Problem> {

    private static final Comparator<Problem> ORDER = Comparator.comparing((Problem problem) -> problem.file == null ? "" : problem.file)
            .thenComparingInt(Problem::line).thenComparing(Problem::text);

    public Problem {
        text = text.replaceAll("\\s*\\R\\s*", " ").strip();
    }

    /** Of a place in a route. */
    public static Problem at(LineNumberAware place, String text) {
        return new Problem(file(place.getLocation()), Math.max(0, place.getLineNumber()), text);
    }

    public static Problem at(LineNumberAware place, Throwable error) {
        return of(place.getLocation(), Math.max(0, place.getLineNumber()), error);
    }

    /** Of an error: where it says so itself, else where it happened; a setting is wrong wherever it is used. */
    public static Problem of(String location, int line, Throwable error) {
        Throwable root = error;
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof StartException refused) {
                return refused.problem();
            }
            if (cause instanceof MarkedYamlEngineException yaml && yaml.getProblemMark().isPresent()) {
                Mark mark = yaml.getProblemMark().get();
                return new Problem(file(mark.getName()), mark.getLine() + 1, yaml.getProblem()
                        .replace("Unknown node id: ", "unknown step ").replace("Unsupported field: ", "unknown key "));
            }
            // What is behind it says what was found, but not in which expression.
            root = root instanceof SimpleIllegalSyntaxException ? root : cause;
        }
        return new Problem(file(location), line, said(root));
    }

    private static String said(Throwable error) {
        return error instanceof ClassNotFoundException ? "no class " + error.getMessage()
                : error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
    }

    /** @param location as Camel names it, with a scheme */
    public static String file(String location) {
        return location == null ? null : location.replaceFirst("^(file|classpath):(//)?", "");
    }

    /** The one of these names that was probably meant. */
    public static String nearest(String name, Collection<String> names) {
        return names.stream().min(Comparator.comparingInt((String other) -> distance(name, other)).thenComparing(Comparator.naturalOrder())).orElseThrow();
    }

    /** How many letters must be changed, added or left out (Levenshtein). */
    static int distance(String one, String other) {
        int[] row = IntStream.rangeClosed(0, other.length()).toArray();
        for (int i = 1; i <= one.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int changed = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[other.length()];
    }

    @Override
    public int compareTo(Problem other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return (file == null ? "" : file + (line > 0 ? ":" + line : "") + ": ") + text;
    }
}
