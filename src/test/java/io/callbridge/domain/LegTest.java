package io.callbridge.domain;

import static io.callbridge.domain.CallGenerator.BEGIN;
import static io.callbridge.domain.CallGenerator.SETTINGS;
import static io.callbridge.domain.TestEvent.answer;
import static io.callbridge.domain.TestEvent.dialIn;
import static io.callbridge.domain.TestEvent.dialOut;
import static io.callbridge.domain.TestEvent.hangup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the events of one leg tell. Extension 130 and everything from 140 on are not configured. */
class LegTest {

    private static final String CALLER = "+79000000010";
    private static final Directory NO_PREFIX = CallGenerator.directory("");

    // ---- when to look again

    @Test
    void aRingingLegIsLookedAtWhenItIsGivenUp() {
        Leg leg = leg(dialIn("101").from(CALLER).at(0));
        assertEquals(second(15 * 60), leg.lookAt(SETTINGS, second(1)));
        assertNull(leg.lookAt(SETTINGS, second(15 * 60)));
    }

    @Test
    void aLegThatHungUpIsLookedAtWhenItIsSettled() {
        Leg leg = leg(dialIn("101").from(CALLER).at(0), hangup("101").from(CALLER).at(20));
        assertEquals(second(25), leg.lookAt(SETTINGS, second(20)));
        assertNull(leg.lookAt(SETTINGS, second(25)));
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
        Extension anna = CallGenerator.DIRECTORY.byId("71101");
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

    @Test
    void anAnsweredLegHasTalkedForASecondAtLeast() {
        assertEquals(1, leg(dialIn("101").from(CALLER).at(0), answer("101").from(CALLER).at(5),
                hangup("101").from(CALLER).talked(0).at(5.2)).talkSeconds());
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
        return leg(CallGenerator.DIRECTORY, events);
    }

    private static Leg leg(Directory directory, TestEvent... events) {
        return Leg.of(directory, Stream.of(events).map(TestEvent::build).toList());
    }

    private static Instant second(long second) {
        return BEGIN.plusSeconds(second);
    }
}
