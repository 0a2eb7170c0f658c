package io.callbridge.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/** The objects of an overlay. */
record Manifests(List<ObjectNode> objects) {

    static final String SINGLE = "single";
    static final String REPLICAS = "replicas";
    static final String MONITORING = "monitoring";
    private static final Path OVERLAYS = Path.of("src/main/kubernetes/overlays");

    static Path folder(String overlay) {
        return OVERLAYS.resolve(overlay);
    }

    /** Kind and name, which are an object's own in a namespace. */
    static String id(JsonNode object) {
        return object.path("kind").asText() + "/" + object.at("/metadata/name").asText();
    }

    Manifests and(Manifests more) {
        List<ObjectNode> all = new ArrayList<>(objects);
        all.addAll(more.objects);
        return new Manifests(all);
    }

    Map<String, JsonNode> byId() {
        Map<String, JsonNode> byId = new TreeMap<>();
        objects.forEach(object -> {
            if (byId.put(id(object), object) != null) {
                throw new IllegalStateException("twice: " + id(object));
            }
        });
        return byId;
    }

    List<ObjectNode> all(String kind) {
        return objects.stream().filter(object -> object.path("kind").asText().equals(kind)).toList();
    }

    ObjectNode the(String kind) {
        List<ObjectNode> all = all(kind);
        if (all.size() != 1) {
            throw new IllegalStateException(all.size() + " objects are a " + kind);
        }
        return all.get(0);
    }

    /** The pods that the Deployment makes. */
    ObjectNode template() {
        return (ObjectNode) the("Deployment").at("/spec/template");
    }

    ObjectNode pod() {
        return (ObjectNode) template().path("spec");
    }

    ObjectNode container() {
        return (ObjectNode) pod().at("/containers/0");
    }

    /** The ConfigMap whose name begins like that, with its hash. */
    ObjectNode configMap(String name) {
        return all("ConfigMap").stream().filter(map -> id(map).startsWith("ConfigMap/" + name + "-")).findFirst().orElseThrow();
    }

    /** The settings that the pods read from their ConfigMap. */
    Properties settings() {
        Properties settings = new Properties();
        try {
            settings.load(new StringReader(configMap("callbridge-config").at("/data/application.properties").asText()));
            return settings;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
