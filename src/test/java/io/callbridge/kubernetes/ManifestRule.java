package io.callbridge.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** How the objects of an overlay fit together. */
enum ManifestRule implements Rule {

    DEPLOYMENT_SELECTS_ITS_PODS(m -> Rule.selects(m.the("Deployment").at("/spec/selector/matchLabels"), m)),
    SERVICE_SELECTS_THE_PODS(m -> Rule.all(m.all("Service"), service -> Rule.selects(service.at("/spec/selector"), m))),
    SERVICE_SENDS_TO_A_PORT(m -> Rule.all(m.all("Service"), service -> Rule.all(service.at("/spec/ports"),
            port -> Values.ports(m).contains(port.path("targetPort").asText())))),
    BUDGET_SELECTS_THE_PODS(m -> Rule.all(m.all("PodDisruptionBudget"),
            budget -> Rule.selects(budget.at("/spec/selector/matchLabels"), m))),
    BUDGET_LETS_A_NODE_BE_DRAINED(m -> Rule.all(m.all("PodDisruptionBudget"), budget -> budget.at("/spec/maxUnavailable").asInt() == 1
            && budget.at("/spec/unhealthyPodEvictionPolicy").asText().equals("AlwaysAllow") && budget.at("/spec/minAvailable").isMissingNode())),
    NETWORK_POLICY_SELECTS_THE_PODS(m -> Rule.all(m.all("NetworkPolicy"),
            policy -> Rule.selects(policy.at("/spec/podSelector/matchLabels"), m))),
    NETWORK_IS_CLOSED_BOTH_WAYS(m -> Stream.of("Ingress", "Egress").allMatch(way -> m.all("NetworkPolicy").stream()
            .anyMatch(policy -> policy.at("/spec/policyTypes").toString().contains(way)))),
    NETWORK_LETS_IN_EVENTS_ONLY(m -> Values.policyPorts(m, "ingress").allMatch(Set.of("8080", "6400")::contains)),
    NETWORK_LETS_OUT_WHAT_IS_NEEDED_ONLY(m -> Values.policyPorts(m, "egress").allMatch((m.all("HorizontalPodAutoscaler").isEmpty()
            ? Set.of("53", "5353", "80", "443", "5038", "5039")
            : Set.of("53", "5353", "80", "443", "5038", "5039", "5432", "6432"))::contains)),
    SECRET_IS_NOT_CONTAINED(m -> m.all("Secret").isEmpty()),
    SETTINGS_HOLD_NO_SECRET(m -> m.settings().entrySet().stream().noneMatch(setting -> setting.getKey().toString()
            .matches(".*(secret|token|password|\\.key)") || setting.getValue().toString().contains("password="))
            && m.pod().findValues("env").stream().allMatch(all -> Rule.all(all, variable -> !variable.has("value")))),
    REPLICAS_HAVE_A_STORE_IN_COMMON(m -> m.all("HorizontalPodAutoscaler").isEmpty() || Values.takesFromSecret(m, "CALLBRIDGE_STORE_URL")),
    SECRET_IS_REFERRED_TO(m -> m.container().at("/envFrom/0/secretRef/name").asText().equals("callbridge")),
    ROUTES_FOLLOW_THEIR_CONTENT(m -> Values.follows(m, "callbridge-routes", "/callbridge/routes")),
    SETTINGS_FOLLOW_THEIR_CONTENT(m -> Values.follows(m, "callbridge-config", "/callbridge/config")),
    ACCOUNT_IS_THERE(m -> m.pod().path("serviceAccountName").equals(m.the("ServiceAccount").at("/metadata/name"))),
    NOBODY_GETS_A_TOKEN(m -> !m.pod().path("automountServiceAccountToken").asBoolean(true)
            && !m.the("ServiceAccount").path("automountServiceAccountToken").asBoolean(true)),
    SQLITE_IS_ON_A_VOLUME(m -> Rule.all(m.all("PersistentVolumeClaim"), claim -> PodRule.Values.mounted(m, "/callbridge/data")
            .at("/persistentVolumeClaim/claimName").equals(claim.at("/metadata/name")))),
    SQLITE_HAS_ONE_REPLICA(m -> m.all("PersistentVolumeClaim").isEmpty() || m.the("Deployment").at("/spec/replicas").asInt() == 1
            && m.all("HorizontalPodAutoscaler").isEmpty()),
    SQLITE_IS_LET_GO_FIRST(m -> m.all("PersistentVolumeClaim").isEmpty() || m.the("Deployment").at("/spec/strategy").toString()
            .equals("{\"type\":\"Recreate\"}")),
    REPLICAS_STAY_UNTIL_NEW_ONES_SERVE(m -> m.all("HorizontalPodAutoscaler").isEmpty()
            || m.the("Deployment").at("/spec/strategy/type").asText().equals("RollingUpdate")
            && m.the("Deployment").at("/spec/strategy/rollingUpdate/maxUnavailable").asInt(1) == 0
            && m.the("Deployment").at("/spec/strategy/rollingUpdate/maxSurge").asInt() > 0),
    REPLICAS_ARE_SPREAD(m -> m.all("HorizontalPodAutoscaler").isEmpty() || !m.pod().path("topologySpreadConstraints").isEmpty()
            && Rule.all(m.pod().path("topologySpreadConstraints"), spread -> Rule.selects(spread.at("/labelSelector/matchLabels"), m))),
    AUTOSCALER_SCALES_THE_DEPLOYMENT(m -> Rule.all(m.all("HorizontalPodAutoscaler"), scaler -> Stream.of("apiVersion", "kind")
            .allMatch(field -> scaler.at("/spec/scaleTargetRef/" + field).equals(m.the("Deployment").path(field)))
            && scaler.at("/spec/scaleTargetRef/name").equals(m.the("Deployment").at("/metadata/name")))),
    AUTOSCALER_HAS_THREE_AT_LEAST(m -> Rule.all(m.all("HorizontalPodAutoscaler"), scaler -> scaler.at("/spec/minReplicas").asInt() >= 3
            && scaler.at("/spec/maxReplicas").asInt() > scaler.at("/spec/minReplicas").asInt())),
    AUTOSCALER_ALONE_SAYS_HOW_MANY(m -> m.all("HorizontalPodAutoscaler").isEmpty()
            || m.the("Deployment").at("/spec/replicas").isMissingNode()),
    MONITOR_SELECTS_THE_PODS(m -> Rule.all(m.all("PodMonitor"), monitor -> Rule.selects(monitor.at("/spec/selector/matchLabels"), m))),
    MONITOR_READS_THE_METRICS(m -> Rule.all(m.all("PodMonitor"), monitor -> Rule.all(monitor.at("/spec/podMetricsEndpoints"),
            end -> end.path("path").asText().equals("/q/metrics") && Values.ports(m).contains(end.path("port").asText()))));

    private final Predicate<Manifests> condition;

    ManifestRule(Predicate<Manifests> condition) {
        this.condition = condition;
    }

    @Override
    public boolean holds(Manifests manifests) {
        return condition.test(manifests);
    }

    /** Apart, since an enum's constants come before its own. */
    private static final class Values {

        private Values() {
        }

        static List<String> ports(Manifests manifests) {
            return manifests.container().path("ports").findValuesAsText("name");
        }

        /** A rule without ports is one for all of them. */
        static Stream<String> policyPorts(Manifests manifests, String way) {
            return manifests.all("NetworkPolicy").stream().flatMap(policy -> nodes(policy.at("/spec/" + way)))
                    .flatMap(rule -> rule.has("ports") ? nodes(rule.path("ports")).map(port -> port.has("endPort") ? "several"
                            : port.path("port").asText()) : Stream.of("all"));
        }

        private static Stream<JsonNode> nodes(JsonNode list) {
            return StreamSupport.stream(list.spliterator(), false);
        }

        static boolean takesFromSecret(Manifests manifests, String variable) {
            return nodes(manifests.container().path("env")).anyMatch(env -> env.path("name").asText().equals(variable)
                    && env.at("/valueFrom/secretKeyRef/key").asText().equals(variable)
                    && env.at("/valueFrom/secretKeyRef/name").asText().equals("callbridge")
                    && !env.at("/valueFrom/secretKeyRef/optional").asBoolean());
        }

        static boolean follows(Manifests manifests, String name, String path) {
            String referred = PodRule.Values.mounted(manifests, path).at("/configMap/name").asText();
            return manifests.all("ConfigMap").stream().anyMatch(map -> Manifests.id(map).equals("ConfigMap/" + referred)
                    && referred.equals(name + "-" + ContentHash.of((ObjectNode) map.path("data"))));
        }
    }
}
