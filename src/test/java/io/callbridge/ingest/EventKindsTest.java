package io.callbridge.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Instant;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is known about the events of a PBX. */
class EventKindsTest {

    private static final Instant NOW = Instant.parse("2025-03-04T09:00:00Z");

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final EventKinds kinds = new EventKinds(meters);

    @Test
    void anEventCountsWhetherItIsNewOrARepeat() {
        accept(0, true);
        accept(0, false);
        assertEquals(2, meters.get("callbridge.events").tags("pbx", "main", "type", "hangup", "result", "accepted").counter().count());
    }

    /** Some events come late, after an outage say, and a repeat is always late. */
    @Test
    void theClockIsTheMiddleOfTheLastHundredDifferences() {
        assertEquals(OptionalDouble.empty(), kinds.clockSeconds("main"));
        accept(-10_800, true);
        assertEquals(-10_800, kinds.clockSeconds("main").orElseThrow());
        IntStream.range(0, 60).forEach(i -> accept(7_200.5, true));
        IntStream.range(0, 40).forEach(i -> accept(-4_000, true));
        IntStream.range(0, 400).forEach(i -> accept(-4_000, false));
        assertEquals(7_200.5, kinds.clockSeconds("main").orElseThrow());
        IntStream.range(0, 20).forEach(i -> accept(0, true));
        assertEquals(0, kinds.clockSeconds("main").orElseThrow());
    }

    private void accept(double ahead, boolean isNew) {
        kinds.accepted(EventReader.read("main", Map.of("EventType", "hangup", "CallID", "c1", "SubCallID", "71101-1", "EventTime",
                NOW.plusMillis(Math.round(ahead * 1000)).toString()), NOW), isNew);
    }
}
