package io.callbridge.domain;

import static io.callbridge.domain.TestEvent.BEGIN;
import static io.callbridge.domain.TestEvent.CALLER;
import static io.callbridge.domain.TestEvent.DIRECTORY;
import static io.callbridge.domain.TestEvent.SETTINGS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.domain.Call.CardEnd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What holds for any call, also in whatever order and however often its events come; and that its looks come to an end: made-up calls
 * are lived through, event by event and timer by timer.
 */
class CallLifeTest {

    private static final int CALLS = 1_000;
    private static final int LIVES = 600;
    private static final String WHOLE_CALL = "";
    private static final int PERMUTATIONS = 6;

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
            Call call = Call.of(TestEvent.directory(prefix), SETTINGS, events, List.of());
            for (Leg leg : call.legs()) {
                checkSound(leg, "seed " + seed + ", leg " + leg.id());
            }
            for (String id : generator.amongColleagues) {
                assertTrue(call.leg(id) == null || call.leg(id).local(), "seed " + seed + ", leg " + id);
                local += call.leg(id) == null ? 0 : 1;
            }
            Leg container = call.decidingContainer();
            assertFalse(container != null && generator.amongColleagues.contains(container.id()), "seed " + seed);
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
            life.ends.forEach((id, end) -> assertEquals(life.call.leg(id).answered() && life.call.leg(id).ended(),
                    end.reason().equals("ended"), () -> life.call.legs() + ": " + id));
            ends += life.ends.size();
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

    /** The looks that events and timers cause, as {@code Evaluator} and {@code process-card} make them; time jumps to the next. */
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
            call = Call.of(DIRECTORY, SETTINGS, known, List.of());
            if (!subject.equals(WHOLE_CALL)) {
                set(subject, call.leg(subject).evaluateAt(SETTINGS, now));
            }
            Instant decide = call.decideAt(now);
            set(WHOLE_CALL, subject.equals(WHOLE_CALL) && decide != null && !decide.isAfter(now) ? null : decide);
            call.legs().stream().filter(leg -> leg.start() != null && Call.user(leg) != null).forEach(this::card);
        }

        private void set(String subject, Instant due) {
            timers.compute(subject, (key, before) -> due);
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

    @ParameterizedTest
    @ValueSource(strings = {"453", ""})
    void anyPermutationAndDuplicationFoldsToTheSame(String prefix) {
        Directory directory = TestEvent.directory(prefix);
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
        Instant clock = BEGIN.plus(Duration.ofDays(1));
        for (CallEvent event : events) {
            clock = clock.plusMillis(1);
            arrived.add(event.time() == null ? event : TestEvent.arriving(event, clock));
        }
        return arrived;
    }

    private static Object outcome(Directory directory, List<CallEvent> events) {
        Call call = Call.of(directory, SETTINGS, events, List.of());
        TreeMap<String, String> outcome = new TreeMap<>();
        for (Leg leg : call.legs()) {
            outcome.put(leg.id(), "answered=" + leg.answered() + " " + leg.result() + " local=" + leg.local() + " " + leg.flow() + " "
                    + leg.extension() + " " + leg.party() + " " + leg.did() + " " + leg.startedAt() + " " + leg.answeredAt() + " "
                    + leg.endedAt(SETTINGS) + " " + leg.talkSeconds() + " " + leg.recordingId() + " "
                    + leg.forwarded() + " " + leg.container() + " " + call.outsideCaller());
        }
        Leg container = call.decidingContainer();
        boolean notMissed = container != null ? container.hangup().bridged()
                : call.ownCallersContainer() != null || call.anyAnswered();
        MissedCall missed = container != null ? call.missedAt(container) : call.missedWithoutContainer();
        outcome.put("missed", notMissed ? "served " + call.servedAt() : String.valueOf(missed));
        return outcome;
    }

    /** The domain must stay readable and runnable without any framework. */
    @Test
    void theDomainImportsOnlyJavaAndItself() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src/main/java/io/callbridge/domain"))) {
            for (Path source : files.toList()) {
                assertEquals(List.of(), Files.readAllLines(source).stream().filter(line -> line.startsWith("import ")
                        && !line.matches("import (static )?(java\\.|io\\.callbridge\\.domain\\.).*")).toList(), source.toString());
            }
        }
    }

    /**
     * Makes up calls: ringing phones, queues, IVRs, transfers, forwarding, callbacks, colleagues who ask each other or a queue;
     * some of the extensions are not configured. Now and then an event is missing, comes again with another EventTime, or
     * with more to tell, or has none, and a hangup has no Duration, or one in another unit.
     */
    private static final class CallGenerator {

        private static final String CALLED = "+79000000020";

        private final Random random;
        private final List<CallEvent> events = new ArrayList<>();
        /** Legs whose two ends are both ours: nothing of them may ever reach the CRM. */
        private final Set<String> amongColleagues = new TreeSet<>();
        private Instant clock = BEGIN;

        CallGenerator(long seed) {
            random = new Random(seed);
        }

        List<CallEvent> call() {
            boolean through = random.nextBoolean();
            String queue = oneOf("880", "881", "885");
            String ivr = oneOf("099", "090");
            for (int rounds = 1 + random.nextInt(3); rounds > 0; rounds--) {
                switch (random.nextInt(9)) {
                    case 0, 1 -> ring(through ? queue : null, CALLER, null);
                    case 2 -> ring(through ? ivr : null, CALLER, null);
                    case 3 -> ring(null, "453*101", CALLER);
                    case 4 -> ring(null, oneOf("453*101", "453*130"), null);
                    case 5 -> out(CALLED, null, random.nextBoolean(), null);
                    case 6 -> out(CALLED, null, false, "cb");
                    case 7 -> out(oneOf("453*102", "130"), "130", false, null);
                    default -> {
                        // An employee asks a queue, whose agents then see a colleague's call.
                        if (random.nextBoolean()) {
                            ring(queue, "453*101", null);
                        }
                        container(queue, "453*101", null, random.nextBoolean());
                    }
                }
            }
            if (through) {
                container(queue, CALLER, random.nextBoolean() ? ivr : null, random.nextBoolean());
                if (random.nextBoolean()) {
                    container(ivr, CALLER, null, random.nextBoolean());
                }
            }
            return events;
        }

        private void ring(String via, String caller, String remote) {
            int phones = 1 + random.nextInt(3);
            int taker = random.nextInt(phones + 1);
            List<String> ringing = new ArrayList<>();
            List<String> legs = new ArrayList<>();
            for (int i = 0; i < phones; i++) {
                String phone = oneOf("101", "102", "103", "120", "130");
                ringing.add(phone);
                legs.add(leg(phone, !caller.startsWith("+") && remote == null));
                add(new TestEvent("dial-in", phone).with("leg", legs.get(i)).with("from", caller).with("via", via).with("remote", remote));
            }
            if (taker < phones) {
                // The answer of an incoming call was seen to carry the answering side's own short number (R20). If all else of the
                // leg is lost, that of an extension which is not configured is like any short number of the public network.
                boolean configured = DIRECTORY.byId("71" + ringing.get(taker)) != null;
                String said = configured && random.nextInt(4) == 0 ? ringing.get(taker) : caller;
                add(new TestEvent("answer", ringing.get(taker)).with("leg", legs.get(taker)).with("from", said).with("via", via));
            }
            for (int i = 0; i < phones; i++) {
                String leg = legs.get(i);
                TestEvent over = new TestEvent("hangup", ringing.get(i)).with("leg", leg).with("from", caller).with("via", via)
                        .with("recording", "rec-" + leg);
                add(i == taker ? talked(over, 17_900_000L) : over.with("status", oneOf("cancel", "noanswer", "answer")).with("micros", 0L));
            }
        }

        private void out(String called, String colleague, boolean forwarded, String callBack) {
            String leg = leg("102", colleague != null);
            List<TestEvent> all = Stream.of("dial-out", "answer", "hangup").map(type -> new TestEvent(type, "102").with("leg", leg)
                    .with("to", called).with("via", colleague).with("forwarded", forwarded).with("callBack", callBack)).toList();
            add(all.get(0));
            boolean answered = random.nextBoolean();
            if (answered) {
                add(all.get(1));
            }
            TestEvent over = all.get(2).with("recording", "rec-" + leg);
            add(answered ? talked(over, 5_000_000L) : over.with("status", "busy").with("micros", 0L));
        }

        private void container(String name, String caller, String via, boolean bridged) {
            String leg = leg(name, !caller.startsWith("+"));
            if (random.nextInt(3) == 0) {
                add(new TestEvent("dial-in", name).with("leg", leg).with("from", caller).with("via", via));
            }
            if (random.nextInt(4) == 0) {
                add(new TestEvent("hangup", name).with("leg", leg).with("from", caller).with("via", via));
            }
            add(new TestEvent("hangup", name).with("leg", leg).with("from", caller).with("via", via).with("status", "answer")
                    .with("bridged", bridged));
        }

        /** The Duration is missing now and then: then the two EventTimes tell the talk. */
        private TestEvent talked(TestEvent hangup, long micros) {
            long[] units = {1, 1, 1_000, 1_000_000};
            return hangup.with("status", "answer").with("micros", random.nextBoolean() ? micros / units[random.nextInt(4)] : null);
        }

        private String leg(String name, boolean colleagues) {
            String leg = "71" + name + "-" + Long.toHexString(random.nextLong());
            if (colleagues) {
                amongColleagues.add(leg);
            }
            return leg;
        }

        private void add(TestEvent event) {
            if (random.nextInt(12) == 0) {
                return;
            }
            clock = clock.plusMillis(500 + random.nextInt(20_000));
            events.add(event.with("at", clock).with("timeless", random.nextInt(15) == 0 ? "" : null).build());
            if (random.nextInt(15) == 0) {
                clock = clock.plusMillis(1 + random.nextInt(3_000));
                events.add(event.with("at", clock).with("timeless", null).build());
            }
            if (random.nextInt(15) == 0) {
                events.add(event.with("status", null).with("recording", null).with("micros", null).build());
            }
        }

        private String oneOf(String... values) {
            return values[random.nextInt(values.length)];
        }
    }
}
