package io.callbridge.support;

import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.time.Duration;

/**
 * One process for all tests of this JVM that neither end nor configure one, and its CRM. It starts when the first of them wants it,
 * and ends with the JVM. Calls, numbers and deliveries of other tests are there too, so each test asks for its own only, and leaves a
 * CRM that works.
 */
public final class SharedBridge {

    /** A route that says as whom the administration knows who asks; an integrator's own could. */
    public static final BridgeProcess.RoutesEdit WHO = routes -> Files.writeString(routes.resolve("ops-who.camel.yaml"), """
            - route:
                id: ops-who
                group: ops
                description: "Says who asks."
                routeConfigurationId: ingest-errors
                from:
                  uri: platform-http:/api/who
                  steps:
                    - setBody:
                        simple: "${header.Callbridge-Who}"
            """);

    private static FakeCrm crm;
    private static BridgeProcess bridge;

    private SharedBridge() {
    }

    public static synchronized BridgeProcess bridge() {
        if (bridge == null) {
            bridge = builder().start();
            Runtime.getRuntime().addShutdownHook(new Thread(bridge::close));
        }
        return bridge;
    }

    /** Another one like it, with another store. */
    public static BridgeProcess.Builder builder() {
        // What one test has found out about a number, the next one may have changed.
        return BridgeProcess.builder().crm(crm()).tcp().quickRetries().setting("callbridge.deliver.entity-cache.seconds", "0")
                .setting("callbridge.store.purge-period-ms", "500").editRoutes(WHO);
    }

    /** Where nothing waits and nothing is dead, a list has what a test has put there. */
    public static void tidy(BridgeProcess of) {
        crm().behave();
        await("what other tests have left").atMost(Duration.ofSeconds(90))
                .until(() -> of.get("/api/deliveries?state=pending&limit=1").body().contains("\"deliveries\":[]"));
        of.post("/api/deliveries/discard?state=dead");
    }

    public static synchronized FakeCrm crm() {
        if (crm == null) {
            crm = new FakeCrm();
        }
        return crm;
    }
}
