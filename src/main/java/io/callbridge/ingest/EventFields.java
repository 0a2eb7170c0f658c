package io.callbridge.ingest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The fields of a webhook request: from query and body for every method, since a POST with all data in the query and an
 * empty body was seen on a live PBX (rule R1). Of a repeated field the first that is not empty counts; the body wins.
 */
public final class EventFields {

    private static final JsonFactory JSON = new JsonFactory();
    /** The notation of the PBX's manual. */
    private static final Pattern FIELD_LINE = Pattern.compile("\\s*\\[([^\\[\\]]+)]\\s*=>(.*)");

    private EventFields() {
    }

    /**
     * @param query the raw query, {@code null} if there is none
     * @param contentType of the body, {@code null} if not said: then a form is expected
     * @throws BadRequestException if query or body cannot be read
     */
    public static Map<String, String> read(String query, String contentType, byte[] body) {
        Map<String, String> fields = new LinkedHashMap<>();
        if (query != null) {
            form("query", query, StandardCharsets.UTF_8, fields);
        }
        if (body.length > 0) {
            Map<String, String> fromBody = new LinkedHashMap<>();
            String type = contentType == null ? "" : contentType.toLowerCase(Locale.ROOT).split(";", 2)[0].strip();
            switch (type) {
                case "application/json" -> json(body, fromBody);
                case "", "text/plain", "application/x-www-form-urlencoded" -> {
                    Charset charset = charset(contentType);
                    form("body", text("body", body, charset), charset, fromBody);
                }
                default -> throw new BadRequestException("body: content type " + printable(type)
                        + " cannot be read; allowed: application/x-www-form-urlencoded, application/json");
            }
            fromBody.forEach((name, value) -> {
                if (!value.isBlank() || !fields.containsKey(name)) {
                    fields.put(name, value);
                }
            });
        }
        return fields;
    }

    /** Whether a line is {@code [Field] => value}. */
    static boolean isFieldLine(String line) {
        return FIELD_LINE.matcher(line).matches();
    }

    /**
     * @param text lines {@code [Field] => value}
     * @throws BadRequestException if a line is anything else
     */
    static Map<String, String> block(String text) {
        Map<String, String> fields = new LinkedHashMap<>();
        int number = 0;
        for (String line : text.lines().toList()) {
            number++;
            Matcher field = FIELD_LINE.matcher(line);
            if (!field.matches()) {
                // Its text may be somebody's name, and this is logged.
                throw new BadRequestException("block: line " + number + " is not [Field] => value");
            }
            // A blank before a number would pass for a plus sign that a form has lost.
            put(fields, checked("block", field.group(1).strip()), checked("block", field.group(2).strip()));
        }
        return fields;
    }

    private static void form(String where, String form, Charset charset, Map<String, String> fields) {
        for (String pair : form.split("&")) {
            if (pair.isEmpty()) {
                continue;
            }
            int equals = pair.indexOf('=');
            String name = decode(where, equals < 0 ? pair : pair.substring(0, equals), charset);
            put(fields, name, equals < 0 ? "" : decode(where, pair.substring(equals + 1), charset));
        }
    }

    private static String decode(String where, String value, Charset charset) {
        if (value.indexOf('%') < 0) {
            return checked(where, value.replace('+', ' '));
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(value.length());
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '%') {
                boolean whole = i + 2 < value.length();
                int high = whole ? Character.digit(value.charAt(i + 1), 16) : -1;
                int low = whole ? Character.digit(value.charAt(i + 2), 16) : -1;
                if (high < 0 || low < 0) {
                    throw new BadRequestException(where + ": broken percent-encoding '"
                            + printable(value.substring(i, Math.min(value.length(), i + 3))) + "'; allowed: % and two hex digits");
                }
                bytes.write(high << 4 | low);
                i += 2;
            } else {
                bytes.writeBytes((c == '+' ? " " : String.valueOf(c)).getBytes(charset));
            }
        }
        return checked(where, text(where, bytes.toByteArray(), charset));
    }

    private static void json(byte[] body, Map<String, String> fields) {
        try (JsonParser parser = JSON.createParser(text("body", body, StandardCharsets.UTF_8))) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new BadRequestException("body: JSON is not an object; allowed: {\"EventType\": \"dial-in\", ...}");
            }
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = checked("body", parser.currentName());
                JsonToken value = parser.nextToken();
                if (value.isStructStart()) {
                    throw new BadRequestException("body: JSON field " + printable(name)
                            + " is an object or array; allowed: text, number, boolean");
                }
                put(fields, name, value == JsonToken.VALUE_NULL ? "" : checked("body", parser.getText()));
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

    private static String text(String where, byte[] bytes, Charset charset) {
        try {
            return charset.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT).decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new BadRequestException(where + ": not text in " + charset.name());
        }
    }

    private static String checked(String where, String value) {
        if (value.chars().anyMatch(c -> c < ' ' && c != '\t' && c != '\n' && c != '\r')) {
            throw new BadRequestException(where + ": a control character is not text");
        }
        return value;
    }

    private static Charset charset(String contentType) {
        int at = contentType == null ? -1 : contentType.toLowerCase(Locale.ROOT).indexOf("charset=");
        if (at < 0) {
            return StandardCharsets.UTF_8;
        }
        String name = contentType.substring(at + "charset=".length()).split("[;, ]", 2)[0].replace("\"", "");
        try {
            Charset charset = Charset.forName(name);
            if (charset.canEncode()) {
                return charset;
            }
            throw new UnsupportedCharsetException(name);
        } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
            throw new BadRequestException("body: unknown charset " + printable(name) + "; allowed: UTF-8 and others of the JVM");
        }
    }

    private static String printable(String text) {
        String shown = text.length() > 60 ? text.substring(0, 60) + "..." : text;
        return shown.replaceAll("[^\\x20-\\x7e]", "?");
    }
}
