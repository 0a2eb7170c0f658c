package io.callbridge.domain;

import io.callbridge.domain.CallEvent.Flow;
import io.callbridge.domain.CallEvent.Type;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Turns the PBX's fields into one canonical event (rules R2, R3). */
public final class EventReader {

    /** A plausible EventTime, in seconds: the years 2000 to 2100. It fits one unit only; anything else is as good as none. */
    private static final BigDecimal EARLIEST = BigDecimal.valueOf(946_684_800);
    private static final BigDecimal LATEST = BigDecimal.valueOf(4_102_444_800L);
    private static final Pattern DECIMAL = Pattern.compile("[0-9]{1,18}(\\.[0-9]{1,9})?");
    /** In a form, the plus sign of a time zone becomes a blank. */
    private static final Pattern LOST_PLUS = Pattern.compile(" (?=[0-9]{2}(:?[0-9]{2})?$)");
    private static final DateTimeFormatter ISO = new DateTimeFormatterBuilder().parseCaseInsensitive().append(DateTimeFormatter.ISO_LOCAL_DATE_TIME)
            .appendPattern("[XXX][XX][X]").toFormatter(Locale.ROOT);
    /** A week of talk, in microseconds. */
    private static final long LONGEST = 7L * 24 * 3600 * 1_000_000;
    private static final int LONGEST_ID = 200;
    /** No number or name is longer, and no index of PostgreSQL takes much longer ones; the raw fields are kept. */
    private static final int LONGEST_TEXT = 200;
    private static final Set<String> NUMBERS = Set.of("CallerIDNum", "CalledNumber", "RemoteNumber", "CalledDID");

    /** The fields that are read; a PBX may send others, which are kept. */
    public static final Set<String> FIELDS = Set.of("EventType", "CallID", "SubCallID", "CallFlow", "CallStatus", "CallerIDNum",
            "CalledNumber", "CallerExtension", "CalledExtension", "CallerExtensionID", "CalledExtensionID", "CalledDID", "RemoteNumber",
            "Bridged", "Transfered", "CallBackID", "Duration", "EventTime", "RecID", "AsteriskChannel", "ExtensionType");

    /** Digits as people write them. */
    private static final Pattern NUMBER = Pattern.compile("[0-9][0-9 .()-]*[0-9]");

    private EventReader() {
    }

    /** Why an event is not processed, or {@code null} if it is a call event with the ids it needs. */
    public static String ignored(Map<String, String> fields) {
        if (Type.of(lower(fields.get("EventType"))) == null) {
            return "other-family";
        }
        String callId = lower(fields.get("CallID"));
        String legId = lower(fields.get("SubCallID"));
        if (callId == null || legId == null) {
            return "no-id";
        }
        return absurd(callId) || absurd(legId) ? "absurd-id" : null;
    }

    /** Too long for any PBX, or with characters that would break a line of the log. */
    private static boolean absurd(String id) {
        return id.length() > LONGEST_ID || id.chars().anyMatch(c -> c <= ' ' || c == 0x7f);
    }

    /** Reads the fields of a call event; see {@link #ignored}. */
    public static CallEvent read(String pbx, Map<String, String> fields, Instant arrivedAt) {
        String bridged = lower(fields.get("Bridged"));
        String channel = text("AsteriskChannel", fields);
        // Whoever starts a call at an Asterisk may choose its ids, and files of recordings have names: both keep their case.
        UnaryOperator<String> id = channel == null ? EventReader::lower : EventReader::stripped;
        return new CallEvent(pbx, Type.of(lower(fields.get("EventType"))), id.apply(fields.get("CallID")),
                id.apply(fields.get("SubCallID")), flow(lower(fields.get("CallFlow"))), lower(fields.get("CallStatus")),
                text("CallerIDNum", fields), text("CalledNumber", fields), text("CallerExtension", fields),
                text("CalledExtension", fields), text("CallerExtensionID", fields), text("CalledExtensionID", fields),
                text("CalledDID", fields), text("RemoteNumber", fields),
                "yes".equals(bridged) ? Boolean.TRUE : "no".equals(bridged) ? Boolean.FALSE : null,
                "yes".equals(lower(fields.get("Transfered"))), lower(text("CallBackID", fields)),
                duration(fields.get("Duration")), time(fields.get("EventTime")), arrivedAt,
                id.apply(fields.get("RecID")), channel, extensionType(lower(fields.get("ExtensionType"))));
    }

    private static Extension.Type extensionType(String word) {
        return Stream.of(Extension.Type.values()).filter(type -> type.word().equals(word)).findFirst().orElse(null);
    }

    /** What an event says of a time or of the talk in a way that cannot be read, by field; the event counts all the same. */
    public static Map<String, String> unclear(Map<String, String> fields) {
        Map<String, String> unclear = new TreeMap<>();
        String time = stripped(fields.get("EventTime"));
        String duration = stripped(fields.get("Duration"));
        if (time != null && time(time) == null) {
            unclear.put("EventTime", time);
        }
        if (duration != null && duration(duration) == null) {
            unclear.put("Duration", duration);
        }
        return unclear;
    }

    /** Seconds, milliseconds or microseconds since 1970, or ISO-8601 with a time zone: without one it says less than the arrival. */
    private static Instant time(String value) {
        String text = value == null ? "" : value.strip();
        if (!DECIMAL.matcher(text).matches()) {
            return isoTime(LOST_PLUS.matcher(text).replaceFirst("+"));
        }
        BigDecimal number = new BigDecimal(text);
        return Stream.of(0, 3, 6).map(number::movePointLeft).filter(EventReader::plausible).findFirst()
                .map(seconds -> Instant.EPOCH.plus(seconds.movePointRight(6).longValue(), ChronoUnit.MICROS)).orElse(null);
    }

    private static Instant isoTime(String text) {
        try {
            String extended = text.replaceFirst("^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})", "$1-$2-$3T$4:$5:$6")
                    .replaceFirst("^([0-9-]{10}) ", "$1T");
            Instant time = OffsetDateTime.parse(extended, ISO).toInstant();
            return plausible(BigDecimal.valueOf(time.getEpochSecond())) ? time.truncatedTo(ChronoUnit.MICROS) : null;
        } catch (DateTimeException e) {
            return null;
        }
    }

    private static boolean plausible(BigDecimal seconds) {
        return seconds.compareTo(EARLIEST) >= 0 && seconds.compareTo(LATEST) <= 0;
    }

    private static Long duration(String value) {
        String digits = value == null ? "" : value.strip();
        if (digits.isEmpty() || digits.length() > 18 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return null;
        }
        long number = Long.parseLong(digits);
        return number <= LONGEST ? number : null;
    }

    private static Flow flow(String value) {
        return "in".equals(value) ? Flow.IN : "out".equals(value) ? Flow.OUT : null;
    }

    private static String lower(String value) {
        String text = stripped(value);
        return text == null ? null : text.toLowerCase(Locale.ROOT);
    }

    private static String stripped(String value) {
        String text = value == null ? "" : value.strip();
        return text.isEmpty() ? null : text;
    }

    private static String text(String name, Map<String, String> fields) {
        String value = fields.get(name);
        String text = value == null ? "" : value.strip();
        if (text.isEmpty() || text.length() > LONGEST_TEXT) {
            return null;
        }
        // A raw "+" in a form is a space by the time it gets here; extensions have fewer digits than numbers.
        boolean lostPlus = NUMBERS.contains(name) && value.charAt(0) == ' ' && NUMBER.matcher(text).matches()
                && text.chars().filter(Character::isDigit).count() >= 7;
        return lostPlus ? "+" + text : text;
    }
}
