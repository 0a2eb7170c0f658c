package io.callbridge.ingest;

import io.callbridge.domain.CallEvent;
import io.callbridge.domain.EventReader;
import io.callbridge.platform.Settings;
import io.callbridge.platform.Time;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.quarkus.runtime.annotations.RegisterForReflection;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.Exchange;
import org.apache.camel.spi.CamelEvent.CamelContextStartedEvent;
import org.jboss.logging.Logger;

/** Tells events that matter from others (rule R3), whichever way they came, and counts both. */
@ApplicationScoped
public class EventKinds {

    private static final Logger LOG = Logger.getLogger(EventKinds.class);
    private static final String EVENTS = "callbridge.events";
    private static final String UNKNOWN = "unknown";
    private static final String WRONG_SECRET = "wrong-secret";
    private static final String REFUSED = "refused";
    private static final int MOST_IGNORED = 20;
    private static final int MOST_DIFFERENCES = 100;

    /** Up to which times the answers are counted. PBXs give up after seconds. */
    private static final Duration[] ANSWER_TIMES = {Duration.ofMillis(5), Duration.ofMillis(10), Duration.ofMillis(25),
        Duration.ofMillis(50), Duration.ofMillis(100), Duration.ofMillis(250), Duration.ofMillis(500), Duration.ofSeconds(1), Duration.ofSeconds(2)};

    private final MeterRegistry meters;
    private final Map<String, Timer> answers = new ConcurrentHashMap<>();
    /** By {@link System#nanoTime}, for each PBX. */
    private final Map<String, Long> lastEvents = new ConcurrentHashMap<>();
    private final long begin = System.nanoTime();
    private final Map<String, Refusal> refusals = new ConcurrentHashMap<>();
    private final Map<String, Deque<Ignored>> ignored = new ConcurrentHashMap<>();
    private final Map<String, Map<String, Unclear>> unclear = new ConcurrentHashMap<>();
    private final Map<String, Deque<Long>> clocks = new ConcurrentHashMap<>();
    private final AtomicLong wrongSecrets = new AtomicLong();
    private volatile Instant wrongSecretAt;

    /** What a PBX sent last that nobody could read. */
    @RegisterForReflection
    public record Refusal(Instant at, String reason) {
    }

    /** What a PBX sent that is no call event for us, and was acknowledged all the same. @param reason as it is counted */
    @RegisterForReflection
    public record Ignored(Instant at, String type, String reason) {
    }

    /** A value of an event that was taken for something else than it may mean. */
    public record Unclear(Instant at, String value) {
    }

    public EventKinds(MeterRegistry meters) {
        this.meters = meters;
    }

    /** Not earlier: what is wrong with the configuration is said by whoever checks it. */
    void register(@Observes CamelContextStartedEvent event, Settings settings) {
        // There from the beginning: of a counter that appears with its first event, nobody sees that one.
        meters.counter(EVENTS, "pbx", UNKNOWN, "type", "none", "result", WRONG_SECRET);
        for (String pbx : settings.pbxs()) {
            meters.counter(EVENTS, "pbx", pbx, "type", "none", "result", REFUSED);
            meters.gauge("callbridge.pbx.last.event.seconds", Tags.of("pbx", pbx), this, kinds -> kinds.silentSeconds(pbx));
            meters.gauge("callbridge.pbx.clock.seconds", Tags.of("pbx", pbx), this, kinds -> kinds.clockSeconds(pbx).orElse(Double.NaN));
        }
    }

    /** Since the last call event that came to this process; before the first one, since its start. */
    private double silentSeconds(String pbx) {
        return (System.nanoTime() - lastEvents.getOrDefault(pbx, begin)) / 1e9;
    }

    /**
     * Keeps how long a PBX has waited for its answer, whatever that was.
     *
     * @param input {@code webhook} or {@code tcp}
     * @param begin when all of it was there, by {@link System#nanoTime}
     */
    void answered(String pbx, String input, long begin) {
        answers.computeIfAbsent(input + " " + pbx, key -> Timer.builder("callbridge.acknowledgement").tag("pbx", pbx).tag("input", input)
                .serviceLevelObjectives(ANSWER_TIMES).register(meters)).record(System.nanoTime() - begin, TimeUnit.NANOSECONDS);
    }

    /**
     * Sets the variable {@code kind}: {@code event}, {@code interactive} (a PBX that sent it by webhook waits for XML),
     * {@code ignored} (another event family, or ids missing: counted and logged).
     *
     * @return of an event: {@code pbx} and {@code fields}, as {@link EventStore#append} takes them
     */
    Map<String, Object> sort(Exchange exchange, String pbx, Map<String, String> fields) {
        String type = fields.getOrDefault("EventType", "").strip();
        String ignored = EventReader.ignored(fields);
        if ("call_interactive".equalsIgnoreCase(type)) {
            count(pbx, "call_interactive", "other-family");
            exchange.setVariable("kind", "interactive");
            return Map.of();
        }
        if (ignored != null) {
            count(pbx, "other", ignored);
            last(this.ignored, pbx, new Ignored(Time.now(), shown(type), ignored), MOST_IGNORED);
            LOG.infof("PBX %s sent an event to ignore (%s)", pbx, ignored);
            exchange.setVariable("kind", "ignored");
            return Map.of();
        }
        EventReader.unclear(fields).forEach((field, value) -> unclear(pbx, field, value));
        exchange.setVariable("kind", "event");
        return Map.of("pbx", pbx, "fields", fields);
    }

    /** Counts a call event that is durable. */
    public void accepted(CallEvent event) {
        lastEvents.put(event.pbx(), System.nanoTime());
        count(event.pbx(), event.type().word, "accepted");
        if (event.time() != null) {
            last(clocks, event.pbx(), Duration.between(event.arrivedAt(), event.time()).toMillis(), MOST_DIFFERENCES);
        }
    }

    /** What the PBX's clock is ahead of ours, as the median of its last events tells; negative: behind. */
    public OptionalDouble clockSeconds(String pbx) {
        List<Long> differences = all(clocks, pbx).stream().sorted().toList();
        return differences.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(differences.get(differences.size() / 2) / 1e3);
    }

    /** Notes what an event says in a way that can be understood wrongly. */
    public void unclear(String pbx, String field, String value) {
        unclear.computeIfAbsent(pbx, one -> new ConcurrentSkipListMap<>()).put(field, new Unclear(Time.now(), shown(value)));
    }

    /** By field, the last one since the start of this process. */
    public Map<String, Unclear> lastUnclear(String pbx) {
        return unclear.getOrDefault(pbx, Map.of());
    }

    /** The last ones since the start of this process, the latest first. */
    public List<Ignored> lastIgnored(String pbx) {
        return all(ignored, pbx);
    }

    private static <T> void last(Map<String, Deque<T>> kept, String pbx, T latest, int most) {
        Deque<T> some = kept.computeIfAbsent(pbx, one -> new ArrayDeque<>());
        synchronized (some) {
            some.addFirst(latest);
            if (some.size() > most) {
                some.removeLast();
            }
        }
    }

    private static <T> List<T> all(Map<String, Deque<T>> kept, String pbx) {
        Deque<T> some = kept.getOrDefault(pbx, new ArrayDeque<>());
        synchronized (some) {
            return List.copyOf(some);
        }
    }

    private static String shown(String text) {
        return text.length() > 60 ? text.substring(0, 60) + "..." : text;
    }

    /** Counts what a PBX has sent and nobody can read. */
    public void refused(String pbx, String reason) {
        count(pbx, "none", REFUSED);
        refusals.put(pbx, new Refusal(Time.now(), reason));
        LOG.warnf("PBX %s sent what cannot be read: %s", pbx, reason);
    }

    /** Counts somebody who is no PBX of ours. */
    void wrongSecret() {
        count(UNKNOWN, "none", WRONG_SECRET);
        wrongSecrets.incrementAndGet();
        wrongSecretAt = Time.now();
    }

    /** Since the start of this process. @return {@code null}: there was none */
    public Refusal lastRefusal(String pbx) {
        return refusals.get(pbx);
    }

    /** Since the start of this process. */
    public long wrongSecrets() {
        return wrongSecrets.get();
    }

    /** {@code null}: there was none. */
    public Instant wrongSecretAt() {
        return wrongSecretAt;
    }

    private void count(String pbx, String type, String result) {
        meters.counter(EVENTS, "pbx", pbx, "type", type, "result", result).increment();
    }
}
