package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.callbridge.support.BridgeProcess.RoutesEdit;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.ExamplePbx;
import io.callbridge.support.FakeAmi;
import io.callbridge.support.FakeCollector.Seen;
import io.callbridge.support.FakeCollector;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.Ports;
import io.callbridge.support.RawHttp;
import io.callbridge.support.SharedBridge;
import io.callbridge.support.TcpSender;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook.Wire;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What is measured, what is made of it for the night, and that one trace leads from the receipt of an event to the request at the CRM;
 * and that neither log nor trace tells who calls, and without a collector nobody hears of a trace.
 */
class ObservabilityIT {

    private static final Path FOLDER = Path.of("src/main/kubernetes/observability");
    private static final ObjectMapper JSON = new ObjectMapper();
    /** What a card may show and a log may not. */
    private static final String NAME = "Ivan Karamazov";
    private static final String OTHER_NAME = "Katerina Verkhovtseva";
    private static final String STRANGER = "+79000000077";
    private static final String RECORDING = "rec-5f3e1c-of-the-talk";
    /** Of a process that may have something left to send. */
    private static final Duration STOP = Duration.ofSeconds(28);
    private static final int CALLS = 20;
    /** OpenTelemetry says it five times, that it will say less, and then once a minute. */
    private static final int MOST_LINES = 7;
    private static final List<String> OWN_SPANS = List.of("receive", "evaluation", "deliver", "GET", "PUT", "DELETE");
    /** A route that an integrator has spoilt: it fails for one caller, and tells his number. */
    private static final RoutesEdit SPOILT = RoutesEdit.replacing("process-card.camel.yaml",
            "(?<=      uri: direct:process-card-show\n)( +)steps:\n", """
                    $1steps:
                    $1  - choice:
                    $1      when:
                    $1        - simple: "\\${variable.party} == '%s'"
                    $1          steps:
                    $1            - throwException:
                    $1                exceptionType: java.lang.IllegalArgumentException
                    $1                message: "no card for \\${variable.party}"
                    """.formatted(STRANGER));
    /** Names of metrics end where labels, a range or an operator begin. */
    private static final Pattern WORD = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_]*");

    @AutoClose
    private static FakeCrm crm;
    @AutoClose
    private static FakeAmi ami;
    @AutoClose
    private static FakeCollector collector;
    @AutoClose
    private static BridgeProcess bridge;
    private static TestCall dead;
    private static TestCall outlived;

    /** Lines of text are seen by all other tests; what is in them is masked before they are either. */
    @BeforeAll
    static void start() {
        crm = new FakeCrm();
        ami = new FakeAmi("bridge", "secret-of-the-asterisk");
        collector = new FakeCollector();
        bridge = BridgeProcess.builder().crm(crm).tcp().quickRetries().settings(ami.settings("office"))
                .setting("callbridge.log.format", "json").setting("callbridge.deliver.entity-cache.seconds", "0")
                .setting("callbridge.recordings.url-template", "https://records.example/{RecID}")
                .setting("callbridge.tracing.endpoint", collector.url()).setting("quarkus.otel.bsp.schedule.delay", "50ms")
                .setting("callbridge.crm.rest.missed-task", "true").editRoutes(SPOILT).start();
        outlived = killed();
        ami.awaitLogin(2).close();
        ami.awaitLogin(3);
        dead = play();
    }

    /** @return a call whose delivery was tried before the process was killed */
    private static TestCall killed() {
        TestCall call = TestCall.incoming("101", FakeCrm.IVANOV);
        crm.down();
        ami.awaitLogin(1);
        bridge.webhook().accept(call.answered());
        // Of the card, its end or the call: what the CRM may know of a card it is told first.
        await("a try").until(() -> !awaited("deliver", call, 1).isEmpty() && awaited("receive", call, 3).size() == 3);
        bridge.kill();
        crm.up();
        bridge.restart();
        return call;
    }

    @BeforeEach
    void aCrmThatWorks() {
        crm.behave();
    }

    @Test
    @Tag("native")
    void everyMetricOfAlertsAndDashboardExists() throws IOException {
        Set<String> used = used();
        assertTrue(used.size() > 20, used::toString);
        await("the metrics of everything that was played").untilAsserted(() -> {
            bridge.get("/q/metrics").body().lines().forEach(line -> used.remove(line.split("[{ ]", 2)[0]));
            assertEquals(Set.of(), used, bridge::tail);
        });
    }

    /** Who reads a metric elsewhere has nothing else to go by. */
    @Test
    void everyMetricTellsWhatItIs() {
        await("the metrics of what was played").until(() -> bridge.metric("callbridge_deliveries_total") > 2);
        List<String> helps = bridge.get("/q/metrics").body().lines().filter(line -> line.startsWith("# HELP ")).toList();
        assertEquals(List.of(), helps.stream().filter(line -> line.split(" ", 4).length < 4 || line.split(" ", 4)[3].isBlank()).toList());
        List<String> ours = helps.stream().map(line -> line.split(" ", 4)).filter(help -> help[2].startsWith("callbridge_")
                && help[2].startsWith(help[3].replace(' ', '_'))).map(help -> help[2]).toList();
        assertEquals(List.of(), ours, "its name in words is no help");
    }

    /** What an expression asks for by a label must be a value that is there too, or nobody would ever be woken up. */
    @Test
    void everyLabelThatAnAlertAsksForExists() throws IOException {
        Pattern selector = Pattern.compile("([a-z_]+)\\{([^}]+(?:\\{[^}]*}[^}]*)?)}");
        List<String> selectors = alerts().findValuesAsText("expr").stream().flatMap(expression -> selector.matcher(expression).results())
                .map(MatchResult::group).toList();
        assertTrue(selectors.size() > 4, selectors::toString);
        bridge.webhook("thisisnotthesecret0123").send(TestCall.incoming("101", STRANGER).dialIn());
        await("the labels").untilAsserted(() -> {
            List<String> lines = bridge.get("/q/metrics").body().lines().toList();
            for (String wanted : selectors) {
                Matcher parts = selector.matcher(wanted);
                assertTrue(parts.matches(), wanted);
                // A store that is away is another test's; the uri is the same for every answer.
                List<String> labels = Stream.of(parts.group(2).split(",(?=[a-z]+=)")).filter(label -> !label.equals("status=\"503\""))
                        .toList();
                assertTrue(lines.stream().anyMatch(line -> line.startsWith(parts.group(1) + "{")
                        && labels.stream().allMatch(line::contains)),
                        () -> "nothing is measured as " + wanted);
            }
        });
    }

    @Test
    void theMetricsCountWhatHappened() {
        BridgeProcess shared = SharedBridge.bridge();
        SharedBridge.tidy(shared);
        FakeCrm its = SharedBridge.crm();
        Map<String, Double> before = Stream.of("acknowledgement_seconds_count", "card_seconds_count", "attempts_seconds_count", "legs_open",
                "store_commit_seconds_count").collect(Collectors.toMap(name -> name, name -> shared.metric("callbridge_" + name)));
        TestCall open = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall other = open.alsoRinging("102");
        shared.webhook().accept(List.of(open.dialIn(), other.dialIn()));
        TestCall over = TestCall.incoming("103", FakeCrm.PETROVA);
        shared.webhook().accept(over.answered());
        TestCall byTcp = TestCall.incoming("104", FakeCrm.PETROVA);
        try (TcpSender sender = TcpSender.connect(shared.tcpPort()).auth(shared.secret()).send(TcpSender.json(byTcp.dialIn()))) {
            assertEquals("OK 1", sender.answer());
        }
        await("the registration").until(() -> its.has(Kind.CALL, over.legId()));
        await("the metrics").untilAsserted(() -> assertAll(
                () -> assertEquals(6, more(shared, before, "acknowledgement_seconds_count")),
                () -> assertTrue(shared.metric("callbridge_acknowledgement_seconds_count", "input=\"tcp\"", "pbx=\"main\"") >= 1),
                () -> assertEquals(shared.metric("callbridge_acknowledgement_seconds_count", "input=\"webhook\""),
                        shared.metric("callbridge_acknowledgement_seconds_bucket", "input=\"webhook\"", "le=\"+Inf\"")),
                // The card of a call that is over before it is shown may be left out.
                () -> assertEquals(3.5, more(shared, before, "card_seconds_count"), 0.5),
                () -> assertEquals(shared.metric("callbridge_card_seconds_count", "crm=\"rest\""),
                        shared.metric("callbridge_card_seconds_bucket", "le=\"30.0\""), 1),
                () -> assertTrue(more(shared, before, "attempts_seconds_count") >= 4, "tries"),
                () -> assertTrue(shared.metric("callbridge_attempts_seconds_count", "answer=\"2xx\"") >= 4, "tries that are taken"),
                () -> assertEquals(3, more(shared, before, "legs_open")),
                () -> assertTrue(shared.metric("callbridge_pbx_last_event_seconds", "pbx=\"main\"") < 60, "silence"),
                () -> assertTrue(more(shared, before, "store_commit_seconds_count") > 1, "commits"),
                () -> assertTrue(shared.metric("callbridge_store_batch_sum") >= shared.metric("callbridge_store_batch_count"), "writes")));

        its.down();
        TestCall waiting = TestCall.incoming("105", FakeCrm.IVANOV);
        shared.webhook().accept(waiting.answered());
        await("what waits").untilAsserted(() -> assertAll(
                () -> assertTrue(shared.metric("callbridge_outbox_oldest_seconds", "crm=\"rest\"") > 0),
                () -> assertTrue(shared.metric("callbridge_attempts_seconds_count", "answer=\"none\"") > 0)));
        its.up();
        shared.webhook().accept(List.of(open.givenUp(), other.givenUp(), byTcp.givenUp()));
    }

    private static double more(BridgeProcess shared, Map<String, Double> before, String name) {
        return shared.metric("callbridge_" + name) - before.get(name);
    }

    @Test
    @Tag("native")
    void theLogTellsNothingAboutWhoCalls() throws IOException {
        String log = bridge.output();
        for (String secret : List.of("Karamazov", "Verkhovtseva", "Katerina", bridge.secret(),
                BridgeProcess.ADMIN_TOKEN, FakeCrm.TOKEN, RECORDING)) {
            assertFalse(log.contains(secret), () -> secret + " is in the log" + bridge.tail());
        }
        // However they are written.
        String digits = log.replaceAll("[^0-9\\n]", "");
        for (String number : List.of(FakeCrm.IVANOV, FakeCrm.PETROVA, STRANGER)) {
            assertFalse(digits.contains(number.substring(1)), () -> number + " is in the log" + bridge.tail());
        }
        assertTrue(log.contains("***77"), "the number that is masked is there: what was looked for could be found" + bridge.tail());
        boolean told = false;
        for (String line : log.lines().toList()) {
            assertTrue(line.startsWith("{"), line);
            told |= line.contains("dead after try 1 (answer 422)") && JSON.readTree(line).at("/mdc/callId").asText().equals(dead.callId());
        }
        assertTrue(told, bridge::tail);
    }

    @Test
    @Tag("native")
    void anEventIsOneTraceUpToTheRequestAtTheCrm() {
        TestCall call = TestCall.incoming("101", TestCall.newNumber());
        bridge.webhook().accept(List.of(call.dialIn()));
        Seen receive = awaited("receive", call, 1).get(0);
        Map<String, Seen> spans = new TreeMap<>();
        await("the trace").until(() -> {
            collector.spans().stream().filter(span -> span.trace().equals(receive.trace())).forEach(span -> spans.put(span.name(), span));
            return spans.size() == 5;
        });
        Seen put = spans.get("PUT");
        Seen evaluation = spans.get("evaluation");
        Seen deliver = spans.get("deliver");

        assertEquals("", receive.parent());
        Map<String, Seen> parents = Map.of("evaluation", receive, "deliver", evaluation, "PUT", deliver, "GET", deliver);
        parents.forEach((name, parent) -> assertEquals(parent.id(), spans.get(name).parent(), name));
        assertEquals(5, collector.spans().stream().filter(span -> span.trace().equals(receive.trace())).count(), () -> "spans: " + collector.spans());
        assertEquals(traceparent(put), crm.requests(Kind.CARD, call.legId()).get(0).header("traceparent"));
        assertEquals(traceparent(spans.get("GET")), crm.requests(Kind.ENTITY).stream()
                .filter(request -> call.caller().equals(request.query().get("phone"))).findFirst().orElseThrow().header("traceparent"));

        assertEquals(Map.of("callbridge.route", "ingest-webhook", "callbridge.pbx", "main", "callbridge.event", "dial-in",
                "callbridge.call_id", call.callId(), "callbridge.leg_id", call.legId()), own(receive));
        assertEquals("rest card", evaluation.get("callbridge.effects"));
        assertEquals(call.legId(), evaluation.get("callbridge.subjects"));
        assertTrue(evaluation.get("callbridge.rules").matches("R\\d+(,R\\d+)*"), () -> "rules of " + evaluation);
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
        await("three tries").until(() -> tries(call).size() == 3 && puts(call).size() == 3);

        assertTrue(awaited("receive", call, 3).stream().map(span -> span.get("callbridge.event") + " " + span.get("callbridge.route"))
                .anyMatch("hangup ingest-tcp"::equals));
        assertEquals(List.of("1 pending 503 true", "2 pending 503 true", "3 delivered 200 false"), tries(call).stream()
                .map(span -> String.join(" ", span.get("callbridge.attempt"), span.get("callbridge.result"),
                        span.get("http.response.status_code"), "" + span.error())).toList());
        assertTrue(ofAnEvent(call, tries(call).get(0).trace()), () -> "traces of " + tries(call));
        assertEquals(1, tries(call).stream().map(Seen::trace).distinct().count(), () -> "traces of " + tries(call));
        assertEquals(puts(call).stream().map(ObservabilityIT::traceparent).toList(),
                crm.requests(Kind.CALL, call.legId()).stream().map(request -> request.header("traceparent")).toList());
    }

    @Test
    void theTraceGoesOnInAnotherProcess() {
        await("the call").until(() -> tries(outlived).stream().anyMatch(span -> "delivered".equals(span.get("callbridge.result"))));

        String trace = crm.requests(Kind.CALL, outlived.legId()).get(0).header("traceparent").split("-")[1];
        assertTrue(ofAnEvent(outlived, trace), trace);
        tries(outlived).forEach(span -> assertEquals(trace, span.trace()));
    }

    /** Of the hangup, or of an event whose evaluation had begun before the hangup came, and took it in. */
    private static boolean ofAnEvent(TestCall call, String trace) {
        return awaited("receive", call, 3).stream().map(Seen::trace).anyMatch(trace::equals);
    }

    /** Of all that these tests send. */
    @Test
    void noSpanTellsASecretOrWhoCalled() {
        TestCall answered = TestCall.incoming("101", FakeCrm.IVANOV);
        TestCall missed = TestCall.incoming("102", FakeCrm.PETROVA);
        bridge.webhook().accept(named(answered.answered()));
        bridge.webhook().accept(named(missed.missed()));
        assertEquals(404, bridge.webhook("thisisnotthesecret0123").send(answered.dialIn()).statusCode());
        bridge.get("/api/calls/" + answered.callId());
        bridge.get("/q/metrics");
        await("both").until(() -> !tries(answered).isEmpty() && !deliveries(missed, "missed").isEmpty());
        // A missed call is no leg; whose trace it is in: EvaluatorTest.
        assertFalse(deliveries(missed, "missed").get(0).attributes().containsKey("callbridge.leg_id"));
        for (String secret : List.of(bridge.secret(), "thisisnotthesecret", FakeCrm.TOKEN, "admin-token", FakeCrm.IVANOV.substring(1),
                FakeCrm.PETROVA.substring(1), "Ivanov", "Petrova", "Karamazov", "Verkhovtseva", RECORDING,
                "anna", "boris", ExamplePbx.DID, "/pbx/", "/crm", "/api", "/q/")) {
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
                assertTimeout(STOP, alone::stop, alone::tail);
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
        return await(name + " spans of " + call).until(() -> spans(name, call), spans -> spans.size() >= count);
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

    /**
     * Calls that are answered, missed, refused by the CRM for good, for now and altogether, and events that are broken, each with
     * numbers, names and secrets wherever they can be; answers of the CRM that repeat them.
     *
     * @return the call that became a dead letter
     */
    private static TestCall play() {
        String echo = "{\"error\":\"" + NAME + " " + FakeCrm.IVANOV + ", " + OTHER_NAME + ", token " + FakeCrm.TOKEN + "\"}";
        crm.entity(FakeCrm.IVANOV, "ivanov", NAME, "anna");
        TestCall answered = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(named(answered.answered()));
        crm.awaitCall(answered);
        TestCall missed = TestCall.incoming("102", FakeCrm.PETROVA);
        bridge.webhook().accept(named(missed.missed()));
        await("the missed call").until(() -> crm.has(Kind.MISSED, missed.callId()));

        crm.on("PUT", "/calls/.*", Answer.status(422).body(echo).times(1));
        TestCall letter = TestCall.incoming("103", FakeCrm.IVANOV);
        bridge.webhook().accept(named(letter.answered()));
        await("the dead letter").until(() -> bridge.output().contains("dead after try 1"));
        // No look-up, no card, no registration at first, and an answer that is no JSON.
        crm.on("GET", "/entities", Answer.status(500).body(echo).times(2));
        crm.on("GET", "/entities", Answer.status(200).body(NAME + " " + FakeCrm.IVANOV).times(3));
        crm.on("PUT", "/cards/.*", Answer.status(503).body(echo).times(2));
        crm.on("PUT", "/calls/.*", Answer.status(503).body(echo).times(2));
        TestCall later = TestCall.incoming("104", FakeCrm.IVANOV);
        bridge.webhook().accept(named(later.answered()));
        crm.awaitCall(later);
        crm.behave();
        crm.down();
        TestCall waiting = TestCall.incoming("105", FakeCrm.PETROVA);
        bridge.webhook().accept(named(waiting.answered()));
        awaited("deliver", waiting, 1);
        crm.up();
        crm.awaitCall(waiting);

        TestCall stranger = TestCall.incoming("101", STRANGER);
        bridge.webhook().accept(named(List.of(stranger.dialIn())));
        await("the mistake of the route").until(() -> bridge.output().contains("Processing of call " + stranger.callId()));
        broken();
        assertEquals(401, bridge.get("/api/calls", "Authorization", "Bearer wrong-" + BridgeProcess.ADMIN_TOKEN).statusCode());
        assertEquals(200, bridge.get("/api/calls?number=" + FakeCrm.IVANOV.replace("+", "%2B")).statusCode());
        assertEquals(400, bridge.get("/api/calls?from=" + FakeCrm.IVANOV.replace("+", "%2B")).statusCode());
        return letter;
    }

    private static void broken() {
        Map<String, String> other = new LinkedHashMap<>(named(List.of(TestCall.incoming("101", FakeCrm.IVANOV).dialIn())).get(0));
        other.put("EventType", OTHER_NAME);
        bridge.webhook().accept(List.of(other));
        other.put("EventType", "dial-in");
        other.remove("SubCallID");
        bridge.webhook().accept(List.of(other));
        bridge.webhook("thisisnotthesecret0123").send(other);
        other.put("CallID", NAME + "\0");
        assertEquals(400, bridge.webhook().send(other).statusCode());
        assertEquals(400, bridge.webhook().send(other, new Wire("POST", Set.of(), null, true)).statusCode());
        assertEquals(400, RawHttp.send(bridge.port(), RawHttp.request("GET", bridge.webhook().path()
                + "?CallerIDNum=%2B79000000010&CallID=" + NAME.replace(" ", "+") + "%2")).status());
        try (TcpSender sender = TcpSender.connect(bridge.tcpPort())) {
            sender.send("AUTH " + bridge.secret() + "\n[CallerIDName] => " + NAME + "\n" + NAME + " " + FakeCrm.IVANOV
                    + "\n\n{\"" + NAME + "\n" + NAME + "\n");
            sender.answers(3).forEach(answer -> assertTrue(answer.startsWith("ERR "), answer));
        }
        try (TcpSender sender = TcpSender.connect(bridge.tcpPort())) {
            sender.send("AUTH wrong-" + bridge.secret() + "\n");
            assertTrue(sender.answer().startsWith("ERR 0"));
        }
    }

    private static List<Map<String, String>> named(List<Map<String, String>> events) {
        return events.stream().map(event -> {
            Map<String, String> more = new LinkedHashMap<>(event);
            more.putAll(Map.of("CallerIDName", NAME, "CalledName", OTHER_NAME, "RecID", RECORDING));
            return more;
        }).toList();
    }

    /** The metrics that alerts and dashboard use. */
    private static Set<String> used() throws IOException {
        List<JsonNode> expressions = alerts().findValues("expr");
        JsonNode dashboard = JSON.readTree(FOLDER.resolve("dashboard.json").toFile());
        expressions.addAll(dashboard.findValues("expr"));
        expressions.addAll(dashboard.findValues("query"));
        return expressions.stream().flatMap(expression -> WORD.matcher(expression.asText().replaceAll("\"[^\"]*\"", "\"\"")).results())
                .map(MatchResult::group).filter(word -> word.matches("(callbridge|http_server)_.*"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static JsonNode alerts() throws IOException {
        return new YAMLMapper().readTree(FOLDER.resolve("alerts.yaml").toFile());
    }
}
