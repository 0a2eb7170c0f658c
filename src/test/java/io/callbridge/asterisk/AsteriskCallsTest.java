package io.callbridge.asterisk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.asterisk.Capture.Truth;
import io.callbridge.domain.Call;
import io.callbridge.domain.CallEvent;
import io.callbridge.domain.Directory;
import io.callbridge.domain.EventReader;
import io.callbridge.domain.Leg;
import io.callbridge.domain.MissedCall;
import io.callbridge.domain.Party;
import io.callbridge.domain.TestEvent;
import io.callbridge.platform.AsteriskDialplan;
import io.callbridge.platform.PhoneNumbers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
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

    private static void compare(Truth truth, AsteriskLab lab) {
        List<String> registered = lab.registered();
        lab.passes(Duration.ofSeconds(10));
        for (Truth.Leg expected : truth.legs()) {
            Truth.Leg seen = lab.seen(expected);
            assertNotNull(seen, () -> expected + " is not known: " + lab);
            expected.assertSeen(seen);
            if (expected.registered()) {
                truth.assertRecording(expected, lab.leg(expected.id(), true).recordingId());
            }
        }
        assertEquals(truth.legs().stream().filter(Truth.Leg::registered).map(Truth.Leg::id).sorted().toList(),
                registered.stream().sorted().toList());
        assertEquals(List.of(), lab.cards().stream().filter(id -> truth.legs().stream().noneMatch(leg -> leg.id().equals(id))).toList());
        assertEquals(truth.missed(), lab.missed());
    }

    /**
     * The caller's first channel tells another number at its begin, or none, and NewCallerid the right one: dialplans do so, and
     * analogue and ISDN lines. Whatever tells of the call has the last number that was known before a phone rang.
     */
    @TestFactory
    Stream<DynamicTest> aCallHasOneNumberWhereverItComesFrom() {
        List<String> ways = List.of("980012025550143 4", "anonymous 4", "<unknown> 4", "<unknown> 9", "<unknown> 9 without Ring");
        Stream<DynamicTest> all = Capture.names().stream().filter(name -> !name.contains("/") && name.startsWith("in_")
                && !name.equals("in_conference") && !name.equals("in_ext_anonymous")).flatMap(name -> ways.stream().map(way ->
                        oneNumber(way, name, told(way.split(" ")[0], way.split(" ")[1], !way.endsWith("Ring"), "12025550143"))));
        String[] joined = new String[1];
        String[] rung = new String[1];
        return Stream.concat(all, Stream.of(
                oneNumber("told to who waits in a queue", "in_queue_abandoned", message -> {
                    String before = joined[0] == null ? message.replaceAll("(?m)^CallerIDNum: 12025550143", "CallerIDNum: 980012025550143") : message;
                    joined[0] = message.startsWith("Event: QueueCallerJoin") ? message : joined[0];
                    return before + (before.startsWith("Event: QueueCallerJoin") ? message.replace("QueueCallerJoin", "NewCallerid") : "");
                }),
                oneNumber("another one after a phone has rung", "in_second_try", message -> {
                    boolean first = rung[0] == null && message.startsWith("Event: Newstate") && message.contains("ChannelState: 5");
                    rung[0] = first ? "rung" : rung[0];
                    return rung[0] == null || first ? message
                            : message.replaceAll("(?m)^((Dest)?(ConnectedLine|CallerID)Num: )12025550143", "$119995550199");
                }),
                oneNumber("the dialplan says the company's before it calls a mobile", "in_ext_noanswer",
                        told("12025550143", "4", true, "+12125550110"))));
    }

    private static DynamicTest oneNumber(String way, String name, UnaryOperator<String> edit) {
        return DynamicTest.dynamicTest(name + ": " + way, () -> {
            AsteriskLab lab = new AsteriskLab().plays(Capture.of(name).messages(edit));
            compare(Truth.of(name), lab);
            assertEquals(Set.of("+12025550143"), lab.callers());
        });
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
        lab.plays("""
                Newchannel 1.1=PJSIP/101-00000001 Linkedid=1.1 Exten=%1$s ChannelState=4
                Newchannel 1.2=PJSIP/trunk1-00000002 Linkedid=1.1 Exten=s ChannelState=0
                DialBegin 1.1>1.2 Linkedid=1.1 Exten=%1$s DialString=%2$s""".formatted(dialled, sent));
        assertEquals(number, lab.leg("1.1", true).party().number());
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
    Stream<DynamicTest> theRecordingIsKnownFromTheOneOrTheOther() {
        return Capture.names().stream().flatMap(name -> Stream.of("VarSet", "Cdr").map(without -> DynamicTest.dynamicTest(name + " without " + without,
                () -> compare(Truth.of(name), new AsteriskLab().plays(without(without, name))))));
    }

    private static List<Capture.Timed> without(String event, String name) throws IOException {
        return Capture.of(name).messages().stream().filter(timed -> !timed.message().event().equals(event)
                && (AsteriskReader.EVENTS.contains(timed.message().event()) || timed.message().event().equals("Newexten"))).toList();
    }

    private static void breaksAnywhere(String name, String without) throws IOException {
        List<Capture.Timed> all = without(without, name);
        Truth truth = Truth.of(name);
        for (int cut = 1; cut < all.size(); cut++) {
            if (all.get(cut).millis() - all.get(cut - 1).millis() > 20) {
                // Whom a call record is about that comes before the lists is not known.
                for (int during : without.equals("VarSet") ? List.of(0, 1) : List.of(0, 1, 4, 100)) {
                    compare(truth, broken(all, cut, during, true));
                    compare(truth, broken(all, cut, during, false));
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
        assertEquals("ended null", lab.cardEnds.get("1795400313.159"));
        assertEquals("answered-elsewhere 102", lab.cardEnds.get("1795400313.161"));
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
        assertEquals("answered-elsewhere 103", lab.cardEnds.get("1795400330.252"));
        assertEquals("ended null", lab.cardEnds.get("1795400330.255"));
    }

    @Test
    void aLegThatEndedMeanwhileIsLostAndNotAnswered() throws IOException {
        AsteriskLab lab = new AsteriskLab().plays(Capture.of("reconnect_midcall").messages(), 0, 3000);
        lab.reconnected();
        Leg talked = lab.leg("1795400662.2006", true);
        assertTrue(talked.lost());
        assertEquals("unknown", talked.result());
        assertEquals(0, talked.talkSeconds());
        assertNull(talked.recordingId());
        assertFalse(lab.leg("1795400663.2014", false).answered());
        assertEquals(List.of(), lab.missed());
        // Once is enough, also if the connection breaks again.
        int said = lab.events.size();
        lab.reconnected();
        assertEquals(said, lab.events.size());
    }

    /** An appliance that calls itself an Asterisk, or one whose user may not ask. */
    @ParameterizedTest
    @ValueSource(strings = {"ActionID: callbridge-channels\nMessage: Invalid/unknown command: CoreShowChannels. Use Action: ListCommands to show"
            + " available commands.", "Message: Invalid/unknown command: CoreShowChannels.", "ActionID: callbridge-channels\nMessage: Permission denied"})
    void whatLivesOnIsUnknownWhereChannelsAreNotListed(String answer) throws IOException {
        AsteriskLab lab = new AsteriskLab().plays(Capture.of("reconnect_midcall").messages(), 0, 3000);
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
        lab.plays(Capture.of("reconnect_midcall").messages(), 3000, 60_000);
        Leg leg = lab.leg("1795400662.2006", true);
        assertEquals("+12025550143", leg.party().number());
        assertTrue(leg.answered());
        assertEquals(7.23, lab.seconds(leg.hangup().at()), Truth.TOLERANCE);
        assertEquals(List.of("1795400662.2006"), lab.registered());
    }

    /** What a capture does not show. */
    @TestFactory
    Stream<DynamicTest> dialogues() {
        return Stream.of(DIALOGUES.split("\n\n")).map(script -> DynamicTest.dynamicTest(script.lines().findFirst().orElseThrow(),
                () -> new AsteriskLab().plays(script)));
    }

    private static final String DIALOGUES = """
            # A number that was told in a gap is in the list of channels
            Newchannel 1.1=DAHDI/trunk1-1 Linkedid=1.1 CallerIDNum=<unknown> Context=from-trunk Exten=s ChannelState=4
            reconnects
            CoreShowChannel 1.1 Linkedid=1.1 CallerIDNum=12025550143 ChannelState=6
            CoreShowChannelsComplete
            Hangup 1.1 Linkedid=1.1 Context=menu Cause=16
            = missed: [1.1]
            = callers: [+12025550143]

            # A line that never rings is no call: its polarity changes when a call ends as well
            Newchannel 1.1=DAHDI/trunk1-1 Linkedid=1.1 CallerIDNum=<unknown> Context=from-trunk Exten=s ChannelState=9
            Hangup 1.1 Linkedid=1.1 CallerIDNum=<unknown> Context=from-trunk Exten=s ChannelState=9 Cause=0
            = events: 0

            # A busy phone is dialled as well, but never rings: only the caller's line is told
            Newchannel 1.1=PJSIP/trunk-00000001 Linkedid=1.1 CallerIDNum=12025550143 Exten=12125550110 Context=from-trunk ChannelState=4
            Newchannel 1.2=PJSIP/101-00000002 Linkedid=1.1 Exten=s ChannelState=0
            DialBegin 1.1>1.2
            = events: 1

            # Asterisk may be told to say "answered elsewhere" to phones that nobody answered (option c of Dial, C of Queue)
            Newchannel 1.1=PJSIP/trunk-00000001 Linkedid=1.1 CallerIDNum=12025550143 Exten=12125550110 Context=from-trunk ChannelState=4
            Newchannel 1.2=PJSIP/101-00000002 Linkedid=1.1 Exten=s ChannelState=0
            DialBegin 1.1>1.2
            Newstate 1.2 ChannelState=5
            Hangup 1.2 Cause=26
            = card 1.2: null
            Hangup 1.1 Cause=16
            = card 1.2: unanswered null
            = leg 1.2: 1.1 false cancelled +12025550143
            = missed: [1.1]

            # A colleague answered and handed the caller on to a number outside, where nobody did
            Newchannel 1.1=PJSIP/101-00000001 Linkedid=1.1 Exten=102 Context=from-internal ChannelState=4
            Newchannel 1.2=PJSIP/102-00000002 Linkedid=1.1 Exten=s ChannelState=0
            DialBegin 1.1>1.2 Linkedid=1.1
            Newstate 1.2 ChannelState=5
            DialEnd 1.1>1.2 Linkedid=1.1 DialStatus=ANSWER
            = local 1.1: 1.1 true unknown null
            Hangup 1.2 Cause=16
            Newchannel 1.3=PJSIP/trunk-00000003 Linkedid=1.1 Exten=s ChannelState=0
            DialBegin 1.1>1.3 Linkedid=1.1 Exten=12025550188
            DialEnd 1.1>1.3 Linkedid=1.1 DialStatus=BUSY
            Hangup 1.3 Cause=17
            Hangup 1.1 Linkedid=1.1 Cause=16
            = leg 1.1: 1.1 false busy +12025550188
            = local 1.2: 1.1 true answered null

            # Ids are chosen by whoever starts a call, and keep their case
            Newchannel CRM-Deal-7=PJSIP/101-00000001 Linkedid=CRM-Deal-7 Exten=s ChannelState=0
            DialBegin >CRM-Deal-7 DestLinkedid=CRM-Deal-7
            = events: 0
            Newchannel 2.1=PJSIP/trunk-00000002 Linkedid=CRM-Deal-7 Exten=s ChannelState=0
            DialBegin CRM-Deal-7>2.1 Linkedid=CRM-Deal-7 Exten=12025550171 DestLinkedid=CRM-Deal-7
            = leg CRM-Deal-7: CRM-Deal-7 false unknown +12025550171

            # The member of a group who is reached over the trunk takes the call, but it is no call of an extension
            Newchannel 1.1=PJSIP/trunk-00000001 Linkedid=1.1 CallerIDNum=12025550143 Exten=12125550122 Context=from-trunk ChannelState=4
            Newchannel 1.2=PJSIP/101-00000002 Linkedid=1.1 Exten=s ChannelState=0
            Newchannel 1.3=Local/12025550188@out-00000001;1 Linkedid=1.1 ChannelState=0
            Newchannel 1.4=Local/12025550188@out-00000001;2 Linkedid=1.1 ChannelState=4
            DialBegin 1.1>1.2 CallerIDNum=12025550143
            DialBegin 1.1>1.3
            Newstate 1.2 ChannelState=5
            Newchannel 1.5=PJSIP/trunk-00000005 Linkedid=1.1 Exten=s ChannelState=0
            DialBegin 1.4>1.5 Exten=12025550188 DialString=12025550188@trunk
            DialEnd >1.5 DialStatus=ANSWER
            DialEnd >1.2 DialStatus=CANCEL
            Hangup 1.2 Cause=26
            BridgeEnter 1.5 BridgeUniqueid=far BridgeTechnology=simple_bridge
            BridgeEnter 1.4 BridgeUniqueid=far BridgeTechnology=simple_bridge
            BridgeEnter 1.3 BridgeUniqueid=near BridgeTechnology=simple_bridge
            BridgeEnter 1.1 BridgeUniqueid=near BridgeTechnology=simple_bridge
            Hangup 1.5 Cause=16
            Hangup 1.1 Cause=16
            = registered: []
            = missed: []
            = card 1.2: answered-elsewhere null
            """;

    /** The agent waits on one channel for all customers of the day; the Local channel between them goes, the Linkedid changes. */
    @Test
    void anAgentOfThePoolHasOneCallPerCustomer() {
        String waits = "BridgeEnter 1.1 BridgeUniqueid=hold BridgeTechnology=holding_bridge BridgeCreator=AgentPool\n";
        String customer = """
                Newchannel #.1=PJSIP/trunk-0000000# Linkedid=#.1 CallerIDNum=1202555014# Exten=12125550134 Context=from-trunk ChannelState=4
                QueueCallerJoin #.1 Linkedid=#.1 Queue=404
                Newchannel #.2=Local/agent@pool-0000000#;1 Linkedid=#.1 ChannelState=0
                Newchannel #.3=Local/agent@pool-0000000#;2 Linkedid=#.1 ChannelState=4
                DialBegin #.1>#.2
                BridgeLeave 1.1
                BridgeEnter 1.1 BridgeUniqueid=talk# BridgeTechnology=simple_bridge
                BridgeEnter #.3 BridgeUniqueid=talk# BridgeTechnology=simple_bridge
                BridgeEnter #.2 BridgeUniqueid=queue# BridgeTechnology=simple_bridge
                BridgeEnter #.1 BridgeUniqueid=queue# BridgeTechnology=simple_bridge
                BridgeLeave #.1
                BridgeLeave #.3
                BridgeEnter #.1 BridgeUniqueid=talk# BridgeTechnology=simple_bridge
                Hangup #.2 Linkedid=1.1
                Hangup #.3 Linkedid=1.1
                BridgeLeave 1.1
                BridgeLeave #.1
                """ + waits + "Hangup #.1 Linkedid=1.1 Cause=16\n";
        new AsteriskLab().plays("""
                Newchannel 1.1=PJSIP/101-00000001 Linkedid=1.1 Exten=*47 Context=from-internal ChannelState=4
                AgentLogin 1.1 Linkedid=1.1 Agent=101
                """ + waits + customer.replace("#", "2") + customer.replace("#", "3") + """
                Hangup 1.1 Linkedid=1.1
                = registered: [2.1, 3.1]
                = leg 2.1: 2.1 true answered +12025550142
                = missed: []
                """);
    }

    /** An Asterisk as a script, and the calls that follow from what it says. Its trunks begin with {@code trunk}. */
    private static final class AsteriskLab {

        private static final Instant BEGIN = Instant.parse("2026-11-23T02:00:00Z");
        private static final AsteriskDialplan DIALPLAN = new AsteriskDialplan(List.of("trunk*"), List.of("from-trunk"), "");

        private final List<Map<String, String>> events = new ArrayList<>();
        private final List<CallEvent> read = new ArrayList<>();
        /** How the card of a leg ended, and who answered; none: it is there, or never was. */
        private final Map<String, String> cardEnds = new TreeMap<>();
        private final Map<String, String> names = new HashMap<>();
        private final Directory directory;
        private AsteriskCalls asterisk;
        private List<Call> calls = List.of();
        /** So many events are in them. */
        private int folded;
        private Instant now = BEGIN;
        private Instant seen = BEGIN;

        /** @param outsidePrefixes digits for the outside line */
        AsteriskLab(String... outsidePrefixes) {
            directory = new Directory("main", "", "", null, List.of(), number -> PhoneNumbers.e164(number, "US"),
                    number -> PhoneNumbers.dialled(number, "US"), List.of(outsidePrefixes), null);
            reconnected();
        }

        /** A new connection, on which the channels that there are are listed. */
        void reconnected(String... channels) {
            reconnects();
            lists(channels);
        }

        /** A new connection, on which the lists have not come. */
        void reconnects() {
            now = now.plusMillis(1);
            asterisk = new AsteriskCalls(DIALPLAN, directory::reachesNumber);
            asterisk.restore(events);
        }

        void lists(String... channels) {
            for (String channel : channels) {
                says("Event: CoreShowChannel\n" + channel);
            }
            says("Event: CoreShowChannelsComplete");
        }

        void says(String message) {
            now = now.plusMillis(1);
            takes(AmiMessage.of(message));
        }

        private void takes(AmiMessage message) {
            if (now.isAfter(seen)) {
                endCards();
            }
            List<Map<String, String>> said = asterisk.take(message, now);
            said.forEach(fields -> read.add(EventReader.read("main", fields, now)));
            events.addAll(said);
            if (!said.isEmpty()) {
                endCards();
            }
        }

        /** Waits. */
        void passes(Duration time) {
            now = now.plus(time);
            endCards();
        }

        private static boolean ofPhone(Leg leg) {
            return !leg.container() && !leg.trunk() && !leg.local();
        }

        /** A card ends once, when nothing is waited for any more. */
        private void endCards() {
            seen = now;
            calls().forEach(call -> call.legs().stream().filter(leg -> leg.start() != null && ofPhone(leg)).forEach(leg ->
                    call.cardEnd(leg, now).ifPresent(end -> cardEnds.putIfAbsent(leg.id(), end.reason() + " " + end.answeredBy()))));
        }

        /**
         * @param script an event a line, of one channel or two: {@code DialBegin 1.1>1.2 Exten=101}, where a channel is named at first:
         *            {@code Newchannel 1.1=PJSIP/101-00000001}; or a new connection; or what follows so far: {@code = registered: 1.1}
         */
        AsteriskLab plays(String script) {
            for (String line : script.lines().toList()) {
                String[] fact = line.split(": ");
                if (line.startsWith("= ")) {
                    assertEquals(fact[1], told(fact[0].substring(2).split(" ")), line);
                } else if (line.equals("reconnects")) {
                    reconnects();
                } else if (!line.startsWith("#")) {
                    says(message(line.split(" ")));
                }
            }
            return this;
        }

        private String message(String[] words) {
            StringBuilder message = new StringBuilder("Event: " + words[0]);
            String[] ids = words.length == 1 ? new String[0] : words[1].split(">");
            for (int i = 0; i < ids.length; i++) {
                String[] channel = ids[i].split("=");
                String name = channel.length == 1 ? names.get(channel[0]) : channel[1];
                names.put(channel[0], name);
                message.append(ids[i].isEmpty() ? ""
                        : "\n@Uniqueid: %s\n@Channel: %s".formatted(channel[0], name).replace("@", i == 0 ? "" : "Dest"));
            }
            Stream.of(words).skip(2).forEach(field -> message.append("\n").append(field.replaceFirst("=", ": ")));
            return message.toString();
        }

        private String told(String... fact) {
            Leg leg = fact.length == 1 ? null : leg(fact[1], !fact[0].equals("local"));
            return switch (fact[0]) {
                case "registered" -> registered().toString();
                case "missed" -> missed().toString();
                case "callers" -> callers().toString();
                case "events" -> String.valueOf(events.size());
                case "card" -> String.valueOf(cardEnds.get(fact[1]));
                case "leg", "local" -> leg.callId() + " " + leg.answered() + " " + leg.result() + " " + leg.party().number();
                default -> throw new IllegalArgumentException(fact[0]);
            };
        }

        AsteriskLab plays(List<Capture.Timed> messages) {
            return plays(messages, 0, Long.MAX_VALUE);
        }

        AsteriskLab plays(List<Capture.Timed> messages, long from, long to) {
            for (Capture.Timed timed : messages) {
                if (timed.millis() >= from && timed.millis() < to) {
                    now = BEGIN.plusMillis(timed.millis());
                    takes(timed.message());
                }
            }
            return this;
        }

        double seconds(Instant at) {
            return Duration.between(BEGIN, at).toNanos() / 1e9;
        }

        /** Most messages of an Asterisk tell nothing, and change no call. */
        private List<Call> calls() {
            if (folded != read.size()) {
                folded = read.size();
                calls = read.stream().collect(Collectors.groupingBy(CallEvent::callId, LinkedHashMap::new, Collectors.toList())).values().stream()
                        .map(of -> Call.of(directory, TestEvent.SETTINGS, of, List.of())).toList();
            }
            return calls;
        }

        private Stream<Leg> legs() {
            return calls().stream().flatMap(call -> call.legs().stream());
        }

        /** @return {@code null} if it is not known */
        Truth.Leg seen(Truth.Leg expected) {
            Leg leg = leg(expected.id(), expected.outside());
            return leg == null ? null : new Truth.Leg(leg.callId(), leg.id(), leg.extension().name(), leg.flow().name().toLowerCase(),
                    !leg.local(), leg.did(), seconds(leg.startedAt()), leg.answered() ? seconds(leg.answeredAt()) : null,
                    seconds(leg.hangup().at()), cardEnds.get(leg.id()));
        }

        Leg leg(String id, boolean outside) {
            return legs().filter(leg -> leg.id().equals(id) && leg.local() != outside).findFirst().orElse(null);
        }

        /** Ids of the legs that are calls of their extensions. */
        List<String> registered() {
            return legs().filter(leg -> ofPhone(leg) && (leg.answered() || leg.flow() == CallEvent.Flow.OUT))
                    .map(Leg::id).toList();
        }

        List<String> missed() {
            return missedCalls().map(MissedCall::callId).toList();
        }

        private Stream<MissedCall> missedCalls() {
            return calls().stream().map(call -> call.decidingContainer() != null
                    ? call.decidingContainer().hangup().bridged() ? null : call.missedAt(call.decidingContainer())
                    : call.anyAnswered() || call.lost() ? null : call.missedWithoutContainer()).filter(Objects::nonNull);
        }

        /** The callers of all cards, calls and missed calls; {@code null}: one who is not known. */
        Set<String> callers() {
            Stream<Party> told = legs().filter(leg -> leg.flow() == CallEvent.Flow.IN && ofPhone(leg)
                    && (leg.answered() || leg.hangup() == null || cardShown(leg))).map(Leg::party);
            return Stream.concat(Stream.concat(told, missedCalls().map(MissedCall::party)), calls().stream().map(Call::outsideCaller))
                    .map(Party::number).collect(Collectors.toCollection(HashSet::new));
        }

        /** Of a phone that does not ring the end is said before its begin. */
        private boolean cardShown(Leg leg) {
            return events.stream().filter(event -> leg.id().equals(event.get("SubCallID"))).findFirst().orElseThrow()
                    .get("EventType").startsWith("dial-");
        }

        /** Ids of the legs of phones that have rung, or called somebody outside. */
        List<String> cards() {
            return legs().filter(leg -> leg.start() != null && ofPhone(leg)).map(Leg::id).toList();
        }

        @Override
        public String toString() {
            return events.toString();
        }
    }
}
