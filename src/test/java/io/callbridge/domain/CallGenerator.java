package io.callbridge.domain;

import static io.callbridge.domain.TestEvent.answer;
import static io.callbridge.domain.TestEvent.dialIn;
import static io.callbridge.domain.TestEvent.dialOut;
import static io.callbridge.domain.TestEvent.hangup;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * Makes up calls: ringing phones, queues, IVRs, transfers, forwarding, callbacks, colleagues who ask each other or a queue;
 * some of the extensions are not configured. Now and then an event is missing, comes again with another EventTime, or
 * with more to tell, or has none, and a hangup has no Duration, or one in another unit.
 */
final class CallGenerator {

    static final CallSettings SETTINGS = new CallSettings(Duration.ofSeconds(5), Duration.ofMinutes(60), Duration.ofSeconds(5),
            true, false, false, false, Duration.ofMinutes(15), Duration.ofHours(4), Duration.ofMinutes(2));
    static final Instant BEGIN = Instant.parse("2025-03-04T09:00:00Z");
    static final Directory DIRECTORY = directory("453");
    private static final List<String> PHONES = List.of("101", "102", "103", "120", "130");
    private static final String CALLER = "+79000000010";
    private static final String CALLED = "+79000000020";

    private final Random random;
    private final List<CallEvent> events = new ArrayList<>();
    private final Set<String> amongColleagues = new TreeSet<>();
    private Instant clock = BEGIN;

    CallGenerator(long seed) {
        random = new Random(seed);
    }

    /** The PBX of the made-up calls; an empty prefix: nobody configured it. */
    static Directory directory(String prefix) {
        return new Directory("main", prefix, "sip.pbx.example", null, List.of(
                new Extension("101", Extension.Type.PHONE, "anna", "71101"),
                new Extension("102", Extension.Type.PHONE, "boris", "71102"),
                new Extension("103", Extension.Type.PHONE, "clara", "71103"),
                new Extension("120", Extension.Type.PHONE, null, "71120"), new Extension("099", Extension.Type.IVR, null, "71099"),
                new Extension("880", Extension.Type.QUEUE, null, "71880"), new Extension("881", Extension.Type.QUEUE, null, "71881")),
                CallGenerator::plus, CallGenerator::plus, List.of(), null);
    }

    private static String plus(String number) {
        return number.startsWith("+") ? number : "+" + number;
    }

    List<CallEvent> call() {
        boolean through = random.nextBoolean();
        String queue = oneOf("880", "881", "885");
        String ivr = oneOf("099", "090");
        int rounds = 1 + random.nextInt(3);
        for (int round = 0; round < rounds; round++) {
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

    /** Legs whose two ends are both ours: nothing of them may ever reach the CRM. */
    Set<String> amongColleagues() {
        return amongColleagues;
    }

    private void ring(String via, String caller, String remote) {
        int phones = 1 + random.nextInt(3);
        int taker = random.nextInt(phones + 1);
        List<String> ringing = new ArrayList<>();
        List<String> legs = new ArrayList<>();
        for (int i = 0; i < phones; i++) {
            String phone = oneOf(PHONES.toArray(String[]::new));
            ringing.add(phone);
            legs.add(leg(phone, !caller.startsWith("+") && remote == null));
            add(dialIn(phone).leg(legs.get(i)).from(caller).via(via).remote(remote));
        }
        if (taker < phones) {
            // The answer of an incoming call was seen to carry the answering side's own short number (R20). If all else of the
            // leg is lost, that of an extension which is not configured is like any short number of the public network.
            boolean configured = DIRECTORY.byId("71" + ringing.get(taker)) != null;
            String said = configured && random.nextInt(4) == 0 ? ringing.get(taker) : caller;
            add(answer(ringing.get(taker)).leg(legs.get(taker)).from(said).via(via));
        }
        for (int i = 0; i < phones; i++) {
            String leg = legs.get(i);
            TestEvent over = hangup(ringing.get(i)).leg(leg).from(caller).via(via).recording("rec-" + leg);
            add(i == taker ? talked(over, 17_900_000L) : over.status(oneOf("cancel", "noanswer", "answer")).micros(0L));
        }
    }

    private void out(String called, String colleague, boolean forwarded, String callBack) {
        String leg = leg("102", colleague != null);
        UnaryOperator<TestEvent> fields = event -> event.leg(leg).to(called).via(colleague).forwarded(forwarded)
                .callBack(callBack);
        add(fields.apply(dialOut("102")));
        boolean answered = random.nextBoolean();
        if (answered) {
            add(fields.apply(answer("102")));
        }
        TestEvent over = fields.apply(hangup("102")).recording("rec-" + leg);
        add(answered ? talked(over, 5_000_000L) : over.status("busy").micros(0L));
    }

    private void container(String name, String caller, String via, boolean bridged) {
        String leg = leg(name, !caller.startsWith("+"));
        if (random.nextInt(3) == 0) {
            add(dialIn(name).leg(leg).from(caller).via(via));
        }
        if (random.nextInt(4) == 0) {
            add(hangup(name).leg(leg).from(caller).via(via));
        }
        add(hangup(name).leg(leg).from(caller).via(via).status("answer").bridged(bridged));
    }

    /** The Duration is missing now and then: then the two EventTimes tell the talk. */
    private TestEvent talked(TestEvent hangup, long micros) {
        long[] units = {1, 1, 1_000, 1_000_000};
        return hangup.status("answer").micros(random.nextBoolean() ? micros / units[random.nextInt(4)] : null);
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
        events.add(event.at(clock).timeless(random.nextInt(15) == 0).build());
        if (random.nextInt(15) == 0) {
            clock = clock.plusMillis(1 + random.nextInt(3_000));
            events.add(event.at(clock).timeless(false).build());
        }
        if (random.nextInt(15) == 0) {
            events.add(event.status(null).recording(null).micros(null).build());
        }
    }

    private String oneOf(String... values) {
        return values[random.nextInt(values.length)];
    }
}
