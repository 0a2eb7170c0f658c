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
import org.junit.jupiter.api.Test;

/** Any order of arrival and any duplication of the same events ends in the same calls and the same missed call. */
class OrderIndependenceTest {

    private static final int CALLS = 3_000;
    private static final int PERMUTATIONS = 6;

    @Test
    void anyPermutationAndDuplicationFoldsToTheSame() {
        int answered = 0;
        int missed = 0;
        for (long seed = 0; seed < CALLS; seed++) {
            List<CallEvent> events = new CallGenerator(seed).call();
            if (events.isEmpty()) {
                continue;
            }
            Object expected = outcome(events);
            answered += expected.toString().contains("answered=true") ? 1 : 0;
            missed += expected.toString().contains("MissedCall") ? 1 : 0;
            Random random = new Random(seed);
            for (int i = 0; i < PERMUTATIONS; i++) {
                List<CallEvent> shuffled = new ArrayList<>(events);
                events.stream().filter(event -> random.nextInt(3) == 0).forEach(shuffled::add);
                Collections.shuffle(shuffled, random);
                assertEquals(expected, outcome(arriving(shuffled)), "seed " + seed + ", permutation " + i);
            }
        }
        // The generator must reach both kinds of ends, or the comparison above proves little.
        assertTrue(answered > CALLS / 4 && missed > CALLS / 20, answered + " answered, " + missed + " missed of " + CALLS);
    }

    /** Gives the events new times of arrival, in the order of the list. */
    private static List<CallEvent> arriving(List<CallEvent> events) {
        List<CallEvent> arrived = new ArrayList<>();
        Instant clock = CallGenerator.BEGIN.plus(Duration.ofDays(1));
        for (CallEvent e : events) {
            clock = clock.plusMillis(1);
            arrived.add(new CallEvent(e.pbx(), e.type(), e.callId(), e.legId(), e.flow(), e.status(), e.caller(), e.called(),
                    e.callerExtension(), e.calledExtension(), e.callerExtensionId(), e.calledExtensionId(), e.did(),
                    e.remoteNumber(), e.bridged(), e.transferred(), e.callBackId(), e.durationMicros(), e.time(), clock,
                    e.recordingId()));
        }
        return arrived;
    }

    private static Object outcome(List<CallEvent> events) {
        Call call = Call.of(CallGenerator.DIRECTORY, CallGenerator.SETTINGS, events, List.of());
        TreeMap<String, String> outcome = new TreeMap<>();
        for (Leg leg : call.legs()) {
            outcome.put(leg.id(), "answered=" + leg.answered() + " " + leg.result() + " local=" + leg.local() + " " + leg.flow() + " "
                    + leg.extension() + " " + leg.party() + " " + leg.did() + " " + leg.startedAt() + " " + leg.answeredAt() + " "
                    + leg.endedAt(CallGenerator.SETTINGS) + " " + leg.talkSeconds() + " " + leg.recordingId() + " "
                    + leg.forwarded() + " " + leg.container() + " " + call.outsideCaller());
        }
        Leg container = call.decidingContainer();
        MissedCall missed = container != null ? container.hangup().bridged() ? null : call.missedAt(container)
                : call.anyAnswered() ? null : call.missedWithoutContainer();
        outcome.put("missed", String.valueOf(missed));
        return outcome;
    }
}
