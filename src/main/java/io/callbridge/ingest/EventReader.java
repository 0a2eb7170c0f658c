package io.callbridge.ingest;

import io.callbridge.domain.CallEvent;
import io.callbridge.domain.CallEvent.Flow;
import io.callbridge.domain.CallEvent.Type;
import io.callbridge.domain.Extension;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Turns the PBX's fields into one canonical event (rules R2, R3). */
public final class EventReader {

    /** A plausible EventTime, in microseconds: the years 2000 to 2100. Anything else is as good as none. */
    private static final long EARLIEST = 946_684_800_000_000L;
    private static final long LATEST = 4_102_444_800_000_000L;
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
                number(fields.get("Duration"), 0, LONGEST), time(fields.get("EventTime")), arrivedAt,
                id.apply(fields.get("RecID")), channel, extensionType(lower(fields.get("ExtensionType"))));
    }

    private static Extension.Type extensionType(String word) {
        return Stream.of(Extension.Type.values()).filter(type -> type.word().equals(word)).findFirst().orElse(null);
    }

    /** Microseconds since 1970, as in {@code EventTime}. */
    public static long micros(Instant time) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, time);
    }

    private static Instant time(String value) {
        Long micros = number(value, EARLIEST, LATEST);
        return micros == null ? null : Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    private static Long number(String value, long least, long most) {
        String digits = value == null ? "" : value.strip();
        if (digits.isEmpty() || digits.length() > 18 || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return null;
        }
        long number = Long.parseLong(digits);
        return number >= least && number <= most ? number : null;
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
