package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.ExamplePbx;
import io.callbridge.support.FakeCollector;
import io.callbridge.support.FakeCollector.Seen;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Ports;
import io.callbridge.support.TcpSender;
import io.callbridge.support.TestCall;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
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

    private final FakeCrm crm = new FakeCrm();
    private final FakeCollector collector = new FakeCollector();
    private BridgeProcess bridge;

    @AfterEach
    void stop() {
        if (bridge != null) {
            bridge.close();
        }
        crm.close();
        collector.close();
    }

    @Test
    void anEventIsOneTraceUpToTheRequestAtTheCrm() {
        start(traced());
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.dialIn()));
        Seen put = awaited("PUT", 1).get(0);
        Seen lookup = awaited("GET", 1).get(0);
        Seen receive = awaited("receive", 1).get(0);
        Seen journal = awaited("journal", 1).get(0);
        Seen look = awaited("look", 1).get(0);
        Seen deliver = awaited("deliver", 1).get(0);

        assertEquals("", receive.parent());
        assertEquals(receive.id(), journal.parent());
        assertEquals(receive.id(), look.parent());
        assertEquals(look.id(), deliver.parent());
        assertEquals(deliver.id(), put.parent());
        assertEquals(deliver.id(), lookup.parent());
        assertEquals(6, collector.spans().stream().filter(span -> span.trace().equals(receive.trace())).count(), () -> "spans: " + collector.spans());
        assertEquals(traceparent(put), crm.requests(Kind.CARD).get(0).header("traceparent"));
        assertEquals(traceparent(lookup), crm.requests(Kind.ENTITY).get(0).header("traceparent"));

        assertEquals(Map.of("callbridge.route", "ingest-webhook", "callbridge.pbx", "main", "callbridge.event", "dial-in",
                "callbridge.call_id", call.callId(), "callbridge.leg_id", call.legId()), own(receive));
        assertEquals("new", journal.get("callbridge.result"));
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
        start(traced().tcp().quickRetries());
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(call.dialIn(), call.answer()));
        try (TcpSender sender = TcpSender.connect(bridge.tcpPort()).auth(bridge.secret())) {
            assertEquals("OK 1", sender.send(TcpSender.json(call.hangup())).answer());
        }
        await("three tries").atMost(SOON).until(() -> tries().size() == 3 && puts().size() == 3);

        Seen hangup = awaited("receive", 3).stream().filter(span -> span.get("callbridge.event").equals("hangup")).findFirst().orElseThrow();
        assertEquals("ingest-tcp", hangup.get("callbridge.route"));
        assertEquals(List.of("1", "2", "3"), tries().stream().map(span -> span.get("callbridge.attempt")).toList());
        assertEquals(List.of("pending", "pending", "delivered"), tries().stream().map(span -> span.get("callbridge.result")).toList());
        assertEquals(List.of("503", "503", "200"), tries().stream().map(span -> span.get("http.response.status_code")).toList());
        assertEquals(List.of(true, true, false), tries().stream().map(Seen::error).toList());
        assertEquals(1, tries().stream().map(Seen::trace).filter(this::ofAnEvent).distinct().count(), () -> "traces of " + tries());
        assertEquals(puts().stream().map(TracingIT::traceparent).toList(),
                crm.requests(Kind.CALL).stream().map(request -> request.header("traceparent")).toList());
    }

    @Test
    void theTraceGoesOnInAnotherProcess() {
        start(traced().quickRetries());
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        crm.down();
        bridge.webhook().accept(call.answered());
        // Of the card, its end or the call: what the CRM may know of a card it is told first.
        await("a try").atMost(SOON).until(() -> !collector.spans("deliver").isEmpty() && collector.spans("receive").size() == 3);
        bridge.kill();
        crm.up();
        bridge.restart();
        await("the call").atMost(SOON).until(() -> tries().stream().anyMatch(span -> "delivered".equals(span.get("callbridge.result"))));

        String trace = crm.requests(Kind.CALL).get(0).header("traceparent").split("-")[1];
        assertTrue(ofAnEvent(trace), trace);
        tries().forEach(span -> assertEquals(trace, span.trace()));
    }

    /** Of the hangup, or of an event whose look had begun before the hangup came, and took it in. */
    private boolean ofAnEvent(String trace) {
        return awaited("receive", 3).stream().map(Seen::trace).anyMatch(trace::equals);
    }

    @Test
    void aMissedCallThatATimerDecidesIsInTheTraceOfItsLastEvent() {
        start(traced().setting("callbridge.crm.rest.missed-task", "true"));
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(call.missed());
        await("missed call").atMost(SOON).until(() -> collector.spans("deliver").stream()
                .anyMatch(span -> span.get("callbridge.operation").equals("missed")));
        Seen missed = collector.spans("deliver").stream().filter(span -> span.get("callbridge.operation").equals("missed")).findFirst().orElseThrow();
        Seen hangup = awaited("receive", 2).stream().filter(span -> span.get("callbridge.event").equals("hangup")).findFirst().orElseThrow();
        assertEquals(hangup.trace(), missed.trace());
        assertFalse(missed.attributes().containsKey("callbridge.leg_id"), () -> "a missed call is no leg: " + missed);
    }

    @Test
    void noSpanTellsASecretOrWhoCalled() {
        start(traced());
        TestCall answered = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall missed = TestCall.incoming("102", FakeCrm.PETROVA);
        bridge.webhook().accept(answered.answered());
        bridge.webhook().accept(missed.missed());
        assertEquals(404, bridge.webhook("thisisnotthesecret0123").send(answered.dialIn()).statusCode());
        bridge.get("/api/calls/" + answered.callId());
        bridge.get("/q/metrics");
        await("both calls").atMost(SOON).until(() -> crm.has(Kind.CALL, answered.legId()) && crm.has(Kind.MISSED, missed.callId())
                && collector.spans("deliver").stream().anyMatch(span -> span.get("callbridge.operation").equals("missed")));
        bridge.stop();

        for (String secret : List.of(bridge.secret(), "thisisnotthesecret", FakeCrm.TOKEN, "admin-token", FakeCrm.IVANOV.substring(1),
                FakeCrm.PETROVA.substring(1), "Ivanov", "Petrova", "anna", "boris", ExamplePbx.DID, "/pbx/", "/crm", "/api", "/q/")) {
            assertFalse(collector.everything().contains(secret), () -> secret + " is in " + collector.everything());
        }
        collector.spans().forEach(span -> assertTrue(OWN_SPANS.contains(span.name()), () -> "a span that is not ours: " + span));
    }

    @Test
    void withoutAnAddressNothingIsTraced() {
        start(BridgeProcess.builder().setting("quarkus.otel.exporter.otlp.endpoint", collector.url())
                .setting("quarkus.otel.exporter.otlp.protocol", "http/protobuf").setting("quarkus.otel.bsp.schedule.delay", "50ms"));
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(call.answered());
        await("the call").atMost(SOON).until(() -> crm.has(Kind.CALL, call.legId()));
        bridge.stop();
        assertEquals("", collector.everything());
        for (CrmRequest request : crm.requests()) {
            assertNull(request.header("traceparent"), request::toString);
        }
    }

    @Test
    void ofAShareOfTheEventsNothingIsSentAndTheCrmIsToldSo() {
        start(traced().setting("callbridge.tracing.ratio", "0"));
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(call.answered());
        await("the call").atMost(SOON).until(() -> crm.has(Kind.CALL, call.legId()));
        bridge.stop();
        assertEquals(List.of(), collector.spans());
        assertTrue(crm.requests(Kind.CALL).get(0).header("traceparent").endsWith("-00"));
    }

    @Test
    void aCollectorThatIsAwayHoldsNothingUp() {
        withoutCollector("http://127.0.0.1:" + Ports.free());
    }

    @Test
    void aCollectorThatSaysNothingHoldsNothingUp() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            withoutCollector("http://127.0.0.1:" + silent.getLocalPort());
        }
    }

    private void withoutCollector(String address) {
        start(traced().setting("callbridge.tracing.endpoint", address));
        List<TestCall> calls = IntStream.range(0, CALLS).mapToObj(i -> TestCall.incoming("101", FakeCrm.IVANOV)).toList();
        for (TestCall call : calls) {
            // One after the other, so that there is something to send many times.
            bridge.webhook().accept(call.answered());
            await("the call").atMost(SOON).until(() -> crm.has(Kind.CALL, call.legId()));
        }
        String output = bridge.output();
        long lines = output.lines().filter(line -> line.contains("export")).count();
        assertTrue(lines <= MOST_LINES, () -> lines + " lines about it" + bridge.tail());
        assertFalse(output.contains("\tat "), () -> "a stack trace" + bridge.tail());
        long begin = System.nanoTime();
        bridge.stop();
        Duration took = Duration.ofNanos(System.nanoTime() - begin);
        assertTrue(took.compareTo(STOP) < 0, () -> "stopping took " + took + bridge.tail());
    }

    private BridgeProcess.Builder traced() {
        return BridgeProcess.builder().setting("callbridge.tracing.endpoint", collector.url()).setting("quarkus.otel.bsp.schedule.delay", "50ms");
    }

    private void start(BridgeProcess.Builder builder) {
        bridge = builder.crm(crm).start();
    }

    private List<Seen> awaited(String name, int count) {
        await(name + " spans").atMost(SOON).until(() -> collector.spans(name).size() >= count);
        return collector.spans(name);
    }

    /** To register a call. */
    private List<Seen> tries() {
        return collector.spans("deliver").stream().filter(span -> span.get("callbridge.operation").equals("call")).toList();
    }

    /** The requests of these tries. */
    private List<Seen> puts() {
        List<String> tries = tries().stream().map(Seen::id).toList();
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
