package io.callbridge.asterisk;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeAmi;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.RestContract;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Plays every capture of a real Asterisk to the packaged application and holds what {@code GET /api/calls} and the CRM know
 * afterwards against what really happened. All captures of a play run at the same time, each as a PBX of its own, while
 * another PBX reports calls by webhook: whatever one of them does to another is a fault. A time is when the bridge has read
 * something; if a busy machine lets it be late, the capture is played again. What is wrong whatever the times are counts
 * nevertheless.
 */
class AsteriskIT {

    private static final double TOLERANCE = 0.3;
    private static final Duration PATIENCE = Duration.ofSeconds(180);
    private static final int PLAYS_AT_MOST = 5;
    private static final Duration MISSED_DELAY = Duration.ofMillis(500);
    private static final int WEBHOOK_CALLS = 100;
    private static final String SECRET = "secret of the manager interface";

    /** How the bytes of a capture reach the bridge. */
    private interface Way {
        /** @return by how much something was sent too late */
        Duration send(FakeAmi.Connection connection, Path capture) throws IOException, InterruptedException;
    }

    @TestFactory
    Stream<DynamicTest> atTheRealPace() throws IOException {
        return play("real pace", 1, (connection, capture) -> connection.replay(capture, 1));
    }

    @TestFactory
    Stream<DynamicTest> twentyTimesFaster() throws IOException {
        return play("20 times faster", 20, (connection, capture) -> connection.replay(capture, 20));
    }

    @TestFactory
    @Tag("native")
    Stream<DynamicTest> withoutPauses() throws IOException {
        return play("without pauses", 0, (connection, capture) -> connection.replay(capture, 0));
    }

    @TestFactory
    Stream<DynamicTest> byteByByte() throws IOException {
        return play("byte by byte", 0, (connection, capture) -> {
            connection.send(FakeAmi.afterLogin(capture), 1);
            return Duration.ZERO;
        });
    }

    @TestFactory
    Stream<DynamicTest> inRandomChunks() throws IOException {
        Random random = new Random(4);
        return play("in random chunks", 0, (connection, capture) -> {
            byte[] bytes = FakeAmi.afterLogin(capture);
            for (int at = 0; at < bytes.length;) {
                int to = Math.min(bytes.length, at + 1 + random.nextInt(2000));
                connection.send(Arrays.copyOfRange(bytes, at, to));
                at = to;
            }
            return Duration.ZERO;
        });
    }

    private static final class Playing {
        final String name;
        final String pbx;
        final FakeAmi ami = FakeAmi.start("callbridge", SECRET);
        final CompletableFuture<Instant> begun = new CompletableFuture<>();
        final CompletableFuture<Duration> sent = new CompletableFuture<>();

        Playing(String name, String pbx) {
            this.name = name;
            this.pbx = pbx;
        }

        /** Of several Asterisks each has ids of its own. */
        Truth truth() throws IOException {
            return Truth.of(name, pbx + "-");
        }
    }

    /** @param speed 0: times are not compared */
    private static Stream<DynamicTest> play(String how, double speed, Way way) throws IOException {
        return play(how, speed, way, Capture.names(), 1);
    }

    private static Stream<DynamicTest> play(String how, double speed, Way way, List<String> names, int plays) throws IOException {
        List<DynamicTest> results = new ArrayList<>();
        List<String> late = new ArrayList<>();
        Map<String, Playing> captures = new TreeMap<>();
        CountDownLatch go = new CountDownLatch(1);
        try (FakeCrm crm = new FakeCrm()) {
            BridgeProcess.Builder builder = BridgeProcess.builder().crm(crm)
                    .setting("callbridge.calls.missed-delay", MISSED_DELAY.toMillis() + "ms");
            for (String name : names) {
                String pbx = "asterisk" + captures.size();
                Playing playing = new Playing(name, pbx);
                captures.put(pbx, playing);
                builder.settings(playing.ami.settings(pbx)).setting("callbridge.pbx." + pbx + ".country", "US");
                for (int extension = 101; extension <= 110; extension++) {
                    builder.setting("callbridge.pbx." + pbx + ".extensions." + extension + ".user", "user" + extension);
                }
                playing.ami.onLogin(connection -> {
                    go.await();
                    // The first chunk after the login came a few milliseconds after the connection was made.
                    playing.begun.complete(Instant.now());
                    playing.sent.complete(way.send(connection, Capture.FOLDER.resolve(name + ".ami")));
                });
            }
            try (BridgeProcess bridge = builder.start()) {
                captures.values().forEach(playing -> playing.ami.awaitLogin(1));
                List<TestCall> byWebhook = Stream.generate(() -> TestCall.incoming("101", FakeCrm.IVANOV)).limit(WEBHOOK_CALLS).toList();
                // Warm enough that a card is not late.
                byWebhook.subList(0, WEBHOOK_CALLS / 2).forEach(call -> report(bridge.webhook(), call));
                go.countDown();
                byWebhook.subList(WEBHOOK_CALLS / 2, WEBHOOK_CALLS).forEach(call -> report(bridge.webhook(), call));
                captures.values().forEach(playing -> playing.sent.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join());
                awaitAll(bridge, crm, captures, byWebhook);
                List<CrmRequest> requests = crm.requests();
                for (Playing playing : captures.values()) {
                    Map<String, JsonNode> calls = explained(bridge, playing.truth());
                    boolean again = speed > 0 && plays < PLAYS_AT_MOST && differs(playing, speed, calls, requests);
                    if (again) {
                        late.add(playing.name);
                    }
                    results.add(DynamicTest.dynamicTest(how + ": " + playing.name,
                            () -> compare(playing, again ? 0 : speed, calls, requests)));
                }
                results.add(DynamicTest.dynamicTest(how + ": contract", () -> assertEquals(List.of(),
                        new RestContract(crm, false).deviations(requests))));
                results.add(DynamicTest.dynamicTest(how + ": webhook", () -> byWebhook.forEach(call -> assertEquals(1,
                        of(requests, Kind.CALL, call.legId()).size(), call::toString))));
                List<String> ids = registered(captures, byWebhook);
                results.add(DynamicTest.dynamicTest(how + ": nothing else", () -> assertEquals(List.of(), requests.stream()
                        .filter(request -> request.kind() == Kind.CALL || request.kind() == Kind.MISSED)
                        .map(CrmRequest::id).filter(id -> !ids.contains(id)).toList())));
            }
        } finally {
            go.countDown();
            captures.values().forEach(playing -> playing.ami.close());
        }
        return late.isEmpty() ? results.stream() : Stream.concat(results.stream(), play(how + ", again", speed, way, late, plays + 1));
    }

    private static void report(Webhook webhook, TestCall call) {
        webhook.accept(call.answered());
    }

    private static boolean registered(Truth.Leg leg) {
        return leg.outside() && (leg.answer() != null || leg.direction().equals("out"));
    }

    /** Ids of all calls and missed calls that there must be. */
    private static List<String> registered(Map<String, Playing> captures, List<TestCall> byWebhook) throws IOException {
        List<String> ids = new ArrayList<>(byWebhook.stream().map(TestCall::legId).toList());
        for (Playing playing : captures.values()) {
            Truth truth = playing.truth();
            truth.legs().stream().filter(AsteriskIT::registered).map(Truth.Leg::id).forEach(ids::add);
            ids.addAll(truth.missed());
        }
        return ids;
    }

    private static void awaitAll(BridgeProcess bridge, FakeCrm crm, Map<String, Playing> captures, List<TestCall> byWebhook)
            throws IOException {
        List<String> ids = registered(captures, byWebhook);
        try {
            await("every call").atMost(PATIENCE).until(() -> ids.stream().allMatch(id -> crm.has(Kind.CALL, id) || crm.has(Kind.MISSED, id)));
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("not in the CRM: " + ids.stream().filter(id -> !crm.has(Kind.CALL, id) && !crm.has(Kind.MISSED, id)).toList()
                    + bridge.tail(), e);
        }
        await("the end of every leg").atMost(PATIENCE).untilAsserted(() -> {
            for (Playing playing : captures.values()) {
                Truth truth = playing.truth();
                Map<String, JsonNode> calls = explained(bridge, truth);
                for (Truth.Leg expected : truth.legs()) {
                    JsonNode leg = leg(calls.get(expected.callId()), expected.id());
                    assertTrue(leg.has("endedAt"), () -> expected + " but " + leg);
                }
            }
        });
        // Whatever might still be decided in error has been decided after this.
        await("the last missed call").pollDelay(MISSED_DELAY.multipliedBy(3)).until(() -> true);
    }

    /** What the bridge says about the calls of a capture. */
    private static Map<String, JsonNode> explained(BridgeProcess bridge, Truth truth) {
        Map<String, JsonNode> calls = new TreeMap<>();
        for (Truth.Leg leg : truth.legs()) {
            calls.computeIfAbsent(leg.callId(), bridge::call);
        }
        return calls;
    }

    private static List<CrmRequest> of(List<CrmRequest> requests, Kind kind, String id) {
        return requests.stream().filter(request -> request.kind() == kind && request.id().equals(id)).toList();
    }

    private static boolean differs(Playing playing, double speed, Map<String, JsonNode> calls, List<CrmRequest> requests)
            throws IOException {
        try {
            compare(playing, speed, calls, requests);
            return false;
        } catch (AssertionError e) {
            return true;
        }
    }

    private static void compare(Playing playing, double speed, Map<String, JsonNode> calls, List<CrmRequest> requests) throws IOException {
        Truth truth = playing.truth();
        for (Truth.Leg expected : truth.legs()) {
            JsonNode leg = leg(calls.get(expected.callId()), expected.id());
            String about = expected + " but " + leg;
            assertEquals(expected.extension(), leg.path("extension").asText(), about);
            assertEquals(expected.direction(), leg.path("direction").asText(), about);
            assertEquals(expected.outside(), !leg.path("local").asBoolean(), about);
            assertEquals(expected.answer() != null, leg.has("answeredAt"), about);
            Clock clock = new Clock(playing.begun.join(), speed, playing.sent.join());
            if (expected.start() != null) {
                clock.compare(expected.start(), leg.path("startedAt").asText(), about);
            }
            if (expected.answer() != null) {
                clock.compare(expected.answer(), leg.path("answeredAt").asText(), about);
            }
            clock.compare(expected.end(), leg.path("endedAt").asText(), about);
            if (speed == 1 && expected.cardEnd() != null) {
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

    /** Times of a capture that was played at a speed, as well as the machine could. */
    private record Clock(Instant begun, double speed, Duration late) {

        void compare(double expected, String actual, String about) {
            if (speed > 0) {
                assertEquals(expected / speed, Duration.between(begun, Instant.parse(actual)).toNanos() / 1e9,
                        TOLERANCE + late.toNanos() / 1e9, about);
            }
        }
    }
}
