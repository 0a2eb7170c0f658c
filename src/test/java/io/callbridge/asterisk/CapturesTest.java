package io.callbridge.asterisk;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeAmi;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.RestContract;
import io.callbridge.support.TestCall;
import io.netty.buffer.Unpooled;
import io.quarkus.arc.Arc;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every capture of a real Asterisk, from the socket to the CRM: what {@code GET /api/calls} and the CRM know afterwards is what really
 * happened. All captures are played at the same time, each as a PBX of its own, while another PBX reports calls by webhook:
 * whatever one of them does to another is a fault. That it does not matter how the bytes are cut is said by {@link AmiFramesTest}.
 */
@QuarkusTest
@TestProfile(BridgeInJvm.Profile.class)
class CapturesTest {

    private static final double TOLERANCE = 0.3;
    /** So often another PBX reports a call. */
    private static final long WEBHOOK_MS = 200;
    private static final Duration SOON = Duration.ofSeconds(60);

    @TestFactory
    Stream<DynamicTest> everyCapture() throws IOException {
        BridgeInJvm bridge = BridgeInJvm.started();
        FakeCrm crm = bridge.crm();
        int before = crm.requests().size();
        TreeMap<Duration, Map<Playing, byte[]>> parts = new TreeMap<>();
        List<Playing> captures = new ArrayList<>();
        for (Map.Entry<String, FakeAmi> asterisk : bridge.asterisks().entrySet()) {
            Playing playing = new Playing(asterisk.getKey(), "asterisk" + captures.size(), asterisk.getValue().awaitLogin(1));
            captures.add(playing);
            playing.parts().forEach((at, bytes) -> parts.computeIfAbsent(at, time -> new LinkedHashMap<>()).put(playing, bytes));
        }
        List<TestCall> byWebhook = new ArrayList<>();
        TreeMap<Duration, List<Runnable>> timeline = new TreeMap<>();
        parts.forEach((at, now) -> {
            List<Runnable> work = new ArrayList<>(List.of(() -> now.forEach(Playing::send)));
            if (at.toMillis() >= byWebhook.size() * WEBHOOK_MS) {
                TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
                byWebhook.add(call);
                work.add(() -> bridge.webhook().accept(call.answered()));
            }
            work.add(() -> now.keySet().forEach(playing -> playing.awaitRead(bridge.now())));
            timeline.put(at, work);
        });
        Instant begin = bridge.now().plusSeconds(1);
        bridge.use(Map.of("callbridge.crm.active", "rest"));
        bridge.play(timeline);
        bridge.pass(Duration.ofSeconds(20));
        List<CrmRequest> requests = crm.requests().stream().skip(before).toList();
        List<String> ids = new ArrayList<>(byWebhook.stream().map(TestCall::legId).toList());
        List<DynamicTest> tests = new ArrayList<>();
        for (Playing playing : captures) {
            Truth truth = playing.truth();
            truth.legs().stream().filter(CapturesTest::registered).map(Truth.Leg::id).forEach(ids::add);
            ids.addAll(truth.missed());
            Map<String, JsonNode> calls = explained(bridge, truth);
            tests.add(DynamicTest.dynamicTest(playing.name, () -> compare(truth, begin, calls, requests)));
        }
        tests.add(DynamicTest.dynamicTest("contract", () -> assertEquals(List.of(), new RestContract(crm).deviations(requests))));
        List<String> written = requests.stream().filter(request -> request.kind() == Kind.CALL || request.kind() == Kind.MISSED)
                .map(CrmRequest::id).sorted().toList();
        tests.add(DynamicTest.dynamicTest("every call and missed call once, and nothing else",
                () -> assertEquals(ids.stream().sorted().toList(), written)));
        return tests.stream();
    }

    private static final class Playing {

        private final String name;
        private final String pbx;
        private final FakeAmi.Connection connection;
        private final AmiLink link;
        private final AmiFrames frames = new AmiFrames();
        private boolean tells;

        Playing(String name, String pbx, FakeAmi.Connection connection) {
            this.name = name;
            this.pbx = pbx;
            this.connection = connection;
            link = Arc.container().instance(Asterisks.class).get().link(pbx);
        }

        /** Of several Asterisks each has ids of its own. */
        Truth truth() throws IOException {
            return Truth.of(name, pbx + "-");
        }

        /** What came after the login, as it came. */
        Map<Duration, byte[]> parts() throws IOException {
            Capture capture = Capture.of(name);
            int login = capture.bytes().length - FakeAmi.afterLogin(Capture.FOLDER.resolve(name + ".ami")).length;
            List<Capture.Chunk> chunks = capture.chunks().stream().filter(chunk -> chunk.to() > login).toList();
            Map<Duration, byte[]> parts = new TreeMap<>();
            for (Capture.Chunk chunk : chunks) {
                parts.merge(Duration.ofMillis(chunk.millis() - chunks.get(0).millis()),
                        Arrays.copyOfRange(capture.bytes(), Math.max(login, chunk.from()), chunk.to()), Playing::both);
            }
            return parts;
        }

        private static byte[] both(byte[] one, byte[] other) {
            byte[] both = Arrays.copyOf(one, one.length + other.length);
            System.arraycopy(other, 0, both, one.length, other.length);
            return both;
        }

        void send(byte[] bytes) {
            frames.add(Unpooled.wrappedBuffer(bytes));
            tells = false;
            for (AmiMessage message = frames.next(); message != null; message = frames.next()) {
                tells |= !message.event().isEmpty() && !message.event().equals(AmiFrames.BOOTED)
                        && !message.event().equals(AmiFrames.SHUTDOWN);
            }
            try {
                connection.send(bytes);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** The bridge has read, and stored, what was sent. */
        void awaitRead(Instant now) {
            await(name).atMost(SOON).pollInterval(Duration.ofMillis(1))
                    .until(() -> (!tells || now.equals(link.now().lastEvent())) && link.isIdle());
        }
    }

    private static boolean registered(Truth.Leg leg) {
        return leg.outside() && (leg.answer() != null || leg.direction().equals("out"));
    }

    /** What the bridge says about the calls of a capture. */
    private static Map<String, JsonNode> explained(BridgeInJvm bridge, Truth truth) {
        Map<String, JsonNode> calls = new TreeMap<>();
        for (Truth.Leg leg : truth.legs()) {
            calls.computeIfAbsent(leg.callId(), bridge::call);
        }
        return calls;
    }

    private static List<CrmRequest> of(List<CrmRequest> requests, Kind kind, String id) {
        return requests.stream().filter(request -> request.kind() == kind && request.id().equals(id)).toList();
    }

    private static void compare(Truth truth, Instant begin, Map<String, JsonNode> calls, List<CrmRequest> requests) {
        for (Truth.Leg expected : truth.legs()) {
            JsonNode leg = leg(calls.get(expected.callId()), expected.id());
            String about = expected + " but " + leg;
            assertEquals(expected.extension(), leg.path("extension").asText(), about);
            assertEquals(expected.direction(), leg.path("direction").asText(), about);
            assertEquals(expected.outside(), !leg.path("local").asBoolean(), about);
            assertEquals(expected.answer() != null, leg.has("answeredAt"), about);
            if (expected.start() != null) {
                same(begin, expected.start(), leg.path("startedAt").asText(), about);
            }
            if (expected.answer() != null) {
                same(begin, expected.answer(), leg.path("answeredAt").asText(), about);
            }
            same(begin, expected.end(), leg.path("endedAt").asText(), about);
            if (expected.cardEnd() != null) {
                of(requests, Kind.CARD_END, expected.id()).forEach(end -> assertEquals(expected.cardEnd(),
                        end.query().get("reason") + " " + end.query().get("answeredBy"), about));
            }
            List<CrmRequest> written = of(requests, Kind.CALL, expected.id());
            assertEquals(registered(expected) ? 1 : 0, written.size(), about);
            if (registered(expected)) {
                CrmRequest call = written.get(0);
                assertEquals("user" + expected.extension(), call.member("user"), about);
                assertEquals(expected.did() == null ? null : "+" + expected.did(), call.member("did"), about);
                assertEquals(leg.path("result").asText(), call.member("result"), about);
                assertTrue(call.member("recordingId") == null ? expected.answer() == null || !truth.recorded()
                        : truth.recordings().contains(call.member("recordingId")), about + call);
            }
        }
        truth.missed().forEach(callId -> assertEquals(1, of(requests, Kind.MISSED, callId).size(), callId));
    }

    private static JsonNode leg(JsonNode call, String id) {
        for (JsonNode leg : call.path("legs")) {
            if (leg.path("legId").asText().equals(id)) {
                return leg;
            }
        }
        return fail("no leg " + id + " in " + call);
    }

    private static void same(Instant begin, double expected, String actual, String about) {
        assertEquals(expected, Duration.between(begin, Instant.parse(actual)).toNanos() / 1e9, TOLERANCE, about);
    }
}
