package io.callbridge.domain;

import io.callbridge.domain.CallEvent.Flow;
import io.callbridge.domain.CallEvent.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Makes up calls: ringing phones, queues, IVRs, transfers, forwarding, local legs, with events missing now and then. */
final class CallGenerator {

    static final Directory DIRECTORY = new Directory("main", "453", "sip.pbx.example", null, List.of(
            new Extension("101", Extension.Type.PHONE, "anna", "71101"), new Extension("102", Extension.Type.PHONE, "boris", "71102"),
            new Extension("103", Extension.Type.PHONE, "clara", "71103"), new Extension("120", Extension.Type.PHONE, null, "71120"),
            new Extension("099", Extension.Type.IVR, null, "71099"), new Extension("880", Extension.Type.QUEUE, null, "71880"),
            new Extension("881", Extension.Type.QUEUE, null, "71881")), number -> number.startsWith("+") ? number : "+" + number);
    static final CallSettings SETTINGS = new CallSettings(Duration.ofSeconds(5), Duration.ofMinutes(60), Duration.ofSeconds(5), true,
            false, false, false, Duration.ofMinutes(15), Duration.ofHours(4), Duration.ofMinutes(2));
    static final Instant BEGIN = Instant.parse("2025-03-04T09:00:00Z");
    private static final List<String> PHONES = List.of("101", "102", "103", "120", "130");

    private final Random random;
    private final List<CallEvent> events = new ArrayList<>();
    private Instant clock = BEGIN;

    CallGenerator(long seed) {
        random = new Random(seed);
    }

    List<CallEvent> call() {
        boolean through = random.nextBoolean();
        String queue = random.nextBoolean() ? "880" : "881";
        int rounds = 1 + random.nextInt(3);
        for (int round = 0; round < rounds; round++) {
            switch (random.nextInt(5)) {
                case 0, 1 -> ring(through ? queue : null, "+79000000010", null);
                case 2 -> ring(null, "453*101", random.nextBoolean() ? "+79000000010" : null);
                case 3 -> out(random.nextBoolean() ? "+79000000020" : "453*102", random.nextBoolean());
                default -> ring(through ? "099" : null, "+79000000010", null);
            }
        }
        if (through) {
            container(queue, random.nextBoolean());
            if (random.nextBoolean()) {
                container("099", random.nextBoolean());
            }
        }
        return events;
    }

    private void ring(String via, String caller, String remote) {
        int phones = 1 + random.nextInt(3);
        int taker = random.nextInt(phones + 1);
        List<String> legs = new ArrayList<>();
        for (int i = 0; i < phones; i++) {
            String leg = leg(PHONES.get(random.nextInt(PHONES.size())));
            legs.add(leg);
            add(Type.DIAL_IN, leg, Flow.IN, "calling", caller, via, remote, null, null);
        }
        if (taker < phones) {
            add(Type.ANSWER, legs.get(taker), Flow.IN, "answer", caller, via, remote, null, null);
        }
        for (int i = 0; i < phones; i++) {
            boolean took = i == taker;
            add(Type.HANGUP, legs.get(i), Flow.IN, took ? "answer" : "cancel", caller, via, remote, null,
                    duration(took));
        }
    }

    private void out(String called, boolean forwarded) {
        String leg = leg("102");
        add(Type.DIAL_OUT, leg, Flow.OUT, "calling", called, null, null, forwarded, null);
        boolean answered = random.nextBoolean();
        if (answered) {
            add(Type.ANSWER, leg, Flow.OUT, "answer", called, null, null, forwarded, null);
        }
        add(Type.HANGUP, leg, Flow.OUT, answered ? "answer" : "busy", called, null, null, forwarded, answered ? 5_000_000L : 0L);
    }

    private void container(String name, boolean bridged) {
        clock = clock.plusSeconds(1);
        events.add(new CallEvent("main", Type.HANGUP, "call", leg(name), Flow.IN, "answer", "+79000000010", "453*" + name, null,
                "453*" + name, null, null, "74950000001", null, bridged, false, null, null, clock, clock, null));
    }

    /** Missing now and then: then the two EventTimes tell the talk. */
    private Long duration(boolean talked) {
        if (!talked) {
            return 0L;
        }
        return random.nextBoolean() ? Long.valueOf(17_900_000L) : null;
    }

    private String leg(String name) {
        return "71" + name + "-" + Long.toHexString(random.nextLong());
    }

    private void add(Type type, String leg, Flow flow, String status, String party, String via, String remote, Boolean forwarded,
            Long duration) {
        if (random.nextInt(12) == 0) {
            return;
        }
        clock = clock.plusMillis(500 + random.nextInt(20_000));
        String own = "453*" + leg.substring(2, 5);
        boolean in = flow == Flow.IN;
        events.add(new CallEvent("main", type, "call", leg, flow, status, in ? party : own, in ? own : party,
                in ? via == null ? null : "453*" + via : own, in ? own : null, null, null, in ? "74950000001" : null,
                type == Type.DIAL_IN ? remote : null, null, Boolean.TRUE.equals(forwarded), null, duration, clock, clock,
                type == Type.HANGUP ? "rec-" + leg : null));
    }
}
