package io.callbridge.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A strategic merge patch: objects are merged, lists whose entries Kubernetes knows by a key too, any other list is replaced. */
final class StrategicMerge {

    private static final Map<String, String> KEYS = Map.of("containers", "name", "volumes", "name", "env", "name",
            "volumeMounts", "mountPath", "topologySpreadConstraints", "topologyKey");

    private StrategicMerge() {
    }

    static void merge(ObjectNode target, ObjectNode patch) {
        patch.properties().forEach(field -> {
            JsonNode old = target.get(field.getKey());
            JsonNode change = field.getValue();
            if (old instanceof ObjectNode object && change instanceof ObjectNode changed) {
                merge(object, changed);
            } else if (old instanceof ArrayNode list && KEYS.containsKey(field.getKey())) {
                mergeLists(list, (ArrayNode) change, KEYS.get(field.getKey()));
            } else {
                target.set(field.getKey(), change);
            }
        });
    }

    /** New entries come first, as kustomize has it. */
    private static void mergeLists(ArrayNode list, ArrayNode patch, String key) {
        List<JsonNode> added = new ArrayList<>();
        for (JsonNode change : patch) {
            ObjectNode old = null;
            for (JsonNode entry : list) {
                old = entry.get(key).equals(change.get(key)) ? (ObjectNode) entry : old;
            }
            if (old == null) {
                added.add(change);
            } else {
                merge(old, (ObjectNode) change);
            }
        }
        for (int i = 0; i < added.size(); i++) {
            list.insert(i, added.get(i));
        }
    }
}
