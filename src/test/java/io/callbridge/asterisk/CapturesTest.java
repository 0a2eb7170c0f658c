package io.callbridge.asterisk;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.asterisk.Capture.Truth;
import io.callbridge.support.BridgeInJvm;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeAmi;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.RestContract;
import io.callbridge.support.TestCall;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.quarkus.arc.Arc;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every capture of a real Asterisk, from the socket to the CRM: what {@code GET /api/calls} and the CRM know afterwards is what really
 * happened. All captures are played at the same time, each as a PBX of its own, while another PBX reports calls by webhook:
 * whatever one of them does to another is a fault. That it does not matter how the bytes are cut is said by {@link AmiTest}.
 */
@QuarkusTest
@TestProfile(BridgeInJvm.Profile.class)
class CapturesTest {

    /** So often another PBX reports a call. */
    private static final long WEBHOOK_MS = 200;
    /** What came within it is sent at once, which no phone would notice. */
    private static final long AT_ONCE_MS = 5;
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
            truth.legs().stream().filter(Truth.Leg::registered).map(Truth.Leg::id).forEach(ids::add);
            ids.addAll(truth.missed());
            Map<String, JsonNode> calls = new TreeMap<>();
            truth.legs().forEach(leg -> calls.computeIfAbsent(leg.callId(), bridge::call));
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
        private final EmbeddedChannel frames = new EmbeddedChannel(new AmiFrames());
        private boolean tells;

        Playing(String name, String pbx, FakeAmi.Connection connection) {
            this.name = name;
            this.pbx = pbx;
            this.connection = connection;
            link = Arc.container().instance(Asterisks.class).get().link(pbx);
            frames.writeInbound(Unpooled.copiedBuffer("banner\r\n", StandardCharsets.US_ASCII));
            frames.readInbound();
        }

        /** Of several Asterisks each has ids of its own. */
        Truth truth() throws IOException {
            return Truth.of(name, pbx + "-");
        }

        /** What came after the login, as it came. */
        Map<Duration, byte[]> parts() throws IOException {
            Capture capture = Capture.of(name);
            long first = capture.afterLogin().get(0).millis();
            return capture.afterLogin().stream().map(chunk -> (chunk.millis() - first) / AT_ONCE_MS * AT_ONCE_MS).distinct()
                    .collect(Collectors.toMap(Duration::ofMillis, at -> capture.received(first + at, first + at + AT_ONCE_MS)));
        }

        void send(byte[] bytes) {
            frames.writeInbound(Unpooled.wrappedBuffer(bytes));
            tells = false;
            for (AmiMessage message = frames.readInbound(); message != null; message = frames.readInbound()) {
                tells |= !message.event().isEmpty() && !message.event().equals(AmiFrames.BOOTED)
                        && !message.event().equals(AmiFrames.SHUTDOWN);
            }
            connection.send(bytes);
        }

        /** The bridge has read, and stored, what was sent. */
        void awaitRead(Instant now) {
            await(name).atMost(SOON).pollInterval(Duration.ofMillis(1))
                    .until(() -> (!tells || now.equals(link.now().lastEvent())) && link.isIdle());
        }
    }

    private static List<CrmRequest> of(List<CrmRequest> requests, Kind kind, String id) {
        return requests.stream().filter(request -> request.kind() == kind && request.id().equals(id)).toList();
    }

    private static void compare(Truth truth, Instant begin, Map<String, JsonNode> calls, List<CrmRequest> requests) {
        for (Truth.Leg expected : truth.legs()) {
            JsonNode leg = StreamSupport.stream(calls.get(expected.callId()).path("legs").spliterator(), false)
                    .filter(each -> each.path("legId").asText().equals(expected.id())).findFirst()
                    .orElseThrow(() -> new AssertionError(expected));
            List<CrmRequest> written = of(requests, Kind.CALL, expected.id());
            assertEquals(expected.registered() ? 1 : 0, written.size(), expected::toString);
            String cardEnd = of(requests, Kind.CARD_END, expected.id()).stream()
                    .map(end -> end.query().get("reason") + " " + end.query().get("answeredBy")).distinct()
                    .reduce((one, other) -> one + " and " + other).orElse(expected.cardEnd());
            expected.assertSeen(new Truth.Leg(expected.callId(), expected.id(), leg.path("extension").asText(),
                    leg.path("direction").asText(), !leg.path("local").asBoolean(), expected.registered() ? written.get(0).member("did") : expected.did(),
                    seconds(begin, leg.path("startedAt")), seconds(begin, leg.path("answeredAt")),
                    seconds(begin, leg.path("endedAt")), cardEnd));
            if (expected.registered()) {
                CrmRequest call = written.get(0);
                assertEquals("user" + expected.extension(), call.member("user"), expected::toString);
                assertEquals(leg.path("result").asText(), call.member("result"), expected::toString);
                truth.assertRecording(expected, call.member("recordingId"));
            }
        }
        truth.missed().forEach(callId -> assertEquals(1, of(requests, Kind.MISSED, callId).size(), callId));
    }

    private static Double seconds(Instant begin, JsonNode time) {
        return time.isMissingNode() ? null : (Double) (Duration.between(begin, Instant.parse(time.asText())).toNanos() / 1e9);
    }
}
