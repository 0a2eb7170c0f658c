package io.callbridge.kubernetes;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Renders a folder with a {@code kustomization.yaml} as {@code kubectl kustomize} does, as far as this project uses it:
 * resources, configMapGenerator, patches and images. What else such a file says is refused.
 */
final class Kustomization {

    private static final YAMLMapper YAML = YAMLMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).build();
    private static final Set<String> KNOWN = Set.of("apiVersion", "kind", "resources", "configMapGenerator", "patches", "images");

    private Kustomization() {
    }

    static Manifests render(Path folder) {
        Map<String, String> hashed = new HashMap<>();
        List<ObjectNode> objects = build(folder.normalize(), hashed);
        objects.forEach(object -> refer(object, hashed));
        return new Manifests(objects);
    }

    /** The objects that a YAML text consists of. */
    static List<ObjectNode> parse(String text) {
        List<ObjectNode> objects = new ArrayList<>();
        try (var documents = YAML.readerFor(JsonNode.class).<JsonNode>readValues(new StringReader(text))) {
            while (documents.hasNextValue()) {
                objects.add((ObjectNode) documents.nextValue());
            }
            return objects;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<ObjectNode> build(Path folder, Map<String, String> hashed) {
        ObjectNode kustomization = parse(read(folder.resolve("kustomization.yaml"))).get(0);
        Set<String> unknown = new TreeSet<>();
        kustomization.fieldNames().forEachRemaining(unknown::add);
        unknown.removeAll(KNOWN);
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(folder + ": " + unknown + " is not rendered here");
        }
        List<ObjectNode> objects = new ArrayList<>();
        for (JsonNode resource : kustomization.path("resources")) {
            Path path = folder.resolve(resource.asText()).normalize();
            objects.addAll(Files.isDirectory(path) ? build(path, hashed) : parse(read(path)));
        }
        for (JsonNode generator : kustomization.path("configMapGenerator")) {
            objects.add(configMap(folder, generator, hashed));
        }
        for (JsonNode patch : kustomization.path("patches")) {
            ObjectNode change = parse(read(folder.resolve(patch.path("path").asText()))).get(0);
            ObjectNode target = objects.stream().filter(object -> Manifests.id(object).equals(Manifests.id(change))).findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(folder + ": nothing to patch is called " + Manifests.id(change)));
            StrategicMerge.merge(target, change);
        }
        for (JsonNode image : kustomization.path("images")) {
            objects.forEach(object -> object.findParents("image").forEach(container -> name((ObjectNode) container, image)));
        }
        return objects;
    }

    private static ObjectNode configMap(Path folder, JsonNode generator, Map<String, String> hashed) {
        ObjectNode map = YAML.createObjectNode().put("apiVersion", "v1").put("kind", "ConfigMap");
        ObjectNode data = map.putObject("data");
        for (JsonNode file : generator.path("files")) {
            String[] parts = file.asText().split("=");
            data.put(parts[0], read(folder.resolve(parts[parts.length - 1])));
        }
        String name = generator.path("name").asText();
        hashed.put(name, generator.at("/options/disableNameSuffixHash").asBoolean() ? name : name + "-" + ContentHash.of(data));
        ObjectNode metadata = map.putObject("metadata").put("name", hashed.get(name));
        if (generator.at("/options/labels") instanceof ObjectNode labels) {
            metadata.set("labels", labels);
        }
        return map;
    }

    /** Who refers to a generated ConfigMap does so by the name with the hash. */
    private static void refer(ObjectNode object, Map<String, String> hashed) {
        for (JsonNode volume : object.findValues("configMap")) {
            String name = volume.path("name").asText();
            ((ObjectNode) volume).put("name", hashed.getOrDefault(name, name));
        }
    }

    private static void name(ObjectNode container, JsonNode image) {
        if (container.path("image").asText().replaceFirst(":[^/]*$", "").equals(image.path("name").asText())) {
            container.put("image", image.path("newName").asText() + ":" + image.path("newTag").asText());
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
