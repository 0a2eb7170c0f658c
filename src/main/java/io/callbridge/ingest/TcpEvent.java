package io.callbridge.ingest;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * An event as it came over TCP.
 *
 * @param pbx whose secret the connection has
 * @param number of the event on its connection, from 1
 * @param text as {@link TcpFrames#event()} cuts it, a character for each byte
 */
record TcpEvent(String pbx, long number, String text) {

    /** @param charset of what is not UTF-8 @throws BadRequestException if the event cannot be read */
    Map<String, String> fields(Charset charset) {
        if (EventFields.isFieldLine(text.lines().findFirst().orElse(""))) {
            return EventFields.block(text, charset);
        }
        if (!text.stripLeading().startsWith("{")) {
            throw new BadRequestException("neither a JSON object nor lines [Field] => value");
        }
        return EventFields.read(null, "application/json", text.getBytes(StandardCharsets.ISO_8859_1), charset);
    }
}
