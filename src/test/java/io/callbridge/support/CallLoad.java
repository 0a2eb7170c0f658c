package io.callbridge.support;

import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.callbridge.support.CrmRequest.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A PBX with several lines, each of which makes one random call after the other until {@link #stop()}. It remembers which
 * events were acknowledged; {@link #verify} then asks the bridge which ones it has, and holds what the CRM received against
 * them. Half of the calls repeat an event that was refused until it is taken, the other half give up: the PBX promises
 * neither.
 */
public final class CallLoad implements AutoCloseable {

    private static final int LINES = 12;
    private static final int LONGEST_PAUSE_MS = 100;
    private static final int ONE_IN_TWICE = 8;
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final Duration END = Duration.ofSeconds(90);
    /** A request that was sent before an interruption may reach the stand-in's thread a little later. */
    private static final long ON_ITS_WAY_NANOS = Duration.ofSeconds(3).toNanos();
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A time, on the clock of {@link System#nanoTime()}, whose deliveries may be repeated: their answer may be lost. */
    public record Interruption(long beginNanos, long endNanos) {

        private boolean explains(CrmRequest first, CrmRequest again) {
            return again.nanos() > beginNanos && first.nanos() < endNanos + ON_ITS_WAY_NANOS;
        }
    }

    private record PlacedCall(List<TestCall> legs, List<Map<String, String>> events, boolean patient, Set<String> acknowledged) {

        private String callId() {
            return legs.get(0).callId();
        }
    }

    private static final class Line {
        private final CompletableFuture<Void> over = new CompletableFuture<>();
        private final Random random;

        private Line(long seed) {
            random = new Random(seed);
        }
    }

    private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(2);
    private final ConcurrentLinkedQueue<PlacedCall> calls = new ConcurrentLinkedQueue<>();
    private final AtomicInteger acknowledged = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final ConcurrentLinkedQueue<Duration> refusals = new ConcurrentLinkedQueue<>();
    private final Map<Webhook, AtomicInteger> underWay = new ConcurrentHashMap<>();
    private final List<Line> lines = new ArrayList<>();
    private final Supplier<List<Webhook>> webhooks;
    private final long seed = Long.getLong("callbridge.test.seed", new Random().nextInt(1_000_000));
    private final long beginNanos = System.nanoTime();
    private volatile boolean running = true;

    /**
     * Begins to call.
     *
     * @param webhooks asked before each event, as a load balancer asks which of its back ends are ready; it goes to one of them, or to two
     */
    public CallLoad(Supplier<List<Webhook>> webhooks) {
        this.webhooks = webhooks;
        System.out.println("load with -Dcallbridge.test.seed=" + seed);
        for (int i = 0; i < LINES; i++) {
            Line line = new Line(seed * 31 + i);
            lines.add(line);
            later(line, () -> dial(line));
        }
    }

    /** Events that were refused, or whose answer was lost, so far. */
    public int refused() {
        return refused.get();
    }

    /** How long those that were refused with 503 waited for it, the shortest first. */
    public List<Duration> refusals() {
        return refusals.stream().sorted().toList();
    }

    /** Waits until so many more events are refused with 503. */
    public void awaitMoreRefusals(int events) {
        int before = refusals.size();
        await(events + " more refusals").atMost(END).until(() -> refusals.size() >= before + events);
    }

    /** Waits until nothing is under way to a webhook that no event goes to any more. */
    public void awaitAnswersOf(Webhook webhook) {
        await("answers").atMost(LONG).pollInterval(Duration.ofMillis(5)).until(() -> underWay(webhook).get() == 0);
    }

    /** Waits until so many more events are acknowledged. */
    public void awaitMore(int events) {
        int before = acknowledged.get();
        await(events + " more events").atMost(LONG).pollInterval(Duration.ofMillis(5)).until(() -> {
            lines.forEach(line -> line.over.getNow(null));
            return acknowledged.get() >= before + events;
        });
    }

    /** No more calls; those that have begun go on to their end. */
    public void stop() {
        running = false;
        lines.forEach(line -> line.over.orTimeout(END.toSeconds(), TimeUnit.SECONDS).join());
    }

    @Override
    public void close() {
        running = false;
        clock.shutdownNow();
    }

    /** What came to the CRM since the load began. */
    private List<CrmRequest> requests(FakeCrm crm) {
        return crm.requests().stream().filter(request -> request.nanos() > beginNanos).toList();
    }

    /**
     * After {@link #stop()}: every event that was acknowledged is in the store; everything that follows from the events in
     * the store reaches the CRM, and nothing else does; no call and no missed call has two contents; and nothing is written
     * twice but what an interruption explains.
     */
    public void verify(BridgeProcess bridge, FakeCrm crm, List<Interruption> interruptions) {
        List<Expected> expected = calls.stream().map(call -> new Expected(call, stored(bridge, call.callId()))).toList();
        try {
            await("everything").atMost(END).pollInterval(Duration.ofMillis(250)).until(() -> {
                Received received = new Received(requests(crm));
                return expected.stream().allMatch(call -> call.missing(received).isEmpty());
            });
        } catch (ConditionTimeoutException overdue) {
            throw failure(expected.stream().flatMap(call -> call.missing(new Received(requests(crm))).stream()).toList(), bridge);
        }
        crm.awaitQuiet();
        Received received = new Received(requests(crm));
        List<String> faults = new ArrayList<>();
        expected.forEach(call -> faults.addAll(call.missing(received)));
        Set<String> allowed = new HashSet<>();
        expected.forEach(call -> allowed.addAll(call.allowed()));
        received.requests.forEach((effect, requests) -> {
            if (!allowed.contains(effect)) {
                faults.add("follows from no event: " + requests);
            }
            for (int i = 1; i < requests.size(); i++) {
                repeatFault(requests.get(i - 1), requests.get(i), interruptions).ifPresent(faults::add);
            }
        });
        faults.addAll(new RestContract(crm, false).deviations(requests(crm)));
        if (!faults.isEmpty()) {
            throw failure(faults, bridge);
        }
    }

    private AssertionError failure(List<String> faults, BridgeProcess bridge) {
        return new AssertionError(faults.size() + " faults with seed " + seed + ":\n"
                + String.join("\n", faults.subList(0, Math.min(20, faults.size()))) + bridge.tail());
    }

    private static Optional<String> repeatFault(CrmRequest first, CrmRequest again, List<Interruption> interruptions) {
        boolean durable = first.kind() == Kind.CALL || first.kind() == Kind.MISSED;
        if (durable && !Objects.equals(first.body(), again.body())) {
            return Optional.of("written with other contents: " + first + ", then " + again);
        }
        return interruptions.stream().anyMatch(interruption -> interruption.explains(first, again)) ? Optional.empty()
                : Optional.of("written twice, " + again.since(first.nanos()).toMillis() + " ms apart"
                        + interruptions.stream().map(i -> ", the first " + first.since(i.beginNanos).toMillis() + " ms after the interruption").findFirst().orElse("")
                        + ": " + first + ", then " + again);
    }

    private void dial(Line line) {
        if (!running) {
            line.over.complete(null);
            return;
        }
        PlacedCall call = randomCall(line.random);
        calls.add(call);
        send(line, call, 0);
    }

    private static PlacedCall randomCall(Random random) {
        String caller = random.nextInt(3) == 0 ? FakeCrm.IVANOV : "+790000003" + (10 + random.nextInt(90));
        int phone = random.nextInt(5);
        TestCall leg = TestCall.incoming("10" + (1 + phone), caller);
        TestCall other = leg.alsoRinging("10" + (1 + (phone + 1) % 5));
        int kind = random.nextInt(10);
        List<Map<String, String>> events = kind < 4 ? leg.answered() : kind < 7 ? leg.missed() : kind < 9
                ? List.of(leg.dialIn(), other.dialIn(), leg.answer(), other.givenUp(), leg.hangup()) : List.of(leg.dialIn());
        return new PlacedCall(kind == 7 || kind == 8 ? List.of(leg, other) : List.of(leg), events, random.nextBoolean(),
                ConcurrentHashMap.newKeySet());
    }

    private AtomicInteger underWay(Webhook webhook) {
        return underWay.computeIfAbsent(webhook, one -> new AtomicInteger());
    }

    private CompletableFuture<HttpResponse<String>> send(Webhook webhook, Map<String, String> event) {
        underWay(webhook).incrementAndGet();
        return webhook.sendAsync(event, Webhook.Wire.FORM).whenComplete((answer, lost) -> underWay(webhook).decrementAndGet());
    }

    private void send(Line line, PlacedCall call, int i) {
        if (i == call.events.size()) {
            later(line, () -> dial(line));
            return;
        }
        Map<String, String> event = call.events.get(i);
        int copies = line.random.nextInt(ONE_IN_TWICE) == 0 ? 2 : 1;
        List<Webhook> ready = webhooks.get();
        int first = line.random.nextInt(ready.size());
        long begin = System.nanoTime();
        List<CompletableFuture<HttpResponse<String>>> answers = Stream.iterate(first, w -> (w + 1) % ready.size()).limit(copies)
                .map(w -> send(ready.get(w), event)).toList();
        CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new)).whenComplete((all, lost) -> {
            List<HttpResponse<String>> given = answers.stream().filter(answer -> !answer.isCompletedExceptionally())
                    .map(CompletableFuture::join).toList();
            List<Integer> statuses = given.stream().map(HttpResponse::statusCode).toList();
            if (statuses.contains(200)) {
                acknowledged.incrementAndGet();
                call.acknowledged.add(key(event));
                later(line, () -> send(line, call, i + 1));
            } else if (!given.stream().allMatch(answer -> answer.statusCode() == 503 && answer.headers().firstValue("Retry-After").isPresent())) {
                line.over.completeExceptionally(new AssertionError("answered with " + statuses + ", or without Retry-After: " + event));
            } else {
                refused.incrementAndGet();
                if (!given.isEmpty()) {
                    refusals.add(Duration.ofNanos(System.nanoTime() - begin));
                }
                later(line, () -> {
                    if (call.patient) {
                        send(line, call, i);
                    } else {
                        dial(line);
                    }
                });
            }
        });
    }

    private void later(Line line, Runnable what) {
        if (!clock.isShutdown()) {
            clock.schedule(what, line.random.nextInt(LONGEST_PAUSE_MS), TimeUnit.MILLISECONDS);
        }
    }

    private static String key(Map<String, String> event) {
        return event.get("EventType") + " " + event.get("SubCallID");
    }

    private static Set<String> stored(BridgeProcess bridge, String callId) {
        HttpResponse<String> answer = bridge.get("/api/calls/" + callId);
        Set<String> stored = new HashSet<>();
        if (answer.statusCode() == 404) {
            return stored;
        }
        try {
            for (JsonNode event : JSON.readTree(answer.body()).path("events")) {
                stored.add(event.path("type").asText() + " " + event.path("legId").asText());
            }
            return stored;
        } catch (IOException e) {
            throw new UncheckedIOException(answer.body(), e);
        }
    }

    /** What the CRM received, by effect. */
    private static final class Received {

        private final Map<String, List<CrmRequest>> requests = new LinkedHashMap<>();

        private Received(List<CrmRequest> all) {
            all.stream().filter(request -> request.kind() != Kind.ENTITY)
                    .forEach(request -> requests.computeIfAbsent(request.kind() + " " + request.id(), effect -> new ArrayList<>()).add(request));
        }

        private boolean sent(Kind kind, String id) {
            return requests.containsKey(kind + " " + id);
        }

        private boolean has(Kind kind, String id) {
            return requests.getOrDefault(kind + " " + id, List.of()).stream()
                    .anyMatch(request -> request.answered() >= 200 && request.answered() < 300);
        }
    }

    /** What must, and what may follow from the events of one call that are stored. */
    private static final class Expected {

        private final PlacedCall call;
        private final Set<String> stored;
        private final Map<TestCall, Boolean> talked = new HashMap<>();

        private Expected(PlacedCall call, Set<String> stored) {
            this.call = call;
            this.stored = stored;
            call.legs.forEach(leg -> talked.put(leg, has(leg.answer())));
        }

        private boolean has(Map<String, String> event) {
            return stored.contains(key(event));
        }

        private boolean rang(TestCall leg) {
            return has(leg.dialIn());
        }

        private boolean over(TestCall leg) {
            return has(leg.hangup());
        }

        private boolean registered(TestCall leg) {
            return over(leg) && talked.get(leg);
        }

        private boolean missed() {
            return call.legs.stream().anyMatch(this::rang) && call.legs.stream().filter(this::rang).allMatch(this::over)
                    && !talked.containsValue(true);
        }

        private boolean cardEnds(TestCall leg) {
            return over(leg) || call.legs.stream().anyMatch(other -> other != leg && talked.get(other));
        }

        private List<String> missing(Received received) {
            List<String> missing = new ArrayList<>();
            call.acknowledged.stream().filter(event -> !stored.contains(event))
                    .forEach(event -> missing.add("acknowledged, but not stored: " + event));
            for (TestCall leg : call.legs) {
                if (registered(leg) && !received.has(Kind.CALL, leg.legId())) {
                    missing.add("not registered: " + leg + ", stored " + stored);
                }
                if (rang(leg) && !cardEnds(leg) && !received.has(Kind.CARD, leg.legId())) {
                    missing.add("no card: " + leg + ", stored " + stored);
                }
                if (cardEnds(leg) && received.sent(Kind.CARD, leg.legId()) && !received.has(Kind.CARD_END, leg.legId())) {
                    missing.add("the card does not end: " + leg + ", stored " + stored);
                }
            }
            if (missed() && !received.has(Kind.MISSED, call.callId())) {
                missing.add("no missed call: " + call.callId() + ", stored " + stored);
            }
            return missing;
        }

        private List<String> allowed() {
            List<String> allowed = new ArrayList<>();
            for (TestCall leg : call.legs) {
                if (rang(leg)) {
                    allowed.add(Kind.CARD + " " + leg.legId());
                }
                if (cardEnds(leg)) {
                    allowed.add(Kind.CARD_END + " " + leg.legId());
                }
                if (registered(leg)) {
                    allowed.add(Kind.CALL + " " + leg.legId());
                }
            }
            if (missed()) {
                allowed.add(Kind.MISSED + " " + call.callId());
            }
            return allowed;
        }
    }
}
