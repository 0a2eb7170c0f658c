package io.callbridge.asterisk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.domain.Leg;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What follows from the streams of real Asterisks is what really happened, whatever is changed in them that should not matter (else: CapturesTest). */
class AsteriskCallsTest {

    private static final double TOLERANCE = 0.3;

    private static void compare(Truth truth, AsteriskLab lab) {
        List<String> registered = new ArrayList<>(lab.registered());
        lab.passes(Duration.ofSeconds(10));
        for (Truth.Leg expected : truth.legs()) {
            Leg leg = lab.leg(expected.id(), expected.outside());
            assertNotNull(leg, () -> expected + " is not known: " + lab);
            assertEquals(expected.extension(), leg.extension().name(), expected::toString);
            assertEquals(expected.direction(), leg.flow().name().toLowerCase(), expected::toString);
            assertEquals(expected.outside(), !leg.local(), expected::toString);
            assertEquals(expected.did() == null ? null : "+" + expected.did(), leg.did(), expected::toString);
            if (expected.start() != null) {
                assertEquals(expected.start(), lab.seconds(leg.startedAt()), TOLERANCE, expected::toString);
            }
            assertEquals(expected.answer() != null, leg.answered(), expected::toString);
            if (leg.answered()) {
                assertEquals(expected.answer(), lab.seconds(leg.answeredAt()), TOLERANCE, expected::toString);
            }
            assertEquals(expected.end(), lab.seconds(leg.hangup().at()), TOLERANCE, expected::toString);
            if (expected.cardEnd() != null) {
                assertEquals(expected.cardEnd(), lab.cardEnd(leg.id()), expected::toString);
            }
            if (expected.outside() && (leg.answered() || expected.direction().equals("out"))) {
                assertTrue(registered.remove(leg.id()), () -> expected + " is not registered: " + lab);
                assertTrue(leg.recordingId() != null || !leg.answered() || !truth.recorded(), expected::toString);
                assertTrue(leg.recordingId() == null || truth.recordings().contains(leg.recordingId()), leg::recordingId);
            }
        }
        assertEquals(List.of(), registered);
        assertEquals(List.of(), lab.cards().stream().filter(id -> truth.legs().stream().noneMatch(leg -> leg.id().equals(id))).toList());
        assertEquals(truth.missed(), lab.missed());
    }

    /**
     * The caller's first channel tells another number at its begin, or none, and NewCallerid the right one: dialplans do so, and
     * analogue and ISDN lines. Whatever tells of the call has the last number that was known before a phone rang.
     */
    @TestFactory
    Stream<DynamicTest> aCallHasOneNumberWhereverItComesFrom() throws IOException {
        List<String> ways = List.of("980012025550143 4", "anonymous 4", "<unknown> 4", "<unknown> 9", "<unknown> 9 without Ring");
        return Capture.names().stream().filter(name -> !name.contains("/") && name.startsWith("in_") && !name.equals("in_conference")
                && !name.equals("in_ext_anonymous")).flatMap(name -> ways.stream().map(way -> DynamicTest.dynamicTest(name + ": " + way, () -> {
                    Truth truth = Truth.of(name);
                    AsteriskLab lab = new AsteriskLab().plays(Capture.of(name).messages(told(way.split(" ")[0], way.split(" ")[1],
                            !way.endsWith("Ring"), "12025550143")));
                    compare(truth, lab);
                    assertEquals(Set.of("+12025550143"), lab.callers());
                })));
    }

    /** @return makes of the first message of a call from outside what begins it with a number, and what tells another one */
    private static UnaryOperator<String> told(String number, String state, boolean rings, String later) {
        return message -> {
            if (!message.startsWith("Event: Newchannel") || !message.contains("Channel: PJSIP/trunk") || !message.contains("Context: from-trunk")
                    || !message.contains("CallerIDNum: 12025550143")) {
                return message;
            }
            String begin = message.replace("CallerIDNum: 12025550143", "CallerIDNum: " + number)
                    .replace("ChannelState: 4", "ChannelState: " + state);
            String event = message.replace("Event: Newchannel", "Event: NewCallerid").replaceAll("CallerIDNum: .*", "CallerIDNum: " + later);
            String ring = message.replace("Event: Newchannel", "Event: Newstate").replace("CallerIDNum: 12025550143", "CallerIDNum: " + number);
            return begin + event + (state.equals("9") && rings ? ring : "");
        };
    }

    @Test
    void aNumberMayBeToldToWhoWaitsInAQueue() throws IOException {
        String[] joined = new String[1];
        AsteriskLab lab = new AsteriskLab().plays(Capture.of("in_queue_abandoned").messages(message -> {
            String before = joined[0] == null ? message.replaceAll("(?m)^CallerIDNum: 12025550143", "CallerIDNum: 980012025550143") : message;
            joined[0] = message.startsWith("Event: QueueCallerJoin") ? message : joined[0];
            return before + (before.startsWith("Event: QueueCallerJoin") ? message.replace("QueueCallerJoin", "NewCallerid") : "");
        }));
        compare(Truth.of("in_queue_abandoned"), lab);
        assertEquals(Set.of("+12025550143"), lab.callers());
    }

    @Test
    void aNumberThatWasToldInAGapIsInTheListOfChannels() {
        AsteriskLab lab = new AsteriskLab();
        String line = "\nChannel: DAHDI/trunk1-1\nUniqueid: 1.1\nLinkedid: 1.1";
        lab.says("Event: Newchannel" + line + "\nCallerIDNum: <unknown>\nContext: from-trunk\nExten: s\nChannelState: 4");
        lab.reconnected(line.substring(1) + "\nCallerIDNum: 12025550143\nChannelState: 6");
        lab.says("Event: Hangup" + line + "\nContext: menu\nCause: 16");
        assertEquals(List.of("1.1"), lab.missed());
        assertEquals(Set.of("+12025550143"), lab.callers());
    }

    @Test
    void aNumberThatIsToldAfterAPhoneHasRungIsNotTheCallers() throws IOException {
        String[] rung = new String[1];
        Capture capture = Capture.of("in_second_try");
        AsteriskLab lab = new AsteriskLab().plays(capture.messages(message -> {
            boolean first = rung[0] == null && message.startsWith("Event: Newstate") && message.contains("ChannelState: 5");
            rung[0] = first ? "rung" : rung[0];
            return rung[0] == null || first ? message : message.replaceAll("(?m)^((Dest)?(ConnectedLine|CallerID)Num: )12025550143", "$119995550199");
        }));
        compare(Truth.of("in_second_try"), lab);
        assertEquals(Set.of("+12025550143"), lab.callers());
    }

    /** The dialplan takes off what was dialled for the outside line, or puts on what the provider wants; see NumberFormatsTest. */
    @ParameterizedTest
    @CsvSource({"12025550145@trunk1, 912025550145, +12025550145,", "12025550145@trunk1, 92025550145, +12025550145,",
            "trunk1/12025550145, 912025550145, +12025550145,", "g0/12025550145, 92025550145, +12025550145,",
            "trunk1/sip:12025550145@192.0.2.7:5060, 912025550145, +12025550145,", "12025550145@trunk1, 600, +12025550145,",
            "7777#912025550145@trunk1, 12025550145, +12025550145,", "trunk1, 12025550145, +12025550145,",
            "00442079460958@trunk1, 9011442079460958, +442079460958,", "912@trunk1, 9912, 912,",
            "9912025550145@trunk1, 9912025550145, 9912025550145,", "912025550145@trunk1, 912025550145, +12025550145, 9",
            "g0/ww12025550145, 92025550145, +12025550145,", "trunk1/tel:+12025550145, 92025550145, +12025550145,",
            "g0/9w12025550145, 912025550145, +12025550145, 9", "12025550145@trunk1, 912025550145, +12025550145, 9"})
    void ofWhatWasDialledAndWhatWasSentTheOneThatIsANumberCounts(String sent, String dialled, String number, String outsidePrefix) {
        AsteriskLab lab = outsidePrefix == null ? new AsteriskLab() : new AsteriskLab(outsidePrefix);
        lab.says("Event: Newchannel\nChannel: PJSIP/101-00000001\nUniqueid: 1.1\nLinkedid: 1.1\nExten: " + dialled + "\nChannelState: 4");
        lab.says("Event: Newchannel\nChannel: PJSIP/trunk1-00000002\nUniqueid: 1.2\nLinkedid: 1.1\nExten: s\nChannelState: 0");
        lab.says("Event: DialBegin\nChannel: PJSIP/101-00000001\nUniqueid: 1.1\nLinkedid: 1.1\nExten: " + dialled
                + "\nDestChannel: PJSIP/trunk1-00000002\nDestUniqueid: 1.2\nDialString: " + sent);
        assertEquals(number, lab.leg("1.1", true).party().number());
    }

    /** The line's polarity changes when a call ends as well: nobody rang. */
    @Test
    void aLineThatNeverRingsIsNoCall() {
        AsteriskLab lab = new AsteriskLab();
        String line = "\nChannel: DAHDI/trunk1-1\nUniqueid: 1.1\nLinkedid: 1.1\nCallerIDNum: <unknown>\nContext: from-trunk";
        lab.says("Event: Newchannel" + line + "\nExten: s\nChannelState: 9");
        lab.says("Event: Hangup" + line + "\nExten: s\nChannelState: 9\nCause: 0");
        assertEquals(0, lab.events());
    }

    /** The dialplan says the company's number before it calls a mobile for the caller. */
    @Test
    void theNumberThatWasCalledIsNotTheCallers() throws IOException {
        AsteriskLab lab = new AsteriskLab().plays(Capture.of("in_ext_noanswer").messages(told("12025550143", "4", true, "+12125550110")));
        assertEquals(Set.of("+12025550143"), lab.callers());
    }

    /**
     * The connection breaks in a quiet moment and is back at once: nothing is missed, and what is said until the lists are there
     * counts. Once with all events, once for a user without the right {@code dialplan}, once without call records.
     */
    @TestFactory
    Stream<DynamicTest> aBreakChangesNothing() {
        return Stream.of("in_ring3", "in_ring3_local", "in_queue_local", "in_queue_agent_hangs_up", "in_ivr_queue", "in_second_try", "in_ext_noanswer",
                "int_group", "out_answer", "xfer_blind_refer", "xfer_blind_outside", "xfer_attended_refer", "park_and_retrieve", "pickup_group",
                "reconnect_midcall", "ast16sip/in_ring3", "ast16sip/pickup_directed", "ast22/in_ring3").flatMap(name -> Stream.of("nothing", "VarSet", "Cdr")
                        .map(without -> DynamicTest.dynamicTest(name + " without " + without, () -> breaksAnywhere(name, without))));
    }

    /** The name of the file is in a variable, of which a user may not hear, and in the call record, which may be switched off. */
    @TestFactory
    Stream<DynamicTest> theRecordingIsKnownFromTheOneOrTheOther() throws IOException {
        return Capture.names().stream().flatMap(name -> Stream.of("VarSet", "Cdr").map(without -> DynamicTest.dynamicTest(name + " without " + without,
                () -> compare(Truth.of(name), new AsteriskLab().plays(without(without, name))))));
    }

    private static List<Capture.Timed> without(String event, String name) throws IOException {
        return Capture.of(name).messages().stream().filter(timed -> !timed.message().event().equals(event)
                && (AsteriskReader.EVENTS.contains(timed.message().event()) || timed.message().event().equals("Newexten"))).toList();
    }

    private static void breaksAnywhere(String name, String without) throws IOException {
        List<Capture.Timed> all = without(without, name);
        for (int cut = 1; cut < all.size(); cut++) {
            if (all.get(cut).millis() - all.get(cut - 1).millis() > 20) {
                // Whom a call record is about that comes before the lists is not known.
                for (int during : without.equals("VarSet") ? List.of(0, 1) : List.of(0, 1, 4, 100)) {
                    compare(Truth.of(name), broken(all, cut, during, true));
                    compare(Truth.of(name), broken(all, cut, during, false));
                }
            }
        }
    }

    /** The channels at a moment of a capture, as {@code CoreShowChannels} and {@code Status} list them: items without their event. */
    private static String[] channelsAfter(List<Capture.Timed> messages) {
        Map<String, Map<String, String>> channels = new LinkedHashMap<>();
        for (Capture.Timed timed : messages) {
            AmiMessage message = timed.message();
            String id = message.get("Uniqueid");
            if (message.event().equals("Newchannel")) {
                channels.put(id, new TreeMap<>(Map.of("Uniqueid", id, "Channel", message.get("Channel"), "DNID", message.get("Exten"))));
            }
            Map<String, String> channel = channels.get(id);
            if (channel != null) {
                List.of("ChannelState", "CallerIDNum", "Linkedid").forEach(field -> channel.put(field, message.get(field)));
                switch (message.event()) {
                    case "Newexten" -> channel.put("Application", message.get("Application"));
                    case "AgentLogin" -> channel.put("Application", "AgentLogin");
                    case "BridgeEnter" -> channel.put("BridgeId", message.get("BridgeUniqueid"));
                    case "BridgeLeave" -> channel.remove("BridgeId");
                    case "Hangup" -> channels.remove(id);
                    default -> { }
                }
            }
        }
        return channels.values().stream().map(channel -> channel.entrySet().stream().map(field -> field.getKey() + ": " + field.getValue())
                .collect(Collectors.joining("\n"))).toArray(String[]::new);
    }

    /** @param during so many messages of a burst come before the list of channels is complete, after its items (early) or before them */
    private static AsteriskLab broken(List<Capture.Timed> all, int cut, int during, boolean early) {
        int back = cut;
        while (back < all.size() && back < cut + during && all.get(back).millis() < all.get(cut).millis() + 20) {
            back++;
        }
        AsteriskLab lab = new AsteriskLab().plays(all.subList(0, cut));
        lab.reconnects();
        String[] now = channelsAfter(all.subList(0, cut));
        Stream.of(now).forEach(item -> lab.says("Event: Status\n" + item));
        if (early) {
            Stream.of(now).forEach(item -> lab.says("Event: CoreShowChannel\n" + item));
        }
        lab.plays(all.subList(cut, back));
        lab.lists(early ? new String[0] : channelsAfter(all.subList(0, back)));
        return lab.plays(all.subList(back, all.size()));
    }

    /** Those who lost a call stop ringing before, or after, the one who took it has answered, as the PBX likes. */
    @TestFactory
    Stream<DynamicTest> whoTookTheCallDoesNotDependOnTheOrderInWhichItIsTold() {
        return Stream.of("in_ring3", "ast16sip/in_ring3", "ast22/in_ring3", "in_ring3_local", "in_ivr_queue", "in_queue_local", "int_group",
                "concurrent", "pickup_group", "ast16sip/pickup_directed").flatMap(name -> Stream.of(-250, 0, 1, 250).map(shift -> DynamicTest.dynamicTest(
                        name + " " + shift, () -> compare(Truth.of(name), new AsteriskLab().plays(losersAt(Capture.of(name), shift))))));
    }

    @Test
    void theOtherDeviceOfAnExtensionTookTheCallToo() throws IOException {
        Capture three = Capture.of("in_ring3");
        byte[] two = new String(three.bytes(), StandardCharsets.ISO_8859_1).replace("PJSIP/103-", "PJSIP/102-").getBytes(StandardCharsets.ISO_8859_1);
        AsteriskLab lab = new AsteriskLab().plays(losersAt(new Capture("two devices", two, three.chunks()), 0));
        assertEquals("ended null", lab.cardEnd("1795400313.159"));
        assertEquals("answered-elsewhere 102", lab.cardEnd("1795400313.161"));
    }

    /** Asterisk may be told to say "answered elsewhere" to phones that nobody answered (option c of Dial, C of Queue). */
    @Test
    void theHangupCauseAloneIsNoProofThatSomebodyTookTheCall() {
        AsteriskLab lab = new AsteriskLab();
        lab.says("Event: Newchannel\nChannel: PJSIP/trunk-00000001\nUniqueid: 1.1\nLinkedid: 1.1\nCallerIDNum: 12025550143"
                + "\nExten: 12125550110\nContext: from-trunk\nChannelState: 4");
        lab.says("Event: Newchannel\nChannel: PJSIP/101-00000002\nUniqueid: 1.2\nLinkedid: 1.1\nExten: s\nChannelState: 0");
        lab.says("Event: DialBegin\nChannel: PJSIP/trunk-00000001\nUniqueid: 1.1\nDestChannel: PJSIP/101-00000002\nDestUniqueid: 1.2");
        lab.says("Event: Newstate\nChannel: PJSIP/101-00000002\nUniqueid: 1.2\nChannelState: 5");
        lab.says("Event: Hangup\nChannel: PJSIP/101-00000002\nUniqueid: 1.2\nCause: 26");
        assertNull(lab.cardEnd("1.2"));
        lab.says("Event: Hangup\nChannel: PJSIP/trunk-00000001\nUniqueid: 1.1\nCause: 16");
        assertEquals("unanswered null", lab.cardEnd("1.2"));
        assertEquals("cancelled", lab.leg("1.2", true).result());
        assertEquals(List.of("1.1"), lab.missed());
    }

    /** Moves hangups of phones that ring: to just before the answer of their burst (0), or by so many milliseconds. */
    private static List<Capture.Timed> losersAt(Capture capture, int shift) {
        List<Capture.Timed> all = capture.messages();
        List<Capture.Timed> losers = all.stream().filter(timed -> timed.message().event().equals("Hangup") && timed.message().get("ChannelState").equals("5")
                && all.stream().anyMatch(other -> answer(other) && Math.abs(other.millis() - timed.millis()) < 15)).toList();
        List<Capture.Timed> messages = new ArrayList<>(all);
        messages.removeAll(losers);
        for (Capture.Timed loser : losers) {
            long at = loser.millis() + shift;
            int to = indexOf(messages, other -> shift == 0 ? other.millis() > at - 15 && answer(other) : other.millis() > at);
            messages.add(to, new Capture.Timed(loser.message(), shift == 0 ? messages.get(to).millis() : at));
        }
        return messages;
    }

    private static boolean answer(Capture.Timed timed) {
        return timed.message().event().equals("DialEnd") && timed.message().get("DialStatus").equals("ANSWER")
                || timed.message().event().equals("Pickup");
    }

    private static int indexOf(List<Capture.Timed> messages, Predicate<Capture.Timed> wanted) {
        return IntStream.range(0, messages.size()).filter(i -> wanted.test(messages.get(i))).findFirst().orElse(messages.size());
    }

    /** A phone that has parked its caller, or handed him on, lives on for seconds: it does not ring. */
    @Test
    void aPhoneThatParkedItsCallerIsNotCalledAgainAfterABreak() throws IOException {
        List<Capture.Timed> all = without("nothing", "park_and_retrieve");
        int parked = indexOf(all, timed -> timed.millis() > 2279);
        AsteriskLab lab = broken(all, parked, 0, true);
        assertEquals(List.of("1795402358.105"), lab.cards());
        // Also if all of its call fell into the gap.
        AsteriskLab later = new AsteriskLab();
        later.reconnected(channelsAfter(all.subList(0, parked)));
        assertEquals(List.of(), later.cards());
    }

    /** The caller's Local channel was called before, the phone behind it while the lists were on their way. */
    @Test
    void aPhoneThatIsCalledWhileTheListsComeRings() throws IOException {
        List<Capture.Timed> all = without("nothing", "in_ring3_local");
        int called = indexOf(all, timed -> timed.message().get("DestChannel").startsWith("PJSIP/"));
        AsteriskLab lab = new AsteriskLab();
        lab.reconnects();
        Stream.of(channelsAfter(all.subList(0, called))).forEach(item -> lab.says("Event: Status\n" + item));
        lab.plays(all.subList(called, all.size()), 0, 600);
        lab.lists(channelsAfter(all.subList(0, indexOf(all, timed -> timed.millis() > 600))));
        assertEquals(List.of("1795400330.252", "1795400330.253", "1795400330.255"), lab.cards().stream().sorted().toList());
        assertEquals("+12125550121", lab.leg("1795400330.252", true).did());
        lab.plays(all, 600, Long.MAX_VALUE);
        lab.passes(Duration.ofSeconds(10));
        assertEquals("answered-elsewhere 103", lab.cardEnd("1795400330.252"));
        assertEquals("ended null", lab.cardEnd("1795400330.255"));
    }

    @Test
    void aLegThatEndedMeanwhileIsLostAndNotAnswered() throws IOException {
        AsteriskLab lab = new AsteriskLab().plays(Capture.of("reconnect_midcall"), 0, 3000);
        lab.reconnected();
        Leg talked = lab.leg("1795400662.2006", true);
        assertTrue(talked.lost());
        assertEquals("unknown", talked.result());
        assertEquals(0, talked.talkSeconds());
        assertNull(talked.recordingId());
        assertFalse(lab.leg("1795400663.2014", false).answered());
        assertEquals(List.of(), lab.missed());
        // Once is enough, also if the connection breaks again.
        int said = lab.events();
        lab.reconnected();
        assertEquals(said, lab.events());
    }

    /** An appliance that calls itself an Asterisk, or one whose user may not ask. */
    @ParameterizedTest
    @ValueSource(strings = {"ActionID: callbridge-channels\nMessage: Invalid/unknown command: CoreShowChannels. Use Action: ListCommands to show"
            + " available commands.", "Message: Invalid/unknown command: CoreShowChannels.", "ActionID: callbridge-channels\nMessage: Permission denied"})
    void whatLivesOnIsUnknownWhereChannelsAreNotListed(String answer) throws IOException {
        AsteriskLab lab = new AsteriskLab().plays(Capture.of("reconnect_midcall"), 0, 3000);
        lab.reconnects();
        lab.says("Response: Error\nActionID: callbridge-status\nMessage: Invalid/unknown command: Status.");
        assertNull(lab.leg("1795400662.2006", true).hangup());
        lab.says("Response: Error\n" + answer);
        Leg talked = lab.leg("1795400662.2006", true);
        assertTrue(talked.lost() && talked.unlisted());
        assertEquals("unknown", talked.result());
        assertEquals(List.of(), lab.missed());
    }

    @Test
    void whatBeganMeanwhileIsTakenFromTheListOfChannels() throws IOException {
        AsteriskLab lab = new AsteriskLab();
        lab.reconnected("Uniqueid: 1795400662.2004\nLinkedid: 1795400662.2004\nChannel: PJSIP/trunk-000000e5\nChannelState: 6\nBridgeId: b0bc"
                + "\nCallerIDNum: 12025550143",
                "Uniqueid: 1795400662.2006\nLinkedid: 1795400662.2004\nChannel: PJSIP/101-000000e6\nChannelState: 6\nBridgeId: b0bc");
        lab.plays(Capture.of("reconnect_midcall"), 3000, 60_000);
        Leg leg = lab.leg("1795400662.2006", true);
        assertEquals("+12025550143", leg.party().number());
        assertTrue(leg.answered());
        assertEquals(7.23, lab.seconds(leg.hangup().at()), TOLERANCE);
        assertEquals(List.of("1795400662.2006"), lab.registered());
    }

    /** A colleague answered and handed the caller on to a number outside, where nobody did. */
    @Test
    void aColleaguesAnswerIsNotThatOfTheOutsideParty() {
        AsteriskLab lab = new AsteriskLab();
        String caller = "\nChannel: PJSIP/101-00000001\nUniqueid: 1.1\nLinkedid: 1.1";
        lab.says("Event: Newchannel" + caller + "\nExten: 102\nContext: from-internal\nChannelState: 4");
        lab.says("Event: Newchannel\nChannel: PJSIP/102-00000002\nUniqueid: 1.2\nLinkedid: 1.1\nExten: s\nChannelState: 0");
        lab.says("Event: DialBegin" + caller + "\nDestChannel: PJSIP/102-00000002\nDestUniqueid: 1.2");
        lab.says("Event: Newstate\nChannel: PJSIP/102-00000002\nUniqueid: 1.2\nChannelState: 5");
        lab.says("Event: DialEnd" + caller + "\nDestChannel: PJSIP/102-00000002\nDestUniqueid: 1.2\nDialStatus: ANSWER");
        assertTrue(lab.leg("1.1", false).answered());
        lab.says("Event: Hangup\nChannel: PJSIP/102-00000002\nUniqueid: 1.2\nCause: 16");
        lab.says("Event: Newchannel\nChannel: PJSIP/trunk-00000003\nUniqueid: 1.3\nLinkedid: 1.1\nExten: s\nChannelState: 0");
        lab.says("Event: DialBegin" + caller + "\nExten: 12025550188\nDestChannel: PJSIP/trunk-00000003\nDestUniqueid: 1.3");
        lab.says("Event: DialEnd" + caller + "\nDestChannel: PJSIP/trunk-00000003\nDestUniqueid: 1.3\nDialStatus: BUSY");
        lab.says("Event: Hangup\nChannel: PJSIP/trunk-00000003\nUniqueid: 1.3\nCause: 17");
        lab.says("Event: Hangup" + caller + "\nCause: 16");
        assertEquals("busy", lab.leg("1.1", true).result());
        assertEquals("+12025550188", lab.leg("1.1", true).party().number());
        assertEquals("answered", lab.leg("1.2", false).result());
    }

    /** Ids are chosen by whoever starts a call. */
    @Test
    void idsKeepTheirCase() {
        AsteriskLab lab = new AsteriskLab();
        lab.says("Event: Newchannel\nChannel: PJSIP/101-00000001\nUniqueid: CRM-Deal-7\nLinkedid: CRM-Deal-7\nExten: s\nChannelState: 0");
        lab.says("Event: DialBegin\nDestChannel: PJSIP/101-00000001\nDestUniqueid: CRM-Deal-7\nDestLinkedid: CRM-Deal-7");
        assertEquals(0, lab.events());
        lab.says("Event: Newchannel\nChannel: PJSIP/trunk-00000002\nUniqueid: 2.1\nLinkedid: CRM-Deal-7\nExten: s\nChannelState: 0");
        lab.says("Event: DialBegin\nChannel: PJSIP/101-00000001\nUniqueid: CRM-Deal-7\nLinkedid: CRM-Deal-7\nExten: 12025550171"
                + "\nDestChannel: PJSIP/trunk-00000002\nDestUniqueid: 2.1\nDestLinkedid: CRM-Deal-7");
        assertEquals("CRM-Deal-7", lab.leg("CRM-Deal-7", true).callId());
    }

    /** The agent waits on one channel for all customers of the day; the Local channel between them goes, the Linkedid changes. */
    @Test
    void anAgentOfThePoolHasOneCallPerCustomer() {
        AsteriskLab lab = new AsteriskLab();
        lab.says("Event: Newchannel\nChannel: PJSIP/101-00000001\nUniqueid: 1.1\nLinkedid: 1.1\nExten: *47\nContext: from-internal\nChannelState: 4");
        lab.says("Event: AgentLogin\nChannel: PJSIP/101-00000001\nUniqueid: 1.1\nLinkedid: 1.1\nAgent: 101");
        lab.enters("PJSIP/101-00000001", "1.1", "hold", "BridgeTechnology: holding_bridge\nBridgeCreator: AgentPool");
        for (int customer = 2; customer <= 3; customer++) {
            String trunk = "PJSIP/trunk-0000000" + customer;
            String id = customer + ".1";
            String local = "Local/agent@pool-0000000" + customer;
            lab.says("Event: Newchannel\nChannel: " + trunk + "\nUniqueid: " + id + "\nLinkedid: " + id
                    + "\nCallerIDNum: 1202555014" + customer + "\nExten: 12125550134\nContext: from-trunk\nChannelState: 4");
            lab.says("Event: QueueCallerJoin\nChannel: " + trunk + "\nUniqueid: " + id + "\nLinkedid: " + id + "\nQueue: 404");
            lab.says("Event: Newchannel\nChannel: " + local + ";1\nUniqueid: " + customer + ".2\nLinkedid: " + id + "\nChannelState: 0");
            lab.says("Event: Newchannel\nChannel: " + local + ";2\nUniqueid: " + customer + ".3\nLinkedid: " + id + "\nChannelState: 4");
            lab.says("Event: DialBegin\nChannel: " + trunk + "\nUniqueid: " + id + "\nDestChannel: " + local + ";1\nDestUniqueid: " + customer + ".2");
            lab.leaves("PJSIP/101-00000001", "1.1");
            lab.enters("PJSIP/101-00000001", "1.1", "talk" + customer, "BridgeTechnology: simple_bridge");
            lab.enters(local + ";2", customer + ".3", "talk" + customer, "BridgeTechnology: simple_bridge");
            lab.enters(local + ";1", customer + ".2", "queue" + customer, "BridgeTechnology: simple_bridge");
            lab.enters(trunk, id, "queue" + customer, "BridgeTechnology: simple_bridge");
            lab.leaves(trunk, id);
            lab.leaves(local + ";2", customer + ".3");
            lab.enters(trunk, id, "talk" + customer, "BridgeTechnology: simple_bridge");
            lab.says("Event: Hangup\nChannel: " + local + ";1\nUniqueid: " + customer + ".2\nLinkedid: 1.1");
            lab.says("Event: Hangup\nChannel: " + local + ";2\nUniqueid: " + customer + ".3\nLinkedid: 1.1");
            lab.leaves("PJSIP/101-00000001", "1.1");
            lab.leaves(trunk, id);
            lab.enters("PJSIP/101-00000001", "1.1", "hold", "BridgeTechnology: holding_bridge\nBridgeCreator: AgentPool");
            lab.says("Event: Hangup\nChannel: " + trunk + "\nUniqueid: " + id + "\nLinkedid: 1.1\nCause: 16");
        }
        lab.says("Event: Hangup\nChannel: PJSIP/101-00000001\nUniqueid: 1.1\nLinkedid: 1.1");
        assertEquals(List.of("2.1", "3.1"), lab.registered());
        assertEquals("2.1", lab.leg("2.1", true).callId());
        assertEquals("+12025550142", lab.leg("2.1", true).party().number());
        assertEquals(List.of(), lab.missed());
    }

    /** The member of a group who is reached over the trunk takes the call, but it is no call of an extension. */
    @Test
    void aMobileThatAnswersIsNobodysCall() {
        AsteriskLab lab = new AsteriskLab();
        lab.says("Event: Newchannel\nChannel: PJSIP/trunk-00000001\nUniqueid: 1.1\nLinkedid: 1.1\nCallerIDNum: 12025550143"
                + "\nExten: 12125550122\nContext: from-trunk\nChannelState: 4");
        lab.says("Event: Newchannel\nChannel: PJSIP/101-00000002\nUniqueid: 1.2\nLinkedid: 1.1\nExten: s\nChannelState: 0");
        lab.says("Event: Newchannel\nChannel: Local/12025550188@out-00000001;1\nUniqueid: 1.3\nLinkedid: 1.1\nChannelState: 0");
        lab.says("Event: Newchannel\nChannel: Local/12025550188@out-00000001;2\nUniqueid: 1.4\nLinkedid: 1.1\nChannelState: 4");
        lab.says("Event: DialBegin\nChannel: PJSIP/trunk-00000001\nUniqueid: 1.1\nCallerIDNum: 12025550143\nDestChannel: PJSIP/101-00000002\nDestUniqueid: 1.2");
        lab.says("Event: DialBegin\nChannel: PJSIP/trunk-00000001\nUniqueid: 1.1\nDestChannel: Local/12025550188@out-00000001;1\nDestUniqueid: 1.3");
        lab.says("Event: Newstate\nChannel: PJSIP/101-00000002\nUniqueid: 1.2\nChannelState: 5");
        lab.says("Event: Newchannel\nChannel: PJSIP/trunk-00000005\nUniqueid: 1.5\nLinkedid: 1.1\nExten: s\nChannelState: 0");
        lab.says("Event: DialBegin\nChannel: Local/12025550188@out-00000001;2\nUniqueid: 1.4\nExten: 12025550188\nDestChannel: PJSIP/trunk-00000005"
                + "\nDestUniqueid: 1.5\nDialString: 12025550188@trunk");
        lab.says("Event: DialEnd\nDestChannel: PJSIP/trunk-00000005\nDestUniqueid: 1.5\nDialStatus: ANSWER");
        lab.says("Event: DialEnd\nDestChannel: PJSIP/101-00000002\nDestUniqueid: 1.2\nDialStatus: CANCEL");
        lab.says("Event: Hangup\nChannel: PJSIP/101-00000002\nUniqueid: 1.2\nCause: 26");
        lab.enters("PJSIP/trunk-00000005", "1.5", "far", "BridgeTechnology: simple_bridge");
        lab.enters("Local/12025550188@out-00000001;2", "1.4", "far", "BridgeTechnology: simple_bridge");
        lab.enters("Local/12025550188@out-00000001;1", "1.3", "near", "BridgeTechnology: simple_bridge");
        lab.enters("PJSIP/trunk-00000001", "1.1", "near", "BridgeTechnology: simple_bridge");
        lab.says("Event: Hangup\nChannel: PJSIP/trunk-00000005\nUniqueid: 1.5\nCause: 16");
        lab.says("Event: Hangup\nChannel: PJSIP/trunk-00000001\nUniqueid: 1.1\nCause: 16");
        assertEquals(List.of(), lab.registered());
        assertEquals(List.of(), lab.missed());
        assertEquals("answered-elsewhere null", Objects.toString(lab.cardEnd("1.2")));
    }
}
