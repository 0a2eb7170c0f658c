package io.callbridge.kubernetes;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonParser.Feature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.callbridge.support.Pages;
import io.kubernetes.client.custom.Quantity;
import io.kubernetes.client.openapi.JSON;
import io.kubernetes.client.openapi.models.V1Deployment;
import java.io.File;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The manifests say what Kubernetes understands, and each overlay has what it should, and no more rights than it needs. */
class ManifestsTest {

    private static final YAMLMapper YAML = YAMLMapper.builder().enable(Feature.STRICT_DUPLICATE_DETECTION).build();
    private static final Path OVERLAYS = Path.of("src/main/kubernetes/overlays");
    private static final String LABELS = "{app.kubernetes.io/name: callbridge}";
    private static final String MODELS = V1Deployment.class.getPackageName() + ".";
    private static final String DURATION = "[0-9]+(ms|s|m|h)";
    private static final Set<String> BASE = Set.of("ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service",
            "ServiceAccount");

    /** What the stop of a process may take beside its routes: the lanes of calls and of each CRM, and the store's writers. */
    private static final int CALLS_SECONDS = 3;
    private static final int CRM_SECONDS = 1 + 2 * 2;
    private static final int STORE_SECONDS = 3 * 5 + 5;

    static {
        // The models have no adapters before that.
        new JSON();
    }

    @Test
    void everyOverlayHasItsObjectsAndKubernetesUnderstandsThem() throws IOException {
        for (String overlay : List.of("single", "replicas", "monitoring")) {
            Set<String> kinds = new TreeSet<>(overlay.equals("monitoring") ? Set.of("ConfigMap", "PodMonitor", "PrometheusRule") : BASE);
            kinds.addAll(overlay.equals("single") ? Set.of("PersistentVolumeClaim") : overlay.equals("replicas")
                    ? Set.of("HorizontalPodAutoscaler") : Set.of());
            List<ObjectNode> objects = render(OVERLAYS.resolve(overlay));
            assertEquals(kinds, new TreeSet<>(objects.stream().map(object -> object.path("kind").asText()).toList()));
            assertEquals(objects.size(), objects.stream().map(object -> object.path("kind") + "/" + object.at("/metadata/name")).distinct().count());
            objects.forEach(object -> assertDoesNotThrow(() -> check(object), object::toString));
        }
    }

    /** Where a mistake is made, and which. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"Deployment | /spec/template/spec | terminationGracePeriod | 1",
        "Deployment | /spec/template/spec | enableServiceLinks | maybe", "Deployment | /spec | selector |", "Deployment | | apiVersion | extensions/v1beta1",
        "PodMonitor | /spec | endpoints | 1", "PrometheusRule | /spec/groups/0/rules/0 | for | soon",
        "PrometheusRule | /spec/groups/0/rules/0/annotations | description |"})
    void aMistakeIsFound(String kind, String place, String field, String value) throws IOException {
        ObjectNode object = all(kind.equals("Deployment") ? "single" : "monitoring", kind).get(0);
        ObjectNode at = (ObjectNode) object.at(place == null ? "" : place);
        if (value == null) {
            at.remove(field);
        } else {
            at.put(field, value);
        }
        assertThrows(Throwable.class, () -> check(object));
    }

    /** Where, and what has to be there: all of it, so that nothing is added either. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            all      | pod       | serviceAccountName | callbridge
            all      | pod       | automountServiceAccountToken | false
            all      | account   | automountServiceAccountToken | false
            all      | account   | metadata/name      | callbridge
            # Else a Service of that name would set variables of ours.
            all      | pod       | enableServiceLinks | false
            all      | pod       | securityContext    | {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, \
            fsGroupChangePolicy: OnRootMismatch, seccompProfile: {type: RuntimeDefault}}
            all      | container | securityContext    | {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
            all      | container | ports              | [{name: http, containerPort: 8080}]
            all      | container | startupProbe/httpGet   | {path: /q/health/started, port: http}
            all      | container | livenessProbe/httpGet  | {path: /q/health/live, port: http}
            all      | container | readinessProbe/httpGet | {path: /q/health/ready, port: http}
            all      | container | lifecycle          | {preStop: {sleep: {seconds: 5}}}
            all      | container | terminationMessagePolicy | FallbackToLogsOnError
            all      | container | envFrom            | [{secretRef: {name: callbridge}}]
            all      | container | volumeMounts/0     | {name: routes, mountPath: /callbridge/routes, readOnly: true}
            all      | container | volumeMounts/1     | {name: config, mountPath: /callbridge/config, readOnly: true}
            all      | container | volumeMounts/2     | {name: tmp, mountPath: /tmp}
            single   | container | volumeMounts/3     | {name: data, mountPath: /callbridge/data}
            single   | pod       | volumes/3          | {name: data, persistentVolumeClaim: {claimName: callbridge-data}}
            single   | PersistentVolumeClaim | metadata/name | callbridge-data
            all      | pod       | volumes/0          | {name: routes, configMap: {name: callbridge-routes}}
            all      | pod       | volumes/1          | {name: config, configMap: {name: callbridge-config}}
            all      | pod       | volumes/2          | {name: tmp, emptyDir: {sizeLimit: 64Mi}}
            single   | container | env                |
            # A pod without it would start with a file of its own.
            replicas | container | env                | [{name: CALLBRIDGE_STORE_URL, \
            valueFrom: {secretKeyRef: {name: callbridge, key: CALLBRIDGE_STORE_URL}}}]
            all      | deployment | spec/selector/matchLabels | LABELS
            all      | deployment | spec/template/metadata/labels | LABELS
            # Two must not have one file of SQLite open; of several replicas none goes before a new one serves.
            single   | deployment | spec/replicas     | 1
            single   | deployment | spec/strategy     | {type: Recreate}
            replicas | deployment | spec/replicas     |
            replicas | deployment | spec/strategy     | {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
            replicas | pod        | topologySpreadConstraints/0/labelSelector/matchLabels | LABELS
            replicas | pod        | topologySpreadConstraints/1/labelSelector/matchLabels | LABELS
            all      | Service    | spec | {selector: LABELS, ports: [{name: http, port: 80, targetPort: http}]}
            # The node of a single replica can be drained, also if its pod is not ready.
            all      | PodDisruptionBudget | spec | {maxUnavailable: 1, unhealthyPodEvictionPolicy: AlwaysAllow, selector: {matchLabels: LABELS}}
            replicas | HorizontalPodAutoscaler | spec/scaleTargetRef | {apiVersion: apps/v1, kind: Deployment, name: callbridge}
            replicas | HorizontalPodAutoscaler | spec/minReplicas | 3
            replicas | HorizontalPodAutoscaler | spec/maxReplicas | 6
            monitoring | PodMonitor | spec/selector/matchLabels | LABELS
            monitoring | PodMonitor | spec/podMetricsEndpoints | [{port: http, path: /q/metrics, interval: 30s}]
            """)
    void anOverlayHas(String overlays, String where, String place, String expected) throws IOException {
        for (String overlay : overlays.equals("all") ? List.of("single", "replicas") : List.of(overlays)) {
            JsonNode found = the(overlay, where).at("/" + place);
            assertEquals(expected == null ? YAML.missingNode() : YAML.readTree(expected.replace("LABELS", LABELS)), found, overlay);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"single", "replicas"})
    void aPodMayDoNothingMoreHasTimeToEndAndTellsNoSecret(String overlay) throws IOException {
        JsonNode pod = the(overlay, "pod");
        JsonNode container = the(overlay, "container");
        Set<String> fields = new TreeSet<>(Set.of("serviceAccountName", "automountServiceAccountToken", "enableServiceLinks",
                "terminationGracePeriodSeconds", "securityContext", "containers", "volumes"));
        fields.addAll(overlay.equals("single") ? Set.of() : Set.of("topologySpreadConstraints"));
        assertEquals(fields, fields(pod));
        assertEquals(1, pod.path("containers").size());
        // By a subPath a pod would keep the old content of a ConfigMap.
        List.of("hostPath", "hostPort", "subPath").forEach(field -> assertNull(pod.findParent(field), field));
        assertTrue(container.path("image").asText().matches(".+(:(?!latest$)[\\w.-]+|@sha256:[0-9a-f]{64})"));
        assertTrue(container.at("/startupProbe/periodSeconds").asInt() * container.at("/startupProbe/failureThreshold").asInt() >= 60);
        for (String resource : List.of("cpu", "memory")) {
            assertTrue(amount(container, "requests", resource).getNumber().compareTo(amount(container, "limits", resource).getNumber()) <= 0);
        }
        Properties settings = settings(overlay);
        settings.forEach((key, value) -> assertFalse(key.toString().matches(".*(secret|token|password|\\.key)")
                || value.toString().contains("password="), key::toString));
        int stop = container.at("/lifecycle/preStop/sleep/seconds").asInt() + Integer.parseInt(settings.getProperty("camel.main.shutdown-timeout", "45"))
                + CALLS_SECONDS + settings.getProperty("callbridge.crm.active", "rest").split(",").length * CRM_SECONDS + STORE_SECONDS;
        assertTrue(pod.path("terminationGracePeriodSeconds").asInt() > stop, () -> "stops in " + stop);
    }

    @ParameterizedTest
    @CsvSource({"single, '53, 80, 443, 5038, 5039'", "replicas, '53, 80, 443, 5038, 5039, 5432'"})
    void theNetworkIsClosedBothWaysButForWhatIsNeeded(String overlay, String out) throws IOException {
        Set<Integer> open = new TreeSet<>();
        Set<String> ways = new TreeSet<>();
        for (ObjectNode policy : all(overlay, "NetworkPolicy")) {
            assertEquals(YAML.readTree(LABELS), policy.at("/spec/podSelector/matchLabels"));
            policy.at("/spec/policyTypes").forEach(way -> ways.add(way.asText()));
            policy.at("/spec/ingress").forEach(rule -> assertEquals(List.of(8080), ports(rule)));
            policy.at("/spec/egress").forEach(rule -> open.addAll(ports(rule)));
        }
        assertEquals(Set.of("Ingress", "Egress"), ways);
        assertEquals(new TreeSet<>(Stream.of(out.split(", ")).map(Integer::valueOf).toList()), open);
    }

    /** Each with a name that follows its content, so that the pods roll. */
    @Test
    void everyRouteFileIsRolledOut() throws IOException {
        Set<String> routes = Pages.below(Path.of("routes")).map(file -> file.getFileName().toString())
                .filter(name -> name.endsWith(".camel.yaml")).collect(Collectors.toSet());
        JsonNode map = render(Path.of("routes")).get(0);
        assertEquals("callbridge-routes", map.at("/metadata/name").asText());
        assertEquals(routes, fields(map.path("data")), "routes/kustomization.yaml lists every route file");
        for (String folder : List.of("routes", "src/main/kubernetes/base")) {
            JsonNode generators = YAML.readTree(Path.of(folder, "kustomization.yaml").toFile()).path("configMapGenerator");
            assertEquals(Set.of("name", "files"), fields(generators.get(0)), folder);
        }
    }

    /** Where kubectl is: it renders what is tested here. */
    @ParameterizedTest
    @ValueSource(strings = {"single", "replicas", "monitoring"})
    void kubectlRendersTheSameObjects(String overlay) throws IOException, InterruptedException {
        assumeTrue(Stream.of(System.getenv("PATH").split(File.pathSeparator)).anyMatch(folder -> Files.isExecutable(Path.of(folder, "kubectl"))),
                "kubectl is not on the PATH");
        Process kubectl = new ProcessBuilder("kubectl", "kustomize", OVERLAYS.resolve(overlay).toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        List<ObjectNode> rendered = parse(new String(kubectl.getInputStream().readAllBytes()));
        assertEquals(0, kubectl.waitFor());
        rendered.forEach(object -> assertDoesNotThrow(() -> check(object), object::toString));
        assertEquals(names(render(OVERLAYS.resolve(overlay))), names(rendered));
        // Pods start anew when a route or a setting is another: its map has another name.
        rendered.forEach(object -> assertFalse(object.at("/metadata/name").asText().matches("callbridge-(routes|config)")));
    }

    private static List<String> names(List<ObjectNode> objects) {
        return objects.stream().map(object -> object.path("kind").asText() + " " + object.at("/metadata/name").asText()
                .replaceFirst("(callbridge-(routes|config))-[a-z0-9]{10}", "$1")).sorted().toList();
    }

    private static List<ObjectNode> all(String overlay, String kind) throws IOException {
        return render(OVERLAYS.resolve(overlay)).stream().filter(object -> object.path("kind").asText().equals(kind)).toList();
    }

    private static JsonNode the(String overlay, String where) throws IOException {
        String kind = switch (where) {
            case "pod", "container", "deployment" -> "Deployment";
            case "account" -> "ServiceAccount";
            default -> where;
        };
        JsonNode object = all(overlay, kind).get(0);
        return where.equals("pod") ? object.at("/spec/template/spec") : where.equals("container")
                ? object.at("/spec/template/spec/containers/0") : object;
    }

    private static Properties settings(String overlay) throws IOException {
        Properties settings = new Properties();
        settings.load(new StringReader(all(overlay, "ConfigMap").stream().map(map -> map.at("/data/application.properties").asText())
                .collect(Collectors.joining())));
        return settings;
    }

    private static Quantity amount(JsonNode container, String kind, String resource) {
        return Quantity.fromString(container.at("/resources/" + kind + "/" + resource).asText());
    }

    private static List<Integer> ports(JsonNode rule) {
        assertEquals(Set.of("ports"), fields(rule));
        return stream(rule.path("ports")).map(port -> {
            assertEquals(Set.of("port", "protocol"), fields(port));
            return port.path("port").asInt();
        }).toList();
    }

    private static Stream<JsonNode> stream(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false);
    }

    private static Set<String> fields(JsonNode object) {
        Set<String> fields = new TreeSet<>();
        object.fieldNames().forEachRemaining(fields::add);
        return fields;
    }

    /** As {@code kubectl kustomize} does it, as far as this project uses it, without hashes in names. */
    private static List<ObjectNode> render(Path folder) throws IOException {
        JsonNode kustomization = YAML.readTree(folder.resolve("kustomization.yaml").toFile());
        kustomization.fieldNames().forEachRemaining(field -> assertTrue(Set.of("apiVersion", "kind", "resources", "configMapGenerator",
                "patches", "images").contains(field), () -> field + " of " + folder + " is not rendered here"));
        List<ObjectNode> objects = new ArrayList<>();
        for (JsonNode resource : kustomization.path("resources")) {
            Path path = folder.resolve(resource.asText());
            objects.addAll(Files.isDirectory(path) ? render(path) : parse(Files.readString(path)));
        }
        for (JsonNode generator : kustomization.path("configMapGenerator")) {
            ObjectNode map = YAML.createObjectNode().put("apiVersion", "v1").put("kind", "ConfigMap");
            map.putObject("metadata").put("name", generator.path("name").asText());
            ObjectNode data = map.putObject("data");
            for (JsonNode file : generator.path("files")) {
                String[] parts = file.asText().split("=");
                data.put(parts[0], Files.readString(folder.resolve(parts[parts.length - 1])));
            }
            objects.add(map);
        }
        for (JsonNode patch : kustomization.path("patches")) {
            ObjectNode change = parse(Files.readString(folder.resolve(patch.path("path").asText()))).get(0);
            merge(objects.stream().filter(object -> object.path("kind").equals(change.path("kind"))
                    && object.path("metadata").path("name").equals(change.at("/metadata/name"))).findFirst().orElseThrow(), change);
        }
        for (JsonNode image : kustomization.path("images")) {
            objects.forEach(object -> object.findParents("image").stream().filter(one -> one.path("image").equals(image.path("name")))
                    .forEach(one -> ((ObjectNode) one).put("image", image.path("newName").asText() + ":" + image.path("newTag").asText())));
        }
        return objects;
    }

    private static List<ObjectNode> parse(String text) throws IOException {
        try (var documents = YAML.readerFor(ObjectNode.class).<ObjectNode>readValues(text)) {
            return documents.readAll();
        }
    }

    /** Entries of lists that have a name are the same if it is. */
    private static void merge(ObjectNode target, JsonNode patch) {
        patch.properties().forEach(field -> {
            JsonNode old = target.get(field.getKey());
            if (old instanceof ObjectNode object) {
                merge(object, field.getValue());
            } else if (old instanceof ArrayNode list) {
                assertTrue(Set.of("containers", "volumes", "env", "volumeMounts").contains(field.getKey()), field.getKey());
                field.getValue().forEach(entry -> stream(list).filter(one -> one.path("name").equals(entry.path("name"))).findFirst()
                        .ifPresentOrElse(one -> merge((ObjectNode) one, entry), () -> list.add(entry)));
            } else {
                target.set(field.getKey(), field.getValue());
            }
        });
    }

    /** Reads an object as a strict API server does: an unknown field, a wrong type or a missing field is refused. */
    private static void check(JsonNode object) throws Exception {
        String kind = object.path("kind").asText();
        String version = object.path("apiVersion").asText();
        switch (kind) {
            case "PodMonitor" -> {
                assertEquals("monitoring.coreos.com/v1", version);
                assertEquals(Set.of("selector", "podMetricsEndpoints"), fields(object.path("spec")));
            }
            case "PrometheusRule" -> {
                assertEquals("monitoring.coreos.com/v1", version);
                checkAlerts(object.path("spec"));
            }
            default -> {
                // The models do not know to which group they belong.
                assertTrue(Set.of("v1", "apps/v1", "autoscaling/v2", "networking.k8s.io/v1", "policy/v1").contains(version), version);
                Class<?> model = Class.forName(MODELS + version.replaceFirst(".*/", "").replace('v', 'V') + kind);
                // It takes any text for a boolean, and writes what it has understood.
                String understood = JSON.serialize(JSON.getGson().fromJson(object.toString(), model));
                assertEquals(filled(object.deepCopy()), filled(YAML.readTree(understood)), "what is understood");
            }
        }
    }

    /** Without empty lists and the like, which are written beside what was given. */
    private static JsonNode filled(JsonNode node) {
        node.forEach(ManifestsTest::filled);
        if (node instanceof ObjectNode object) {
            object.properties().removeIf(field -> field.getValue().isContainerNode() && field.getValue().isEmpty());
        }
        return node;
    }

    /** Alerts in groups, each with all that makes it understood at night. */
    private static void checkAlerts(JsonNode spec) {
        Set<String> names = new TreeSet<>();
        assertEquals(Set.of("groups"), fields(spec));
        for (JsonNode group : spec.path("groups")) {
            assertEquals(Set.of("name", "rules"), fields(group));
            for (JsonNode alert : group.path("rules")) {
                assertEquals(Set.of("alert", "expr", "for", "labels", "annotations"), fields(alert));
                assertEquals(Set.of("summary", "description"), fields(alert.path("annotations")));
                assertEquals(Set.of("severity"), fields(alert.path("labels")));
                assertTrue(Set.of("critical", "warning").contains(alert.at("/labels/severity").asText()), alert::toString);
                assertTrue(alert.path("for").asText().matches(DURATION) && !alert.path("expr").asText().isBlank(), alert::toString);
                assertTrue(alert.path("alert").asText().matches("Callbridge[A-Z][A-Za-z]+") && names.add(alert.path("alert").asText()), alert::toString);
            }
        }
        assertFalse(names.isEmpty());
    }
}
