package io.callbridge.support;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A scenario as it is played once: in which order its events are sent, what was answered, and what the CRM got of it. */
public final class ScenarioPlay {

    /** How far events may overtake each other: less than the settle delay of 5 s. */
    private static final int SPREAD_MS = 4_900;
    /** Of a random time: so that several events may come at the same moment. */
    private static final int GRAIN_MS = 100;
    private static final AtomicInteger PLAYS = new AtomicInteger();

    /** What the PBX promises about order, repetition and form is nothing. */
    public enum Order {
        IN_ORDER("in order", true, (steps, random) -> steps),
        TWICE("every event twice", true, (steps, random) -> twice(steps)),
        OTHER_FORMS("GET, JSON, query and body", true, (steps, random) -> inOtherForms(steps)),
        /** Events that are less than the settle delay apart may overtake each other. */
        OVERTAKING("overtaking", false, (steps, random) -> moved(steps, step -> step.at.plus(less(random)))),
        /**
         * All events within less than the settle delay. No scenario is left out: the calls and the missed calls of all of them follow
         * from ids and EventTimes. S20b comes closest to depending on real gaps (its first verdict is written before the second
         * queue reports), and therefore allows either place.
         */
        ANY_ORDER("any order at once", false, (steps, random) -> moved(steps, step -> less(random)));

        private final String name;
        /** Cards may differ when events overtake each other. */
        private final boolean everything;
        private final BiFunction<List<Step>, Random, List<Step>> change;

        Order(String name, boolean everything, BiFunction<List<Step>, Random, List<Step>> change) {
            this.name = name;
            this.everything = everything;
            this.change = change;
        }
    }

    /** One event at one time, possibly sent more than once at the same moment. */
    public record Step(Duration at, Scenario.Event event, Webhook.Wire wire, int copies) {

        private Step at(Duration other) {
            return new Step(other, event, wire, copies);
        }

        @Override
        public String toString() {
            return at.toMillis() + " ms: " + event + (copies > 1 ? " (" + copies + " times at once)" : "");
        }
    }

    private final Scenario scenario;
    private final String title;
    private final boolean everything;
    private final List<Step> steps;
    private final List<String> log = new ArrayList<>();
    private final List<String> wrongAnswers = new ArrayList<>();

    /** @param seed of what is random; a scenario's order depends on no other scenario */
    public ScenarioPlay(Scenario original, Order order, long seed) {
        // Played several times it is as many calls.
        scenario = original.asAnotherCall(PLAYS.incrementAndGet());
        everything = order.everything;
        title = original.id() + " " + order.name + ": " + original.title() + " (seed " + seed + ")";
        steps = order.change.apply(scenario.events().stream()
                .map(event -> new Step(Duration.ofMillis(Math.round(event.at() * 1000)), event, event.wire(), 1)).toList(),
                new Random(seed * 31 + original.id().hashCode()));
    }

    public Scenario scenario() {
        return scenario;
    }

    public List<Step> steps() {
        return steps;
    }

    public String title() {
        return title;
    }

    /** Sends the event of a step, its copies to different ones of the webhooks. */
    public void send(Step step, List<Webhook> webhooks) {
        int first = ThreadLocalRandom.current().nextInt(webhooks.size());
        List<CompletableFuture<HttpResponse<String>>> copies = Stream.iterate(first, i -> (i + 1) % webhooks.size()).limit(step.copies)
                .map(i -> webhooks.get(i).sendAsync(step.event.fields(), step.wire)).toList();
        log.add(step.toString());
        copies.forEach(copy -> check(step, copy.join()));
    }

    private void check(Step step, HttpResponse<String> answer) {
        Scenario.Expected expected = step.event.answer();
        String type = answer.headers().firstValue("Content-Type").orElse("").replaceFirst(";.*", "").strip();
        String body = answer.body().replaceFirst("^<\\?xml[^>]*\\?>", "").replace("<Response></Response>", "<Response/>").strip();
        if (!expected.status().contains(answer.statusCode()) || expected.type() != null && !expected.type().equals(type)
                || expected.body() != null && !expected.body().equals(body)) {
            wrongAnswers.add(step + " was answered with " + answer.statusCode() + " " + type + " '" + answer.body() + "', not " + expected);
        }
    }

    /** What differs from what must have been answered, and written to the CRM. */
    public List<String> differences(List<CrmRequest> received, RestContract contract) {
        List<String> differences = new ArrayList<>(wrongAnswers);
        differences.addAll(new ScenarioVerdict(scenario, everything).differences(received));
        differences.addAll(contract.deviations(received));
        return differences;
    }

    public boolean isComplete(List<CrmRequest> received) {
        return new ScenarioVerdict(scenario, everything).missing(received).isEmpty();
    }

    public String report(List<String> differences, List<CrmRequest> received) {
        return title + "\n" + String.join("\n", differences) + "\n--- sent ---\n" + String.join("\n", log) + "\n--- received ---\n"
                + received.stream().map(request -> request.at() + " " + request).collect(Collectors.joining("\n"));
    }

    /** By turns both at the same moment, and the second one a little later. */
    private static List<Step> twice(List<Step> once) {
        return sorted(IntStream.range(0, once.size()).boxed().flatMap(i -> {
            Step step = once.get(i);
            return i % 2 == 0 ? Stream.of(new Step(step.at, step.event, step.wire, 2)) : Stream.of(step, step.at(step.at.plusSeconds(2)));
        }));
    }

    /** As requests of all the other forms that the webhook accepts. */
    private static List<Step> inOtherForms(List<Step> plain) {
        return IntStream.range(0, plain.size()).mapToObj(i -> {
            Step step = plain.get(i);
            return new Step(step.at, step.event, step.wire == Webhook.Wire.FORM ? otherForm(step.event, i) : step.wire, 1);
        }).toList();
    }

    private static Webhook.Wire otherForm(Scenario.Event event, int i) {
        Set<String> all = event.fields().keySet();
        Set<String> half = all.stream().skip(all.size() / 2).collect(Collectors.toSet());
        return switch (i % 4) {
            case 0 -> Webhook.Wire.get(all);
            case 1 -> Webhook.Wire.json(all);
            case 2 -> Webhook.Wire.split(half, all.stream().filter(f -> !half.contains(f)).collect(Collectors.toSet()));
            // Seen in the wild: a POST with an empty body.
            default -> Webhook.Wire.split(all, Set.of());
        };
    }

    private static List<Step> moved(List<Step> steps, Function<Step, Duration> to) {
        return sorted(steps.stream().map(step -> step.at(to.apply(step))));
    }

    private static Duration less(Random random) {
        return Duration.ofMillis((long) random.nextInt(SPREAD_MS / GRAIN_MS) * GRAIN_MS);
    }

    private static List<Step> sorted(Stream<Step> steps) {
        return steps.sorted(Comparator.comparing(Step::at)).toList();
    }
}
