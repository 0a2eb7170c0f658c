package io.callbridge.ingest;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.nio.CharBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;

/**
 * One connection of the line protocol: who it is, its events into the route, so that those that wait share a commit, the answers
 * back in the order of the events, and an end with a line of reason for whoever does not keep to the protocol. What is on its way
 * has a limit, and so has what is read beyond that: the rest waits at the sender.
 */
final class TcpConnection extends ChannelDuplexHandler {

    private static final Logger LOG = Logger.getLogger(TcpConnection.class);
    /** Who has not said by then who he is takes a place from somebody who would. */
    private static final long AUTH_MS = 10_000;
    /** What was sent before the reason could be read is thrown away for so long: on unread bytes the reason would get lost. */
    private static final long LINGER_MS = 2_000;
    private static final String AUTH = "AUTH ";
    /** So many events at a time are in the route, and none more once they have the bytes of the longest one. */
    static final int MOST = 256;
    private static final Pattern ANSWER = Pattern.compile("(?:OK|ERR) (\\d{1,18})(?: .*)?", Pattern.DOTALL);

    private enum State {
        /** Waits for {@code AUTH}. */
        UNKNOWN,
        /** Takes events. */
        OPEN,
        /** Nothing is read any more. */
        ENDING
    }

    /** An event that the route has, or whose answer waits for those before it. */
    private static final class Routed {

        private final int length;
        private final long since = System.nanoTime();
        private String answer;
        private ChannelPromise promise;

        private Routed(int length) {
            this.length = length;
        }
    }

    private final TcpConnections connections;
    private final SslContext tls;
    private final long silenceMs;
    private State state = State.UNKNOWN;
    private TcpFrames frames;
    private String pbx;
    private long events;
    /** Up to which they are answered. */
    private long answered;
    /** By number. */
    private final Map<Long, Routed> routed = new HashMap<>();
    /** Events whose answers have not left, and their bytes: who sends and does not read would otherwise fill the memory with answers. */
    private int held;
    private long heldBytes;
    private boolean going;
    /** Why nothing more is taken, once the answers have left. */
    private String broken;
    /** The sender has closed its side. */
    private boolean ended;
    private boolean counted;

    /** @param tls {@code null}: none */
    TcpConnection(TcpConnections connections, SslContext tls, long silenceMs) {
        this.connections = connections;
        this.tls = tls;
        this.silenceMs = silenceMs;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        frames = new TcpFrames(ctx.alloc().buffer());
        if (tls != null) {
            ctx.pipeline().addFirst(tls.newHandler(ctx.alloc()));
        }
        // Silence is when neither side says anything: who waits for an answer is not silent.
        ctx.pipeline().addBefore(ctx.name(), null, new IdleStateHandler(0, 0, silenceMs, TimeUnit.MILLISECONDS));
        // Answers that come together leave together.
        ctx.pipeline().addBefore(ctx.name(), null, new FlushConsolidationHandler(MOST, true));
        // Who sends its events, closes its side and then reads the answers gets them.
        ctx.channel().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        counted = connections.enter();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        frames.release();
        if (counted) {
            connections.leave();
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        ctx.fireChannelActive();
        if (counted) {
            ctx.executor().schedule(() -> {
                if (state == State.UNKNOWN) {
                    stranger(ctx);
                }
            }, Math.min(AUTH_MS, silenceMs), TimeUnit.MILLISECONDS);
        } else {
            cutOff(ctx, "there are as many connections as are allowed; come again later");
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
            if (state != State.ENDING) {
                frames.add(bytes);
            }
        } finally {
            bytes.release();
        }
        next(ctx);
    }

    /** Goes on as far as it can without an answer. What it does may call it again. */
    private void next(ChannelHandlerContext ctx) {
        if (going) {
            return;
        }
        going = true;
        try {
            if (state == State.UNKNOWN) {
                authenticate(ctx, frames.line());
            }
            while (state == State.OPEN && broken == null && held < MOST && heldBytes < TcpFrames.LARGEST && route(ctx, frames.event())) {
                // Until there is no more, or enough.
            }
        } catch (BadRequestException e) {
            broken = e.getMessage();
        } finally {
            going = false;
        }
        if (state == State.UNKNOWN && broken != null) {
            stranger(ctx);
        } else if (state == State.OPEN && held == 0 && broken != null) {
            refuse(ctx, broken);
        } else if (state == State.OPEN && held == 0 && ended) {
            state = State.ENDING;
            ctx.close();
        }
        ctx.channel().config().setAutoRead(state == State.ENDING || frames.waiting() <= TcpFrames.LARGEST);
    }

    private void authenticate(ChannelHandlerContext ctx, String line) {
        if (line == null) {
            if (ended) {
                stranger(ctx);
            }
            return;
        }
        if (!line.startsWith(AUTH)) {
            stranger(ctx);
            return;
        }
        String secret = new String(line.substring(AUTH.length()).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        Optional<String> known = connections.pbx(secret.strip());
        if (known.isEmpty()) {
            connections.stranger();
            cutOff(ctx, "no PBX has this secret");
        } else {
            pbx = known.get();
            state = State.OPEN;
        }
    }

    /** @return whether there was one */
    private boolean route(ChannelHandlerContext ctx, String event) {
        if (event == null) {
            broken = ended && frames.unfinished() ? "the connection ended within an event" : null;
            return false;
        }
        events++;
        held++;
        heldBytes += event.length();
        routed.put(events, new Routed(event.length()));
        ctx.fireChannelRead(new TcpEvent(pbx, events, event));
        return true;
    }

    /** An answer of the route. */
    @Override
    public void write(ChannelHandlerContext ctx, Object answer, ChannelPromise promise) {
        Matcher line = ANSWER.matcher(answer instanceof String text ? text : "");
        Routed event = line.matches() ? routed.get(Long.valueOf(line.group(1))) : null;
        if (state != State.OPEN || event == null || event.answer != null) {
            promise.setFailure(new ClosedChannelException());
            if (state == State.OPEN) {
                // A mistake of ours, and nobody knows about which event.
                cutOff(ctx, "Callbridge failed");
            }
            return;
        }
        event.answer = (String) answer;
        event.promise = promise;
        for (event = routed.get(answered + 1); event != null && event.answer != null; event = routed.get(answered + 1)) {
            answered++;
            routed.remove(answered);
            answer(ctx, event);
        }
    }

    private void answer(ChannelHandlerContext ctx, Routed event) {
        connections.answered(pbx, event.since);
        ctx.write(line(ctx, event.answer), event.promise.unvoid().addListener(sent -> {
            held--;
            heldBytes -= event.length;
            if (sent.isSuccess() && state == State.OPEN) {
                next(ctx);
            }
        }));
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof IdleStateEvent && routed.isEmpty()) {
            if (state == State.UNKNOWN) {
                stranger(ctx);
            } else {
                LOG.infof("PBX %s was silent on a TCP connection for %d s", pbx, silenceMs / 1000);
                cutOff(ctx, "silent for " + silenceMs / 1000 + " s");
            }
        } else if (event instanceof ChannelInputShutdownEvent || event instanceof SslCloseCompletionEvent) {
            ended = true;
            if (state == State.ENDING) {
                ctx.close();
            }
            next(ctx);
        }
    }

    /** Camel closes the connections when the route stops; events that are not answered yet may be sent again. */
    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
        if (pbx != null && state != State.ENDING) {
            state = State.ENDING;
            for (long number = answered + 1; number <= Math.max(events, answered + 1); number++) {
                Routed event = routed.get(number);
                ctx.write(line(ctx, event != null && event.answer != null ? event.answer
                        : "ERR " + number + " " + connections.closing() + "; send it again"));
            }
            ctx.flush();
        }
        ctx.close(promise);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        LOG.infof("a TCP connection broke off: %s", cause.getMessage());
        state = State.ENDING;
        ctx.close();
    }

    /** The same words for whoever does not say a secret, whatever he says instead. */
    private void stranger(ChannelHandlerContext ctx) {
        connections.stranger();
        cutOff(ctx, "AUTH <secret of a PBX> has to come first");
    }

    /** After this nobody knows where the next event begins. */
    private void refuse(ChannelHandlerContext ctx, String reason) {
        connections.refused(pbx, reason);
        cutOff(ctx, reason);
    }

    private void cutOff(ChannelHandlerContext ctx, String reason) {
        if (state == State.ENDING) {
            return;
        }
        long open = pbx == null ? 0 : answered + 1;
        state = State.ENDING;
        ctx.channel().config().setAutoRead(true);
        ctx.writeAndFlush(line(ctx, "ERR " + open + " " + reason)).addListener(sent -> endOutput(ctx));
        ctx.executor().schedule(() -> ctx.close(), LINGER_MS, TimeUnit.MILLISECONDS);
    }

    /** The sender sees the end at once, and may have sent more meanwhile. */
    private void endOutput(ChannelHandlerContext ctx) {
        SslHandler ssl = ctx.pipeline().get(SslHandler.class);
        if (ended) {
            ctx.close();
        } else if (ssl != null) {
            ssl.closeOutbound();
        } else if (ctx.channel() instanceof DuplexChannel channel) {
            channel.shutdownOutput();
        }
    }

    private static ByteBuf line(ChannelHandlerContext ctx, String text) {
        return ByteBufUtil.encodeString(ctx.alloc(), CharBuffer.wrap(text.replaceAll("[\\r\\n]+", " ") + "\n"),
                StandardCharsets.UTF_8);
    }
}
