package io.callbridge.support;

import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.asterisk.Capture;
import io.callbridge.crm.AdapterLab;
import io.callbridge.deliver.Dispatcher;
import io.callbridge.platform.Settings;
import io.callbridge.platform.StoreKind;
import io.callbridge.platform.Time;
import io.callbridge.process.CallLanes;
import io.callbridge.store.Inbox;
import io.quarkus.arc.Arc;
import io.quarkus.arc.ClientProxy;
import io.quarkus.arc.InjectableBean;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.quarkus.test.junit.QuarkusMock;
import io.quarkus.test.junit.QuarkusTestProfile;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.spi.Bean;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.quarkus.core.CamelRuntime;

/**
 * The application in the JVM of the tests, whole: its beans, the project's routes, a SQLite file, HTTP and the manager interface on
 * real sockets; all CRMs are active, and every capture has an Asterisk. Only its clock is the test's: it is turned when
 * everything that has to happen until then has happened, so that hours pass in seconds and no verdict depends on the machine.
 */
public final class BridgeInJvm {

    /** Of the PBX {@code branch}, whose extension 101 is bertha's. */
    public static final String BRANCH_SECRET = "secret-of-another-pbx";
    private static final String SECRET = "webhook-secret-of-the-tests";
    private static final String TOKEN = "admin-token-of-the-tests";
    /** Half of it is a time that no timer is set for by itself: {@link #open}. */
    private static final int LEASE_MS = 60_074;
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final long PAUSE_NANOS = TimeUnit.MICROSECONDS.toNanos(250);
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    /** After the last event of a scenario: all delays are over. */
    private static final Duration AFTERWARDS = Duration.ofSeconds(20);

    private static final Map<String, String> SETTINGS = new LinkedHashMap<>();
    private static final Map<String, FakeAmi> ASTERISKS = new LinkedHashMap<>();
    private static final Set<String> KNOWN = new HashSet<>();
    private static FakeCrm crm;
    private static List<AdapterLab> labs;
    private static StoreKind kind;
    private static Path folder;
    private static int port;
    private static BridgeInJvm running;
    private static volatile Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);

    public static final class Profile implements QuarkusTestProfile {

        @Override
        public List<TestResourceEntry> testResources() {
            return List.of(new TestResourceEntry(World.class));
        }
    }

    public static final class OnPostgres implements QuarkusTestProfile {

        @Override
        public List<TestResourceEntry> testResources() {
            return List.of(new TestResourceEntry(World.class, Map.of("store", StoreKind.POSTGRESQL.name())));
        }
    }

    /** What is there before the application starts. */
    public static final class World implements QuarkusTestResourceLifecycleManager {

        @Override
        public void init(Map<String, String> parameters) {
            kind = StoreKind.valueOf(parameters.getOrDefault("store", StoreKind.SQLITE.name()));
        }

        private final Map<Object, Object> forTests = new HashMap<>(System.getProperties());

        @Override
        public Map<String, String> start() {
            // Said to the tests: no keys of a bridge, which would refuse them.
            forTests.keySet().removeIf(name -> !name.toString().startsWith("callbridge."));
            Scenario.wanted();
            System.getProperties().keySet().removeAll(forTests.keySet());
            return Unchecked.get(() -> {
                folder = Files.createTempDirectory("callbridge-jvm-");
                crm = new FakeCrm();
                labs = AdapterLab.all();
                port = Ports.free();
                SETTINGS.putAll(ExamplePbx.settings());
                SETTINGS.putAll(Map.of("callbridge.pbx.main.secret", SECRET, "callbridge.admin.token", TOKEN,
                        "callbridge.store.url", kind.shared() ? PostgresServer.shared().newDatabase() : "jdbc:sqlite:" + folder.resolve("callbridge.db"),
                        "callbridge.crm.rest.url", crm.url(), "callbridge.crm.rest.token", FakeCrm.TOKEN,
                        "callbridge.crm.active", "rest," + labs.stream().map(AdapterLab::crm).collect(Collectors.joining(","))));
                // A busy machine takes its time; what is in the file survives the test, also if nobody waits for the disk.
                SETTINGS.putAll(Map.of("callbridge.store.patience-ms", "15000", "callbridge.deliver.card.lookup-timeout-ms", "15000",
                        "callbridge.store.lease-ms", Integer.toString(LEASE_MS), "quarkus.http.test-port", Integer.toString(port),
                        "quarkus.datasource.sqlite.jdbc.additional-jdbc-properties.synchronous", "OFF",
                        "quarkus.datasource.inbox.jdbc.additional-jdbc-properties.synchronous", "OFF",
                        "quarkus.log.console.level", "WARN"));
                SETTINGS.put("callbridge.pbx.branch.secret", BRANCH_SECRET);
                SETTINGS.put("callbridge.pbx.branch.extensions.101.user", "bertha");
                labs.forEach(lab -> SETTINGS.putAll(lab.settings()));
                for (String capture : Capture.areThere() ? Capture.names() : List.<String>of()) {
                    String pbx = "asterisk" + ASTERISKS.size();
                    FakeAmi ami = new FakeAmi("callbridge", "secret of the manager interface");
                    ASTERISKS.put(capture, ami);
                    SETTINGS.putAll(ami.settings(pbx));
                    SETTINGS.put("callbridge.pbx." + pbx + ".country", "US");
                    for (int extension = 101; extension <= 110; extension++) {
                        SETTINGS.put("callbridge.pbx." + pbx + ".extensions." + extension + ".user", "user" + extension);
                    }
                }
                return SETTINGS;
            });
        }

        @Override
        public void stop() {
            System.getProperties().putAll(forTests);
            ASTERISKS.values().forEach(FakeAmi::close);
            labs.forEach(AdapterLab::close);
            crm.close();
        }
    }

    private final Connection store = Unchecked.get(() -> DriverManager.getConnection(SETTINGS.get("callbridge.store.url")));
    private final CallLanes lanes = Arc.container().instance(CallLanes.class).get();
    private final Inbox inbox = Arc.container().instance(Inbox.class).get();
    private final Dispatcher dispatcher = Arc.container().instance(Dispatcher.class).get();
    private boolean losesAnswers;

    private BridgeInJvm() {
        // For every key that a route asks for while it runs, Camel reads all keys there are, which are many here.
        Properties asked = new Properties();
        SETTINGS.keySet().stream().filter(key -> key.startsWith("callbridge.crm.")).forEach(key -> asked.put(key, SETTINGS.get(key)));
        Arc.container().instance(CamelContext.class).get().getPropertiesComponent().setOverrideProperties(asked);
        Time.follow(((InstantSource) () -> now).withZone(ZoneOffset.UTC));
        Statements.follow(kind);
        // Quarkus leaves it to the main class, which runs in no test.
        Arc.container().instance(CamelRuntime.class).get().start(new String[0]);
        // What is made at its first use else would be made for the settings that are used then.
        for (Bean<?> bean : Arc.container().beanManager().getBeans(Object.class, Any.Literal.INSTANCE)) {
            if (bean.getBeanClass().getName().startsWith("io.callbridge.") && bean.getScope() == ApplicationScoped.class) {
                ClientProxy.unwrap(Arc.container().instance((InjectableBean<?>) bean).get());
            }
        }
    }

    public static synchronized BridgeInJvm started() {
        running = running == null ? new BridgeInJvm() : running;
        return running;
    }

    public FakeCrm crm() {
        return crm;
    }

    public List<AdapterLab> labs() {
        return labs;
    }

    /** Of each capture, which is of the PBX {@code asterisk0} and so on, in this order. */
    public Map<String, FakeAmi> asterisks() {
        return ASTERISKS;
    }

    public Webhook webhook() {
        return webhook(SECRET);
    }

    public Webhook webhook(String secret) {
        return new Webhook(port, secret);
    }

    public HttpResponse<String> get(String path) {
        return send("GET", path);
    }

    public HttpResponse<String> send(String method, String path) {
        return BridgeProcess.send(port, TOKEN, method, path);
    }

    public JsonNode call(String callId) {
        return BridgeProcess.explanation(get("/api/calls/" + callId), () -> "");
    }

    /** Other settings until the end of the test, or until others are used. What is read once, at the start, stays as it is. */
    public void use(Map<String, String> others) {
        Map<String, String> all = new HashMap<>(SETTINGS);
        all.putAll(others);
        QuarkusMock.installMockForType(TestConfig.settings(TestConfig.of(all, Map.of())), Settings.class);
    }

    /**
     * Plays all at the same time, as on a PBX with many phones: they share no ids, so whatever one of them does to another is a fault.
     *
     * @return what the CRM had got of each when all its delays were over
     */
    public Map<ScenarioPlay, List<CrmRequest>> play(List<ScenarioPlay> plays) {
        Map<ScenarioPlay, List<CrmRequest>> received = new LinkedHashMap<>();
        TreeMap<Duration, List<Runnable>> timeline = new TreeMap<>();
        for (ScenarioPlay play : plays) {
            KNOWN.addAll(play.scenario().ids());
            received.put(play, List.of());
            Duration end = Duration.ZERO;
            for (ScenarioPlay.Step step : play.steps()) {
                timeline.computeIfAbsent(step.at(), at -> new ArrayList<>()).add(() -> play.send(step, List.of(webhook())));
                end = step.at();
            }
            timeline.computeIfAbsent(end.plus(AFTERWARDS), at -> new ArrayList<>())
                    .add(() -> received.put(play, crm.requests(play.scenario().ids())));
        }
        play(timeline);
        return received;
    }

    public void play(TreeMap<Duration, List<Runnable>> timeline) {
        Instant begin = now.plusSeconds(1);
        timeline.forEach((at, work) -> {
            turnTo(begin.plus(at));
            work.forEach(Runnable::run);
            settle();
        });
    }

    /** Whatever is due until then happens at its own time. */
    public void turnTo(Instant then) {
        for (Instant due = nextDue(); due != null && due.isBefore(then); due = nextDue()) {
            now = due;
            settle();
        }
        now = then;
        settle();
    }

    public void pass(Duration time) {
        turnTo(now.plus(time));
    }

    public Instant now() {
        return now;
    }

    public void settle() {
        lanes.timers();
        dispatcher.wake();
        untilNone("is not done: ", this::open, () -> { });
    }

    private static void untilNone(String fault, Supplier<List<String>> what, Runnable meanwhile) {
        long pause = PAUSE_NANOS;
        long end = System.nanoTime() + PATIENCE.toNanos();
        for (List<String> left = what.get(); !left.isEmpty(); left = what.get()) {
            if (System.nanoTime() > end) {
                fail(fault + left);
            }
            meanwhile.run();
            pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
            LockSupport.parkNanos(pause);
        }
    }

    /** Lets time pass until nothing is left to be delivered. */
    private void drain() {
        String pending = "select crm || ' ' || operation || ' ' || id from delivery where state = 'pending'";
        untilNone("is not delivered: ", () -> query(pending), () -> {
            // A try that is minutes away is made at once; what waits for its CRM to be asked again gets a second, also of a busy machine.
            Instant next = query("select cast(min(next_at) as text) from delivery where state = 'pending' and wait <> 'taken'").stream()
                    .map(at -> Instant.ofEpochMilli(Long.parseLong(at))).findFirst().orElse(now);
            now = next.isAfter(now) ? next : now.plusSeconds(1);
            dispatcher.wake();
        });
    }

    /** What a CRM will not get any more. */
    public List<String> dead(String name) {
        return query("select operation || ' ' || id from delivery where state = 'dead' and crm = '" + name + "'");
    }

    /** Whether an id is that of a call, or leg, that was played. */
    public boolean isKnown(String id) {
        return KNOWN.contains(id);
    }

    /** Requests after the first so many that belong to no scenario, look-ups that break the contract, and events that nobody could process. */
    public List<String> strangers(int from) {
        List<CrmRequest> requests = crm.requests().stream().skip(from).toList();
        List<String> found = query("select 'failed: call ' || call_id from call where cast(document as text) like '%%\"rule\":\"error\"%%'");
        found.addAll(new RestContract(crm).deviations(
                requests.stream().filter(request -> request.kind() == CrmRequest.Kind.ENTITY).toList()));
        requests.stream().filter(request -> request.kind() != CrmRequest.Kind.ENTITY && !KNOWN.contains(request.id()))
                .forEach(request -> found.add("belongs to no scenario: " + request));
        return found;
    }

    /** CRMs lose answers until they are told not to: deliveries take several tries, and are waited for at the end. */
    public void losing(boolean now) {
        if (now) {
            labs.forEach(AdapterLab::loseAnswers);
        } else {
            drain();
            labs.forEach(AdapterLab::behave);
        }
        losesAnswers = now;
    }

    /** Work that is due. */
    private List<String> open() {
        long millis = now.toEpochMilli();
        List<String> open = query("select 'look ' || call_id from call where due_at <= ?"
                + " union all select 'delivery ' || crm || ' ' || operation || ' ' || id from delivery where state = 'pending'"
                + " and (next_at <= ? or wait = 'taken') and " + !losesAnswers, millis, millis);
        if (lanes.busy() > 0 || inbox.waiting() > 0) {
            open.add(lanes.busy() + " calls are evaluated, " + inbox.waiting() + " pages wait");
        }
        return open;
    }

    /** What lies in the inbox. */
    public int pages() {
        return Unchecked.get(() -> {
            try (Connection other = DriverManager.getConnection(kind.forcedUrl(SETTINGS.get("callbridge.store.url")))) {
                return Integer.parseInt(query(other, "select count(*) from page").get(0));
            }
        });
    }

    private Instant nextDue() {
        long millis = now.toEpochMilli();
        return query("select min(at) from (select min(due_at) at from call where due_at > ? union all"
                + " select min(next_at) at from delivery where state = 'pending' and next_at > ? and wait <> 'taken') due",
                millis, losesAnswers ? Long.MAX_VALUE : millis).stream().map(Long::parseLong).map(Instant::ofEpochMilli).findFirst()
                .orElse(null);
    }

    public int documentSize(String callId) {
        return Integer.parseInt(query("select cast(length(document) as text) from call where call_id = '" + callId + "'").get(0));
    }

    private List<String> query(String sql, Object... values) {
        return query(store, sql, values);
    }

    private static List<String> query(Connection store, String sql, Object... values) {
        return Unchecked.get(() -> {
            try (Statement statement = store.createStatement();
                    ResultSet result = statement.executeQuery(String.format(sql.replace("?", "%d"), values))) {
                List<String> rows = new ArrayList<>();
                while (result.next()) {
                    if (result.getString(1) != null) {
                        rows.add(result.getString(1));
                    }
                }
                return rows;
            }
        });
    }
}
