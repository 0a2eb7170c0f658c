package io.callbridge.asterisk;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.callbridge.platform.Outage;
import io.callbridge.platform.Settings;
import io.callbridge.support.Pages;
import io.callbridge.support.TestConfig;
import io.callbridge.support.Unchecked;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultChannelId;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.timeout.IdleStateEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.IntUnaryOperator;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The login step by step, pings, and one batch at a time over all connections; and however the network cuts what an Asterisk sends, the
 * same messages come out. A message without end and a missing right: AsteriskConnectionIT.
 */
class AmiTest {

    /** Messages of 60 KB: far more than any bound. */
    private static final int MANY = 200;

    private static final String SECRET = "sixteen-letters-and-more";
    private static final String BANNER = "Asterisk Call Manager/11.0.0\r\n";
    private static final String LOGGED_IN = "Response: Success\r\nChallenge: 1\r\n\r\nResponse: Success\r\n"
            + "Message: Authentication accepted\r\n\r\n";
    private static final String HANGUP = "Event: Hangup\r\nUniqueid: 1.2\r\nCause: 16\r\n\r\n";
    private static final String BOOTED = "Event: FullyBooted\r\n\r\n";

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final List<EmbeddedChannel> channels = new ArrayList<>();
    private final BlockingQueue<AmiBatch> batches = new LinkedBlockingQueue<>();
    private final List<Integer> delays = new ArrayList<>();
    /** The route works as long as it has none. */
    private final Semaphore answers = new Semaphore(1_000_000);
    private boolean mayRead = true;
    private final Outage leaseTrouble = new Outage(Logger.getLogger(AmiTest.class), "no lease", "a lease");
    private AmiLink link = link(Map.of());
    private EmbeddedChannel channel;
    private boolean greeted;
    private final EmbeddedChannel frames = new EmbeddedChannel(new AmiFrames());

    @AfterEach
    void stop() {
        answers.release(1_000_000);
        channels.forEach(EmbeddedChannel::finishAndReleaseAll);
    }

    @Test
    void theLoginIsByChallengeAndThenTheListsAreAskedFor() {
        connect();
        assertNull(said());
        receive(BANNER);
        assertEquals("Action: Challenge\r\nActionID: callbridge-challenge\r\nAuthType: MD5\r\n\r\n", said());
        receive("Response: Success\r\nActionID: callbridge-challenge\r\nChallenge: 113287639\r\n\r\n");
        assertEquals("Action: Login\r\nActionID: callbridge-login\r\nAuthType: MD5\r\nUsername: bridge\r\n"
                + "Key: bcf891ed418f4bd142d37667c16379d7\r\nEvents: system,call,agent,cdr,dialplan\r\n\r\n", said());
        receive("Response: Success\r\nActionID: callbridge-login\r\nMessage: Authentication accepted\r\n\r\n");
        assertNull(said(), "the PBX is not ready yet");
        assertTrue(link.isConnected());
        receive(BOOTED);
        assertEquals("Action: Status\r\nActionID: callbridge-status\r\n\r\n", said());
        assertEquals("Action: CoreShowChannels\r\nActionID: callbridge-channels\r\n\r\n", said());
        receive(BOOTED);
        assertNull(said());
        assertEquals(1, meters.get("callbridge.asterisk.connected").gauge().value());
    }

    @Test
    void aUserWhoIsNeverToldThatThePbxIsReadyIsServedAfterAWhile() {
        login();
        pass(4_999);
        assertNull(said());
        pass(1);
        assertTrue(said().startsWith("Action: Status"));
    }

    @Test
    void withoutAChallengeTheSecretIsOnlySentIfThatIsAllowed() {
        connect();
        receive(BANNER + "Response: Error\r\nMessage: Invalid/unknown command\r\n\r\n");
        said();
        assertNull(said());
        assertFalse(channel.isOpen());
        assertTrue(link.state().contains("callbridge.pbx.main.ami.plain-login"), link.state());

        link = link(Map.of("callbridge.pbx.main.ami.plain-login", "true"));
        connect();
        receive(BANNER + "Response: Error\r\nMessage: Invalid/unknown command\r\n\r\n");
        said();
        assertEquals("Action: Login\r\nActionID: callbridge-login\r\nUsername: bridge\r\nSecret: s3cret\r\n"
                + "Events: system,call,agent,cdr,dialplan\r\n\r\n", said());
    }

    /** @param ms after which it is cut; a wrong password, 60 s of waiting, is tried again seldom */
    @ParameterizedTest
    @CsvSource({"login, '', 10000, no banner", "login, B, 10000, no answer to the challenge", "login, B C, 10000, no answer to the login",
            "banner, SSH-2.0-OpenSSH_9.2, 0, SSH-2.0",
            "refused, B C X, 0, bridge@pbx.example:5038) refuses the login: Authentication failed"})
    void whoStopsAnsweringDuringTheLoginOrIsNoAsteriskOrRefusesIsCut(String reason, String said, int ms, String because) {
        connect();
        Stream.of(said.split(" ")).forEach(word -> receive(Map.of("", "", "B", BANNER, "C", "Response: Success\r\nChallenge: 1\r\n\r\n",
                "X", "Response: Error\r\nMessage: Authentication failed\r\n\r\n").getOrDefault(word, word + "\r\n")));
        if (ms > 0) {
            pass(ms - 1);
            assertTrue(channel.isOpen());
            pass(1);
        }
        assertFalse(channel.isOpen());
        assertTrue(link.state().contains(because) && !link.state().contains("s3cret"), link.state());
        assertEquals(reason.equals("refused"), lastDelay() == 60_000);
        assertEquals(1, meters.get("callbridge.asterisk.cut").tag("reason", reason).counter().count());
    }

    @Test
    void delaysGrowWithJitterAndBeginAgainAfterALogin() {
        for (long expected : new long[] {1000, 2000, 4000, 8000, 16000, 30000, 30000}) {
            connect();
            assertTrue(lastDelay() >= 0.75 * expected && lastDelay() <= 1.25 * expected, expected + ": " + lastDelay());
        }
        login();
        assertTrue(lastDelay() >= 750 && lastDelay() <= 1250, delays::toString);
    }

    @Test
    void silenceIsAskedAndCut() {
        run();
        silence();
        assertEquals("Action: Ping\r\nActionID: callbridge-ping\r\n\r\n", said());
        receive("Response: Success\r\nActionID: callbridge-ping\r\nPing: Pong\r\n\r\n");
        pass(10_000);
        assertTrue(channel.isOpen());
        silence();
        assertNotNull(said());
        receive("Event: RTCPSent\r\n\r\n");
        pass(10_000);
        assertTrue(channel.isOpen(), "whoever says something that nobody wants to know is there");
        silence();
        assertNotNull(said());
        pass(9_999);
        assertTrue(channel.isOpen());
        pass(1);
        assertFalse(channel.isOpen());
        assertEquals(1, meters.get("callbridge.asterisk.cut").tag("reason", "silence").counter().count());
        assertEquals(List.of(), List.copyOf(batches), "an answer to a ping is nobody's business");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Event: Hangup\r\nA: %s", "Event: Hangup\r\nA: %s\r\n\r\n", "%s"})
    void whatIsOver64KiBEndsTheConnection(String text) {
        run();
        receive(text.formatted("x".repeat(AmiFrames.LARGEST + 1)));
        assertFalse(channel.isOpen());
        assertEquals(1, meters.get("callbridge.asterisk.cut").tag("reason", "too-large").counter().count());
        assertEquals("a message is over 64 KiB", link.now().reason());
    }

    @Test
    void whatComesWhileTheRouteWorksGoesOnTogether() throws InterruptedException {
        answers.drainPermits();
        run();
        receive(hangup(1));
        assertEquals(1, next().messages().size());
        for (int i = 2; i <= 600; i++) {
            receive(hangup(i));
        }
        answers.release(1_000_000);
        List<AmiMessage> all = new ArrayList<>();
        int count = 0;
        for (; all.size() < 599; count++) {
            AmiBatch batch = next();
            assertEquals(1, batch.connection());
            assertTrue(batch.messages().size() <= 500);
            all.addAll(batch.messages());
        }
        assertTrue(count < 300, count + " batches");
        assertEquals("2", all.get(0).get("Uniqueid"));
        assertEquals("600", all.get(598).get("Uniqueid"));
    }

    @Test
    void aNewConnectionWaitsForTheOldOnesLastMessage() throws InterruptedException {
        answers.drainPermits();
        run();
        receive(hangup(1) + hangup(2) + hangup(3).substring(0, 20));
        channel.close();
        run();
        receive(hangup(4));
        List<String> old = new ArrayList<>(ids(next()));
        if (old.size() == 1) {
            // The route was quicker than the second message.
            answers.release(1);
            old.addAll(ids(next()));
        }
        assertEquals(List.of("1", "2"), old);
        assertNull(batches.poll(50, TimeUnit.MILLISECONDS));
        answers.release(1);
        AmiBatch second = next();
        assertEquals(2, second.connection());
        assertEquals(List.of("4"), ids(second));
        assertEquals(1, meters.get("callbridge.asterisk.reconnects").counter().count());
    }

    @Test
    void moreThanABoundWaitsAtThePbx() {
        answers.drainPermits();
        run();
        String filler = "Event: Hangup\r\nA: " + "x".repeat(60_000) + "\r\n\r\n";
        int taken = 0;
        for (; channel.config().isAutoRead() && taken < MANY; taken++) {
            receive(filler);
        }
        // The bound, and what the route was quick enough to take while they came.
        assertTrue(taken >= 17 && taken < MANY, "taken " + taken);
        silence();
        assertNull(said(), "who is not read is not silent");
        pass(20_000);
        assertTrue(channel.isOpen());
        answers.release(1_000_000);
        await("room").until(() -> channel.config().isAutoRead());
    }

    @Test
    void theReplicaThatIsNotToReadDoesNot() {
        run();
        mayRead = false;
        receive(hangup(1));
        assertFalse(channel.isOpen());
        assertEquals(0, batches.size());
        assertEquals("another replica reads it", link.state());
        leaseTrouble.begins("the cluster says 403", Instant.EPOCH);
        assertEquals("down", link.now().state());
        assertEquals("not connected since 1970-01-01T00:00:00Z: the lease cannot be taken: the cluster says 403", link.state());
        connect();
        assertFalse(channel.isOpen());
    }

    /** What is said of one that is: AsteriskConnectionIT. */
    @Test
    void anotherProductMayHaveTheBannerOfAnAsteriskThatIsTooOld() {
        connect();
        receive(BANNER.replace("11.0.0", "1.3") + LOGGED_IN);
        assertTrue(link.state().startsWith("connected since") && link.state().endsWith(link.now().reason()), link::state);
        receive(BOOTED + hangup(1));
        assertNotNull(link.now().reason());
        receive("Event: DialBegin\r\nDestUniqueid: 1.2\r\n\r\n");
        assertNull(link.now().reason());
    }

    private AmiLink link(Map<String, String> more) {
        Map<String, String> given = new HashMap<>(Map.of("callbridge.pbx.main.secret", SECRET, "callbridge.pbx.main.ami.host",
                "pbx.example", "callbridge.pbx.main.ami.username", "bridge", "callbridge.pbx.main.ami.secret", "s3cret",
                "callbridge.pbx.main.ami.trunks", "trunk"));
        given.putAll(more);
        Settings settings = TestConfig.settings(TestConfig.of(given, Map.of()));
        AmiLink made = new AmiLink("main", settings.asterisk("main").orElseThrow(), settings, () -> mayRead, () -> leaseTrouble, meters);
        made.begin(batch -> {
            batches.add(batch);
            answers.acquireUninterruptibly();
        }, delays::add);
        return made;
    }

    private void connect() {
        channel = new EmbeddedChannel(DefaultChannelId.newInstance(), false, false, new AmiConnection(link));
        // Before it begins to wait.
        channel.freezeTime();
        Unchecked.run(channel::register);
        channels.add(channel);
    }

    private void login() {
        connect();
        receive(BANNER + LOGGED_IN);
        said();
        said();
    }

    private void run() {
        login();
        receive(BOOTED);
        said();
        said();
    }

    private static String hangup(int id) {
        return "Event: Hangup\r\nUniqueid: " + id + "\r\n\r\n";
    }

    private static List<String> ids(AmiBatch batch) {
        return batch.messages().stream().map(message -> message.get("Uniqueid")).toList();
    }

    private AmiBatch next() throws InterruptedException {
        AmiBatch batch = batches.poll(10, TimeUnit.SECONDS);
        assertNotNull(batch);
        assertEquals("main", batch.pbx());
        return batch;
    }

    private void receive(String text) {
        channel.writeInbound(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
    }

    /** Netty's own handler looks at the real clock. */
    private void silence() {
        channel.pipeline().fireUserEventTriggered(IdleStateEvent.READER_IDLE_STATE_EVENT);
    }

    private void pass(long ms) {
        channel.advanceTimeBy(ms, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
    }

    private int lastDelay() {
        return delays.get(delays.size() - 1);
    }

    private String said() {
        ByteBuf bytes = channel.readOutbound();
        if (bytes == null) {
            return null;
        }
        String text = bytes.toString(StandardCharsets.UTF_8);
        bytes.release();
        return text;
    }

    @Test
    void aCaptureGivesTheSameMessagesInWhateverChunks() throws IOException {
        assumeTrue(Capture.areThere());
        for (Path file : Pages.below(Capture.FOLDER).filter(path -> path.toString().endsWith(".ami")).toList()) {
            byte[] all = Files.readAllBytes(file);
            Random random = new Random(all.length);
            List<String> plain = plain(new String(all, StandardCharsets.UTF_8));
            assertEquals(plain, cut(all, left -> left), file::toString);
            assertEquals(plain, cut(all, left -> 1), file::toString);
            assertEquals(plain, cut(all, left -> 1 + random.nextInt(700)), file::toString);
        }
    }

    private static List<String> cut(byte[] all, IntUnaryOperator chunk) {
        EmbeddedChannel frames = new EmbeddedChannel(new AmiFrames());
        List<String> found = new ArrayList<>();
        for (int at = 0; at < all.length;) {
            int until = Math.min(all.length, at + chunk.applyAsInt(all.length - at));
            frames.writeInbound(Unpooled.wrappedBuffer(all, at, until - at));
            at = until;
            for (Object next = frames.readInbound(); next != null; next = frames.readInbound()) {
                found.add(next.toString());
            }
        }
        return found.subList(1, found.size());
    }

    /** The same by other means: all at once, as text. */
    private static List<String> plain(String text) {
        return Arrays.stream(text.substring(text.indexOf('\n') + 1).replaceFirst("(?s)(.*\\r\\n\\r\\n).*", "$1").split("(\\r\\n){2,}"))
                .filter(block -> !block.isBlank()).map(block -> AmiMessage.of(block.strip()))
                .filter(message -> message.event().isEmpty() || AsteriskReader.EVENTS.contains(message.event())
                        || message.event().equals(AmiFrames.BOOTED) || message.event().equals(AmiFrames.SHUTDOWN))
                .map(AmiMessage::toString).toList();
    }

    @Test
    void behindTheBannerEventsThatNobodyWantsAreNotReadAndBytesThatAreNoTextAreReplaced() {
        frames.writeInbound(Unpooled.copiedBuffer("Asterisk Call Manager/5.0.4\r\nEvent: RTCPSent\r\nX: 1\r\n\r\nEvent: Hangups\r\n\r\nEvent:\r\n\r\n" + HANGUP
                + "Response: Error\r\n\r\nEvent: Hangup\r\nCallerIDName: a", StandardCharsets.UTF_8));
        frames.writeInbound(Unpooled.wrappedBuffer(new byte[] {(byte) 0xff, 'b', '\r', '\n', '\r', '\n'}));
        assertEquals("Asterisk Call Manager/5.0.4", frames.readInbound());
        assertEquals("Hangup", message().event());
        assertEquals("Error", message().get("Response"));
        assertEquals("a\ufffdb", message().get("CallerIDName"));
        assertNull(message());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Event: Hangup\nUniqueid: 1.2\n\n", "event: Hangup\r\nUNIQUEID:1.2\r\n\r\n", "\r\n\r\n\nEvent:Hangup\nUniqueid: 1.2\n\r\n",
            "Event: Hangup\r\nUniqueid: 1.2\r\nUniqueid: 3\r\nno field\r\n: none\r\n\r\n"})
    void lineEndsEmptyLinesAndRepeatedKeysDoNotMatter(String text) {
        add(text + HANGUP);
        for (int i = 0; i < 2; i++) {
            AmiMessage message = message();
            assertEquals("Hangup", message.event());
            assertEquals("1.2", message.get("Uniqueid"));
        }
        assertNull(message());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1000, 70_000})
    void aMessageOver64KiBIsRefusedAndOneOf64KiBIsNot(int chunk) {
        String begin = "Event: Hangup\r\nA: ";
        String most = begin + "x".repeat(AmiFrames.LARGEST - begin.length() - 1);
        add(most + "\r\n\r\n");
        assertEquals("Hangup", message().event());
        assertThrows(TooLongFrameException.class, () -> {
            for (String text = most + "xx\r\n\r\n" + HANGUP; !text.isEmpty(); text = text.substring(Math.min(text.length(), chunk))) {
                add(text.substring(0, Math.min(text.length(), chunk)));
                message();
            }
        });
    }

    @Test
    void noEndAtAllIsRefusedBeforeItFillsTheMemory() {
        assertThrows(TooLongFrameException.class, () -> {
            for (int taken = 0; taken < 70; taken++) {
                add("x: " + "y".repeat(997) + "\r\n");
                assertNull(message());
            }
        });
    }

    /** Behind the banner. */
    private void add(String text) {
        if (!greeted) {
            greeted = true;
            frames.writeInbound(Unpooled.copiedBuffer("Asterisk Call Manager/5.0.4\r\n", StandardCharsets.UTF_8));
            assertInstanceOf(String.class, frames.readInbound());
        }
        frames.writeInbound(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
    }

    private AmiMessage message() {
        return frames.readInbound();
    }
}
