package io.callbridge.kubernetes;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The manifests say what Kubernetes understands, and each overlay has what it should. */
class ManifestsTest {

    @ParameterizedTest
    @ValueSource(strings = {Manifests.SINGLE, Manifests.REPLICAS, Manifests.MONITORING})
    void kubernetesUnderstandsEveryObject(String overlay) {
        Manifests manifests = Kustomization.render(Manifests.folder(overlay));
        assertTrue(!manifests.objects().isEmpty());
        manifests.objects().forEach(object -> assertDoesNotThrow(() -> KubernetesSchemas.check(object)));
    }

    @ParameterizedTest
    @MethodSource
    void aMistakeInAnObjectIsFound(String kind, Consumer<ObjectNode> mistake) {
        Manifests manifests = Kustomization.render(Manifests.folder(Manifests.REPLICAS))
                .and(Kustomization.render(Manifests.folder(Manifests.MONITORING)));
        ObjectNode object = manifests.all(kind).get(0);
        mistake.accept(object);
        assertThrows(IllegalArgumentException.class, () -> KubernetesSchemas.check(object));
    }

    static Stream<Arguments> aMistakeInAnObjectIsFound() {
        return Stream.of(
                mistake("Deployment", deployment -> ((ObjectNode) deployment.at("/spec/template/spec")).put("terminationGracePeriod", 1)),
                mistake("Deployment", deployment -> ((ObjectNode) deployment.at("/spec/template/spec")).put("enableServiceLinks", "no")),
                mistake("Deployment", deployment -> ((ObjectNode) deployment.path("spec")).remove("selector")),
                mistake("Deployment", deployment -> deployment.put("apiVersion", "extensions/v1beta1")),
                mistake("HorizontalPodAutoscaler", scaler -> ((ObjectNode) scaler.path("spec")).put("minReplicas", "three")),
                mistake("NetworkPolicy", policy -> ((ObjectNode) policy.at("/spec/egress/0")).put("from", "anywhere")),
                mistake("PodMonitor", monitor -> ((ObjectNode) monitor.path("spec")).put("endpoints", 1)),
                mistake("PrometheusRule", rules -> alert(rules).remove("for")),
                mistake("PrometheusRule", rules -> alert(rules).put("for", "soon")),
                mistake("PrometheusRule", rules -> alert(rules).put("alert", "callbridge gone")),
                mistake("PrometheusRule", rules -> ((ObjectNode) alert(rules).path("labels")).put("severity", "bad")),
                mistake("PrometheusRule", rules -> ((ObjectNode) alert(rules).path("annotations")).remove("description")));
    }

    private static ObjectNode alert(ObjectNode rules) {
        return (ObjectNode) rules.at("/spec/groups/0/rules/0");
    }

    private static Arguments mistake(String kind, Consumer<ObjectNode> mistake) {
        return arguments(kind, mistake);
    }

    @Test
    void everyOverlayHasItsObjects() {
        Set<String> base = Set.of("ConfigMap", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount");
        assertEquals(with(base, "PersistentVolumeClaim"), kinds(Manifests.SINGLE));
        assertEquals(with(base, "HorizontalPodAutoscaler"), kinds(Manifests.REPLICAS));
        assertEquals(Set.of("ConfigMap", "PodMonitor", "PrometheusRule"), kinds(Manifests.MONITORING));
    }

    @Test
    void everyRouteFileIsRolledOut() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("routes"))) {
            Set<String> routes = files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".camel.yaml"))
                    .collect(Collectors.toCollection(TreeSet::new));
            Set<String> rolledOut = new TreeSet<>();
            Kustomization.render(Path.of("routes")).configMap("callbridge-routes").path("data").fieldNames()
                    .forEachRemaining(rolledOut::add);
            assertEquals(routes, rolledOut, "routes/kustomization.yaml lists every route file");
        }
    }

    /** Where kubectl is: what is tested here is what it applies. */
    @ParameterizedTest
    @ValueSource(strings = {Manifests.SINGLE, Manifests.REPLICAS, Manifests.MONITORING})
    void kubectlRendersTheSame(String overlay) throws IOException, InterruptedException {
        assumeTrue(Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "kubectl"))),
                "kubectl is not on the PATH: the rendering of manifests is not compared with its own");
        Path errors = Files.createTempFile("kubectl-", ".log");
        try {
            Process kubectl = new ProcessBuilder("kubectl", "kustomize", Manifests.folder(overlay).toString())
                    .redirectError(errors.toFile()).start();
            String rendered = new String(kubectl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, kubectl.waitFor(), () -> assertDoesNotThrow(() -> Files.readString(errors)));
            Map<String, JsonNode> theirs = new Manifests(Kustomization.parse(rendered)).byId();
            Map<String, JsonNode> ours = Kustomization.render(Manifests.folder(overlay)).byId();
            assertEquals(theirs.keySet(), ours.keySet());
            theirs.forEach((id, object) -> assertEquals(object, ours.get(id), id));
        } finally {
            Files.delete(errors);
        }
    }

    private static Set<String> kinds(String overlay) {
        return Kustomization.render(Manifests.folder(overlay)).objects().stream().map(object -> object.path("kind").asText())
                .collect(Collectors.toSet());
    }

    private static Set<String> with(Set<String> base, String... more) {
        return Stream.concat(base.stream(), Stream.of(more)).collect(Collectors.toSet());
    }
}
