package io.callbridge.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/**
 * The branches of a choice in the order of the file. Each is tried with the facts that select it, and with those of every
 * later branch that can be true at the same time: the first that fits counts. A new branch is one more line.
 */
final class Branches {

    private record Branch(String name, Map<String, Object> facts, List<String> expected) {

        boolean wants(Map<String, Object> all) {
            return all.entrySet().containsAll(facts.entrySet());
        }

        boolean canAlsoBe(Branch other) {
            return facts.entrySet().stream().allMatch(fact -> fact.getValue().equals(other.facts.getOrDefault(fact.getKey(),
                    fact.getValue())));
        }
    }

    private final RouteHarness routes;
    private final String route;
    private final Map<String, Object> ordinary;
    private final List<Branch> branches = new ArrayList<>();
    private final List<Branch> others = new ArrayList<>();

    private Branches(RouteHarness routes, String route, Map<String, Object> ordinary) {
        this.routes = routes;
        this.route = route;
        this.ordinary = ordinary;
    }

    static Branches of(RouteHarness routes, String route, Map<String, Object> ordinary) {
        return new Branches(routes, route, ordinary);
    }

    /** The next branch, the facts that select it and what it asks for. */
    Branches when(String name, Map<String, Object> facts, String... expected) {
        branches.add(new Branch(name, facts, Arrays.asList(expected)));
        return this;
    }

    /** A case that no branch before wants, or one more that the same branch wants. */
    Branches also(String name, Map<String, Object> facts, String... expected) {
        others.add(new Branch(name, facts, Arrays.asList(expected)));
        return this;
    }

    Stream<DynamicTest> tests() {
        List<DynamicTest> tests = new ArrayList<>();
        Stream.concat(branches.stream(), others.stream()).forEach(branch -> tests.add(
                DynamicTest.dynamicTest(branch.name, () -> check(branch.facts, branch.expected))));
        for (int i = 0; i < branches.size(); i++) {
            Branch first = branches.get(i);
            for (Branch second : branches.subList(i + 1, branches.size())) {
                Map<String, Object> both = Facts.with(first.facts, second.facts);
                if (first.canAlsoBe(second) && branches.subList(0, i).stream().noneMatch(before -> before.wants(Facts.with(ordinary, both)))) {
                    tests.add(DynamicTest.dynamicTest(first.name + ", before: " + second.name, () -> check(both, first.expected)));
                }
            }
        }
        return tests.stream();
    }

    private void check(Map<String, Object> facts, List<String> expected) {
        routes.send(route, Facts.with(ordinary, facts));
        assertEquals(expected, routes.asked(), facts.toString());
        routes.steps().stream().filter(step -> step.name().startsWith("effects.explain"))
                .forEach(step -> assertTrue(String.valueOf(step.variables().get("because")).length() > 14, "a reason is given"));
    }
}
