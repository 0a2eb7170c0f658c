package io.callbridge.ingest;

import io.callbridge.platform.Settings;
import io.netty.channel.ChannelHandler;
import jakarta.inject.Named;
import jakarta.inject.Singleton;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.CamelContext;
import org.apache.camel.component.netty.DefaultChannelHandlerFactory;

/** What the connections of the line protocol have in common: how many there may be, and whose secrets count. */
@Singleton
@Named("tcpConnections")
public class TcpConnections extends DefaultChannelHandlerFactory {

    private final Settings settings;
    private final EventKinds kinds;
    private final CamelContext context;
    private final AtomicInteger open = new AtomicInteger();

    public TcpConnections(Settings settings, EventKinds kinds, CamelContext context) {
        this.settings = settings;
        this.kinds = kinds;
        this.context = context;
    }

    @Override
    public ChannelHandler newChannelHandler() {
        return new TcpConnection(this, settings.tcpTls(), settings.number("tcp.max-silence-ms"));
    }

    /** Takes a place; {@code false} if there is none. */
    boolean enter() {
        int most = settings.number("tcp.max-connections");
        return open.getAndUpdate(now -> now < most ? now + 1 : now) < most;
    }

    void leave() {
        open.decrementAndGet();
    }

    Optional<String> pbx(String secret) {
        return settings.pbxWithSecret(secret);
    }

    void stranger() {
        kinds.wrongSecret();
    }

    void refused(String pbx, String reason) {
        kinds.refused(pbx, reason);
    }

    /** The PBX has the answer to an event. @param begin when the event was complete, by {@link System#nanoTime} */
    void answered(String pbx, long begin) {
        kinds.answered(pbx, "tcp", begin);
    }

    /** Why connections are closed that did nothing wrong. */
    String closing() {
        return context.isStarted() ? "Callbridge closes the connection" : "Callbridge is stopping";
    }
}
