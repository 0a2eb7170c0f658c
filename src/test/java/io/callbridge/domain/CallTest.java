package io.callbridge.domain;

import static io.callbridge.domain.TestEvent.BEGIN;
import static io.callbridge.domain.TestEvent.SETTINGS;
import static io.callbridge.domain.TestEvent.answer;
import static io.callbridge.domain.TestEvent.dialIn;
import static io.callbridge.domain.TestEvent.dialOut;
import static io.callbridge.domain.TestEvent.hangup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.domain.Call.CardEnd;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the legs of a call tell together: ends of cards, and whether the caller was missed; and what the events of one leg tell. Extension 130
 * and everything from 140 on are not configured.
 */
class CallTest {

    private static final String CALLER = "+79000000010";
    private static final Directory NO_PREFIX = TestEvent.directory("");
    private static final Optional<CardEnd> NONE = Optional.empty();
    private static final Optional<CardEnd> ENDED = Optional.of(new CardEnd("ended", null));
    private static final Optional<CardEnd> UNANSWERED = Optional.of(new CardEnd("unanswered", null));

    // ---- no container took part (R46)

    /** 101 called the outside and wants to hand over to 102, who does not answer. */
    private static final TestEvent CALLED_OUT = dialOut("101").to(CALLER).at(0);
    private static final TestEvent TALKS = answer("101").to(CALLER).at(5);
    private static final TestEvent OFFERED = dialIn("102").from("453*101").remote(CALLER).at(60);
    private static final TestEvent NOT_TAKEN = hangup("102").from("453*101").remote(CALLER).at(80);
    private static final TestEvent OVER = hangup("101").to(CALLER).talked(95).at(100);

    // ---- when to look again

    @Test
    void nothingIsDecidedWhileTheEmployeeWhoWantedToHandOverStillTalks() {
        assertNull(call(CALLED_OUT, TALKS, OFFERED, NOT_TAKEN).decideAt(second(90)));
        assertFalse(call(CALLED_OUT, TALKS, OFFERED, NOT_TAKEN).allOver(second(90)));
    }

    @Test
    void whoTalkedToTheEmployeeWhoWantedToHandOverWasNotMissed() {
        Call call = call(CALLED_OUT, TALKS, OFFERED, NOT_TAKEN, OVER);
        assertTrue(call.anyAnswered());
        assertEquals(second(105), call.decideAt(second(100)));
    }

    /** RemoteNumber names whom a colleague has called as he dialled it, and a caller as the network told him. */
    @Test
    void whoIsHandedOverHasTheNumberThatHeHadBefore() {
        Directory us = new Directory("main", "453", "", null, List.of(), number -> "+" + number, number -> "+1" + number, List.of("9"), null);
        List<CallEvent> events = Stream.of(dialOut("101").to("92025550145").at(0), dialIn("102").from("453*101").remote("92025550145").at(60),
                dialIn("103").from("453*101").remote("442079460000").at(70)).map(TestEvent::build).toList();
        assertEquals(List.of("+12025550145", "+12025550145", "+442079460000"),
                Leg.fold(us, events).stream().map(leg -> leg.party().number()).toList());
    }

    @Test
    void anOutgoingLegWhoseAnswerMayBeOnItsWayHoldsTheDecision() {
        Call call = call(CALLED_OUT, OFFERED, NOT_TAKEN, hangup("101").to(CALLER).status("answer").at(70).arrives(84));
        assertEquals(second(89), call.decideAt(second(84)));
    }

    @Test
    void aVisitorWhomThePbxCalledWasMissedIfNoPhoneAnswered() {
        Call call = call(dialOut("120").to(CALLER).callBack("cb").at(0), answer("120").to(CALLER).callBack("cb").at(5),
                dialIn("102").from(CALLER).at(10), hangup("102").from(CALLER).at(30));
        assertFalse(call.anyAnswered());
        assertEquals(second(35), call.decideAt(second(30)));
        assertEquals("102", call.missedWithoutContainer().place().name());
    }

    @Test
    void besideAContainersVerdictOnlyLegsOfTheCallerCount() {
        Call call = call(CALLED_OUT, TALKS, hangup("880").from(CALLER).bridged(false).at(30));
        assertFalse(call.anyAnswered(), "as suppress-missed-if-answered-leg has it");
    }

    @Test
    void aPhoneThatNobodyConfiguredIsAPlaceToo() {
        MissedCall missed = call(NO_PREFIX, dialIn("130").from(CALLER).at(0), hangup("130").from(CALLER).at(20))
                .missedWithoutContainer();
        assertEquals("130", missed.place().name());
        assertEquals("unknown", missed.placeType());
    }

    // ---- hangups that were lost (R50)

    @Test
    void aCallWhoseOnlyHangupWasLostIsMissedWhenItsPhonesAreGivenUp() {
        Call call = call(dialIn("101").from(CALLER).at(0), dialIn("102").from(CALLER).at(10));
        Instant limit = second(10 + 15 * 60);
        assertNull(call.decideAt(limit.minusMillis(1)), "a phone may still ring");
        assertEquals(limit.plusSeconds(5), call.decideAt(limit));
        MissedCall missed = call.missedWithoutContainer();
        assertEquals("102", missed.place().name());
        assertEquals(second(0), missed.startedAt());
        assertEquals(second(10), missed.endedAt(), "its last event");
    }

    @Test
    void aTrueEndThatStillComesIsDecidedAsUsual() {
        Call call = call(dialIn("101").from(CALLER).at(0), hangup("101").from(CALLER).talked(25).at(30).arrives(3600));
        assertEquals(second(5), call.servedAt());
        assertEquals(second(3605), call.decideAt(second(3600)));
    }

    @Test
    void anIvrThatTookPartIsWaitedForAlsoWhenEveryHangupWasLost() {
        Call call = call(dialIn("099").from(CALLER).at(0), dialIn("101").from(CALLER).via("099").at(10));
        Instant limit = second(10 + 15 * 60);
        assertEquals(limit.plusSeconds(3600), call.decideAt(limit));
    }

    // ---- containers

    @Test
    void aQueueThatNobodyConfiguredIsAPlaceByItsShortName() {
        Call call = call(NO_PREFIX, hangup("885").from(CALLER).bridged(false).at(20));
        assertEquals("885", call.missedAt(call.decidingContainer()).place().name());
    }

    @Test
    void aQueueThatAnEmployeeAsksDecidesNothingForTheCallerOnHisOtherLine() {
        Call call = call(dialIn("101").from(CALLER).at(0), answer("101").from(CALLER).at(5),
                hangup("880").from("453*101").bridged(false).at(60));
        assertNull(call.decidingContainer());
        assertNull(call.ownCallersContainer());
        assertNull(call.decideAt(second(70)), "he still talks");
        assertTrue(call.anyAnswered());
    }

    @Test
    void theVerdictAboutTheCallerCountsEvenIfAnEmployeesOwnQueueSpokeLater() {
        Call call = call(hangup("881").from(CALLER).bridged(false).at(30), dialIn("102").from(CALLER).at(40),
                answer("102").from(CALLER).at(45), hangup("880").from("453*102").bridged(true).at(60),
                hangup("099").from("453*102").bridged(true).at(61));
        assertEquals("881", call.decidingContainer().extension().name());
        assertFalse(call.ivrBridged());
        assertNull(call.servedAt(), "881 said no, and that counts");
        assertEquals(second(35), call.decideAt(second(61)));
    }

    @Test
    void anEmployeeWhoTestsTheQueueIsNotMissed() {
        Call call = call(hangup("880").from("453*103").bridged(false).at(10));
        assertNull(call.decidingContainer());
        assertEquals("880", call.ownCallersContainer().extension().name());
        assertEquals(second(15), call.decideAt(second(10)));
    }

    @Test
    void aCallerWhomNobodyTookIsMissedEvenIfAContainerSpokeOfAnEmployee() {
        Call call = call(dialIn("101").from(CALLER).at(0), hangup("101").from(CALLER).at(20),
                hangup("880").from("453*101").bridged(false).at(30));
        assertNull(call.ownCallersContainer());
        assertFalse(call.anyAnswered());
        assertEquals("101", call.missedWithoutContainer().place().name());
        assertEquals(second(35), call.decideAt(second(30)));
    }

    @Test
    void anIvrThatAnEmployeeCalledIsNotWaitedFor() {
        Call call = call(dialIn("101").from(CALLER).at(0), answer("101").from(CALLER).at(5), dialIn("099").from("453*101").at(20),
                hangup("101").from(CALLER).talked(25).at(30));
        assertEquals(second(35), call.decideAt(second(30)));
    }

    @Test
    void anIvrThatLedIntoTheQueueIsWaitedFor() {
        TestEvent queue = hangup("880").from(CALLER).via("099").bridged(false).at(40);
        assertEquals(second(40 + 3600), call(queue).decideAt(second(40)));
        assertEquals(second(47), call(queue, hangup("099").from(CALLER).bridged(false).at(42)).decideAt(second(42)));
    }

    @Test
    void theSideOfAQueueTowardsItsAgentsNamesNoOtherContainer() {
        TestEvent agentSide = hangup("880").as(CALLER, "453*880@sip.pbx.example").to("453*101").at(21);
        assertEquals(second(25), call(dialIn("101").from(CALLER).at(0), hangup("101").from(CALLER).at(20), agentSide)
                .decideAt(second(21)));
    }

    // ---- ends of cards

    @Test
    void aHangupThatOvertookTheAnswerOfItsLegLeavesTheCardUntilTheAnswerHasCome() {
        TestEvent rang = dialIn("101").from(CALLER).at(0);
        TestEvent over = hangup("101").from(CALLER).status("answer").at(30);
        assertEquals(NONE, end("101", second(30), rang, over));
        assertEquals(ENDED, end("101", second(31), rang, over, answer("101").from(CALLER).at(5).arrives(31)));
    }

    @Test
    void whenItsAnswerDoesNotComeTheCardEndsUnansweredWithTheSettleDelay() {
        TestEvent rang = dialIn("101").from(CALLER).at(0);
        TestEvent over = hangup("101").from(CALLER).status("answer").at(30);
        Instant look = call(rang, over).leg("71101-1").lookAt(SETTINGS, second(30));
        assertEquals(NONE, end("101", look.minusMillis(1), rang, over));
        assertEquals(UNANSWERED, end("101", look, rang, over));
    }

    @Test
    void theCardOfAnOutgoingCallWaitsForItsAnswerToo() {
        TestEvent dialled = dialOut("101").to(CALLER).at(0);
        assertEquals(NONE, end("101", second(30), dialled, hangup("101").to(CALLER).status("answer").at(30)));
        assertEquals(UNANSWERED, end("101", second(30), dialled, hangup("101").to(CALLER).talked(0).at(30)));
        assertEquals(UNANSWERED, end("101", second(30), dialled, hangup("101").to(CALLER).status("busy").at(30)));
    }

    @Test
    void aPhoneThatLostMayOvertakeTheAnswerWhateverItsStatus() {
        for (String status : List.of("cancel", "noanswer")) {
            TestEvent lost = hangup("102").from(CALLER).status(status).at(10);
            TestEvent[] ringing = {dialIn("101").from(CALLER).at(0), dialIn("102").from(CALLER).at(0), lost};
            assertEquals(NONE, end("102", second(10), ringing), status);
            assertEquals(Optional.of(new CardEnd("answered-elsewhere", "101")), end("102", second(11), ringing[0], ringing[1],
                    lost, answer("101").from(CALLER).at(10).arrives(11)), status);
        }
    }

    @Test
    void anAnswerWithinASecondOfTheHangupTookTheCall() {
        TestEvent[] ringing = {dialIn("101").from(CALLER).at(0), dialIn("102").from(CALLER).at(0), hangup("102").from(CALLER).status("cancel").at(10)};
        assertEquals(Optional.of(new CardEnd("answered-elsewhere", "101")), end("102", second(11), ringing[0], ringing[1], ringing[2],
                answer("101").from(CALLER).at(11)));
        assertEquals(UNANSWERED, end("102", second(12), ringing[0], ringing[1], ringing[2], answer("101").from(CALLER).at(12)));
    }

    @Test
    void aPhoneThatWasBusyLostItsCallAtOnce() {
        assertEquals(UNANSWERED, end("102", second(10), dialIn("101").from(CALLER).at(0), dialIn("102").from(CALLER).at(0),
                hangup("102").from(CALLER).status("busy").at(10)));
    }

    private static Optional<CardEnd> end(String extension, Instant now, TestEvent... events) {
        Call call = call(events);
        return call.cardEnd(call.leg("71" + extension + "-1"), now);
    }

    private static Call call(TestEvent... events) {
        return call(TestEvent.DIRECTORY, events);
    }

    private static Call call(Directory directory, TestEvent... events) {
        return Call.of(directory, SETTINGS, Stream.of(events).map(TestEvent::build).toList(), List.of());
    }

    /** It may be decided at once, but its card may wait for an answer at another phone. */
    @Test
    void aPhoneOfAnAsteriskThatDeclinedIsLookedAtOnceMoreForItsCard() {
        Leg leg = leg(dialIn("101").from(CALLER).onChannel("PJSIP/101-0000002a").at(0),
                hangup("101").from(CALLER).onChannel("PJSIP/101-0000002a").status("noanswer").at(20));
        assertEquals(second(20), leg.decideAt(SETTINGS));
        assertEquals(second(25), leg.lookAt(SETTINGS, second(20)));
        assertNull(leg.lookAt(SETTINGS, second(25)));
    }

    @Test
    void aContainerIsNotLookedAtEvenIfOnlyItsHangupShowsThatItIsOne() {
        TestEvent entered = dialIn("140").from(CALLER).at(0);
        assertEquals(second(15 * 60), leg(entered).lookAt(SETTINGS, second(1)));
        assertNull(leg(entered, hangup("140").from(CALLER).bridged(false).at(30)).lookAt(SETTINGS, second(30)));
        assertNull(leg(dialIn("099").from(CALLER).at(0)).lookAt(SETTINGS, second(1)));
    }

    // ---- whose leg it is

    @Test
    void theExtensionOfALegIsOursWhetherItIsConfiguredOrNot() {
        assertEquals(unknown("130"), leg(NO_PREFIX, dialIn("130").from(CALLER)).extension());
        assertEquals(unknown("130"), leg(dialIn("130").as("130", null).from(CALLER)).extension());
        assertEquals(unknown("130"), leg(NO_PREFIX, dialIn("130").as("453*130", null).from(CALLER)).extension());
        assertEquals(unknown("130"), leg(NO_PREFIX, dialOut("130").to(CALLER)).extension());
        assertEquals(unknown("130"), leg(NO_PREFIX, dialOut("130").as("453*130", null).to(CALLER)).extension());
        assertEquals(unknown("885"), leg(NO_PREFIX, hangup("885").from(CALLER).bridged(false)).extension());
    }

    @Test
    void aConfiguredExtensionIsFoundByAnyOfItsNames() {
        Extension anna = TestEvent.DIRECTORY.byId("71101");
        assertEquals(anna, leg(NO_PREFIX, dialIn("101").as("453*101", "453*101@sip.pbx.example").from(CALLER)).extension());
        assertEquals(anna, leg(dialIn("101").as("101", null).from(CALLER)).extension());
    }

    @Test
    void aPhoneNumberIsNoNameOfAnExtension() {
        assertNull(leg(dialIn("101").as("+74950000001", null).from(CALLER)).extension());
        assertNull(leg(dialOut("101").as("74950000001", null).to(CALLER)).extension());
        assertNull(leg(dialOut("101").as("anonymous", null).to(CALLER)).extension());
    }

    // ---- local or not

    @Test
    void withoutAConfiguredPrefixTheLegItselfTellsWhichIsOurs() {
        assertTrue(leg(NO_PREFIX, dialIn("102").from("453*130")).local());
        assertTrue(leg(NO_PREFIX, dialIn("102").from("453*101")).local());
        assertTrue(leg(NO_PREFIX, dialOut("101").to("453*130")).local());
        assertTrue(leg(NO_PREFIX, dialOut("101").to("00500*453*130")).local());
        assertFalse(leg(NO_PREFIX, dialIn("102").from("777*130")).local(), "another customer of the PBX");
        assertFalse(leg(NO_PREFIX, dialOut("101").to("777*101")).local(), "another customer's 101");
        assertFalse(leg(NO_PREFIX, dialIn("102").from(CALLER)).local());
    }

    @Test
    void theConfiguredPrefixCountsWhateverALegSays() {
        assertFalse(leg(dialIn("102").as("777*102", "777*102@sip.pbx.example").from("777*130")).local());
    }

    @Test
    void aColleagueDialledByHisShortNumberIsKnownByCalledExtension() {
        assertTrue(leg(dialOut("101").to("130").via("130")).local());
        assertTrue(leg(NO_PREFIX, dialOut("101").to("130").via("130")).local());
        assertFalse(leg(dialOut("101").to("130")).local(), "a short number of the public network");
        assertFalse(leg(dialOut("101").to(CALLER)).local());
    }

    // ---- result

    @Test
    void anAnsweredLegWithoutAnEndHasAnUnknownResultAndNoTalk() {
        Leg leg = leg(dialIn("101").from(CALLER).at(0), answer("101").from(CALLER).at(5));
        assertEquals("unknown", leg.result());
        assertEquals(0, leg.talkSeconds());
    }

    // ---- units

    /** A talk of so long by the EventTimes. */
    @ParameterizedTest
    @CsvSource({"60, 60, SECONDS, 60", "60, 60000, MILLIS, 60", "60, 60000000, MICROS, 60", "60, 59, SECONDS, 59", "60, 31, SECONDS, 31",
            "60, 119, SECONDS, 119", "60, 29, , 1", "60, 121, , 1", "60, 61000, MILLIS, 61", "60, 25000000, , 25", "1, 1, SECONDS, 1",
            "2, 1999, MILLIS, 1", "60, 0, , 1", "7200, 7200, SECONDS, 7200", "7200, 7200000, MILLIS, 7200", "0.4, 1, , 1", "0.4, 400000, MICROS, 1"})
    void theUnitOfDurationIsToldByTheEventTimes(double talk, long duration, ChronoUnit unit, long seconds) {
        Leg leg = leg(dialIn("101").from(CALLER).at(0), answer("101").from(CALLER).at(20),
                hangup("101").from(CALLER).status("answer").micros(duration).at(20 + talk));
        assertEquals(unit, leg.durationUnit());
        assertEquals(seconds, leg.talkSeconds());
    }

    @Test
    void withoutTheAnswerTheWholeLegTellsTheUnitAsFarAsItCan() {
        TestEvent over = hangup("101").from(CALLER).status("answer").micros(60L).at(80);
        Leg leg = leg(dialIn("101").from(CALLER).at(0), over);
        assertEquals(60, leg.talkSeconds());
        assertEquals(second(20), leg.answeredAt());
        assertNull(leg(over).durationUnit());
        assertNull(leg(dialIn("101").from(CALLER).at(0), answer("101").from(CALLER).at(20).timeless(true), over).durationUnit());
    }

    /** After a minute of ringing. */
    @ParameterizedTest
    @CsvSource({"20, SECONDS, 20", "20000, MILLIS, 20", "20000000, MICROS, 20", "2, SECONDS, 2", "500000, MICROS, 1", "200, MILLIS, 1"})
    void withoutTheAnswerTheTalkMayBeAnyPartOfTheLeg(long duration, ChronoUnit unit, long seconds) {
        Leg leg = leg(dialIn("101").from(CALLER).at(0), hangup("101").from(CALLER).status("answer").micros(duration).at(80));
        assertEquals(unit, leg.durationUnit());
        assertEquals(seconds, leg.talkSeconds());
    }

    @Test
    void theConfiguredUnitCounts() {
        Directory seconds = new Directory("main", "453", "sip.pbx.example", null, List.of(), number -> number, number -> number, List.of(),
                ChronoUnit.SECONDS);
        assertEquals(60, leg(seconds, hangup("101").from(CALLER).status("answer").micros(60L)).talkSeconds());
        Leg channel = leg(seconds, answer("101").from(CALLER).onChannel("PJSIP/101-1").at(0),
                hangup("101").from(CALLER).onChannel("PJSIP/101-1").talked(60).at(60));
        assertEquals(60, channel.talkSeconds(), "an Asterisk's events are made by us");
    }

    // ---- repeats

    /** With its EventTime, or without. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatComesAgainWithMoreIsOneEvent(boolean timeless) {
        TestEvent first = hangup("101").from(CALLER).status(null).micros(null).timeless(timeless).at(80);
        TestEvent again = hangup("101").from(CALLER).talked(30).recording("rec-1").timeless(timeless).at(80).arrives(95);
        for (TestEvent[] order : new TestEvent[][] {{first, again}, {again, first}, {again, first, again}}) {
            Leg leg = leg(Stream.concat(Stream.of(dialIn("101").from(CALLER).at(0), answer("101").from(CALLER).at(20)), Stream.of(order))
                    .toArray(TestEvent[]::new));
            assertEquals(3, leg.events().size());
            assertEquals(30, leg.talkSeconds());
            assertEquals("rec-1", leg.recordingId());
            assertEquals(second(80), leg.endedAt(SETTINGS));
        }
    }

    @Test
    void whatSaysSomethingElseIsAnotherEvent() {
        TestEvent answer = answer("101").from("453*102").timeless(true).at(5);
        assertEquals(2, leg(answer, answer("101").from("453*102").remote(CALLER).timeless(true).at(9)).events().size(), "after a transfer");
        assertEquals(2, leg(answer, answer("101").from(CALLER).timeless(true).at(9)).events().size());
        assertEquals(2, leg(hangup("880").from(CALLER).timeless(true), hangup("880").from(CALLER).bridged(false).timeless(true).at(1)).events().size());
        assertEquals(2, leg(answer("101").from(CALLER).at(5), answer("101").from(CALLER).at(6)).events().size());
    }

    private static Extension unknown(String name) {
        return new Extension(name, Extension.Type.UNKNOWN, null, null);
    }

    private static Leg leg(TestEvent... events) {
        return leg(TestEvent.DIRECTORY, events);
    }

    private static Leg leg(Directory directory, TestEvent... events) {
        return Leg.of(directory, Stream.of(events).map(TestEvent::build).toList());
    }

    private static Instant second(long second) {
        return BEGIN.plusSeconds(second);
    }
}
