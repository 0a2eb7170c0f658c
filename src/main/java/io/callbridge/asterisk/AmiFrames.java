package io.callbridge.asterisk;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.TooLongFrameException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Puts the lines of a connection together: first the banner, one line, as a text, then messages that end at an empty line, as
 * {@link AmiMessage}. Only messages that somebody wants become objects; of a busy PBX most are others. Bytes that are no UTF-8
 * become replacement characters. What is over 64 KiB is a {@link TooLongFrameException}.
 */
final class AmiFrames extends LineBasedFrameDecoder {

    /** Of a message, in characters. */
    static final int LARGEST = 64 * 1024;
    /** Say that the PBX is ready, and that it ends; of no concern to calls. */
    static final String BOOTED = "FullyBooted";
    static final String SHUTDOWN = "Shutdown";
    /** Of Asterisk 11 and older: who rings, and who talks to whom. */
    static final Set<String> OLD = Set.of("Dial", "Bridge");

    private static final String EVENT = "event:";
    private static final Set<String> WANTED = Stream.of(AsteriskReader.EVENTS, Set.of(BOOTED, SHUTDOWN), OLD)
            .flatMap(Set::stream).collect(Collectors.toUnmodifiableSet());

    private final StringBuilder message = new StringBuilder();
    private boolean banner = true;
    /** Within a message that nobody wants. */
    private boolean skips;

    AmiFrames() {
        super(LARGEST, true, true);
    }

    @Override
    protected Object decode(ChannelHandlerContext ctx, ByteBuf bytes) throws Exception {
        ByteBuf line = (ByteBuf) super.decode(ctx, bytes);
        if (line == null) {
            return null;
        }
        try {
            return add(line);
        } finally {
            line.release();
        }
    }

    /** @return what is complete with this line */
    private Object add(ByteBuf line) {
        if (banner) {
            banner = false;
            return text(line);
        }
        if (!line.isReadable()) {
            AmiMessage whole = message.isEmpty() ? null : AmiMessage.of(message.toString());
            message.setLength(0);
            skips = false;
            return whole;
        }
        if (!skips) {
            String text = text(line);
            skips = message.isEmpty() && !isWanted(text);
            if (!skips && message.append(text).append('\n').length() > LARGEST) {
                throw new TooLongFrameException("a message is over 64 KiB");
            }
        }
        return null;
    }

    /** An event says its name first; whatever begins otherwise is a response, or looked at by whoever gets it. */
    private static boolean isWanted(String first) {
        return !first.regionMatches(true, 0, EVENT, 0, EVENT.length()) || WANTED.contains(first.substring(EVENT.length()).strip());
    }

    private static String text(ByteBuf line) {
        return line.toString(StandardCharsets.UTF_8);
    }
}
