package io.callbridge.support;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Sends a scenario's events at their times. The order on the wire is exactly the order of the steps: an event leaves when
 * its time has come and the one before it has been answered.
 */
public final class ScenarioPlayer {

    /** The delays of 5 s become 250 ms; settable for a slow machine. */
    public static final double FACTOR = Double.parseDouble(System.getProperty("callbridge.test.factor", "20"));
    /** The bridge's {@code missed-delay} and {@code settle-delay} at that factor. */
    public static final Duration DELAY = scaled(5.0);
    /** How far events overtake each other; less than the settle delay, with room for a busy machine. */
    public static final Duration SPREAD = scaled(3.5);
    /** What is delayed more than this was not played as it was meant. */
    public static final Duration ROOM = DELAY.minus(SPREAD);

    private static final double LONGEST_GAP = 100.0;
    private static final double SHORTEST_GAP = 0.8;

    /** One event at one time, possibly sent more than once at the same moment. */
    public record Step(Duration at, Scenario.Event event, Webhook.Wire wire, int copies) {

        private Step(Duration at, Scenario.Event event) {
            this(at, event, event.wire(), 1);
        }

        @Override
        public String toString() {
            return at.toMillis() + " ms: " + event + (copies > 1 ? " (" + copies + " times at once)" : "");
        }
    }

    /**
     * What came of it.
     *
     * @param wrongAnswers the answers that were not as the scenario says
     * @param log every step with the times it was really sent and answered at
     */
    public record Played(List<String> wrongAnswers, List<String> log, long beginNanos, long lastNanos,
            Duration greatestDelay) {

        private Played delayed(Duration delay) {
            return new Played(wrongAnswers, log, beginNanos, lastNanos, delay);
        }

        /** Whether the machine kept the times well enough to conclude anything from the delays of the bridge. */
        public boolean onTime() {
            return greatestDelay.compareTo(ROOM) < 0;
        }
    }

    private final List<Webhook> webhooks;
    private final ScheduledExecutorService clock;

    /** @param webhooks each event goes to one of them at random; copies of an event go to different ones */
    public ScenarioPlayer(List<Webhook> webhooks, ScheduledExecutorService clock) {
        this.webhooks = webhooks;
        this.clock = clock;
    }

    /**
     * The events as they stand in the file. A leg whose events are less than the shortest gap apart has them that far apart:
     * what a phone shows in half a second would have to be there in 25 ms.
     */
    public static List<Step> inOrder(Scenario scenario) {
        List<Step> steps = new ArrayList<>();
        Map<String, Double> legs = new HashMap<>();
        double before = 0;
        double at = 0;
        double last = 0;
        for (Scenario.Event event : scenario.events()) {
            at += Math.min(LONGEST_GAP, event.at() - before);
            before = event.at();
            String leg = String.valueOf(event.fields().get("SubCallID"));
            last = Math.max(Math.max(at, last), legs.getOrDefault(leg, -SHORTEST_GAP) + SHORTEST_GAP);
            legs.put(leg, last);
            steps.add(new Step(scaled(last), event));
        }
        return steps;
    }

    /** Every event twice: by turns both at the same moment, and the second one a little later. */
    public static List<Step> twice(Scenario scenario) {
        List<Step> steps = new ArrayList<>();
        List<Step> once = inOrder(scenario);
        for (int i = 0; i < once.size(); i++) {
            Step step = once.get(i);
            if (i % 2 == 0) {
                steps.add(new Step(step.at, step.event, step.wire, 2));
            } else {
                steps.add(step);
                steps.add(new Step(step.at.plus(scaled(2.0)), step.event));
            }
        }
        return sorted(steps);
    }

    /** Events that are less than the settle delay apart may overtake each other. */
    public static List<Step> overtaking(Scenario scenario, Random random) {
        return sorted(inOrder(scenario).stream()
                .map(s -> new Step(s.at.plusMillis(random.nextInt((int) SPREAD.toMillis())), s.event)).toList());
    }

    /** All events within less than the settle delay, in any order. */
    public static List<Step> anyOrder(Scenario scenario, Random random) {
        return sorted(scenario.events().stream()
                .map(e -> new Step(Duration.ofMillis(random.nextInt((int) SPREAD.toMillis())), e)).toList());
    }

    /** The same events as requests of all the other forms that the webhook accepts. */
    public static List<Step> inOtherForms(Scenario scenario) {
        List<Step> steps = new ArrayList<>();
        List<Step> plain = inOrder(scenario);
        for (int i = 0; i < plain.size(); i++) {
            Step step = plain.get(i);
            steps.add(new Step(step.at, step.event, otherForm(step.event, i), 1));
        }
        return steps;
    }

    /** Sends the steps, the first after {@code start}. */
    public CompletableFuture<Played> play(List<Step> steps, Duration start) {
        CompletableFuture<Played> played = new CompletableFuture<>();
        long begin = System.nanoTime() + start.toNanos();
        next(steps, 0, new Played(new ArrayList<>(), new ArrayList<>(), begin, 0, Duration.ZERO), played);
        return played;
    }

    private void next(List<Step> steps, int i, Played soFar, CompletableFuture<Played> played) {
        if (i == steps.size()) {
            played.complete(new Played(List.copyOf(soFar.wrongAnswers), List.copyOf(soFar.log), soFar.beginNanos,
                    System.nanoTime(), soFar.greatestDelay));
            return;
        }
        Step step = steps.get(i);
        long wait = Math.max(0, soFar.beginNanos + step.at.toNanos() - System.nanoTime());
        clock.schedule(() -> {
            long sent = millis(soFar.beginNanos);
            send(step).whenComplete((answers, failure) -> {
                long answered = millis(soFar.beginNanos);
                soFar.log.add(step + ", sent at " + sent + " ms, answered at " + answered + " ms");
                if (failure != null) {
                    soFar.wrongAnswers.add("no answer to " + step + ": " + cause(failure));
                } else {
                    answers.forEach(answer -> check(step, answer, soFar.wrongAnswers));
                }
                Duration delay = Duration.ofMillis(answered).minus(step.at);
                next(steps, i + 1, delay.compareTo(soFar.greatestDelay) > 0 ? soFar.delayed(delay) : soFar, played);
            });
        }, wait, TimeUnit.NANOSECONDS);
    }

    private static long millis(long sinceNanos) {
        return (System.nanoTime() - sinceNanos) / 1_000_000;
    }

    private CompletableFuture<List<HttpResponse<String>>> send(Step step) {
        int first = ThreadLocalRandom.current().nextInt(webhooks.size());
        List<CompletableFuture<HttpResponse<String>>> copies = Stream.iterate(first, i -> (i + 1) % webhooks.size()).limit(step.copies)
                .map(i -> webhooks.get(i).sendAsync(step.event.fields(), step.wire)).toList();
        return CompletableFuture.allOf(copies.toArray(CompletableFuture[]::new))
                .thenApply(done -> copies.stream().map(CompletableFuture::join).toList());
    }

    private static void check(Step step, HttpResponse<String> answer, List<String> wrong) {
        Scenario.Expected expected = step.event.answer();
        String type = answer.headers().firstValue("Content-Type").orElse("").replaceFirst(";.*", "").strip();
        String body = answer.body().replaceFirst("^<\\?xml[^>]*\\?>", "").replace("<Response></Response>", "<Response/>")
                .strip();
        if (!expected.status().contains(answer.statusCode())
                || expected.type() != null && !expected.type().equals(type)
                || expected.body() != null && !expected.body().equals(body)) {
            wrong.add(step + " was answered with " + answer.statusCode() + " " + type + " '" + answer.body() + "', not "
                    + expected);
        }
    }

    private static Webhook.Wire otherForm(Scenario.Event event, int i) {
        if (event.wire() != Webhook.Wire.FORM) {
            return event.wire();
        }
        Map<String, String> fields = event.fields();
        Set<String> all = fields.keySet();
        Set<String> half = all.stream().skip(all.size() / 2).collect(Collectors.toSet());
        return switch (i % 4) {
            case 0 -> Webhook.Wire.get(all);
            case 1 -> Webhook.Wire.json(all);
            case 2 -> Webhook.Wire.split(half, all.stream().filter(f -> !half.contains(f)).collect(Collectors.toSet()));
            default -> Webhook.Wire.emptyPost(all);
        };
    }

    private static List<Step> sorted(List<Step> steps) {
        return steps.stream().sorted(Comparator.comparing(Step::at)).toList();
    }

    private static Duration scaled(double seconds) {
        return Duration.ofNanos((long) (seconds * 1e9 / FACTOR));
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }
}
