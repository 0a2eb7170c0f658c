package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.BridgeProcess;
import io.callbridge.support.Certificates;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.RestContract;
import io.callbridge.support.SharedBridge;
import io.callbridge.support.TcpSender;
import io.callbridge.support.TestCall;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The line protocol on real sockets: an {@code OK} is a promise that survives a crash, and whatever a sender does wrong, he is
 * told in one line, and nobody else notices. Tests share one process as far as they can: damage shows at the next.
 */
@Tag("native")
class TcpIT {

    private static final String STRANGER = "ERR 0 AUTH <secret of a PBX> has to come first";
    private static final String WRONG_SECRET = "ERR 0 no PBX has this secret";

    private final FakeCrm crm = SharedBridge.crm();
    private final BridgeProcess bridge = SharedBridge.bridge();

    @BeforeEach
    void aCrmThatWorks() {
        crm.behave();
    }

    /** In the PBX's own charset, with byte order marks, cut within a character, with a control character. */
    @Test
    void eventsInBothNotationsReachTheCrmOnceWhateverTheirNamesAreWrittenIn() {
        TestCall asJson = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall asBlocks = TestCall.incoming("102", FakeCrm.PETROVA);
        try (TcpSender sender = TcpSender.connect(bridge.tcpPort()).send("\uFEFFAUTH " + bridge.secret() + "\n")) {
            for (int i = 0; i < 3; i++) {
                String json = TcpSender.json(asJson.answered().get(i)).replaceFirst("\\{", "{\"CallerIDName\": \"\u0418\u0432\u0430\u043d\u0001\",");
                sender.send("\uFEFF\uFEFF").send(json.replace("\n", "\r\n").getBytes(Charset.forName("windows-1251")));
                assertEquals("OK " + (2 * i + 1), sender.answer());
                sender.send("[CallerIDName] => \u0418\u0432").send(new byte[] {(byte) 0xd0, '\n'})
                        .send(TcpSender.block(asBlocks.answered().get(i)).replace("\n", i == 0 ? "\r\n" : "\n"));
                assertEquals("OK " + (2 * i + 2), sender.answer());
                // A phone that has stopped ringing before anybody looked gets no card.
                List.of(asJson, asBlocks).forEach(call -> await("the card").until(() -> crm.has(Kind.CARD, call.legId())));
            }
            // Once more, as after a connection that broke.
            sender.send(TcpSender.json(asJson.hangup()) + TcpSender.block(asBlocks.dialIn()));
            assertEquals(List.of("OK 7", "OK 8"), sender.answers(2));
        }
        for (TestCall call : List.of(asJson, asBlocks)) {
            crm.awaitCall(call);
            Stream.of(Kind.CARD, Kind.CARD_END, Kind.CALL).forEach(kind -> assertEquals(1, crm.requests(kind, call.legId()).size()));
            assertEquals("30", crm.requests(Kind.CALL, call.legId()).get(0).member("talkSeconds"));
        }
        assertEquals(List.of(), new RestContract(crm).deviations(crm.requests(List.of(asJson.legId(), asBlocks.legId()))));
    }

    /** And an event that is cut in two by the end is not taken. */
    @Test
    void aThousandLinesWithoutWaitingAreAnsweredInOrder() {
        List<TestCall> calls = IntStream.range(0, 50).mapToObj(i -> TestCall.incoming("103", "+790000008" + (10 + i))).toList();
        StringBuilder lines = new StringBuilder("AUTH " + bridge.secret() + "\n");
        for (int event = 0; event < 3; event++) {
            for (TestCall call : calls) {
                lines.append(call.legId().hashCode() % 2 == 0 ? TcpSender.json(call.answered().get(event))
                        : TcpSender.block(call.answered().get(event)));
            }
        }
        try (TcpSender sender = TcpSender.connect(bridge.tcpPort())) {
            sender.send(lines + "{}\n".repeat(1000 - 3 * calls.size()) + TcpSender.json(calls.get(0).answer()).stripTrailing()).end();
            assertEquals(IntStream.rangeClosed(1, 1000).mapToObj(i -> "OK " + i).toList(), sender.answers(1000));
            assertEquals("ERR 1001 the connection ended within an event", sender.answer());
            assertNull(sender.answer(), "who has ended and has all answers is let go");
        }
        calls.forEach(crm::awaitCall);
        calls.forEach(call -> assertEquals(1, crm.requests(Kind.CALL, call.legId()).size()));
    }

    @Test
    void whoSaysNoSecretOrAWrongOneIsToldSo() {
        String secret = bridge.secret();
        List<String> strangers = List.of("AUTH\n", "auth " + secret + "\n", "GET /pbx/" + secret + "/events HTTP/1.1\r\nHost: x\r\n\r\n",
                "\n", "\u0000\u0001\u0002\n", "AUTH " + "x".repeat(100_000),
                TcpSender.json(TestCall.incoming("101", FakeCrm.IVANOV).dialIn()));
        List<String> wrong = List.of("AUTH " + secret + "x\n", "AUTH " + secret.substring(1) + "\n", "AUTH  \n");
        Stream.of(strangers, wrong).flatMap(List::stream).forEach(said -> {
            try (TcpSender sender = TcpSender.connect(bridge.tcpPort()).send(said)) {
                assertEquals(Arrays.asList(strangers.contains(said) ? STRANGER : WRONG_SECRET, null), sender.answers(2), said);
            }
        });
        assertFalse(bridge.output().contains(secret), "the secret is in the output");
        assertTrue(bridge.metric("callbridge_events_total", "result=\"wrong-secret\"") >= 10);
    }

    @Test
    void aBadEventIsRefusedAndTheConnectionGoesOn() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        Map<String, String> nul = new LinkedHashMap<>(call.dialIn());
        nul.put("SubCallID", "a\0b");
        try (TcpSender sender = sender()) {
            sender.send("nonsense\n{\n{} {}\n[1]\n{\"EventType\":{\"is\":\"dial-in\"}}\n" + TcpSender.json(nul)
                    + "[EventType] => dial-in\nnonsense\n\n" + TcpSender.json(call.dialIn()));
            List<String> answers = sender.answers(8);
            assertEquals("ERR 1 neither a JSON object nor lines [Field] => value", answers.get(0));
            assertEquals("ERR 7 block: line 2 is not [Field] => value", answers.get(6));
            IntStream.range(0, 7).forEach(i -> assertTrue(answers.get(i).startsWith("ERR " + (i + 1) + " "), answers::toString));
            assertFalse(answers.toString().contains("send it again"), answers::toString);
            assertEquals("OK 8", answers.get(7));
        }
    }

    @Test
    void whatTheStoreDoesNotTakeIsToBeSentAgain() throws Exception {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        try (TcpSender sender = sender(); Connection other = DriverManager.getConnection(bridge.inboxUrl());
                Statement statement = other.createStatement()) {
            statement.execute("pragma busy_timeout = 30000");
            statement.execute("begin exclusive");
            sender.send(TcpSender.json(call.dialIn()));
            String refused = sender.answer();
            assertTrue(refused.matches("ERR 1 the event could not be stored.*; send it again"), refused);
            statement.execute("rollback");
            await("the store").until(bridge::ready);
            call.answered().forEach(event -> sender.send(TcpSender.json(event)));
            assertEquals(List.of("OK 2", "OK 3", "OK 4"), sender.answers(3));
        }
        crm.awaitCall(call);
    }

    @Test
    void whoIsTooManyOrSilentIsCutOffAndThenThereIsRoomAgain() {
        try (BridgeProcess small = BridgeProcess.builder().tcp().setting("callbridge.tcp.max-connections", "2")
                .setting("callbridge.tcp.max-silence-ms", "3000").start();
                TcpSender first = TcpSender.connect(small.tcpPort()).auth(small.secret()).send("{}\n");
                TcpSender second = TcpSender.connect(small.tcpPort())) {
            assertEquals("OK 1", first.answer());
            try (TcpSender third = TcpSender.connect(small.tcpPort())) {
                assertEquals("ERR 0 there are as many connections as are allowed; come again later", third.answer());
                assertNull(third.answer());
            }
            assertEquals(STRANGER, second.answer(), "who never says who he is");
            assertEquals("ERR 2 silent for 3 s", first.answer());
            assertNull(first.answer());
            await("room").until(() -> {
                try (TcpSender next = TcpSender.connect(small.tcpPort())) {
                    return "OK 1".equals(next.auth(small.secret()).send("{}\n").answer());
                }
            });
        }
    }

    /** And an OK survives a crash, and who is connected when Callbridge stops is told. */
    @Test
    void withTlsOnlyWhoHasACertificateThatIsKnownGetsIn(@TempDir Path folder) throws Exception {
        String[] server = Certificates.in(folder, "server");
        String[] known = Certificates.in(folder, "known");
        Certificates.in(folder, "unknown");
        try (BridgeProcess safe = BridgeProcess.builder().tcp().crm(crm).setting("callbridge.tcp.tls.certificate", server[0])
                .setting("callbridge.tcp.tls.key", server[1]).setting("callbridge.tcp.tls.client-ca", known[0])
                .setting("callbridge.store.lease-ms", "3000").quickRetries().start()) {
            SSLContext tls = Certificates.context(folder, "known", "server");
            try (TcpSender sender = TcpSender.connect(safe.tcpPort(), tls).auth(safe.secret()).send("{}\n" + "x".repeat(100_000))) {
                assertEquals(Arrays.asList("OK 1", "ERR 2 a line is over 64 KiB", null), sender.answers(3));
            }
            try (TcpSender sender = TcpSender.connect(safe.tcpPort(), tls).auth("not" + safe.secret())) {
                assertEquals(Arrays.asList(WRONG_SECRET, null), sender.answers(2), "a certificate is no secret");
            }
            for (String name : new String[] {null, "unknown"}) {
                assertThrows(IOException.class, () -> talk(safe, Certificates.context(folder, name, "server")), "certificate " + name);
            }
            try (TcpSender sender = TcpSender.connect(safe.tcpPort()).auth(safe.secret()).send("{}\n")) {
                assertTrue(sender.closed() || sender.closed(), "in clear");
            }

            crm.down();
            TestCall call = TestCall.incoming("102", FakeCrm.PETROVA);
            try (TcpSender sender = TcpSender.connect(safe.tcpPort(), tls).auth(safe.secret())) {
                call.answered().forEach(event -> sender.send(TcpSender.block(event)));
                assertEquals(List.of("OK 1", "OK 2", "OK 3"), sender.answers(3));
                safe.kill();
                assertTrue(sender.closed());
            } finally {
                crm.up();
            }
            safe.restart();
            crm.awaitCall(call);
            assertEquals(1, crm.requests(Kind.CALL, call.legId()).size());
            try (TcpSender sender = TcpSender.connect(safe.tcpPort(), tls).auth(safe.secret()).send("{}\n")) {
                assertEquals("OK 1", sender.answer());
                safe.stop();
                assertEquals("ERR 2 Callbridge is stopping; send it again", sender.answer());
                assertTrue(sender.closed());
            }
        }
    }

    private static void talk(BridgeProcess safe, SSLContext tls) throws IOException {
        try (TcpSender sender = TcpSender.connect(safe.tcpPort(), tls)) {
            sender.auth(safe.secret()).send("{}\n");
            assertNull(sender.answer());
            throw new IOException("closed without a word");
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private TcpSender sender() {
        return TcpSender.connect(bridge.tcpPort()).auth(bridge.secret());
    }
}
