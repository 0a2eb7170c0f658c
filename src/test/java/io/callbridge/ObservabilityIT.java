package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest.Kind;
import io.callbridge.support.FakeAmi;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.FakeCrm.Answer;
import io.callbridge.support.RawHttp;
import io.callbridge.support.SharedBridge;
import io.callbridge.support.TcpSender;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook.Wire;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is measured, what is made of it for the night, and that the log tells nothing about who calls. */
class ObservabilityIT {

    private static final Path FOLDER = Path.of("src/main/kubernetes/observability");
    private static final Duration SOON = Duration.ofSeconds(90);
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String ADMIN_TOKEN = BridgeProcess.ADMIN_TOKEN;
    /** What a card may show and a log may not. */
    private static final String NAME = "Ivan Karamazov";
    private static final String OTHER_NAME = "Katerina Verkhovtseva";
    private static final String STRANGER = "+79000000077";
    private static final String RECORDING = "rec-5f3e1c-of-the-talk";
    /** Names of metrics end where labels, a range or an operator begin. */
    private static final Pattern WORD = Pattern.compile("[a-zA-Z_][a-zA-Z0-9_]*");

    @AutoClose
    private static FakeCrm crm;
    @AutoClose
    private static FakeAmi ami;
    @AutoClose
    private static BridgeProcess bridge;
    private static TestCall dead;

    /** Lines of text are seen by all other tests; what is in them is masked before they are either. */
    @BeforeAll
    static void start() {
        crm = new FakeCrm();
        ami = FakeAmi.start("bridge", "secret-of-the-asterisk");
        bridge = BridgeProcess.builder().crm(crm).tcp().quickRetries().settings(ami.settings("office"))
                .setting("callbridge.log.format", "json").setting("callbridge.deliver.entity-cache.seconds", "0")
                .setting("callbridge.recordings.url-template", "https://records.example/{RecID}")
                .editRoutes(ObservabilityIT::failForStranger).start();
        ami.awaitLogin(1).close();
        ami.awaitLogin(2);
        dead = play();
    }

    @Test
    @Tag("native")
    void everyMetricOfAlertsAndDashboardExists() throws IOException {
        Set<String> used = used();
        assertTrue(used.size() > 20, used::toString);
        await("the metrics of everything that was played").atMost(SOON).untilAsserted(() -> {
            bridge.get("/q/metrics").body().lines().forEach(line -> used.remove(line.split("[{ ]", 2)[0]));
            assertEquals(Set.of(), used, bridge::tail);
        });
    }

    /** Who reads a metric elsewhere has nothing else to go by. */
    @Test
    void everyMetricTellsWhatItIs() {
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
        Pattern selector = Pattern.compile("([a-z_]+)\\{([^}]+(?:\\{[^}]*}[^}]*)?)}");
        List<String> selectors = alerts().findValuesAsText("expr").stream().flatMap(expression -> selector.matcher(expression).results())
                .map(MatchResult::group).toList();
        assertTrue(selectors.size() > 4, selectors::toString);
        bridge.webhook("thisisnotthesecret0123").send(TestCall.incoming("101", STRANGER).dialIn());
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
        await("the registration").atMost(SOON).until(() -> its.has(Kind.CALL, over.legId()));
        await("the metrics").atMost(SOON).untilAsserted(() -> assertAll(
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
        await("what waits").atMost(SOON).untilAsserted(() -> assertAll(
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
        for (String secret : List.of("Karamazov", "Verkhovtseva", "Katerina", bridge.secret(), ADMIN_TOKEN, FakeCrm.TOKEN, RECORDING)) {
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
    private static TestCall play() {
        String echo = "{\"error\":\"" + NAME + " " + FakeCrm.IVANOV + ", " + OTHER_NAME + ", token " + FakeCrm.TOKEN + "\"}";
        crm.entity(FakeCrm.IVANOV, "ivanov", NAME, "anna");
        TestCall answered = TestCall.incoming("101", FakeCrm.IVANOV);
        bridge.webhook().accept(named(answered.answered()));
        crm.awaitCall(answered);
        TestCall missed = TestCall.incoming("102", FakeCrm.PETROVA);
        bridge.webhook().accept(named(missed.missed()));
        await("the missed call").atMost(SOON).until(() -> crm.has(Kind.MISSED, missed.callId()));

        crm.on("PUT", "/calls/.*", Answer.status(422).body(echo).times(1));
        TestCall letter = TestCall.incoming("103", FakeCrm.IVANOV);
        bridge.webhook().accept(named(letter.answered()));
        await("the dead letter").atMost(SOON).until(() -> bridge.output().contains("dead after try 1"));
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
        await("a try that nobody answers").atMost(SOON).until(() -> bridge.output().contains("is down"));
        crm.up();
        crm.awaitCall(waiting);

        TestCall stranger = TestCall.incoming("101", STRANGER);
        bridge.webhook().accept(named(List.of(stranger.dialIn())));
        await("the mistake of the route").atMost(SOON).until(() -> bridge.output().contains("Processing of call " + stranger.callId()));
        broken();
        assertEquals(401, bridge.get("/api/calls", "Authorization", "Bearer wrong-" + ADMIN_TOKEN).statusCode());
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
        assertEquals(400, bridge.webhook().send(other, Wire.json(other.keySet())).statusCode());
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
