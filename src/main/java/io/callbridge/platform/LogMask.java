package io.callbridge.platform;

import io.quarkus.logging.LoggingFilter;
import java.util.Objects;
import java.util.logging.Filter;
import java.util.logging.LogRecord;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logmanager.ExtLogRecord.FormatStyle;
import org.jboss.logmanager.ExtLogRecord;

/**
 * Masks phone numbers in what is logged, up to their last two digits, unless {@code callbridge.log.numbers=full}: in messages of
 * anybody and in those of exceptions. A number is what has seven digits or more and is none of what the log is read for: ids of
 * calls and legs, times, addresses. In doubt it is masked.
 */
@LoggingFilter(name = "callbridge")
public final class LogMask implements Filter {

    static final String FULL = "full";

    private static final int FEWEST_DIGITS = 7;
    private static final String ALONE = "(?<![0-9A-Za-z%])";
    private static final String END = "(?![0-9A-Za-z])";
    private static final String OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    /** What has digits and stays. */
    private static final Pattern KEPT = Pattern.compile(String.join("|",
            // Times of ISO and the log, and in milliseconds and microseconds since 1970.
            ALONE + "20[0-9]{2}-[01][0-9]-[0-3][0-9](?![0-9-])(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)?",
            ALONE + "[0-9]{2}:[0-9]{2}:[0-9]{2}[.,][0-9]+",
            ALONE + "1[6-9][0-9]{11}(?:[0-9]{3})?" + END,
            // IPv4 addresses.
            "(?<![0-9A-Za-z%.])" + OCTET + "(?:\\." + OCTET + "){3}(?![0-9A-Za-z]|\\.[0-9])",
            // UUIDs, ids of legs (71101-e6bd7bb2622b4243...) and of Camel's exchanges.
            ALONE + "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}" + END,
            ALONE + "[0-9]{1,6}-(?:[0-9a-f]{16,}|(?=[0-9]*[a-f])[0-9a-f]{8,})" + END,
            ALONE + "[0-9A-F]{15}-[0-9A-F]{16}" + END,
            // Ids in hex: of calls, and of whatever else is numbered so.
            ALONE + "(?:[0-9a-f]{32}|(?=[0-9]*[a-f])[0-9a-f]{8,}|(?=[0-9]*[A-F])[0-9A-F]{8,})" + END,
            // Ids of an Asterisk's channels and calls.
            ALONE + "1[0-9]{9}\\.[0-9]{1,9}" + END));
    /** Not inside of an id, but behind a character that an address or JSON has escaped. */
    private static final String BEGIN = "(?:(?<![0-9A-Fa-f])|(?<=%(?:25)?[0-9A-Fa-f]{2})|(?<=\\\\u[0-9A-Fa-f]{4}))";
    /** Between the digits of a number as people write it, or an address has it. */
    private static final String BETWEEN = "(?:[ .)\\-\u00a0\u202f\u2010-\u2015]|[(](?=[0-9]{1,5}[)])|%20|%28|%29|%2[Dd]){0,3}";
    private static final Pattern NUMBER = Pattern.compile(BEGIN + "\\+?(?:[0-9]{" + FEWEST_DIGITS + ",}|[0-9](?:" + BETWEEN + "[0-9]){"
            // Possessive: with a way back a text of thousands of single digits would overflow the stack of whoever logs.
            + (FEWEST_DIGITS - 1) + ",}+)");

    private final boolean masked;

    /** @param numbers {@code masked} or {@code full}; anything else is refused at the start by {@link Settings} */
    public LogMask(@ConfigProperty(name = "callbridge.log.numbers") String numbers) {
        this.masked = !numbers.equals(FULL);
    }

    /** Lets every line pass. */
    @Override
    public boolean isLoggable(LogRecord record) {
        if (masked) {
            mask(record);
        }
        return true;
    }

    private static void mask(LogRecord record) {
        String text = record instanceof ExtLogRecord own ? own.getFormattedMessage() : record.getMessage();
        String shown = mask(text);
        if (!Objects.equals(shown, text)) {
            if (record instanceof ExtLogRecord own) {
                own.setMessage(shown, FormatStyle.NO_FORMAT);
            } else {
                record.setMessage(shown);
            }
            record.setParameters(null);
        }
        if (record.getThrown() != null) {
            record.setThrown(MaskedThrowable.of(record.getThrown()));
        }
    }

    /** A text without phone numbers. */
    static String mask(String text) {
        if (text == null || text.length() < FEWEST_DIGITS) {
            return text;
        }
        StringBuilder shown = new StringBuilder(text.length());
        Matcher kept = KEPT.matcher(text);
        Matcher number = NUMBER.matcher(text).useTransparentBounds(true);
        int from = 0;
        while (kept.find()) {
            mask(text, number.region(from, kept.start()), shown, from, kept.start());
            shown.append(kept.group());
            from = kept.end();
        }
        mask(text, number.region(from, text.length()), shown, from, text.length());
        return shown.toString();
    }

    private static void mask(String text, Matcher number, StringBuilder shown, int from, int to) {
        int done = from;
        while (number.find()) {
            String digits = number.group().replaceAll("%..|[^0-9]", "");
            shown.append(text, done, number.start()).append("***").append(digits.substring(digits.length() - 2));
            done = number.end();
        }
        shown.append(text, done, to);
    }
}
