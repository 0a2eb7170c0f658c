package io.callbridge.support;

import io.callbridge.support.CrmRequest.Kind;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
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
    private static final Duration END = Duration.ofMinutes(3);
    /** A request that was sent before an interruption may reach the stand-in's thread a little later. */
    private static final long ON_ITS_WAY_NANOS = Duration.ofSeconds(3).toNanos();

    /** A time, on the clock of {@link System#nanoTime()}, whose deliveries may be repeated: their answer may be lost. */
    public record Interruption(long beginNanos, long endNanos) {

        private boolean explains(CrmRequest first, CrmRequest again) {
            return again.nanos() > beginNanos && first.nanos() < endNanos + ON_ITS_WAY_NANOS;
        }
    }

    private record PlacedCall(List<TestCall> legs, List<Map<String, String>> events, boolean patient, Set<String> acknowledged) {
    }

    private record Line(Random random, CompletableFuture<Void> over) {
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
            Line line = new Line(new Random(seed * 31 + i), new CompletableFuture<>());
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
        await(events + " more refusals", () -> refusals.size() >= before + events);
    }

    /** Waits until nothing is under way to a webhook that no event goes to any more. */
    public void awaitAnswersOf(Webhook webhook) {
        await("answers", () -> underWay(webhook).get() == 0);
    }

    /** Waits until so many more events are acknowledged. */
    public void awaitMore(int events) {
        int before = acknowledged.get();
        await(events + " more events", () -> {
            lines.forEach(line -> line.over.getNow(null));
            return acknowledged.get() >= before + events;
        });
    }

    private static void await(String what, Callable<Boolean> condition) {
        Awaitility.await(what).atMost(END).pollInterval(Duration.ofMillis(5)).until(condition);
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

    /**
     * After {@link #stop()}: every event that was acknowledged is in the store; everything that follows from the events in
     * the store reaches the CRM, and nothing else does since this load began; no call and no missed call has two contents;
     * and nothing is written twice but what an interruption explains.
     */
    public void verify(BridgeProcess bridge, FakeCrm crm, List<Interruption> interruptions) {
        Map<PlacedCall, Set<String>> stored = new IdentityHashMap<>();
        calls.forEach(call -> stored.put(call, stored(bridge, call.legs.get(0).callId())));
        try {
            Awaitility.await("everything").atMost(END).pollInterval(Duration.ofMillis(250))
                    .until(() -> new Expectation(requests(crm), stored).faults.isEmpty());
            crm.awaitQuiet();
        } catch (ConditionTimeoutException overdue) {
            // What is lacking is among the faults.
        }
        Expectation expectation = new Expectation(requests(crm), stored);
        List<String> faults = expectation.faults;
        expectation.received.forEach((effect, requests) -> {
            if (!expectation.allowed.contains(effect)) {
                faults.add("follows from no event: " + requests);
            }
            for (int i = 1; i < requests.size(); i++) {
                CrmRequest first = requests.get(i - 1);
                CrmRequest again = requests.get(i);
                if (Set.of(Kind.CALL, Kind.MISSED).contains(first.kind()) && !Objects.equals(first.body(), again.body())) {
                    faults.add("written with other contents: " + first + ", then " + again);
                } else if (interruptions.stream().noneMatch(interruption -> interruption.explains(first, again))) {
                    faults.add("written twice, " + again.since(first.nanos()).toMillis() + " ms apart: " + first + ", then " + again
                            + ", ms after breaks: " + interruptions.stream().map(each -> first.since(each.beginNanos).toMillis()).toList());
                }
            }
        });
        // What was answered and not yet noted when it broke comes again, maybe after what followed it; after a power cut all of a call may.
        Map<String, CrmRequest> first = new HashMap<>();
        requests(crm).forEach(request -> first.putIfAbsent(String.valueOf(request.id()), request));
        faults.addAll(new RestContract(crm, false).deviations(requests(crm).stream().filter(request -> request.kind() == Kind.ENTITY
                || expectation.received.get(request.kind() + " " + request.id()).get(0).equals(request) && interruptions.stream()
                        .noneMatch(each -> each.explains(first.get(request.id()), request))).toList()));
        if (!faults.isEmpty()) {
            throw new AssertionError(faults.size() + " faults with seed " + seed + ":\n"
                    + String.join("\n", faults.subList(0, Math.min(20, faults.size()))) + bridge.tail());
        }
    }

    private List<CrmRequest> requests(FakeCrm crm) {
        return crm.requests().stream().filter(request -> request.nanos() > beginNanos).toList();
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
            } else if (given.stream().anyMatch(each -> each.statusCode() != 503 || each.headers().firstValue("Retry-After").isEmpty())) {
                line.over.completeExceptionally(new AssertionError("answered with " + statuses + ", or without Retry-After: " + event));
            } else {
                refused.incrementAndGet();
                if (!given.isEmpty()) {
                    refusals.add(Duration.ofNanos(System.nanoTime() - begin));
                }
                later(line, call.patient ? () -> send(line, call, i) : () -> dial(line));
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
        if (answer.statusCode() != 404) {
            BridgeProcess.explanation(answer, bridge::tail).path("events")
                    .forEach(event -> stored.add(event.path("type").asText() + " " + event.path("legId").asText()));
        }
        return stored;
    }

    /** What must, and what may follow from the events that are stored, and what of it is lacking. */
    private static final class Expectation {

        private final Map<String, List<CrmRequest>> received = new LinkedHashMap<>();
        private final Set<String> allowed = new HashSet<>();
        private final List<String> faults = new ArrayList<>();

        private Expectation(List<CrmRequest> requests, Map<PlacedCall, Set<String>> calls) {
            requests.stream().filter(request -> request.kind() != Kind.ENTITY).forEach(
                    request -> received.computeIfAbsent(request.kind() + " " + request.id(), effect -> new ArrayList<>()).add(request));
            calls.forEach(this::call);
        }

        private void call(PlacedCall call, Set<String> stored) {
            call.acknowledged.stream().filter(event -> !stored.contains(event))
                    .forEach(event -> faults.add("acknowledged, but not stored: " + event));
            List<TestCall> rang = call.legs.stream().filter(leg -> stored.contains(key(leg.dialIn()))).toList();
            List<TestCall> over = call.legs.stream().filter(leg -> stored.contains(key(leg.hangup()))).toList();
            List<TestCall> talked = call.legs.stream().filter(leg -> stored.contains(key(leg.answer()))).toList();
            for (TestCall leg : call.legs) {
                boolean ends = over.contains(leg) || talked.stream().anyMatch(other -> other != leg);
                boolean registered = over.contains(leg) && talked.contains(leg);
                expect(Kind.CARD, leg.legId(), rang.contains(leg), rang.contains(leg) && !ends, stored);
                expect(Kind.CARD_END, leg.legId(), ends, ends && received.containsKey(Kind.CARD + " " + leg.legId()), stored);
                expect(Kind.CALL, leg.legId(), registered, registered, stored);
            }
            boolean missed = !rang.isEmpty() && over.containsAll(rang) && talked.isEmpty();
            expect(Kind.MISSED, call.legs.get(0).callId(), missed, missed, stored);
        }

        private void expect(Kind kind, String id, boolean may, boolean must, Set<String> stored) {
            String effect = kind + " " + id;
            if (may) {
                allowed.add(effect);
            }
            if (must && received.getOrDefault(effect, List.of()).stream().noneMatch(each -> each.effective() && each.answered() > 0)) {
                faults.add("lacks " + effect + ", stored " + stored);
            }
        }
    }
}
