package io.callbridge.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Something that has to be true of an overlay's objects. Of what an overlay does not have, it is. */
interface Rule {

    boolean holds(Manifests manifests);

    /** The rules that are broken. */
    static Set<Rule> broken(Manifests manifests) {
        Set<Rule> broken = new LinkedHashSet<>();
        Stream.of(PodRule.values(), ManifestRule.values()).flatMap(Stream::of).map(Rule.class::cast)
                .filter(rule -> !rule.holds(manifests)).forEach(broken::add);
        return broken;
    }

    /** Whether a selector's labels are all among the pods'. */
    static boolean selects(JsonNode labels, Manifests manifests) {
        JsonNode own = manifests.template().at("/metadata/labels");
        return !labels.isEmpty() && labels.properties().stream().allMatch(label -> label.getValue().equals(own.path(label.getKey())));
    }

    static boolean all(Iterable<? extends JsonNode> nodes, Predicate<JsonNode> condition) {
        for (JsonNode node : nodes) {
            if (!condition.test(node)) {
                return false;
            }
        }
        return true;
    }
}
