package io.callbridge.kubernetes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every overlay keeps every rule, and whoever breaks one is told so by that rule. */
class ManifestRulesTest {

    /**
     * Rule, overlay, place (the pod, its container, the settings' last line, or an object by its kind, with a number if there are
     * several; {@code -}: behind the last element) and its new value; without one it is removed.
     */
    private static final String MUTATIONS = """
            IS_NOT_ROOT replicas pod/securityContext/runAsNonRoot false
            IS_NOT_ROOT replicas container/securityContext/runAsNonRoot false
            IS_A_USER_OF_ITS_OWN replicas pod/securityContext/runAsUser 1000
            IS_A_USER_OF_ITS_OWN replicas pod/securityContext/runAsGroup
            IS_A_USER_OF_ITS_OWN replicas container/securityContext/runAsUser 0
            MAY_WRITE_TO_ITS_VOLUMES single pod/securityContext/fsGroup
            HAS_THE_USUAL_SECCOMP_PROFILE replicas pod/securityContext/seccompProfile/type "Unconfined"
            HAS_NO_CAPABILITIES replicas container/securityContext/capabilities/drop
            HAS_NO_CAPABILITIES replicas container/securityContext/capabilities/add ["NET_ADMIN"]
            GAINS_NO_PRIVILEGES replicas container/securityContext/allowPrivilegeEscalation
            GAINS_NO_PRIVILEGES replicas container/securityContext/privileged true
            HAS_A_READ_ONLY_ROOT replicas container/securityContext/readOnlyRootFilesystem false
            HAS_A_TMP replicas container/volumeMounts/last/mountPath "/var/tmp"
            USES_NOTHING_OF_ITS_NODE replicas pod/hostNetwork true
            USES_NOTHING_OF_ITS_NODE replicas container/ports/0/hostPort 8080
            USES_NOTHING_OF_ITS_NODE replicas pod/volumes/- {"name": "node", "hostPath": {}}
            IS_ONE_CONTAINER replicas pod/containers/- {"name": "another"}
            IS_ONE_CONTAINER replicas pod/initContainers [{"name": "another"}]
            GETS_NO_VARIABLES_OF_SERVICES replicas pod/enableServiceLinks
            SAYS_WHEN_IT_HAS_STARTED replicas container/startupProbe/httpGet/path "/q/health/ready"
            MAY_TAKE_LONG_TO_START replicas container/startupProbe/failureThreshold 3
            SAYS_THAT_IT_LIVES replicas container/livenessProbe
            SAYS_THAT_IT_LIVES replicas container/livenessProbe/httpGet/port 8081
            SAYS_WHEN_IT_IS_READY replicas container/readinessProbe/httpGet/path "/q/health/live"
            ENDS_WHEN_NOBODY_SENDS_ANY_MORE replicas container/lifecycle
            HAS_TIME_TO_END replicas pod/terminationGracePeriodSeconds 30
            HAS_TIME_TO_END replicas container/lifecycle/preStop/sleep/seconds 60
            HAS_TIME_TO_END replicas settings camel.main.shutdown-timeout=80
            ASKS_FOR_WHAT_IT_NEEDS replicas container/resources/requests/memory
            IS_LIMITED replicas container/resources/limits/memory
            ASKS_FOR_NO_MORE_THAN_ITS_LIMIT replicas container/resources/requests/memory "1Gi"
            ASKS_FOR_NO_MORE_THAN_ITS_LIMIT replicas container/resources/limits/cpu "200m"
            IS_A_CERTAIN_IMAGE replicas container/image "localhost/callbridge:latest"
            IS_A_CERTAIN_IMAGE replicas container/image "localhost:5000/callbridge"
            SEES_A_NEW_CONFIG_MAP replicas container/volumeMounts/0/subPath "some.camel.yaml"
            SAYS_WHY_IT_ENDED replicas container/terminationMessagePolicy
            DEPLOYMENT_SELECTS_ITS_PODS replicas Deployment/spec/selector/matchLabels/app.kubernetes.io~1name "another"
            SERVICE_SELECTS_THE_PODS replicas Service/spec/selector/app.kubernetes.io~1name "another"
            SERVICE_SELECTS_THE_PODS replicas Service/spec/selector {}
            SERVICE_SENDS_TO_A_PORT replicas Service/spec/ports/0/targetPort "web"
            BUDGET_SELECTS_THE_PODS replicas PodDisruptionBudget/spec/selector/matchLabels/app.kubernetes.io~1name "another"
            BUDGET_LETS_A_NODE_BE_DRAINED single PodDisruptionBudget/spec/minAvailable 1
            BUDGET_LETS_A_NODE_BE_DRAINED single PodDisruptionBudget/spec/maxUnavailable
            BUDGET_LETS_A_NODE_BE_DRAINED single PodDisruptionBudget/spec/unhealthyPodEvictionPolicy
            NETWORK_POLICY_SELECTS_THE_PODS replicas NetworkPolicy#1/spec/podSelector/matchLabels/app.kubernetes.io~1name "another"
            NETWORK_IS_CLOSED_BOTH_WAYS replicas NetworkPolicy#0/spec/policyTypes/0
            NETWORK_LETS_IN_EVENTS_ONLY replicas NetworkPolicy#0/spec/ingress/- {}
            NETWORK_LETS_OUT_WHAT_IS_NEEDED_ONLY replicas NetworkPolicy#1/spec/egress/0/ports/0/endPort 6000
            NETWORK_LETS_OUT_WHAT_IS_NEEDED_ONLY single NetworkPolicy/spec/egress/2/ports/0/port 5432
            SECRET_IS_NOT_CONTAINED replicas Service/kind "Secret"
            SETTINGS_HOLD_NO_SECRET replicas container/env/- {"name": "CALLBRIDGE_ADMIN_TOKEN", "value": "t"}
            SETTINGS_HOLD_NO_SECRET replicas settings callbridge.crm.rest.token=a-token
            SETTINGS_HOLD_NO_SECRET replicas settings callbridge.store.url=jdbc:postgresql://db.example/callbridge?password=a-word
            REPLICAS_HAVE_A_STORE_IN_COMMON replicas container/env
            REPLICAS_HAVE_A_STORE_IN_COMMON replicas container/env/0/valueFrom/secretKeyRef/optional true
            SECRET_IS_REFERRED_TO replicas container/envFrom
            ROUTES_FOLLOW_THEIR_CONTENT replicas callbridge-routes/data/more ""
            ROUTES_FOLLOW_THEIR_CONTENT replicas callbridge-routes/metadata/name "callbridge-routes"
            SETTINGS_FOLLOW_THEIR_CONTENT replicas callbridge-config/data/more ""
            ACCOUNT_IS_THERE replicas pod/serviceAccountName "default"
            NOBODY_GETS_A_TOKEN single pod/automountServiceAccountToken
            NOBODY_GETS_A_TOKEN replicas pod/automountServiceAccountToken true
            NOBODY_GETS_A_TOKEN replicas ServiceAccount/automountServiceAccountToken
            SQLITE_IS_ON_A_VOLUME single container/volumeMounts/0/mountPath "/data"
            SQLITE_HAS_ONE_REPLICA single Deployment/spec/replicas 2
            SQLITE_IS_LET_GO_FIRST single Deployment/spec/strategy/type "RollingUpdate"
            REPLICAS_STAY_UNTIL_NEW_ONES_SERVE replicas Deployment/spec/strategy/rollingUpdate/maxUnavailable 1
            REPLICAS_STAY_UNTIL_NEW_ONES_SERVE replicas Deployment/spec/strategy
            REPLICAS_ARE_SPREAD replicas pod/topologySpreadConstraints/0/labelSelector/matchLabels/app.kubernetes.io~1name "another"
            REPLICAS_ARE_SPREAD replicas pod/topologySpreadConstraints
            AUTOSCALER_SCALES_THE_DEPLOYMENT replicas HorizontalPodAutoscaler/spec/scaleTargetRef/name "another"
            AUTOSCALER_HAS_THREE_AT_LEAST replicas HorizontalPodAutoscaler/spec/minReplicas 2
            AUTOSCALER_ALONE_SAYS_HOW_MANY replicas Deployment/spec/replicas 3
            MONITOR_SELECTS_THE_PODS replicas PodMonitor/spec/selector/matchLabels/app.kubernetes.io~1name "another"
            MONITOR_READS_THE_METRICS replicas PodMonitor/spec/podMetricsEndpoints/0/port "web"
            """;

    @ParameterizedTest
    @ValueSource(strings = {Manifests.SINGLE, Manifests.REPLICAS})
    void everyOverlayKeepsTheRules(String overlay) {
        assertEquals(Set.of(), Rule.broken(monitored(overlay)));
    }

    static Stream<String> mutations() {
        return MUTATIONS.lines();
    }

    @ParameterizedTest
    @MethodSource("mutations")
    void aMutationBreaksItsRuleAlone(String mutation) throws JsonProcessingException {
        String[] parts = mutation.split(" ", 4);
        Manifests manifests = monitored(parts[1]);
        if (parts[2].equals("settings")) {
            setting(manifests, parts[3]);
        } else {
            mutate(manifests, parts[2], parts.length < 4 ? null : new ObjectMapper().readTree(parts[3]));
        }
        assertEquals("[" + parts[0] + "]", Rule.broken(manifests).toString());
    }

    @Test
    void everyRuleHasAMutation() {
        Set<String> rules = new HashSet<>();
        Stream.of(PodRule.values(), ManifestRule.values()).flatMap(Stream::of).forEach(rule -> rules.add(rule.toString()));
        assertEquals(rules, mutations().map(mutation -> mutation.split(" ")[0]).collect(Collectors.toSet()));
    }

    private static Manifests monitored(String overlay) {
        return Kustomization.render(Manifests.folder(overlay)).and(Kustomization.render(Manifests.folder(Manifests.MONITORING)));
    }

    private static void mutate(Manifests manifests, String place, JsonNode value) {
        String root = place.substring(0, place.indexOf('/'));
        String field = place.substring(place.lastIndexOf('/') + 1).replace("~1", "/");
        JsonNode parent = switch (root) {
            case "pod" -> manifests.pod();
            case "container" -> manifests.container();
            case "callbridge-routes", "callbridge-config" -> manifests.configMap(root);
            default -> root.contains("#") ? manifests.all(root.split("#")[0]).get(Integer.parseInt(root.split("#")[1])) : manifests.the(root);
        };
        for (String member : place.substring(root.length(), place.lastIndexOf('/')).split("/")) {
            parent = member.isEmpty() ? parent : parent.isObject() ? parent.path(member)
                    : parent.path(member.equals("last") ? parent.size() - 1 : Integer.parseInt(member));
        }
        if (parent instanceof ArrayNode array) {
            if (value == null) {
                array.remove(Integer.parseInt(field));
            } else {
                array.add(value);
            }
        } else if (value == null) {
            ((ObjectNode) parent).remove(field);
        } else {
            ((ObjectNode) parent).set(field, value);
        }
    }

    /** One more line of the settings, rolled out as an edited file is. */
    private static void setting(Manifests manifests, String line) {
        ObjectNode map = manifests.configMap("callbridge-config");
        ObjectNode data = (ObjectNode) map.path("data");
        data.put("application.properties", data.path("application.properties").asText() + line + "\n");
        String name = "callbridge-config-" + ContentHash.of(data);
        ((ObjectNode) map.path("metadata")).put("name", name);
        ((ObjectNode) PodRule.Values.mounted(manifests, "/callbridge/config").path("configMap")).put("name", name);
    }
}
