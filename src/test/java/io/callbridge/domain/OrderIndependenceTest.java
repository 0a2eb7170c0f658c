package io.callbridge.domain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Any order of arrival and any duplication of the same events ends in the same calls and the same missed call. */
class OrderIndependenceTest {

    private static final int CALLS = 3_000;
    private static final int PERMUTATIONS = 6;

    @ParameterizedTest
    @ValueSource(strings = {"453", ""})
    void anyPermutationAndDuplicationFoldsToTheSame(String prefix) {
        Directory directory = CallGenerator.directory(prefix);
        int answered = 0;
        int missed = 0;
        for (long seed = 0; seed < CALLS; seed++) {
            List<CallEvent> events = new CallGenerator(seed).call();
            if (events.isEmpty()) {
                continue;
            }
            Object expected = outcome(directory, events);
            answered += expected.toString().contains("answered=true") ? 1 : 0;
            missed += expected.toString().contains("MissedCall") ? 1 : 0;
            Random random = new Random(seed);
            for (int i = 0; i < PERMUTATIONS; i++) {
                List<CallEvent> shuffled = new ArrayList<>(events);
                events.stream().filter(event -> random.nextInt(3) == 0).forEach(shuffled::add);
                Collections.shuffle(shuffled, random);
                assertEquals(expected, outcome(directory, arriving(shuffled)), "seed " + seed + ", permutation " + i);
            }
        }
        // The generator must reach both kinds of ends, or the comparison above proves little.
        assertTrue(answered > CALLS / 4 && missed > CALLS / 20, answered + " answered, " + missed + " missed of " + CALLS);
    }

    /**
     * Gives the events new times of arrival, in the order of the list. Not those without an EventTime: the time of these is
     * their arrival, so another arrival would be another call. They only change their place in the list.
     */
    private static List<CallEvent> arriving(List<CallEvent> events) {
        List<CallEvent> arrived = new ArrayList<>();
        Instant clock = CallGenerator.BEGIN.plus(Duration.ofDays(1));
        for (CallEvent event : events) {
            clock = clock.plusMillis(1);
            arrived.add(event.time() == null ? event : TestEvent.arriving(event, clock));
        }
        return arrived;
    }

    private static Object outcome(Directory directory, List<CallEvent> events) {
        Call call = Call.of(directory, CallGenerator.SETTINGS, events, List.of());
        TreeMap<String, String> outcome = new TreeMap<>();
        for (Leg leg : call.legs()) {
            outcome.put(leg.id(), "answered=" + leg.answered() + " " + leg.result() + " local=" + leg.local() + " " + leg.flow() + " "
                    + leg.extension() + " " + leg.party() + " " + leg.did() + " " + leg.startedAt() + " " + leg.answeredAt() + " "
                    + leg.endedAt(CallGenerator.SETTINGS) + " " + leg.talkSeconds() + " " + leg.recordingId() + " "
                    + leg.forwarded() + " " + leg.container() + " " + call.outsideCaller());
        }
        Leg container = call.decidingContainer();
        boolean notMissed = container != null ? container.hangup().bridged()
                : call.ownCallersContainer() != null || call.anyAnswered();
        MissedCall missed = container != null ? call.missedAt(container) : call.missedWithoutContainer();
        outcome.put("missed", notMissed ? "served " + call.servedAt() : String.valueOf(missed));
        return outcome;
    }
}
