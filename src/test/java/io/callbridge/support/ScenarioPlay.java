package io.callbridge.support;

import com.fasterxml.jackson.databind.JsonNode;
import io.callbridge.support.CrmRequest.Kind;
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
import java.util.stream.StreamSupport;

/** A scenario as it is played once: in which order its events are sent, what was answered, and what the CRM got of it. */
public final class ScenarioPlay {

    /** How far events may overtake each other: less than the settle delay of 5 s. */
    private static final int SPREAD_MS = 4_900;
    /** Of a random time: so that several events may come at the same moment. */
    private static final int GRAIN_MS = 100;
    /** All delays are over. */
    private static final Duration AFTERWARDS = Duration.ofSeconds(10);
    private static final long HOUR_MICROS = 3_600_000_000L;
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
         * queue reports), and therefore allows either place. Of two calls under the same ids, which are hours apart, all events of one come first.
         */
        ANY_ORDER("any order at once", false, (steps, random) -> moved(steps,
                step -> less(random).plus(step.isHoursLater() ? AFTERWARDS : Duration.ZERO)));

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

        private boolean isHoursLater() {
            return event.fields().containsKey("EventTime") && Long.parseLong(event.fields().get("EventTime")) > Scenario.BEGIN + HOUR_MICROS;
        }

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
        differences.addAll(new Verdict(scenario, everything).differences(received));
        differences.addAll(contract.deviations(received));
        return differences;
    }

    public boolean isComplete(List<CrmRequest> received) {
        return new Verdict(scenario, everything).missing(received).isEmpty();
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
            case 0 -> new Webhook.Wire("GET", all, Set.of(), false);
            case 1 -> new Webhook.Wire("POST", Set.of(), null, true);
            case 2 -> new Webhook.Wire("POST", half, all.stream().filter(f -> !half.contains(f)).collect(Collectors.toSet()), false);
            // Seen in the wild: a POST with an empty body.
            default -> new Webhook.Wire("POST", all, Set.of(), false);
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

    /**
     * Compares what the CRM received for a scenario with what the scenario expects, as the scenarios' description says.
     *
     * @param everything cards, too: they may differ when events overtake each other, calls and missed calls may not
     */
    record Verdict(Scenario scenario, boolean everything) {

        private record Part(String name, Kind kind) {
        }

        private static final List<Part> PARTS = List.of(new Part("calls", Kind.CALL), new Part("missed", Kind.MISSED),
                new Part("cards", Kind.CARD), new Part("hidden", Kind.CARD_END));
        /** About an expected request, not members of its body. */
        private static final Set<String> DIRECTIVES = Set.of("id", "legId", "optional", "updates");

        private List<Part> parts() {
            return everything ? PARTS : PARTS.subList(0, 2);
        }

        /** The expected requests that have not been made yet; empty when there is nothing left to wait for. */
        List<String> missing(List<CrmRequest> requests) {
            List<String> missing = new ArrayList<>();
            for (Part part : parts()) {
                for (JsonNode expected : scenario.expected(part.name)) {
                    if (!expected.path("optional").asBoolean() && made(part, expected, requests).isEmpty()) {
                        missing.add(part.name + ": nothing for " + expected);
                    }
                }
            }
            return missing;
        }

        /** Everything that differs; empty if the CRM received exactly what it should. */
        List<String> differences(List<CrmRequest> requests) {
            List<String> differences = missing(requests);
            for (Part part : parts()) {
                for (JsonNode expected : scenario.expected(part.name)) {
                    compare(part, expected, made(part, expected, requests), differences);
                }
                List<String> known = stream(scenario.expected(part.name)).map(Verdict::id).toList();
                requests.stream().filter(request -> request.kind() == part.kind && !known.contains(request.id()))
                        .forEach(request -> differences.add(part.name + ": not expected: " + request));
            }
            return differences;
        }

        private static List<CrmRequest> made(Part part, JsonNode expected, List<CrmRequest> requests) {
            return requests.stream().filter(r -> r.kind() == part.kind && r.id().equals(id(expected))).toList();
        }

        /** A card's is that of its leg. */
        private static String id(JsonNode expected) {
            return expected.path("legId").asText(expected.path("id").asText());
        }

        private static void compare(Part part, JsonNode expected, List<CrmRequest> made, List<String> differences) {
            String where = part.name + " " + id(expected) + ": ";
            boolean updates = expected.path("updates").asBoolean();
            if (made.size() > 1 && !updates) {
                differences.add(where + "written " + made.size() + " times: " + made);
            }
            for (int i = 1; updates && i < made.size(); i++) {
                if (made.get(i).body() != null && made.get(i).body().equals(made.get(i - 1).body())) {
                    differences.add(where + "written again without a change: " + made.get(i));
                }
            }
            for (CrmRequest request : made) {
                if (part.kind == Kind.CARD_END) {
                    compareEnd(where, expected, request, differences);
                } else if (request.body() == null) {
                    differences.add(where + "no JSON body");
                } else {
                    expected.fields().forEachRemaining(member -> {
                        JsonNode actual = request.body().get(member.getKey());
                        if (!DIRECTIVES.contains(member.getKey()) && !fits(member.getKey(), member.getValue(), actual)) {
                            differences.add(where + member.getKey() + " is " + actual + ", not " + member.getValue());
                        }
                    });
                }
            }
        }

        private static void compareEnd(String where, JsonNode expected, CrmRequest request, List<String> differences) {
            String reason = request.query().get("reason");
            String answeredBy = request.query().get("answeredBy");
            if (expected.has("reason") && stream(expected.get("reason")).noneMatch(r -> r.asText().equals(reason))) {
                differences.add(where + "reason is " + reason + ", not " + expected.get("reason"));
            }
            if (expected.has("answeredBy") && "answered-elsewhere".equals(reason)
                    && !expected.get("answeredBy").asText().equals(answeredBy)) {
                differences.add(where + "answered by " + answeredBy + ", not " + expected.get("answeredBy").asText());
            }
        }

        private static boolean fits(String name, JsonNode expected, JsonNode actual) {
            if (expected.has("oneOf")) {
                return stream(expected.get("oneOf")).anyMatch(allowed -> fits(name, allowed, actual));
            }
            if (expected.isNull() || actual == null) {
                return expected.isNull() && actual == null;
            }
            if (name.equals("entity")) {
                return actual.path("id").equals(expected);
            }
            if (name.equals("did")) {
                return plain(expected).equals(plain(actual));
            }
            return expected.isObject() ? expected.properties().stream()
                    .allMatch(member -> fits(member.getKey(), member.getValue(), actual.get(member.getKey()))) : expected.equals(actual);
        }

        private static String plain(JsonNode number) {
            return number.isTextual() ? number.asText().replaceFirst("^\\+", "") : number.toString();
        }

        private static Stream<JsonNode> stream(JsonNode array) {
            return StreamSupport.stream(array.spliterator(), false);
        }
    }
}
