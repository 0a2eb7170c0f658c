package io.callbridge.asterisk;

import io.callbridge.platform.AmiSettings;
import io.callbridge.platform.Time;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.timeout.IdleState;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.net.SocketAddress;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** One connection to an Asterisk: login, the lists of what is going on, then whatever comes, and pings when nothing does. */
final class AmiConnection extends ChannelDuplexHandler {

    private static final Logger LOG = Logger.getLogger(AmiConnection.class);
    /** A user without the read right {@code system} is never told that the PBX is ready. */
    private static final long BOOT_MS = 5_000;
    private static final String CHALLENGE = "callbridge-challenge";
    private static final String LOGIN = "callbridge-login";
    private static final String PING = "callbridge-ping";

    private enum State {
        CONNECTING, BANNER, CHALLENGE, LOGIN,
        /** Logged in; the PBX may not be ready yet. */
        BOOTING,
        RUNNING,
        /** Nothing is read any more. */
        ENDING
    }

    private final AmiLink link;
    private State state = State.CONNECTING;
    private String banner = "";
    private long connection;
    private long reads;
    private boolean pinged;
    private Future<?> limit;
    /** Why the connection ends; the first reason counts. */
    private String tag;
    private String reason;

    AmiConnection(AmiLink link) {
        this.link = link;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        AmiSettings target = link.target();
        if (target.tls() != null) {
            SslHandler tls = target.tls().newHandler(ctx.alloc(), target.host(), target.port());
            tls.setHandshakeTimeoutMillis(link.number("ami.answer-ms"));
            ctx.pipeline().addFirst(tls);
        }
        ctx.pipeline().addBefore(ctx.name(), null, new IdleStateHandler(link.number("ami.ping-ms"), 0, 0, TimeUnit.MILLISECONDS));
        ctx.pipeline().addBefore(ctx.name(), null, new AmiFrames());
        link.attempt();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        because("connect", "no address of this host is known");
        link.broken(ctx.channel(), tag, reason);
    }

    @Override
    public void connect(ChannelHandlerContext ctx, SocketAddress remote, SocketAddress local, ChannelPromise promise) {
        ctx.connect(remote, local, promise.addListener(done -> {
            if (!done.isSuccess()) {
                because("connect", String.valueOf(done.cause().getMessage()));
            }
        }));
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        state = State.BANNER;
        if (link.mayRead()) {
            await(ctx, "no banner");
        } else {
            cut(ctx, "stand-by", "another replica reads it");
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (state != State.ENDING && !link.mayRead()) {
            // A process that was stopped for a while: another replica reads by now.
            cut(ctx, "stand-by", "another replica reads it");
        }
        switch (state) {
            case BANNER -> banner(ctx, ((String) message).strip());
            case CHALLENGE -> challenged(ctx, (AmiMessage) message);
            case LOGIN -> loggedIn(ctx, (AmiMessage) message);
            case BOOTING, RUNNING -> message(ctx, (AmiMessage) message);
            default -> {
                // Nothing is read any more.
            }
        }
    }

    /** Also after bytes that were no message, or none that anybody wants. */
    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        reads++;
        ctx.fireChannelReadComplete();
    }

    private void banner(ChannelHandlerContext ctx, String text) {
        banner = text;
        if (!banner.startsWith("Asterisk Call Manager")) {
            cut(ctx, "banner", "there is no Asterisk: it says '" + banner.substring(0, Math.min(80, banner.length())) + "'");
            return;
        }
        state = State.CHALLENGE;
        await(ctx, "no answer to the challenge");
        send(ctx, "Challenge", CHALLENGE, "AuthType: MD5");
    }

    private void challenged(ChannelHandlerContext ctx, AmiMessage message) {
        if (!isAnswer(message, CHALLENGE)) {
            return;
        }
        AmiSettings target = link.target();
        String challenge = message.get("Challenge");
        if (!challenge.isEmpty()) {
            login(ctx, "AuthType: MD5", "Username: " + target.username(), "Key: " + md5(challenge + target.secret()));
        } else if (target.plainLogin()) {
            login(ctx, "Username: " + target.username(), "Secret: " + target.secret());
        } else {
            refused(ctx, "its Asterisk (" + target + ") offers no MD5 challenge (" + message.get("Message")
                    + "); callbridge.pbx." + link.pbx() + ".ami.plain-login=true allows to send the secret in clear");
        }
    }

    private void login(ChannelHandlerContext ctx, String... fields) {
        state = State.LOGIN;
        await(ctx, "no answer to the login");
        String[] all = Arrays.copyOf(fields, fields.length + 1);
        all[fields.length] = "Events: system,call,agent,cdr,dialplan";
        send(ctx, "Login", LOGIN, all);
    }

    private void loggedIn(ChannelHandlerContext ctx, AmiMessage message) {
        if (!isAnswer(message, LOGIN)) {
            return;
        }
        if (!"Success".equalsIgnoreCase(message.get("Response"))) {
            String at = "callbridge.pbx." + link.pbx() + ".ami.";
            refused(ctx, "its Asterisk (" + link.target() + ") refuses the login: " + message.get("Message") + "; see " + at
                    + "username and " + at + "secret, and the user's secret, deny and permit in manager.conf");
            return;
        }
        state = State.BOOTING;
        limit.cancel(false);
        connection = link.loggedIn(ctx.channel(), banner);
        limit = ctx.executor().schedule(() -> {
            link.say("booted", "its Asterisk (" + link.target() + ") has not said FullyBooted for " + BOOT_MS / 1000
                    + " s: it starts slowly, or the user lacks the read right 'system' in manager.conf");
            run(ctx);
        }, BOOT_MS, TimeUnit.MILLISECONDS);
    }

    private void message(ChannelHandlerContext ctx, AmiMessage message) {
        String event = message.event();
        if (event.isEmpty() && PING.equals(message.get("ActionID"))) {
            return;
        }
        if (event.equals(AmiFrames.BOOTED)) {
            run(ctx);
            return;
        }
        if (event.equals(AmiFrames.SHUTDOWN)) {
            LOG.infof("PBX %s: its Asterisk (%s) %s", link.pbx(), link.target(),
                    "True".equalsIgnoreCase(message.get("Restart")) ? "restarts" : "stops");
            return;
        }
        if (AmiFrames.OLD.contains(event)) {
            link.tooOld("events " + event);
            return;
        }
        if (event.equals("DialBegin") || event.equals("BridgeEnter")) {
            link.speaksOfCalls();
        }
        boolean denied = event.isEmpty() && "Permission denied".equalsIgnoreCase(message.get("Message"));
        if (denied || AsteriskReader.notListed(message)) {
            link.say("permission", "its Asterisk (" + link.target() + ") does not tell which calls are going on, so that after a gap all are "
                    + "unknown: " + (denied ? "the user lacks 'write = reporting' in manager.conf"
                            : "it answers the action CoreShowChannels with '" + message.get("Message") + "'"));
        }
        link.received(connection, Time.now(), message);
    }

    private void run(ChannelHandlerContext ctx) {
        if (state == State.BOOTING) {
            state = State.RUNNING;
            limit.cancel(false);
            send(ctx, "Status", AsteriskReader.STATUS);
            send(ctx, "CoreShowChannels", AsteriskReader.CHANNELS);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof IdleStateEvent idle && idle.state() == IdleState.READER_IDLE) {
            ping(ctx);
        } else if (event instanceof SslHandshakeCompletionEvent tls && !tls.isSuccess()) {
            cut(ctx, "tls", "TLS: " + tls.cause().getMessage());
        }
    }

    private void ping(ChannelHandlerContext ctx) {
        if (pinged || link.isPaused() || state != State.RUNNING && state != State.BOOTING) {
            return;
        }
        pinged = true;
        long before = reads;
        send(ctx, "Ping", PING);
        ctx.executor().schedule(() -> {
            pinged = false;
            if (reads == before && !link.isPaused()) {
                cut(ctx, "silence", "it does not answer any more");
            }
        }, link.number("ami.answer-ms"), TimeUnit.MILLISECONDS);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        because("closed", switch (state) {
            case BANNER, CHALLENGE, LOGIN -> "it closed the connection before the login was done";
            default -> "it closed the connection";
        });
        state = State.ENDING;
        if (limit != null) {
            limit.cancel(false);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        boolean tooLarge = cause instanceof TooLongFrameException;
        cut(ctx, tooLarge ? "too-large" : "error", tooLarge ? "a message is over 64 KiB" : String.valueOf(cause.getMessage()));
    }

    private void refused(ChannelHandlerContext ctx, String why) {
        link.refused(why);
        cut(ctx, "refused", why);
    }

    /** Each step of the login has its time. */
    private void await(ChannelHandlerContext ctx, String otherwise) {
        if (limit != null) {
            limit.cancel(false);
        }
        long ms = link.number("ami.answer-ms");
        limit = ctx.executor().schedule(() -> cut(ctx, "login", otherwise + " for " + ms + " ms"), ms, TimeUnit.MILLISECONDS);
    }

    private void because(String newTag, String why) {
        if (reason == null) {
            tag = newTag;
            reason = why;
        }
    }

    private void cut(ChannelHandlerContext ctx, String newTag, String why) {
        because(newTag, why);
        state = State.ENDING;
        ctx.close();
    }

    /** A PBX in front of the real one may lose the ActionID: there is only one action on the way then. */
    private static boolean isAnswer(AmiMessage message, String action) {
        return message.event().isEmpty() && message.has("Response")
                && (!message.has("ActionID") || action.equals(message.get("ActionID")));
    }

    private static void send(ChannelHandlerContext ctx, String action, String id, String... fields) {
        StringBuilder text = new StringBuilder("Action: " + action + "\r\nActionID: " + id + "\r\n");
        for (String field : fields) {
            text.append(field).append("\r\n");
        }
        ctx.writeAndFlush(ByteBufUtil.encodeString(ctx.alloc(), CharBuffer.wrap(text.append("\r\n")), StandardCharsets.UTF_8));
    }

    private static String md5(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException everyJvmHasIt) {
            throw new IllegalStateException(everyJvmHasIt);
        }
    }
}
