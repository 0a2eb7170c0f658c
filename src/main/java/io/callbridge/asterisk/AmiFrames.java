package io.callbridge.asterisk;

import io.callbridge.ingest.TooLargeException;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Cuts the bytes of a connection into messages: lines that end at an empty line. Only messages that somebody wants become
 * objects; of a busy PBX most are others. Bytes that are no UTF-8 become replacement characters.
 */
public final class AmiFrames {

    /** Of a message, in bytes. */
    static final int LARGEST = 64 * 1024;
    /** Say that the PBX is ready, and that it ends; of no concern to calls. */
    static final String BOOTED = "FullyBooted";
    static final String SHUTDOWN = "Shutdown";
    /** Of Asterisk 11 and older: who rings, and who talks to whom. */
    static final Set<String> OLD = Set.of("Dial", "Bridge");

    private static final int ROOM = 16 * 1024;
    private static final byte[] EVENT = "event:".getBytes(StandardCharsets.US_ASCII);
    private static final Set<String> WANTED = Stream.of(AsteriskReader.EVENTS, Set.of(BOOTED, SHUTDOWN), OLD)
            .flatMap(Set::stream).collect(Collectors.toUnmodifiableSet());

    private byte[] bytes = new byte[ROOM];
    /** Where the message begins that is not complete, and where the bytes end. */
    private int begin;
    private int end;
    /** Up to here there is no end of a message. */
    private int scanned;
    private int size;

    /** Takes all bytes that can be read. */
    public void add(ByteBuf more) {
        int count = more.readableBytes();
        if (begin == end) {
            begin = 0;
            end = 0;
            scanned = 0;
        }
        if (end + count > bytes.length) {
            byte[] room = end - begin + count > bytes.length ? new byte[Math.max(2 * bytes.length, end - begin + count)] : bytes;
            System.arraycopy(bytes, begin, room, 0, end - begin);
            bytes = room;
            end -= begin;
            scanned -= begin;
            begin = 0;
        }
        more.readBytes(bytes, end, count);
        end += count;
    }

    /**
     * The banner, which has no empty line behind it.
     *
     * @return {@code null} if it is not complete yet
     * @throws TooLargeException if it is over 64 KiB
     */
    public String line() {
        int feed = feed(scanned);
        if (feed < 0) {
            scanned = end;
            limit(end);
            return null;
        }
        String line = text(begin, feed).strip();
        begin = feed + 1;
        scanned = begin;
        return line;
    }

    /**
     * @return the next message that is a response, an event of {@link AsteriskReader#EVENTS}, or one that says that the PBX
     *         is ready, ends or is too old; {@code null} if none is complete yet
     * @throws TooLargeException if a message is over 64 KiB
     */
    public AmiMessage next() {
        while (true) {
            while (begin < end && (bytes[begin] == '\n' || bytes[begin] == '\r')) {
                begin++;
            }
            scanned = Math.max(scanned, begin);
            int last = last();
            if (last < 0) {
                limit(end);
                return null;
            }
            limit(last);
            int from = begin;
            begin = last + 1;
            scanned = begin;
            if (isWanted(from, last)) {
                size = last - from;
                return AmiMessage.of(text(from, last));
            }
        }
    }

    /** Bytes of the last message that {@link #next} gave. */
    int size() {
        return size;
    }

    /** The end of the message's last line, {@code -1} if it is not there yet. */
    private int last() {
        for (int feed = feed(scanned); feed >= 0; feed = feed(feed + 1)) {
            int after = feed + 1 < end && bytes[feed + 1] == '\r' ? feed + 2 : feed + 1;
            if (after >= end) {
                // What comes next decides.
                scanned = feed;
                return -1;
            }
            if (bytes[after] == '\n') {
                return feed;
            }
        }
        scanned = end;
        return -1;
    }

    private int feed(int from) {
        for (int i = from; i < end; i++) {
            if (bytes[i] == '\n') {
                return i;
            }
        }
        return -1;
    }

    private void limit(int until) {
        if (until - begin > LARGEST) {
            throw new TooLargeException("a message is over 64 KiB");
        }
    }

    /** An event says its name first; whatever begins otherwise is a response, or looked at by whoever gets it. */
    private boolean isWanted(int from, int until) {
        for (int i = 0; i < EVENT.length; i++) {
            if (from + i >= until || (bytes[from + i] | 0x20) != EVENT[i]) {
                return true;
            }
        }
        int feed = feed(from);
        return WANTED.contains(text(from + EVENT.length, feed < 0 ? until : feed).strip());
    }

    private String text(int from, int until) {
        return new String(bytes, from, until - from, StandardCharsets.UTF_8);
    }
}
