package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeAmi;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.RawHttp;
import io.callbridge.support.TcpSender;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook.Wire;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is measured, what is made of it for the night, and that the log tells nothing about who calls. */
class ObservabilityIT {

    private static final Path FOLDER = Path.of("src/main/kubernetes/observability");
    private static final Duration SOON = Duration.ofSeconds(90);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final YAMLMapper YAML = new YAMLMapper();

    private static final String ADMIN_TOKEN = BridgeProcess.ADMIN_TOKEN;
    /** What a card may show and a log may not. */
    private static final String NAME = "Ivan Karamazov";
    private static final String OTHER_NAME = "Katerina Verkhovtseva";
    private static final String STRANGER = "+79000000077";
    private static final String RECORDING = "rec-5f3e1c-of-the-talk";
    /** Names of metrics end where labels, a range or an operator begin. */
    private static final Pattern WORD = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_]*");

    private final FakeCrm crm = new FakeCrm();
    private FakeAmi ami;
    private BridgeProcess bridge;

    @AfterEach
    void stop() {
        if (bridge != null) {
            bridge.close();
        }
        if (ami != null) {
            ami.close();
        }
        crm.close();
    }

    @Test
    void everyMetricOfAlertsAndDashboardExists() throws IOException {
        ami = FakeAmi.start("bridge", "secret-of-the-asterisk");
        bridge = builder().settings(ami.settings("office")).start();
        ami.awaitLogin(1).close();
        ami.awaitLogin(2);
        play();
        Set<String> used = used();
        Set<String> there = new TreeSet<>();
        await("the metrics of everything that was played").atMost(SOON).untilAsserted(() -> {
            bridge.get("/q/metrics").body().lines().filter(line -> !line.startsWith("#"))
                    .forEach(line -> there.add(line.split("[{ ]", 2)[0]));
            assertEquals(Set.of(), without(used, there), bridge::tail);
        });
        assertTrue(used.size() > 20, used::toString);
    }

    /** Who reads a metric elsewhere has nothing else to go by. */
    @Test
    void everyMetricTellsWhatItIs() throws IOException {
        bridge = builder().tcp().start();
        play();
        await("the metrics of what was played").atMost(SOON).until(() -> bridge.metric("callbridge_deliveries_total") > 2);
        List<String> helps = bridge.get("/q/metrics").body().lines().filter(line -> line.startsWith("# HELP ")).toList();
        assertEquals(List.of(), helps.stream().filter(line -> line.split(" ", 4).length < 4 || line.split(" ", 4)[3].isBlank()).toList());
        List<String> ours = helps.stream().map(line -> line.split(" ", 4)).filter(help -> help[2].startsWith("callbridge_")
                && help[2].startsWith(help[3].replace(' ', '_'))).map(help -> help[2]).toList();
        assertEquals(List.of(), ours, "its name in words is no help");
    }

    /** What an expression asks for by a label must be a value that is there too, or nobody would ever be woken up. */
    @Test
    void everyLabelThatAnAlertAsksForExists() throws IOException {
        bridge = builder().start();
        play();
        Pattern selector = Pattern.compile("([a-z_]+)\\{([^}]+(?:\\{[^}]*}[^}]*)?)}");
        List<String> selectors = new ArrayList<>();
        for (JsonNode alert : alerts()) {
            selector.matcher(alert.path("expr").asText()).results().map(found -> found.group()).forEach(selectors::add);
        }
        assertTrue(selectors.size() > 4, selectors::toString);
        bridge.webhook().send(TestCall.incoming("101", STRANGER).dialIn(), new Wire("POST", null, null, false, false));
        await("the labels").atMost(SOON).untilAsserted(() -> {
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
        bridge = builder().tcp().start();
        TestCall open = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(List.of(open.dialIn()));
        bridge.webhook().accept(List.of(open.alsoRinging("102").dialIn()));
        TestCall over = TestCall.incoming("103", FakeCrm.PETROVA);
        bridge.webhook().accept(over.answered());
        try (TcpSender sender = TcpSender.connect(bridge.tcpPort())) {
            sender.send("AUTH " + bridge.secret() + "\n" + TcpSender.json(TestCall.incoming("104", FakeCrm.PETROVA).dialIn()));
            assertEquals("OK 1", sender.answer());
        }
        awaitCall(over);
        await("the metrics").atMost(SOON).untilAsserted(() -> assertAll(
                () -> assertEquals(5, metric("callbridge_acknowledgement_seconds_count", "input=\"webhook\"", "pbx=\"main\"")),
                () -> assertEquals(5, metric("callbridge_acknowledgement_seconds_bucket", "input=\"webhook\"", "le=\"+Inf\"")),
                () -> assertEquals(1, metric("callbridge_acknowledgement_seconds_count", "input=\"tcp\"")),
                // The card of a call that is over before it is shown may be left out.
                () -> assertEquals(3, metric("callbridge_card_seconds_count", "crm=\"rest\""), 1),
                () -> assertEquals(3, metric("callbridge_card_seconds_bucket", "le=\"30.0\""), 1),
                () -> assertTrue(metric("callbridge_attempts_seconds_count", "answer=\"2xx\"") >= 4, "tries"),
                () -> assertEquals(3, metric("callbridge_legs_open", "pbx=\"main\"")),
                () -> assertTrue(metric("callbridge_pbx_last_event_seconds", "pbx=\"main\"") < 60, "silence"),
                () -> assertTrue(plain("callbridge_store_commit_seconds_count") > 5, "commits"),
                () -> assertTrue(plain("callbridge_store_batch_sum") >= plain("callbridge_store_batch_count"), "writes"),
                () -> assertEquals(0, plain("callbridge_store_failures_total"))));

        crm.down();
        bridge.webhook().accept(TestCall.incoming("105", FakeCrm.IVANOV).answered());
        await("what waits").atMost(SOON).untilAsserted(() -> assertAll(
                () -> assertTrue(metric("callbridge_outbox_oldest_seconds", "crm=\"rest\"") > 0),
                () -> assertTrue(metric("callbridge_attempts_seconds_count", "answer=\"none\"") > 0)));
    }

    /** A start with nothing else said: the default level, numbers masked. */
    @ParameterizedTest
    @ValueSource(strings = {"text", "json"})
    void theLogTellsNothingAboutWhoCalls(String format) throws IOException {
        bridge = builder().tcp().setting("callbridge.log.format", format).start();
        TestCall dead = play();

        String log = bridge.output();
        for (String secret : List.of(NAME, OTHER_NAME, "Karamazov", "Verkhovtseva", bridge.secret(), ADMIN_TOKEN, FakeCrm.TOKEN,
                RECORDING)) {
            assertFalse(log.contains(secret), () -> secret + " is in the log" + bridge.tail());
        }
        // However they are written.
        String digits = log.replaceAll("[^0-9\\n]", "");
        for (String number : List.of(FakeCrm.IVANOV, FakeCrm.PETROVA, STRANGER)) {
            assertFalse(digits.contains(number.substring(1)), () -> number + " is in the log" + bridge.tail());
        }
        assertTrue(log.lines().anyMatch(line -> line.contains("dead after try 1 (answer 422)") && ofCall(line, dead, format)),
                bridge::tail);
        assertTrue(log.contains("***77"), "the number that is masked is there: what was looked for could be found" + bridge.tail());
        for (String line : log.lines().toList()) {
            assertEquals(format.equals("json"), line.startsWith("{"), line);
        }
    }

    @Test
    void numbersAreShownToWhoWantsThem() throws IOException {
        bridge = builder().tcp().setting("callbridge.log.numbers", "full").start();
        play();
        assertTrue(bridge.output().contains(STRANGER), bridge::tail);
        assertFalse(bridge.output().contains(NAME), bridge::tail);
    }

    @ParameterizedTest
    @ValueSource(strings = {"format", "numbers"})
    void aWrongSettingIsRefusedInOneLine(String key) {
        BridgeProcess.Refusal refusal = builder().setting("callbridge.log." + key, "loud").startExpectingRefusal();
        assertTrue(refusal.output().contains("callbridge.log." + key + " is 'loud'; allowed: "), refusal::output);
    }

    private BridgeProcess.Builder builder() {
        return BridgeProcess.builder().crm(crm).quickRetries()
                .setting("callbridge.deliver.entity-cache.seconds", "0")
                .setting("callbridge.recordings.url-template", "https://records.example/{RecID}")
                .editRoutes(ObservabilityIT::failForStranger);
    }

    /** A route that an integrator has spoilt: it fails for one caller, and tells his number. */
    private static void failForStranger(Path routes) throws IOException {
        Path card = routes.resolve("process-card.camel.yaml");
        String text = Files.readString(card);
        Files.writeString(card, text.replaceFirst("(?<=      uri: direct:process-card-show\\n)( +)steps:\\n", "$1steps:\n$1  - choice:\n$1      when:\n"
                + "$1        - simple: \"\\${variable.party} == '" + STRANGER + "'\"\n$1          steps:\n$1            - throwException:\n"
                + "$1                exceptionType: java.lang.IllegalArgumentException\n"
                + "$1                message: \"no card for \\${variable.party}\"\n"));
    }

    /**
     * Calls that are answered, missed, refused by the CRM for good, for now and altogether, and events that are broken, each with
     * numbers, names and secrets wherever they can be; answers of the CRM that repeat them.
     *
     * @return the call that became a dead letter
     */
    private TestCall play() {
        String echo = "{\"error\":\"" + NAME + " " + FakeCrm.IVANOV + ", " + OTHER_NAME + ", token " + FakeCrm.TOKEN + "\"}";
        crm.entity(FakeCrm.IVANOV, "ivanov", NAME, "anna");
        TestCall answered = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(named(answered.answered()));
        awaitCall(answered);
        TestCall missed = TestCall.incoming("102", FakeCrm.PETROVA);
        bridge.webhook().accept(named(missed.missed()));
        await("the missed call").atMost(SOON).until(() -> crm.has(Kind.MISSED, missed.callId()));

        crm.on("PUT", "/calls/.*", Answer.status(422).body(echo).times(1));
        TestCall dead = TestCall.incoming("103", FakeCrm.IVANOV);
        bridge.webhook().accept(named(dead.answered()));
        await("the dead letter").atMost(SOON).until(() -> bridge.output().contains("dead after try 1"));
        // No look-up, no card, no registration at first, and an answer that is no JSON.
        crm.on("GET", "/entities", Answer.status(500).body(echo).times(2));
        crm.on("GET", "/entities", Answer.status(200).body(NAME + " " + FakeCrm.IVANOV).times(3));
        crm.on("PUT", "/cards/.*", Answer.status(503).body(echo).times(2));
        crm.on("PUT", "/calls/.*", Answer.status(503).body(echo).times(2));
        TestCall later = TestCall.incoming("104", FakeCrm.IVANOV);
        bridge.webhook().accept(named(later.answered()));
        awaitCall(later);
        crm.behave();
        crm.down();
        TestCall waiting = TestCall.incoming("105", FakeCrm.PETROVA);
        bridge.webhook().accept(named(waiting.answered()));
        await("a try that nobody answers").atMost(SOON).until(() -> bridge.output().contains("is down"));
        crm.up();
        awaitCall(waiting);

        TestCall stranger = TestCall.incoming("101", STRANGER);
        bridge.webhook().accept(named(List.of(stranger.dialIn())));
        await("the mistake of the route").atMost(SOON).until(() -> bridge.output().contains("Processing of call " + stranger.callId()));
        broken();
        assertEquals(401, bridge.get("/api/calls", "Authorization", "Bearer wrong-" + ADMIN_TOKEN).statusCode());
        assertEquals(200, bridge.get("/api/calls?number=" + FakeCrm.IVANOV.replace("+", "%2B"), "Authorization", "Bearer " + ADMIN_TOKEN)
                .statusCode());
        assertEquals(400, bridge.get("/api/calls?from=" + FakeCrm.IVANOV.replace("+", "%2B"), "Authorization", "Bearer " + ADMIN_TOKEN)
                .statusCode());
        return dead;
    }

    private void broken() {
        Map<String, String> other = new LinkedHashMap<>(named(List.of(TestCall.incoming("101", FakeCrm.IVANOV).dialIn())).get(0));
        other.put("EventType", OTHER_NAME);
        bridge.webhook().accept(List.of(other));
        other.put("EventType", "dial-in");
        other.remove("SubCallID");
        bridge.webhook().accept(List.of(other));
        bridge.webhook().send(other, new Wire("POST", null, null, false, false));
        other.put("CallID", NAME + "\0");
        assertEquals(400, bridge.webhook().send(other).statusCode());
        assertEquals(400, bridge.webhook().send(other, Wire.json(other.keySet())).statusCode());
        assertEquals(400, RawHttp.send(bridge.port(), RawHttp.request("GET", bridge.webhook().path()
                + "?CallerIDNum=%2B79000000010&CallID=" + NAME.replace(" ", "+") + "%2")).status());
        if (tcp()) {
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
    }

    private boolean tcp() {
        try {
            return bridge.tcpPort() > 0;
        } catch (NumberFormatException none) {
            return false;
        }
    }

    private static List<Map<String, String>> named(List<Map<String, String>> events) {
        List<Map<String, String>> named = new ArrayList<>();
        for (Map<String, String> event : events) {
            Map<String, String> more = new LinkedHashMap<>(event);
            more.put("CallerIDName", NAME);
            more.put("CalledName", OTHER_NAME);
            more.put("RecID", RECORDING);
            named.add(more);
        }
        return named;
    }

    private void awaitCall(TestCall call) {
        await("the registration of " + call).atMost(SOON).until(() -> crm.requests(Kind.CALL, call.legId()).stream()
                .anyMatch(request -> request.effective()));
    }

    private static boolean ofCall(String line, TestCall call, String format) {
        try {
            return format.equals("json") ? JSON.readTree(line).at("/mdc/callId").asText().equals(call.callId())
                    : line.contains("] [" + call.callId() + "] ");
        } catch (JsonProcessingException e) {
            throw new AssertionError("a line of the log is no JSON: " + line, e);
        }
    }

    private double metric(String name, String... labels) {
        return bridge.metric(name, labels);
    }

    /** A metric without labels. */
    private double plain(String name) {
        return bridge.get("/q/metrics").body().lines().filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1))).findFirst().orElse(-1);
    }

    private static Set<String> without(Set<String> all, Set<String> these) {
        Set<String> left = new TreeSet<>(all);
        left.removeAll(these);
        return left;
    }

    /** The metrics that alerts and dashboard use. */
    private static Set<String> used() throws IOException {
        Set<String> used = new TreeSet<>();
        for (JsonNode alert : alerts()) {
            used.addAll(metrics(alert.path("expr").asText()));
        }
        JsonNode dashboard = JSON.readTree(FOLDER.resolve("dashboard.json").toFile());
        for (String field : List.of("expr", "query")) {
            for (JsonNode expression : dashboard.findValues(field)) {
                used.addAll(metrics(expression.asText()));
            }
        }
        return used;
    }

    private static List<JsonNode> alerts() throws IOException {
        List<JsonNode> alerts = new ArrayList<>();
        YAML.readTree(FOLDER.resolve("alerts.yaml").toFile()).at("/spec/groups").forEach(group -> group.path("rules").forEach(alerts::add));
        return alerts;
    }

    private static Set<String> metrics(String expression) {
        Set<String> metrics = new TreeSet<>();
        WORD.matcher(expression.replaceAll("\"[^\"]*\"", "\"\"")).results().map(found -> found.group())
                .filter(word -> word.startsWith("callbridge_") || word.startsWith("http_server_")).forEach(metrics::add);
        return metrics;
    }
}
