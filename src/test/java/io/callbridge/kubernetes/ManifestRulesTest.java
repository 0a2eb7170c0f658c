package io.callbridge.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every overlay keeps every rule, and whoever breaks one is told so by that rule. */
class ManifestRulesTest {

    @ParameterizedTest
    @ValueSource(strings = {Manifests.SINGLE, Manifests.REPLICAS})
    void everyOverlayKeepsTheRules(String overlay) {
        assertEquals(Set.of(), Rule.broken(monitored(overlay)));
    }

    @ParameterizedTest(name = "{1} {0}")
    @MethodSource("mutations")
    void aMutationBreaksItsRuleAlone(Rule rule, String overlay, Consumer<Manifests> mutation) {
        Manifests manifests = monitored(overlay);
        mutation.accept(manifests);
        assertEquals(Set.of(rule), Rule.broken(manifests));
    }

    @Test
    void everyRuleHasAMutation() {
        Set<Object> mutated = new HashSet<>();
        mutations().forEach(mutation -> mutated.add(mutation.get()[0]));
        Set<Object> rules = new HashSet<>(Set.of(PodRule.values()));
        rules.addAll(Set.of(ManifestRule.values()));
        assertEquals(rules, mutated);
    }

    static Stream<Arguments> mutations() {
        return Stream.concat(podMutations(), manifestMutations());
    }

    private static Stream<Arguments> podMutations() {
        return Stream.of(
                replicas(PodRule.IS_NOT_ROOT, m -> object(m.pod(), "/securityContext").put("runAsNonRoot", false)),
                replicas(PodRule.IS_NOT_ROOT, m -> object(m.container(), "/securityContext").put("runAsNonRoot", false)),
                replicas(PodRule.IS_A_USER_OF_ITS_OWN, m -> object(m.pod(), "/securityContext").put("runAsUser", 1000)),
                replicas(PodRule.IS_A_USER_OF_ITS_OWN, m -> object(m.pod(), "/securityContext").remove("runAsGroup")),
                replicas(PodRule.IS_A_USER_OF_ITS_OWN, m -> object(m.container(), "/securityContext").put("runAsUser", 0)),
                single(PodRule.MAY_WRITE_TO_ITS_VOLUMES, m -> object(m.pod(), "/securityContext").remove("fsGroup")),
                replicas(PodRule.HAS_THE_USUAL_SECCOMP_PROFILE,
                        m -> object(m.pod(), "/securityContext/seccompProfile").put("type", "Unconfined")),
                replicas(PodRule.HAS_NO_CAPABILITIES, m -> object(m.container(), "/securityContext/capabilities").remove("drop")),
                replicas(PodRule.HAS_NO_CAPABILITIES,
                        m -> object(m.container(), "/securityContext/capabilities").putArray("add").add("NET_ADMIN")),
                replicas(PodRule.GAINS_NO_PRIVILEGES, m -> object(m.container(), "/securityContext").remove("allowPrivilegeEscalation")),
                replicas(PodRule.GAINS_NO_PRIVILEGES, m -> object(m.container(), "/securityContext").put("privileged", true)),
                replicas(PodRule.HAS_A_READ_ONLY_ROOT, m -> object(m.container(), "/securityContext").put("readOnlyRootFilesystem", false)),
                replicas(PodRule.HAS_A_TMP, m -> last(m.container(), "/volumeMounts").put("mountPath", "/var/tmp")),
                replicas(PodRule.USES_NOTHING_OF_ITS_NODE, m -> m.pod().put("hostNetwork", true)),
                replicas(PodRule.USES_NOTHING_OF_ITS_NODE, m -> object(m.container(), "/ports/0").put("hostPort", 8080)),
                replicas(PodRule.USES_NOTHING_OF_ITS_NODE,
                        m -> array(m.pod(), "/volumes").addObject().put("name", "node").putObject("hostPath")),
                replicas(PodRule.IS_ONE_CONTAINER, m -> array(m.pod(), "/containers").addObject().put("name", "another")),
                replicas(PodRule.IS_ONE_CONTAINER, m -> m.pod().putArray("initContainers").addObject().put("name", "another")),
                replicas(PodRule.GETS_NO_VARIABLES_OF_SERVICES, m -> m.pod().remove("enableServiceLinks")),
                replicas(PodRule.SAYS_WHEN_IT_HAS_STARTED,
                        m -> object(m.container(), "/startupProbe/httpGet").put("path", "/q/health/ready")),
                replicas(PodRule.MAY_TAKE_LONG_TO_START, m -> object(m.container(), "/startupProbe").put("failureThreshold", 3)),
                replicas(PodRule.SAYS_THAT_IT_LIVES, m -> m.container().remove("livenessProbe")),
                replicas(PodRule.SAYS_THAT_IT_LIVES, m -> object(m.container(), "/livenessProbe/httpGet").put("port", 8081)),
                replicas(PodRule.SAYS_WHEN_IT_IS_READY,
                        m -> object(m.container(), "/readinessProbe/httpGet").put("path", "/q/health/live")),
                replicas(PodRule.ENDS_WHEN_NOBODY_SENDS_ANY_MORE, m -> m.container().remove("lifecycle")),
                replicas(PodRule.HAS_TIME_TO_END, m -> m.pod().put("terminationGracePeriodSeconds", 30)),
                replicas(PodRule.HAS_TIME_TO_END, m -> object(m.container(), "/lifecycle/preStop/sleep").put("seconds", 60)),
                replicas(PodRule.HAS_TIME_TO_END, m -> setting(m, "camel.main.shutdown-timeout=80")),
                replicas(PodRule.ASKS_FOR_WHAT_IT_NEEDS, m -> object(m.container(), "/resources/requests").remove("memory")),
                replicas(PodRule.IS_LIMITED, m -> object(m.container(), "/resources/limits").remove("memory")),
                replicas(PodRule.ASKS_FOR_NO_MORE_THAN_ITS_LIMIT, m -> object(m.container(), "/resources/requests").put("memory", "1Gi")),
                replicas(PodRule.ASKS_FOR_NO_MORE_THAN_ITS_LIMIT, m -> object(m.container(), "/resources/limits").put("cpu", "200m")),
                replicas(PodRule.IS_A_CERTAIN_IMAGE, m -> m.container().put("image", "localhost/callbridge:latest")),
                replicas(PodRule.IS_A_CERTAIN_IMAGE, m -> m.container().put("image", "localhost:5000/callbridge")),
                replicas(PodRule.SEES_A_NEW_CONFIG_MAP, m -> object(m.container(), "/volumeMounts/0").put("subPath", "some.camel.yaml")),
                replicas(PodRule.SAYS_WHY_IT_ENDED, m -> m.container().remove("terminationMessagePolicy")));
    }

    private static Stream<Arguments> manifestMutations() {
        return Stream.of(
                replicas(ManifestRule.DEPLOYMENT_SELECTS_ITS_PODS, m -> other(m.the("Deployment"), "/spec/selector/matchLabels")),
                replicas(ManifestRule.SERVICE_SELECTS_THE_PODS, m -> other(m.the("Service"), "/spec/selector")),
                replicas(ManifestRule.SERVICE_SELECTS_THE_PODS, m -> object(m.the("Service"), "/spec/selector").removeAll()),
                replicas(ManifestRule.SERVICE_SENDS_TO_A_PORT, m -> object(m.the("Service"), "/spec/ports/0").put("targetPort", "web")),
                replicas(ManifestRule.BUDGET_SELECTS_THE_PODS, m -> other(m.the("PodDisruptionBudget"), "/spec/selector/matchLabels")),
                single(ManifestRule.BUDGET_LETS_A_NODE_BE_DRAINED, m -> object(m.the("PodDisruptionBudget"), "/spec").put("minAvailable", 1)
                        .remove("maxUnavailable")),
                single(ManifestRule.BUDGET_LETS_A_NODE_BE_DRAINED, m -> object(m.the("PodDisruptionBudget"), "/spec")
                        .remove("unhealthyPodEvictionPolicy")),
                replicas(ManifestRule.NETWORK_POLICY_SELECTS_THE_PODS,
                        m -> other(m.all("NetworkPolicy").get(1), "/spec/podSelector/matchLabels")),
                replicas(ManifestRule.NETWORK_IS_CLOSED_BOTH_WAYS,
                        m -> array(m.all("NetworkPolicy").get(0), "/spec/policyTypes").remove(0)),
                replicas(ManifestRule.NETWORK_LETS_IN_EVENTS_ONLY, m -> array(m.all("NetworkPolicy").get(0), "/spec/ingress").addObject()),
                replicas(ManifestRule.NETWORK_LETS_OUT_WHAT_IS_NEEDED_ONLY,
                        m -> object(m.all("NetworkPolicy").get(1), "/spec/egress/0/ports/0")
                        .put("endPort", 6000)),
                single(ManifestRule.NETWORK_LETS_OUT_WHAT_IS_NEEDED_ONLY,
                        m -> object(m.the("NetworkPolicy"), "/spec/egress/2/ports/0").put("port", 5432)),
                replicas(ManifestRule.SECRET_IS_NOT_CONTAINED,
                        m -> m.objects().add(object(m.the("Service"), "").deepCopy().put("kind", "Secret"))),
                replicas(ManifestRule.SETTINGS_HOLD_NO_SECRET,
                        m -> ((ArrayNode) m.container().path("env")).addObject().put("name", "CALLBRIDGE_ADMIN_TOKEN").put("value", "t")),
                replicas(ManifestRule.REPLICAS_HAVE_A_STORE_IN_COMMON, m -> m.container().remove("env")),
                replicas(ManifestRule.REPLICAS_HAVE_A_STORE_IN_COMMON,
                        m -> object(m.container(), "/env/0/valueFrom/secretKeyRef").put("optional", true)),
                replicas(ManifestRule.SETTINGS_HOLD_NO_SECRET, m -> setting(m, "callbridge.crm.rest.token=a-token")),
                replicas(ManifestRule.SETTINGS_HOLD_NO_SECRET,
                        m -> setting(m, "callbridge.store.url=jdbc:postgresql://db.example/callbridge?password=a-word")),
                replicas(ManifestRule.SECRET_IS_REFERRED_TO, m -> m.container().remove("envFrom")),
                replicas(ManifestRule.ROUTES_FOLLOW_THEIR_CONTENT, m -> object(m.configMap("callbridge-routes"), "/data").put("more", "")),
                replicas(ManifestRule.ROUTES_FOLLOW_THEIR_CONTENT,
                        m -> object(PodRule.Values.mounted(m, "/callbridge/routes"), "/configMap")
                        .put("name", "callbridge-routes")),
                replicas(ManifestRule.SETTINGS_FOLLOW_THEIR_CONTENT,
                        m -> object(m.configMap("callbridge-config"), "/data").put("more", "")),
                replicas(ManifestRule.ACCOUNT_IS_THERE, m -> m.pod().put("serviceAccountName", "default")),
                single(ManifestRule.NOBODY_GETS_A_TOKEN, m -> m.pod().remove("automountServiceAccountToken")),
                replicas(ManifestRule.NOBODY_GETS_A_TOKEN, m -> m.pod().put("automountServiceAccountToken", true)),
                replicas(ManifestRule.NOBODY_GETS_A_TOKEN, m -> m.the("ServiceAccount").remove("automountServiceAccountToken")),
                single(ManifestRule.SQLITE_IS_ON_A_VOLUME, m -> object(m.container(), "/volumeMounts/0").put("mountPath", "/data")),
                single(ManifestRule.SQLITE_HAS_ONE_REPLICA, m -> object(m.the("Deployment"), "/spec").put("replicas", 2)),
                single(ManifestRule.SQLITE_IS_LET_GO_FIRST,
                        m -> object(m.the("Deployment"), "/spec/strategy").put("type", "RollingUpdate")),
                replicas(ManifestRule.REPLICAS_STAY_UNTIL_NEW_ONES_SERVE, m -> object(m.the("Deployment"), "/spec/strategy/rollingUpdate")
                        .put("maxUnavailable", 1)),
                replicas(ManifestRule.REPLICAS_STAY_UNTIL_NEW_ONES_SERVE, m -> object(m.the("Deployment"), "/spec").remove("strategy")),
                replicas(ManifestRule.REPLICAS_ARE_SPREAD, m -> other(m.pod(), "/topologySpreadConstraints/0/labelSelector/matchLabels")),
                replicas(ManifestRule.REPLICAS_ARE_SPREAD, m -> m.pod().remove("topologySpreadConstraints")),
                replicas(ManifestRule.AUTOSCALER_SCALES_THE_DEPLOYMENT,
                        m -> object(m.the("HorizontalPodAutoscaler"), "/spec/scaleTargetRef")
                        .put("name", "another")),
                replicas(ManifestRule.AUTOSCALER_HAS_THREE_AT_LEAST,
                        m -> object(m.the("HorizontalPodAutoscaler"), "/spec").put("minReplicas", 2)),
                replicas(ManifestRule.AUTOSCALER_ALONE_SAYS_HOW_MANY, m -> object(m.the("Deployment"), "/spec").put("replicas", 3)),
                replicas(ManifestRule.MONITOR_SELECTS_THE_PODS, m -> other(m.the("PodMonitor"), "/spec/selector/matchLabels")),
                replicas(ManifestRule.MONITOR_READS_THE_METRICS,
                        m -> object(m.the("PodMonitor"), "/spec/podMetricsEndpoints/0").put("port", "web")));
    }

    private static Manifests monitored(String overlay) {
        return Kustomization.render(Manifests.folder(overlay)).and(Kustomization.render(Manifests.folder(Manifests.MONITORING)));
    }

    private static Arguments single(Rule rule, Consumer<Manifests> mutation) {
        return arguments(rule, Manifests.SINGLE, mutation);
    }

    private static Arguments replicas(Rule rule, Consumer<Manifests> mutation) {
        return arguments(rule, Manifests.REPLICAS, mutation);
    }

    /** One more line of the settings, rolled out as an edited file is. */
    private static void setting(Manifests manifests, String line) {
        ObjectNode map = manifests.configMap("callbridge-config");
        object(map, "/data").put("application.properties", map.at("/data/application.properties").asText() + line + "\n");
        String name = "callbridge-config-" + ContentHash.of(object(map, "/data"));
        object(map, "/metadata").put("name", name);
        object(PodRule.Values.mounted(manifests, "/callbridge/config"), "/configMap").put("name", name);
    }

    private static ObjectNode object(JsonNode node, String at) {
        return (ObjectNode) node.at(at);
    }

    private static ArrayNode array(JsonNode node, String at) {
        return (ArrayNode) node.at(at);
    }

    private static ObjectNode last(JsonNode node, String at) {
        return (ObjectNode) node.at(at + "/" + (node.at(at).size() - 1));
    }

    private static void other(JsonNode node, String labels) {
        object(node, labels).put("app.kubernetes.io/name", "another");
    }
}
