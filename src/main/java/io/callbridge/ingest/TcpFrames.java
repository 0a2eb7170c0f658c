package io.callbridge.ingest;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Cuts the bytes of a connection into lines and events: one event is a line, or a block of lines {@code [Field] => value}
 * that ends at an empty line. Empty lines between events mean nothing.
 */
final class TcpFrames {

    /** Of a line, and of a block. */
    static final int LARGEST = 64 * 1024;

    private final ByteBuf bytes;
    private final StringBuilder block = new StringBuilder();
    /** So many bytes have been looked at and hold no end of a line. */
    private int scanned;
    private int blockBytes;

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
     * @throws TooLargeException if it is over 64 KiB
     * @throws BadRequestException if it is not UTF-8
     */
    String line() {
        int from = bytes.readerIndex();
        int end = bytes.indexOf(from + scanned, bytes.writerIndex(), (byte) '\n');
        scanned = bytes.readableBytes();
        if ((end < 0 ? bytes.writerIndex() : end) - from > LARGEST) {
            throw new TooLargeException("a line is over 64 KiB");
        }
        if (end < 0) {
            return null;
        }
        scanned = 0;
        String line = text(bytes.nioBuffer(from, end - from));
        bytes.readerIndex(end + 1);
        return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
    }

    /**
     * @return the text of the next event, of a block with all its lines; {@code null} if it is not complete yet
     * @throws TooLargeException if it is over 64 KiB
     * @throws BadRequestException if it is not UTF-8
     */
    String event() {
        for (String line = line(); line != null; line = line()) {
            if (!line.isBlank() && block.isEmpty() && !EventFields.isFieldLine(line)) {
                return line;
            }
            if (!line.isBlank()) {
                blockBytes += line.getBytes(StandardCharsets.UTF_8).length + 1;
                if (blockBytes > LARGEST) {
                    throw new TooLargeException("a block is over 64 KiB");
                }
                block.append(line).append('\n');
            } else if (!block.isEmpty()) {
                String whole = block.toString();
                block.setLength(0);
                blockBytes = 0;
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

    private static String text(ByteBuffer line) {
        try {
            return StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT).decode(line).toString();
        } catch (CharacterCodingException e) {
            throw new BadRequestException("a line is not UTF-8");
        }
    }
}
