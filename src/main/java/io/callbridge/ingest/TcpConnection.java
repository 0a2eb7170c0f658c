package io.callbridge.ingest;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.nio.CharBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * One connection of the line protocol: who it is, one event after the other into the route, each answer back before the next
 * event goes, and an end with a line of reason for whoever does not keep to the protocol. While the route works, no more is
 * read than one line's worth: the rest waits at the sender.
 */
final class TcpConnection extends ChannelDuplexHandler {

    private static final Logger LOG = Logger.getLogger(TcpConnection.class);
    /** Who has not said by then who he is takes a place from somebody who would. */
    private static final long AUTH_MS = 10_000;
    /** What was sent before the reason could be read is thrown away for so long: on unread bytes the reason would get lost. */
    private static final long LINGER_MS = 2_000;
    private static final String AUTH = "AUTH ";

    private enum State {
        /** Waits for {@code AUTH}. */
        UNKNOWN,
        /** Waits for an event. */
        READY,
        /** The route has an event. */
        ROUTED,
        /** The answer is on its way to the sender. */
        ANSWERED,
        /** Nothing is read any more. */
        ENDING
    }

    private final TcpConnections connections;
    private final SslContext tls;
    private final long silenceMs;
    private State state = State.UNKNOWN;
    private TcpFrames frames;
    private String pbx;
    private long events;
    /** The sender has closed its side. */
    private boolean ended;
    private boolean counted;
    private long routedAt;

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

    /** Goes on as far as it can without an answer. */
    private void next(ChannelHandlerContext ctx) {
        try {
            if (state == State.UNKNOWN) {
                authenticate(ctx, frames.line());
            }
            if (state == State.READY) {
                route(ctx, frames.event());
            }
        } catch (TooLargeException e) {
            if (state == State.UNKNOWN) {
                stranger(ctx);
            } else {
                refuse(ctx, e.getMessage());
            }
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
            state = State.READY;
        }
    }

    private void route(ChannelHandlerContext ctx, String event) {
        if (event != null) {
            events++;
            state = State.ROUTED;
            routedAt = System.nanoTime();
            ctx.fireChannelRead(new TcpEvent(pbx, events, event));
        } else if (ended && frames.unfinished()) {
            refuse(ctx, "the connection ended within an event");
        } else if (ended) {
            state = State.ENDING;
            ctx.close();
        }
    }

    /** The answer of the route. */
    @Override
    public void write(ChannelHandlerContext ctx, Object answer, ChannelPromise promise) {
        if (state != State.ROUTED) {
            promise.setFailure(new ClosedChannelException());
            return;
        }
        state = State.ANSWERED;
        connections.answered(pbx, routedAt);
        // An exception is a mistake of ours: the log has it, and the sender learns that there was one.
        String text = answer instanceof String line ? line : "ERR " + events + " Callbridge failed";
        // Not before it has left: who sends and does not read would otherwise fill the memory with answers.
        ctx.write(line(ctx, text), promise.unvoid().addListener(sent -> {
            if (sent.isSuccess() && state == State.ANSWERED) {
                state = State.READY;
                next(ctx);
            }
        }));
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof IdleStateEvent && state != State.ROUTED) {
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

    /** Camel closes the connections when the route stops; the event that is not answered yet may be sent again. */
    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
        if (pbx != null && state != State.ENDING) {
            long open = state == State.ROUTED ? events : events + 1;
            state = State.ENDING;
            ctx.writeAndFlush(line(ctx, "ERR " + open + " " + connections.closing() + "; send it again"));
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
        long open = pbx == null ? 0 : events + 1;
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
