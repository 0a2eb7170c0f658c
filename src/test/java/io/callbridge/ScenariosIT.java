package io.callbridge;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.fail;

import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CrmRequest;
import io.callbridge.support.FakeCrm;
import io.callbridge.support.RestContract;
import io.callbridge.support.Scenario;
import io.callbridge.support.ScenarioPlayer;
import io.callbridge.support.ScenarioPlayer.Played;
import io.callbridge.support.ScenarioPlayer.Step;
import io.callbridge.support.ScenarioVerdict;
import io.callbridge.support.ScenarioVerdict.Comparison;
import io.callbridge.support.TestCall;
import io.callbridge.support.Webhook;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Plays every scenario against the packaged application: as it stands, with every event twice, in all forms of the request,
 * and with events that overtake each other. What the PBX promises about order, repetition and form is nothing, so the calls
 * and the missed calls must come out the same every time.
 *
 * <p>The scenarios of one play run at the same time, as on a PBX with many phones: they share no ids, so whatever one of
 * them does to another is a fault.
 */
class ScenariosIT {

    private static final Duration QUIET = ScenarioPlayer.DELAY.multipliedBy(4);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration STAGGER = Duration.ofMillis(80);
    private static final int WARM_UP_ROUNDS = 8;
    /** Thirty events sent by two at a time: less, and the application is warm. */
    private static final Duration WARM = Duration.ofMillis(150);
    private static final int PLAYS_AT_MOST = 10;

    private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(4);

    @AfterEach
    void stopTheClock() {
        clock.shutdownNow();
    }

    @TestFactory
    @Tag("native")
    Stream<DynamicTest> everyScenarioInOrder() {
        return play("in order", Comparison.EVERYTHING, ScenarioPlayer::inOrder);
    }

    @TestFactory
    Stream<DynamicTest> everyScenarioWithEveryEventSentTwice() {
        return playUsual("every event twice", Comparison.EVERYTHING, ScenarioPlayer::twice);
    }

    @TestFactory
    Stream<DynamicTest> everyScenarioInTheOtherFormsOfTheRequest() {
        return playUsual("GET, JSON, query and body", Comparison.EVERYTHING, ScenarioPlayer::inOtherForms);
    }

    @TestFactory
    Stream<DynamicTest> everyScenarioWithOvertakingEvents() {
        return overtaking(seeds()[0]);
    }

    /**
     * All events of a scenario at almost the same moment. No scenario is left out: the calls and the missed calls of all of
     * them follow from ids and EventTimes. S20b comes closest to depending on real gaps (its first verdict is written
     * before the second queue reports), and therefore allows either place.
     */
    @TestFactory
    Stream<DynamicTest> everyScenarioInAnyOrderAtOnce() {
        long seed = seeds()[1];
        return play("any order, seed " + seed, Comparison.CALLS_AND_MISSED,
                s -> ScenarioPlayer.anyOrder(s, random(s, seed)));
    }

    @TestFactory
    Stream<DynamicTest> everyScenarioInOrderOnPostgresql() {
        return play("in order on PostgreSQL", StoreKind.POSTGRESQL, 1, true, Comparison.EVERYTHING, ScenarioPlayer::inOrder);
    }

    @TestFactory
    Stream<DynamicTest> everyScenarioInAnyOrderAtOnceOnPostgresql() {
        long seed = seeds()[1];
        return play("any order on PostgreSQL, seed " + seed, StoreKind.POSTGRESQL, 1, true, Comparison.CALLS_AND_MISSED,
                s -> ScenarioPlayer.anyOrder(s, random(s, seed)));
    }

    /**
     * The events of each call come to three replicas at random, each one twice, every other one to two replicas at once. The
     * scenarios with settings of their own would need three more processes each; settings have nothing to do with replicas.
     */
    @TestFactory
    Stream<DynamicTest> everyScenarioSprayedOverThreeReplicas() {
        return play("sprayed over three replicas", StoreKind.POSTGRESQL, 3, false, Comparison.EVERYTHING, ScenarioPlayer::twice);
    }

    private Stream<DynamicTest> overtaking(long seed) {
        return playUsual("overtaking, seed " + seed, Comparison.CALLS_AND_MISSED,
                s -> ScenarioPlayer.overtaking(s, random(s, seed)));
    }

    /** Fresh ones in every run, unless a failure is to be played again with {@code -Dcallbridge.test.seeds=1,2}. */
    private static long[] seeds() {
        String given = System.getProperty("callbridge.test.seeds");
        if (given == null) {
            return new Random().longs(2, 0, 1_000_000).toArray();
        }
        long[] seeds = Stream.of(given.split(",")).mapToLong(Long::parseLong).toArray();
        return IntStream.range(0, 2).mapToLong(i -> seeds[i % seeds.length]).toArray();
    }

    /** All, unless a failure is looked into with {@code -Dcallbridge.test.scenarios=S15,S20b}. */
    private static boolean wanted(Scenario scenario) {
        String only = System.getProperty("callbridge.test.scenarios");
        return only == null || List.of(only.split(",")).contains(scenario.id());
    }

    /** Of one scenario only: its order must not depend on how many others there are. */
    private static Random random(Scenario scenario, long seed) {
        return new Random(seed * 31 + scenario.id().hashCode());
    }

    private Stream<DynamicTest> play(String name, Comparison comparison, Function<Scenario, List<Step>> order) {
        return play(name, StoreKind.SQLITE, 1, true, comparison, order);
    }

    /** Without those that have settings: each setting takes a process of its own, and has nothing to do with how events are sent. */
    private Stream<DynamicTest> playUsual(String name, Comparison comparison, Function<Scenario, List<Step>> order) {
        return play(name, StoreKind.SQLITE, 1, false, comparison, order);
    }

    private Stream<DynamicTest> play(String name, StoreKind store, int replicas, boolean withSettings, Comparison comparison,
            Function<Scenario, List<Step>> order) {
        Map<Map<String, String>, List<Scenario>> groups = Scenario.all().stream().filter(ScenariosIT::wanted)
                .filter(scenario -> withSettings || scenario.settings().isEmpty())
                .collect(Collectors.groupingBy(Scenario::settings, LinkedHashMap::new, Collectors.toList()));
        List<Stage> stages = new ArrayList<>();
        try {
            // One after the other, because a start takes all the machine has; then all plays at the same time.
            groups.forEach((settings, scenarios) -> stages.add(new Stage(settings, store, replicas, scenarios, comparison, order)));
            for (int i = 0; i < PLAYS_AT_MOST; i++) {
                stages.forEach(Stage::play);
                stages.forEach(Stage::awaitQuiet);
            }
            return stages.stream().flatMap(s -> s.verdicts(name)).toList().stream();
        } finally {
            stages.forEach(Stage::close);
        }
    }

    /** One application and its CRM, for all scenarios with the same settings. */
    private final class Stage {

        private final List<Performance> performances = new ArrayList<>();
        private final Set<String> warmUpIds = new HashSet<>();
        private final Map<String, String> settings;
        private final FakeCrm crm = new FakeCrm();
        private final List<BridgeProcess> bridges = new ArrayList<>();
        private final ScenarioPlayer player;
        private int calls;

        private Stage(Map<String, String> settings, StoreKind store, int replicas, List<Scenario> scenarios, Comparison comparison,
                Function<Scenario, List<Step>> order) {
            this.settings = settings;
            try {
                bridges.add(BridgeProcess.builder().store(store).crm(crm).settings(settings).start());
                while (bridges.size() < replicas) {
                    bridges.add(BridgeProcess.builder().storeOf(bridges.get(0)).crm(crm).settings(settings).start());
                }
            } catch (RuntimeException | Error e) {
                close();
                throw e;
            }
            player = new ScenarioPlayer(bridges.stream().map(BridgeProcess::webhook).toList(), clock);
            scenarios.forEach(s -> performances.add(new Performance(this, s, comparison, order)));
            warmUp();
        }

        /** The delays of the plays are short; a virtual machine that has just started would miss them. */
        private void warmUp() {
            for (int round = 0; round < WARM_UP_ROUNDS; round++) {
                long begin = System.nanoTime();
                List<TestCall> some = IntStream.range(0, 10)
                        .mapToObj(i -> TestCall.incoming("10" + (1 + i % 5), "+7900000080" + i)).toList();
                Webhook webhook = bridges.get(round % bridges.size()).webhook();
                some.parallelStream().forEach(c -> webhook.accept(c.answered()));
                Duration took = Duration.ofNanos(System.nanoTime() - begin);
                some.forEach(c -> warmUpIds.addAll(List.of(c.callId(), c.legId())));
                calls += some.size();
                if (took.compareTo(WARM) < 0 && round + 1 >= bridges.size()) {
                    break;
                }
            }
            await("warm-up").atMost(Duration.ofSeconds(120)).until(() -> crm.requests(CrmRequest.Kind.CALL).size() >= calls);
        }

        private void play() {
            List<Performance> open = performances.stream().filter(Performance::mustBePlayed).toList();
            for (int i = 0; i < open.size(); i++) {
                open.get(i).play(STAGGER.multipliedBy(i));
            }
        }

        private void awaitQuiet() {
            await("the end of the scenarios").atMost(Duration.ofMinutes(5)).pollInterval(Duration.ofMillis(250))
                    .until(() -> performances.stream().allMatch(Performance::settled));
        }

        private Stream<DynamicTest> verdicts(String play) {
            String tail = bridges.stream().map(BridgeProcess::tail).collect(Collectors.joining());
            List<DynamicTest> tests = new ArrayList<>(performances.stream().map(p -> p.verdict(play, tail)).toList());
            List<String> strangers = strangers();
            String name = "nothing outside of the scenarios, " + play + (settings.isEmpty() ? "" : " " + settings);
            tests.add(DynamicTest.dynamicTest(name, () -> {
                if (!strangers.isEmpty()) {
                    fail(name + "\n" + String.join("\n", strangers) + tail);
                }
            }));
            return tests.stream();
        }

        /** Requests that belong to no scenario, and look-ups that break the contract. */
        private List<String> strangers() {
            Set<String> ids = new HashSet<>(warmUpIds);
            performances.forEach(p -> ids.addAll(p.ids));
            List<String> found = new ArrayList<>();
            List<CrmRequest> others = new ArrayList<>();
            for (CrmRequest request : crm.requests()) {
                if (request.kind() == CrmRequest.Kind.ENTITY || warmUpIds.contains(request.id())) {
                    others.add(request);
                } else if (!ids.contains(request.id())) {
                    found.add("belongs to no scenario: " + request);
                }
            }
            // The machine is cold at first: a card may have to go out before the look-up is answered.
            found.addAll(new RestContract(crm, false).deviations(others));
            return found;
        }

        private void close() {
            bridges.forEach(BridgeProcess::close);
            crm.close();
        }
    }

    /**
     * One scenario on its stage. The times of these plays are short; if a busy machine sends an event much later than it is
     * meant to be sent, a difference says nothing about the bridge, and the scenario is played again as another call. What
     * breaks the contract whatever the times are counts nevertheless.
     */
    private static final class Performance {

        private final Set<String> ids = new HashSet<>();
        private final Stage stage;
        private final Scenario original;
        private final Comparison comparison;
        private final Function<Scenario, List<Step>> order;
        private Scenario scenario;
        private int plays;
        private CompletableFuture<Played> played;

        private Performance(Stage stage, Scenario scenario, Comparison comparison, Function<Scenario, List<Step>> order) {
            this.stage = stage;
            this.original = scenario;
            this.comparison = comparison;
            this.order = order;
        }

        private boolean mustBePlayed() {
            return played == null
                    || plays < PLAYS_AT_MOST && !played.join().onTime() && !differences().isEmpty();
        }

        private void play(Duration start) {
            scenario = plays == 0 ? original : original.asAnotherCall(plays);
            plays++;
            ids.addAll(scenario.ids());
            played = stage.player.play(order.apply(scenario), start);
        }

        /** Everything expected has come, or is overdue, and nothing has come for a while. */
        private boolean settled() {
            if (!played.isDone()) {
                return false;
            }
            List<CrmRequest> requests = requests();
            long now = System.nanoTime();
            long sent = played.join().lastNanos();
            long last = requests.stream().mapToLong(CrmRequest::nanos).reduce(sent, Math::max);
            boolean complete = new ScenarioVerdict(scenario, comparison).missing(requests).isEmpty();
            return now - last > QUIET.toNanos() && (complete || now - sent > PATIENCE.toNanos());
        }

        private List<CrmRequest> requests() {
            return stage.crm.requests(scenario.ids());
        }

        private List<String> differences() {
            List<String> differences = new ArrayList<>(played.join().wrongAnswers());
            differences.addAll(new ScenarioVerdict(scenario, comparison).differences(requests()));
            return differences;
        }

        private DynamicTest verdict(String play, String tail) {
            List<String> differences = differences();
            // Three processes at once are slow to ask who calls: a card that was not on time may lack it.
            differences.addAll(new RestContract(stage.crm, stage.bridges.size() == 1).deviations(stage.crm.requests(ids)));
            String name = scenario.id() + " " + play + ": " + scenario.title();
            return DynamicTest.dynamicTest(name, () -> {
                if (!differences.isEmpty()) {
                    fail(name + "\n" + String.join("\n", differences) + "\n--- sent (" + play + "; play " + plays
                            + (played.join().onTime() ? "" : "; not on time") + ") ---\n"
                            + String.join("\n", played.join().log()) + "\n--- received ---\n" + received() + tail);
                }
            });
        }

        private String received() {
            return requests().stream().map(r -> r.since(played.join().beginNanos()).toMillis() + " ms: " + r)
                    .collect(Collectors.joining("\n"));
        }
    }
}
