package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.asterisk.Capture;
import io.callbridge.platform.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.Certificates;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeAmi;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.SharedBridge;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The connection to an Asterisk is there whatever the Asterisk, the network or another replica does, and only once. */
class AsteriskConnectionIT {

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration STOP = Duration.ofSeconds(20);
    private static final String SECRET = "s3cret-of-the-manager";
    private static final Map<String, String> QUICK = Map.of("callbridge.ami.reconnect-first-ms", "200",
            "callbridge.ami.reconnect-max-ms", "500", "callbridge.ami.refused-ms", "500", "callbridge.ami.answer-ms", "20000");
    private static final String LEASE = "callbridge.ami.lease-ms";

    @AutoClose
    private final FakeCrm crm = new FakeCrm();
    @AutoClose
    private final FakeAmi ami = new FakeAmi("bridge", SECRET);

    @Test
    void theConnectionComesBackWhateverHappensToIt() throws Exception {
        ami.down();
        try (BridgeProcess bridge = bridge().setting("callbridge.ami.ping-ms", "500").setting("callbridge.ami.answer-ms", "5000").start()) {
            awaitState(bridge, "not connected since");
            ami.up();
            ami.awaitLogin(1);
            awaitState(bridge, "connected since");
            assertEquals(1, bridge.metric("callbridge_asterisk_connected", "pbx=\"main\""));
            await("pings").until(() -> ami.newest().count("Ping") >= 2);

            ami.send("Event: Shutdown\r\nPrivilege: system,all\r\nShutdown: Cleanly\r\nRestart: True\r\n\r\n");
            await("the word").until(() -> bridge.output().contains("PBX main: its Asterisk (bridge@127.0.0.1:" + ami.port()
                    + ") restarts"));
            ami.down();
            awaitState(bridge, "not connected since");
            ami.up();
            ami.awaitLogin(2);

            ami.mute(true);
            assertTrue(ami.newest().awaitEnd(SOON), "silence");
            ami.mute(false);
            ami.awaitLogin(3);

            ami.silent(true);
            int silence = ami.connections();
            ami.drop();
            await("attempts that get no banner").until(() -> ami.connections() >= silence + 2);
            ami.silent(false);
            ami.awaitLogin(4);

            ami.onLogin(connection -> connection.send(new byte[10_000_000]));
            ami.drop();
            ami.awaitLogin(5);
            assertTrue(ami.newest().awaitEnd(SOON), "10 MB without an end");
            ami.onLogin(connection -> {
                connection.send("Event: Hangup\r\nUniqueid: 1.1\r\nCallerIDName: ".getBytes());
                connection.send(new byte[] {(byte) 0xff, (byte) 0xc3, '\r', '\n', '\r', '\n'});
                connection.send("Event: TestEvent\r\nState: a\r\nState: b\r\n\r\n\r\nEvent: Hangup\r\nUniq");
                connection.halfClose();
            });
            int logins = ami.logins();
            await("more logins").until(() -> ami.logins() > logins + 1);
            ami.onLogin(connection -> { });
            ami.drop();
            awaitState(bridge, "connected since");
            await("one reader").until(() -> ami.readers() == 1);
            assertFalse(bridge.output().contains(SECRET), bridge::tail);
            assertFalse(bridge.output().lines().anyMatch(line -> line.matches("\\s+at [\\w.$/]+\\(.*")), bridge::tail);

            ami.banner("Asterisk Call Manager/1.3").drop();
            awaitSaid(bridge, "needed is Asterisk 12");
            assertTrue(bridge.output().contains("its Asterisk is 11 or older (Asterisk Call Manager/1.3)"), bridge::tail);
            awaitState(bridge, "connected since");
            ami.banner("Asterisk Call Manager/11.0.0").drop();
            await("a newer one").until(() -> !bridge.get("/api/status").body().contains("needed is Asterisk 12"));
            ami.onLogin(connection -> connection.send("Event: Dial\r\nSubEvent: Begin\r\nChannel: SIP/trunk-0000000a\r\n\r\n")).drop();
            awaitSaid(bridge, "events Dial");

            ami.refuse("Permission denied", "Status", "CoreShowChannels");
            for (int more = 1; more <= 3; more++) {
                int before = ami.logins();
                ami.drop();
                ami.awaitLogin(before + 1);
            }
            await("the word").until(() -> bridge.output().contains("'write = reporting'"));
            assertEquals(1, bridge.output().lines().filter(line -> line.contains("'write = reporting'")).count(), bridge::tail);

            assertTimeout(STOP, bridge::stop, bridge::tail);
            await("no reader").until(() -> ami.readers() == 0);
        }
    }

    private static void awaitSaid(BridgeProcess bridge, String word) {
        await(word).until(() -> bridge.get("/api/status").body().contains(word));
    }

    @Test
    void aWrongPasswordIsSaidOnceAndTheRightOneHelps() {
        try (BridgeProcess bridge = bridge().setting("callbridge.pbx.main.ami.secret", "not-" + SECRET).start()) {
            await("several attempts").until(() -> ami.refusedLogins() >= 4);
            assertEquals(1, bridge.output().lines().filter(line -> line.contains("refuses the login")).count(), bridge::tail);
            assertTrue(bridge.output().contains("Authentication failed; see callbridge.pbx.main.ami.username and"), bridge::tail);
            assertFalse(bridge.output().contains(SECRET), bridge::tail);
            await("readiness").until(bridge::ready);
        }
    }

    /** A call that began when there was one Asterisk keeps its id when another one is added. */
    @Test
    void twoAsterisksMayHaveEqualIds() throws Exception {
        BridgeProcess.Builder one = bridge().setting("callbridge.pbx.main.extensions.101.user", "anna");
        try (FakeAmi other = new FakeAmi("bridge", SECRET); BridgeProcess bridge = one.start()) {
            ami.awaitLogin(1);
            ami.send(call(1));
            await("the card").until(() -> crm.has(Kind.CARD, "1.2"));
            bridge.kill();
            ami.lists(List.of(), List.of("Channel: PJSIP/trunk-00000001\nUniqueid: 1.1\nLinkedid: 1.1\nChannelState: 4",
                    "Channel: PJSIP/101-00000001\nUniqueid: 1.2\nLinkedid: 1.1\nChannelState: 5"));
            try (BridgeProcess both = bridge().storeOf(bridge).settings(other.settings("branch"))
                    .setting("callbridge.pbx.main.extensions.101.user", "anna").setting("callbridge.pbx.branch.extensions.101.user", "boris").start()) {
                other.awaitLogin(1).send(call(1) + call(2));
                ami.awaitLogin(2).send("Event: Hangup\nChannel: PJSIP/101-00000001\nUniqueid: 1.2\nCause: 0\n\n" + call(2));
                for (String card : List.of("branch-1.2", "branch-2.2", "main-2.2")) {
                    await("the card " + card).until(() -> crm.has(Kind.CARD, card));
                }
                await("the end of the first call's leg").until(() -> both.call("1.1").path("legs").toString().contains("endedAt"));
                assertEquals(List.of("anna", "boris", "boris", "anna"), Stream.of("1.2", "branch-1.2", "branch-2.2", "main-2.2")
                        .map(card -> crm.requests(Kind.CARD, card).get(0).member("user")).toList());
            }
        }
    }

    /** What lives on while nobody listens is taken up; what ends meanwhile is lost: AsteriskCallsTest. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("native")
    void aCallThatIsGoingOnIsRegisteredOnceAfterACrashAndWhereChannelsAreNotListed(boolean listed) throws IOException {
        Capture capture = Capture.of("reconnect_midcall");
        String call = "1795400662.2004";
        String leg = "1795400662.2006";
        try (BridgeProcess bridge = bridge().setting("callbridge.pbx.main.country", "US").start()) {
            // 101 talks to the caller, the phone 102 rings for a colleague.
            ami.awaitLogin(1).send(capture.received(0, 3000));
            await("the answer").until(() -> bridge.get("/api/calls/" + call).statusCode() == 200
                    && BridgeProcess.lines(bridge.call(call).path("legs"), "legId answeredAt").stream().anyMatch(each -> each.startsWith(leg + " 2")));
            if (listed) {
                String talks = "Channel: PJSIP/%s\nUniqueid: %s\nLinkedid: " + call + "\nChannelState: 6\nBridgeId: b0bc";
                ami.lists(List.of(), List.of(talks.formatted("trunk-000000e5", call), talks.formatted("101-000000e6", leg)));
                bridge.kill();
                bridge.restart();
                ami.awaitLogin(2).send(capture.received(3000, Long.MAX_VALUE));
            } else {
                ami.refuse("Invalid/unknown command.", "Status", "CoreShowChannels").drop();
            }
            await("the registration").until(() -> crm.has(Kind.CALL, leg));
            CrmRequest registered = crm.requests(Kind.CALL, leg).get(0);
            assertEquals(List.of(listed ? "answered" : "unknown", "anna", "+12125550110", "+12025550143"),
                    Stream.of("result", "user", "did", "number").map(registered::member).toList());
            if (listed) {
                // Its name comes after the end of the leg.
                await("the recording").until(() -> "in-12125550110-12025550143-20261123-022422-1795400662.2004.wav".equals(
                        crm.requests(Kind.CALL, leg).get(crm.requests(Kind.CALL, leg).size() - 1).member("recordingId")));
            } else {
                ami.drop();
                ami.awaitLogin(3);
                crm.awaitQuiet();
                assertEquals(1, crm.requests(Kind.CALL, leg).size());
                assertEquals("0", registered.member("talkSeconds"));
                assertTrue(bridge.call(call).path("decisions").toString().contains("does not say which calls live on"), bridge::tail);
                assertTrue(bridge.output().contains("answers the action CoreShowChannels with 'Invalid/unknown command"), bridge::tail);
            }
            assertEquals(List.of(), crm.requests(Kind.MISSED));
        }
    }

    @Test
    void withTlsOnlyThePbxThatIsMeantGetsTheLogin(@TempDir Path folder) throws Exception {
        String[] known = Certificates.in(folder, "known");
        String[] other = Certificates.in(folder, "other");
        try (FakeAmi safe = new FakeAmi("bridge", SECRET, Certificates.context(folder, "known", "known"))) {
            try (BridgeProcess bridge = bridge().settings(safe.settings("main")).setting("callbridge.pbx.main.ami.tls-ca", known[0]).start()) {
                safe.awaitLogin(1);
                awaitState(bridge, "connected since");
            }
            int before = safe.connections();
            try (BridgeProcess bridge = bridge().settings(safe.settings("main")).setting("callbridge.pbx.main.ami.tls-ca", other[0]).start()) {
                await("attempts").until(() -> safe.connections() >= before + 3);
                awaitState(bridge, "TLS: ");
            }
            assertEquals(1, safe.logins());
        }
    }

    @Test
    void withoutAnAsteriskNothingOfItRuns() {
        assertFalse(SharedBridge.bridge().get("/q/health/ready").body().contains("asterisk"));
        assertFalse(SharedBridge.bridge().output().contains("asterisk"), SharedBridge.bridge()::tail);
    }

    /**
     * One that was asleep believes to be the reader still when it wakes up, and has in its socket what was sent meanwhile. That the
     * lease of one that is killed runs out too is the lease's own test.
     */
    @Test
    void anotherReplicaTakesOverFromOneThatSleepsAndFromOneThatStops() throws Exception {
        try (BridgeProcess first = bridge().setting(LEASE, "15000").store(StoreKind.POSTGRESQL).start()) {
            FakeAmi.Connection old = ami.awaitLogin(1);
            // So long that who waits for its end, since it was not given back, is too late.
            try (BridgeProcess second = bridge().setting(LEASE, "45000").storeOf(first).start();
                    BridgeProcess third = bridge().setting(LEASE, "45000").storeOf(first).start()) {
                awaitState(second, "another replica reads it");
                awaitState(third, "another replica reads it");
                await("readiness").until(() -> second.ready() && third.ready());
                assertEquals(1, ami.logins());
                first.signal("STOP");
                assertTimeout(Duration.ofSeconds(40), () -> ami.awaitLogin(2));
                old.send("Event: Hangup\r\nUniqueid: 1.1\r\n\r\n");
                first.signal("CONT");
                assertTrue(old.awaitEnd(SOON), first::tail);
                awaitState(first, "another replica reads it");
                assertEquals(1, ami.readers());
                BridgeProcess reader = state(second).startsWith("connected") ? second : third;
                awaitState(reader, "connected since");

                assertTimeout(STOP, () -> {
                    reader.stop();
                    ami.awaitLogin(3);
                }, reader::tail);
                await("one reader").until(() -> ami.readers() == 1);
                assertEquals(3, ami.logins());
            }
        }
    }

    @Test
    void whatTheStoreDoesNotTakeWaitsAndDoesNotKeepCallbridgeFromStopping() throws Exception {
        try (BridgeProcess bridge = bridge().start(); Connection other = DriverManager.getConnection(bridge.inboxUrl());
                Statement statement = other.createStatement()) {
            ami.awaitLogin(1);
            statement.execute("pragma busy_timeout = 30000");
            for (int round = 1; round <= 2; round++) {
                statement.execute("begin exclusive");
                ami.send(call(round));
                await("the store's complaint").until(() -> !bridge.ready());
                if (round == 1) {
                    statement.execute("rollback");
                    await("the call").until(() -> bridge.get("/api/calls/1.1").statusCode() == 200);
                    assertEquals(1, ami.logins(), "the connection has nothing to do with it");
                }
            }
            assertTimeout(STOP, bridge::stop, bridge::tail);
        }
    }

    /** A phone rings. */
    private static String call(int number) {
        String trunk = "Channel: PJSIP/trunk-0000000" + number + "\nUniqueid: " + number + ".1\nLinkedid: " + number + ".1\n";
        String phone = "Channel: PJSIP/101-0000000" + number + "\nUniqueid: " + number + ".2\nLinkedid: " + number + ".1\n";
        return "Event: Newchannel\n" + trunk + "ChannelState: 4\nCallerIDNum: 12025550143\nExten: 12125550110\nContext: from-trunk\n\n"
                + "Event: Newchannel\n" + phone + "ChannelState: 0\n\n"
                + "Event: DialBegin\n" + trunk + "CallerIDNum: 12025550143\n" + phone.replaceAll("(?m)^", "Dest").replaceAll("Dest$", "")
                + "\nEvent: Newstate\n" + phone + "ChannelState: 5\n\n";
    }

    private BridgeProcess.Builder bridge() {
        return BridgeProcess.builder().crm(crm).settings(QUICK).settings(ami.settings("main"));
    }

    private static void awaitState(BridgeProcess bridge, String begin) {
        await("the state " + begin).pollInterval(Duration.ofMillis(50)).until(() -> state(bridge).startsWith(begin)
                || begin.endsWith(": ") && state(bridge).contains(begin));
    }

    private static String state(BridgeProcess bridge) {
        String body = bridge.get("/q/health/ready").body();
        return body.replaceFirst("(?s).*\"asterisk main\": *\"(.*?)\",?\\s*\\n.*", "$1");
    }
}
