package io.callbridge.asterisk;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * One message of Asterisk's manager interface: an event or a response, lines {@code Key: value}. Keys do not care for case;
 * of a repeated key the first value counts (builds with TEST_FRAMEWORK send {@code State} twice).
 */
public final class AmiMessage {

    /** Of the words that stand for no value. */
    private static final int LONGEST_WORD = "<unknown>".length();

    private final Map<String, String> fields = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private final int size;

    private AmiMessage(int size) {
        this.size = size;
    }

    /** @param text the lines of the message; a line without a colon is no field */
    public static AmiMessage of(String text) {
        AmiMessage message = new AmiMessage(text.length());
        text.lines().forEach(line -> {
            int colon = line.indexOf(':');
            if (colon > 0) {
                message.fields.putIfAbsent(line.substring(0, colon).strip(), line.substring(colon + 1).strip());
            }
        });
        return message;
    }

    /** @return the value; empty if it is not there, or one of the words that stand for none */
    public String get(String key) {
        String value = fields.getOrDefault(key, "");
        if (value.length() > LONGEST_WORD) {
            return value;
        }
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "<unknown>", "<none>", "none", "(null)" -> "";
            default -> value;
        };
    }

    /** Name of the event; empty for a response. OriginateResponse has both keys, and is an event. */
    public String event() {
        return get("Event");
    }

    /** As it came, in characters. */
    int size() {
        return size;
    }

    public boolean has(String key) {
        return fields.containsKey(key);
    }

    @Override
    public String toString() {
        return fields.toString();
    }
}
