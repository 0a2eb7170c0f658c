package io.callbridge.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import io.kubernetes.client.custom.Quantity;
import java.math.BigDecimal;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What a pod may, and how it is watched and ended: the restricted pod security standard, and more. */
enum PodRule implements Rule {

    IS_NOT_ROOT(m -> m.pod().at("/securityContext/runAsNonRoot").asBoolean()
            && m.container().at("/securityContext/runAsNonRoot").asBoolean(true)),
    IS_A_USER_OF_ITS_OWN(m -> Stream.of("runAsUser", "runAsGroup").allMatch(id ->
            m.pod().at("/securityContext/" + id).asInt() == Values.USER
            && m.container().at("/securityContext/" + id).isMissingNode())),
    MAY_WRITE_TO_ITS_VOLUMES(m -> m.pod().at("/securityContext/fsGroup").asInt() == Values.USER),
    HAS_THE_USUAL_SECCOMP_PROFILE(m -> m.pod().at("/securityContext/seccompProfile/type").asText().equals("RuntimeDefault")
            && m.container().at("/securityContext/seccompProfile").isMissingNode()),
    HAS_NO_CAPABILITIES(m -> m.container().at("/securityContext/capabilities/drop").toString().equals("[\"ALL\"]")
            && m.container().at("/securityContext/capabilities/add").isMissingNode()),
    GAINS_NO_PRIVILEGES(m -> !m.container().at("/securityContext/allowPrivilegeEscalation").asBoolean(true)
            && !m.container().at("/securityContext/privileged").asBoolean(false)),
    HAS_A_READ_ONLY_ROOT(m -> m.container().at("/securityContext/readOnlyRootFilesystem").asBoolean()),
    HAS_A_TMP(m -> Values.mounted(m, "/tmp").has("emptyDir")),
    USES_NOTHING_OF_ITS_NODE(m -> Stream.of("hostNetwork", "hostPID", "hostIPC").noneMatch(field -> m.pod().path(field).asBoolean())
            && m.pod().findParent("hostPath") == null && m.pod().findParent("hostPort") == null),
    IS_ONE_CONTAINER(m -> m.pod().path("containers").size() == 1 && !m.pod().has("initContainers")),
    GETS_NO_VARIABLES_OF_SERVICES(m -> !m.pod().path("enableServiceLinks").asBoolean(true)),
    SAYS_WHEN_IT_HAS_STARTED(m -> Values.probed(m, "startupProbe", "/q/health/started")),
    MAY_TAKE_LONG_TO_START(m -> m.container().at("/startupProbe/periodSeconds").asInt()
            * m.container().at("/startupProbe/failureThreshold").asInt() >= Values.START_SECONDS),
    SAYS_THAT_IT_LIVES(m -> Values.probed(m, "livenessProbe", "/q/health/live")),
    SAYS_WHEN_IT_IS_READY(m -> Values.probed(m, "readinessProbe", "/q/health/ready")),
    ENDS_WHEN_NOBODY_SENDS_ANY_MORE(m -> m.container().at("/lifecycle/preStop/sleep/seconds").asInt() > 0),
    HAS_TIME_TO_END(m -> m.pod().path("terminationGracePeriodSeconds").asInt() > Values.endSeconds(m)),
    ASKS_FOR_WHAT_IT_NEEDS(m -> Values.RESOURCES.stream().allMatch(name -> m.container().at("/resources/requests").has(name))),
    IS_LIMITED(m -> Values.RESOURCES.stream().allMatch(name -> m.container().at("/resources/limits").has(name))),
    ASKS_FOR_NO_MORE_THAN_ITS_LIMIT(m -> Values.RESOURCES.stream().allMatch(name -> Values.amount(m, "requests", name, "0")
            .compareTo(Values.amount(m, "limits", name, "1E")) <= 0)),
    IS_A_CERTAIN_IMAGE(m -> m.container().path("image").asText().matches(".+(:(?!latest$)[\\w.-]+|@sha256:[0-9a-f]{64})")),
    SEES_A_NEW_CONFIG_MAP(m -> m.pod().findParent("subPath") == null),
    SAYS_WHY_IT_ENDED(m -> m.container().path("terminationMessagePolicy").asText().equals("FallbackToLogsOnError"));

    private final Predicate<Manifests> condition;

    PodRule(Predicate<Manifests> condition) {
        this.condition = condition;
    }

    @Override
    public boolean holds(Manifests manifests) {
        return condition.test(manifests);
    }

    /** Apart, since an enum's constants come before its own. */
    static final class Values {

        static final int USER = 10_001;
        static final int START_SECONDS = 60;
        static final List<String> RESOURCES = List.of("cpu", "memory");
        private static final String ROUTES_TIMEOUT = "camel.main.shutdown-timeout";
        private static final String ROUTES_USUALLY = "45";
        /** How long CallLanes waits for calls. */
        private static final int LANES_SECONDS = 3;
        /** How long Dispatcher waits for each CRM: its thread, and the lanes of cards and of calls. */
        private static final int CRM_SECONDS = 1 + 2 * 2;
        /** How long Store waits for each of its writers, of which PostgreSQL has three, and something for everything else. */
        private static final int STORE_SECONDS = 3 * 5 + 5;

        private Values() {
        }

        static boolean probed(Manifests manifests, String probe, String path) {
            JsonNode get = manifests.container().at("/" + probe + "/httpGet");
            return get.path("path").asText().equals(path) && Rule.all(manifests.container().path("ports"),
                    port -> !port.path("name").asText().equals("http") || get.path("port").asText().equals("http"));
        }

        /** The volume that is mounted there. */
        static JsonNode mounted(Manifests manifests, String path) {
            for (JsonNode mount : manifests.container().path("volumeMounts")) {
                for (JsonNode volume : manifests.pod().path("volumes")) {
                    if (mount.path("mountPath").asText().equals(path) && volume.path("name").equals(mount.path("name"))) {
                        return volume;
                    }
                }
            }
            return manifests.pod().path("nothing is mounted there");
        }

        static int endSeconds(Manifests manifests) {
            int crms = manifests.settings().getProperty("callbridge.crm.active", "rest").split(",").length;
            return manifests.container().at("/lifecycle/preStop/sleep/seconds").asInt()
                    + Integer.parseInt(manifests.settings().getProperty(ROUTES_TIMEOUT, ROUTES_USUALLY))
                    + LANES_SECONDS + crms * CRM_SECONDS + STORE_SECONDS;
        }

        static BigDecimal amount(Manifests manifests, String kind, String name, String otherwise) {
            return Quantity.fromString(manifests.container().at("/resources/" + kind + "/" + name).asText(otherwise)).getNumber();
        }
    }
}
