package io.callbridge.ingest;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * Cuts the bytes of a connection into lines and events: one event is a line, or a block of lines {@code [Field] => value}
 * that ends at an empty line. Empty lines between events mean nothing, and so does a byte order mark. A character stands for each
 * byte: what text they are, is found out for each value.
 */
final class TcpFrames {

    /** Of a line, and of a block. */
    static final int LARGEST = 64 * 1024;
    /** The byte order mark of UTF-8. */
    private static final String MARK = "\u00ef\u00bb\u00bf";

    private final ByteBuf bytes;
    private final StringBuilder block = new StringBuilder();
    /** So many bytes have been looked at and hold no end of a line. */
    private int scanned;

    /** @param bytes where bytes are kept until their line is complete; {@link #release} gives it back */
    TcpFrames(ByteBuf bytes) {
        this.bytes = bytes;
    }

    void add(ByteBuf more) {
        bytes.discardSomeReadBytes();
        bytes.writeBytes(more);
    }

    /**
     * @return the next line without its end, {@code null} if it is not complete yet
     * @throws BadRequestException if it is over 64 KiB
     */
    String line() {
        int from = bytes.readerIndex();
        int end = bytes.indexOf(from + scanned, bytes.writerIndex(), (byte) '\n');
        scanned = bytes.readableBytes();
        if ((end < 0 ? bytes.writerIndex() : end) - from > LARGEST) {
            throw BadRequestException.tooLarge("a line is");
        }
        if (end < 0) {
            return null;
        }
        scanned = 0;
        String line = bytes.toString(from, end - from, StandardCharsets.ISO_8859_1);
        while (line.startsWith(MARK)) {
            line = line.substring(MARK.length());
        }
        bytes.readerIndex(end + 1);
        return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
    }

    /**
     * @return the text of the next event, of a block with all its lines; {@code null} if it is not complete yet
     * @throws BadRequestException if it is over 64 KiB
     */
    String event() {
        for (String line = line(); line != null; line = line()) {
            if (!line.isBlank() && block.isEmpty() && !EventFields.isFieldLine(line)) {
                return line;
            }
            if (!line.isBlank()) {
                block.append(line).append('\n');
                if (block.length() > LARGEST) {
                    throw BadRequestException.tooLarge("a block is");
                }
            } else if (!block.isEmpty()) {
                String whole = block.toString();
                block.setLength(0);
                return whole;
            }
        }
        return null;
    }

    /** How many bytes wait. */
    int waiting() {
        return bytes.readableBytes();
    }

    /** Whether an event has begun that is not complete. */
    boolean unfinished() {
        return !block.isEmpty() || bytes.isReadable();
    }

    void release() {
        bytes.release();
    }
}
