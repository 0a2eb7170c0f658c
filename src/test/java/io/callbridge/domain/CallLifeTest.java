package io.callbridge.domain;

import static io.callbridge.domain.CallGenerator.SETTINGS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.domain.Call.CardEnd;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for any call; and that its looks come to an end: made-up calls are lived through, event by event and timer by timer. */
class CallLifeTest {

    private static final int CALLS = 3_000;
    private static final int LIVES = 600;
    private static final String WHOLE_CALL = "";

    @ParameterizedTest
    @ValueSource(strings = {"453", ""})
    void everyLegIsSoundAndWhatColleaguesDoAmongThemselvesStaysLocal(String prefix) {
        int local = 0;
        for (long seed = 0; seed < CALLS; seed++) {
            CallGenerator generator = new CallGenerator(seed);
            List<CallEvent> events = generator.call();
            if (events.isEmpty()) {
                continue;
            }
            Call call = Call.of(CallGenerator.directory(prefix), SETTINGS, events, List.of());
            for (Leg leg : call.legs()) {
                checkSound(leg, "seed " + seed + ", leg " + leg.id());
            }
            for (String id : generator.amongColleagues()) {
                assertTrue(call.leg(id) == null || call.leg(id).local(), "seed " + seed + ", leg " + id);
                local += call.leg(id) == null ? 0 : 1;
            }
            Leg container = call.decidingContainer();
            assertFalse(container != null && generator.amongColleagues().contains(container.id()), "seed " + seed);
        }
        assertTrue(local > CALLS / 4, local + " local legs of " + CALLS + " calls");
    }

    private static void checkSound(Leg leg, String which) {
        Instant end = leg.endedAt(SETTINGS);
        assertFalse(end.isBefore(leg.startedAt()), which);
        if (leg.answered()) {
            assertFalse(leg.answeredAt().isBefore(leg.startedAt()) || end.isBefore(leg.answeredAt()), which);
        } else {
            assertNull(leg.recordingId(), which);
        }
        assertEquals(leg.result().equals("answered"), leg.talkSeconds() >= 1, which);
        assertTrue(leg.extension() != null, which);
    }

    @Test
    void inOrderEveryCardEndsAsItsLegDid() {
        int ends = 0;
        for (long seed = 0; seed < LIVES; seed++) {
            Life life = new Life(new CallGenerator(seed).call());
            for (Map.Entry<String, CardEnd> card : life.ends.entrySet()) {
                Leg leg = life.call.leg(card.getKey());
                String which = "seed " + seed + ", leg " + leg.id();
                assertEquals(leg.answered() && leg.ended(), card.getValue().reason().equals("ended"), which);
                ends++;
            }
        }
        assertTrue(ends > LIVES / 2, ends + " cards");
    }

    @Test
    void howeverTheEventsAreDelayedEveryCardEndsAndTheCallIsDecided() {
        for (long seed = 0; seed < LIVES; seed++) {
            Random random = new Random(seed);
            new Life(new CallGenerator(seed).call().stream()
                    .map(event -> TestEvent.arriving(event, event.arrivedAt().plusMillis(random.nextInt(30_000)))).toList());
        }
    }

    /** The looks that events and timers cause, as {@code CallLoader} and {@code process-card} make them; time jumps to the next. */
    private static final class Life {

        private final List<CallEvent> known = new ArrayList<>();
        private final TreeMap<String, Instant> timers = new TreeMap<>();
        private final Map<String, CardEnd> ends = new HashMap<>();
        private final Set<String> shown = new TreeSet<>();
        private Instant now = Instant.MIN;
        private Call call;

        Life(List<CallEvent> events) {
            Queue<CallEvent> coming = new ArrayDeque<>(events.stream().sorted(Comparator.comparing(CallEvent::arrivedAt)).toList());
            int looks = 0;
            while (!coming.isEmpty() || !timers.isEmpty()) {
                String due = timers.keySet().stream().min(Comparator.comparing(timers::get)).orElse(null);
                if (due == null || !coming.isEmpty() && !coming.peek().arrivedAt().isAfter(timers.get(due))) {
                    CallEvent event = coming.remove();
                    known.add(event);
                    look(event.legId(), event.arrivedAt());
                } else {
                    look(due, timers.get(due));
                }
                assertTrue(++looks < 20 + 10 * events.size(), () -> "the timers come again and again: " + timers);
            }
            if (call != null) {
                assertEquals(shown, ends.keySet());
                Instant decided = call.decideAt(now);
                assertTrue(call.legs().stream().allMatch(leg -> leg.container() && !leg.ended())
                        || decided != null && !decided.isAfter(now), call.id());
            }
        }

        private void look(String subject, Instant at) {
            now = at.isAfter(now) ? at : now;
            call = Call.of(CallGenerator.DIRECTORY, SETTINGS, known, List.of());
            if (!subject.equals(WHOLE_CALL)) {
                set(subject, call.leg(subject).lookAt(SETTINGS, now));
            }
            Instant decide = call.decideAt(now);
            set(WHOLE_CALL, subject.equals(WHOLE_CALL) && decide != null && !decide.isAfter(now) ? null : decide);
            call.legs().stream().filter(leg -> leg.start() != null && Call.user(leg) != null).forEach(this::card);
        }

        private void set(String subject, Instant due) {
            if (due == null) {
                timers.remove(subject);
            } else {
                timers.put(subject, due);
            }
        }

        private void card(Leg leg) {
            Optional<CardEnd> end = call.cardEnd(leg, now);
            if (shown.contains(leg.id())) {
                end.filter(e -> !ends.containsKey(leg.id())).ifPresent(e -> ends.put(leg.id(), e));
            } else if (end.isEmpty() && !leg.over(SETTINGS, now) && !leg.local() && !leg.forwarded()) {
                shown.add(leg.id());
            }
        }
    }
}
