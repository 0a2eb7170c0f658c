package io.callbridge.domain;

import static io.callbridge.domain.TestEvent.BEGIN;
import static io.callbridge.domain.TestEvent.SETTINGS;
import static io.callbridge.domain.TestEvent.second;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.callbridge.domain.Call.CardEnd;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the legs of a call tell together: ends of cards, and whether the caller was missed; and what the events of one leg tell. Extension 130
 * and everything from 140 on are not configured.
 */
class CallTest {

    private static final Map<String, Directory> DIRECTORIES = Map.of("", TestEvent.DIRECTORY, "no prefix", TestEvent.directory(""),
            "dials 9", new Directory("main", "453", "", null, List.of(), number -> "+" + number, number -> "+1" + number,
                    List.of("9"), null),
            "seconds", new Directory("main", "453", "sip.pbx.example", null, List.of(), number -> number, number -> number, List.of(),
                    ChronoUnit.SECONDS));

    /** What follows from the events of a call, in the words of {@link #told}. */
    private static final String CASES = """
            # The employee who wanted to hand over still talks: nothing is decided
            dial-out 101; answer 101 to @5; dial-in 102 from=453*101 remote=C @60; hangup 102 from=453*101 remote=C @80
                => decides@90 none, over@90 false
            # Whoever talked to the employee who wanted to hand over was not missed
            dial-out 101; answer 101 to @5; dial-in 102 from=453*101 remote=C @60; hangup 102 from=453*101 remote=C @80;
                hangup 101 to talked=95 @100 => answered true, decides@100 105
            # RemoteNumber names whom a colleague has called as he dialled it, and a caller as the network told him
            dials 9: dial-out 101 to=92025550145; dial-in 102 from=453*101 remote=92025550145 @60;
                dial-in 103 from=453*101 remote=442079460000 @70 => numbers +12025550145 +12025550145 +442079460000
            # An outgoing leg whose answer may be on its way holds the decision
            dial-out 101; dial-in 102 from=453*101 remote=C @60; hangup 102 from=453*101 remote=C @80;
                hangup 101 to status=answer @70 arrives=84 => decides@84 89
            # A visitor whom the PBX called was missed if no phone answered
            dial-out 120 callBack=cb; answer 120 to callBack=cb @5; dial-in 102 @10; hangup 102 @30
                => answered false, decides@30 35, missed 102 phone 0 30
            # Beside a container's verdict only legs of the caller count, as suppress-missed-if-answered-leg has it
            dial-out 101; answer 101 to @5; hangup 880 bridged=false @30 => answered false
            # A phone that nobody configured is a place too, and so is a queue
            no prefix: dial-in 130; hangup 130 @20 => missed 130 unknown 0 20
            no prefix: hangup 885 bridged=false @20 => missed 885 unknown 20 20

            # R50: a call whose only hangup was lost is missed when its phones, which may still ring, are given up
            dial-in 101; dial-in 102 @10 => decides@909.999 none, decides@910 915, missed 102 phone 0 10
            # A true end that still comes is decided as usual
            dial-in 101; hangup 101 talked=25 @30 arrives=3600 => served 5, decides@3600 3605
            # An IVR that took part is waited for, also when every hangup was lost, but not one that an employee called
            dial-in 099; dial-in 101 via=099 @10 => decides@910 4510
            hangup 880 via=099 bridged=false @40 => decides@40 3640
            hangup 880 via=099 bridged=false @40; hangup 099 bridged=false @42 => decides@42 47
            dial-in 101; answer 101 @5; dial-in 099 from=453*101 @20; hangup 101 talked=25 @30 => decides@30 35

            # A queue that an employee asks decides nothing for the caller on his other line: he still talks
            dial-in 101; answer 101 @5; hangup 880 from=453*101 bridged=false @60
                => container none, own none, decides@70 none, answered true
            # The verdict about the caller, a no, counts even if an employee's own queue spoke later
            hangup 881 bridged=false @30; dial-in 102 @40; answer 102 @45; hangup 880 from=453*102 bridged=true @60;
                hangup 099 from=453*102 bridged=true @61 => container 881, ivr false, served none, decides@61 35
            # An employee who tests the queue is not missed
            hangup 880 from=453*103 bridged=false @10 => container none, own 880, decides@10 15
            # A caller whom nobody took is missed even if a container spoke of an employee
            dial-in 101; hangup 101 @20; hangup 880 from=453*101 bridged=false @30
                => own none, answered false, missed 101 phone 0 20, decides@30 35
            # The side of a queue towards its agents names no other container
            dial-in 101; hangup 101 @20; hangup 880 as=C name=453*880@sip.pbx.example to=453*101 @21 => decides@21 25

            # A hangup that overtook the answer of its leg leaves the card until the answer has come, or the settle delay has passed
            dial-in 101; hangup 101 status=answer @30 => card@30 none
            dial-in 101; hangup 101 status=answer @30; answer 101 @5 arrives=31 => card@31 ended
            dial-in 101; hangup 101 status=answer @30 => looks@30 35, card@34.999 none, card@35 unanswered
            dial-out 101; hangup 101 to status=answer @30 => card@30 none
            dial-out 101; hangup 101 to talked=0 @30 => card@30 unanswered
            dial-out 101; hangup 101 to status=busy @30 => card@30 unanswered
            # A phone that lost may overtake the answer, whatever its status
            dial-in 102; dial-in 103; hangup 102 @10 => card@10 none
            dial-in 102; dial-in 103; hangup 102 @10; answer 103 @10 arrives=11 => card@11 answered-elsewhere 103
            dial-in 102; dial-in 103; hangup 102 status=noanswer @10 => card@10 none
            dial-in 102; dial-in 103; hangup 102 status=noanswer @10; answer 103 @10 arrives=11 => card@11 answered-elsewhere 103
            # An answer within a second of the hangup took the call
            dial-in 102; dial-in 103; hangup 102 @10; answer 103 @11 => card@11 answered-elsewhere 103
            dial-in 102; dial-in 103; hangup 102 @10; answer 103 @12 => card@12 unanswered
            # A phone that was busy lost its call at once
            dial-in 102; dial-in 103; hangup 102 status=busy @10 => card@10 unanswered

            # A phone of an Asterisk that declined may be decided at once, but its card may wait for an answer at another phone
            dial-in 101 channel=PJSIP/101-0000002a; hangup 101 channel=PJSIP/101-0000002a status=noanswer @20
                => settled 20, looks@20 25, looks@25 none
            # A container is not looked at even if only its hangup shows that it is one
            dial-in 140 => looks@1 900
            dial-in 140; hangup 140 bridged=false @30 => looks@30 none
            dial-in 099 => looks@1 none

            # The extension of a leg is ours whether it is configured or not; it is found by any of its names; a phone number is none
            no prefix: dial-in 130 => extension 130 unknown null
            dial-in 130 as=130 => extension 130 unknown null
            no prefix: dial-in 130 as=453*130 => extension 130 unknown null
            no prefix: dial-out 130 => extension 130 unknown null
            no prefix: dial-out 130 as=453*130 => extension 130 unknown null
            no prefix: hangup 885 bridged=false => extension 885 unknown null
            no prefix: dial-in 101 as=453*101 name=453*101@sip.pbx.example => extension 101 phone anna
            dial-in 101 as=101 => extension 101 phone anna
            dial-in 101 as=+74950000001 => extension none
            dial-out 101 as=74950000001 => extension none
            dial-out 101 as=anonymous => extension none

            # Without a configured prefix the leg itself tells which is ours; 777 is another customer of the PBX
            no prefix: dial-in 102 from=453*130 => local true
            no prefix: dial-in 102 from=453*101 => local true
            no prefix: dial-out 101 to=453*130 => local true
            no prefix: dial-out 101 to=00500*453*130 => local true
            no prefix: dial-in 102 from=777*130 => local false
            no prefix: dial-out 101 to=777*101 => local false
            no prefix: dial-in 102 => local false
            # The configured prefix counts whatever a leg says
            dial-in 102 as=777*102 name=777*102@sip.pbx.example from=777*130 => local false
            # A colleague dialled by his short number is known by CalledExtension, else it is one of the public network
            dial-out 101 to=130 via=130 => local true
            no prefix: dial-out 101 to=130 via=130 => local true
            dial-out 101 to=130 => local false
            dial-out 101 => local false

            # An answered leg without an end has an unknown result and no talk
            dial-in 101; answer 101 @5 => result unknown, talk 0
            # Without the answer the whole leg tells the unit as far as it can
            dial-in 101; hangup 101 status=answer micros=60 @80 => talk 60, answer 20
            hangup 101 status=answer micros=60 @80 => unit none
            dial-in 101; answer 101 timeless @20; hangup 101 status=answer micros=60 @80 => unit none
            # The configured unit counts, but an Asterisk's events are made by us
            seconds: hangup 101 status=answer micros=60 => talk 60
            seconds: answer 101 channel=PJSIP/101-1; hangup 101 channel=PJSIP/101-1 talked=60 @60 => talk 60

            # What says something else is another event: after a transfer, say
            answer 101 from=453*102 timeless @5; answer 101 from=453*102 remote=C timeless @9 => events 2
            answer 101 from=453*102 timeless @5; answer 101 timeless @9 => events 2
            hangup 880 timeless; hangup 880 bridged=false timeless @1 => events 2
            answer 101 @5; answer 101 @6 => events 2
            """;

    @TestFactory
    Stream<DynamicTest> whatFollowsFromTheEvents() {
        return CASES.replaceAll(" *\n +", " ").lines().filter(line -> line.contains("=>"))
                .map(line -> DynamicTest.dynamicTest(line, () -> check(line)));
    }

    private static void check(String line) {
        String[] sides = line.split(" => ");
        Call call = call(sides[0]);
        for (String fact : sides[1].split(", ")) {
            String[] words = fact.split("[ @]", fact.contains("@") ? 3 : 2);
            Object told = told(call, words[0], fact.contains("@") ? second(words[1]) : null);
            assertEquals(words[words.length - 1], told == null ? "none" : told.toString(), fact);
        }
    }

    /** Of the call, or of the leg that began first; times in seconds. */
    private static Object told(Call call, String fact, Instant now) {
        Leg leg = call.legs().get(0);
        Leg container = call.decidingContainer();
        return switch (fact) {
            case "answered" -> call.anyAnswered();
            case "over" -> call.allOver(now);
            case "decides" -> seconds(call.decideAt(now));
            case "served" -> seconds(call.servedAt());
            case "container" -> container == null ? null : container.extension().name();
            case "own" -> call.ownCallersContainer() == null ? null : call.ownCallersContainer().extension().name();
            case "ivr" -> call.ivrBridged();
            case "missed" -> {
                MissedCall missed = container == null ? call.missedWithoutContainer() : call.missedAt(container);
                yield "%s %s %s %s".formatted(missed.place().name(), missed.placeType(), seconds(missed.startedAt()), seconds(missed.endedAt()));
            }
            case "numbers" -> String.join(" ", call.legs().stream().map(each -> each.party().number()).toList());
            case "card" -> call.cardEnd(leg, now).map(CallTest::text).orElse(null);
            case "settled" -> seconds(leg.decideAt(SETTINGS));
            case "looks" -> seconds(leg.evaluateAt(SETTINGS, now));
            case "extension" -> leg.extension() == null ? null
                    : leg.extension().name() + " " + leg.extension().type().word() + " " + leg.extension().user();
            case "local" -> leg.local();
            case "result" -> leg.result();
            case "talk" -> leg.talkSeconds();
            case "answer" -> seconds(leg.answeredAt());
            case "unit" -> leg.durationUnit();
            case "events" -> leg.events().size();
            default -> throw new IllegalArgumentException(fact);
        };
    }

    private static String text(CardEnd end) {
        return end.reason() + (end.answeredBy() == null ? "" : " " + end.answeredBy());
    }

    private static String seconds(Instant at) {
        return at == null ? null : (Duration.between(BEGIN, at).toMillis() / 1000.0 + "").replaceFirst("\\.0$", "");
    }

    /** The name of a directory may stand before the events. */
    private static Call call(String text) {
        String[] parts = text.split(": ");
        return Call.of(Objects.requireNonNull(DIRECTORIES.get(parts.length == 1 ? "" : parts[0])), SETTINGS,
                TestEvent.read(parts[parts.length - 1]), List.of());
    }

    /** A talk of so long by the EventTimes; without its answer it may be any part of the leg, a minute of ringing before it included. */
    @ParameterizedTest
    @CsvSource({"60, 60, SECONDS, 60", "60, 60000, MILLIS, 60", "60, 60000000, MICROS, 60", "60, 59, SECONDS, 59", "60, 31, SECONDS, 31",
        "60, 119, SECONDS, 119", "60, 29, , 1", "60, 121, , 1", "60, 61000, MILLIS, 61", "60, 25000000, , 25", "1, 1, SECONDS, 1",
        "2, 1999, MILLIS, 1", "60, 0, , 1", "7200, 7200, SECONDS, 7200", "7200, 7200000, MILLIS, 7200", "0.4, 1, , 1",
        "0.4, 400000, MICROS, 1", ", 20, SECONDS, 20", ", 20000, MILLIS, 20", ", 20000000, MICROS, 20", ", 2, SECONDS, 2",
        ", 500000, MICROS, 1", ", 200, MILLIS, 1"})
    void theUnitOfDurationIsToldByTheEventTimes(Double talk, long duration, ChronoUnit unit, long seconds) {
        Leg leg = call("dial-in 101; " + (talk == null ? "" : "answer 101 @20; ") + "hangup 101 status=answer micros=" + duration + " @"
                + (talk == null ? 80 : 20 + talk)).legs().get(0);
        assertEquals(unit, leg.durationUnit());
        assertEquals(seconds, leg.talkSeconds());
    }

    /** With its EventTime, or without. */
    @ParameterizedTest
    @ValueSource(strings = {"", " timeless"})
    void whatComesAgainWithMoreIsOneEvent(String timeless) {
        String first = "; hangup 101 status=none @80" + timeless;
        String again = "; hangup 101 talked=30 recording=rec-1 @80 arrives=95" + timeless;
        for (String order : List.of(first + again, again + first, first + again + first)) {
            Leg leg = call("dial-in 101; answer 101 @20" + order).legs().get(0);
            assertEquals(3, leg.events().size());
            assertEquals(30, leg.talkSeconds());
            assertEquals("rec-1", leg.recordingId());
            assertEquals(second("80"), leg.endedAt(SETTINGS));
        }
    }
}
