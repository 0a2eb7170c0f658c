package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.ExamplePbx;
import io.callbridge.support.FakeCollector;
import io.callbridge.support.FakeCollector.Seen;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Ports;
import io.callbridge.support.SharedBridge;
import io.callbridge.support.TcpSender;
import io.callbridge.support.TestCall;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** One trace leads from the receipt of an event to the request at the CRM; without a collector nobody hears of it. */
class TracingIT {

    private static final Duration SOON = Duration.ofSeconds(90);
    /** Of a process that may have something left to send. */
    private static final Duration STOP = Duration.ofSeconds(28);
    private static final int CALLS = 20;
    /** OpenTelemetry says it five times, that it will say less, and then once a minute. */
    private static final int MOST_LINES = 7;
    private static final List<String> OWN_SPANS = List.of("receive", "journal", "look", "deliver", "GET", "PUT", "DELETE");

    @AutoClose
    private static FakeCrm crm;
    @AutoClose
    private static FakeCollector collector;
    @AutoClose
    private static BridgeProcess bridge;

    @BeforeAll
    static void start() {
        crm = new FakeCrm();
        collector = new FakeCollector();
        bridge = BridgeProcess.builder().setting("callbridge.tracing.endpoint", collector.url()).setting("quarkus.otel.bsp.schedule.delay", "50ms")
                .setting("callbridge.crm.rest.missed-task", "true").tcp().quickRetries().crm(crm).start();
    }

    @BeforeEach
    void aCrmThatWorks() {
        crm.behave();
    }

    @Test
    @Tag("native")
    void anEventIsOneTraceUpToTheRequestAtTheCrm() {
        TestCall call = TestCall.incoming("101", TestCall.newNumber());
        bridge.webhook().accept(List.of(call.dialIn()));
        Seen receive = awaited("receive", call, 1).get(0);
        Map<String, Seen> spans = new TreeMap<>();
        await("the trace").atMost(SOON).until(() -> {
            collector.spans().stream().filter(span -> span.trace().equals(receive.trace())).forEach(span -> spans.put(span.name(), span));
            return spans.size() == 6;
        });
        Seen put = spans.get("PUT");
        Seen look = spans.get("look");
        Seen deliver = spans.get("deliver");

        assertEquals("", receive.parent());
        Map<String, Seen> parents = Map.of("journal", receive, "look", receive, "deliver", look, "PUT", deliver, "GET", deliver);
        parents.forEach((name, parent) -> assertEquals(parent.id(), spans.get(name).parent(), name));
        assertEquals(6, collector.spans().stream().filter(span -> span.trace().equals(receive.trace())).count(), () -> "spans: " + collector.spans());
        assertEquals(traceparent(put), crm.requests(Kind.CARD, call.legId()).get(0).header("traceparent"));
        assertEquals(traceparent(spans.get("GET")), crm.requests(Kind.ENTITY).stream()
                .filter(request -> call.caller().equals(request.query().get("phone"))).findFirst().orElseThrow().header("traceparent"));

        assertEquals(Map.of("callbridge.route", "ingest-webhook", "callbridge.pbx", "main", "callbridge.event", "dial-in",
                "callbridge.call_id", call.callId(), "callbridge.leg_id", call.legId()), own(receive));
        assertEquals("new", spans.get("journal").get("callbridge.result"));
        assertEquals("rest card", look.get("callbridge.effects"));
        assertEquals(call.legId(), look.get("callbridge.subjects"));
        assertTrue(look.get("callbridge.rules").matches("R\\d+(,R\\d+)*"), () -> "rules of " + look);
        assertEquals(Map.of("callbridge.pbx", "main", "callbridge.call_id", call.callId(), "callbridge.leg_id", call.legId(),
                "callbridge.crm", "rest", "callbridge.operation", "card", "callbridge.attempt", "1", "callbridge.result", "delivered"), own(deliver));
        assertEquals("200", deliver.get("http.response.status_code"));
        assertEquals("200", put.get("http.response.status_code"));
        assertEquals("127.0.0.1", put.get("server.address"));
    }

    @Test
    void aDeliveryThatIsRetriedHasOneSpanOfEachTryInTheTraceOfItsEvent() {
        crm.on("PUT", "/calls/.*", FakeCrm.Answer.status(503).times(2));
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.dialIn(), call.answer()));
        try (TcpSender sender = TcpSender.connect(bridge.tcpPort()).auth(bridge.secret())) {
            assertEquals("OK 1", sender.send(TcpSender.json(call.hangup())).answer());
        }
        await("three tries").atMost(SOON).until(() -> tries(call).size() == 3 && puts(call).size() == 3);

        assertEquals("ingest-tcp", hangup(call, 3).get("callbridge.route"));
        assertEquals(List.of("1 pending 503 true", "2 pending 503 true", "3 delivered 200 false"), tries(call).stream()
                .map(span -> String.join(" ", span.get("callbridge.attempt"), span.get("callbridge.result"),
                        span.get("http.response.status_code"), "" + span.error())).toList());
        assertTrue(ofAnEvent(call, tries(call).get(0).trace()), () -> "traces of " + tries(call));
        assertEquals(1, tries(call).stream().map(Seen::trace).distinct().count(), () -> "traces of " + tries(call));
        assertEquals(puts(call).stream().map(TracingIT::traceparent).toList(),
                crm.requests(Kind.CALL, call.legId()).stream().map(request -> request.header("traceparent")).toList());
    }

    @Test
    void theTraceGoesOnInAnotherProcess() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        crm.down();
        bridge.webhook().accept(call.answered());
        // Of the card, its end or the call: what the CRM may know of a card it is told first.
        await("a try").atMost(SOON).until(() -> !awaited("deliver", call, 1).isEmpty() && awaited("receive", call, 3).size() == 3);
        bridge.kill();
        crm.up();
        bridge.restart();
        await("the call").atMost(SOON).until(() -> tries(call).stream().anyMatch(span -> "delivered".equals(span.get("callbridge.result"))));

        String trace = crm.requests(Kind.CALL, call.legId()).get(0).header("traceparent").split("-")[1];
        assertTrue(ofAnEvent(call, trace), trace);
        tries(call).forEach(span -> assertEquals(trace, span.trace()));
    }

    /** Of the hangup, or of an event whose look had begun before the hangup came, and took it in. */
    private static boolean ofAnEvent(TestCall call, String trace) {
        return awaited("receive", call, 3).stream().map(Seen::trace).anyMatch(trace::equals);
    }

    @Test
    void aMissedCallThatATimerDecidesIsInTheTraceOfItsLastEvent() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(call.missed());
        Seen missed = await("the missed call").atMost(SOON).until(() -> deliveries(call, "missed"), spans -> !spans.isEmpty()).get(0);
        assertEquals(hangup(call, 2).trace(), missed.trace());
        assertFalse(missed.attributes().containsKey("callbridge.leg_id"), () -> "a missed call is no leg: " + missed);
    }

    private static Seen hangup(TestCall call, int events) {
        return awaited("receive", call, events).stream().filter(span -> span.get("callbridge.event").equals("hangup")).findFirst().orElseThrow();
    }

    /** Of all that these tests send. */
    @Test
    void noSpanTellsASecretOrWhoCalled() {
        TestCall answered = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall missed = TestCall.incoming("102", FakeCrm.PETROVA);
        bridge.webhook().accept(answered.answered());
        bridge.webhook().accept(missed.missed());
        assertEquals(404, bridge.webhook("thisisnotthesecret0123").send(answered.dialIn()).statusCode());
        bridge.get("/api/calls/" + answered.callId());
        bridge.get("/q/metrics");
        await("both").atMost(SOON).until(() -> !tries(answered).isEmpty() && !deliveries(missed, "missed").isEmpty());
        for (String secret : List.of(bridge.secret(), "thisisnotthesecret", FakeCrm.TOKEN, "admin-token", FakeCrm.IVANOV.substring(1),
                FakeCrm.PETROVA.substring(1), "Ivanov", "Petrova", "anna", "boris", ExamplePbx.DID, "/pbx/", "/crm", "/api", "/q/")) {
            assertFalse(collector.everything().contains(secret), () -> secret + " is in " + collector.everything());
        }
        collector.spans().forEach(span -> assertTrue(OWN_SPANS.contains(span.name()), () -> "a span that is not ours: " + span));
    }

    @Test
    void withoutAnAddressNothingIsTraced() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        SharedBridge.bridge().webhook().accept(call.answered());
        SharedBridge.crm().awaitCall(call);
        SharedBridge.crm().requests(List.of(call.legId())).forEach(request -> assertNull(request.header("traceparent"), request::toString));
    }

    /** One that is away, and one that takes connections and says nothing. Of a share of the events nothing is sent, and the CRM is told so. */
    @Test
    void aCollectorThatTakesNothingHoldsNothingUp() throws IOException {
        int port = Ports.free();
        try (BridgeProcess alone = BridgeProcess.builder().setting("callbridge.tracing.endpoint", "http://127.0.0.1:" + port)
                .setting("callbridge.tracing.ratio", "0.5").setting("quarkus.otel.bsp.schedule.delay", "50ms").crm(crm).start()) {
            Set<String> sampled = new TreeSet<>();
            call(alone, sampled);
            try (ServerSocket silent = new ServerSocket(port, 50, InetAddress.getLoopbackAddress())) {
                call(alone, sampled);
                // Both kinds are there, unless chance has it that 40 events are of one.
                assertEquals(Set.of("00", "01"), sampled);
                String output = alone.output();
                long lines = output.lines().filter(line -> line.contains("export")).count();
                assertTrue(lines <= MOST_LINES, () -> lines + " lines about it" + alone.tail());
                assertFalse(output.contains("\tat "), () -> "a stack trace" + alone.tail());
                long begin = System.nanoTime();
                alone.stop();
                Duration took = Duration.ofNanos(System.nanoTime() - begin);
                assertTrue(took.compareTo(STOP) < 0, () -> "stopping took " + took + alone.tail());
                assertFalse(silent.isClosed());
            }
        }
    }

    /** One after the other, so that there is something to send many times. */
    private static void call(BridgeProcess alone, Set<String> sampled) {
        for (int i = 0; i < CALLS; i++) {
            TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
            alone.webhook().accept(call.answered());
            crm.awaitCall(call);
            sampled.add(crm.requests(Kind.CALL, call.legId()).get(0).header("traceparent").replaceFirst(".*-", ""));
        }
    }

    /** Spans of a call. */
    private static List<Seen> awaited(String name, TestCall call, int count) {
        return await(name + " spans of " + call).atMost(SOON).until(() -> spans(name, call), spans -> spans.size() >= count);
    }

    private static List<Seen> spans(String name, TestCall call) {
        return collector.spans(name).stream().filter(span -> call.callId().equals(span.get("callbridge.call_id"))).toList();
    }

    private static List<Seen> deliveries(TestCall call, String operation) {
        return spans("deliver", call).stream().filter(span -> operation.equals(span.get("callbridge.operation"))).toList();
    }

    /** To register a call. */
    private static List<Seen> tries(TestCall call) {
        return deliveries(call, "call");
    }

    /** The requests of these tries. */
    private static List<Seen> puts(TestCall call) {
        List<String> tries = tries(call).stream().map(Seen::id).toList();
        return collector.spans("PUT").stream().filter(span -> tries.contains(span.parent())).toList();
    }

    private static String traceparent(Seen span) {
        return "00-" + span.trace() + "-" + span.id() + "-01";
    }

    private static Map<String, String> own(Seen span) {
        Map<String, String> own = new TreeMap<>(span.attributes());
        own.keySet().removeIf(name -> !name.startsWith("callbridge."));
        return own;
    }
}
