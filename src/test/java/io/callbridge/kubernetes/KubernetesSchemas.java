package io.callbridge.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.kubernetes.client.openapi.JSON;
import io.kubernetes.client.openapi.models.V1Deployment;
import java.lang.reflect.InvocationTargetException;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Reads objects as a strict API server does: an unknown field, a wrong type or a missing field is refused. */
final class KubernetesSchemas {

    private static final String MODELS = V1Deployment.class.getPackageName() + ".";
    /** The models do not know to which group they belong. */
    private static final Set<String> GROUPS = Set.of("v1/", "apps/v1/", "autoscaling/v2/", "networking.k8s.io/v1/", "policy/v1/");
    private static final String POD_MONITOR = "monitoring.coreos.com/v1/PodMonitor";

    private static final String PROMETHEUS_RULE = "monitoring.coreos.com/v1/PrometheusRule";
    private static final String DURATION = "[0-9]+(ms|s|m|h)";

    static {
        // The models have no adapters before that.
        new JSON();
    }

    private KubernetesSchemas() {
    }

    /** @throws IllegalArgumentException says what is wrong */
    static void check(JsonNode object) {
        String kind = object.path("apiVersion").asText() + "/" + object.path("kind").asText();
        if (kind.equals(POD_MONITOR)) {
            checkPodMonitor(object);
            return;
        } else if (kind.equals(PROMETHEUS_RULE)) {
            checkPrometheusRule(object);
            return;
        }
        if (!GROUPS.contains(kind.replaceFirst("[^/]*$", ""))) {
            throw new IllegalArgumentException("Kubernetes has no " + kind);
        }
        String version = object.path("apiVersion").asText().replaceFirst(".*/", "");
        JsonElement json = JsonParser.parseString(object.toString());
        try {
            Class<?> model = Class.forName(MODELS + version.substring(0, 1).toUpperCase(Locale.ROOT) + version.substring(1)
                    + object.path("kind").asText());
            model.getMethod("validateJsonElement", JsonElement.class).invoke(null, json);
            // It takes any text for a boolean, and writes what it has understood.
            if (!understood(json, JSON.getGson().toJsonTree(JSON.getGson().fromJson(json, model)))) {
                throw new IllegalArgumentException(Manifests.id(object) + ": a value of another type than its field has");
            }
        } catch (InvocationTargetException e) {
            throw new IllegalArgumentException(Manifests.id(object) + ": " + e.getCause().getMessage(), e);
        } catch (JsonParseException e) {
            throw new IllegalArgumentException(Manifests.id(object) + ": " + e.getMessage(), e);
        } catch (ClassNotFoundException e) {
            throw new IllegalArgumentException("Kubernetes has no " + kind + " any more", e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Beside what was given, empty lists and the like are written. */
    private static boolean understood(JsonElement given, JsonElement written) {
        if (given.isJsonObject() && written.isJsonObject()) {
            return given.getAsJsonObject().entrySet().stream().allMatch(field -> written.getAsJsonObject().has(field.getKey())
                    && understood(field.getValue(), written.getAsJsonObject().get(field.getKey())));
        }
        if (given.isJsonArray() && written.isJsonArray()) {
            return given.getAsJsonArray().size() == written.getAsJsonArray().size() && IntStream.range(0, given.getAsJsonArray().size())
                    .allMatch(i -> understood(given.getAsJsonArray().get(i), written.getAsJsonArray().get(i)));
        }
        return given.equals(written);
    }

    /** A kind that is not Kubernetes' own: the few fields that are used here. */
    private static void checkPodMonitor(JsonNode monitor) {
        onlyFields(monitor, "", Set.of("apiVersion", "kind", "metadata", "spec"));
        onlyFields(monitor, "/spec", Set.of("selector", "podMetricsEndpoints"));
        onlyFields(monitor, "/spec/selector", Set.of("matchLabels"));
        onlyFields(monitor, "/spec/podMetricsEndpoints/0", Set.of("port", "path", "interval"));
        if (!monitor.at("/spec/podMetricsEndpoints/0/interval").asText().matches(DURATION)) {
            throw new IllegalArgumentException(Manifests.id(monitor) + ": an interval is a number with its unit, such as 30s");
        }
    }

    /** Another one: alerts in groups, each with all that makes it understood at night. */
    private static void checkPrometheusRule(JsonNode rule) {
        onlyFields(rule, "", Set.of("apiVersion", "kind", "metadata", "spec"));
        onlyFields(rule, "/spec", Set.of("groups"));
        Set<String> names = new TreeSet<>();
        for (JsonNode group : rule.at("/spec/groups")) {
            onlyFields(group, "", Set.of("name", "rules"));
            for (JsonNode alert : group.path("rules")) {
                onlyFields(alert, "", Set.of("alert", "expr", "for", "labels", "annotations"));
                onlyFields(alert, "/labels", Set.of("severity"));
                onlyFields(alert, "/annotations", Set.of("summary", "description"));
                String name = alert.path("alert").asText();
                if (!name.matches("Callbridge[A-Z][A-Za-z]+") || !names.add(name) || alert.path("expr").asText().isBlank()
                        || !alert.path("for").asText().matches(DURATION)
                        || !Set.of("critical", "warning").contains(alert.at("/labels/severity").asText())) {
                    throw new IllegalArgumentException(Manifests.id(rule) + ": not an alert: " + alert);
                }
            }
        }
        if (names.isEmpty()) {
            throw new IllegalArgumentException(Manifests.id(rule) + ": no alerts");
        }
    }

    private static void onlyFields(JsonNode object, String at, Set<String> fields) {
        Set<String> found = new TreeSet<>();
        object.at(at).fieldNames().forEachRemaining(found::add);
        if (!found.equals(fields)) {
            throw new IllegalArgumentException(Manifests.id(object) + at + ": " + found + " instead of " + fields);
        }
    }
}
