package io.callbridge.ingest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The fields of a request or of an event over TCP: from query and body for every method, since a POST with all data in the query
 * and an empty body was seen on a live PBX (rule R1). Of a repeated field the first that is not empty counts; the body wins.
 * What a PBX writes into a name must not cost the event: only the fields that say which event it is must be readable, of all
 * others what cannot be decoded is replaced.
 */
public final class EventFields {

    private static final JsonFactory JSON = JsonFactory.builder().enable(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS).build();
    private static final Set<String> NEEDED = Set.of("EventType", "CallID", "SubCallID");
    /** The notation of the PBX's manual; bytes of any charset stand for themselves. */
    private static final Pattern FIELD_LINE = Pattern.compile("\\s*\\[([^\\[\\]]+)]\\s*=>(.*)", Pattern.DOTALL);
    private static final String REPLACED = "\uFFFD";
    private static final char MARK = '\uFEFF';
    private static final byte[] MARK_LITTLE = {(byte) 0xff, (byte) 0xfe};
    private static final byte[] MARK_BIG = {(byte) 0xfe, (byte) 0xff};
    /** In no UTF-8. */
    private static final byte NO_TEXT = (byte) 0xff;

    private EventFields() {
    }

    /**
     * @param query the raw query, {@code null} if there is none
     * @param contentType of the body, {@code null} if not said: then a form is expected
     * @param ofPbx of what is not UTF-8 and not said to be anything else
     * @throws BadRequestException if the request as a whole, or what it needs, cannot be read
     */
    public static Map<String, String> read(String query, String contentType, byte[] body, Charset ofPbx) {
        Map<String, String> fields = new LinkedHashMap<>();
        if (query != null) {
            // The server makes a character of each byte.
            boolean bytes = query.chars().allMatch(c -> c <= 0xff);
            form(query.getBytes(bytes ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8), ofPbx, fields);
        }
        if (body.length > 0) {
            Map<String, String> fromBody = new LinkedHashMap<>();
            Charset said = charset(contentType);
            byte[] bytes = narrow(body, said);
            String type = contentType == null ? "" : contentType.toLowerCase(Locale.ROOT).split(";", 2)[0].strip();
            switch (type) {
                case "application/json" -> json(bytes, said == null ? ofPbx : said, fromBody);
                case "", "text/plain", "application/x-www-form-urlencoded" -> form(bytes, said == null ? ofPbx : said, fromBody);
                default -> throw new BadRequestException("body: content type " + printable(type)
                        + " cannot be read; allowed: application/x-www-form-urlencoded, application/json");
            }
            fromBody.forEach((name, value) -> {
                if (!value.isBlank() || !fields.containsKey(name)) {
                    fields.put(name, value);
                }
            });
        }
        return checked(fields);
    }

    /** Whether a line is {@code [Field] => value}. */
    static boolean isFieldLine(String line) {
        return FIELD_LINE.matcher(line).matches();
    }

    /**
     * @param bytes lines {@code [Field] => value}, a character for each byte
     * @param ofPbx of what is not UTF-8
     * @throws BadRequestException if a line is anything else, or what the event needs cannot be read
     */
    public static Map<String, String> block(String bytes, Charset ofPbx) {
        Map<String, String> fields = new LinkedHashMap<>();
        int number = 0;
        for (String line : bytes.lines().toList()) {
            number++;
            Matcher field = FIELD_LINE.matcher(line);
            if (!field.matches()) {
                // Its text may be somebody's name, and this is logged.
                throw new BadRequestException("block: line " + number + " is not [Field] => value");
            }
            // A blank before a number would pass for a plus sign that a form has lost.
            String name = text(field.group(1).getBytes(StandardCharsets.ISO_8859_1), ofPbx).strip();
            put(fields, name, text(field.group(2).getBytes(StandardCharsets.ISO_8859_1), of(name, ofPbx)).strip());
        }
        return checked(fields);
    }

    private static void form(byte[] form, Charset other, Map<String, String> fields) {
        for (String pair : new String(form, StandardCharsets.ISO_8859_1).split("&")) {
            if (pair.isEmpty()) {
                continue;
            }
            int equals = pair.indexOf('=');
            String name = text(unescaped(equals < 0 ? pair : pair.substring(0, equals), (byte) '%'), other);
            byte[] value = unescaped(equals < 0 ? "" : pair.substring(equals + 1), NEEDED.contains(name) ? NO_TEXT : (byte) '%');
            put(fields, name, text(value, of(name, other)));
        }
    }

    /** @param stray stands for a percent sign without two hex digits: in "100%" it is one */
    private static byte[] unescaped(String value, byte stray) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(value.length());
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            boolean whole = c == '%' && i + 2 < value.length();
            int high = whole ? Character.digit(value.charAt(i + 1), 16) : -1;
            int low = whole ? Character.digit(value.charAt(i + 2), 16) : -1;
            if (high >= 0 && low >= 0) {
                bytes.write(high << 4 | low);
                i += 2;
            } else {
                bytes.write(c == '+' ? ' ' : c == '%' ? stray : c);
            }
        }
        return bytes.toByteArray();
    }

    private static void json(byte[] body, Charset other, Map<String, String> fields) {
        String text = new String(body, StandardCharsets.UTF_8);
        if (text.contains(REPLACED)) {
            json(inQuotes(body, other), fields);
            Map<String, String> needed = new LinkedHashMap<>();
            json(text, needed);
            needed.keySet().retainAll(NEEDED);
            fields.putAll(needed);
        } else {
            json(text, fields);
        }
    }

    /** Each text between two quotation marks is decoded by itself: one that is cut says nothing about the others. */
    private static String inQuotes(byte[] json, Charset other) {
        StringBuilder text = new StringBuilder(json.length);
        for (int from = 0; from <= json.length;) {
            int to = from;
            while (to < json.length && json[to] != '"') {
                to++;
            }
            text.append(decoded(Arrays.copyOfRange(json, from, to), other)).append(to < json.length ? "\"" : "");
            from = to + 1;
        }
        return text.toString();
    }

    private static void json(String text, Map<String, String> fields) {
        try (JsonParser parser = JSON.createParser(unmarked(text))) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new BadRequestException("body: JSON is not an object; allowed: {\"EventType\": \"dial-in\", ...}");
            }
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = readable(parser.currentName());
                JsonToken value = parser.nextToken();
                if (value.isStructStart()) {
                    throw new BadRequestException("body: JSON field " + printable(name)
                            + " is an object or array; allowed: text, number, boolean");
                }
                put(fields, name, value == JsonToken.VALUE_NULL ? "" : readable(parser.getText()));
            }
            if (parser.nextToken() != null) {
                throw new BadRequestException("body: something follows the JSON object");
            }
        } catch (JsonProcessingException e) {
            throw new BadRequestException("body: broken JSON at line " + e.getLocation().getLineNr() + ", column "
                    + e.getLocation().getColumnNr());
        } catch (IOException e) {
            throw new BadRequestException("body: broken JSON");
        }
    }

    private static void put(Map<String, String> fields, String name, String value) {
        if (!fields.containsKey(name) || fields.get(name).isBlank()) {
            fields.put(name, value);
        }
    }

    private static Map<String, String> checked(Map<String, String> fields) {
        NEEDED.forEach(name -> {
            if (fields.getOrDefault(name, "").contains(REPLACED)) {
                throw new BadRequestException(name + " cannot be read; allowed: text in UTF-8 without control characters, a percent sign"
                        + " only before two hex digits");
            }
        });
        if (!fields.containsKey("EventType") && fields.keySet().stream().anyMatch(name -> name.contains(REPLACED))) {
            throw new BadRequestException("neither a form nor JSON, but bytes that are no text");
        }
        return fields;
    }

    /** What an event cannot do without is not guessed. */
    private static Charset of(String name, Charset other) {
        return NEEDED.contains(name) ? StandardCharsets.UTF_8 : other;
    }

    private static String text(byte[] bytes, Charset other) {
        return readable(unmarked(decoded(bytes, other)));
    }

    /** UTF-8, if it is, or was before somebody cut or damaged it; text in another charset hardly ever looks like that. */
    private static String decoded(byte[] bytes, Charset other) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (!text.contains(REPLACED) || Arrays.equals(bytes, text.getBytes(StandardCharsets.UTF_8))) {
            return text;
        }
        long broken = text.codePoints().filter(c -> c == REPLACED.charAt(0)).count();
        long whole = text.codePoints().filter(c -> c >= 0x80).count() - broken;
        return whole > 0 && whole >= broken ? text : new String(bytes, other);
    }

    /** Without byte order marks; some senders put one, and what passes their files on another one. */
    private static String unmarked(String text) {
        int marks = 0;
        while (marks < text.length() && text.charAt(marks) == MARK) {
            marks++;
        }
        return text.substring(marks);
    }

    /** Control characters, which no database takes all of, and halves of characters replaced. */
    private static String readable(String text) {
        if (text.chars().allMatch(c -> c >= ' ' && !Character.isSurrogate((char) c))) {
            return text;
        }
        StringBuilder readable = new StringBuilder(text.length());
        text.codePoints().map(c -> c < ' ' && c != '\t' && c != '\n' && c != '\r' || c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE
                ? REPLACED.charAt(0) : c).forEach(readable::appendCodePoint);
        return readable.toString();
    }

    /** Of a body in which a character is two bytes or more, the same in UTF-8. */
    private static byte[] narrow(byte[] body, Charset said) {
        Charset wide = startsWith(body, MARK_BIG) ? StandardCharsets.UTF_16BE : startsWith(body, MARK_LITTLE) ? StandardCharsets.UTF_16LE
                : said != null && "=".getBytes(said).length > 1 ? said : null;
        return wide == null ? body : unmarked(new String(body, wide)).getBytes(StandardCharsets.UTF_8);
    }

    private static boolean startsWith(byte[] body, byte[] mark) {
        return body.length >= mark.length && Arrays.equals(body, 0, mark.length, mark, 0, mark.length);
    }

    /** What the sender says, if that is another charset than UTF-8 which is known here; {@code null} otherwise. */
    private static Charset charset(String contentType) {
        int at = contentType == null ? -1 : contentType.toLowerCase(Locale.ROOT).indexOf("charset=");
        if (at < 0) {
            return null;
        }
        try {
            Charset charset = Charset.forName(contentType.substring(at + "charset=".length()).split("[;, ]", 2)[0].replace("\"", ""));
            return charset.canEncode() && !charset.equals(StandardCharsets.UTF_8) ? charset : null;
        } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
            return null;
        }
    }

    private static String printable(String text) {
        String shown = text.length() > 60 ? text.substring(0, 60) + "..." : text;
        return shown.replaceAll("[^\\x20-\\x7e]", "?");
    }
}
