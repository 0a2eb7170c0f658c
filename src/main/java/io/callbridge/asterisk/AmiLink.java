package io.callbridge.asterisk;

import io.callbridge.platform.AmiSettings;
import io.callbridge.platform.Outage;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.netty.channel.Channel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;

/**
 * What outlives the connections to the Asterisk of one PBX: messages that wait for the route, when to connect again, and what
 * an operator is told. One batch is in the route at a time, in the order of arrival over all connections, so that nothing
 * of a new connection is looked at before the end of the old one.
 */
final class AmiLink {

    private static final Logger LOG = Logger.getLogger(AmiLink.class);
    private static final int BATCH = 500;
    /** A batch has one time of arrival, which must be good enough for durations of calls. */
    private static final long SPAN_MS = 50;
    /** With more than this in wait, no more is read: the rest waits at the PBX. */
    private static final int MOST_BYTES = 1024 * 1024;
    private static final double JITTER = 0.25;
    /** Of Asterisk 11 and older: 12 has 2.0.0. */
    private static final Pattern OLD_BANNER = Pattern.compile("Asterisk Call Manager/[01](\\..*)?");

    private record Waiting(long connection, Instant arrivedAt, AmiMessage message) {
    }

    private final String pbx;
    private final AmiSettings target;
    private final Settings settings;
    private final BooleanSupplier mayRead;
    private final Supplier<Outage> leaseTrouble;
    private final MeterRegistry meters;
    private final ExecutorService executor;
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private final Set<String> said = new HashSet<>();
    private Consumer<AmiBatch> route;
    private IntConsumer delay = ms -> { };
    private boolean routed;
    private int bytes;
    private Channel channel;
    private boolean paused;
    private long connections;
    private int failures;
    private boolean connected;
    private Instant since = Time.now();
    private Instant lastEvent;
    private String reason = "no attempt yet";
    private final Outage outage;
    /** Why no call is known although it is connected; {@code null}: it may be. */
    private String deaf;

    /**
     * @param mayRead whether this process is the one that reads this Asterisk
     * @param leaseTrouble why nobody can say which process that is; {@code null}: it can be said
     */
    AmiLink(String pbx, AmiSettings target, Settings settings, BooleanSupplier mayRead, Supplier<Outage> leaseTrouble, MeterRegistry meters) {
        this.pbx = pbx;
        this.target = target;
        this.settings = settings;
        this.mayRead = mayRead;
        this.leaseTrouble = leaseTrouble;
        this.meters = meters;
        outage = new Outage(LOG, "PBX " + pbx + ": not connected to its Asterisk (" + target + ")", "PBX " + pbx + ": connected to its Asterisk again");
        executor = Executors.newSingleThreadExecutor(new DefaultThreadFactory("asterisk-" + pbx, true));
        meters.gauge("callbridge.asterisk.connected", tags(), this, link -> link.isConnected() ? 1 : 0);
        meters.gauge("callbridge.asterisk.last.event.seconds", tags(), this, AmiLink::lastEventSeconds);
        meters.counter("callbridge.asterisk.connections", tags());
        meters.counter("callbridge.asterisk.reconnects", tags());
    }

    /**
     * Says where messages go from now on.
     *
     * @param to returns when the route has done its work
     * @param nextAttempt is told in how many milliseconds to connect again, when a connection breaks or fails
     */
    synchronized void begin(Consumer<AmiBatch> to, IntConsumer nextAttempt) {
        route = to;
        delay = nextAttempt;
        failures = 0;
    }

    String pbx() {
        return pbx;
    }

    AmiSettings target() {
        return target;
    }

    int number(String key) {
        return settings.number(key);
    }

    boolean mayRead() {
        return mayRead.getAsBoolean();
    }

    /** Before each attempt, since the delay is asked for when the attempt has failed already. */
    synchronized void attempt() {
        long most = settings.number("ami.reconnect-max-ms");
        long next = Math.min(most, (long) settings.number("ami.reconnect-first-ms") << Math.min(failures, 20));
        failures++;
        delay.accept(jittered(next));
    }

    private static int jittered(long ms) {
        return (int) Math.max(1, ms * (1 + JITTER * (2 * ThreadLocalRandom.current().nextDouble() - 1)));
    }

    /** @return number of the connection */
    synchronized long loggedIn(Channel on, String banner) {
        connections++;
        meters.counter("callbridge.asterisk.connections", tags()).increment();
        if (connections > 1) {
            meters.counter("callbridge.asterisk.reconnects", tags()).increment();
        }
        channel = on;
        paused = false;
        connected = true;
        since = Time.now();
        said.remove("refused");
        failures = 0;
        attempt();
        if (!outage.ends()) {
            LOG.infof("PBX %s: connected to its Asterisk (%s, %s)", pbx, target, banner);
        }
        deaf = null;
        if (OLD_BANNER.matcher(banner).matches()) {
            tooOld(banner);
        }
        return connections;
    }

    /**
     * A connection has ended, or was none. It is no news when this process is not the one to read.
     *
     * @param tag few words, for the metric
     */
    synchronized void broken(Channel on, String tag, String why) {
        boolean was = connected && channel == on;
        if (was) {
            connected = false;
            channel = null;
            paused = false;
            since = Time.now();
        }
        if (!mayRead()) {
            return;
        }
        reason = why;
        meters.counter("callbridge.asterisk.cut", tags().and("reason", tag)).increment();
        outage.begins(why);
    }

    /** The Asterisk does not want us: somebody has to do something about it, so it is asked seldom. */
    synchronized void refused(String why) {
        if (outage.begins(why)) {
            said.add("refused");
        } else {
            say("refused", why);
        }
        delay.accept(settings.number("ami.refused-ms"));
    }

    /**
     * Asterisk 11 and older have other events: there is a connection, something comes all the time, and nothing of it is a call.
     *
     * @param sign what tells
     */
    synchronized void tooOld(String sign) {
        if (deaf == null) {
            deaf = "its Asterisk is 11 or older (" + sign + "): it does not say who rings and who talks (DialBegin, BridgeEnter), so that no"
                    + " call is known; needed is Asterisk 12 or newer, better 16 or newer";
            say("old", deaf);
        }
    }

    /** Whatever its banner is. */
    synchronized void speaksOfCalls() {
        deaf = null;
    }

    /** Says what an operator has to do, once until the next start. @return whether it was said now */
    synchronized boolean say(String topic, String text) {
        if (said.add(topic)) {
            LOG.errorf("PBX %s: %s", pbx, text);
            return true;
        }
        return false;
    }

    /** Messages that were received at once. */
    synchronized void received(long connection, Instant arrivedAt, AmiMessage message) {
        if (!message.event().isEmpty()) {
            lastEvent = arrivedAt;
        }
        waiting.add(new Waiting(connection, arrivedAt, message));
        bytes += message.size();
        next();
        read();
    }

    /** No more is read at the moment, for which the PBX is not to blame. */
    synchronized boolean isPaused() {
        return paused;
    }

    /** Whether the route is through with everything that was received until now. */
    boolean isIdle() {
        Channel reading;
        synchronized (this) {
            reading = channel;
        }
        if (reading != null) {
            reading.eventLoop().submit(() -> { }).syncUninterruptibly();
        }
        synchronized (this) {
            return !routed;
        }
    }

    private void next() {
        if (!routed && !waiting.isEmpty()) {
            routed = true;
            executor.execute(this::work);
        }
    }

    private void work() {
        try {
            Consumer<AmiBatch> to;
            synchronized (this) {
                to = route;
            }
            to.accept(take());
        } finally {
            synchronized (this) {
                routed = false;
                next();
                read();
            }
        }
    }

    private synchronized AmiBatch take() {
        Waiting first = waiting.element();
        List<AmiMessage> messages = new ArrayList<>();
        for (Waiting next = first; next != null && messages.size() < BATCH && next.connection == first.connection
                && next.arrivedAt.toEpochMilli() - first.arrivedAt.toEpochMilli() <= SPAN_MS; next = waiting.peek()) {
            messages.add(next.message);
            bytes -= next.message.size();
            waiting.remove();
        }
        return new AmiBatch(pbx, first.connection, first.arrivedAt, messages);
    }

    private void read() {
        if (channel != null && paused == (bytes <= MOST_BYTES)) {
            paused = !paused;
            channel.config().setAutoRead(!paused);
        }
    }

    synchronized boolean isConnected() {
        return connected;
    }

    /** Since 1970; 0 if there was none. */
    private synchronized double lastEventSeconds() {
        return lastEvent == null ? 0 : lastEvent.toEpochMilli() / 1000.0;
    }

    synchronized AmiState now() {
        if (connected || mayRead()) {
            return new AmiState(connected ? AmiState.CONNECTED : AmiState.DOWN, since, lastEvent, connected ? deaf : reason);
        }
        // Perhaps another replica reads it, perhaps none does.
        Outage trouble = leaseTrouble.get();
        return trouble == null || !trouble.lasts() ? new AmiState(AmiState.ELSEWHERE, since, lastEvent, reason)
                : new AmiState(AmiState.DOWN, trouble.since(), lastEvent, "the lease cannot be taken: " + trouble.reason());
    }

    /** For an operator. */
    synchronized String state() {
        AmiState now = now();
        return switch (now.state()) {
            case AmiState.CONNECTED -> "connected since " + since + ", last event " + (lastEvent == null ? "never" : lastEvent) + ", "
                    + (connections - 1) + " reconnects" + (deaf == null ? "" : "; " + deaf);
            case AmiState.DOWN -> "not connected since " + now.since() + ": " + now.reason();
            default -> "another replica reads it";
        };
    }

    private Tags tags() {
        return Tags.of("pbx", pbx);
    }
}
